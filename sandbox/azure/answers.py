"""Answers and errors in the shapes that Azure gives them.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshooting-throttling-errors (Compute)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CALLER = "5f1b7d4e-0000-4000-8000-00000000c0de"
"""The object id that every refused call is said to come from."""


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body, more headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(body: Any) -> Answer:
    return Answer(200, body)


def error(status: int, code: str, message: str, **more: Any) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message, **more}})


def type_and_name(path: str) -> tuple[str, str]:
    """`Microsoft.Compute/virtualMachines` and `vm-1` of a resource's path, in the case of the path."""
    parts = path.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]]), "/".join(parts[2::2])


def is_list(path: str) -> bool:
    """Whether a path ends in a type and not in a name: `…/providers/Microsoft.Compute/virtualMachines`."""
    _, marker, rest = path.rpartition("/providers/")
    return bool(marker) and len(rest.split("/")) % 2 == 0


def group_missing(group: str) -> Answer:
    return error(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def parent_missing(name: str) -> Answer:
    message = f"Can not perform requested operation on nested resource. Parent resource '{name}' not found."
    return error(404, "ParentResourceNotFound", message)


def resource_missing(path: str, group: str) -> Answer:
    kind, name = type_and_name(path)
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    found = error(404, "ResourceNotFound", message)
    return Answer(404, found.body, {"X-Ms-Failure-Cause": "gateway"})


def refused(method: str, path: str) -> Answer:
    """403 with the action that the path stands for: a role that is missing is told by its name."""
    kind, _ = type_and_name(path)
    last = path.rpartition("/")[2]
    action = f"{kind}/read" if method == "GET" else f"{kind.rpartition('/')[0]}/{last}/action"
    scope = path.rpartition("/")[0] if is_list(path) else path
    message = (
        f"The client '{CALLER}' with object id '{CALLER}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials."
    )
    return error(403, "AuthorizationFailed", message)


def throttled(method: str, path: str, seconds: int) -> Answer:
    """429 as Azure Compute or as Azure Resource Manager says it; Compute does not wrap it in `error`."""
    headers = {"Retry-After": str(seconds)}
    if "/providers/microsoft.compute/" in path.lower():
        left = "Microsoft.Compute/HighCostGet3Min;46,Microsoft.Compute/HighCostGet30Min;0"
        headers["x-ms-ratelimit-remaining-resource"] = left
        said = {"operationGroup": "HighCostGet30Min", "allowedRequestCount": 800, "measuredRequestCount": 1238}
        details = [{"code": "TooManyRequests", "target": "HighCostGet30Min", "message": json.dumps(said)}]
        message = "The server rejected the request because too many requests have been received for this subscription."
        return Answer(429, {"code": "OperationNotAllowed", "message": message, "details": details}, headers)
    subscription = path.split("/")[2] if path.startswith("/subscriptions/") else ""
    operation = f"{method}/SUBSCRIPTIONS/{type_and_name(path)[0].upper()}"
    message = (
        f"Number of requests for subscription '{subscription}' and operation '{operation}' exceeded the backend "
        f"storage limit. Please try again after '{seconds}' seconds."
    )
    return Answer(429, error(429, "SubscriptionRequestsThrottled", message).body, headers)


def reads_used_up(subscription: str, seconds: int) -> Answer:
    """429 of the token bucket, in the words of 2025: https://github.com/velero-io/velero/issues/9171"""
    message = (
        f"Number of 'read' requests for subscription '{subscription}' actor '{CALLER}' exceeded. Please try again after "
        f"'{seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional "
        "information."
    )
    return Answer(429, error(429, "SubscriptionRequestsThrottled", message).body, {"Retry-After": str(seconds)})


def broken(status: int, code: str = "") -> Answer:
    """Any other failure of Azure itself."""
    return error(status, code or "InternalServerError", "Encountered internal server error. Please try again later.")
