"""MAINTENANCE: which windows are open when, and which of them stop the app at start."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.settings import Settings, SettingsError
from handlers.tickets.maintenance import read_maintenance
from handlers.tickets.routes import Subject

NIGHT = {"start": "2026-11-28T22:00", "minutes": 240, "rrule": "FREQ=WEEKLY;BYDAY=SA", "timezone": "America/Sao_Paulo"}
SUBJECT = Subject("incident", vaults=("/subscriptions/s/vaults/rsv-a",))


def end(now: str, *windows: Any, subject: Subject = SUBJECT, tag: str = "") -> str | None:
    settings = {"TICKET_URL": "https://t.example.com", "MAINTENANCE": json.dumps(windows), "MAINTENANCE_TAG": tag}
    maintenance = read_maintenance(Settings.from_environment(settings))
    found = maintenance.end_for(subject, datetime.fromisoformat(now).replace(tzinfo=UTC)) if maintenance else None
    return found.isoformat() if found else None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-29T00:59", None),
        ("2026-11-29T01:00", "2026-11-29T05:00:00+00:00"),
        ("2026-11-29T04:59", "2026-11-29T05:00:00+00:00"),
        ("2026-11-29T05:00", None),
        ("2026-12-06T02:00", "2026-12-06T05:00:00+00:00"),
        ("2026-11-22T02:00", None),
    ],
)
def test_a_window_comes_again_by_its_rule_on_the_clock_of_its_zone(now: str, until: str | None) -> None:
    assert end(now, NIGHT) == until


def test_at_twenty_two_is_at_twenty_two_in_summer_too() -> None:
    berlin = {"start": "2026-01-03T22:00", "minutes": 60, "rrule": "FREQ=WEEKLY;BYDAY=SA", "timezone": "Europe/Berlin"}
    assert end("2026-01-10T21:30", berlin) == "2026-01-10T22:00:00+00:00"
    assert end("2026-07-11T20:30", berlin) == "2026-07-11T21:00:00+00:00"


def test_a_window_without_a_rule_comes_once_and_in_utc_if_nothing_is_said() -> None:
    once = {"start": "2026-11-28T22:00", "minutes": 60}
    assert end("2026-11-28T22:30", once) == "2026-11-28T23:00:00+00:00"
    assert end("2026-12-05T22:30", once) is None


def test_a_window_is_only_for_what_its_conditions_name() -> None:
    assert end("2026-11-29T02:00", {**NIGHT, "when": {"vault": ["rsv-b"]}}) is None
    assert end("2026-11-29T02:00", {**NIGHT, "when": {"vault": ["rsv-a"]}})


@pytest.mark.parametrize("kind", ["canary", "unreadable"])
def test_the_canary_and_what_nobody_can_read_are_told_at_any_time(kind: str) -> None:
    assert end("2026-11-29T02:00", NIGHT, subject=Subject(kind)) is None


@pytest.mark.parametrize(
    ("value", "until"),
    [
        ("2026-12-01T06:00Z", "2026-12-01T06:00:00+00:00"),
        ("2026-11-28/2026-12-01T06:00", "2026-12-01T06:00:00+00:00"),
        ("2026-11-30/2026-12-01", None),
        ("2026-11-01", None),
        ("yes", None),
        ("", None),
        ("a/b/c", None),
    ],
)
def test_a_tag_says_until_when_and_a_slip_in_it_hides_nothing(value: str, until: str | None) -> None:
    subject = Subject("incident", tags={"maintenance": value})
    assert end("2026-11-29T02:00", subject=subject, tag="Maintenance") == until


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({**NIGHT, "minutes": 0}, r"MAINTENANCE\[0\].minutes: must be a number of minutes"),
        ({**NIGHT, "minutes": True}, r"MAINTENANCE\[0\].minutes: must be a whole number"),
        ({**NIGHT, "start": "22:00"}, r"MAINTENANCE\[0\].start: must be a time on the wall"),
        ({**NIGHT, "start": "2026-11-28T22:00Z"}, r"MAINTENANCE\[0\].start: must be a time on the wall"),
        ({"minutes": 5}, r"MAINTENANCE\[0\].start: must be a time on the wall"),
        ({**NIGHT, "timezone": "Mars/Olympus"}, r"MAINTENANCE\[0\].timezone: must be a name"),
        ({**NIGHT, "timezone": "../etc"}, r"MAINTENANCE\[0\].timezone: must be a name"),
        ({**NIGHT, "rrule": "every saturday"}, r"MAINTENANCE\[0\].rrule: is no rule of RFC 5545"),
        ({**NIGHT, "rrule": "FREQ=MINUTELY"}, r"MAINTENANCE\[0\].rrule: must come daily or less often"),
        ({**NIGHT, "when": {"vault": "rsv"}}, r"MAINTENANCE\[0\].when.vault: must be a list"),
        ({**NIGHT, "duration": 5}, r"MAINTENANCE\[0\].duration: is not known"),
    ],
)
def test_a_window_that_cannot_be_understood_stops_the_app_and_is_named(window: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        end("2026-11-29T02:00", window)
