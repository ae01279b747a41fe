"""A real run in small: function hosts on one Azurite take the alerts of a storm's world, and everything that they cost is counted.

What it gives is the source of costs.json, and what the simulation is compared with.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from azure.data.tables import TableClient

from bench.processes import cpu_seconds
from bench.storm import NEVER, ROOT
from bench.storm_phases import Rows, post_all, say
from sandbox.__main__ import SECRET, sandbox_settings
from sandbox.azurite import running_azurite
from sandbox.function_host import RunningHost, running_host
from sandbox.storm_alerts import alerts_of
from sandbox.storm_azure import RunningStormAzure, running_storm_azure
from sandbox.storm_world import StormWorld
from sandbox.ticket_desk import Desk, running_desk

LOOK_SECONDS = 1.0
IDLE_SECONDS = 5.0
GRAPH_KIND = "resourcegraph"
OWN = "own"
"""What only looks: this bench, and the host at the poison queue."""
_LINE = re.compile(r'"(?P<verb>[A-Z]+) /devstoreaccount1/?(?P<rest>\S*) HTTP[^"]*" (?P<status>\d+)')


@dataclass(frozen=True)
class Asked:
    """What is to be run."""

    alerts: int
    vaults: int = 6
    hosts: int = 1
    threshold: int = 20
    watch: float = 75.0
    """Seconds after the last VM is attached: the storm's second reading and the background pass lie in them."""


@dataclass(frozen=True)
class Spent:
    """What was used between two moments."""

    host_cpu: float
    """Seconds of processor time of all function hosts; what they take when idle is not in it."""
    storage_cpu: float
    azure_cpu: float
    reads: int
    queries: int
    """Of Azure Resource Graph."""
    calls: dict[str, int]
    """Of storage, by kind: see `kind_of`."""
    posts: int

    @property
    def storage_calls(self) -> int:
        return sum(self.calls.values())


@dataclass(frozen=True)
class Played:
    """A run: what it cost, and when each VM had a ticket."""

    asked: Asked
    attached: Spent
    """Until the last VM had a ticket."""
    quiet: Spent
    """Until the end of the watch."""
    seconds: float
    """From the first alert to the last VM's ticket."""
    posting_seconds: float
    own: int
    storms: int
    events: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    rows_an_incident: float = 0.0
    """How many entities an incident is: its row and the copies of it in lists."""


def kind_of(verb: str, rest: str) -> str:
    """`row read`, `row write`, `row list`, `opened write` …, `queue get`, `queue put` …, `blob write`; `own` is this bench's looking."""
    rest = unquote(rest)
    if rest.startswith("alerts-poison"):
        return OWN
    if rest.startswith(("$batch", "incidents(", "Tables")) or rest.split("?")[0] == "incidents":
        return _table_kind(verb, rest)
    if rest.startswith("alerts/messages"):
        return "queue " + {"GET": "get", "POST": "put", "DELETE": "delete", "PUT": "move"}.get(verb, "other")
    return "blob " + {"GET": "read", "PUT": "write", "DELETE": "delete"}.get(verb, "other")


def _table_kind(verb: str, rest: str) -> str:
    if rest.startswith("$batch"):
        return "row batch"
    if rest.startswith("incidents()"):
        return (
            "own"
            if "RowKey" not in rest.split("$filter=")[-1].split("&")[0]
            else "opened list"
            if "opened-" in rest
            else "row list"
        )
    if "opened-" in rest:
        return "opened write"
    return "row read" if verb == "GET" else "row write"


class Meter:
    """Reads all counters of a running rig."""

    def __init__(self, hosts: Sequence[RunningHost], azure: RunningStormAzure, desk: Desk, access_log: Path) -> None:
        self._hosts, self._azure, self._desk, self._log = hosts, azure, desk, access_log
        self._storage_pids, self._azure_pids = _children("azurite"), _children("sandbox.storm_azure")

    def now(self) -> Spent:
        reads = Counter(self._azure.counts()["reads"])
        queries = sum(count for kind, count in reads.items() if GRAPH_KIND in kind)
        return Spent(
            host_cpu=sum(cpu_seconds(host.process.pid) for host in self._hosts),
            storage_cpu=sum(map(cpu_seconds, self._storage_pids)),
            azure_cpu=sum(map(cpu_seconds, self._azure_pids)),
            reads=reads.total() - queries, queries=queries,
            calls=dict(storage_calls(self._log)), posts=len(self._desk.events()),
        )  # fmt: skip


def storage_calls(log: Path) -> Counter[str]:
    lines = _LINE.finditer(log.read_text(encoding="utf-8", errors="replace"))
    return Counter(kind_of(line["verb"], line["rest"]) for line in lines)


def between(before: Spent, after: Spent, idle: Spent | None = None, share: float = 0.0) -> Spent:
    """What was spent from one moment to another, without `share` times what an idle time took."""

    def less(name: str) -> float:
        resting: float = share * getattr(idle, name) if idle else 0.0
        return max(0.0, float(getattr(after, name) - getattr(before, name)) - resting)

    calls = Counter(after.calls)
    calls.subtract(before.calls)
    return Spent(
        less("host_cpu"), less("storage_cpu"), less("azure_cpu"), after.reads - before.reads, after.queries - before.queries,
        {kind: count for kind, count in sorted(calls.items()) if count > 0 and kind != OWN}, after.posts - before.posts,
    )  # fmt: skip


def play(asked: Asked) -> Played:
    """One run, with hosts that are warm: each has taken one alert before the count begins."""
    world = StormWorld(asked.vaults, asked.alerts + asked.hosts, datetime.now(UTC))
    with ExitStack() as stack:
        say(f"{asked.alerts} alerts, {asked.hosts} hosts, a storm from {asked.threshold} on …")
        folder = Path(stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        azure = stack.enter_context(running_storm_azure(asked.vaults, asked.alerts + asked.hosts, world.now))
        storage = stack.enter_context(running_azurite(access_log=folder / "access.log"))
        desk = stack.enter_context(running_desk(SECRET))
        settings = sandbox_settings(storage, azure.url, desk.webhook_url) | {
            "WATCHED_SUBSCRIPTIONS": ",".join(world.subscriptions), "SWEEP_SCHEDULE": NEVER, "CANARY": "off",
            "STORM_THRESHOLD": str(asked.threshold),
        }  # fmt: skip
        hosts = [stack.enter_context(running_host(ROOT, settings)) for _ in range(asked.hosts)]
        return _measured(asked, world, hosts, azure, desk, storage, Meter(hosts, azure, desk, folder / "access.log"))


def _measured(
    asked: Asked,
    world: StormWorld,
    hosts: Sequence[RunningHost],
    azure: RunningStormAzure,
    desk: Desk,
    storage: str,
    meter: Meter,
) -> Played:
    bodies, rows = sorted(alerts_of(world, world.vms)), Rows(storage)
    _warm_up(hosts, bodies[: asked.hosts], storage, rows)
    azure.throttle(True)
    idle = _resting(meter)
    before, began, seen = meter.now(), time.monotonic(), len(desk.events())
    _post(hosts, bodies[asked.hosts :], storage)
    posted = time.monotonic() - began
    own = _wait(rows, world.vms)
    seconds = time.monotonic() - began
    attached = between(before, meter.now(), idle, seconds / IDLE_SECONDS)
    time.sleep(asked.watch)
    quiet = between(before, meter.now(), idle, (time.monotonic() - began) / IDLE_SECONDS)
    events = Counter(event["type"] for event in desk.events()[seen:])
    refused = int(azure.counts()["statuses"].get("429", 0))
    return Played(
        asked, attached, quiet, seconds, posted, own - asked.hosts, len(rows.storms()), dict(events), refused,
        round(_entities(storage) / world.vms, 2),
    )  # fmt: skip


def _warm_up(hosts: Sequence[RunningHost], bodies: Sequence[bytes], storage: str, rows: Rows) -> None:
    """One alert each."""
    for host, body in zip(hosts, bodies, strict=True):
        post_all([body], host.url, storage, 0)
    _wait(rows, len(hosts))
    time.sleep(2)


def _resting(meter: Meter) -> Spent:
    """What is spent in IDLE_SECONDS without an alert."""
    resting = meter.now()
    time.sleep(IDLE_SECONDS)
    return between(resting, meter.now())


def _post(hosts: Sequence[RunningHost], bodies: Sequence[bytes], storage: str) -> None:
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda pair: post_all(pair[1], pair[0].url, storage, 0), _shared(hosts, bodies)))


def _entities(storage: str) -> int:
    """All rows of the partition of incidents, copies too."""
    table = TableClient.from_connection_string(storage, "incidents")
    return sum(1 for _ in table.query_entities("PartitionKey eq 'incident'", select=["RowKey"]))


def _shared(hosts: Sequence[RunningHost], bodies: Sequence[bytes]) -> Iterator[tuple[RunningHost, Sequence[bytes]]]:
    for index, host in enumerate(hosts):
        yield host, bodies[index :: len(hosts)]


def _wait(rows: Rows, vms: int, seconds: float = 240) -> int:
    """Wait until so many VMs have a ticket; how many of them have their own."""
    until = time.monotonic() + seconds
    while True:
        attached, own = rows.attached()
        if len(attached) >= vms or time.monotonic() > until:
            if len(attached) < vms:
                raise SystemExit(f"only {len(attached)} of {vms} VMs have a ticket after {seconds:.0f} s")
            return len(own)
        time.sleep(LOOK_SECONDS)


def _children(named: str) -> list[int]:
    """The processes that this one has started whose command line holds a word, and their children."""
    return [pid for pid in _descendants(os.getpid()) if named in _command_line(pid)]


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text(encoding="ascii").split()):
            yield child
            yield from _descendants(child)


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
