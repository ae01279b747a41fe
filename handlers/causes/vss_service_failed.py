"""The Volume Shadow Copy service, or its software provider, is disabled or does not start.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionfailedvssserviceinbadstate---snapshot-operation-failed-due-to-vss-volume-shadow-copy-service-in-bad-state
https://learn.microsoft.com/azure/backup/backup-azure-vms-introduction (Azure Backup lets the service start automatically)
"""

from handlers.causes import VSS_NOT_STARTED, any_explains, service_disabled, told
from handlers.model import (
    Asserts,
    GuestEvents,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

OS = Os.WINDOWS
STRONG = Asserts(("ExtensionFailedVssServiceInBadState",))


def check(window: Window, guest_events: GuestEvents | Unknown) -> Opinion:
    disabled = service_disabled(guest_events, window, "vss", "swprv")
    failed = told(guest_events, "vss failed", "swprv failed")
    failed += tuple(entry for entry in told(guest_events, "vss") if entry.number in VSS_NOT_STARTED)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "The service or its provider was disabled before the job ended",
            unread(guest_events) | any_of(*(window.explains(True, state(entry.at)) for entry in disabled)),
            guest_events=disabled,
        ),
        confirmed("It failed in the window", unread(guest_events) | any_explains(failed, window), guest_events=failed),
        possible(
            "It failed at another time, or was disabled when backups succeeded",
            bool(failed or disabled),
            guest_events=failed + disabled,
        ),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(guest_events), message=window.message),
    )
