"""The published schema of the ticket event, to validate events with."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema_rs import Draft202012Validator

EVENT_SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parent.parent / "docs" / "ticket-event.schema.json").read_text(encoding="utf-8"))
)
