"""What a storm's run is judged by: each figure, its goal, and whether the goal is met, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FOOTNOTES = (
    "* CPU and memory are those of the whole function host process. It holds the app and the imitation of the .NET host "
    "(HTTP server, queue and timer loops), which the app does not pay for in Azure; the twin is measured without any host.\n"
    "Wall times are mostly Azurite's, which has one thread and goes through the whole queue for each receive and delete."
)


@dataclass(frozen=True)
class Goals:
    """Upper bounds; what must be equal or zero is not here."""

    reads_per_alert: float = 0.10
    events: int = 600
    peak_mib: float = 150
    cpu_ratio: float = 0.10
    background_reads_per_second: float = 20


@dataclass(frozen=True)
class Row:
    """One line of the table; `met` is None for a figure without a goal."""

    name: str
    value: str
    goal: str = ""
    met: bool | None = None


@dataclass
class Figures:
    """What was measured. Counts are taken when every VM is attached, unless they say otherwise."""

    alerts: int
    vms: int
    acknowledged: int = 0
    other_answers: Counter[str] = field(default_factory=Counter)
    attached: int = 0
    own_tickets: int = 0
    """VMs with a ticket of their own; the other attached ones are members of a storm."""
    two_tickets: int = 0
    reads: Counter[str] = field(default_factory=Counter)
    """Of Azure Resource Manager, by kind; refused ones count."""
    log_queries: int = 0
    refused: int = 0
    """429 answers, in all phases."""
    failed_reads: Counter[str] = field(default_factory=Counter)
    """Answers of other statuses than 200 and 429."""
    events: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    peak_mib: float = 0.0
    peak_mib_at_the_end: float = 0.0
    """After all phases that were run."""
    cpu_per_alert: float = 0.0
    twin_cpu_per_alert: float = 0.0
    posting_seconds: float = 0.0
    drain_seconds: float = 0.0
    background: Background | None = None
    recovery: Recovery | None = None

    @property
    def reads_per_alert(self) -> float:
        return self.reads.total() / self.alerts

    @property
    def cpu_ratio(self) -> float | None:
        """None when the twin was not measured."""
        return self.cpu_per_alert / self.twin_cpu_per_alert if self.twin_cpu_per_alert else None

    def rows(self, goals: Goals) -> list[Row]:
        """The table of the storm and of the phases that were run."""
        rows = list(self._storm(goals))
        rows += self.background.rows(goals) if self.background else ()
        rows += self.recovery.rows() if self.recovery else ()
        if self.background or self.recovery:
            rows.append(at_most("Peak resident memory at the end*", self.peak_mib_at_the_end, goals.peak_mib, " MiB"))
        return rows

    def _storm(self, goals: Goals) -> Iterator[Row]:
        yield exactly("Alerts acknowledged", self.acknowledged, self.alerts)
        yield from (Row(f"  answered {answer}", str(count)) for answer, count in self.other_answers.most_common())
        yield exactly("VMs attached to a ticket", self.attached, self.vms)
        yield Row("  by a ticket of their own", str(self.own_tickets))
        yield exactly("VMs with two tickets", self.two_tickets, 0)
        yield at_most("ARM reads per alert", self.reads_per_alert, goals.reads_per_alert, digits=3)
        yield from (Row(f"  {short(kind)}", str(count)) for kind, count in self.reads.most_common())
        yield Row("  log queries, not among them", str(self.log_queries))
        yield from (Row(f"  answered {status}", str(count)) for status, count in self.failed_reads.most_common())
        yield exactly("429 answers of ARM", self.refused, 0)
        yield at_most("Tickets and updates posted", self.events.total(), goals.events)
        yield from (Row(f"  {kind}", str(count)) for kind, count in self.events.most_common())
        yield Row("  repeats that the desk recognised", str(self.repeats))
        yield at_most("Peak resident memory of the host process*", self.peak_mib, goals.peak_mib, " MiB")
        yield Row("CPU per alert*", f"{1000 * self.cpu_per_alert:.1f} ms")
        if self.cpu_ratio is not None:
            yield at_most("CPU per alert* / naive twin", self.cpu_ratio, goals.cpu_ratio, digits=3)
            yield Row("  naive twin", f"{1000 * self.twin_cpu_per_alert:.1f} ms")
        yield Row("Wall time of posting the alerts", f"{self.posting_seconds:.1f} s")
        yield Row("Wall time until every VM is attached", f"{self.drain_seconds:.1f} s")


@dataclass(frozen=True)
class Background:
    """The minutes after the storm, when its members are looked at one after the other."""

    seconds: float
    reads: Counter[str]
    """By subscription."""
    looked: Counter[str]
    """The storm's members by whether they were diagnosed, at the end."""

    def rows(self, goals: Goals) -> Iterator[Row]:
        busiest = max(self.reads.values(), default=0) / self.seconds
        yield Row(f"Afterwards, {self.seconds:.0f} s: ARM reads", str(self.reads.total()))
        yield at_most("  a second, in the busiest subscription", busiest, goals.background_reads_per_second, digits=1)
        yield from (Row(f"  members diagnosed: {how}", str(count)) for how, count in self.looked.most_common())


@dataclass(frozen=True)
class Recovery:
    """The time after every VM has completed a backup."""

    seconds: float
    sweeps: int
    open_incidents: int
    open_storms: int
    events: Counter[str]
    """All that the desk has taken since the recovery."""
    unresolved: int
    """Tickets at the desk that are not resolved."""

    def rows(self) -> Iterator[Row]:
        yield Row("Recovery, swept until quiet", f"{self.seconds:.1f} s, {self.sweeps} sweeps")
        yield exactly("  incidents left open", self.open_incidents, 0)
        yield exactly("  storms left open", self.open_storms, 0)
        yield exactly("  tickets left unresolved", self.unresolved, 0)
        yield from (Row(f"  {kind}", str(count)) for kind, count in self.events.most_common())


def exactly(name: str, found: int, wanted: int) -> Row:
    return Row(name, str(found), str(wanted), found == wanted)


def at_most(name: str, found: float, most: float, unit: str = "", *, digits: int = 0) -> Row:
    return Row(name, f"{found:.{digits}f}{unit}", f"<= {most:.{2 if digits else 0}f}{unit}", found <= most)


def short(kind: str) -> str:
    """The end of a resource type."""
    return "/".join(kind.split("/")[-2:])


def table(rows: Iterable[Row]) -> str:
    """The rows as text, each with `ok` or `MISSED` if it has a goal."""
    marks = {None: "", True: "ok", False: "MISSED"}
    lines = [f"{row.name:62} {row.value:>16} {row.goal:>12}  {marks[row.met]}".rstrip() for row in rows]
    return "\n".join([f"{'':62} {'measured':>16} {'goal':>12}", *lines])
