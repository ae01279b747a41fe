"""What a ticket shows, and what is to be done next: the table of handlers/model/delivery.py, line by line."""

from __future__ import annotations

from dataclasses import replace
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
    next_step,
    not_posted,
    raised,
    showing,
)

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
