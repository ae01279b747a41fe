"""The snapshot was not taken or its status never arrived: an umbrella of the article, over causes of their own.

https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#the-snapshot-status-cannot-be-retrieved-or-a-snapshot-cannot-be-taken
"""

from collections.abc import Mapping

from handlers.model import Asserts, Opinion, Reason, Verdict, Window, decide, possible, ruled_out, unknown

MEDIUM = Asserts(
    ("ExtensionSnapshotFailedNoNetwork", "ExtensionOperationFailedForManagedDisks", "GuestAgentSnapshotTaskStatusError")
)
MEMBERS = ("shut_down_from_guest", "dhcp_disabled", "wireserver_blocked", "no_outbound_access")


def check(window: Window, members: Mapping[str, Verdict]) -> Opinion:
    suspected = {cause: verdict for cause, verdict in members.items() if verdict in (Verdict.CONFIRMED, Verdict.POSSIBLE)}
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        possible("One of its causes is confirmed or possible", bool(suspected), members=suspected),
        unknown("Its causes say what is missing", Reason.MEMBERS, members=members),
    )
