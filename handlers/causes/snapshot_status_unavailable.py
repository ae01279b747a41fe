"""The snapshot was not taken or its status never arrived: an umbrella of the article, over causes of their own.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#the-snapshot-status-cannot-be-retrieved-or-a-snapshot-cannot-be-taken
"""

from collections.abc import Mapping

from handlers.model import Asserts, Opinion, Os, Reason, Unknown, Verdict, Window, decide, possible, ruled_out, unknown

MEDIUM = Asserts(
    ("ExtensionSnapshotFailedNoNetwork", "ExtensionOperationFailedForManagedDisks", "GuestAgentSnapshotTaskStatusError")
)
MEMBERS = (
    "shut_down_from_guest",
    "dhcp_disabled",
    "wireserver_blocked",
    "no_outbound_access",
    "vm_resources_exhausted",
    "sql_vss_conflict",
    "snapshot_rate_exceeded",
)
OF_WINDOWS = ("sql_vss_conflict",)


def check(window: Window, members: Mapping[str, Verdict]) -> Opinion:
    suspected = {cause: verdict for cause, verdict in members.items() if verdict in (Verdict.CONFIRMED, Verdict.POSSIBLE)}
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        possible("One of its causes is confirmed or possible", bool(suspected), members=suspected),
        ruled_out(
            "Every cause of it that applies to the operating system is ruled out",
            _all_ruled_out(members, window),
            members=members,
        ),
        unknown("Its causes say what is missing", Reason.MEMBERS, members=members),
    )


def _all_ruled_out(members: Mapping[str, Verdict], window: Window) -> bool:
    """A member that the code does not list was not checked, and so is not ruled out."""
    linux = not isinstance(window.vm, Unknown) and window.vm.os is Os.LINUX
    applying = set(MEMBERS) - set(OF_WINDOWS if linux else ())
    return all(members.get(member) is Verdict.RULED_OUT for member in applying)
