"""agent_unresponsive_windows, agent_stopped_linux, agent_outdated_linux, agent_outdated_windows, agent_not_installed,
agent_extensions_switched_off, wireserver_blocked, dhcp_disabled: what the guest agent's report confirms and excludes."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.causes import (
    agent_extensions_switched_off,
    agent_not_installed,
    agent_outdated_linux,
    agent_outdated_windows,
    agent_stopped_linux,
    agent_unresponsive_windows,
    dhcp_disabled,
    version_of,
    wireserver_blocked,
)
from handlers.model import Agent, Extension, Heartbeats, Opinion, Os, Reason, Unknown, Verdict

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
NO_LOGS = Unknown(Reason.NO_WORKSPACE)


def agent(minutes_ago: int = 1, *, ready: bool = True, version: str = "2.13.1.1") -> Agent:
    return Agent(ready, "Ready" if ready else "Not Ready", version, reported_at=NOW - timedelta(minutes=minutes_ago))


def unresponsive(
    found: Agent | None, *, failed_hours_ago: float = 0.1, power: str = "running", beats: Heartbeats | Unknown = NO_LOGS
) -> Opinion:
    return agent_unresponsive_windows.check(found, power, beats, NOW - timedelta(hours=failed_hours_ago), NOW)


def test_an_agent_that_is_not_ready_is_confirmed() -> None:
    assert unresponsive(agent(ready=False)).verdict is Verdict.CONFIRMED


def test_a_ready_that_was_reported_long_ago_is_no_ready() -> None:
    assert unresponsive(agent(minutes_ago=40)).verdict is Verdict.CONFIRMED


def test_an_agent_that_is_ready_right_after_the_failure_is_ruled_out() -> None:
    assert unresponsive(agent()).verdict is Verdict.RULED_OUT


def test_an_agent_that_is_ready_now_may_not_have_been_when_the_job_failed() -> None:
    opinion = unresponsive(agent(), failed_hours_ago=9)
    assert opinion.verdict is Verdict.POSSIBLE
    assert opinion.evidence["agent"].reported_at - opinion.evidence["failed_at"] > timedelta(hours=8)


def test_heartbeats_without_a_gap_prove_that_it_was_there() -> None:
    assert unresponsive(agent(), failed_hours_ago=9, beats=Heartbeats(600, 2)).verdict is Verdict.RULED_OUT
    assert unresponsive(agent(), failed_hours_ago=9, beats=Heartbeats(300, 45)).verdict is Verdict.POSSIBLE


@pytest.mark.parametrize("power", ["deallocated", "stopped", "starting"])
def test_a_vm_that_does_not_run_has_no_agent_status_by_design(power: str) -> None:
    opinion = unresponsive(None, power=power)
    assert opinion.verdict is Verdict.UNKNOWN
    assert opinion.why == Unknown(Reason.VM_NOT_RUNNING)


def test_an_agent_that_never_reported_is_possible() -> None:
    assert unresponsive(None).verdict is Verdict.POSSIBLE


def test_linux_is_judged_the_same_way() -> None:
    assert agent_stopped_linux.check(agent(ready=False), "running", NO_LOGS, NOW, NOW).verdict is Verdict.CONFIRMED
    assert agent_stopped_linux.OS is Os.LINUX


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("2.2.45", Verdict.CONFIRMED),
        ("2.2.53.1", Verdict.RULED_OUT),
        ("2.13.1.1", Verdict.RULED_OUT),
        ("", Verdict.UNKNOWN),
        ("2.x", Verdict.UNKNOWN),
    ],
)
def test_a_linux_agent_below_2_2_53_1_is_outdated(version: str, verdict: Verdict) -> None:
    assert agent_outdated_linux.check(agent(version=version), "running").verdict is verdict


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("2.6.1198.717", Verdict.CONFIRMED),
        ("2.7.41491.949", Verdict.POSSIBLE),
        ("2.7.41491.1010", Verdict.RULED_OUT),
        ("", Verdict.UNKNOWN),
    ],
)
def test_a_windows_agent_between_both_floors_is_possible(version: str, verdict: Verdict) -> None:
    assert agent_outdated_windows.check(agent(version=version), "running").verdict is verdict


def test_versions_are_compared_as_numbers() -> None:
    assert version_of(agent(version="2.10.0.0")) > version_of(agent(version="2.9.9.9"))  # type: ignore[operator]


def test_an_image_without_the_agent_is_confirmed_unless_one_reports() -> None:
    assert agent_not_installed.check(None, False, "running").verdict is Verdict.CONFIRMED
    assert agent_not_installed.check(agent(), False, "running").verdict is Verdict.RULED_OUT
    assert agent_not_installed.check(None, True, "running").verdict is Verdict.POSSIBLE
    assert agent_not_installed.check(None, None, "deallocated").verdict is Verdict.UNKNOWN


def test_an_agent_that_was_ready_then_reached_the_host() -> None:
    assert wireserver_blocked.check(agent(), "running", NO_LOGS, NOW).verdict is Verdict.RULED_OUT


@pytest.mark.parametrize("beats", [NO_LOGS, Heartbeats(600, 2)])
def test_a_report_from_hours_before_the_failure_proves_nothing(beats: Heartbeats | Unknown) -> None:
    """Heartbeats come from the monitoring agent: they prove the OS, and not a guest agent that has gone silent."""
    opinion = wireserver_blocked.check(agent(minutes_ago=180), "running", beats, NOW)
    assert opinion.why == Unknown(Reason.GUEST_ONLY)


@pytest.mark.parametrize("found", [None, agent(ready=False)])
def test_only_the_guest_can_tell_whether_the_host_is_blocked(found: Agent | None) -> None:
    opinion = wireserver_blocked.check(found, "running", NO_LOGS, NOW)
    assert opinion.why == Unknown(Reason.GUEST_ONLY)


def test_only_the_guest_can_tell_whether_dhcp_is_off() -> None:
    assert dhcp_disabled.check(agent()).why == Unknown(Reason.GUEST_ONLY)
    assert dhcp_disabled.check(Unknown(Reason.FORBIDDEN)).verdict is Verdict.UNKNOWN


def test_a_ready_agent_without_any_working_extension_hints_at_the_switch() -> None:
    good = Extension("x", "Publisher.Type", state="succeeded")
    assert agent_extensions_switched_off.check(agent(), (), NOW).verdict is Verdict.POSSIBLE
    assert agent_extensions_switched_off.check(agent(), (good,), NOW).verdict is Verdict.RULED_OUT
    assert agent_extensions_switched_off.check(agent(ready=False), (), NOW).verdict is Verdict.UNKNOWN
