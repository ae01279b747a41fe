"""The marked alert that the app sends itself once a day: `{"schemaId": "backupRunbooksCanary", "id": …, "sentAt": …}`.

Nothing of this shape is about backup: its arrival is what a log alert watches for its absence.
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from handlers.alerts.fields import line, text, value
from handlers.model import Alert, Ignored, parse_time

ORDER = 70
SCHEMA = "backupRunbooksCanary"


def body_of(sent_at: datetime) -> bytes:
    return json.dumps({"schemaId": SCHEMA, "id": f"canary-{sent_at:%Y%m%dT%H%M%S}", "sentAt": sent_at.isoformat()}).encode()


def claims(body: object) -> bool:
    return text(body, "schemaId") == SCHEMA


def parse(body: Any) -> list[Alert | Ignored]:
    sent_at, canary_id = parse_time(value(body, "sentAt")), line(value(body, "id"))
    if not sent_at or not canary_id:
        return [Ignored("a canary without its id or time")]
    return [Alert(source="canary", id=canary_id, fired_at=sent_at, severity="Sev4", item_name="canary", workload="Canary")]
