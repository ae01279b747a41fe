"""`make run`: one line per ticket, and an honest count of those that never came."""

from __future__ import annotations

import pytest

from sandbox.__main__ import Report, _port, main
from sandbox.scenario import load_scenarios
from sandbox.ticket_desk import Ticket

SCENARIOS = [scenario for scenario in load_scenarios() if scenario.name in ("vm_deleted", "throttled")]


def event(subscription: str) -> dict[str, object]:
    finding = {"verdict": "confirmed", "cause": "vm_deleted_or_moved"}
    return {
        "type": "incident.opened",
        "data": {"vm": {"subscription_id": subscription}, "error": {"code": "X"}, "findings": [finding]},
    }


def test_a_ticket_that_never_came_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(SCENARIOS)
    gone = next(scenario for scenario in SCENARIOS if scenario.name == "vm_deleted")
    report.arrived(Ticket(1, "a"), event(gone.subscription))
    report.finish()
    shown = capsys.readouterr().out
    assert "DESK-1   vm_deleted" in shown
    assert "confirmed: vm_deleted_or_moved" in shown
    assert "NO TICKET  throttled" in shown
    assert "1 of 2 scenarios have their ticket" in shown
    assert [scenario.name for scenario in report.missing.values()] == ["throttled"]


def test_an_unknown_scenario_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenario", "no_such_thing"]) == 2
    assert "no_such_thing" in capsys.readouterr().err


def test_a_port_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_PORT", "many")
    with pytest.raises(SystemExit, match="DESK_PORT"):
        _port("DESK_PORT")
