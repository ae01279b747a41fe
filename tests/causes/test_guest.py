"""backup_extension_failed, other_extension_failed, no_outbound_access, os_disk_full, app_control_blocking, antivirus_blocking,
vcredist_missing, vss_provider_not_registered, snapshot_status_unavailable, platform_incident, vm_deleted_or_moved."""

from __future__ import annotations

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.model import (
    Availability,
    Extension,
    FreeSpace,
    GuestEvent,
    OutboundAccess,
    Peers,
    Reading,
    Reason,
    ServiceIssue,
    Unknown,
    Verdict,
)
from tests.causes.cases import (
    AGENTLESS,
    BACKUP,
    CONFIRMED,
    FORBIDDEN,
    GOOD_START,
    NO_LOGS,
    NOW,
    OTHER,
    POSSIBLE,
    RULED_OUT,
    SILENT,
    SNAPPED,
    UNKNOWN,
    VM,
    WINDOW,
    Case,
    Table,
    ago,
    done,
    events,
    log,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
NEVER_GOOD = {"last_good": None}
IN_WINDOW, YEARS_AGO, AFTER = ago(minutes=20), ago(days=700), ago(minutes=2)

own = Table("backup_extension_failed", STATED)
FAILED = replace(BACKUP, state="failed/1")
own(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, extensions=(FAILED,))
own(1, RULED_OUT, "the policy needs no extension", {"policy": AGENTLESS}, extensions=(FAILED,), snapshot_policy=AGENTLESS)
own(2, POSSIBLE, "the message names VSS, whose cause comes first", {"message": "VSS writer in bad state"}, extensions=(FAILED,))
own(3, CONFIRMED, "failed, and read soon", extensions=(FAILED,))
own(3, CONFIRMED, "failed in the window by its own time", {"states": False}, extensions=(replace(FAILED, at=IN_WINDOW),))
own(3, CONFIRMED, "two readings show it failed", {
    "now": NOW + timedelta(hours=5), "availability": NO_LOGS, "earlier": {"extensions": Reading((FAILED,), "", NOW)},
}, extensions=(FAILED,), agent=replace(SILENT, ready=True, reported_at=NOW + timedelta(hours=5)), vm_availability=NO_LOGS)  # fmt: skip
own(4, POSSIBLE, "failed two years ago", extensions=(replace(FAILED, at=YEARS_AGO),))
own(4, POSSIBLE, "failed, but the VM was restarted since", {"activity": log(done("restart", AFTER))}, extensions=(FAILED,))
own(4, POSSIBLE, "changing", extensions=(replace(BACKUP, state="transitioning"),))
own(4, POSSIBLE, "it does not answer", extensions=(replace(BACKUP, state="unresponsive"),))
own(5, UNKNOWN, "not listed: normal before the first backup", extensions=(OTHER,))
own(5, UNKNOWN, "the agent does not report", agent=SILENT)
own(5, UNKNOWN, "it could not be read", extensions=FORBIDDEN)
own(5, UNKNOWN, "well now, without a time: it may have healed")
own(6, RULED_OUT, "succeeded in the window", extensions=(replace(BACKUP, at=IN_WINDOW),))

other = Table("other_extension_failed", LISTED)
BAD = replace(OTHER, state="failed/1")
BLAMED = replace(
    WINDOW["vm"],
    status="failed/vmextensionprovisioningerror",
    message="VM has reported a failure when processing extension 'Monitor'",
    status_at=ago(hours=5),
)
other(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, extensions=(BAD,))
other(2, CONFIRMED, "the VM's failed state names it, since last night", extensions=(BAD,), vm=BLAMED)
other(
    3, CONFIRMED, "failed between the last good backup and this one, by its own time", extensions=(replace(BAD, at=ago(hours=5)),)
)
other(3, CONFIRMED, "failed then by the activity log", {
    "activity": log(done("extensions/write", ago(hours=5), resource=f"{VM}/extensions/monitor", status="Failed"))}, extensions=(BAD,))  # fmt: skip
other(4, CONFIRMED, "stuck for three hours before the job", extensions=(replace(OTHER, state="updating", at=ago(hours=4)),))
other(5, POSSIBLE, "failed two years ago", extensions=(replace(BAD, at=YEARS_AGO),))
other(5, POSSIBLE, "failed after the job", extensions=(replace(BAD, at=AFTER),))
other(5, POSSIBLE, "failed, at a time that nobody tells", extensions=(BAD,))
other(5, POSSIBLE, "it does not answer", extensions=(replace(OTHER, state="notready"),))
other(5, POSSIBLE, "changing for ten minutes", extensions=(replace(OTHER, state="updating", at=ago(minutes=10)),))
other(6, UNKNOWN, "the agent does not report: the list may be old", extensions=(OTHER,), agent=SILENT)
other(6, UNKNOWN, "a status is empty", extensions=(replace(OTHER, state=""),), extension_names=("Monitor",))
other(6, UNKNOWN, "they could not be read", extensions=FORBIDDEN, agent=FORBIDDEN)
other(
    7,
    RULED_OUT,
    "all succeeded, and the VM's state is older than the job",
    extensions=(OTHER, BACKUP),
    extension_names=("Monitor",),
)
other(8, RULED_OUT, "there is no other", {"activity": log()}, extensions=(BACKUP,), vm=replace(WINDOW["vm"], status_at=None))

network = Table("no_outbound_access", LISTED)
NEEDED = ("unmanaged_disk",)
DENIED = OutboundAccess(NEEDED, denied_by="nsg-shop/DenyInternet", changes=log())
rule_written = replace(DENIED, changes=log(done("networksecuritygroups/securityrules/write", ago(hours=6))))
network(1, RULED_OUT, "nothing needs it", outbound_access=OutboundAccess(()))
network(2, CONFIRMED, "needed, and denied since the last good backup", outbound_access=rule_written)
network(2, CONFIRMED, "needed, denied, and no backup was ever good", NEVER_GOOD, outbound_access=DENIED)
network(3, POSSIBLE, "needed and denied, but backups succeeded with it", outbound_access=DENIED)
network(
    3,
    POSSIBLE,
    "denied since after the job",
    outbound_access=replace(DENIED, changes=log(done("networksecuritygroups/write", AFTER))),
)
network(
    4, UNKNOWN, "an appliance is in the path", outbound_access=OutboundAccess(NEEDED, hop="rt/out (0.0.0.0/0 VirtualAppliance)")
)
network(
    4, UNKNOWN, "the agent shows no version", outbound_access=OutboundAccess((), needs_unread=Unknown(Reason.AGENT_NOT_READY))
)
network(4, UNKNOWN, "a rule could not be read", outbound_access=FORBIDDEN)
network(
    4, UNKNOWN, "the VM's model was written since", {"activity": log(done("write", AFTER))}, outbound_access=OutboundAccess(())
)
network(
    5,
    RULED_OUT,
    "needed, allowed, and a known way out",
    outbound_access=OutboundAccess(NEEDED, way_out="nat_gateway", changes=log()),
)

disk = Table("os_disk_full", LISTED)


def free(percent: float, mount: str = "C:", minutes_ago: float = 20) -> FreeSpace:
    return FreeSpace(mount, ago(minutes=minutes_ago), percent)


AT_GOOD = (NOW - GOOD_START).total_seconds() / 60 - 10
disk(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, free_space=(free(1),))
disk(2, CONFIRMED, "the message says so, and 8 % were free", STATED, free_space=(free(8),))
disk(3, CONFIRMED, "3 % in the window, and 40 % at the last good backup", free_space=(free(3), free(40, minutes_ago=AT_GOOD)))
disk(
    3, CONFIRMED, "a separate /var is full while / is not", free_space=(free(60, "/"), free(2, "/var"), free(50, "/var", AT_GOOD))
)
disk(3, CONFIRMED, "less than a GiB is left", free_space=(FreeSpace("C:", IN_WINDOW, gib=0.4),))
disk(4, RULED_OUT, "every volume that reports had 10 % or more in the window", free_space=(free(30, "/"), free(25, "/var")))
disk(5, POSSIBLE, "7 % in the window", free_space=(free(7),))
disk(5, POSSIBLE, "as full at the last good backup", free_space=(free(3), free(3, minutes_ago=AT_GOOD)))
disk(5, POSSIBLE, "full at another time, and no sample of the window", free_space=(free(2, minutes_ago=600),))
disk(6, UNKNOWN, "/var has no sample of the window", free_space=(free(60, "/"), free(60, "/var", 600)))
disk(6, UNKNOWN, "no workspace", free_space=NO_LOGS)
disk(6, UNKNOWN, "a partial answer", free_space=Unknown(Reason.PARTIAL))

control = Table("app_control_blocking", LISTED)
CODE, LOCKER = "Microsoft-Windows-CodeIntegrity/Operational", "Microsoft-Windows-AppLocker/EXE and DLL"
BOTH = (CODE.lower(), LOCKER.lower())
control(
    1,
    RULED_OUT,
    "the extension ran",
    {"message": "StatusCode.FailedPrepost"},
    guest_events=events(GuestEvent(IN_WINDOW, CODE, 3077)),
)
control(2, CONFIRMED, "3077 in the window", guest_events=events(GuestEvent(IN_WINDOW, CODE, 3077)))
control(2, CONFIRMED, "8004 in the window", guest_events=events(GuestEvent(IN_WINDOW, LOCKER, 8004)))
control(2, CONFIRMED, "fapolicyd denied it in the window", guest_events=events(GuestEvent(IN_WINDOW, "fapolicyd", text="deny")))
control(3, POSSIBLE, "yesterday at noon", guest_events=events(GuestEvent(ago(hours=30), CODE, 3077)))
control(
    3,
    POSSIBLE,
    "in the last good backup's time too",
    guest_events=events(GuestEvent(IN_WINDOW, CODE, 3077), GuestEvent(GOOD_START, CODE, 3077)),
)
control(4, UNKNOWN, "AppLocker's log says nothing about CodeIntegrity", guest_events=events(channels=BOTH[1:]))
control(4, UNKNOWN, "no workspace", guest_events=NO_LOGS)
control(5, RULED_OUT, "both logs are collected and silent", guest_events=events(channels=BOTH))

virus = Table("antivirus_blocking", LISTED)
DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
INTERNAL = {"code": "VMRestorePointInternalError"}
SEEN = ("application", DEFENDER.lower())


def crash(module: str, **when: float) -> GuestEvent:
    return GuestEvent(ago(**(when or {"minutes": 20})), "Application", 1000, module)


virus(
    1,
    RULED_OUT,
    "the snapshot of this job was taken",
    {"job": SNAPPED},
    guest_events=events(GuestEvent(IN_WINDOW, DEFENDER, 1117)),
)
virus(2, CONFIRMED, "Defender names it in the window", guest_events=events(GuestEvent(IN_WINDOW, DEFENDER, 1117)))
virus(2, CONFIRMED, "quarantined since the last good backup", guest_events=events(GuestEvent(ago(hours=6), DEFENDER, 1117)))
virus(
    3,
    CONFIRMED,
    "it crashed in a foreign module, and the code blames that",
    INTERNAL,
    guest_events=events(crash("ntdll.dll"), channels=SEEN),
)
virus(4, POSSIBLE, "it crashed, but in the redistributable", INTERNAL, guest_events=events(crash("msvcr120.dll"), channels=SEEN))
virus(4, POSSIBLE, "it crashed under another code", guest_events=events(crash("ntdll.dll"), channels=SEEN))
virus(4, POSSIBLE, "it crashed yesterday", guest_events=events(crash("ntdll.dll", hours=20), channels=SEEN))
virus(4, POSSIBLE, "Defender named it before the last good backup", guest_events=events(GuestEvent(ago(days=2), DEFENDER, 1117)))
virus(5, POSSIBLE, "the code may blame it, and the agent reports", INTERNAL, guest_events=events(channels=SEEN))
virus(6, UNKNOWN, "silence excludes nothing: a quarantined file leaves no crash", guest_events=events(channels=SEEN))
virus(6, UNKNOWN, "no workspace", guest_events=NO_LOGS)

redistributable = Table("vcredist_missing", LISTED)
redistributable(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(crash("msvcr120.dll")))
redistributable(3, CONFIRMED, "it crashed in msvcr120 in the window", guest_events=events(crash("msvcr120.dll")))
redistributable(
    4,
    POSSIBLE,
    "it crashes there in good backups too",
    guest_events=events(crash("msvcp120.dll"), GuestEvent(GOOD_START, "Application", 1000, "msvcp120.dll")),
)
redistributable(4, POSSIBLE, "it crashed there yesterday", guest_events=events(crash("msvcp120.dll", hours=20)))
redistributable(6, UNKNOWN, "a crash elsewhere says nothing", guest_events=events(crash("ntdll.dll")))
redistributable(6, UNKNOWN, "no workspace", guest_events=NO_LOGS)

provider = Table("vss_provider_not_registered", LISTED)
provider(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
provider(5, UNKNOWN, "only the guest can tell")

umbrella = Table("snapshot_status_unavailable", LISTED)
umbrella(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, members={"dhcp_disabled": POSSIBLE})
umbrella(2, POSSIBLE, "a member is confirmed: it is the finding, not this", members={"shut_down_from_guest": CONFIRMED})
umbrella(4, UNKNOWN, "the members say what is missing", members={"dhcp_disabled": UNKNOWN, "wireserver_blocked": RULED_OUT})

azure = Table("platform_incident", LISTED)


def history(*entries: Availability) -> tuple[Availability, ...]:
    return (*entries, Availability("Available", ago(days=20)))


ISSUE = ServiceIssue("Snapshot failures", "Active", ago(hours=2), "VT60-LC8", names_us=False)
azure(
    1,
    CONFIRMED,
    "unavailable in the window, unplanned",
    vm_availability=history(Availability("Unavailable", ago(minutes=30), "Unplanned")),
)
azure(2, CONFIRMED, "a published problem names the VM", service_issues=(replace(ISSUE, names_us=True),))
azure(3, POSSIBLE, "a published problem somewhere in the region", service_issues=(ISSUE,))
azure(3, POSSIBLE, "unwell now, since after the job", vm_availability=history(Availability("Degraded", AFTER, "Unplanned")))
azure(4, POSSIBLE, "an internal code: what is not published may be so all the same", {"category": "internal_transient"})
azure(5, RULED_OUT, "nothing in history and news, and other backups went well")
azure(
    5,
    RULED_OUT,
    "unavailable because a user stopped it",
    vm_availability=history(Availability("Unavailable", ago(minutes=30), "UserInitiated")),
)
azure(6, UNKNOWN, "no other backup proves that all was well", peers=Peers(0, 4))
azure(6, UNKNOWN, "the history could not be read", vm_availability=FORBIDDEN)

gone = Table("vm_deleted_or_moved", LISTED)
MISSING: dict[str, Any] = {"vm_presence": "missing", "vm": Unknown(Reason.NOT_FOUND)}
gone(1, CONFIRMED, "not there, and the code says the same", STATED, **MISSING)
gone(1, CONFIRMED, "deleted before the job", {"activity": log(done("delete", ago(hours=3)))}, **MISSING)
gone(2, POSSIBLE, "deleted after the job", {"activity": log(done("delete", AFTER))}, **MISSING)
gone(2, POSSIBLE, "not there, since nobody knows when", **MISSING)
gone(2, POSSIBLE, "made anew after the last good backup", vm=replace(WINDOW["vm"], created_at=ago(hours=4)))
gone(3, UNKNOWN, "hidden is not gone", vm_presence=FORBIDDEN)
gone(3, UNKNOWN, "there, without a time", vm=replace(WINDOW["vm"], created_at=None))
gone(4, RULED_OUT, "there, and older than the job")

TABLES = [own, other, network, disk, control, virus, redistributable, provider, umbrella, azure, gone]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line


def test_an_umbrella_is_never_confirmed() -> None:
    for verdict in Verdict:
        members = {"shut_down_from_guest": verdict, "no_outbound_access": verdict}
        assert (
            opinion_of(Case("snapshot_status_unavailable", 0, verdict, "", LISTED, {"members": members})).verdict is not CONFIRMED
        )


def test_another_publishers_extension_is_no_backup_extension() -> None:
    assert not Extension("VMSnapshot", "Contoso.VMSnapshotter").is_backup
