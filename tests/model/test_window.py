"""Each term of the window has its table: when it holds, when it does not, and when it cannot be decided."""

from __future__ import annotations

from copy import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.model import (
    FALSE,
    TRUE,
    Availability,
    Claim,
    Heartbeats,
    Reading,
    Reason,
    Seen,
    Unknown,
    Window,
    claim,
    configuration,
    event,
    state,
    undecided,
)
from tests.causes.cases import (
    AGENTLESS,
    BACKUP,
    END,
    FACTS,
    FORBIDDEN,
    GOOD_START,
    NO_LOGS,
    NOW,
    READY,
    READY_THEN,
    SILENT,
    SNAPPED,
    START,
    VM,
    WINDOW,
    WITHOUT_TASKS,
    ago,
    done,
    log,
    window_of,
)

OPEN = None
"""Undecided."""
BEATS = Heartbeats(tuple(START + timedelta(minutes=m) for m in range(51)))
GAP = Heartbeats(tuple(START + timedelta(minutes=m) for m in (*range(20), *range(32, 51))))
REBOOTED = log(done("restart", ago(minutes=2)))
STATES, LISTED = {"states": True}, {"listed": True}


def window(**when: Any) -> Window:
    return window_of(when, FACTS)


def shown(claimed: Claim) -> bool | None:
    return claimed.holds


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True), (True, False, False, True), (False, False, False, False),
        (OPEN, True, OPEN, True), (OPEN, False, False, OPEN), (OPEN, OPEN, OPEN, OPEN),
    ],
)  # fmt: skip
def test_and_and_or_are_kleenes(a: bool | None, b: bool | None, both: bool | None, either: bool | None) -> None:
    first, second = (undecided(Reason.FORBIDDEN) if one is None else claim(one) for one in (a, b))
    assert [shown(first & second), shown(second & first)] == [both, both]
    assert [shown(first | second), shown(second | first)] == [either, either]


def test_not_leaves_the_undecided_undecided_and_nothing_passes_for_a_plain_bool() -> None:
    assert [shown(~TRUE), shown(~FALSE), shown(~undecided(Reason.FAILED))] == [False, True, OPEN]
    with pytest.raises(TypeError):
        bool(TRUE)


def test_an_undecided_claim_says_why() -> None:
    assert (undecided(Reason.THROTTLED) & True).why == Unknown(Reason.THROTTLED)
    assert (False | undecided(FORBIDDEN)).why == FORBIDDEN


@pytest.mark.parametrize(
    ("when", "holds"),
    [({"job": SNAPPED}, True), ({}, False), ({"job": WITHOUT_TASKS}, OPEN), ({"job": None}, OPEN)],
)  # fmt: skip
def test_snapped(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).snapped) is holds


DEALLOCATED = {"power_state": "deallocated"}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, False),
        ({"policy": AGENTLESS}, True),
        ({"policy": FORBIDDEN}, OPEN),
        ({**DEALLOCATED, "activity": log(done("deallocate", ago(hours=5)))}, True),
        ({**DEALLOCATED, "activity": log()}, True),
        ({**DEALLOCATED, "activity": log(done("deallocate", ago(minutes=2)))}, False),
        ({"activity": log(done("deallocate", ago(hours=5)), done("start", ago(minutes=2)))}, True),
        ({"activity": log(done("deallocate", ago(hours=5)), done("start", ago(hours=2)))}, False),
        ({"activity": log(done("deallocate", ago(hours=5)), done("start", ago(minutes=20)))}, False),
        ({"activity": log(done("deallocate", ago(hours=5), status="Failed"))}, False),
        ({"power_state": "stopped"}, False),
        ({"activity": FORBIDDEN}, OPEN),
    ],
)  # fmt: skip
def test_agentless(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).agentless) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"message": "StatusCode.FailedVssWriter"}, True), ({"category": "guest_os"}, True), ({}, False),
        ({"message": "StatusCode.FailedRetryableSnapshotFailedNoNetwork"}, False),
        ({"extensions": (replace(BACKUP, at=ago(minutes=20)),)}, True), ({"extensions": (replace(BACKUP, at=ago(days=2)),)}, False),
        ({"extensions": FORBIDDEN}, OPEN),
    ],
)  # fmt: skip
def test_ran(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).ran) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True), ({"consistency": "FileSystemConsistent"}, True), ({"consistency": "CrashConsistent"}, False),
        ({"last_good": None}, False), ({"last_good": FORBIDDEN}, OPEN), ({"consistency": FORBIDDEN}, OPEN),
    ],
)  # fmt: skip
def test_good_app(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).good_app) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True), ({"activity": REBOOTED}, False), ({"activity": log(done("write", ago(minutes=20)))}, False),
        ({"activity": log(done("write", ago(minutes=20), by_backup=True))}, True),
        ({"activity": log(done("restart", ago(hours=5)))}, True),
        ({"vm": replace(WINDOW["vm"], status="updating")}, False), ({"vm": replace(WINDOW["vm"], status_at=ago(minutes=1))}, False),
        ({"activity": FORBIDDEN}, OPEN), ({"activity": log(since=ago(minutes=10))}, OPEN), ({"vm": FORBIDDEN}, OPEN),
    ],
)  # fmt: skip
def test_quiet(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).quiet) is holds


DOWN = (
    Availability("Available", ago(minutes=10)),
    Availability("Unavailable", ago(minutes=20)),
    Availability("Available", ago(days=9)),
)
HISTORY = {"availability": NO_LOGS}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True), ({"availability": DOWN}, OPEN), ({"availability": DOWN, "beats": BEATS}, True),
        ({**HISTORY, "beats": BEATS}, True), ({**HISTORY, "beats": GAP}, OPEN), ({"availability": DOWN, "beats": GAP}, False),
        ({"availability": (Availability("Available", ago(minutes=10)),)}, OPEN), (HISTORY, OPEN), ({"activity": REBOOTED}, False),
    ],
)  # fmt: skip
def test_calm(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).calm) is holds


@pytest.mark.parametrize(
    ("when", "holds"),
    [({}, True), ({"now": END + timedelta(minutes=16)}, False), ({"activity": REBOOTED}, False), ({"activity": FORBIDDEN}, OPEN)],
)  # fmt: skip
def test_soon(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).soon) is holds


LATER_ON = {"now": NOW + timedelta(hours=4)}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({**LATER_ON, "earlier": {"agent": Reading(SILENT, "", NOW)}}, True),
        ({"earlier": {"agent": Reading(SILENT, "", ago(minutes=3))}}, False),
        ({**LATER_ON, "earlier": {"agent": Reading(SILENT, "", NOW + timedelta(hours=2))}}, False),
        ({**LATER_ON, "earlier": {"agent": Reading(READY, "", NOW)}}, False),
        ({**LATER_ON, "earlier": {"agent": Reading(FORBIDDEN, "", NOW)}}, False),
        (LATER_ON, False),
    ],
)  # fmt: skip
def test_persists(when: dict[str, Any], holds: bool | None) -> None:
    now = window(**when)
    assert shown(now.persists("agent", now.not_ready)) is holds


def written(at: datetime) -> Seen:
    return configuration(changes=log(done("write", at)))


@pytest.mark.parametrize(
    ("seen", "when", "holds"),
    [
        (event(ago(minutes=20)), {}, True), (event(ago(minutes=2)), {}, False), (event(ago(hours=3)), {}, False), (event(None), {}, False),
        (configuration(ago(days=9)), {}, True), (configuration(ago(minutes=20)), {}, False), (configuration(ago(minutes=2)), {}, False),
        (configuration(changes=log()), {}, True), (written(ago(minutes=2)), {}, False), (written(ago(hours=9)), {}, True),
        (configuration(changes=FORBIDDEN), {}, OPEN), (configuration(changes=log(since=ago(minutes=9))), {}, OPEN),
        (configuration(), {}, True), (configuration(), LATER_ON, False),
        (state(ago(hours=3)), {}, True), (state(ago(minutes=20)), {}, True), (state(ago(minutes=2)), {}, False),
        (state(), {}, True), (state(), {"activity": REBOOTED, **STATES}, False), (state(), HISTORY, OPEN), (state(), {**HISTORY, **STATES}, True),
        (state(), {**HISTORY, **STATES, **LATER_ON}, OPEN), (state(persists=TRUE), {"activity": REBOOTED, **LISTED}, True),
        (event(ago(minutes=20)), {"job": None}, True), (configuration(ago(days=9)), {"job": None}, False), (state(), {"job": None}, False),
    ],
)  # fmt: skip
def test_at(seen: Seen, when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).at(seen)) is holds


@pytest.mark.parametrize(
    ("seen", "when", "holds"),
    [
        (event(ago(minutes=20)), {}, True), (event(ago(minutes=2)), {}, False),
        (configuration(ago(days=9)), {}, True), (written(ago(minutes=2)), {"activity": REBOOTED}, False),
        (configuration(changes=FORBIDDEN), {}, True), (configuration(changes=FORBIDDEN), {"activity": FORBIDDEN}, OPEN),
        (state(ago(minutes=20)), {}, True), (state(), {}, False), (state(ago(minutes=2)), {}, False), (state(), {"job": None}, False),
    ],
)  # fmt: skip
def test_held(seen: Seen, when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).held(seen)) is holds


HOURS_AGO, BEFORE_GOOD = ago(hours=9), GOOD_START - timedelta(days=3)
NEVER, UNREAD = {"last_good": None}, {"last_good": FORBIDDEN}


@pytest.mark.parametrize(
    ("seen", "when", "new", "old"),
    [
        (event(HOURS_AGO), {}, True, False), (event(HOURS_AGO, then_too=TRUE), {}, False, True), (event(ago(minutes=2)), {}, False, False),
        (state(HOURS_AGO), {}, True, False), (state(BEFORE_GOOD), {}, False, True), (state(ago(minutes=2)), {}, False, False),
        (state(), {}, OPEN, OPEN), (state(newer=TRUE), {}, True, OPEN),
        (written(HOURS_AGO), {}, True, False), (configuration(changes=log(since=ago(days=9))), {}, False, True),
        (configuration(changes=log(since=START)), {}, OPEN, OPEN), (configuration(changes=FORBIDDEN), {}, OPEN, OPEN),
        (state(HOURS_AGO), NEVER, False, False), (state(HOURS_AGO), UNREAD, OPEN, OPEN),
    ],
)  # fmt: skip
def test_new_and_old(seen: Seen, when: dict[str, Any], new: bool | None, old: bool | None) -> None:
    assert [shown(window(**when).new(seen)), shown(window(**when).old(seen))] == [new, old]


@pytest.mark.parametrize(
    ("seen", "when", "holds"),
    [
        (state(BEFORE_GOOD), STATES, True), (state(HOURS_AGO), {}, True), (state(BEFORE_GOOD), LISTED, False), (state(), LISTED, OPEN),
        (state(), {**LISTED, **NEVER}, True), (state(), NEVER, False), (state(), {**LISTED, **UNREAD}, OPEN), (state(BEFORE_GOOD), {}, False),
    ],
)  # fmt: skip
def test_fits(seen: Seen, when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).fits(seen)) is holds


@pytest.mark.parametrize(
    ("claimed", "seen", "holds"),
    [(True, state(HOURS_AGO), True), (False, state(HOURS_AGO), False), (True, state(BEFORE_GOOD), False), (True, state(ago(minutes=2)), False)],
)  # fmt: skip
def test_explains(claimed: bool, seen: Seen, holds: bool) -> None:
    assert shown(window().explains(claimed, seen)) is holds


OLD_REPORT, NO_STATUS, NO_TIME = (
    replace(READY, reported_at=ago(hours=3)),
    replace(SILENT, ready=None),
    replace(READY, reported_at=None),
)


@pytest.mark.parametrize(
    ("agent", "ready", "not_ready", "absent"),
    [
        (READY, True, False, False), (SILENT, False, True, False), (OLD_REPORT, False, True, False), (None, False, False, True),
        (NO_STATUS, OPEN, OPEN, False), (NO_TIME, OPEN, OPEN, False), (FORBIDDEN, OPEN, OPEN, OPEN),
    ],
)  # fmt: skip
def test_ready_not_ready_and_absent(agent: Any, ready: bool | None, not_ready: bool | None, absent: bool | None) -> None:
    now = window()
    assert [shown(now.ready(agent)), shown(now.not_ready(agent)), shown(now.absent(agent))] == [ready, not_ready, absent]


def test_an_agent_of_a_vm_that_does_not_run_is_not_absent() -> None:
    assert shown(window(power_state="deallocated").absent(None)) is False


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"agent": READY_THEN}, True), ({"agent": READY}, False), ({"agent": SILENT}, False), ({"agent": FORBIDDEN}, OPEN),
        ({"agent": SILENT, "earlier": {"agent": Reading(READY_THEN, "", NOW)}}, True),
    ],
)  # fmt: skip
def test_ready_then(when: dict[str, Any], holds: bool | None) -> None:
    assert shown(window(**when).ready_then) is holds


def test_a_silent_agents_last_report_dates_its_silence_and_a_not_ready_dates_nothing() -> None:
    assert window().silent_since(OLD_REPORT) == OLD_REPORT.reported_at
    assert window().silent_since(SILENT) is None
    assert VM in WINDOW["vm"].id
