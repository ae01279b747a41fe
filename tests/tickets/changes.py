"""Changes of incidents as the stories post them, for tests of ticketing systems: real events with the parts of their pages.

Each is made once: to render a page takes a tenth of a second, and hundreds of tests post the same few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from handlers.model import Change, Diagnosis, History, Incident, Job, Verdict
from handlers.model.incident import OPENED, REOPENED, RESOLVED, UPDATED, begin
from handlers.model.parts import Part
from handlers.model.storm import Storm, members_of, new_storm
from handlers.runbook.render import render, render_storm
from handlers.tickets.event import failure_event, resolved_event, storm_event, unreadable_event
from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios
from tests.golden import diagnosis_of

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
HOSTILE = "hostile_extension_message"
PLAIN = "restore_point_group_locked"


@dataclass(frozen=True)
class Posting:
    """What `Target.post` is given."""

    event: Mapping[str, Any]
    change_id: str
    parts: tuple[Part, ...] = ()


@cache
def diagnosis(name: str) -> Diagnosis:
    scenario = next(found for found in load_scenarios() if found.name == name)
    with running_azure([scenario]) as azure:
        return diagnosis_of(scenario, azure.url, datetime.now(UTC))


@cache
def incident(name: str = PLAIN, *, change: str = OPENED, ticket: tuple[str, str] = ("", "")) -> Incident:
    """The scenario's incident with a change begun; `ticket` is the id and the URL that an earlier answer named."""
    found = diagnosis(name)
    made = begin(None, found.failure, found.error.code, "m", NOW, region="westeurope")
    assert isinstance(made, Incident)
    number = {OPENED: 1, UPDATED: 2, RESOLVED: 3, REOPENED: 4}[change]
    status = "resolved" if change == RESOLVED else "open"
    return replace(made, pending=change, change=number, status=status, failures=2 if number > 1 else 1,
                   ticket_id=ticket[0], ticket_url=ticket[1])  # fmt: skip


@cache
def failed(change: str = OPENED, name: str = PLAIN, *, ticket: tuple[str, str] = ("", ""), language: str = "en") -> Posting:
    """`incident.opened`, `incident.updated` or `incident.reopened`."""
    about, found = incident(name, change=change, ticket=ticket), diagnosis(name)
    changes = (Change("disk_too_large", Verdict.UNKNOWN, Verdict.RULED_OUT),) if change != OPENED else ()
    history = History(about.failures, about.first_failed_at, changes, change == REOPENED)
    runbook = render(found, language, history=history)
    return Posting(failure_event(about, found, runbook, NOW, changes), about.change_id, runbook.parts)


@cache
def resolved(name: str = PLAIN, *, ticket: tuple[str, str] = ("", "")) -> Posting:
    about = incident(name, change=RESOLVED, ticket=ticket)
    job = Job("job-good", "Completed", "Backup", started_at=NOW, ended_at=NOW + timedelta(hours=1))
    note = "A backup has completed since the failure: job `job-good`, Completed, ended 2026-11-22 20:30 UTC."
    return Posting(resolved_event(about, job, f"Backup of {about.item_name} works again", note, "en", NOW), about.change_id)


@cache
def storm(change: str = "storm.opened", *, affected: int = 30, ticket: tuple[str, str] = ("", "")) -> Posting:
    """A storm of copies of one incident; the first two have tickets of their own."""
    one = replace(incident(), verdicts=diagnosis(PLAIN).verdicts, pending="")
    members = [
        replace(one, id=f"{number:032x}", item_name=f"vm-{number:03}", status="resolved" if change == "storm.resolved" else "open",
                ticket_id=f"T-{number}" if number < 2 else "", ticket_url=f"https://tickets.example.com/{number}" if number < 2 else "")
        for number in range(affected)
    ]  # fmt: skip
    told = members_of(members)
    number = {"storm.opened": 1, "storm.updated": 2, "storm.resolved": 3}[change]
    about: Storm = replace(
        new_storm("westeurope", one.code, NOW), pending=change, change=number, ticket_id=ticket[0], ticket_url=ticket[1]
    )
    runbook = render_storm(about, told, diagnosis(PLAIN), "en")
    return Posting(storm_event(about, told, diagnosis(PLAIN), runbook, NOW), about.change_id, runbook.parts)


@cache
def unreadable() -> Posting:
    event = unreadable_event(
        {"odd": "@here #1 <!channel> {{x}}"}, "An alert arrived that nobody could read", "Look at it.", "en", NOW
    )
    return Posting(event, f"{event['data']['incident']['id']}.1.unreadable")
