"""The guest has a static address set inside the operating system, so it never learns Azure's host address from DHCP.

That the network interface's address is static in Azure says nothing about the guest. On Linux the extension falls back to
168.63.129.16, which makes this a weak cause there.
https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#networking
"""

from handlers.model import Agent, Asserts, Opinion, Reason, Unknown, Window, decide, ruled_out, unknown

MEDIUM = Asserts(("UserErrorGuestAgentStatusUnavailable", "ExtensionSnapshotFailedNoNetwork"))


def check(window: Window, agent: Agent | Unknown | None) -> Opinion:
    return decide(
        ruled_out(
            "The agent reported or ran the extension in the window, or the job needed no agent",
            window.not_used | window.ran | window.ready_then,
            agent=agent,
            window=window,
        ),
        ruled_out(
            "The agent reports, the last good backup used it, and nothing happened since",
            window.ready(agent) & window.good_app & window.calm,
            agent=agent,
            last_good=window.last_good,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, agent=agent),
    )
