"""What failed is not always the backup of a VM: a ticket names the operation, from its first line to its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import Verdict
from handlers.settings import LANGUAGES
from tests.stories.test_backup_failed import alert
from tests.stories.test_sweep import add_job, swept, world_of
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
RESTORE, POLICY, SQL = "restore_size_not_available", "denied_by_policy", "sql_agent_not_available"
NOT_A_BACKUP = {"en": ("Backup of", "backup again"), "pt-BR": ("no backup de", "execute o backup de novo")}


def opened(bench: Bench, name: str) -> dict[str, Any]:
    bench.fire(alert(name))
    bench.work()
    (event,) = bench.target.events
    data: dict[str, Any] = event["data"]
    return data


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_restore_is_a_restore_in_its_ticket_and_in_its_end(bench_of: BenchOf, language: str) -> None:
    bench = bench_of(RESTORE, runbook_language=language)
    data = opened(bench, RESTORE)
    add_job(bench, "Completed", 1, RESTORE)
    bench.clock.ahead = timedelta(hours=2)
    assert swept(bench)["recovered"] == 1
    resolved = bench.target.events[-1]["data"]
    named = {"en": "Restore of vm-back-01 failed", "pt-BR": "Falha na restauração de vm-back-01"}[language]
    assert data["title"].startswith(f"{named}: ")
    assert (
        resolved["title"]
        == {"en": "A restore of vm-back-01 has completed", "pt-BR": "Uma restauração de vm-back-01 foi concluída"}[language]
    )
    said = "\n".join(text for each in (data, resolved) for text in (each["title"], each["runbook"]["markdown"]))
    assert [words for words in NOT_A_BACKUP[language] if words in said] == []


def test_a_completed_backup_does_not_end_an_incident_of_restores(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    data = opened(bench, RESTORE)
    add_job(bench, "Completed", 1, RESTORE, operation="Backup")
    bench.clock.ahead = timedelta(hours=2)
    assert swept(bench)["recovered"] == 0
    assert "a completed backup does not close it" in data["runbook"]["markdown"]


def test_an_incident_of_restores_ends_after_a_week_without_another_one(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    opened(bench, RESTORE)
    bench.clock.ahead = timedelta(days=6, hours=23)
    assert swept(bench)["recovered"] == 0
    bench.clock.ahead = timedelta(days=8)
    assert swept(bench)["recovered"] == 1
    resolved = bench.target.events[-1]
    assert resolved["type"] == "incident.resolved"
    assert resolved["data"]["title"] == "Restore of vm-back-01: not tried again for a week"
    assert "without proof that the restore works" in resolved["data"]["runbook"]["markdown"]


def test_a_restore_and_a_backup_of_one_vm_have_a_ticket_each(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    opened(bench, RESTORE)
    backup = alert(RESTORE)
    backup["data"]["essentials"]["alertRule"] = "Backup Failure"
    backup["data"]["alertContext"]["extendedInfo"]["jobId"] = add_job(bench, "Failed", 0, RESTORE, operation="Backup")
    bench.fire(backup)
    bench.work()
    assert [event["type"] for event in bench.target.events] == ["incident.opened", "incident.opened"]
    assert bench.target.events[-1]["data"]["title"].startswith("Backup of vm-back-01 failed")


def test_the_sweep_brings_a_failed_restore_that_no_alert_told(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE, watched=True)
    assert swept(bench)["failed"] == 1
    bench.work()
    (event,) = bench.target.events
    assert event["data"]["title"].startswith("Restore of vm-back-01 failed")
    assert swept(bench)["failed"] == 0


def test_a_restore_that_failed_and_then_completed_is_not_brought_by_the_sweep(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE, watched=True)
    add_job(bench, "Completed", -0.4, RESTORE)
    assert swept(bench)["failed"] == 0


def test_a_failed_restore_without_a_job_id_is_looked_for_among_the_restores(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    add_job(bench, "Failed", -0.3, RESTORE, operation="Backup")
    unnamed = alert(RESTORE)
    unnamed["data"]["essentials"]["alertRule"] = "Restore Failure"
    unnamed["data"]["alertContext"]["extendedInfo"] = {}
    bench.fire(unnamed)
    bench.work()
    (event,) = bench.target.events
    assert event["data"]["job"]["id"] == world_of(bench, RESTORE).job["id"]
    assert event["data"]["error"]["code"] == "UserErrorSkuNotAvailable"


def test_a_restore_whose_job_cannot_be_read_is_a_restore_all_the_same(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    bench.azure.add_fault(match="GET */backupJobs/*", status=403)
    data = opened(bench, RESTORE)
    assert data["title"].startswith("Restore of vm-back-01 failed")
    assert data["job"]["operation"] == "Restore"
    assert {finding["cause"]: finding["verdict"] for finding in data["findings"]} == {"restore_sku_unavailable": "unknown"}


def test_a_lone_restore_costs_no_more_than_ten_reads(bench_of: BenchOf) -> None:
    for name in ("restore_size_not_available", "restore_without_cores", "restore_account_locked", "restore_over_an_encrypted_vm"):
        bench = bench_of(name)
        opened(bench, name)
        assert sum(call.method == "GET" for call in bench.azure.calls()) <= 10, name


def test_the_changes_since_the_last_good_backup_explain_no_restore(bench_of: BenchOf) -> None:
    data = opened(bench_of(RESTORE), RESTORE)
    assert data["changes_since_last_good"] is None
    assert "since the last good backup" not in data["runbook"]["markdown"]


def test_a_failed_restore_cannot_wait_however_good_the_backups_are(bench_of: BenchOf) -> None:
    data = opened(bench_of(RESTORE), RESTORE)
    assert (data["recovery"]["act"], data["recovery"]["until"]) == ("soon", None)
    assert "**Risk: act soon.** A restore was requested and has failed. Last good recovery point:" in data["runbook"]["markdown"]


def test_a_failed_restore_again_adds_a_note_without_a_word_of_a_failed_backup(bench_of: BenchOf) -> None:
    bench = bench_of(RESTORE)
    opened(bench, RESTORE)
    again = alert(RESTORE)
    again["data"]["alertContext"]["extendedInfo"]["jobId"] = add_job(bench, "Failed", 1, RESTORE)
    bench.clock.ahead = timedelta(hours=2)
    bench.fire(again)
    bench.work()
    note = bench.target.events[-1]["data"]["note"]["markdown"]
    assert "Failure 2 of this incident" in note
    assert "backup failed" not in note.lower()


def test_a_policy_that_denies_the_backup_is_named_with_its_assignment(bench_of: BenchOf) -> None:
    data = opened(bench_of(POLICY), POLICY)
    page = data["runbook"]["markdown"]
    assert data["title"] == "Backup of vm-rule-01 failed: An Azure Policy denied what the operation needs"
    assert [(finding["cause"], finding["verdict"]) for finding in data["findings"]] == [
        ("azure_policy_denies", Verdict.CONFIRMED)
    ]
    assert "/policyAssignments/require-cost-centre" in page
    assert "https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#usererrorrequestdisallowedbypolicy" in page


def test_a_databases_ticket_has_only_the_causes_of_the_vm_that_stop_it_too(bench_of: BenchOf) -> None:
    data = opened(bench_of(SQL), SQL)
    verdicts = {finding["cause"]: finding["verdict"] for finding in data["findings"]}
    assert verdicts["agent_unresponsive_windows"] != Verdict.RULED_OUT
    assert set(verdicts) <= {
        "agent_unresponsive_windows", "agent_not_installed", "agent_outdated_windows", "wireserver_blocked", "vm_not_running",
    }  # fmt: skip
    assert data["error"]["code"] == "GuestAgentStatusUnavailableUserError"
    assert "backup-now" not in data["runbook"]["markdown"]
