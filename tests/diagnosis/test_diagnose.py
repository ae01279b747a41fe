"""Findings: ordered by verdict, honest about what could not be read, each value with its source and time."""

from datetime import UTC, datetime

from handlers.diagnosis.catalogue import Cause, cause, entries
from handlers.diagnosis.diagnose import _find, applies, diagnose, facts_needed, plain
from handlers.model import Alert, Error, Failure, Lock, Opinion, Os, Reading, Reason, Unknown, Verdict, VirtualMachine

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FAILURE = Failure(Alert("azure_backup"), None, NOW, workload="AzureIaasVM")


def reading(value: object) -> Reading:
    return Reading(value, "Microsoft.Authorization/locks", NOW)


def test_findings_are_ordered_by_verdict_then_as_documented() -> None:
    error = Error("UserErrorRpCollectionLimitReached", in_catalogue=True)
    values: dict[str, Reading] = {name: reading(Unknown(Reason.FORBIDDEN)) for name in facts_needed(FAILURE, error)}
    values |= {
        "restore_point_collections": reading(()),
        "disks": reading(()),
        "vm": reading(VirtualMachine("", "", "", Os.LINUX, "")),
    }
    findings = diagnose(FAILURE, error, values).findings
    documented = entries()[error.code].causes
    places = [(list(Verdict).index(finding.verdict), documented.index(finding.cause)) for finding in findings]
    assert places == sorted(places)
    assert {finding.verdict for finding in findings} >= {Verdict.UNKNOWN, Verdict.RULED_OUT}
    assert {finding.cause for finding in findings} == set(documented)


def test_a_fact_that_could_not_be_read_makes_the_finding_unknown_before_the_check_runs() -> None:
    missing = Unknown(Reason.FORBIDDEN, "Microsoft.Authorization/locks/read")
    finding = _find(cause("restore_point_group_locked"), {"restore_point_group_locks": reading(missing)})
    assert (finding.verdict, finding.why) == (Verdict.UNKNOWN, missing)


def test_a_check_that_can_do_without_a_fact_is_asked() -> None:
    assert "power_operations" in cause("snapshot_status_unavailable").optional
    values = {
        "power_state": reading("stopped"),
        "power_operations": reading(Unknown(Reason.FORBIDDEN)),
        "outbound_access": reading(Unknown(Reason.FAILED)),
    }
    assert _find(cause("snapshot_status_unavailable"), values).verdict is Verdict.POSSIBLE


def test_a_check_that_breaks_is_unknown_and_the_others_live() -> None:
    def broken(agent: object) -> Opinion:
        raise ZeroDivisionError

    finding = _find(Cause("broken", broken, ("agent",)), {"agent": reading(None)})
    assert finding.why == Unknown(Reason.CHECK_BROKE)


def test_evidence_says_its_value_where_it_was_read_and_when() -> None:
    lock = Lock("/id", "keep", "CanNotDelete", "/subscriptions/s")
    finding = _find(cause("restore_point_group_locked"), {"restore_point_group_locks": reading((lock,))})
    evidence = finding.evidence[0]
    assert evidence.value == ["keep (CanNotDelete) /subscriptions/s"]
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
