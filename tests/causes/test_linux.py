"""The causes of Linux alone, extension_stuck_deleting and os_unsupported."""

from __future__ import annotations

from copy import replace

import pytest

from handlers.model import Activity, Disk, GuestEvent, OperatingSystem
from tests.causes.cases import (
    AGENTLESS,
    BACKUP,
    CONFIRMED,
    FORBIDDEN,
    GOOD_START,
    NO_LOGS,
    OTHER,
    POSSIBLE,
    RULED_OUT,
    SILENT,
    SNAPPED,
    UNKNOWN,
    VM,
    WITHOUT_TASKS,
    Case,
    Table,
    ago,
    done,
    events,
    log,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
IN_WINDOW, AFTER = ago(minutes=20), ago(minutes=2)

python = Table("python_missing_linux", STATED)
python(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
python(1, RULED_OUT, "the extension ran: the message quotes it", {"message": "StatusCode.FailedRetryableFsFreezeFailed"})
python(1, RULED_OUT, "the policy needs no extension", {"policy": AGENTLESS}, snapshot_policy=AGENTLESS)
python(5, UNKNOWN, "only the guest can tell")
python(5, UNKNOWN, "the job shows no tasks", {"job": WITHOUT_TASKS})

system = Table("os_unsupported", STATED)
COREOS = OperatingSystem("coreos", "2512.3.0", "CoreOS CoreOS Stable")
OLD_WINDOWS = OperatingSystem("Windows Server 2003 R2", "5.2.3790")
system(
    1, RULED_OUT, "the policy is crash-consistent only", {"policy": AGENTLESS}, operating_system=COREOS, snapshot_policy=AGENTLESS
)
system(2, CONFIRMED, "CoreOS, and the code says so", operating_system=COREOS)
system(2, CONFIRMED, "Windows Server 2003", operating_system=OLD_WINDOWS)
system(2, CONFIRMED, "a client before Windows 10", operating_system=OperatingSystem("Windows 8.1 Pro", "6.3.9600"))
system(2, CONFIRMED, "an image of 32 bits, and no backup was ever good", {"states": False, "last_good": None},
       operating_system=OperatingSystem(image="contoso debian i386"))  # fmt: skip
system(2, POSSIBLE, "CoreOS, but backups succeeded with it", {"states": False}, operating_system=COREOS)
system(2, POSSIBLE, "the VM was written since the job", {"activity": log(done("write", AFTER))}, operating_system=COREOS)
system(3, RULED_OUT, "an Ubuntu of the Marketplace")
system(3, RULED_OUT, "Windows Server 2008 is supported",
       operating_system=OperatingSystem("Windows Server 2008 R2 Standard", "6.1", "MicrosoftWindowsServer WindowsServer 2008-R2-SP1"))  # fmt: skip
system(4, UNKNOWN, "neither name nor image", operating_system=OperatingSystem())
system(4, UNKNOWN, "an own disk may be of 32 bits", operating_system=OperatingSystem("ubuntu", "16.04"))
system(4, UNKNOWN, "a distribution that is on no list", operating_system=OperatingSystem("void", image="contoso void rolling"))
system(4, UNKNOWN, "it could not be read", operating_system=FORBIDDEN)

leaving = Table("extension_stuck_deleting", LISTED)
DELETING = replace(BACKUP, state="deleting", at=ago(hours=3))
OURS = f"{VM}/extensions/vmsnapshotlinux"
STARTED = done("extensions/delete", ago(hours=4), resource=OURS, status="Started")
leaving(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, extensions=(DELETING,))
leaving(2, CONFIRMED, "deleting for two hours before the job", extensions=(DELETING,))
leaving(2, CONFIRMED, "uninstalling, and the activity log has a removal without an end", {"activity": log(STARTED)},
        extensions=(replace(BACKUP, state="uninstalling"),))  # fmt: skip
leaving(3, POSSIBLE, "deleting since after the job", extensions=(replace(DELETING, at=AFTER),))
leaving(3, POSSIBLE, "deleting, at a time that is not known", extensions=(replace(DELETING, at=None),))
leaving(3, POSSIBLE, "deleting since ten minutes before the job", extensions=(replace(DELETING, at=ago(minutes=60)),))
leaving(3, POSSIBLE, "a good backup had it too", extensions=(replace(DELETING, at=ago(days=5)),))
leaving(3, POSSIBLE, "only the activity log has its removal", {"activity": log(STARTED)}, extensions=())
leaving(4, RULED_OUT, "it succeeded in the window", extensions=(replace(BACKUP, at=IN_WINDOW),))
leaving(4, RULED_OUT, "unchanged since before the job", extensions=(replace(BACKUP, at=ago(days=3)),))
leaving(4, RULED_OUT, "it is not installed, and nothing removed it", extensions=(OTHER,))
leaving(5, UNKNOWN, "well now, without a time: it may have been otherwise")
leaving(5, UNKNOWN, "not installed, but it was removed meanwhile",
        {"activity": log(STARTED, done("extensions/delete", ago(minutes=1), resource=OURS))}, extensions=(OTHER,))  # fmt: skip
leaving(5, UNKNOWN, "not installed, and the log does not reach back", {"activity": Activity(AFTER)}, extensions=(OTHER,))
leaving(5, UNKNOWN, "not installed, and the log could not be read", {"activity": FORBIDDEN}, extensions=(OTHER,))
leaving(5, UNKNOWN, "the model lists it, the agent does not", extensions=(), extension_names=("VMSnapshotLinux",))
leaving(5, UNKNOWN, "the list could not be read", extensions=FORBIDDEN)
leaving(5, UNKNOWN, "the agent does not report", agent=SILENT)

freeze = Table("fs_freeze_failed", STATED)


def kernel(**when: float) -> GuestEvent:
    return GuestEvent(ago(**(when or {"minutes": 20})), "kernel", 0, "io_error sdc1")


freeze(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(kernel()))
freeze(3, CONFIRMED, "the code says so, and a disk had errors in the window", guest_events=events(kernel()))
freeze(
    3,
    POSSIBLE,
    "a disk had errors in the window, and the code says something else",
    LISTED | {"states": False},
    guest_events=events(kernel()),
)
freeze(3, POSSIBLE, "a disk had errors yesterday", guest_events=events(kernel(hours=20)))
freeze(5, UNKNOWN, "a silent log proves nothing", guest_events=events(channels=("kern",)))
freeze(5, UNKNOWN, "another program's words", guest_events=events(GuestEvent(IN_WINDOW, "systemd", 0, "stopped")))
freeze(5, UNKNOWN, "no workspace", guest_events=NO_LOGS)

twice = Table("duplicate_mounts", LISTED)
twice(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
twice(5, UNKNOWN, "only the guest can tell")

unopened = Table("mount_inaccessible", STATED)
unopened(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
unopened(5, UNKNOWN, "only the guest can tell")

labels = Table("selinux_blocking", LISTED)


def denial(**when: float) -> GuestEvent:
    return GuestEvent(ago(**(when or {"minutes": 20})), "kernel", 0, "avc")


labels(1, RULED_OUT, "the extension ran", {"message": "StatusCode.FailedPrepostPreScriptFailed"}, guest_events=events(denial()))
labels(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(denial()))
labels(2, CONFIRMED, "denied in the window, and not at the last good backup", guest_events=events(denial()))
labels(
    3, POSSIBLE, "denied at the last good backup too", guest_events=events(denial(), GuestEvent(GOOD_START, "kernel", 0, "avc"))
)
labels(3, POSSIBLE, "denied yesterday", guest_events=events(denial(hours=20)))
labels(5, UNKNOWN, "a silent log proves nothing: denials may go elsewhere", guest_events=events(channels=("kern",)))
labels(5, UNKNOWN, "no workspace", guest_events=NO_LOGS)

encoding = Table("vmbackup_conf_not_ascii", STATED)
encoding(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
encoding(4, UNKNOWN, "only the guest can tell")

many = Table("many_disks_linux", LISTED)
NO_STATUS, SIX = (
    {"code": "NoExtensionStatusButStatusBlobAvailable"},
    tuple(Disk(name, f"/{name}") for name in ("os", "d1", "d2", "d3", "d4", "d5")),
)
many(1, RULED_OUT, "the snapshot of this job was taken", NO_STATUS | {"job": SNAPPED}, attached_disks=SIX)
many(3, POSSIBLE, "no result, and six disks", NO_STATUS, attached_disks=SIX)
many(4, RULED_OUT, "two disks, as when the job ran", NO_STATUS)
many(5, UNKNOWN, "six disks, and the code says that a freeze failed", {"code": "UserErrorFsFreezeFailed"}, attached_disks=SIX)
many(5, UNKNOWN, "two disks now, and the VM was written since", NO_STATUS | {"activity": log(done("write", AFTER))})
many(5, UNKNOWN, "the model could not be read", NO_STATUS, attached_disks=FORBIDDEN)

script = Table("script_failed", STATED)
database = Table("database_script_misconfigured", LISTED)
for table, words, last in ((script, "FailedPrepostPreScriptFailed", 4), (database, "FailedWorkloadAuthorizationMissing", 4)):
    said = replace(BACKUP, state="failed/1", message=f"StatusCode.{words}")
    table(1, CONFIRMED, "the message says so", {"message": f"The backup failed: StatusCode.{words},"})
    table(1, CONFIRMED, "the extension's status of the window says so", extensions=(replace(said, at=IN_WINDOW),))
    table(1, POSSIBLE, "the extension's status says so, without a time", extensions=(said,))
    table(1, POSSIBLE, "the extension said so yesterday", extensions=(replace(said, at=ago(hours=20)),))
    table(last, UNKNOWN, "nobody says so")
    table(last, UNKNOWN, "another extension's words", extensions=(replace(OTHER, message=f"StatusCode.{words}", at=IN_WINDOW),))
    table(last, UNKNOWN, "the extensions could not be read", extensions=FORBIDDEN)

TABLES = [python, system, leaving, freeze, twice, unopened, labels, encoding, many, script, database]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line
