"""A plain ticket for a person: an alert that no source claims, one that failed again and again, or many of one shape."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct, field

from handlers.model.delivery import OPEN, Delivery, raised
from handlers.model.incident import key_of

TOGETHER = timedelta(hours=1)
"""Alerts of one shape that come within an hour of the first share its ticket."""
MOST_ATTACHED = 3
UNREADABLE, GAVE_UP = "unreadable", "gave_up"


class PlainTicket(Struct, frozen=True):
    key: str
    """Of the alert's shape, or of its whole body: 32 characters `[0-9a-f]`."""
    id: str
    why: str
    """`unreadable` or `gave_up`: which text the ticket has."""
    first_at: datetime
    last_at: datetime
    count: int = 1
    bodies: tuple[str, ...] = ()
    """Names of the newest bodies' blobs, the newest last."""
    answer: str = ""
    """What the ticket system said when it refused the alert's own ticket."""
    delivery: Delivery = field(default_factory=Delivery)
    recorded_at: datetime | None = None
    etag: str = ""

    @classmethod
    def of(cls, key: str, why: str, body: str, now: datetime, answer: str = "") -> PlainTicket:
        """The ticket of a first alert, whose body lies in the blob `body`."""
        key = key_of(key)
        return cls(key, key_of(f"{key} {body} {now.isoformat()}"), why, now, now, bodies=(body,), answer=answer)

    @property
    def needs_post(self) -> bool:
        return self.delivery.work_left

    @property
    def is_active(self) -> bool:
        return self.needs_post

    def takes_more(self, now: datetime) -> bool:
        """Whether a further alert is counted here and gets no ticket of its own."""
        return now - self.first_at <= TOGETHER or self.needs_post


type Transition = Callable[[PlainTicket | None, PlainTicket, datetime], PlainTicket | None]
"""From the ticket as it is and the one that an alert would have alone to the ticket as it is to be; None: nothing changes."""


def counted(ticket: PlainTicket | None, new: PlainTicket, now: datetime) -> PlainTicket | None:
    """The ticket after the alert of `new`: it changes when the count has doubled. None for a body that is counted already."""
    body = new.bodies[-1]
    if ticket is None or not ticket.takes_more(now):
        return _raised(replace(new, etag=ticket.etag if ticket else ""), now)
    if body in ticket.bodies:
        return None
    more = replace(ticket, count=ticket.count + 1, last_at=now, bodies=(*ticket.bodies, body)[-MOST_ATTACHED:])
    return _raised(more, now) if more.count & ticket.count == 0 else more


def tried_again(ticket: PlainTicket | None, new: PlainTicket, now: datetime) -> PlainTicket | None:
    """The ticket of an alert that the ticket system has refused so far, with one more version to post; None while one waits."""
    if ticket and ticket.needs_post:
        return None
    return _raised(replace(ticket, answer=new.answer) if ticket else new, now)


def _raised(ticket: PlainTicket, now: datetime) -> PlainTicket:
    return replace(ticket, delivery=raised(ticket.delivery, OPEN), recorded_at=now)
