"""The ticket system fails: it is down, slow, asks to wait, breaks, loses its answers, refuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from bench.faults.rig import PATIENCE_SECONDS, Rig
from bench.faults.stored import is_due, ticket_of
from sandbox.ticket_desk import Trouble

TWENTY_MINUTES = 20 * 60
SHORT_BODY_BYTES = 8_000
"""A runbook is longer, a plain ticket is not."""


def ticket_system_down(rig: Rig) -> None:
    """Nobody listens at TICKET_URL for a while, and kept connections are cut."""
    rig.stop_desk()
    rig.send(over=rig.between(1, 1, 20))
    rig.wait_until(lambda: _waits(rig), PATIENCE_SECONDS, "the fault struck nobody")
    time.sleep(rig.between(1, 5, 60))
    rig.start_desk()


def ticket_system_slow(rig: Rig) -> None:
    """It takes a ticket at once and answers late; the soak's 30 seconds are as long as the app waits for an answer."""
    rig.desk.all_posts = Trouble(delay=rig.between(3, 20, 31))
    rig.send()
    rig.wait_until(lambda: bool(rig.desk.tries), PATIENCE_SECONDS, "the fault struck nobody")
    time.sleep(rig.between(2, 30, 70))
    rig.desk.all_posts = None


def asks_to_wait_in_seconds(rig: Rig) -> None:
    """429 with `Retry-After: seconds`: nobody asks again before."""
    seconds = round(rig.between(4, 5, 40))
    _one_is_told_to_wait(rig, str(seconds))
    _check_nobody_asks_before(rig, rig.desk.tries[0].at + seconds)


def asks_to_wait_until_a_date(rig: Rig) -> None:
    """429 with `Retry-After: HTTP date`: nobody asks again before."""
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=rig.between(8, 10, 40))
    _one_is_told_to_wait(rig, format_datetime(date, usegmt=True))
    _check_nobody_asks_before(rig, int(date.timestamp()))


def asks_to_wait_twenty_minutes(rig: Rig) -> None:
    """429 with 20 minutes: nobody asks again meanwhile, and every alert waits in the queue, out of sight."""
    _one_is_told_to_wait(rig, str(TWENTY_MINUTES))
    waits = len(rig.vms)
    rig.wait_until(
        lambda: rig.sender.wait(0) and rig.stored.queued() == waits and not rig.stored.in_sight(), PATIENCE_SECONDS, "no calm"
    )
    time.sleep(rig.between(2, 60, 150))
    rig.check(len(rig.desk.tries) == 1, f"{len(rig.desk.tries)} tries, though the first was told to wait")
    rig.check(rig.stored.in_sight() == 0, "messages are in sight that nobody can work on")
    rig.left_in_queue, rig.alerts_wait = waits, True


def ticket_system_breaks(rig: Rig) -> None:
    """500 and its kin for a while."""
    rig.desk.all_posts = Trouble(status=500 if rig.plan.short else rig.random.choice([500, 502, 503, 504]))
    rig.send(over=rig.between(1, 1, 20))
    rig.wait_until(lambda: len(rig.desk.tries) > 1, PATIENCE_SECONDS, "the fault struck nobody")
    time.sleep(rig.between(1, 5, 60))
    rig.desk.all_posts = None


def answer_lost_after_taking(rig: Rig) -> None:
    """The ticket is taken and the connection cut before the answer: it is posted again under its id, and is there once."""
    rig.desk.next_posts = [Trouble(cut=True)] * max(3, len(rig.vms) // 2)
    rig.send(over=rig.between(0.5, 1, 10))


def refused_for_good(rig: Rig) -> None:
    """400 for a long body: the ticket goes out at once in a few plain words, with the text of the answer."""
    rig.desk.all_posts = Trouble(status=400, text="the description is too long", over_bytes=SHORT_BODY_BYTES)
    rig.send()
    rig.wait_until(lambda: len(rig.desk.events()) == len(rig.vms), PATIENCE_SECONDS, "not every plain ticket went out")
    texts = [event["data"]["runbook"]["markdown"] for event in rig.desk.events()]
    rig.check(all("the description is too long" in text for text in texts), "a plain ticket lacks the answer's text")
    rig.check(len(rig.desk.tries) == 2 * len(rig.vms), "more than one refusal and one plain ticket for an alert")


def field_newly_required(rig: Rig) -> None:
    """400 for everything, plain words too: the changes stay due, no raw alert becomes a ticket, and the runbooks go out in the end."""
    rig.desk.all_posts = Trouble(status=400, text="the field team is required")
    rig.send()
    rig.wait_until(lambda: len(rig.desk.tries) >= 2 * len(rig.vms), PATIENCE_SECONDS, "not every alert was tried")
    rig.check(not rig.stored.unposted(), "a raw alert is kept for a ticket of its own")
    rig.desk.all_posts = None
    rig.wait_until(
        lambda: len(rig.desk.events()) == len(rig.vms), 400, "not every runbook went out"
    )  # five minutes after a second refusal
    rig.check(all(event["data"]["findings"] for event in rig.desk.events()), "a ticket lacks its runbook")


def one_ticket_refused(rig: Rig) -> None:
    """One ticket is locked (423): it waits alone and is told in the end, while the others' tickets are taken at the first try."""
    locked, *others = rig.vms
    rig.send([locked])
    rig.wait_until(lambda: len(rig.desk.events()) == 1, PATIENCE_SECONDS, "the first ticket did not come")
    (opened,) = rig.desk.events()
    incident = opened["data"]["incident"]["id"]
    rig.desk.all_posts = Trouble(status=423, text="locked", incident=incident)
    rig.fail_again(locked)
    rig.wait_until(lambda: any(one.status == 423 for one in rig.desk.tries), PATIENCE_SECONDS, "the fault struck nobody")
    rig.send(others)
    rig.wait_until(lambda: len(rig.desk.events()) == len(rig.vms), PATIENCE_SECONDS, "the others wait for one that is locked")
    elsewhere = [one for one in rig.desk.tries if incident.encode() not in one.body]
    rig.check(len(elsewhere) == len(others), f"{len(elsewhere)} tries for the tickets of {len(others)} others")
    rig.desk.all_posts = None
    if len([one for one in rig.desk.tries if one.status == 423]) > 1:  # a slow machine: it is tried again in ten minutes
        rig.may_stay_due.add(locked.name)


def plain_ticket_taken_and_its_answer_lost(rig: Rig) -> None:
    """400 for a long body, the plain ticket is taken but its answer lost, then long ones are taken: still one ticket."""
    rig.desk.next_posts = [Trouble(status=400, text="too long", over_bytes=SHORT_BODY_BYTES), Trouble(cut=True)]
    rig.send()


def ticket_system_in_any_mood(rig: Rig) -> None:
    """Each of the first posts meets another trouble, in any order; several of them hit the same alert."""
    moods = [
        Trouble(status=500),
        Trouble(status=503, headers={"Retry-After": "3"}),
        Trouble(status=429, headers={"Retry-After": "4"}),
        Trouble(cut=True),
        Trouble(cut=True, status=503),
        Trouble(delay=2),
        Trouble(),
    ]
    if not rig.plan.short:  # refused twice, a change waits for minutes
        moods.append(Trouble(status=400, text="too long", over_bytes=SHORT_BODY_BYTES))
    count = 4 if rig.plan.short else rig.random.randint(4, 12)
    rig.desk.next_posts = rig.random.choices(moods, k=count)
    rig.send(over=rig.between(1, 1, 20))


def _one_is_told_to_wait(rig: Rig, retry_after: str) -> None:
    """One alert's ticket is answered with 429; then come the others, and the ticket system would take them."""
    rig.desk.next_posts = [Trouble(status=429, headers={"Retry-After": retry_after})]
    first, *others = rig.vms
    rig.send([first])
    rig.wait_until(lambda: bool(rig.desk.tries), PATIENCE_SECONDS, "no try came")
    rig.send(others)


def _check_nobody_asks_before(rig: Rig, when: float) -> None:
    rig.wait_until(lambda: len(rig.desk.tries) > 1, PATIENCE_SECONDS, "nobody asked again")
    early = when - rig.desk.tries[1].at
    rig.check(early <= 0, f"asked again {early:.1f} s too early")


def _waits(rig: Rig) -> bool:
    """Whether a ticket could not be posted and waits."""
    return any(is_due(row) and ticket_of(row) and not ticket_of(row)["attempted_at"] for row in rig.stored.rows("incident"))
