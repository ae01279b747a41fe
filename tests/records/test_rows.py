"""Rows: of two that write one wins, lists hold what they say, rows of the first release are read; in Azurite and in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ServiceResponseError

from handlers.model import Incident, Verdict
from handlers.model.incident import failed, key_of, recovered
from handlers.model.storm import opened
from handlers.records.incidents import Incidents
from handlers.records.left_over import carry_over
from handlers.records.storage import Storage
from handlers.records.storms import Storms
from handlers.records.vault_marks import VaultMarks
from tests.memory_storage import MemoryStorage, MemoryTable
from tests.model.test_incident import ITEM, NOW, VM, failure, good_job, shown


@pytest.fixture(params=["azurite", "memory"])
def storage(request: pytest.FixtureRequest) -> Any:
    return Storage({"AzureWebJobsStorage": request.getfixturevalue("azurite")}) if request.param == "azurite" else MemoryStorage()


@pytest.fixture
def incidents(storage: Any) -> Incidents:
    return Incidents(storage)


@pytest.fixture
def fresh() -> Callable[[], Incident]:
    """A new incident of a VM of its own."""

    def make() -> Incident:
        name = uuid4().hex
        about = failure(item_id=ITEM.replace(";vm", f";{name}"), vm_id=VM.replace("/vm", f"/{name}"))
        incident = failed(None, about, "UserErrorX", NOW, region="westeurope")
        assert incident is not None
        return incident

    return make


def saved(incidents: Incidents, after: Incident, before: Incident | None = None) -> Incident:
    row = incidents.save(before, after)
    assert row is not None
    return row


def test_a_row_comes_back_as_it_was_written(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    incident = replace(fresh(), verdicts={"disk_too_large": Verdict.CONFIRMED}, item_name='dc\'01 "ü"', region="")
    written = saved(incidents, incident)
    assert incidents.find(incident.key) == written
    assert replace(written, etag="") == incident


def test_of_two_that_open_the_same_incident_one_wins(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    incident = fresh()
    saved(incidents, incident)
    assert incidents.save(None, incident) is None


def test_of_two_that_change_the_same_row_one_wins(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    first = saved(incidents, fresh())
    saved(incidents, shown(first), first)
    assert incidents.save(first, replace(first, code="other")) is None


def test_a_transition_is_tried_again_on_the_row_as_somebody_else_left_it(
    incidents: Incidents, fresh: Callable[[], Incident]
) -> None:
    first, calls = saved(incidents, fresh()), []

    def transition(row: Incident | None) -> Incident | None:
        calls.append(row)
        if len(calls) == 1:
            saved(incidents, replace(first, code="theirs"), first)
        return replace(row, region="ours") if row else None

    changed = incidents.change(first.key, transition)
    assert changed is not None
    assert (len(calls), changed.code, changed.region) == (2, "theirs", "ours")


def test_a_row_that_nobody_knows_is_none(incidents: Incidents) -> None:
    assert incidents.find("0" * 32) is None


def test_active_are_open_incidents_and_those_whose_ticket_must_still_change(
    incidents: Incidents, fresh: Callable[[], Incident]
) -> None:
    is_open = saved(incidents, shown(fresh()))
    before = saved(incidents, shown(fresh()))
    ending = recovered(before, good_job(24), NOW + timedelta(days=1))
    assert ending is not None
    waiting = saved(incidents, ending, before)
    assert {is_open.key, waiting.key} <= {incident.key for incident in incidents.active()}
    saved(incidents, shown(waiting), waiting)
    assert waiting.key not in {incident.key for incident in incidents.active()}
    assert waiting.key in {incident.key for incident in incidents.ended_before(NOW + timedelta(days=30))}
    assert waiting.key not in {incident.key for incident in incidents.ended_before(NOW)}


def test_members_are_those_of_their_storm_from_a_key_on(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    storm = uuid4().hex
    keys = sorted(saved(incidents, replace(fresh(), storm=storm)).key for _ in range(3))
    assert [member.key for member in incidents.members(storm)] == keys
    assert [member.key for member in incidents.members(storm, keys[0])] == keys[1:]
    assert list(incidents.members(uuid4().hex)) == []


def test_a_row_is_deleted_only_as_it_was_read(incidents: Incidents, fresh: Callable[[], Incident]) -> None:
    first = saved(incidents, fresh())
    second = saved(incidents, shown(first), first)
    assert not incidents.delete(first)
    assert incidents.delete(second)
    assert incidents.find(first.key) is None
    assert first.key not in {incident.key for incident in incidents.active()}


def test_a_row_that_cannot_be_read_is_left_out_of_lists_and_stops_nobody(
    storage: Any, incidents: Incidents, fresh: Callable[[], Incident]
) -> None:
    good = saved(incidents, fresh())
    storage.table().upsert_entity({"PartitionKey": "incident", "RowKey": f"active {'0' * 32}", "delivery": "{broken"})
    try:
        assert good.key in {incident.key for incident in incidents.active()}
    finally:
        storage.table().delete_entity("incident", f"active {'0' * 32}")


def release_1(key: str, **fields: Any) -> dict[str, Any]:
    """A row as the first release wrote it."""
    known = [["job-1", "2026-11-22T01:30:00.000000Z", "2026-11-22T02:00:00.000000Z"]]
    return {
        "PartitionKey": "incident", "RowKey": key, "key": key, "id": key_of(key), "status": "open", "failures": 1,
        "first_failed_at": "2026-11-22T02:00:00.000000Z", "last_failed_at": "2026-11-22T02:00:00.000000Z", "known": json.dumps(known),
        "code": "UserErrorX", "region": "westeurope", "item_id": ITEM, "item_name": "vm", "vm_id": VM, "vault_id": "", "workload": "",
        "severity": "Sev1", "verdicts": '{"disk_too_large": "confirmed"}', "ticket_id": "T-1", "ticket_url": "", "change": 1,
        "pending": "", "holder": "", "claimed_until": "", "resolved_at": "", "recovered_at": "", "storm": "", "look": "",
    } | fields  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "shown_version", "attempt", "work_left"),
    [
        ({}, 1, 0, False),
        ({"pending": "incident.opened", "ticket_id": ""}, 0, 1, True),
        ({"change": 2, "pending": "incident.updated"}, 1, 2, True),
        (
            {"change": 2, "pending": "incident.resolved", "status": "resolved", "resolved_at": "2026-11-23T02:00:00.000000Z"},
            1,
            2,
            True,
        ),
    ],
    ids=["shown", "opening", "updating", "resolving"],
)
def test_a_row_of_the_first_release_is_read_and_what_was_pending_is_repeated(
    storage: Any, incidents: Incidents, fields: dict[str, Any], shown_version: int, attempt: int, work_left: bool
) -> None:
    key = uuid4().hex
    storage.table().upsert_entity(release_1(key, **fields))
    incident = incidents.find(key)
    assert incident is not None
    ticket = incident.delivery.ticket
    assert (ticket.shown, ticket.attempt, ticket.may_exist, incident.needs_post) == (
        shown_version,
        attempt,
        bool(attempt),
        work_left,
    )
    assert (incident.last_job_id, incident.confirmed) == ("job-1", ("disk_too_large",))


def test_rows_of_the_first_release_are_written_anew_once_and_stand_in_their_lists(storage: Any, incidents: Incidents) -> None:
    key, marks = uuid4().hex, VaultMarks(storage)
    storage.table().delete_entity("sweep", hashlib.sha256(b"carried over").hexdigest()[:32])
    storage.table().upsert_entity(release_1(key))
    assert key not in {incident.key for incident in incidents.active()}
    carry_over((incidents,), marks, NOW)
    assert key in {incident.key for incident in incidents.active()}
    assert "change" not in storage.table().get_entity("incident", key)
    second = uuid4().hex
    storage.table().upsert_entity(release_1(second))
    carry_over((incidents,), marks, NOW)
    assert second not in {incident.key for incident in incidents.active()}, "it was done once"


def test_a_storm_of_the_first_release_is_read(storage: Any) -> None:
    key, storms = uuid4().hex, Storms(storage, 20, 15)
    storage.table().upsert_entity(
        {"PartitionKey": "storm", "RowKey": key, "key": key, "id": "s1", "region": "westeurope", "code": "X", "status": "open",
         "opened_at": "2026-11-22T02:00:00.000000Z", "next_at": "2026-11-22T02:01:00.000000Z", "looks": 3, "told": "abc",
         "telling": "abc", "ticket_id": "T-9", "ticket_url": "", "change": 2, "pending": ""}
    )  # fmt: skip
    storm = storms.find(key)
    assert storm is not None
    assert (storm.id, storm.fingerprint, storm.delivery.version, storm.delivery.ticket.ticket_id) == ("s1", "abc", 2, "T-9")
    assert not storm.needs_post


def test_an_open_storm_is_found_in_its_list_and_an_ended_one_is_not(storage: Any) -> None:
    storms = Storms(storage, 20, 15)
    storm = opened(None, uuid4().hex, "X", datetime.now(UTC))
    assert storm is not None
    row = storms.save(None, storm)
    assert row is not None
    assert row.key in {active.key for active in storms.active()}
    storms.save(row, replace(row, status="resolved"))
    assert row.key not in {active.key for active in storms.active()}


class Forgetful(MemoryTable):
    """Its answers to writes are lost, before or after it has written."""

    def __init__(self, *losses: str) -> None:
        super().__init__()
        self.losses = list(losses)

    def submit_transaction(self, operations: Any) -> list[dict[str, str]]:
        loss = self.losses.pop(0) if self.losses else ""
        if loss == "before":
            raise ServiceResponseError("Connection aborted.")
        written = super().submit_transaction(operations)
        if loss == "after":
            raise ServiceResponseError("Connection aborted.")
        return written


@pytest.mark.parametrize("losses", [("before",), ("after",), ("before", "after"), ("after", "before")])
def test_a_write_whose_answer_is_lost_is_looked_up_and_made_once(losses: tuple[str, ...]) -> None:
    storage = MemoryStorage()
    storage._table = Forgetful(*losses)
    incidents: Any = Incidents(storage)  # type: ignore[arg-type]
    changed = [incidents.change(key_of(failure().key), lambda row: failed(row, failure(), "X", NOW)) for _ in range(2)]
    assert len([row for row in changed if row]) <= 1
    (incident,) = incidents.active()
    assert (incident.failures, incident.delivery.version) == (1, 1)
