"""The two webhook handshakes.

https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handlers.alerts.fields import part, text

VALIDATION = "microsoft.eventgrid.subscriptionvalidationevent"


def event_grid_validation(body: object, headers: Mapping[str, str]) -> dict[str, str] | None:
    """The answer (with status 200) to an Event Grid SubscriptionValidation event; None when the body is none."""
    event = body[0] if isinstance(body, list) and len(body) == 1 else body
    asked = _header(headers, "aeg-event-type").lower() == "subscriptionvalidation"
    if not isinstance(event, dict) or not (asked or text(event, "eventType").lower() == VALIDATION):
        return None
    code = text(part(event, "data"), "validationCode")
    return {"validationResponse": code} if re.fullmatch(r"[\w.:{}/+=-]{1,200}", code) else None


def cloud_events_validation(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The headers that answer an OPTIONS with `WebHook-Request-Origin`; None without that header."""
    origin = _header(headers, "webhook-request-origin")
    if not re.fullmatch(r"[\w.*:/-]{1,253}", origin):
        return None
    rate = _header(headers, "webhook-request-rate")
    return {
        "WebHook-Allowed-Origin": origin,
        "WebHook-Allowed-Rate": rate if re.fullmatch(r"\d{1,9}", rate) else "*",
        "Allow": "POST, OPTIONS",
    }


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((found for key, found in headers.items() if key.lower() == name), "").strip()
