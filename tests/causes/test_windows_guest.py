"""The causes inside a Windows guest: VSS, COM+, SQL Server, certificates, .NET, TLS, proxy, BitLocker, pending restarts."""

from __future__ import annotations

from copy import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.model import Extension, GuestEvent, PatchAssessment, Reason, Unknown
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
    SNAPPED,
    START,
    UNKNOWN,
    Case,
    Table,
    ago,
    events,
    opinion_of,
)

STATED, LISTED = {"states": True, "listed": True}, {"listed": True}
IN_WINDOW, YESTERDAY, AFTER = ago(minutes=20), ago(hours=9), ago(minutes=2)
WITH_GOOD = GOOD_START + timedelta(minutes=20)
"""While the last good backup ran."""
BEFORE_GOOD = GOOD_START - timedelta(hours=3)


def row(at: datetime, number: int, text: str = "", channel: str = "Application") -> GuestEvent:
    return GuestEvent(at, channel, number, text)


def service(at: datetime, text: str, number: int = 7040) -> GuestEvent:
    return row(at, number, text, "System")


writer = Table("vss_writer_failed", LISTED)
REJECTED = row(IN_WINDOW, 8229, "vss")
writer(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(REJECTED))
writer(2, CONFIRMED, "VSS logged an error in the window", guest_events=events(REJECTED))
writer(2, CONFIRMED, "volsnap did", guest_events=events(row(IN_WINDOW, 8, "volsnap", "System")))
writer(2, CONFIRMED, "SQL Server's writer did", guest_events=events(row(IN_WINDOW, 24583, "sqlwriter")))
writer(
    4,
    POSSIBLE,
    "the same error stands in the last good backup's time",
    guest_events=events(REJECTED, row(WITH_GOOD, 8229, "vss")),
)
writer(4, POSSIBLE, "VSS logged an error hours before", guest_events=events(row(YESTERDAY, 12289, "vss")))
writer(6, UNKNOWN, "silent logs prove nothing: writers heal by themselves")
writer(6, UNKNOWN, "VSS itself did not start, which is another cause", guest_events=events(row(IN_WINDOW, 22, "vss")))
writer(6, UNKNOWN, "the log could not be read", STATED, guest_events=FORBIDDEN)
writer(6, UNKNOWN, "there is no workspace", guest_events=NO_LOGS)

shadow = Table("vss_service_failed", LISTED)
DISABLED = service(YESTERDAY, "vss disabled")
shadow(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(DISABLED))
shadow(2, CONFIRMED, "disabled since the last good backup", guest_events=events(DISABLED))
shadow(2, CONFIRMED, "its provider failed in the window", guest_events=events(service(IN_WINDOW, "swprv failed", 7023)))
shadow(2, CONFIRMED, "VSS says that it cannot be started", guest_events=events(row(IN_WINDOW, 22, "vss")))
shadow(2, POSSIBLE, "disabled, but backups succeeded since", guest_events=events(service(BEFORE_GOOD, "vss disabled")))
shadow(2, POSSIBLE, "it failed after the job", guest_events=events(service(AFTER, "vss failed", 7031)))
shadow(4, UNKNOWN, "enabled again before the job", guest_events=events(DISABLED, service(ago(hours=8), "vss startable")))
shadow(4, UNKNOWN, "disabled only after the job", guest_events=events(service(AFTER, "vss disabled")))
shadow(4, UNKNOWN, "the log could not be read", STATED, guest_events=FORBIDDEN)

com = Table("com_plus_stopped", LISTED)
com(
    1,
    RULED_OUT,
    "the snapshot of this job was taken",
    {"job": SNAPPED},
    guest_events=events(service(IN_WINDOW, "msdtc failed", 7023)),
)
com(2, CONFIRMED, "MSDTC failed in the window", guest_events=events(service(IN_WINDOW, "msdtc failed", 7038)))
com(2, CONFIRMED, "COM+ found no transaction coordinator in the window", guest_events=events(row(IN_WINDOW, 4691, "com+")))
com(2, CONFIRMED, "disabled since the last good backup", guest_events=events(service(YESTERDAY, "comsysapp disabled")))
com(3, POSSIBLE, "it failed after the job", guest_events=events(service(AFTER, "comsysapp failed", 7000)))
com(3, POSSIBLE, "it fails in good backups too",
    guest_events=events(row(IN_WINDOW, 4427, "msdtc"), row(WITH_GOOD, 4427, "msdtc")))  # fmt: skip
com(3, POSSIBLE, "disabled, but backups succeeded since", guest_events=events(service(BEFORE_GOOD, "msdtc disabled")))
com(5, UNKNOWN, "only the guest can tell")
com(5, UNKNOWN, "COM+ stopped for another reason", guest_events=events(row(IN_WINDOW, 4689, "com+ 8000ffff")))
com(5, UNKNOWN, "the log could not be read", STATED, guest_events=FORBIDDEN)

heap = Table("desktop_heap_exhausted", LISTED)
NO_MEMORY = row(IN_WINDOW, 4689, "com+ 8000ffff")
heap(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(NO_MEMORY))
heap(2, CONFIRMED, "COM+ got no memory in the window", guest_events=events(NO_MEMORY))
heap(
    3,
    POSSIBLE,
    "it got none in the last good backup's time too",
    guest_events=events(NO_MEMORY, replace(NO_MEMORY, at=WITH_GOOD)),
)
heap(3, POSSIBLE, "it got none after the job", guest_events=events(replace(NO_MEMORY, at=AFTER)))
heap(4, RULED_OUT, "the application log is collected and silent")
heap(4, RULED_OUT, "COM+ stopped with another error", guest_events=events(row(IN_WINDOW, 4689, "com+")))
heap(5, UNKNOWN, "the application log is not collected", guest_events=events(channels=("system",)))
heap(5, UNKNOWN, "the log could not be read", STATED, guest_events=FORBIDDEN)

sql = Table("sql_vss_conflict", LISTED)
SQL_AGENT = Extension("SqlIaasExtension", "Microsoft.SqlServer.Management.SqlIaaSAgent", state="succeeded")
FAILED_WRITER, OWN_BACKUP = row(IN_WINDOW, 24583, "sqlwriter"), row(IN_WINDOW, 18264, "mssql")
TIMED_OUT = {"message": "Snapshot operation timed out."}
sql(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(FAILED_WRITER))
sql(2, CONFIRMED, "its writer failed in the window", guest_events=events(FAILED_WRITER))
sql(2, CONFIRMED, "its virtual device failed in the window", guest_events=events(row(IN_WINDOW, 1, "sqlvdi")))
sql(3, POSSIBLE, "it wrote a backup of its own in the window", guest_events=events(OWN_BACKUP))
sql(3, POSSIBLE, "its writer fails in good backups too", guest_events=events(FAILED_WRITER, replace(FAILED_WRITER, at=WITH_GOOD)))
sql(3, POSSIBLE, "SQL Server is there, and the snapshot timed out", TIMED_OUT, extensions=(BACKUP, SQL_AGENT))
sql(3, POSSIBLE, "SQL Server is there, and the code tells of a time-out", {"code": "ExtensionFailedTimeoutVMNetworkUnresponsive"},
    guest_events=NO_LOGS, extensions=(SQL_AGENT,))  # fmt: skip
sql(4, RULED_OUT, "the application log is collected, names no SQL Server, and there is no extension for it")
sql(5, UNKNOWN, "SQL Server is there, and nothing timed out", extensions=(SQL_AGENT,))
sql(5, UNKNOWN, "it wrote a backup hours before", guest_events=events(replace(OWN_BACKUP, at=YESTERDAY)))
sql(5, UNKNOWN, "there is no workspace", guest_events=NO_LOGS)
sql(5, UNKNOWN, "the extensions could not be read", extensions=FORBIDDEN)

files = Table("extension_files_missing", LISTED)
QUARANTINED = row(YESTERDAY, 1117, channel="Microsoft-Windows-Windows Defender/Operational")
files(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, guest_events=events(QUARANTINED))
files(
    1,
    RULED_OUT,
    "the policy needs no extension",
    {"policy": AGENTLESS},
    guest_events=events(QUARANTINED),
    snapshot_policy=AGENTLESS,
)
files(3, POSSIBLE, "Defender acted on one of its files", guest_events=events(QUARANTINED))
files(5, UNKNOWN, "Defender only saw it", guest_events=events(replace(QUARANTINED, number=1116)))
files(5, UNKNOWN, "Defender acted after the job", guest_events=events(replace(QUARANTINED, at=AFTER)))
files(5, UNKNOWN, "the log could not be read", guest_events=FORBIDDEN)

certificate = Table("agent_certificate_missing", LISTED)
WITHOUT = replace(BACKUP, state="failed/16", message="CryptographicException: unable to load certificate", at=IN_WINDOW)
certificate(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, extensions=(WITHOUT,))
certificate(2, CONFIRMED, "the extension said so in the window, and the code does", STATED, extensions=(WITHOUT,))
certificate(4, POSSIBLE, "the extension said so, and the code does not", extensions=(WITHOUT,))
certificate(
    4,
    POSSIBLE,
    "another extension said so at a time that nobody tells",
    STATED,
    extensions=(replace(OTHER, message="no certificate"),),
)
certificate(5, RULED_OUT, "the extension had another result in the window", extensions=(replace(BACKUP, at=IN_WINDOW),))
certificate(6, UNKNOWN, "only the guest can tell")
certificate(6, UNKNOWN, "they could not be read", STATED, extensions=FORBIDDEN)

reboot = Table("reboot_pending", LISTED)
PENDING = PatchAssessment(True, ago(hours=6))
reboot(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED}, patch_assessment=PENDING)
reboot(2, POSSIBLE, "an update waited for a restart before the job", patch_assessment=PENDING)
reboot(3, RULED_OUT, "none waited in the day before the job", patch_assessment=PatchAssessment(False, START - timedelta(hours=5)))
reboot(4, UNKNOWN, "assessed only after the job", patch_assessment=PatchAssessment(True, AFTER))
reboot(4, UNKNOWN, "none waited a week ago", patch_assessment=PatchAssessment(False, ago(days=7)))
reboot(4, UNKNOWN, "Azure has assessed nothing", patch_assessment=Unknown(Reason.NO_DATA))
reboot(4, UNKNOWN, "the VM could not be read", patch_assessment=FORBIDDEN)


def guest_only(cause: str, unknown_line: int, *ruled_out: tuple[str, dict[str, Any]]) -> Table:
    """A cause that nothing outside the guest tells."""
    table = Table(cause, LISTED)
    table(1, RULED_OUT, "the snapshot of this job was taken", {"job": SNAPPED})
    for about, when in ruled_out:
        table(1, RULED_OUT, about, when)
    table(unknown_line, UNKNOWN, "only the guest can tell")
    return table


NO_EXTENSION: tuple[str, dict[str, Any]] = ("the policy needs no extension", {"policy": AGENTLESS})
GUEST_ONLY = [
    guest_only("dotnet_broken", 5, NO_EXTENSION, ("the extension ran", {"message": "StatusCode.FailedPrepost"})),
    guest_only("proxy_interferes", 5, NO_EXTENSION),
    guest_only("tls_too_weak", 5, NO_EXTENSION),
    guest_only("machine_keys_permissions_changed", 4, NO_EXTENSION),
    guest_only("bitlocker_locked", 5),
]
TABLES = [writer, shadow, com, heap, sql, files, certificate, reboot, *GUEST_ONLY]
CASES = [case for table in TABLES for case in table.cases]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_line_of_the_decision_table_gives_its_verdict(case: Case) -> None:
    opinion = opinion_of(case)
    assert opinion.verdict is case.verdict, opinion.line


def test_a_writer_that_failed_is_shown_below_what_made_it_fail() -> None:
    from handlers.diagnosis import catalogue

    assert set(catalogue.cause("vss_writer_failed").symptom_of) == {"vss_service_failed", "sql_vss_conflict"}
