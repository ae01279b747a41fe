"""What is stored of one incident or storm, by its id: its row as long as it has one, and the documents of its newest versions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from handlers.model import Incident, Storm
from handlers.model.delivery import RESOLVED
from handlers.model.document import Document
from handlers.model.ids import parse_time
from handlers.records.documents import Documents, UnreadableDocument
from handlers.records.incidents import Incidents
from handlers.records.storms import Storms

log = logging.getLogger(__name__)

MOST_VERSIONS = 12
MOST_OF_A_STORM = 3
"""Each of its documents has all its members."""
SHOWN_FOR = timedelta(days=30)
"""After the end: then its page ends."""


class Tools(Protocol):
    """What of the stories' tools is used here."""

    @property
    def documents(self) -> Documents: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def storms(self) -> Storms: ...


class Version(Struct, frozen=True):
    number: int
    document: Document


class History(Struct, frozen=True):
    """`versions`: the newest first, at least one. `row` is None once the item has another incident."""

    id: str
    versions: tuple[Version, ...]
    row: Incident | Storm | None
    older: int = 0
    """How many versions are not among them."""

    @property
    def newest(self) -> Document:
        return self.versions[0].document

    @property
    def diagnosed(self) -> Document:
        """The newest that holds a diagnosis; of a storm simply the newest."""
        return next((version.document for version in self.versions if version.document.evidence), self.newest)

    @property
    def status(self) -> str:
        """A document of an earlier release names no row: it says itself whether it is the end."""
        if self.row:
            return self.row.status
        return RESOLVED if self.newest.key else self.newest.status

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; None while it is open."""
        if self.status != RESOLVED:
            return None
        if isinstance(self.row, Incident) and self.row.resolved_at:
            return self.row.resolved_at
        if self.row and self.row.recorded_at:
            return self.row.recorded_at
        data = self.newest.data
        return parse_time((data.get("job") or {}).get("ended_at")) or parse_time(data["incident"]["last_failed_at"])

    def is_over(self, now: datetime) -> bool:
        """Whether its page has ended."""
        ended = self.ended_at
        return ended is not None and now - ended > SHOWN_FOR


def history_of(row_id: str, tools: Tools) -> History | None:
    """None for what no ticket was ever made of, and for what is kept no longer."""
    numbers = tools.documents.versions(row_id)
    versions = tuple(_readable(row_id, numbers, tools))
    if not versions:
        return None
    return History(row_id, versions, _row(row_id, versions[0].document, tools), len(numbers) - len(versions))


def _readable(row_id: str, numbers: list[int], tools: Tools) -> Iterator[Version]:
    """The newest versions that a page can show. Of a storm's member only evidence is kept."""
    most = MOST_VERSIONS
    for number in numbers:
        if most == 0:
            return
        try:
            document = tools.documents.read(row_id, number, again=True)
        except UnreadableDocument:
            log.exception("a document cannot be read")
            continue
        if document and document.kind in ("incident", "storm") and document.data.get("incident"):
            most = min(most, MOST_OF_A_STORM if document.kind == "storm" else MOST_VERSIONS) - 1
            yield Version(number, document)


def _row(row_id: str, document: Document, tools: Tools) -> Incident | Storm | None:
    row = (tools.storms if document.kind == "storm" else tools.incidents).find(document.key) if document.key else None
    return row if row and row.id == row_id else None
