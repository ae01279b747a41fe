"""agent_unresponsive_windows, agent_stopped_linux, agent_outdated_windows, agent_outdated_linux, agent_not_installed,
agent_extensions_switched_off, extensions_not_allowed, wireserver_blocked, dhcp_disabled, shut_down_from_guest."""

from __future__ import annotations

from copy import replace
from datetime import timedelta

import pytest

from handlers.causes import version_of
from handlers.model import Agent, Availability, Heartbeats, Reading, Reason, Unknown
from tests.causes.cases import (
    AGENTLESS,
    CONFIRMED,
    FORBIDDEN,
    NO_LOGS,
    NOW,
    OTHER,
    POSSIBLE,
    READY,
    READY_THEN,
    RULED_OUT,
    SILENT,
    SNAPPED,
    START,
    UNKNOWN,
    WINDOW,
    Case,
    Table,
    ago,
    done,
    events,
    log,
    opinion_of,
    stop,
)

STATED = {"states": True, "listed": True}
LISTED = {"listed": True}
REBOOTED = log(done("restart", ago(minutes=2)))
OFF_BEFORE = {"activity": log(done("deallocate", ago(hours=5))), "power_state": "deallocated"}
NEVER_GOOD = {"last_good": None}

windows, linux = Table("agent_unresponsive_windows", STATED), Table("agent_stopped_linux", STATED)
for agent_table, channel in ((windows, "System"), (linux, "daemon")):
    first = 1 if agent_table is linux else 0
    agent_table(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, agent=SILENT)
    agent_table(1, RULED_OUT, "the policy needs no agent", {"policy": AGENTLESS}, agent=SILENT, snapshot_policy=AGENTLESS)
    agent_table(1, RULED_OUT, "Azure had switched the VM off before", OFF_BEFORE, agent=None)
    agent_table(
        2,
        CONFIRMED,
        "its service stopped in the window",
        agent=READY,
        guest_events=events(stop(ago(minutes=30), channel=channel)),
    )
    agent_table(2, CONFIRMED, "stopped before the job and not started since", agent=READY, guest_events=events(
        stop(ago(hours=9), "running", channel), stop(ago(hours=8), channel=channel)))  # fmt: skip
    agent_table(3 + first, CONFIRMED, "silent, read soon, and nothing happened since", agent=SILENT)
    agent_table(
        3 + first,
        CONFIRMED,
        "silent since before the job",
        {"now": NOW + timedelta(hours=9)},
        agent=replace(READY, reported_at=ago(hours=2)),
    )
    agent_table(3 + first, CONFIRMED, "two readings a quarter of an hour apart", {
        "now": NOW + timedelta(hours=4), "availability": NO_LOGS,
        "earlier": {"agent": Reading(SILENT, "", NOW)}}, agent=SILENT, vm_availability=NO_LOGS)  # fmt: skip
    agent_table(
        3 + first,
        CONFIRMED,
        "an unknown code, but the last good backup had the agent",
        {"states": False, "listed": False},
        agent=SILENT,
    )
    agent_table(
        4 + first,
        POSSIBLE,
        "silent, but restarted since: the reading may be of the restart",
        {"activity": REBOOTED},
        agent=SILENT,
    )
    agent_table(4 + first, POSSIBLE, "an unknown code, and nothing tells that it is new", {
        "states": False, "listed": False, "consistency": "CrashConsistent"}, agent=SILENT)  # fmt: skip
    agent_table(4 + first, POSSIBLE, "none shows, and the VM runs", agent=None)
    agent_table(5 + first, UNKNOWN, "the VM does not run", {"power_state": "stopped"}, agent=None)
    agent_table(5 + first, UNKNOWN, "the VM could not be read", {"power_state": FORBIDDEN}, agent=FORBIDDEN)
    agent_table(6 + first, RULED_OUT, "it reported in the window, and reports now", agent=READY_THEN)
    agent_table(7 + first, POSSIBLE, "it reports now, long after the job", {"now": NOW + timedelta(hours=7)},
                agent=replace(READY, reported_at=NOW + timedelta(hours=7)))  # fmt: skip
    agent_table(7 + first, POSSIBLE, "unbroken heartbeats prove the system and not the agent", agent=READY, heartbeats=Heartbeats(
        tuple(START + timedelta(minutes=m) for m in range(50))))  # fmt: skip
linux(
    2,
    CONFIRMED,
    "the message says that it came too late",
    {"message": "StatusCode.FailedGuestAgentInvokedCommandTooLate"},
    agent=READY,
)

TABLES: list[Table] = []
for cause, low, between, good in (
    ("agent_outdated_windows", "2.6.1198.717", "2.7.41491.949", "2.7.41491.1010"),
    ("agent_outdated_linux", "2.2.45", "2.2.53", "2.2.53.1"),
):
    version = Table(cause, LISTED)
    version(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, agent=replace(READY, version=low))
    version(2, CONFIRMED, "below the minimum, and no backup was ever good", NEVER_GOOD, agent=replace(READY, version=low))
    version(3, CONFIRMED, "below, and the code names the version", {"states": True}, agent=replace(READY, version=between))
    version(4, POSSIBLE, "below, but last night's backup succeeded with it", agent=replace(READY, version=low))
    version(5, UNKNOWN, "it shows no version", agent=replace(READY, version=""))
    version(5, UNKNOWN, "a version in a form of its own", agent=replace(READY, version="2.x"))
    version(5, UNKNOWN, "the VM does not run", {"power_state": "deallocated"}, agent=None)
    version(6, RULED_OUT, "new enough, read soon", agent=replace(READY, version=good))
    version(7, UNKNOWN, "new enough, but read after a restart", {"activity": REBOOTED}, agent=replace(READY, version=good))
    version(7, UNKNOWN, "new enough, but read three hours later", {"now": NOW + timedelta(hours=3), "availability": NO_LOGS},
            agent=replace(READY, version=good), vm_availability=NO_LOGS)  # fmt: skip
    TABLES.append(version)

absent = Table("agent_not_installed", LISTED)
bare = {"agent": None, "agent_provisioned": False, "extensions": ()}
absent(1, RULED_OUT, "a real version, read soon", agent=READY)
absent(1, RULED_OUT, "a good backup of this very VM used it", agent=None)
absent(1, RULED_OUT, "it ran the extension", {"message": "ExtensionFailed: VSS writer", **NEVER_GOOD}, agent=None)
absent(2, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED, **NEVER_GOOD}, **bare)
absent(4, CONFIRMED, "none ever, none wanted, no extension, no good backup", NEVER_GOOD, **bare)
absent(5, POSSIBLE, "the profile wants one: it may have been stopped", NEVER_GOOD, agent=None, agent_provisioned=True)
absent(5, POSSIBLE, "the code does not list it", {**NEVER_GOOD, "listed": False}, **bare)
absent(
    5,
    POSSIBLE,
    "made anew under the old name since the last good backup",
    agent=None,
    vm=replace(WINDOW["vm"], created_at=ago(hours=5)),
)
absent(6, UNKNOWN, "the VM does not run", {"power_state": "stopped", **NEVER_GOOD}, agent=None)
absent(6, UNKNOWN, "it could not be read", NEVER_GOOD, agent=FORBIDDEN)
absent(
    6,
    UNKNOWN,
    "a version, read late, and no good backup",
    {**NEVER_GOOD, "now": NOW + timedelta(hours=5), "availability": NO_LOGS},
    agent=READY,
)

switched_off = Table("agent_extensions_switched_off", LISTED)
OFF_TEXT = "extension processing is disabled"
idle = replace(OTHER, state="transitioning")
switched_off(1, RULED_OUT, "an extension succeeded in the window", extensions=(replace(OTHER, at=ago(minutes=20)),))
switched_off(2, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, extensions=())
switched_off(3, CONFIRMED, "the job's message says so", {"message": f"Failed: {OFF_TEXT}", "states": True})
switched_off(
    3,
    CONFIRMED,
    "an extension's status of the window says so",
    extensions=(replace(OTHER, state="failed", message=OFF_TEXT, at=ago(minutes=30)),),
)
switched_off(
    3,
    POSSIBLE,
    "an extension's status says so, but of last year",
    extensions=(replace(OTHER, state="failed", message=OFF_TEXT, at=ago(days=400)),),
)
switched_off(5, POSSIBLE, "Ready, one extension in the model, and it is stuck", extensions=(idle,), extension_names=("Monitor",))
switched_off(6, UNKNOWN, "no extension in the model: a first backup looks like this", extensions=(), extension_names=())
switched_off(6, UNKNOWN, "the agent does not report", agent=SILENT, extensions=(idle,), extension_names=("Monitor",))

forbidden = Table("extensions_not_allowed", LISTED)
forbidden(1, RULED_OUT, "the extension ran", {"message": "StatusCode.FailedPrepost"}, extensions_allowed=False)
forbidden(2, CONFIRMED, "off, and no backup was ever good", NEVER_GOOD, extensions_allowed=False)
forbidden(
    2, CONFIRMED, "off since the last good backup", {"activity": log(done("write", ago(hours=9)))}, extensions_allowed=False
)
forbidden(3, POSSIBLE, "off, but backups succeeded with it", extensions_allowed=False)
forbidden(3, POSSIBLE, "written after the job began", {"activity": log(done("write", ago(minutes=3)))}, extensions_allowed=False)
forbidden(4, RULED_OUT, "on, and not written since", extensions_allowed=True)
forbidden(5, RULED_OUT, "on by default, and an extension works", extensions_allowed=None, extensions=(OTHER,))
forbidden(6, UNKNOWN, "the VM has no profile", extensions_allowed=Unknown(Reason.NO_DATA))
forbidden(6, UNKNOWN, "on, but written after the job", {"activity": log(done("write", ago(minutes=3)))}, extensions_allowed=True)

blocked = Table("wireserver_blocked", LISTED)
ALIVE = Heartbeats(tuple(NOW - timedelta(minutes=m) for m in range(30, 0, -1)))
blocked(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, agent=SILENT)
blocked(4, RULED_OUT, "the agent reported in the window", agent=READY_THEN)
blocked(4, RULED_OUT, "the extension ran", {"message": "StatusCode.FailedPrepost"}, agent=SILENT)
blocked(7, POSSIBLE, "the code says that there was no network", {"code": "ExtensionSnapshotFailedNoNetwork"}, agent=READY)
blocked(
    8,
    POSSIBLE,
    "silent although restarted, and the system lives",
    {"activity": log(done("restart", ago(minutes=20)))},
    agent=SILENT,
    heartbeats=ALIVE,
)
blocked(9, UNKNOWN, "silent, and not restarted", agent=SILENT, heartbeats=ALIVE)
blocked(9, UNKNOWN, "it reports, but not in the window", agent=READY)
blocked(9, UNKNOWN, "the VM does not run", {"power_state": "stopped"}, agent=None)

dhcp = Table("dhcp_disabled", LISTED)
dhcp(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, agent=SILENT)
dhcp(1, RULED_OUT, "the agent reported in the window", agent=READY_THEN)
dhcp(2, RULED_OUT, "it reports, the last backup used it, and all was calm since", agent=READY)
dhcp(6, UNKNOWN, "silent: only the guest can tell", agent=SILENT)
dhcp(6, UNKNOWN, "restarted since", {"activity": REBOOTED}, agent=READY)

shut_down = Table("shut_down_from_guest", LISTED)
STOPPED = {"power_state": "stopped"}
SINCE_START = log(done("start", ago(hours=40)))
ENDED = Heartbeats(tuple(ago(hours=2, minutes=m) for m in range(60, 0, -1)))
THROUGH = Heartbeats(tuple(START + timedelta(minutes=m) for m in range(0, 46)))
shut_down(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED, **STOPPED})
shut_down(
    2,
    CONFIRMED,
    "stopped before the job, and not by Azure since its last start",
    {**STOPPED, "activity": SINCE_START},
    heartbeats=ENDED,
    agent=None,
)
shut_down(2, CONFIRMED, "Azure's health history tells since when", {**STOPPED, "activity": SINCE_START}, agent=None,
          vm_availability=(Availability("Unavailable", ago(hours=2)), Availability("Available", ago(days=9))))  # fmt: skip
shut_down(3, POSSIBLE, "stopped, but the log does not reach its last start", STOPPED, heartbeats=ENDED, agent=None)
shut_down(3, POSSIBLE, "stopped, since nobody knows when", {**STOPPED, "activity": SINCE_START}, agent=None)
shut_down(
    3,
    POSSIBLE,
    "stopped after the job",
    {**STOPPED, "activity": SINCE_START},
    agent=None,
    heartbeats=Heartbeats((ago(minutes=2),)),
)
shut_down(5, RULED_OUT, "deallocated", {"power_state": "deallocated"}, agent=None)
shut_down(
    5, RULED_OUT, "stopped through Azure five days ago", {**STOPPED, "activity": log(done("poweroff", ago(days=5)))}, agent=None
)
shut_down(5, RULED_OUT, "heartbeats went on through the window", {"activity": REBOOTED}, heartbeats=THROUGH)
shut_down(6, RULED_OUT, "it runs and reports, and Azure did nothing")
shut_down(7, UNKNOWN, "started again since", {"activity": log(done("start", ago(minutes=20)))})
shut_down(7, UNKNOWN, "the log could not be read", {**STOPPED, "power_state": FORBIDDEN, "activity": FORBIDDEN}, agent=None)

TABLES += [windows, linux, absent, switched_off, forbidden, blocked, dhcp, shut_down]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line


def test_versions_are_compared_as_numbers() -> None:
    assert version_of(Agent(True, "", "2.10.0.0")) > version_of(Agent(True, "", "2.9.9.9"))  # type: ignore[operator]


def test_without_the_activity_log_the_silence_of_an_agent_is_at_most_possible() -> None:
    case = Case(
        "agent_unresponsive_windows", 4, POSSIBLE, "", {**STATED, "activity": FORBIDDEN, "policy": FORBIDDEN}, {"agent": SILENT}
    )
    assert opinion_of(case).verdict is POSSIBLE


def test_without_a_job_only_what_carries_its_own_time_speaks_for_it() -> None:
    case = Case("agent_unresponsive_windows", 4, POSSIBLE, "", {**STATED, "job": None}, {"agent": SILENT})
    assert opinion_of(case).verdict is POSSIBLE
