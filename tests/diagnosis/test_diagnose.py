"""Findings: ordered by verdict, honest about what could not be read, each value with its source and time."""

from copy import replace
from datetime import UTC, datetime, timedelta

from handlers.diagnosis.catalogue import Cause, cause, entries
from handlers.diagnosis.diagnose import _opinion, applies, diagnose, facts_needed, plain, window_of
from handlers.model import (
    Alert,
    Error,
    Failure,
    Job,
    JobTask,
    Lock,
    Opinion,
    Os,
    Reading,
    Reason,
    RestorePoint,
    RestorePointCollection,
    Unknown,
    Verdict,
)

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FAILURE = Failure(Alert("azure_backup"), None, NOW, workload="AzureIaasVM")


def reading(value: object) -> Reading:
    return Reading(value, "Microsoft.Authorization/locks", NOW)


LIMIT = Error("UserErrorRpCollectionLimitReached", category="restore_point", in_catalogue=True)
LOCK = Lock("/id", "keep", "CanNotDelete", "/subscriptions/s", created_at=NOW - timedelta(days=90))
JOB = Job("j", "Failed", "Backup", started_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(minutes=5),
          tasks=(JobTask("Take Snapshot", "Failed"),))  # fmt: skip
FAILED = Failure(Alert("azure_backup"), JOB, NOW - timedelta(minutes=5), workload="AzureIaasVM")


def readings(error: Error, **values: object) -> dict[str, Reading]:
    unread = dict.fromkeys(facts_needed(FAILED, error), Unknown(Reason.FORBIDDEN))
    return {name: reading(value) for name, value in {**unread, **values}.items()}


def points(count: int) -> tuple[RestorePointCollection, ...]:
    return (
        RestorePointCollection(
            "/c", "c", "g", "", tuple(RestorePoint(f"p{i}", NOW - timedelta(days=i + 1)) for i in range(count))
        ),
    )


def test_findings_are_ordered_by_verdict_then_as_documented_and_a_symptom_stands_below_its_cause() -> None:
    findings = diagnose(
        FAILED, LIMIT, readings(LIMIT, restore_point_group_locks=(LOCK,), restore_point_collections=points(20))
    ).findings
    assert [(f.cause, f.verdict) for f in findings[:2]] == [
        ("restore_point_group_locked", Verdict.CONFIRMED),
        ("restore_point_limit_reached", Verdict.CONFIRMED),
    ]
    documented = entries()[LIMIT.code].causes
    places = [documented.index(finding.cause) for finding in findings[2:]]
    assert places == sorted(places)
    assert {finding.verdict for finding in findings[2:]} == {Verdict.UNKNOWN}


def test_an_umbrella_comes_after_its_members_and_takes_their_verdicts() -> None:
    error = Error("ExtensionSnapshotFailedNoNetwork", category="network", in_catalogue=True)
    found = diagnose(FAILED, error, readings(error))
    assert found.verdicts["wireserver_blocked"] is Verdict.POSSIBLE
    assert found.verdicts["snapshot_status_unavailable"] is Verdict.POSSIBLE
    possible = [finding.cause for finding in found.findings if finding.verdict is Verdict.POSSIBLE]
    assert possible[-1] == "snapshot_status_unavailable"


def test_what_the_code_states_is_not_ruled_out_unless_another_of_its_causes_is_confirmed() -> None:
    found = diagnose(FAILED, LIMIT, readings(LIMIT, restore_point_collections=points(1)))
    assert found.verdicts["restore_point_limit_reached"] is Verdict.POSSIBLE


def test_a_cause_that_the_message_names_is_checked_though_the_code_does_not_list_it() -> None:
    error = replace(LIMIT, message="Failed to install Visual C++ Redistributable")
    assert "vcredist_missing" in diagnose(FAILED, error, readings(error)).verdicts


def test_a_fact_that_could_not_be_read_makes_the_finding_unknown_and_says_why() -> None:
    missing = Unknown(Reason.FORBIDDEN, "Microsoft.Authorization/locks/read")
    found = diagnose(FAILED, LIMIT, readings(LIMIT, restore_point_group_locks=missing))
    finding = next(finding for finding in found.findings if finding.cause == "restore_point_group_locked")
    assert (finding.verdict, finding.why) == (Verdict.UNKNOWN, missing)


def test_a_check_that_can_do_without_a_fact_is_asked() -> None:
    assert "guest_events" in cause("agent_unresponsive_windows").optional
    assert "restore_point_activity" not in cause("disk_sas_outstanding").optional


def test_a_check_that_breaks_is_unknown_and_the_others_live() -> None:
    def broken(agent: object) -> Opinion:
        raise ZeroDivisionError

    window = window_of(FAILED, LIMIT, {})
    assert _opinion(Cause("broken", broken, ("agent",)), {"agent": reading(None)}, window, {}).why == Unknown(Reason.CHECK_BROKE)


def test_without_a_job_the_window_is_the_two_hours_before_the_alert() -> None:
    window = window_of(FAILURE, LIMIT, {})
    assert (window.start, window.end) == (NOW - timedelta(hours=2), NOW)


def test_evidence_says_its_value_where_it_was_read_and_when() -> None:
    found = diagnose(FAILED, LIMIT, readings(LIMIT, restore_point_group_locks=(LOCK,)))
    evidence = found.findings[0].evidence[0]
    assert evidence.value == ["keep (CanNotDelete, 2026-08-24 20:00 UTC) /subscriptions/s"]
    assert (evidence.source, evidence.read_at) == ("Microsoft.Authorization/locks", NOW)


def test_a_cause_of_the_other_system_is_left_out_and_of_both_kept_when_the_system_is_unknown() -> None:
    windows = cause("agent_unresponsive_windows")
    assert applies(windows, Os.WINDOWS)
    assert not applies(windows, Os.LINUX)
    assert applies(windows, None)


def test_values_become_plain_json() -> None:
    assert plain(()) == []
    assert plain(True) is True
    assert plain(Unknown(Reason.FAILED)) is None
    assert plain(NOW) == "2026-11-22 20:00 UTC"
    assert plain(Os.LINUX) == "Linux"
    assert plain({"a": 1}) == ["a: 1"]
