"""Rows as the first release wrote them, read as today's: a change was `pending` there until it was posted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handlers.model import Incident, KnownFailure, Verdict, parse_time
from handlers.model.delivery import DEFAULT_TARGET, OPEN, RESOLVED, Delivery, Shown
from handlers.model.storm import Storm

SAME = (
    "key",
    "id",
    "status",
    "failures",
    "code",
    "region",
    "item_id",
    "item_name",
    "vm_id",
    "vault_id",
    "workload",
    "severity",
    "storm",
)


def incident_of_release_1(entity: Mapping[str, Any]) -> Incident | None:
    """None for a row of today's form."""
    if "change" not in entity:
        return None
    known = [(job, parse_time(started), parse_time(failed)) for job, started, failed in json.loads(entity["known"])]
    failures = tuple(KnownFailure(job, started, failed) for job, started, failed in known if failed)
    resolved_at = parse_time(entity.get("resolved_at"))
    return Incident(
        **{name: entity.get(name, "") for name in SAME},
        first_failed_at=parse_time(entity.get("first_failed_at")) or failures[0].failed_at,
        known=failures,
        delivery=_delivery(entity),
        verdicts={cause: Verdict(verdict) for cause, verdict in json.loads(entity.get("verdicts") or "{}").items()},
        recorded_at=resolved_at or failures[-1].failed_at,
        resolved_at=resolved_at,
        recovered_at=parse_time(entity.get("recovered_at")),
        diagnosed=entity.get("look") == "all",
        etag=_etag(entity),
    )


def storm_of_release_1(entity: Mapping[str, Any]) -> Storm | None:
    """None for a row of today's form. Its members are read again at once."""
    opened_at = parse_time(entity.get("opened_at"))
    if "change" not in entity or opened_at is None:
        return None
    return Storm(
        key=str(entity["key"]),
        id=str(entity["id"]),
        region=str(entity["region"]),
        code=str(entity["code"]),
        status=str(entity["status"]),
        opened_at=opened_at,
        next_at=parse_time(entity.get("next_at")) or opened_at,
        fingerprint=str(entity.get("told") or ""),
        delivery=_delivery(entity),
        recorded_at=opened_at,
        etag=_etag(entity),
    )


def _delivery(entity: Mapping[str, Any]) -> Delivery:
    """A pending change may have been posted already: it is repeated first."""
    version, pending = int(entity["change"]), bool(entity.get("pending"))
    shown = Shown(
        shown=version - 1 if pending else version,
        status=_shown_status(entity, version, pending),
        attempt=version if pending else 0,
        may_exist=pending,
        ticket_id=str(entity.get("ticket_id") or ""),
        ticket_url=str(entity.get("ticket_url") or ""),
    )
    failed_version = version if entity["status"] == OPEN else max(version - 1, 0)
    return Delivery(version, failed_version, {DEFAULT_TARGET: shown})


def _shown_status(entity: Mapping[str, Any], version: int, pending: bool) -> str:
    if not pending:
        return str(entity["status"]) if version else ""
    if version <= 1:
        return ""
    return RESOLVED if str(entity["pending"]).endswith("reopened") else OPEN


def _etag(entity: Any) -> str:
    return str(entity.metadata["etag"]) if hasattr(entity, "metadata") else ""
