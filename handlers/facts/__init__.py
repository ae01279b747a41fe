"""The facts about one failure: named, typed values, each read from Azure at most once, side by side.

A fact is a function `(failure, reads) -> value`, registered under its own name with the RBAC actions it needs. A value that
cannot be read becomes `Unknown(why)` here and nowhere else.
"""

from __future__ import annotations

import importlib
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import cache
from pkgutil import iter_modules
from typing import Any

from msgspec import Struct

from handlers.azure.arm import Azure, NotRead, NoWorkspace, PartialAnswer
from handlers.azure.shared_reads import Shared
from handlers.facts.queries import graph_query, query
from handlers.model import Failure, Reading, Reason, ResourceId, Unknown

log = logging.getLogger(__name__)

CARRIED = ("failed_at", "job", "message", "now")
"""Facts that the failure itself carries: nothing is read for them."""
GIVEN = (*CARRIED, "window", "attempt", "members")
"""Those, and what the diagnosis itself makes of facts: the failure's window, and the verdicts of an umbrella's members."""
DEADLINE_SECONDS = 25
"""What is not read by then is unknown: the ticket goes out in time."""
AT_ONCE = 24
GROUPS_API, GROUPS_SECONDS = "2021-04-01", 3600.0
SHARED_SECONDS = 300.0
"""How old a list of a whole subscription or vault may be that many alerts share while a storm rages."""


class Fact(Struct, frozen=True):
    """How a fact is read. `needs` are RBAC actions, `source` is the API's name as shown beside the evidence."""

    read: Callable[[Failure, Reads], Any]
    needs: tuple[str, ...]
    source: str


FACTS: dict[str, Fact] = {}


def fact[T](*needs: str, source: str) -> Callable[[Callable[[Failure, Reads], T]], Callable[[Failure, Reads], T]]:
    """Registers a function as the reader of the fact of its name."""

    def register(read: Callable[[Failure, Reads], T]) -> Callable[[Failure, Reads], T]:
        if read.__name__ in FACTS:
            raise ValueError(f"two readers of the fact {read.__name__}")
        FACTS[read.__name__] = Fact(read, needs, source)
        return read

    return register


@cache
def all_facts() -> dict[str, Fact]:
    """Every fact there is: every module of this folder is imported. The role in Bicep is the union of their `needs`."""
    for module in iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return FACTS


class Unread(Exception):
    """Raised by a reader that knows why there is no value."""

    def __init__(self, why: Reason, detail: str = "") -> None:
        super().__init__(why, detail)
        self.unknown = Unknown(why, detail)


class Reads:
    """Azure as the facts of one failure see it: the same read, asked for twice, goes out once.

    `sharing`: lists of a whole subscription may come from what was read for another failure. Of a storm's members most facts are
    read in bulk: `facts/bulk/reads.py`.
    """

    def __init__(self, azure: Azure, *, sharing: bool = False) -> None:
        self.azure, self._sharing = azure, sharing
        self._answers = Shared(failures_seconds=math.inf)

    def get(self, path: str, api_version: str, **query: str) -> Any:
        """See `Azure.get`."""
        return self.once(_key("get", path, query), lambda: self.azure.get(path, api_version, **query))

    def list_all(self, path: str, api_version: str, **query: str) -> list[Any]:
        """See `Azure.list_all`."""
        return self.once(_key("list", path, query), lambda: self.azure.list_all(path, api_version, **query))

    def model(self, vm_id: str, api_version: str) -> Any:
        """The VM's body; with its instance view, which other facts need anyway."""
        return self.get(vm_id, api_version, expand="instanceView")

    def item(self, vault: ResourceId, container: str, name: str) -> Mapping[str, Any]:
        """The properties of a protected item. VM items come as the bare base class: only mapping access sees all fields."""

        def read() -> Mapping[str, Any]:
            item = self.azure.backup(vault.subscription).protected_items.get(vault.name, vault.group, "Azure", container, name)
            properties: Mapping[str, Any] = item.properties or {}
            return properties

        return self.once(("item", vault.key, name.lower()), read)

    def items_of(self, vm: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
        """The ids of all protected items of a VM (its id in lower case), as rows of Azure Resource Graph."""
        text = graph_query("items_of_vms", vms=[vm])
        return self.once(("graph", text), lambda: self.azure.query_graph(text, subscriptions))

    def group_tags(self, group_id: str) -> Mapping[str, str]:
        """The tags of a resource group, read once an hour for all that ask."""

        def read() -> Mapping[str, str]:
            return {str(name): str(value) for name, value in (self.azure.get(group_id, GROUPS_API).get("tags") or {}).items()}

        return self.azure.shared.get(f"tags {group_id.lower()}", read, seconds=GROUPS_SECONDS)

    def log_rows(self, name: str, vm: ResourceId, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The rows of a query of Log Analytics about the VM."""
        text = query(name, start=since, end=until, vms=[vm.id])
        return self.once(("log", name), lambda: self.azure.query_logs(text, (since, until)))

    def alone[T](self, read: Callable[[], T]) -> T:
        """What `read` gives: a read about this VM alone, which no list answers."""
        return read()

    def since(self, moment: datetime) -> datetime:
        """From when a list is read that must reach back to a moment: the full hour before, which many that failed share."""
        return moment.replace(minute=0, second=0, microsecond=0)

    def source_of(self, name: str) -> str:
        """Where the fact of that name is read."""
        return FACTS[name].source

    def of_all[T](self, name: str, read: Callable[[], T], *, seconds: float = SHARED_SECONDS) -> T:
        """What `read` makes of a list of a whole subscription. It is kept for minutes when shared: let it be small."""
        if self._sharing:
            return self.azure.shared.get(name, read, seconds=seconds)
        return self.once((name,), read)

    def or_unknown[T](self, read: Callable[[], T]) -> T | Unknown:
        """What `read` gives, or why it cannot be read: for one part of a fact that is worth telling without it."""
        from azure.core.exceptions import AzureError

        try:
            return read()
        except (AzureError, NotRead, Unread) as error:
            return why_unread(error)

    def each[T, R](self, items: Iterable[T], read: Callable[[T], R]) -> tuple[R, ...]:
        """`read` of every item, side by side, in the items' order."""
        items = tuple(items)
        if len(items) < 2:
            return tuple(map(read, items))
        with ThreadPoolExecutor(min(AT_ONCE, len(items)), thread_name_prefix="each") as pool:
            return tuple(pool.map(read, items))

    def both[A, B](self, first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
        """Two reads side by side."""
        with ThreadPoolExecutor(1, thread_name_prefix="both") as pool:
            other = pool.submit(second)
            return first(), other.result()

    def once[T](self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        """The answer of `read`, or of the earlier or still running read of the same key; its exception likewise."""
        return self._answers.get(" ".join(key), read, seconds=math.inf)


def _key(kind: str, path: str, query: dict[str, str]) -> tuple[str, ...]:
    return (kind, path.lower(), *(f"{name}={value}" for name, value in sorted(query.items())))


def given(failure: Failure, message: str, now: datetime) -> dict[str, Any]:
    """The values of the facts `CARRIED`."""
    job = failure.job or Unknown(Reason.NOT_NAMED)
    return dict(zip(CARRIED, (failure.failed_at, job, message, now), strict=True))


def gather(
    names: Iterable[str], failure: Failure, azure: Azure, *, message: str, now: datetime, sharing: bool = False,
    deadline: float = DEADLINE_SECONDS, reads: Reads | None = None,
) -> dict[str, Reading]:  # fmt: skip
    """The named facts, read side by side. Every name gets a Reading; what could not be read holds `Unknown`.

    `sharing`: lists of a whole subscription may come from what was read for another failure. `reads`: see facts/bulk/reads.py.
    """
    carried = given(failure, message, now)
    names = set(names)
    readings = {name: Reading(carried[name], "", now) for name in names & carried.keys()}
    facts, reads = all_facts(), reads or Reads(azure, sharing=sharing)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fact")
    running = {pool.submit(_read, name, facts[name], failure, reads): name for name in sorted(names - carried.keys())}
    done, late = wait(running, timeout=deadline)
    pool.shutdown(wait=False, cancel_futures=True)
    for future in done:
        readings[running[future]] = future.result()
    for future in late:
        name = running[future]
        readings[name] = Reading(Unknown(Reason.TIMED_OUT, f"{deadline:g} s"), facts[name].source, datetime.now(UTC))
    return readings


def _read(name: str, fact: Fact, failure: Failure, reads: Reads) -> Reading:
    started = time.monotonic()
    try:
        value = fact.read(failure, reads)
    except Exception as error:  # noqa: BLE001 - one of the two broad excepts: whatever a read throws, the ticket goes out
        value = why_unread(error, fact.needs)
        log.info("fact %s unread: %s %s", name, value.why, value.detail)
    log.debug("fact %s took %.0f ms", name, 1000 * (time.monotonic() - started))
    return Reading(value, reads.source_of(name), datetime.now(UTC))


def why_unread(error: Exception, needs: tuple[str, ...] = ()) -> Unknown:
    """What an exception says to a person: the missing RBAC action, the wait Azure asks for, or a status."""
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    match error:
        case Unread():
            return error.unknown
        case PartialAnswer():
            return Unknown(Reason.PARTIAL)
        case NotRead():
            return Unknown(Reason.THROTTLED, "read budget")
        case NoWorkspace():
            return Unknown(Reason.NO_WORKSPACE)
        case HttpResponseError(status_code=401 | 403):
            return Unknown(Reason.FORBIDDEN, _missing_action(error) or ", ".join(needs))
        case HttpResponseError(status_code=404):
            return Unknown(Reason.NOT_FOUND)
        case HttpResponseError(status_code=429):
            return Unknown(Reason.THROTTLED, _retry_after(error))
        case ServiceResponseError() if "timed out" in str(error).lower():
            return Unknown(Reason.TIMED_OUT)
        case ServiceRequestError() | ServiceResponseError():
            return Unknown(Reason.FAILED, type(error).__name__)
        case HttpResponseError():
            return Unknown(Reason.FAILED, f"HTTP {error.status_code}")
    log.warning("a reader broke", exc_info=error)
    return Unknown(Reason.FAILED, type(error).__name__)


def _missing_action(error: Any) -> str:
    """The action in ARM's `… does not have authorization to perform action 'X' over scope …`, else nothing."""
    _, found, rest = str(getattr(error, "message", "")).partition("perform action '")
    action = rest.partition("'")[0]
    return action if found and len(action) < 200 and action.replace("/", "").replace(".", "").isalnum() else ""


def _retry_after(error: Any) -> str:
    seconds = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return f"Retry-After {seconds} s" if seconds.isdigit() else ""
