"""A firewall, proxy or security product in the guest blocks Azure's host endpoint 168.63.129.16 (TCP 80 and 32526).

Traffic to it is not governed by ordinary NSG rules, so nothing outside the guest can confirm this.
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""

from datetime import timedelta

from handlers.model import (
    FRESH,
    Activity,
    Agent,
    Asserts,
    Heartbeats,
    Opinion,
    Reason,
    Unknown,
    Window,
    claim,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)
from handlers.model.window import ON

MEDIUM = Asserts(
    ("ExtensionSnapshotFailedNoNetwork", "UserErrorGuestAgentStatusUnavailable", "VMAgentStatusCommunicationError"),
    r"FailedRetryableSnapshotFailedNoNetwork",
)
ALIVE = timedelta(minutes=10)


def check(window: Window, agent: Agent | Unknown | None, heartbeats: Heartbeats | Unknown) -> Opinion:
    no_network = window.is_code("ExtensionSnapshotFailedNoNetwork") or "nonetwork" in window.message.replace(" ", "").lower()
    log = window.activity.operations if isinstance(window.activity, Activity) else ()
    restarted = any(entry.operation in ON and window.start <= entry.at <= window.now - FRESH for entry in log)
    beats = not isinstance(heartbeats, Unknown) and bool(heartbeats.minutes) and heartbeats.minutes[-1] >= window.now - ALIVE
    return decide(
        ruled_out("The job needed no agent, or its snapshot was taken", window.not_used, job=window.job),
        ruled_out(
            "The agent reported or ran the extension in the window: both need the endpoint",
            window.ready_then | window.ran,
            agent=agent,
        ),
        possible("The code says that the extension reached neither host nor Storage", no_network, message=window.message),
        possible(
            "The agent is silent although it was restarted, and the system is alive",
            window.not_ready(agent)
            & window.running
            & (unread(window.activity) | restarted)
            & (unread(heartbeats) | claim(beats)),
            agent=agent,
            vm_activity=window.activity,
            heartbeats=heartbeats,
        ),
        unknown("The VM does not run", Reason.VM_NOT_RUNNING, ~window.running, power_state=window.power_state),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, agent=agent),
    )
