"""SQL Server's own backup, or its VSS writer, delays or fails the snapshot.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#troubleshoot-vm-snapshot-issues
https://learn.microsoft.com/sql/relational-databases/backup-restore/sql-server-vss-writer-logging (SQLWRITER in the application log)
"""

from handlers.causes import any_explains, collects, told
from handlers.model import (
    Asserts,
    Extension,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

OS = Os.WINDOWS
MEDIUM = Asserts(("ExtensionFailedTimeoutVMNetworkUnresponsive", "ExtensionFailedVssWriterInBadState"))
TIMED_OUT = r"timed? ?-?out|delay"
TIMED_OUT_CODES = ("ExtensionFailedTimeoutVMNetworkUnresponsive", "GuestAgentSnapshotTaskStatusError")


def check(window: Window, guest_events: GuestEvents | Unknown, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    failed, backups = told(guest_events, "sqlwriter", "sqlvdi"), told(guest_events, "mssql")
    then = tuple(entry for entry in failed + backups if window.holds(entry.at))
    listed = () if isinstance(extensions, Unknown) else extensions
    agents = tuple(extension for extension in listed if extension.handler.lower().endswith(".sqliaasagent"))
    late = window.is_code(*TIMED_OUT_CODES) or window.says(TIMED_OUT)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "SQL Server's VSS writer failed in the window",
            unread(guest_events) | any_explains(failed, window),
            guest_events=failed,
        ),
        possible("SQL Server wrote a backup of its own in the window, or its writer failed", bool(then), guest_events=then),
        possible(
            "Azure's extension for SQL Server is there, and the snapshot timed out", bool(agents) and late, extensions=agents
        ),
        ruled_out(
            "The application log is collected and names nothing of SQL Server, and there is no extension for it",
            collects(guest_events, "application") & ~unread(extensions) & (not (failed or backups or agents)),
            guest_events=guest_events,
            extensions=extensions,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
