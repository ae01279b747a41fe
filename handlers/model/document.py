"""What one version of an incident, a storm or a plain ticket says. It is kept before it can be posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from handlers.model.parts import Part
from handlers.model.words import Verdict

FORMAT = 2
"""Documents of format 1 held all failures of an incident in one blob."""


class Document(Struct, frozen=True):
    kind: str
    """`incident`, `storm` or `alert`: the first word of its event's type."""
    status: str
    """`open` or `resolved`: what the ticket is to be after it."""
    data: Mapping[str, Any]
    """The event's data, but for the ticket and the text of the page, which is made from `parts`."""
    parts: tuple[Part, ...]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    cause: str = ""
    """The confirmed cause that the log line of its post names."""
    received_at: datetime | None = None
    """When the alert came that this version answers."""
    evidence: Mapping[str, Any] | None = None
    """From which the diagnosis can be made again (diagnosis/evidence.py)."""
    body: str = ""
    """The alert as its source sent it, as far as it is kept."""
    note: str = ""
    """What is new against what the ticket shows, in Markdown; empty for a first version, and where nothing was known before."""
    format: int = FORMAT
    key: str = ""
    """Of the row that it is about; empty in a document of an earlier release."""
