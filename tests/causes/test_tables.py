"""All decision tables together: no line without a case, and what must never happen whatever the world is like."""

from __future__ import annotations

import importlib
from copy import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handlers.diagnosis import catalogue
from handlers.diagnosis.diagnose import floored
from handlers.model import Line, Opinion, Reason, Unknown, Verdict, confirmed, decide, possible, ruled_out, undecided
from tests.causes.cases import CONFIRMED, FORBIDDEN, POSSIBLE, RULED_OUT, SHARED, UNKNOWN, Case, opinion_of, values_of
from tests.conftest import ROOT
from tools.docs import decision_lines

FILES = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_tables")
CASES: list[Case] = [case for name in FILES for case in importlib.import_module(f"tests.causes.{name}").CASES]
TABLES = [folder / "shared" / "facts" / "causes.yaml" for folder in ROOT.parents]
DOCUMENTED = next((path for path in TABLES if path.exists()), TABLES[0])
"""The documented decision tables, where they lie beside the project."""
NOT_BUILT = {
    ("agent_extensions_switched_off", 4): "guest probe",
    ("agent_not_installed", 3): "guest probe",
    ("agent_stopped_linux", 3): "guest probe",
    ("antivirus_blocking", 7): "guest probe: the folder of the extension",
    ("dhcp_disabled", 3): "guest probe",
    ("dhcp_disabled", 4): "guest probe",
    ("dhcp_disabled", 5): "guest probe",
    ("key_from_certificate", 1): "the vault's data is never read",
    ("key_from_certificate", 2): "the vault's data is never read",
    ("key_from_certificate", 4): "the vault's data is never read",
    ("key_vault_permissions_missing", 1): "the object id of Azure Backup's principal is not known",
    ("key_vault_permissions_missing", 5): "the object id of Azure Backup's principal is not known",
    ("shut_down_from_guest", 4): "boot diagnostics are not read",
    ("snapshot_status_unavailable", 3): "some members are not causes of this project",
    ("vcredist_missing", 2): "guest probe",
    ("vcredist_missing", 5): "guest probe",
    ("vss_provider_not_registered", 2): "guest probe",
    ("vss_provider_not_registered", 3): "guest probe",
    ("vss_provider_not_registered", 4): "guest probe",
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
def test_an_unread_fact_rules_nothing_out_that_another_value_of_it_would_not(case: Case) -> None:
    """What is ruled out without a fact is ruled out whatever the fact says."""
    for name in catalogue.cause(case.cause).facts:
        if name in ("window", "attempt", "members", "power_state"):
            continue
        if without(case, name).verdict is RULED_OUT:
            others = [values_of(other)[name] for other in CASES if other.cause == case.cause]
            verdicts = {with_value(case, name, value).verdict for value in others if not isinstance(value, Unknown)}
            assert verdicts <= {RULED_OUT}, f"{name} was not read"


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
