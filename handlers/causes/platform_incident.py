"""Azure itself had a problem that touched the VM, its vault or its region when the job ran.

https://learn.microsoft.com/azure/service-health/resource-health-overview
"""

from handlers.model import (
    Asserts,
    Availability,
    Opinion,
    Peers,
    Reason,
    ServiceIssue,
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

OPERATION = "any"
STRONG = Asserts(("AllocationFailed", "UserErrorProt32dAllocationPending"), r"allocation failed")
MEDIUM = Asserts(("BackUpOperationFailed", "BackUpOperationFailedV2", "InternalExecutionError", "BCMCrpInternalError"))
BAD, BY_AZURE = ("unavailable", "degraded"), ("unplanned", "planned")
INTERNAL = "internal_transient"


def check(
    window: Window,
    vm_availability: tuple[Availability, ...] | Unknown,
    service_issues: tuple[ServiceIssue, ...] | Unknown,
    peers: Peers | Unknown,
) -> Opinion:
    bad = tuple(entry for entry in window.states_since(window.start, window.end) if _is_azures(entry))
    now = () if isinstance(vm_availability, Unknown) else tuple(entry for entry in vm_availability[:1] if _is_azures(entry))
    published = () if isinstance(service_issues, Unknown) else service_issues
    issues = tuple(issue for issue in published if _overlaps(issue, window))
    ours = tuple(issue for issue in issues if issue.names_us)
    internal = window.category == INTERNAL or window.is_code("AllocationFailed")
    return decide(
        confirmed(
            "Azure's history shows that the VM was unavailable in the window, not by a user",
            unread(vm_availability) | any_of(*(window.listed | window.fits(state(entry.since)) for entry in bad)),
            vm_availability=bad,
        ),
        confirmed(
            "A published problem names the VM or the vault",
            unread(service_issues) | (window.listed and bool(ours)),
            service_issues=ours,
        ),
        possible(
            "A published problem touched the region in the window, or the VM is unwell now",
            bool(issues or now or bad),
            service_issues=issues,
            vm_availability=bad or now,
        ),
        possible("The code itself speaks of an internal fault", internal, service_issues=issues),
        ruled_out(
            "History and published problems show nothing, and other backups of the vault went well",
            ~unread(vm_availability, service_issues)
            & (unread(peers) | (isinstance(peers, Peers) and peers.completed > 0 and window.knows_job)),
            service_issues=(),
            peers=peers,
        ),
        unknown(
            "Nothing was published, and no other backup of the vault proves that all was well",
            Reason.NO_DATA,
            ~unread(vm_availability, service_issues),
            service_issues=issues,
            peers=peers,
        ),
    )


def _is_azures(entry: Availability) -> bool:
    return entry.state.lower() in BAD and entry.kind.lower() in BY_AZURE


def _overlaps(issue: ServiceIssue, window: Window) -> bool:
    return issue.since is not None and issue.since <= window.end and (issue.until is None or issue.until >= window.start)
