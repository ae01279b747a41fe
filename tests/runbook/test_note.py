"""What a note says is new, from the data of two events."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.model.delivery import Delivery, Shown
from handlers.records.write_up import oldest_shown
from handlers.runbook.note import news_of, render_note
from tests.tickets.changes import OPENED, UPDATED, failed

LOCKED = "restore_point_group_locked"


def shown() -> Any:
    """The data that the ticket shows."""
    return copy.deepcopy(failed(OPENED).event["data"])


def told(change: Callable[[Any, Any], None], language: str = "en") -> str:
    """The note of a further failure, after a change of what was shown and of what is now so."""
    before, now = shown(), copy.deepcopy(failed(UPDATED).event["data"])
    change(before, now)
    return render_note(before, now, language)


def finding(data: Any, cause: str = LOCKED) -> Any:
    return next(found for found in data["findings"] if found["cause"] == cause)


def test_nothing_new_is_said_in_one_line() -> None:
    note = told(lambda before, now: None)
    assert "Nothing else changed" in note
    assert len(note.splitlines()) <= 5


def test_a_newly_confirmed_cause_comes_with_its_first_step() -> None:
    note = told(lambda before, now: finding(before).update(verdict="possible"))
    title = finding(shown())["title"]
    assert f"**{title}:** possible → confirmed" in note
    assert f"**First step against “{title}”:**" in note
    assert note.count("```bash") == 1


def test_a_fact_that_is_another_one_is_named_with_both_values() -> None:
    note = told(lambda before, now: finding(before)["evidence"][0].update(value=[]))
    assert "Locks on the restore points: none → `do-not-delete" in note


def test_a_fact_whose_times_differ_is_the_same() -> None:
    def change(before: Any, now: Any) -> None:
        finding(before)["evidence"][0].update(value=["2026-11-01: 1", "job of 2026-11-01 20:00 UTC"])
        finding(now)["evidence"][0].update(value=["2026-11-02: 2", "job of 2026-11-02 20:00 UTC"])

    assert "Nothing else changed" in told(change)


def test_steps_of_a_known_cause_that_differ_are_named_and_ids_of_jobs_are_no_difference() -> None:
    def change(before: Any, now: Any) -> None:
        finding(before)["remediation"][0]["commands"].pop()

    assert "**Changed steps:**" in told(change)
    job = "az backup job show --name 11111111-aaaa-bbbb-cccc-00000000000{}"
    step = [{"text": "Look.", "commands": [{"line": job}]}]

    def other_job(before: Any, now: Any) -> None:
        for data, number in ((before, "1"), (now, "2")):
            found = copy.deepcopy(step)
            found[0]["commands"][0]["line"] = job.format(number)  # type: ignore[index]
            finding(data)["remediation"] = found

    assert "Changed steps" not in told(other_job)


def test_another_error_is_said_with_both_codes() -> None:
    note = told(lambda before, now: before["error"].update(code="UserErrorOther"))
    assert "(before: `UserErrorOther`)" in note


def test_a_second_look_at_the_same_failure_says_so() -> None:
    note = told(lambda before, now: before["incident"].update(failures=2))
    assert note.startswith("**Checked again after failure 2**")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_what_comes_from_outside_stays_code(language: str) -> None:
    hostile = "[x](http://evil.example.com) <script> @everyone ``` \n# big"

    def change(before: Any, now: Any) -> None:
        before["error"]["code"] = hostile
        finding(before)["evidence"][0]["value"] = hostile

    note = told(change, language)
    assert "````" in note
    assert not [line for line in note.splitlines() if line.startswith("# ")]


def test_only_what_is_confirmed_or_possible_is_news_of_another_error() -> None:
    news = news_of({**shown(), "findings": []}, shown())
    assert {found["verdict"] for found, _ in news.verdicts} <= {"confirmed", "possible"}


def test_news_is_what_no_targets_ticket_shows_yet() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    tickets = {"default": Shown(4, attempted_at=at), "chat": Shown(2), "new": Shown(0)}
    assert oldest_shown(Delivery(5, 5, tickets)) == 2
    assert oldest_shown(Delivery(2, 2, {"default": Shown(0)})) == 1
    assert oldest_shown(Delivery(1, 1)) == 0
