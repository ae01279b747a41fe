"""The documents: what each version of an incident, a storm or a plain ticket says, as blobs `incidents/<id>/<version>.json`.

A version's document is written once. Whoever else makes one for the same version finds the first one, so that a repeated post
says what the first try said.
"""

from __future__ import annotations

import logging
from collections.abc import Container
from datetime import datetime

from handlers.model.document import FORMAT, Document
from handlers.model.typed_json import WrongShape, from_json, to_json
from handlers.records.storage import CALL_SECONDS, INCIDENT_BLOBS, Storage

log = logging.getLogger(__name__)


MOST_AT_HAND = 24


class UnreadableDocument(ValueError):
    """A document that this release cannot read."""


class Documents:
    """The blobs of the container `incidents`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._written: dict[str, Document] = {}
        """Those that this instance has just written: most are read once, a moment later, to be posted."""

    def write(self, row_id: str, version: int, document: Document) -> None:
        """Keep the document, unless the version has one."""
        from azure.core.exceptions import ResourceExistsError

        blobs = self._storage.blobs(INCIDENT_BLOBS)
        name = name_of(row_id, version)
        try:
            blobs.upload_blob(name, to_json(document), timeout=CALL_SECONDS)
        except ResourceExistsError:
            return
        self._written = dict(list(self._written.items())[1 - MOST_AT_HAND :]) | {name: document}

    def read(self, row_id: str, version: int, *, again: bool = False) -> Document | None:
        """The document; None when the version has none yet. `again`: it will be read once more. Raises UnreadableDocument."""
        from azure.core.exceptions import ResourceNotFoundError

        name = name_of(row_id, version)
        if written := self._written.get(name) if again else self._written.pop(name, None):
            return written
        blobs = self._storage.blobs(INCIDENT_BLOBS)
        try:
            stored = blobs.download_blob(name, timeout=CALL_SECONDS).readall()
            document = from_json(stored, Document)
        except ResourceNotFoundError:
            return None
        except WrongShape as error:
            raise UnreadableDocument(f"{name_of(row_id, version)}: {error}") from None
        if document.format != FORMAT:
            raise UnreadableDocument(f"{name_of(row_id, version)} has format {document.format}")
        return document

    def newest(self, row_id: str, version: int) -> Document | None:
        """The newest document up to a version that holds a diagnosis; None when there is none, or none that can be read."""
        for number in range(version, 0, -1):
            try:
                document = self.read(row_id, number)
            except UnreadableDocument:
                log.exception("a document cannot be read")
                continue
            if document and document.evidence:
                return document
        return None

    def versions(self, row_id: str) -> list[int]:
        """The versions that have a document, the newest first."""
        names = self._storage.blobs(INCIDENT_BLOBS).list_blob_names(name_starts_with=f"{row_id}/")
        numbers = (name.removeprefix(f"{row_id}/").removesuffix(".json") for name in names)
        return sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)

    def read_names(self, storm_id: str) -> bytes | None:
        """The file with all names of a storm; None when there is none."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            names: bytes = (
                self._storage.blobs(INCIDENT_BLOBS).download_blob(f"{storm_id}/members.csv", timeout=CALL_SECONDS).readall()
            )
        except ResourceNotFoundError:
            return None
        return names

    def write_names(self, storm_id: str, names: str) -> str:
        """Write the file with all names of a storm anew; where it is."""
        name = f"{storm_id}/members.csv"
        self._storage.blobs(INCIDENT_BLOBS).upload_blob(name, names.encode(), overwrite=True, timeout=CALL_SECONDS)
        return f"{INCIDENT_BLOBS}/{name}"

    def delete_old(self, before: datetime, keep: Container[str]) -> int:
        """Delete the documents that were last written before then, but those of the rows with the ids `keep`; how many.

        Documents of format 1 lie under `<key>/<id>.json`.
        """
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        blobs, deleted = self._storage.blobs(INCIDENT_BLOBS), 0
        for blob in blobs.list_blobs():
            if blob.last_modified >= before or any(part in keep for part in blob.name.removesuffix(".json").split("/")):
                continue
            try:
                blobs.delete_blob(blob.name, timeout=CALL_SECONDS, etag=blob.etag, match_condition=MatchConditions.IfNotModified)
                deleted += 1
            except (ResourceModifiedError, ResourceNotFoundError):
                pass
        return deleted


def name_of(row_id: str, version: int) -> str:
    return f"{row_id}/{version}.json"
