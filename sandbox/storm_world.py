"""A storm: many VMs of many vaults that fail with a few error codes within an hour, as the simulated Azure tells it.

Vaults lie in two regions and up to five subscriptions, each VM belongs to one vault and fails with one of five codes. What is
asked about one VM (its job, item, disks, network, restore points …) is answered from a `FullWorld`, built when it is asked for
and kept for a moment; 8,000 at once would fill the memory. Lists over many VMs (a vault's jobs and items; a subscription's
vaults, locks and restore point collections) are kept, without what such lists do not show.

Names are numbered, so that a path says whose it is: `vm-00042`, `rsv-storm-07`, `rg-app-07-3` (vault and code), and job ids
that begin with the VM's number.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.azure.arm import JOBS, LOCKS, VIEWLESS, Resources
from sandbox.azure.graph import BACKUP_TABLE, rows_of
from sandbox.azure.world import ITEM_TYPE, FullWorld
from sandbox.scenario import Expect, Scenario
from sandbox.world import Body

REGIONS = ("westeurope", "brazilsouth")
SUBSCRIPTIONS = 5
SPREAD_MINUTES, NEWEST_MINUTES = 45, 12
"""The failed jobs ended within so many minutes, the last one so long before the storm is looked at."""
JOB_MINUTES = 30
VAULTS = "microsoft.recoveryservices/vaults"
COLLECTIONS = "microsoft.compute/restorepointcollections"
WORLDS_KEPT = 256


@dataclass(frozen=True)
class Kind:
    """Why VMs fail: the error code, what the job says, and what about the VM is wrong (fields of a scenario's file)."""

    code: str
    message: str
    wrong: Mapping[str, Any] = field(default_factory=dict)


KINDS = (
    Kind(
        "UserErrorGuestAgentStatusUnavailable",
        "VM Agent unable to communicate with Azure Backup.",
        {"vm": {"agent": {"ready": False}}},
    ),
    Kind(
        "UserErrorRpCollectionLimitReached",
        "The Restore Point collection max limit has reached.",
        {"locks": [{"name": "do-not-delete", "scope": "restore_point_group"}], "restore_points": {"count": 18}},
    ),
    Kind(
        "ExtensionSnapshotFailedNoNetwork",
        "Snapshot operation failed due to no network connectivity on the virtual machine.",
        {
            "vm": {"disks": [{"write_accelerator": True}]},
            "network": {"rules": [{"name": "DenyStorage", "access": "Deny", "destinationAddressPrefix": "Storage"}]},
        },
    ),
    Kind(
        "ExtensionOperationFailedForManagedDisks",
        "VMSnapshot extension operation failed.",
        {"vm": {"extensions": [{"backup": True, "state": "failed/1", "message": "The extension did not start."}]}},
    ),
    Kind(
        "GuestAgentSnapshotTaskStatusError",
        "Could not communicate with the VM agent for snapshot status.",
        {"vm": {"power": "stopped"}},
    ),
)


@dataclass(frozen=True)
class Member(Scenario):
    """One VM of the storm, as a scenario that lives in a given subscription."""

    number: int = 0
    kind: Kind = KINDS[0]
    where: str = ""
    failed_at: datetime = datetime.min

    @property
    def subscription(self) -> str:
        return self.where

    def body(self, source: str, fired: datetime) -> Any:
        """The alert of a source about the failure."""
        from sandbox import alert_bodies

        return alert_bodies.build({"source": source, "code": self.kind.code, "fired": fired}, self.world(fired), fired)


class Listing:
    """A set of resources that are listed, by id in lower case."""

    def __init__(self) -> None:
        self.resources: dict[str, Body] = {}
        self.activity: list[Body] = []
        self.changes: list[Body] = []
        self._by_type: dict[str, dict[str, Body]] = {}
        self.rows: dict[str, Body] = {}
        """Of Azure Resource Graph, by id in lower case."""

    def add(self, *bodies: Body) -> None:
        for body in bodies:
            key = body["id"].lower()
            self.resources[key] = self._by_type.setdefault(body["type"].lower(), {})[key] = body

    def add_rows(self, *rows: Body) -> None:
        self.rows |= {row["id"].lower(): row for row in rows}

    @property
    def usages(self) -> list[Body]:
        """Nothing in a storm of backups asks for quotas or sizes."""
        return []

    @property
    def sizes(self) -> list[Body]:
        return []

    def resource(self, key: str, now: datetime) -> Body | None:
        return self.resources.get(key)

    def has_group(self, group: str) -> bool:
        return any(f"/resourcegroups/{group.lower()}/" in key for key in self.resources)

    def group_tags(self, group: str) -> Mapping[str, str]:
        return {}

    def of_type(self, kind: str) -> list[Body]:
        return list(self._by_type.get(kind.lower(), {}).values())


class StormWorld:
    """All VMs of a storm. `now` is when it is first looked at; the same numbers and the same time give the same storm."""

    def __init__(self, vaults: int, vms: int, now: datetime) -> None:
        self.vaults, self.vms, self.now = vaults, vms, now
        self.recovered_at: datetime | None = None
        self._world = lru_cache(WORLDS_KEPT)(self._new_world)
        self._listings: dict[str, Listing] = {}

    @property
    def subscriptions(self) -> list[str]:
        return list(dict.fromkeys(_subscription(vault) for vault in range(self.vaults)))

    def member(self, number: int) -> Member:
        """The VM of a number, from 0."""
        vault, kind = number % self.vaults, (number // self.vaults) % len(KINDS)
        failed_at = self.now - timedelta(minutes=NEWEST_MINUTES, seconds=number * 7919 % (60 * SPREAD_MINUTES))
        data = self._data(number, vault, kind, failed_at)
        return Member(f"storm-{number:05}", "A VM in a storm", "azure_backup", data, Expect(), number=number, kind=KINDS[kind],
                      where=_subscription(vault), failed_at=failed_at)  # fmt: skip

    def recover(self, at: datetime) -> None:
        """Every VM is well and has completed a backup just before then."""
        self.recovered_at = at
        self._world.cache_clear()
        self._listings = {}
        self.build_lists()

    def resources(self, subscription: str, key: str) -> Resources | None:
        """What holds a path (in lower case): a VM's world, or the lists of a vault or of a subscription."""
        number = self._number_in(key)
        if number is not None and number < self.vms:
            return self._world(number)
        if vault := re.search(r"/vaults/rsv-storm-(\d+)(?:/|$)", key):
            return self._listings.get(vault[1]) or self._listings.get(subscription.lower())
        return self._listings.get(subscription.lower())

    def rows(self, table: str, subscription: str) -> Iterator[Body]:
        """Of a table of Azure Resource Graph."""
        listing = self._listings.get(subscription)
        rows = listing.rows.values() if listing else ()
        return (row for row in rows if row["type"].startswith(VAULTS) == (table == BACKUP_TABLE))

    def build_lists(self) -> None:
        """Go through all VMs once: half a millisecond each."""
        for number in range(self.vms):
            world = self._new_world(number)
            vault = self._listings.setdefault(f"{number % self.vaults:02}", Listing())
            subscription = self._listings.setdefault(world.subscription, Listing())
            if number < self.vaults:
                first = [world.resources[world.vault_id.lower()], *world.of_type(f"{VAULTS}/backupPolicies")]
                vault.add(*first)
                subscription.add(first[0])
            subscription.add_rows(*rows_of("resources", world.resources.values()))
            subscription.add_rows(*rows_of(BACKUP_TABLE, world.of_type(ITEM_TYPE)))
            vault.add(*(_without(body, VIEWLESS) for body in world.of_type(JOBS)), *world.of_type(ITEM_TYPE))
            subscription.add(*world.of_type(LOCKS), *(_without(body, ("restorePoints",)) for body in world.of_type(COLLECTIONS)))

    # ------------------------------------------------------------------ one VM

    def _new_world(self, number: int) -> FullWorld:
        return FullWorld(self.member(number), self.now)

    def _number_in(self, key: str) -> int | None:
        """Whose a path is: it names the VM, its job, or the group that its network is in."""
        if found := re.search(r"vm-(\d{5})(?!\d)|/backupjobs/(\d{8})-", key):
            return int(found[1] or found[2])
        if found := re.search(r"/resourcegroups/rg-app-(\d+)-(\d)(?:/|$)", key):
            return int(found[1]) + self.vaults * int(found[2])
        return None

    def _data(self, number: int, vault: int, kind: int, failed_at: datetime) -> dict[str, Any]:
        """The fields of a scenario's file; everything that is wrong is well again after the recovery."""
        region, began = REGIONS[vault % len(REGIONS)], failed_at - timedelta(minutes=JOB_MINUTES)
        wrong = {} if self.recovered_at else KINDS[kind].wrong
        vm: Body = {"name": f"vm-{number:05}", "resource_group": f"rg-app-{vault:02}-{kind}", "location": region}
        vm |= wrong.get("vm", {})
        if agent := vm.get("agent"):
            vm["agent"] = {**agent, "reported": began}
        error = {"message": KINDS[kind].message}
        jobs = list(_other_jobs(number, began, self.recovered_at))
        points = {"resource_group": f"AzureBackupRG_{region}_{kind + 1}", **wrong.get("restore_points", {})}
        return {
            **{name: value for name, value in wrong.items() if name in ("locks", "network")},
            "vm": vm,
            "vault": {"name": f"rsv-storm-{vault:02}", "resource_group": "rg-vaults"},
            "job": {"id": _job_id(number, 1), "started": began, "ended": failed_at, "error": error},
            "jobs": jobs,
            "restore_points": points,
        }


def _other_jobs(number: int, began: datetime, recovered_at: datetime | None) -> Iterator[Body]:
    """Yesterday's backup, and the one that ended the trouble."""
    yesterday = began - timedelta(days=1)
    yield {"id": _job_id(number, 2), "status": "Completed", "started": yesterday, "ended": yesterday + timedelta(hours=1)}
    if recovered_at:
        began, ended = recovered_at - timedelta(seconds=20), recovered_at - timedelta(seconds=5)
        yield {"id": _job_id(number, 3), "status": "Completed", "started": began, "ended": ended}


def _job_id(number: int, which: int) -> str:
    return f"{number:08}-0000-4000-8000-{which:012}"


def _subscription(vault: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"storm/{vault // len(REGIONS) % SUBSCRIPTIONS}"))


def _without(body: Body, names: tuple[str, ...]) -> Body:
    return {**body, "properties": {name: value for name, value in body["properties"].items() if name not in names}}
