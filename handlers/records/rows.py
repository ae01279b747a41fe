"""Rows of the table `incidents` that are written only if they are still as they were read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handlers.records.storage import Storage


class Changed(Exception):
    """Somebody else has written the row since it was read: read it again."""


def write_if_unchanged(storage: Storage, entity: dict[str, Any], etag: str) -> str:
    """Create the row (without an ETag), or replace the one with this ETag; returns its new ETag. Raises Changed.

    https://learn.microsoft.com/rest/api/storageservices/update-entity2
    """
    from azure.core import MatchConditions
    from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
    from azure.data.tables import UpdateMode

    table = storage.table()
    try:
        if not etag:
            return str(table.create_entity(entity)["etag"])
        condition = MatchConditions.IfNotModified
        return str(table.update_entity(entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=condition)["etag"])
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
        raise Changed(str(entity["RowKey"])) from None


def sortable(time: datetime | None) -> str:
    """Times as text of one width, so that they compare as text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if time else ""
