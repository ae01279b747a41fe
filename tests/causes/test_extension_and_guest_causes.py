"""backup_extension_failed, other_extension_failed, extensions_not_allowed, snapshot_status_unavailable, no_outbound_access,
os_disk_full, app_control_blocking, antivirus_blocking, vcredist_missing, vss_provider_not_registered."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.causes import (
    antivirus_blocking,
    app_control_blocking,
    backup_extension_failed,
    extensions_not_allowed,
    no_outbound_access,
    os_disk_full,
    other_extension_failed,
    snapshot_status_unavailable,
    vcredist_missing,
    vss_provider_not_registered,
)
from handlers.model import Agent, Extension, GuestEvents, OutboundAccess, PowerOperation, Reason, Unknown, Verdict

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
READY = Agent(True, "Ready", "2.13.1.1", reported_at=NOW)
AWAY = Agent(False, "Not Ready", reported_at=NOW)
NOTHING_NEEDED = OutboundAccess(())
UNREAD = Unknown(Reason.FORBIDDEN)


def backup(state: str, at: datetime | None = None) -> Extension:
    return Extension("VMSnapshot", "Microsoft.Azure.RecoveryServices.VMSnapshot", state=state, at=at)


def other(state: str, at: datetime | None = None) -> Extension:
    return Extension("Monitor", "Microsoft.Azure.Monitor.Agent", state=state, at=at)


@pytest.mark.parametrize(
    ("extensions", "agent", "verdict"),
    [
        ((backup("failed/1"),), READY, Verdict.CONFIRMED),
        ((backup("failed/1"),), AWAY, Verdict.CONFIRMED),
        ((backup("succeeded"),), READY, Verdict.RULED_OUT),
        ((backup("succeeded"),), AWAY, Verdict.UNKNOWN),
        ((backup("transitioning"),), READY, Verdict.POSSIBLE),
        ((backup("succeeded", NOW + timedelta(minutes=5)),), READY, Verdict.POSSIBLE),
        ((), READY, Verdict.UNKNOWN),
        ((other("failed/1"),), READY, Verdict.UNKNOWN),
    ],
)
def test_the_backup_extension_is_judged_by_its_own_status(
    extensions: tuple[Extension, ...], agent: Agent, verdict: Verdict
) -> None:
    assert backup_extension_failed.check(extensions, agent, NOW, NOW).verdict is verdict


@pytest.mark.parametrize(
    ("extensions", "agent", "verdict"),
    [
        ((other("failed/1"), backup("succeeded")), READY, Verdict.CONFIRMED),
        ((backup("failed/1"),), READY, Verdict.RULED_OUT),
        ((other("updating", NOW - timedelta(minutes=10)),), READY, Verdict.POSSIBLE),
        ((other("updating", NOW - timedelta(minutes=91)),), READY, Verdict.CONFIRMED),
        ((other("succeeded"),), AWAY, Verdict.UNKNOWN),
    ],
)
def test_another_extension_counts_when_it_failed_or_is_stuck(
    extensions: tuple[Extension, ...], agent: Agent, verdict: Verdict
) -> None:
    opinion = other_extension_failed.check(extensions, agent, NOW)
    assert opinion.verdict is verdict
    assert all(not extension.is_backup for extension in opinion.evidence.get("extensions", ()))


def test_extensions_may_be_forbidden_by_the_vms_profile() -> None:
    assert extensions_not_allowed.check(False, ()).verdict is Verdict.CONFIRMED
    assert extensions_not_allowed.check(True, ()).verdict is Verdict.RULED_OUT
    assert extensions_not_allowed.check(None, (backup("succeeded"),)).verdict is Verdict.RULED_OUT
    assert extensions_not_allowed.check(None, ()).verdict is Verdict.UNKNOWN


def test_stopped_without_a_stop_through_azure_means_shut_down_from_inside() -> None:
    assert snapshot_status_unavailable.check("stopped", (), NOTHING_NEEDED).verdict is Verdict.CONFIRMED
    stopped = (PowerOperation("poweroff", NOW),)
    assert snapshot_status_unavailable.check("stopped", stopped, NOTHING_NEEDED).verdict is Verdict.UNKNOWN
    assert snapshot_status_unavailable.check("stopped", UNREAD, NOTHING_NEEDED).verdict is Verdict.POSSIBLE


def test_a_running_vm_leaves_dhcp_which_only_the_guest_can_tell() -> None:
    assert snapshot_status_unavailable.check("running", (), NOTHING_NEEDED).why == Unknown(Reason.GUEST_ONLY)


def test_a_snapshot_cannot_be_taken_when_needed_storage_is_out_of_reach() -> None:
    denied = OutboundAccess(("unmanaged_disk",), allowed=False, decided_by="nsg/rule")
    assert snapshot_status_unavailable.check("running", (), denied).verdict is Verdict.CONFIRMED


@pytest.mark.parametrize(
    ("access", "verdict"),
    [
        (OutboundAccess(()), Verdict.RULED_OUT),
        (OutboundAccess(("write_accelerator",), allowed=False), Verdict.CONFIRMED),
        (OutboundAccess(("write_accelerator",), allowed=True), Verdict.RULED_OUT),
        (OutboundAccess(("workload",), allowed=None, decided_by="rt/to-firewall"), Verdict.UNKNOWN),
    ],
)
def test_outbound_access_matters_only_where_something_needs_it(access: OutboundAccess, verdict: Verdict) -> None:
    assert no_outbound_access.check(access).verdict is verdict


@pytest.mark.parametrize(("free", "verdict"), [(3.0, Verdict.CONFIRMED), (7.0, Verdict.POSSIBLE), (10.0, Verdict.RULED_OUT)])
def test_a_system_disk_below_five_percent_is_full(free: float, verdict: Verdict) -> None:
    assert os_disk_full.check(free).verdict is verdict


def test_without_a_log_only_the_guest_knows_its_free_space() -> None:
    assert os_disk_full.check(Unknown(Reason.NO_WORKSPACE)).why == Unknown(Reason.GUEST_ONLY)


def test_events_of_the_guest_confirm_only_where_they_are_collected() -> None:
    for check in (antivirus_blocking.check, app_control_blocking.check):
        assert check(GuestEvents(True, ("20:00 1000",))).verdict is Verdict.CONFIRMED
        assert check(GuestEvents(True)).verdict is Verdict.RULED_OUT
        assert check(GuestEvents(False)).verdict is Verdict.UNKNOWN
        assert check(UNREAD).why == Unknown(Reason.GUEST_ONLY)


def test_a_message_that_names_the_part_makes_it_possible() -> None:
    assert vcredist_missing.check("Failed to install Visual C++ Redistributable").verdict is Verdict.POSSIBLE
    assert vcredist_missing.check("an internal error").verdict is Verdict.UNKNOWN
    assert vss_provider_not_registered.check("IaasVmProvider is not registered").verdict is Verdict.POSSIBLE
    assert vss_provider_not_registered.check("").verdict is Verdict.UNKNOWN
