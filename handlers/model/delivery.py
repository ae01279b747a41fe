"""What must be shown of an incident, a storm or a plain ticket, and what its ticket shows: pure values and transitions.

`version` is raised whenever the ticket must change. Each target's `Shown` says how far its ticket has come; `shown < version` is
the only sign that work is left. `next_step` says what is to be done, by what it finds:

| shown | attempt | next step |
|---|---|---|
| the version | | nothing |
| older | none | post the newest version (for a resolution whose failure was never shown: the failure first) |
| older | refused, or looked for in vain, and its wait is not over | wait |
| older | under way for less than the lease | wait for the rest of the lease |
| older | under way for longer, or ended without a clear answer | post the attempted version again: it may be there |

A version that was overtaken before it was posted is skipped; one that may have been posted is repeated first, under its change id.
Which targets there are is decided when the first version is posted (`routed`), and stays so: a ticket is ended where it was opened.
A ticket that refuses waits alone, longer each time (model/refusal.py); what it refused may be overtaken by a newer version.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct, field

from handlers.model.refusal import GIVEN_UP_AFTER, Past, RefusalKind, wait_after

LEASE = timedelta(seconds=60)
"""How long an attempt may take before somebody else repeats it; longer than an ordinary ticket system may take.
A slower one has a longer lease (`Answers.create_seconds` in tickets/engine/definition.py)."""
DEFAULT_TARGET = "default"
OPEN, RESOLVED = "open", "resolved"


class Shown(Struct, frozen=True):
    """What the ticket at one target shows."""

    shown: int = 0
    """The version that the ticket shows; 0: there is no ticket yet."""
    status: str = ""
    """The status that it shows: `open`, `resolved`, or empty without a ticket."""
    attempt: int = 0
    """The version that somebody posts, or that may have been posted; 0: none."""
    attempted_at: datetime | None = None
    """Since when somebody posts it; None when the last try ended without a clear answer."""
    may_exist: bool = False
    """An earlier try of `attempt` may have reached the ticket system."""
    ticket_id: str = ""
    ticket_url: str = ""
    waiting: int = 0
    """The version that was refused, or looked for in vain; what follows is about it. 0: none. A newer version need not wait."""
    again_at: datetime | None = None
    """When it is tried again."""
    searches: int = 0
    """How often it was looked for in vain."""
    refusals: int = 0
    """How often it was refused."""
    refused_since: datetime | None = None
    told: bool = False
    """Its text stands on the ticket already, though its state was refused."""

    def past_of(self, version: int) -> Past:
        """What came of the earlier tries of a version."""
        return Past(self.searches, self.refusals, self.told) if version == self.waiting else Past()

    def is_given_up(self, version: int, now: datetime) -> bool:
        """Whether a version has been refused for so long that nobody need try it again."""
        return version == self.waiting and self.refused_since is not None and now - self.refused_since >= GIVEN_UP_AFTER


class Delivery(Struct, frozen=True):
    """What is to be shown, and by target what is shown."""

    version: int = 0
    failed_version: int = 0
    """The newest version that shows the failure itself, not its recovery."""
    tickets: Mapping[str, Shown] = field(default_factory=dict)
    """Empty: its targets are not decided yet."""
    settled: int = 0
    """Up to this version nothing need be posted anywhere: a rule drops it, or somebody else tells it."""

    def at(self, target: str) -> Shown:
        return self.tickets.get(target, Shown())

    def is_left(self, target: str) -> bool:
        """Whether the target's ticket must still change. A recovery is not told where its failure need not be."""
        shown = self.at(target)
        unseen = not shown.status and not shown.attempt and 0 < self.failed_version <= self.settled
        settled = self.version if unseen and self.failed_version < self.version else self.settled
        return max(shown.shown, settled) < self.version

    @property
    def work_left(self) -> bool:
        """Whether any target's ticket must still change."""
        return any(map(self.is_left, self.tickets or (DEFAULT_TARGET,)))

    @property
    def has_ticket(self) -> bool:
        """Whether there is a ticket anywhere, or may be."""
        return any(shown.shown or shown.attempt for shown in self.tickets.values())

    @property
    def first_version(self) -> int:
        """The version to post where there is no ticket yet: the newest, but a failure before its recovery."""
        return self.failed_version if self.failed_version > self.settled else self.version

    @property
    def ticket(self) -> Shown:
        """The ticket that others point to: that at the default target, else the first that there is."""
        shown = (self.at(DEFAULT_TARGET), *self.tickets.values())
        return next((ticket for ticket in shown if ticket.shown or ticket.attempt), shown[0])


class Post(Struct, frozen=True):
    """The next step: post this version. `may_exist`: it may be there already."""

    version: int
    may_exist: bool = False


class Wait(Struct, frozen=True):
    """The next step: look again after so many seconds, because somebody posts right now or a refusal's wait is not over."""

    seconds: float


def raised(delivery: Delivery, status: str) -> Delivery:
    """The delivery with one more version to show, which has that status."""
    version = delivery.version + 1
    return replace(delivery, version=version, failed_version=version if status == OPEN else delivery.failed_version)


def routed(delivery: Delivery, targets: Iterable[str]) -> Delivery:
    """The delivery with its targets, if they are not decided yet."""
    return delivery if delivery.tickets else replace(delivery, tickets={target: Shown() for target in targets})


def without(delivery: Delivery, targets: Container[str]) -> Delivery:
    """The delivery without targets that are gone; without any its targets are decided anew."""
    return replace(delivery, tickets={name: shown for name, shown in delivery.tickets.items() if name not in targets})


def settled(delivery: Delivery, version: int) -> Delivery:
    """The delivery whose versions up to that one need not be posted anywhere. What may have been posted counts as posted."""
    for target, shown in delivery.tickets.items():
        if shown.attempt:
            delivery = showing(delivery, target, version, shown.status or OPEN)
    return replace(delivery, settled=max(version, delivery.settled))


def next_step(delivery: Delivery, target: str, now: datetime, lease: timedelta = LEASE) -> Post | Wait | None:
    """What is to be done for a target's ticket; None: nothing. The table of the module says which."""
    shown = delivery.at(target)
    if not delivery.is_left(target):
        return None
    version = shown.attempt or (delivery.version if shown.status else delivery.first_version)
    if version == shown.waiting and shown.again_at and shown.again_at > now:
        return Wait((shown.again_at - now).total_seconds())
    return _repeat(shown, now, lease) if shown.attempt else Post(version)


def _repeat(shown: Shown, now: datetime, lease: timedelta) -> Post | Wait:
    if shown.attempted_at and now - shown.attempted_at < lease:
        return Wait((lease - (now - shown.attempted_at)).total_seconds())
    return Post(shown.attempt, may_exist=shown.may_exist or shown.attempted_at is not None)


def attempted(delivery: Delivery, target: str, step: Post, now: datetime, lease: timedelta = LEASE) -> Delivery | None:
    """Somebody begins to post; None when it is no longer the next step, or no longer to be posted there."""
    if delivery.tickets and target not in delivery.tickets:
        return None
    if next_step(delivery, target, now, lease) != step:
        return None
    shown = delivery.at(target)
    searches = 0 if shown.attempted_at else shown.searches  # whoever tried before may have got further than to the search
    begun = replace(shown, attempt=step.version, attempted_at=now, may_exist=step.may_exist, searches=searches)
    return _with(delivery, target, begun)


def not_posted(delivery: Delivery, target: str, version: int, *, maybe: bool) -> Delivery | None:
    """The try of a version has ended without a ticket; None when it is over by now.

    `maybe`: it may have been taken all the same, so the same version is repeated first.
    """
    shown = delivery.at(target)
    if shown.attempt != version:
        return None
    if maybe or shown.may_exist:
        return _with(delivery, target, replace(shown, attempted_at=None, may_exist=True, searches=0))
    return _with(delivery, target, replace(shown, attempt=0, attempted_at=None))


def looked_for(delivery: Delivery, target: str, version: int, again_at: datetime) -> Delivery | None:
    """A version that may have been posted was looked for in vain; None when its try is over by now."""
    shown = delivery.at(target)
    if shown.attempt != version:
        return None
    past, known = shown.past_of(version), version == shown.waiting
    searched = replace(
        shown, attempted_at=None, may_exist=True, waiting=version, again_at=again_at, searches=past.searches + 1,
        refusals=past.refusals, refused_since=shown.refused_since if known else None, told=past.told,
    )  # fmt: skip
    return _with(delivery, target, searched)


def refused(
    delivery: Delivery, target: str, version: int, now: datetime, kind: RefusalKind, *, maybe: bool, told: bool
) -> Delivery | None:
    """A version was refused, not by the system as a whole: it waits, longer each time. None when its try is over by now.

    `maybe`: a new ticket may be there all the same. `told`: its text stands on the ticket.
    """
    shown = delivery.at(target)
    if shown.attempt != version:
        return None
    may_exist = kind is RefusalKind.CONFIGURATION and (maybe or shown.may_exist) and not shown.ticket_id
    past, known = shown.past_of(version), version == shown.waiting
    after = replace(
        shown, attempt=version if may_exist else 0, attempted_at=None, may_exist=may_exist,
        waiting=version, again_at=now + wait_after(kind, past.refusals + 1), searches=0, refusals=past.refusals + 1,
        refused_since=(known and shown.refused_since) or now, told=told or past.told,
    )  # fmt: skip
    return _with(delivery, target, after)


def showing(delivery: Delivery, target: str, version: int, status: str, ticket_id: str = "", ticket_url: str = "") -> Delivery:
    """The ticket shows that version. What was shown later already stays."""
    shown = delivery.at(target)
    if shown.shown > version:
        return delivery
    done = Shown(version, status, ticket_id=ticket_id or shown.ticket_id, ticket_url=ticket_url or shown.ticket_url)
    return _with(delivery, target, done)


def change_of(shown: Shown, status: str) -> str:
    """What posting a version of that status does to a ticket: `opened`, `updated`, `resolved` or `reopened`."""
    if status == RESOLVED:
        return "resolved"
    return {"": "opened", RESOLVED: "reopened"}.get(shown.status, "updated")


def _with(delivery: Delivery, target: str, shown: Shown) -> Delivery:
    return replace(delivery, tickets={**delivery.tickets, target: shown})
