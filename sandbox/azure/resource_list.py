"""All resources of a subscription, or those of a type and name: https://learn.microsoft.com/rest/api/resources/resources/list"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.azure.answers import Answer, ok

SHOWN = ("id", "name", "type", "location", "tags")
"""The list shows no properties."""


def answer(query: str, resources: Iterable[Mapping[str, Any]]) -> Answer:
    """Those that fit `resourceType eq '…'` and `name eq '…'` of a `$filter`, in any case."""
    wanted = {field.lower(): value.lower() for field, value in re.findall(r"(?i)\b(resourceType|name) eq '([^']*)'", query)}
    return ok({"value": [_shown(body) for body in resources if _fits(body, wanted)]})


def _fits(body: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    own = {"resourcetype": str(body.get("type", "")).lower(), "name": str(body.get("name", "")).lower()}
    return all(own[field] == value for field, value in wanted.items())


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SHOWN if name in body}
