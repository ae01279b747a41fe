"""Azure itself had a problem that touched the VM or its region when the job failed."""

from handlers.model import Opinion, ServiceIssue, confirmed, ruled_out


def check(service_issues: tuple[ServiceIssue, ...]) -> Opinion:
    if service_issues:
        return confirmed(service_issues=service_issues)
    return ruled_out(service_issues=())
