"""The two handshakes with which Event Grid asks whether a webhook wants its events.

https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from handlers.alerts.fields import fold, part, text, value

VALIDATION = "microsoft.eventgrid.subscriptionvalidationevent"
CODE = re.compile(r"[A-Za-z0-9._:{}/+=-]{1,200}")
ORIGIN = re.compile(r"[A-Za-z0-9._*:/-]{1,253}")


class Request(Struct, frozen=True):
    """A request on /api/alerts as it came."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes


class Answer(Struct, frozen=True):
    """What a request is answered: the body is JSON."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def event_grid_validation(body: object, headers: Mapping[str, str]) -> dict[str, str] | None:
    """The answer, with status 200, to a SubscriptionValidation event; None when the body is none."""
    event = body[0] if isinstance(body, list) and len(body) == 1 else body
    told = fold(_header(headers, "aeg-event-type")) == "subscriptionvalidation"
    if not told and fold(text(event, "eventType")) != VALIDATION:
        return None
    code = value(part(event, "data"), "validationCode")
    return {"validationResponse": code} if isinstance(code, str) and CODE.fullmatch(code) else None


def cloud_events_validation(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The headers that answer an OPTIONS with `WebHook-Request-Origin`; None without that header."""
    origin, rate = _header(headers, "webhook-request-origin"), _header(headers, "webhook-request-rate")
    if not ORIGIN.fullmatch(origin):
        return None
    return {
        "WebHook-Allowed-Origin": origin,
        "WebHook-Allowed-Rate": rate if re.fullmatch(r"[0-9]{1,9}", rate) else "*",
        "Allow": "POST, OPTIONS",
    }


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((found for key, found in headers.items() if key.lower() == name), "").strip()
