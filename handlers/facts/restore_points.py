"""Restore point collections. https://learn.microsoft.com/rest/api/compute/restore-point-collections/list-all

Found by their source VM and never by name: the group's name can be customised in the backup policy.
"""

from __future__ import annotations

from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.model import Failure, Reason, ResourceId, RestorePoint, RestorePointCollection, parse_time

API = "2025-04-01"
KEPT_SECONDS = 900.0
"""In a storm; a VM has the same collection for as long as it is backed up."""
READ_COLLECTION = "Microsoft.Compute/restorePointCollections/read"


@fact(
    READ_COLLECTION,
    "Microsoft.Compute/restorePointCollections/restorePoints/read",
    source="Microsoft.Compute/restorePointCollections?$expand=restorePoints",
)
def restore_point_collections(failure: Failure, reads: Reads) -> tuple[RestorePointCollection, ...]:
    return reads.each(collections_of(failure, reads), lambda found: _collection(found, reads))


def collections_of(failure: Failure, reads: Reads) -> tuple[str, ...]:
    """The ids of the collections whose source is the VM."""
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    return collections_by_vm(failure.vm.subscription, reads).get(failure.vm.key, ())


def collections_by_vm(subscription: str, reads: Reads) -> dict[str, tuple[str, ...]]:
    """The ids of a subscription's collections by their source VM (its id in lower case)."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/restorePointCollections"

    def by_vm() -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for body in reads.azure.list_all(path, API):
            found[_source(body)] = (*found.get(_source(body), ()), body["id"])
        return found

    return reads.of_all(f"collections {subscription.lower()}", by_vm, seconds=KEPT_SECONDS)


def _source(body: dict[str, Any]) -> str:
    return str(((body.get("properties") or {}).get("source") or {}).get("id", "")).lower().rstrip("/")


def _collection(collection_id: str, reads: Reads) -> RestorePointCollection:
    body = reads.get(collection_id, API, expand="restorePoints")
    properties = body.get("properties") or {}
    parsed = ResourceId.parse(collection_id)
    return RestorePointCollection(
        id=collection_id,
        name=body.get("name", ""),
        group=parsed.group if parsed else "",
        state=properties.get("provisioningState", ""),
        points=tuple(map(_point, properties.get("restorePoints") or ())),
    )


def _point(body: dict[str, Any]) -> RestorePoint:
    properties = body.get("properties") or {}
    return RestorePoint(
        name=body.get("name", ""),
        created_at=parse_time(properties.get("timeCreated")),
        state=properties.get("provisioningState", ""),
    )
