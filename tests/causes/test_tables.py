"""All decision tables together: no line without a case, and what must never happen whatever the world is like."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import DataObject, data, sampled_from, sets

from handlers.diagnosis import catalogue
from handlers.diagnosis.diagnose import floored
from handlers.model import Line, Opinion, Reason, Unknown, Verdict, confirmed, decide, possible, ruled_out, undecided
from handlers.model.words import UNREAD
from tests.causes.cases import CONFIRMED, FORBIDDEN, POSSIBLE, RULED_OUT, SHARED, UNKNOWN, WINDOW, Case, opinion_of, values_of
from tests.conftest import ROOT
from tools.docs import decision_lines

FILES = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_tables")
CASES: list[Case] = [case for name in FILES for case in importlib.import_module(f"tests.causes.{name}").CASES]
TABLES = [folder / "shared" / "facts" / "causes.yaml" for folder in ROOT.parents]
DOCUMENTED = next((path for path in TABLES if path.exists()), TABLES[0])
"""The documented decision tables, where they lie beside the project."""
NOT_BUILT = {
    ("agent_certificate_missing", 3): "guest probe",
    ("agent_extensions_switched_off", 4): "guest probe",
    ("agent_not_installed", 3): "guest probe",
    ("agent_stopped_linux", 3): "guest probe",
    ("antivirus_blocking", 7): "guest probe: the folder of the extension",
    ("bitlocker_locked", 2): "guest probe",
    ("bitlocker_locked", 3): "guest probe",
    ("bitlocker_locked", 4): "guest probe",
    ("com_plus_stopped", 4): "guest probe: that both can be started, and the account",
    ("database_script_misconfigured", 2): "the documentation calls linuxVmApplicationName only a name of the VM",
    ("database_script_misconfigured", 3): "guest probe",
    ("dhcp_disabled", 3): "guest probe",
    ("dhcp_disabled", 4): "guest probe",
    ("dhcp_disabled", 5): "guest probe",
    ("key_from_certificate", 1): "only the key vault's data says `managed`, and no right on data is asked for",
    ("key_from_certificate", 4): "only the key vault's data says `managed`, and no right on data is asked for",
    (
        "shut_down_from_guest",
        4,
    ): "the console is a blob behind a signed address, which takes an action right, and it shows now, not then",
    ("dotnet_broken", 2): "guest probe",
    ("dotnet_broken", 3): "guest probe",
    ("dotnet_broken", 4): "guest probe",
    ("duplicate_mounts", 2): "guest probe",
    ("duplicate_mounts", 3): "guest probe",
    ("duplicate_mounts", 4): "guest probe",
    ("extension_files_missing", 2): "guest probe",
    ("extension_files_missing", 4): "guest probe",
    ("fs_freeze_failed", 2): "guest probe",
    ("fs_freeze_failed", 4): "guest probe",
    ("machine_keys_permissions_changed", 2): "guest probe",
    ("machine_keys_permissions_changed", 3): "guest probe",
    ("many_disks_linux", 2): "guest probe",
    ("mount_inaccessible", 2): "guest probe",
    ("mount_inaccessible", 3): "guest probe",
    ("mount_inaccessible", 4): "guest probe",
    ("proxy_interferes", 2): "guest probe",
    ("proxy_interferes", 3): "guest probe",
    ("proxy_interferes", 4): "guest probe",
    ("python_missing_linux", 2): "guest probe",
    ("python_missing_linux", 3): "guest probe",
    ("python_missing_linux", 4): "guest probe",
    ("script_failed", 2): "guest probe",
    ("script_failed", 3): "guest probe",
    ("selinux_blocking", 4): "guest probe",
    ("tls_too_weak", 2): "guest probe",
    ("tls_too_weak", 3): "guest probe",
    ("tls_too_weak", 4): "guest probe",
    ("vcredist_missing", 2): "guest probe",
    ("vcredist_missing", 5): "guest probe",
    ("vmbackup_conf_not_ascii", 2): "guest probe",
    ("vmbackup_conf_not_ascii", 3): "guest probe",
    ("vss_provider_not_registered", 2): "guest probe",
    ("vss_provider_not_registered", 3): "guest probe",
    ("vss_provider_not_registered", 4): "guest probe",
    ("vss_service_failed", 3): "guest probe: that it can be started",
    ("vss_writer_failed", 3): "guest probe",
    ("vss_writer_failed", 5): "guest probe",
    ("wireserver_blocked", 2): "guest probe",
    ("wireserver_blocked", 3): "guest probe",
    ("wireserver_blocked", 5): "guest probe",
    ("wireserver_blocked", 6): "guest probe",
}


@cache
def documented_causes() -> dict[str, Any]:
    import yaml

    return {entry["id"]: entry for entry in yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8"))["causes"]}


@pytest.mark.parametrize("cause_id", catalogue.all_causes())
def test_every_line_of_a_check_decides_some_case(cause_id: str) -> None:
    decided = {opinion_of(case).line for case in CASES if case.cause == cause_id}
    assert [text for _, text in decision_lines(cause_id) if text not in decided] == []


@pytest.mark.skipif(not DOCUMENTED.exists(), reason="the documented tables are not here")
@pytest.mark.parametrize("cause_id", catalogue.all_causes())
def test_every_documented_line_has_a_case_or_a_reason(cause_id: str) -> None:
    documented = {(cause_id, number) for number, _ in enumerate(documented_causes().get(cause_id, {}).get("verdicts", ()), 1)}
    tested = {(case.cause, case.line) for case in CASES}
    assert sorted(documented - tested - NOT_BUILT.keys()) == []
    assert sorted({key for key in tested if key[0] == cause_id and documented} - documented) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_unread_fact_rules_nothing_out_that_it_could_speak_for(case: Case) -> None:
    """What is ruled out without a fact, or without a part of the window, is not even possible whatever that says.

    A table may rule out by what the job itself shows (its snapshot was taken, the extension ran, no agent was needed): that holds
    whatever else is read. What only the guest could tell, and no workspace collects, does not count: the tables say so.
    """
    for name in named_by(case):
        assert_nothing_is_ruled_out_that_could_be(case, (name,), Reason.FORBIDDEN)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data())
def test_any_facts_together_that_azure_did_not_tell_rule_nothing_out_that_they_could_speak_for(drawn: DataObject) -> None:
    case = drawn.draw(sampled_from(CASES))
    names = drawn.draw(sets(sampled_from(named_by(case)), min_size=1))
    assert_nothing_is_ruled_out_that_could_be(case, tuple(sorted(names)), drawn.draw(sampled_from(sorted(UNREAD))))


def assert_nothing_is_ruled_out_that_could_be(case: Case, names: tuple[str, ...], why: Reason) -> None:
    opinion = with_values(case, dict.fromkeys(names, Unknown(why)))
    if opinion.verdict is RULED_OUT:
        worlds = [{name: value_of(other, name) for name in names} for other in CASES if other.cause == case.cause]
        told = [world for world in worlds if not any(isinstance(value, Unknown) for value in world.values())]
        others = {with_values(case, world).verdict for world in told}
        assert others <= {RULED_OUT, UNKNOWN}, f"{opinion.line}: {names} could say otherwise"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_unread_fact_never_makes_a_verdict_more_certain(case: Case) -> None:
    certainty = {UNKNOWN: 0, POSSIBLE: 1, CONFIRMED: 2, RULED_OUT: 2}
    before = opinion_of(case).verdict
    for name in catalogue.cause(case.cause).facts:
        if name not in ("window", "attempt", "members", "power_state"):
            after = without(case, name).verdict
            assert certainty[after] <= max(certainty[before], 1), name
            assert {before, after} != {CONFIRMED, RULED_OUT}, name


@pytest.mark.parametrize("case", [case for case in CASES if case.verdict is UNKNOWN and "not be read" in case.about], ids=str)
def test_what_could_not_be_read_keeps_a_cause_unknown_that_the_code_states(case: Case) -> None:
    """A part of a fact too, such as one disk of several: it is no less unread than a whole fact."""
    values = [values_of(case)[name] for name in catalogue.cause(case.cause).facts]
    assert floored(opinion_of(case), [value for value in values if isinstance(value, Unknown)]).verdict is UNKNOWN


UNDATED = {
    ("agent_not_installed", 4): "what never was has no begin",
    ("vm_deleted_or_moved", 1): "the code itself says it of that time",
    ("restore_cross_subscription", 1): "the job's own operation moves with it",
    ("transfer_slow", 1): "the job's own tasks move with it",
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.verdict is CONFIRMED and (case.cause, case.line) not in UNDATED], ids=str
)
def test_what_began_after_the_job_is_never_confirmed(case: Case) -> None:
    """The same world, seen from a job that ran three years earlier: what is there now began, or is known, only after it."""
    window = values_of(case)["window"]
    year = timedelta(days=365 * 3)
    job = window.job and replace(window.job, started_at=window.start - year, ended_at=window.end - year)
    earlier = replace(window, start=window.start - year, end=window.end - year, job=job, last_good=None, message="")
    assert opinion_of(case, window=earlier, attempt=earlier).verdict is not CONFIRMED


@pytest.mark.parametrize("cause_id", catalogue.all_causes())
def test_a_check_breaks_on_nothing_that_could_not_be_read(cause_id: str) -> None:
    cases = [case for case in CASES if case.cause == cause_id]
    unread = {name: FORBIDDEN for name in catalogue.cause(cause_id).facts if name not in ("window", "attempt", "members")}
    window = replace(
        values_of(cases[0])["window"], **dict.fromkeys(SHARED.values(), FORBIDDEN), activity=FORBIDDEN, last_good=FORBIDDEN
    )
    bare = replace(window, job=None, message="", states=False, category="")
    opinion = opinion_of(cases[0], **unread, window=bare, attempt=bare)
    assert opinion.verdict in (UNKNOWN, POSSIBLE)


def named_by(case: Case) -> list[str]:
    """The facts that a cause names and, as `window.…`, those that only its window is made of."""
    facts = [
        name for name in catalogue.cause(case.cause).facts if name not in ("window", "attempt", "members", "power_state", "job")
    ]
    parts = [name for name in WINDOW if name not in ("job", "category") and name not in SHARED.values()]
    return facts + [f"window.{name}" for name in parts if "window" in catalogue.cause(case.cause).facts]


def value_of(case: Case, name: str) -> Any:
    values = values_of(case)
    return getattr(values["window"], name.removeprefix("window.")) if name.startswith("window.") else values[name]


def with_values(case: Case, values: Mapping[str, Any]) -> Opinion:
    """The opinion when facts or parts of the window are others."""
    parts = {name.removeprefix("window."): value for name, value in values.items() if name.startswith("window.")}
    facts = {name: value for name, value in values.items() if not name.startswith("window.")}
    parts |= {SHARED[name]: value for name, value in facts.items() if name in SHARED}
    return opinion_of(case, **facts, window=replace(values_of(case)["window"], **parts))


def without(case: Case, name: str) -> Opinion:
    return with_value(case, name, FORBIDDEN)


def with_value(case: Case, name: str, value: Any) -> Opinion:
    """The opinion when a fact is another, in the window too."""
    window = values_of(case)["window"]
    return opinion_of(case, **{name: value}, window=replace(window, **{SHARED[name]: value}) if name in SHARED else window)


# ------------------------------------------------------------------ how a table is read


def line(verdict: Verdict, holds: bool | None, why: Reason = Reason.FORBIDDEN) -> Line:
    when = undecided(why) if holds is None else holds
    make: Any = {CONFIRMED: confirmed, POSSIBLE: possible, RULED_OUT: ruled_out}[verdict]
    made: Line = make(verdict.value, when)
    return made


def test_the_first_line_that_holds_gives_the_verdict() -> None:
    assert decide(line(CONFIRMED, False), line(POSSIBLE, True), line(RULED_OUT, True)).verdict is POSSIBLE


def test_when_none_holds_the_first_that_cannot_be_decided_says_why() -> None:
    opinion = decide(line(CONFIRMED, False), line(POSSIBLE, None, Reason.THROTTLED), line(RULED_OUT, None))
    assert (opinion.verdict, opinion.why) == (UNKNOWN, Unknown(Reason.THROTTLED))


def test_below_a_line_that_azure_did_not_let_us_decide_nothing_is_certain() -> None:
    assert decide(line(RULED_OUT, None), line(CONFIRMED, True)).verdict is POSSIBLE
    assert decide(line(CONFIRMED, None), line(RULED_OUT, True)).verdict is UNKNOWN
    assert decide(line(CONFIRMED, None), line(CONFIRMED, True)).verdict is CONFIRMED


def test_what_only_the_guest_could_tell_does_not_weaken_what_azure_tells() -> None:
    assert decide(line(CONFIRMED, None, Reason.NO_WORKSPACE), line(RULED_OUT, True)).verdict is RULED_OUT


def test_what_the_code_states_is_never_ruled_out_and_unknown_only_where_azure_did_not_tell() -> None:
    against = floored(Opinion(RULED_OUT), ())
    assert (against.verdict, against.contrary) == (POSSIBLE, True)
    assert floored(Opinion(UNKNOWN, why=Unknown(Reason.GUEST_ONLY)), ()).verdict is POSSIBLE
    assert floored(Opinion(UNKNOWN, why=FORBIDDEN), ()).verdict is UNKNOWN
    assert floored(Opinion(UNKNOWN, why=Unknown(Reason.GUEST_ONLY)), (FORBIDDEN,)).verdict is UNKNOWN
    assert floored(Opinion(CONFIRMED), ()).verdict is CONFIRMED
