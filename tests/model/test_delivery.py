"""What a ticket shows, and what is to be done next: the table of handlers/model/delivery.py, line by line."""

from __future__ import annotations

from copy import replace
from datetime import UTC, datetime, timedelta

from handlers.model.delivery import (
    DEFAULT_TARGET,
    LEASE,
    OPEN,
    RESOLVED,
    Delivery,
    Post,
    Shown,
    Wait,
    attempted,
    change_of,
    looked_for,
    next_step,
    not_posted,
    raised,
    refused,
    routed,
    settled,
    showing,
    without,
)
from handlers.model.refusal import GIVEN_UP_AFTER, WAITS, Past, RefusalKind

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
T = DEFAULT_TARGET


def new() -> Delivery:
    return raised(Delivery(), OPEN)


def begun(delivery: Delivery, at: datetime = NOW) -> Delivery:
    step = next_step(delivery, T, at)
    assert isinstance(step, Post)
    after = attempted(delivery, T, step, at)
    assert after is not None
    return after


def shown(delivery: Delivery, version: int = 1, status: str = OPEN) -> Delivery:
    return showing(delivery, T, version, status, "T-1", "https://t/1")


def test_a_new_version_is_posted() -> None:
    assert next_step(new(), T, NOW) == Post(1)


def test_a_version_that_is_shown_needs_nothing() -> None:
    assert next_step(shown(new()), T, NOW) is None
    assert not shown(new()).work_left


def test_while_somebody_posts_others_wait_for_the_rest_of_the_lease() -> None:
    assert next_step(begun(new()), T, NOW + timedelta(seconds=20)) == Wait((LEASE - timedelta(seconds=20)).total_seconds())


def test_an_attempt_that_is_older_than_the_lease_is_repeated_and_may_exist() -> None:
    assert next_step(begun(new()), T, NOW + LEASE) == Post(1, may_exist=True)


def test_a_try_without_a_clear_answer_is_repeated_at_once_and_may_exist() -> None:
    lost = not_posted(begun(new()), T, 1, maybe=True)
    assert lost is not None
    assert next_step(lost, T, NOW) == Post(1, may_exist=True)


def test_a_try_that_was_surely_not_taken_leaves_no_trace() -> None:
    refused = not_posted(begun(new()), T, 1, maybe=False)
    assert refused is not None
    assert next_step(refused, T, NOW) == Post(1)


def test_what_may_exist_still_may_after_a_clear_refusal() -> None:
    lost = not_posted(begun(new()), T, 1, maybe=True)
    assert lost is not None
    refused = not_posted(begun(lost), T, 1, maybe=False)
    assert refused is not None
    assert next_step(refused, T, NOW) == Post(1, may_exist=True)


def test_a_version_that_was_overtaken_before_anybody_posted_it_is_skipped() -> None:
    assert next_step(raised(new(), OPEN), T, NOW) == Post(2)


def test_a_version_that_may_have_been_posted_is_repeated_before_the_newer_one() -> None:
    lost = not_posted(begun(new()), T, 1, maybe=True)
    assert lost is not None
    newer = raised(lost, OPEN)
    assert next_step(newer, T, NOW) == Post(1, may_exist=True)
    assert next_step(shown(newer), T, NOW) == Post(2)


def test_of_two_that_begin_at_the_same_time_one_does() -> None:
    delivery = new()
    assert attempted(begun(delivery), T, Post(1), NOW) is None


def test_a_failure_that_was_never_shown_is_shown_before_its_recovery() -> None:
    recovered = raised(raised(new(), OPEN), RESOLVED)
    assert next_step(recovered, T, NOW) == Post(2)
    assert next_step(shown(recovered, 2), T, NOW) == Post(3)
    assert next_step(shown(shown(recovered, 2), 3, RESOLVED), T, NOW) is None


def test_what_is_shown_later_is_not_taken_back() -> None:
    late = showing(shown(raised(new(), OPEN), 2), T, 1, OPEN, "T-2", "")
    assert late.ticket == Shown(2, OPEN, ticket_id="T-1", ticket_url="https://t/1")


def test_a_try_that_ends_after_somebody_else_has_repeated_it_changes_nothing() -> None:
    assert not_posted(shown(begun(new())), T, 1, maybe=True) is None


def test_a_ticket_keeps_its_id_when_a_later_answer_names_none() -> None:
    assert showing(raised(shown(new()), OPEN), T, 2, OPEN).ticket.ticket_id == "T-1"


def test_the_change_follows_from_what_the_ticket_shows_and_what_it_is_to_show() -> None:
    ticket = Shown(1, OPEN)
    assert change_of(Shown(), OPEN) == "opened"
    assert change_of(ticket, OPEN) == "updated"
    assert change_of(ticket, RESOLVED) == "resolved"
    assert change_of(replace(ticket, status=RESOLVED), OPEN) == "reopened"


def test_each_target_has_a_ticket_of_its_own() -> None:
    delivery = showing(new(), "second", 1, OPEN, "S-1", "")
    assert next_step(delivery, "second", NOW) is None
    assert next_step(delivery, T, NOW) == Post(1)


# ---------------------------------------------------------------- refused alone


def refuse(delivery: Delivery, at: datetime, kind: RefusalKind = RefusalKind.TICKET, **more: bool) -> Delivery:
    """The next step is tried and refused."""
    step = next_step(delivery, T, at)
    assert isinstance(step, Post)
    begun = attempted(delivery, T, step, at)
    assert begun is not None
    after = refused(begun, T, step.version, at, kind, **{"maybe": False, "told": False, **more})
    assert after is not None
    return after


def test_what_is_refused_waits_longer_each_time_and_at_most_a_day_or_an_hour() -> None:
    for kind, longest in ((RefusalKind.TICKET, timedelta(days=1)), (RefusalKind.CONFIGURATION, timedelta(hours=1))):
        delivery, now, waits = new(), NOW, []
        for _ in range(8):
            delivery = refuse(delivery, now, kind)
            wait = next_step(delivery, T, now)
            assert isinstance(wait, Wait)
            waits.append(timedelta(seconds=wait.seconds))
            now += waits[-1]
        assert waits[: len(WAITS[kind])] == list(WAITS[kind])
        assert waits[-1] == longest


def test_a_newer_version_need_not_wait_for_one_that_was_refused() -> None:
    delivery = raised(refuse(raised(shown(new()), RESOLVED), NOW), OPEN)
    assert next_step(delivery, T, NOW) == Post(3)
    assert delivery.at(T).past_of(3) == Past()


def test_what_came_of_earlier_tries_belongs_to_one_version_and_is_forgotten_when_it_is_shown() -> None:
    delivery = refuse(raised(shown(new()), RESOLVED), NOW, told=True)
    assert delivery.at(T).past_of(2) == Past(refusals=1, told=True)
    delivery = refuse(delivery, NOW + timedelta(days=1))
    assert delivery.at(T).past_of(2) == Past(refusals=2, told=True)
    assert shown(delivery, 2).at(T) == Shown(2, OPEN, ticket_id="T-1", ticket_url="https://t/1")


def test_after_a_week_of_refusals_a_version_is_given_up() -> None:
    delivery = refuse(refuse(new(), NOW), NOW + timedelta(days=3))
    assert not delivery.at(T).is_given_up(1, NOW + GIVEN_UP_AFTER - timedelta(seconds=1))
    assert delivery.at(T).is_given_up(1, NOW + GIVEN_UP_AFTER)
    assert not delivery.at(T).is_given_up(2, NOW + GIVEN_UP_AFTER)


def test_a_new_ticket_that_may_be_there_although_it_was_refused_is_looked_for() -> None:
    delivery = refuse(new(), NOW, RefusalKind.CONFIGURATION, maybe=True)
    assert next_step(delivery, T, NOW + timedelta(minutes=1)) == Post(1, may_exist=True)


def test_a_ticket_that_was_looked_for_in_vain_is_looked_for_once_more_after_a_while() -> None:
    lost = not_posted(begun(new()), T, 1, maybe=True)
    assert lost is not None
    again_at = NOW + timedelta(seconds=90)
    after = looked_for(begun(lost), T, 1, again_at)
    assert after is not None
    assert next_step(after, T, NOW) == Wait(90)
    assert next_step(after, T, again_at) == Post(1, may_exist=True)
    assert after.at(T).past_of(1) == Past(searches=1)
    crashed = begun(after, again_at)
    assert begun(crashed, again_at + LEASE).at(T).past_of(1) == Past(), "it may have been opened meanwhile"


def test_a_slower_system_has_a_longer_lease() -> None:
    lease = timedelta(seconds=90)
    assert next_step(begun(new()), T, NOW + LEASE, lease) == Wait(30)
    assert next_step(begun(new()), T, NOW + lease, lease) == Post(1, may_exist=True)


# ---------------------------------------------------------------- several targets, and none


def test_work_is_left_until_all_targets_show_the_version() -> None:
    delivery = routed(new(), ("a", "b"))
    assert delivery.work_left
    half = showing(delivery, "a", 1, OPEN)
    assert (half.is_left("a"), half.is_left("b"), half.work_left) == (False, True, True)
    assert not showing(half, "b", 1, OPEN).work_left


def test_targets_are_decided_once() -> None:
    assert list(routed(routed(new(), ("a",)), ("b",)).tickets) == ["a"]


def test_nobody_posts_at_a_target_that_is_not_the_deliverys() -> None:
    delivery = routed(new(), ("a",))
    assert attempted(delivery, "b", Post(1), NOW) is None


def test_a_target_that_is_gone_leaves_the_others_and_without_any_they_are_decided_anew() -> None:
    delivery = routed(new(), ("a", "b"))
    assert list(without(delivery, {"a"}).tickets) == ["b"]
    assert list(routed(without(delivery, {"a", "b"}), ("c",)).tickets) == ["c"]


def test_the_ticket_that_others_point_to_is_the_default_targets_else_the_first_that_there_is() -> None:
    delivery = showing(routed(new(), ("a", "b")), "b", 1, OPEN, "B-1")
    assert delivery.ticket.ticket_id == "B-1"
    assert showing(routed(new(), ("a", T)), T, 1, OPEN, "T-1").ticket.ticket_id == "T-1"


def test_what_is_settled_is_not_posted_and_neither_is_the_recovery_of_an_unseen_failure() -> None:
    dropped = settled(new(), 1)
    assert not dropped.work_left
    assert next_step(dropped, T, NOW) is None
    assert not raised(dropped, RESOLVED).work_left


def test_a_failure_after_what_is_settled_is_posted_and_so_is_its_recovery() -> None:
    again = raised(settled(new(), 1), OPEN)
    assert next_step(again, T, NOW) == Post(2)
    assert next_step(raised(again, RESOLVED), T, NOW) == Post(2), "the failure first"


def test_the_end_of_a_ticket_that_there_is_is_posted_though_its_last_version_is_settled() -> None:
    delivery = settled(raised(shown(new()), OPEN), 2)
    assert next_step(delivery, T, NOW) is None
    assert next_step(raised(delivery, RESOLVED), T, NOW) == Post(3)


def test_what_may_have_been_posted_counts_as_shown_when_it_is_settled() -> None:
    given_up = settled(begun(new()), 1)
    assert (given_up.at(T).attempt, given_up.at(T).status, given_up.work_left) == (0, OPEN, False)
