"""The protected VMs of a region: whose backups succeed, and what each of them has that others may have too.

Read once for all storms of the region: a few queries of Azure Resource Graph, two lists of each subscription, two of each vault.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.facts import Reads
from handlers.facts.activity import of_provider
from handlers.facts.bulk.graph_rows import LAG, subnet_id
from handlers.facts.bulk.vault_items import items_of_vault
from handlers.facts.jobs import list_jobs
from handlers.facts.locks import locks_of
from handlers.facts.queries import graph_query
from handlers.facts.restore_points import collections_by_vm
from handlers.facts.vaults import vaults_of
from handlers.model import Job, Lock, ResourceId, Unknown
from handlers.model.comparison import SharedThing, Things

KEPT_SECONDS = 300.0
JOBS_SECONDS = 120.0
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
CONTAINER = "iaasvmcontainerv2;"

type Own = dict[str, frozenset[str] | None]
"""The things of one VM while they are put together."""


class Scope(Struct, frozen=True):
    """The items that are compared: those of the region, in the subscriptions of the failed ones."""

    region: str
    subscriptions: tuple[str, ...]
    vaults: tuple[ResourceId, ...]


def scope_of(region: str, vault_ids: Iterable[str], azure: Azure) -> Scope:
    """Every vault of the region in the subscriptions of the vaults that are named."""
    named = [parsed for vault_id in vault_ids if (parsed := ResourceId.parse(vault_id))]
    subscriptions = sorted({vault.subscription.lower() for vault in named})
    listed = [found for subscription in subscriptions for found in vaults_of(subscription, azure).items()]
    vaults = [parsed for vault_id, where in listed if where.region == region and (parsed := ResourceId.parse(vault_id))]
    return Scope(region, tuple(subscriptions), tuple(vaults))


def healthy_vms(scope: Scope, since: datetime, azure: Azure) -> set[str]:
    """The ids, in lower case, of the VMs with a completed backup that began after `since`."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    healthy: set[str] = set()
    for vault in scope.vaults:
        jobs = azure.shared.get(f"jobs since {vault.key} {hour}", _reader_of_jobs(vault, hour, azure), seconds=JOBS_SECONDS)
        healthy |= {_vm_of(job, vault) for job in jobs if job.completed and job.started_at and job.started_at > since}
    return healthy - {""}


def _reader_of_jobs(vault: ResourceId, since: datetime, azure: Azure) -> Callable[[], list[Job]]:
    return lambda: list_jobs(vault, since, datetime.now(since.tzinfo) + AN_HOUR, azure)


def _vm_of(job: Job, vault: ResourceId) -> str:
    """A VM is backed up into a vault of its own subscription.

    https://learn.microsoft.com/azure/backup/backup-support-matrix#vault-support
    """
    _, mark, names = job.container.partition(CONTAINER)
    group, _, name = names.partition(";")
    start = f"/subscriptions/{vault.subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/{name}"
    return start.lower() if mark and name else ""


class Shown(Struct, frozen=True):
    """What each VM has, by its id in lower case, as Azure shows it; a VM that Azure does not show is not there."""

    things: Mapping[str, Things]
    read_at: datetime

    def speaks_for(self, moment: datetime) -> bool:
        """Whether it is newer than that moment, however far rows lag behind."""
        return moment <= self.read_at - LAG


def things_of(scope: Scope, azure: Azure) -> Shown:
    """Read once for all storms of the scope."""
    key = f"things {scope.region} {' '.join(scope.subscriptions)}"
    return azure.shared.get(key, lambda: Shown(_read_things(scope, azure), datetime.now(UTC)), seconds=KEPT_SECONDS)


def _read_things(scope: Scope, azure: Azure) -> dict[str, Own]:
    def rows(name: str) -> list[dict[str, Any]]:
        return azure.query_graph(graph_query(name, region=scope.region), list(scope.subscriptions))

    reads = Reads(azure, sharing=True)
    nics = {row["id"].lower(): row for row in rows("region_nics")}
    subnets = {subnet["id"].lower(): subnet for row in rows("region_networks") for subnet in row.get("subnets") or ()}
    things: dict[str, Own] = {
        row["id"].lower(): {**_of_model(row), **_of_network(row, nics, subnets)} for row in rows("region_vms")
    }
    _add(things, "extension", _extensions(rows("region_extensions")))
    _add(things, "key_vault", _key_vaults(rows("region_encrypted_disks")))
    policies = reads.or_unknown(lambda: _policies(scope, azure))
    if not isinstance(policies, Unknown):
        _add(things, "policy", policies)
    for subscription in scope.subscriptions:
        _add_restore_points(things, subscription, reads)
    return things


def _add(things: Mapping[str, Own], kind: str, values: Mapping[str, set[str]]) -> None:
    """Who has none of a kind is known to have none."""
    for vm, own in things.items():
        own[kind] = _some(*sorted(values.get(vm, ())))


def _of_model(row: Mapping[str, Any]) -> Own:
    image = row.get("image") or {}
    name = "/".join(str(image.get(part) or "") for part in ("publisher", "offer", "sku")).strip("/") or image.get("id")
    zones = row.get("zones") or ()
    values = {"image": name, "size": row.get("size"), "os_version": row.get("os"), "encryption_set": row.get("des"),
              "zone": zones[0] if zones else None}  # fmt: skip
    return {kind: _some(value) for kind, value in values.items()}


def _of_network(row: Mapping[str, Any], nics: Mapping[str, Any], subnets: Mapping[str, Any]) -> Own:
    """Unknown where Azure does not show the interface or its subnet."""
    interfaces = row.get("nics") or [{}]
    primary = next((nic for nic in interfaces if (nic.get("properties") or {}).get("primary")), interfaces[0])
    nic = nics.get(str(primary.get("id") or "").lower())
    own = subnet_id({"properties": {"ipConfigurations": nic.get("configurations")}}) if nic else ""
    subnet = (subnets.get(own) or {}).get("properties") if own else None
    if nic is None or subnet is None:
        return dict.fromkeys(("subnet", "network", "network_security_group", "route_table"))
    groups = (nic.get("nsg"), (subnet.get("networkSecurityGroup") or {}).get("id"))
    return {
        "subnet": _some(own), "network": _some(own.rpartition("/subnets/")[0]), "network_security_group": _some(*groups),
        "route_table": _some((subnet.get("routeTable") or {}).get("id")),
    }  # fmt: skip


@lru_cache(4096)
def _some(*values: Any) -> frozenset[str]:
    """Ids in lower case. Thousands of VMs have the same few values: each set is there once."""
    return frozenset(str(value).lower() if str(value).startswith("/") else str(value) for value in values if value)


def _extensions(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for row in rows:
        vm = row["id"].lower().rpartition("/extensions/")[0]
        found[vm].add(f"{row.get('publisher')}.{row.get('kind')} {row.get('version')}")
    return found


def _key_vaults(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for row in rows:
        for setting in row.get("settings") or ():
            for part in ("diskEncryptionKey", "keyEncryptionKey"):
                vault = ((setting.get(part) or {}).get("sourceVault") or {}).get("id")
                found[str(row.get("vm"))] |= _some(vault)
    return found


def _policies(scope: Scope, azure: Azure) -> Mapping[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for vault in scope.vaults:
        for item in items_of_vault(vault, azure).values():
            found[str(item.get("sourceResourceId") or "").lower()] |= _some(item.get("policyId"))
    return found


def _add_restore_points(things: Mapping[str, Own], subscription: str, reads: Reads) -> None:
    """The groups that hold the VMs' restore points, and the locks that cover them; neither where it cannot be read."""
    collections = reads.or_unknown(lambda: collections_by_vm(subscription, reads))
    locks = reads.or_unknown(lambda: locks_of(subscription, reads))
    if isinstance(collections, Unknown):
        return
    for vm, own in things.items():
        if vm.split("/")[2] == subscription:
            ids = collections.get(vm, ())
            own["restore_point_group"] = _some(*(parsed.group_id for found in ids if (parsed := ResourceId.parse(found))))
            if not isinstance(locks, Unknown):
                own["lock"] = frozenset(lock.id for lock in locks if any(lock.covers(collection) for collection in ids))


def changed_at(shared: SharedThing, since: datetime, azure: Azure) -> datetime | None:
    """When the thing was made or changed in the day before the first failure; of a lock, when it was made."""
    parsed, reads = ResourceId.parse(shared.value), Reads(azure, sharing=True)
    if parsed is None:
        return None
    if shared.kind == "lock":
        made: list[Lock] = [lock for lock in locks_of(parsed.subscription.lower(), reads) if lock.id == shared.value]
        return made[0].created_at if made else None
    provider = shared.value.partition("/providers/")[2].partition("/")[0]
    entries = of_provider(parsed.subscription.lower(), provider, since - A_DAY, reads)
    own = [entry.at for entry in entries if entry.at <= since and f"{entry.resource}/".startswith(f"{shared.value.lower()}/")]
    return max(own, default=None)
