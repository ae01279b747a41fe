"""The ticket event: the same item is the same incident, the same job the same change, and nothing secret or broken gets in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.model import Alert, Change, Diagnosis, Error, Failure, Incident, Job, Reading, Reason, Runbook, Unknown, Verdict
from handlers.model.delivery import Shown
from handlers.model.document import Document
from handlers.model.incident import failed, recovered
from handlers.model.parts import Part
from handlers.model.plain import UNREADABLE, PlainTicket
from handlers.model.recovery import Act, Recovery
from handlers.tickets.event import ended_document, event_of, failure_document, in_plain_words, plain_document
from tests.event_schema import EVENT_SCHEMA

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
VAULT = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.RecoveryServices/vaults/rsv"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm/protectedItems/VM;iaasvmcontainerv2;rg;vm"
VM = "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
RUNBOOK = Runbook("en", "title", "# md", {}, {}, "error title", (Part("# md"),))


def failure(job: Job | None = None, failed_at: datetime = NOW, **alert: Any) -> Failure:
    return Failure.of(Alert("azure_backup", fired_at=failed_at, **({"item_id": ITEM, "vm_id": VM} | alert)), job, NOW)


def incident_of(what: Failure) -> Incident:
    incident = failed(None, what, "X", NOW)
    assert incident is not None
    return incident


def document(job: Job | None = None, failed_at: datetime = NOW, changes: tuple[Change, ...] = (), **alert: Any) -> Document:
    what = failure(job, failed_at, **alert)
    readings = {"vm": Reading(Unknown(Reason.FORBIDDEN), "", NOW)}
    return failure_document(incident_of(what), Diagnosis(what, Error("X"), (), readings), RUNBOOK, changes)


def event(job: Job | None = None, failed_at: datetime = NOW, changes: tuple[Change, ...] = (), **alert: Any) -> dict[str, Any]:
    return event_of(document(job, failed_at, changes, **alert), "opened", Shown(), NOW)


def test_the_same_failure_of_an_item_in_any_case_is_the_same_incident() -> None:
    assert event()["data"]["incident"]["id"] == event(item_id=ITEM.upper())["data"]["incident"]["id"]
    assert event()["data"]["incident"]["id"] != event(item_id=ITEM.replace(";vm", ";vm2"))["data"]["incident"]["id"]


def test_what_changed_in_the_diagnosis_is_told_by_cause() -> None:
    made = event(
        changes=(Change("disk_too_large", Verdict.UNKNOWN, Verdict.CONFIRMED), Change("dhcp_disabled", None, Verdict.UNKNOWN))
    )
    EVENT_SCHEMA.validate(made)
    assert made["data"]["changes"] == [
        {"cause": "disk_too_large", "before": "unknown", "now": "confirmed"},
        {"cause": "dhcp_disabled", "before": None, "now": "unknown"},
    ]


def test_the_risk_is_in_the_event_and_the_severity_follows_it_only_where_that_is_wished() -> None:
    recovery = Recovery(
        Act.CAN_WAIT, "in_time", NOW, NOW - timedelta(days=1), hours_since=24.0, interval_hours=24.0, missed_runs=1
    )
    what = failure(severity="Sev0")
    found = Diagnosis(what, Error("X"), (), {"vm": Reading(Unknown(Reason.FORBIDDEN), "", NOW)}, recovery=recovery)
    as_alerted, as_risk = (
        failure_document(incident_of(what), found, RUNBOOK, severity_from=severity_from) for severity_from in ("alert", "risk")
    )
    assert (as_alerted.data["severity"], as_risk.data["severity"]) == ("Sev0", "Sev3")
    told = event_of(as_risk, "opened", Shown(), NOW)
    EVENT_SCHEMA.validate(told)
    assert told["data"]["recovery"] == {
        "last_good_at": "2026-11-21T19:30:00Z", "last_clean_at": None, "hours_since": 24.0, "interval_hours": 24.0, "missed_runs": 1,
        "next_run_at": None, "act": "can_wait", "until": "2026-11-22T19:30:00Z",
    }  # fmt: skip
    ended = ended_document(incident_of(what), None, "t", "n", "en", as_risk)
    assert ended.data["recovery"] == as_risk.data["recovery"], "what was last known"
    assert ended.data["severity"] == "Sev3"


def test_the_event_has_the_tickets_text_as_markdown_and_the_whole_page_as_html() -> None:
    page = Runbook("en", "title", "short", {}, {}, "t", (Part("short\n"), Part("long\n", ("page",))))
    found = Diagnosis(failure(), Error("X"), (), {"vm": Reading(Unknown(Reason.FORBIDDEN), "", NOW)})
    told = event_of(failure_document(incident_of(failure()), found, page), "opened", Shown(), NOW)["data"]["runbook"]
    assert "long" not in told["markdown"]
    assert "long" in told["html"]


def test_a_refused_event_in_plain_words_is_the_same_change_without_the_page() -> None:
    plain = in_plain_words(event(), "in short")
    EVENT_SCHEMA.validate(plain)
    assert plain["data"]["incident"] == event()["data"]["incident"]
    assert "in short" in plain["data"]["runbook"]["markdown"]
    assert (plain["data"]["findings"], plain["data"]["changes_since_last_good"]) == ([], None)


def test_what_is_not_known_is_null_and_the_schema_holds() -> None:
    bare = event(item_id="", vm_id="", item_name="db")
    EVENT_SCHEMA.validate(bare)
    assert bare["data"]["vm"] is None
    assert bare["data"]["job"] is None
    assert bare["data"]["protected_item"] == {"id": None, "name": "db", "workload": "AzureIaasVM", "vault_id": None}


def test_a_vm_that_could_not_be_read_has_no_location_and_no_system() -> None:
    vm = event()["data"]["vm"]
    assert (vm["name"], vm["resource_group"], vm["location"], vm["os"]) == ("vm", "rg", None, None)


def test_the_vault_is_taken_from_the_item_when_the_alert_does_not_name_it() -> None:
    assert event()["data"]["protected_item"]["vault_id"] == VAULT


def test_a_resolution_names_the_backup_that_proves_it_the_ticket_and_what_was_known_of_the_failure() -> None:
    job = Job("proof", "Completed", "Backup", started_at=NOW + timedelta(hours=23), ended_at=NOW + timedelta(days=1))
    proven = recovered(incident_of(failure()), job, NOW + timedelta(days=1))
    assert proven is not None
    end = ended_document(proven, job, "works again", "note", "en", document())
    resolved = event_of(end, "resolved", Shown(1, "open", ticket_id="T-7", ticket_url="https://t/7"), NOW)
    EVENT_SCHEMA.validate(resolved)
    assert resolved["data"]["incident"]["id"] == event()["data"]["incident"]["id"]
    assert resolved["data"]["incident"]["status"] == "resolved"
    assert resolved["data"]["job"]["id"] == "proof"
    assert resolved["data"]["ticket"] == {"id": "T-7", "url": "https://t/7"}
    assert (resolved["data"]["error"]["code"], resolved["data"]["vm"]["name"]) == ("X", "vm")
    assert "<p>note</p>" in resolved["data"]["runbook"]["html"]


def plain(body: bytes) -> dict[str, Any]:
    ticket = PlainTicket.of("x", UNREADABLE, "body.json", NOW)
    return event_of(plain_document(ticket, [body], "title", "text", "en"), "opened", Shown(), NOW)


def test_several_bodies_share_the_room_and_stand_one_after_the_other() -> None:
    ticket = PlainTicket.of("x", UNREADABLE, "body.json", NOW)
    made = event_of(plain_document(ticket, [b'{"a": 1}', b'{"a": 2}'], "title", "text", "en"), "opened", Shown(), NOW)
    assert made["data"]["runbook"]["markdown"].count("```json") == 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_unreadable_json_becomes_a_valid_event(body: object) -> None:
    made = plain(json.dumps(body).encode())
    EVENT_SCHEMA.validate(made)
    json.dumps(made).encode()


@pytest.mark.parametrize("body", ["\ud800", {"a": "\udfff`````"}])
def test_half_surrogates_do_not_break_a_ticket(body: object) -> None:
    json.dumps(plain(json.dumps(body).encode()), ensure_ascii=False).encode()


def test_an_incidents_id_fits_every_ticket_system() -> None:
    assert len(incident_of(failure()).id) == 32
    assert incident_of(failure()).id.isalnum()
