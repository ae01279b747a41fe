"""Rows of the table `incidents`: one frozen value each, changed by pure transitions under its ETag.

A row lies under its key. What must be found without knowing a key (what is open or not posted, a storm's members, what ended on
a day) is listed by copies of the row under `<list> <key>` in the same partition, written in the same transaction: every read of
the table is by key or by a range of keys.
https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from copy import replace
from datetime import datetime
from functools import cache
from typing import Any, Protocol, get_type_hints

from handlers.model.typed_json import from_builtins, to_json
from handlers.records.storage import Storage

log = logging.getLogger(__name__)

TRIES = 10
PAGE_ROWS = 200
"""A page of the longest, 1,000, takes eight megabytes while it is read, and several storms are read at the same time."""
PLAIN = (str, int, bool)
"""Field types that are columns as they are; times are text that sorts, everything else is JSON."""


class Row(Protocol):
    """A frozen dataclass. `etag` is empty until it is stored."""

    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str: ...


class EndingRow(Row, Protocol):
    """A row of something that ends."""

    @property
    def id(self) -> str: ...
    @property
    def is_active(self) -> bool: ...


class Conflict(Exception):
    """Others have changed the row again and again while it was to be changed."""


class Rows[R: Row]:
    """The rows of one kind, in a partition of their own."""

    def __init__(
        self, storage: Storage, partition: str, kind: type[R], lists: Callable[[R], frozenset[str]] = lambda _: frozenset(),
        older: Callable[[Mapping[str, Any]], R | None] = lambda _: None,
    ) -> None:  # fmt: skip
        """`lists`: the lists that a row stands in. `older`: the row in the form of an earlier release, if it has one."""
        self._storage, self.partition, self.kind, self._lists, self._older = storage, partition, kind, lists, older

    def find(self, key: str) -> R | None:
        """The row. Raises ValueError for one that cannot be read."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._row(self._storage.table().get_entity(self.partition, key))
        except ResourceNotFoundError:
            return None

    def change(self, key: str, transition: Callable[[R | None], R | None], seen: R | None = None) -> R | None:
        """Save what the transition makes of the row as it is; None when it makes nothing. Tried again when others were faster.

        `seen`: the row as it was a moment ago, which saves reading it if it is still so.
        """
        for number in range(TRIES):
            before = seen if seen and not number else self.find(key)
            after = transition(before)
            if after is None:
                return None
            if saved := self.save(before, after):
                return saved
        raise Conflict(f"{self.partition} {key}")

    def save(self, before: R | None, after: R) -> R | None:
        """Write the row if it is still as `before` (None: not there); None when it is not, or when the answer was lost."""
        from azure.core.exceptions import (
            ResourceExistsError,
            ResourceModifiedError,
            ResourceNotFoundError,
            ServiceResponseError,
        )
        from azure.data.tables import TableTransactionError

        entity = self._entity(after)
        had, has = self._lists(before) if before else frozenset[str](), self._lists(after)
        try:
            etag = self._write_all(entity, before, had, has) if had | has else self._write(entity, before)
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return None
        except ServiceResponseError as error:  # a kept connection that had ended: the SDK repeats no POST
            log.info("the answer to a write was lost: %s", type(error).__name__)
            return None
        except TableTransactionError as error:
            if error.status_code not in (404, 409, 412):
                raise
            return None
        return replace(after, etag=etag)  # type: ignore[arg-type]

    def listed(self, name: str, after: str = "") -> Iterator[R]:
        """The rows of a list in the order of their keys, from the one after the key `after`."""
        return self.between(f"{name} {after}", f"{name}!")

    def between(self, after: str, before: str) -> Iterator[R]:
        """The rows whose keys lie between the two. One that cannot be read is logged and left out."""
        query = f"PartitionKey eq '{self.partition}' and RowKey gt '{after}' and RowKey lt '{before}'"
        for entity in self._storage.table().query_entities(query, results_per_page=PAGE_ROWS):
            try:
                yield self._row(entity)
            except ValueError:
                log.exception("a row of %s cannot be read", self.partition)

    def keys_of_release_1(self) -> Iterator[str]:
        """The keys of rows in the form of the first release. Goes through the whole partition: asked for once."""
        query = f"PartitionKey eq '{self.partition}' and change ge 0"
        return (str(entity["RowKey"]) for entity in self._storage.table().query_entities(query, select=["RowKey"]))

    def delete(self, row: R) -> bool:
        """Delete the row and its copies if it is still as it was read; whether it was."""
        from azure.core import MatchConditions
        from azure.data.tables import TableTransactionError

        keys = [{"PartitionKey": self.partition, "RowKey": f"{name} {row.key}"} for name in self._lists(row)]
        own = {"PartitionKey": self.partition, "RowKey": row.key}
        condition = {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}
        try:
            self._storage.table().submit_transaction([("delete", own, condition), *(("delete", key) for key in keys)])
        except TableTransactionError:
            return False
        return True

    # ---------------------------------------------------------------- one write

    def _write(self, entity: dict[str, Any], before: R | None) -> str:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        table = self._storage.table()
        if before is None:
            return str(table.create_entity(entity)["etag"])
        condition = MatchConditions.IfNotModified
        return str(table.update_entity(entity, mode=UpdateMode.REPLACE, etag=before.etag, match_condition=condition)["etag"])

    def _write_all(self, entity: dict[str, Any], before: R | None, had: frozenset[str], has: frozenset[str]) -> str:
        """The row and its copies in one transaction."""
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        operations: list[Any] = [("create", entity)]
        if before:
            condition = {"mode": UpdateMode.REPLACE, "etag": before.etag, "match_condition": MatchConditions.IfNotModified}
            operations = [("update", entity, condition)]
        copies = [entity | {"RowKey": f"{name} {entity['RowKey']}"} for name in sorted(has)]
        operations += [("upsert", copy, {"mode": UpdateMode.REPLACE}) for copy in copies]
        gone = [{"PartitionKey": self.partition, "RowKey": f"{name} {entity['RowKey']}"} for name in sorted(had - has)]
        return str(self._submit(operations, [("delete", key) for key in gone])[0]["etag"])

    def _submit(self, operations: list[Any], deletions: list[Any]) -> list[Any]:
        """A copy that is to be deleted may not be there: a row of an earlier release has none."""
        from azure.data.tables import TableTransactionError

        table = self._storage.table()
        try:
            return list(table.submit_transaction(operations + deletions))
        except TableTransactionError as error:
            if not deletions or error.status_code != 404:
                raise
            return list(table.submit_transaction(operations))

    # ---------------------------------------------------------------- a value and its columns

    def _entity(self, row: R) -> dict[str, Any]:
        found: dict[str, Any] = {"PartitionKey": self.partition, "RowKey": row.key}
        for name, kind in columns_of(self.kind).items():
            value = getattr(row, name)
            if kind in PLAIN:
                found[name] = value
            elif isinstance(value, datetime) or value is None:
                found[name] = sortable(value)
            else:
                found[name] = to_json(value).decode()
        return found

    def _row(self, entity: Any) -> R:
        """Raises ValueError."""
        if (older := self._older(entity)) is not None:
            return older
        values: dict[str, Any] = {"etag": str(entity.metadata["etag"])}
        for name, kind in columns_of(self.kind).items():
            stored = entity.get(name)
            if kind in PLAIN and stored is not None:
                values[name] = stored
            elif stored is not None and stored != "":
                is_json = isinstance(stored, str) and stored[:1] in "[{"
                values[name] = from_builtins(json.loads(stored) if is_json else stored, kind)
        try:
            return self.kind(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None


@cache
def columns_of(kind: type[Any]) -> dict[str, Any]:
    """The fields of a row and their types, without its ETag."""
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__ if name != "etag"}


def sortable(time: datetime | None) -> str:
    """Times as text of one width, so that they compare as text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if time else ""
