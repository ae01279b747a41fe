"""A scenario's world in full: what `sandbox.world` builds, and the rest that Azure shows of it.

Bodies are in the wire shapes of Azure Resource Manager; the scenario's raw `resources` have the last word.
https://learn.microsoft.com/rest/api/backup/ and https://learn.microsoft.com/rest/api/compute/
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from sandbox.azure import metrics
from sandbox.scenario import RELATIVE_TIME, Scenario, moment
from sandbox.world import Body, World

ITEM_TYPE = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
EXTENSION_TYPE = "Microsoft.Compute/virtualMachines/extensions"
POINT_TYPE = "Microsoft.Compute/restorePointCollections/restorePoints"
TIERS = ("InstantRP", "HardenedRP")
DEFAULT_RULES = (
    ("AllowVnetInBound", "Inbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Inbound", "Allow", 65001, "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Inbound", "Deny", 65500, "*", "*"),
    ("AllowVnetOutBound", "Outbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Outbound", "Allow", 65001, "*", "Internet"),
    ("DenyAllOutBound", "Outbound", "Deny", 65500, "*", "*"),
)
"""https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules"""


class FullWorld(World):
    """The resources of one scenario, by lower-case id; `logs` are its rows by table."""

    def __init__(self, scenario: Scenario, now: datetime) -> None:
        super().__init__(scenario.name, scenario.subscription, scenario.data, now)
        self.workspace_id = scenario.workspace_id
        self.logs = self._log_rows()

    def resource(self, key: str, now: datetime) -> Body | None:
        """The body of an id in lower case, as it is at `now`: an agent that is ready goes on reporting."""
        body = self.resources.get(key)
        agent = self.vm.get("agent") or {}
        if not body or key != self.vm_id.lower() or not agent.get("ready", True) or "reported" in agent:
            return body
        body = copy.deepcopy(body)
        for status in ((body["properties"].get("instanceView") or {}).get("vmAgent") or {}).get("statuses") or ():
            if isinstance(status.get("time"), str):
                status["time"] = (datetime.fromisoformat(status["time"]) + (now - self.now)).isoformat()
        return body

    def has_group(self, group: str) -> bool:
        """Whether a resource group is there: it holds something, or belonged to the VM or the vault."""
        named = {self.vm["resource_group"].lower(), self.vault["resource_group"].lower()}
        prefix = self.group_id(group).lower() + "/"
        return group.lower() in named or any(key.startswith(prefix) for key in self.resources)

    def group_tags(self, group: str) -> Mapping[str, str]:
        """Only the VM's group has some."""
        own = group.lower() == self.vm["resource_group"].lower()
        return dict(self.vm.get("group_tags") or {}) if own else {}

    def of_type(self, kind: str) -> list[Body]:
        return [body for body in self.resources.values() if str(body.get("type", "")).lower() == kind.lower()]

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        super()._build()
        self._add_neighbours()
        self._complete_vault()
        self._complete_item()
        self._add_recovery_points()
        self._complete_vms()
        self._complete_network()
        self._complete_collections()
        self._add_metrics()
        self._add_storage_accounts()
        self._add_restore_targets()
        self.activity = [self._activity(entry) for entry in self.activity]
        self._override()

    def _change(self, resource_id: str, properties: Mapping[str, Any], **more: Any) -> None:
        """Add to a resource that is there."""
        body = self.resources.get(resource_id.lower())
        if body is not None:
            body["properties"] |= properties
            body |= more

    def _add_neighbours(self) -> None:
        """Other VMs in the vault, each with a failed job in the same minutes and a restore point collection."""
        failed = self.resources.get(f"{self.vault_id}/backupJobs/{self.job['id']}".lower())
        for number in range(1, int(self.data.get("neighbours") or 0) + 1):
            name, group = f"vm-next-{number:04}", f"rg-next-{number % 7}"
            self._add_neighbours_points(self.resource_id(group, "Microsoft.Compute/virtualMachines", name), number)
            if failed:
                own = {
                    "entityFriendlyName": name,
                    "containerName": f"iaasvmcontainerv2;{group};{name}",
                    "activityId": self.guid(f"activity/{name}"),
                }
                job_id = f"{self.vault_id}/backupJobs/{self.guid('job/' + name)}"
                self._add(job_id, failed["type"], copy.deepcopy(failed["properties"]) | own)

    def _add_neighbours_points(self, vm_id: str, number: int) -> None:
        kind, location = "Microsoft.Compute/restorePointCollections", self.vm["location"]
        name = f"AzureBackup_{vm_id.rpartition('/')[2]}_{number:06}"
        collection = self.resource_id(f"AzureBackupRG_{location}_{1 + number // 600}", kind, name)
        properties = {
            "source": {"id": vm_id, "location": location},
            "provisioningState": "Succeeded",
            "restorePoints": [self._point(collection, day, "Succeeded") for day in range(2)],
        }
        self._add(collection, kind, properties, location=location)

    def _complete_vault(self) -> None:
        alerts = {"azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"}}
        identity = {
            "type": "SystemAssigned",
            "principalId": self.guid("principal/vault"),
            "tenantId": self.guid(self.vault.get("tenant", "tenant")),
        }
        own = {"publicNetworkAccess": "Enabled", "monitoringSettings": alerts, **self._vault_encryption()}
        self._add_usages()
        self._change(self.vault_id, own, identity=identity,
                     sku={"name": "RS0", "tier": "Standard"}, tags=dict(self.vault.get("tags") or {}))  # fmt: skip
        for policy in self.of_type("Microsoft.RecoveryServices/vaults/backupPolicies"):
            policy["properties"] |= self._policy(policy["properties"])

    def _vault_encryption(self) -> Body:
        """https://learn.microsoft.com/azure/backup/encryption-at-rest-with-cmk"""
        name = self.vault.get("key_vault")
        uri = f"https://{name}.vault.azure.net/keys/kek-1/0a1b"
        return (
            {"encryption": {"keyVaultProperties": {"keyUri": uri}, "kekIdentity": {"useSystemAssignedIdentity": True}}}
            if name
            else {}
        )

    def _add_usages(self) -> None:
        """How many items the vault protects: its own, those of the neighbours, and as many more as the scenario says."""
        count = 1 + int(self.data.get("neighbours") or 0) + int(self.vault.get("more_items") or 0)
        for name in ("ProtectedItemCount", "IaaSVMProtectedItemCount"):
            self._add(f"{self.vault_id}/usages/{name}", "Microsoft.RecoveryServices/vaults/usages", {"currentValue": count})

    def _policy(self, known: Body) -> Body:
        """`instantRPDetails` names the restore-point groups when the scenario's policy customises them."""
        group = (self.data.get("policy") or {}).get("restore_point_group") or {}
        names = {"azureBackupRGNamePrefix": group.get("prefix"), "azureBackupRGNameSuffix": group.get("suffix")}
        wall = self._scheduled()
        run_times = [wall.strftime("%Y-%m-%dT%H:%M:00Z")]
        given = self.data.get("policy") or {}
        schedule: Body = {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily",
                          "scheduleRunTimes": run_times}  # fmt: skip
        if given.get("weekly"):
            schedule |= {"scheduleRunFrequency": "Weekly", "scheduleRunDays": [wall.strftime("%A")]}
        elif hours := given.get("every_hours"):
            hourly = {
                "interval": hours,
                "scheduleWindowStartTime": run_times[0],
                "scheduleWindowDuration": given.get("window_hours", 24),
            }
            schedule = {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Hourly",
                "hourlySchedule": hourly,
            }
        elif known.get("policyType") == "V2":
            daily = {"scheduleRunTimes": run_times}
            schedule = {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Daily",
                "dailySchedule": daily,
            }
        kept = {"retentionTimes": run_times, "retentionDuration": {"count": 30, "durationType": "Days"}}
        return {
            "instantRPDetails": {name: value for name, value in names.items() if value},
            "schedulePolicy": schedule,
            "retentionPolicy": {"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": kept},
            "protectedItemsCount": 1,
        }

    def _scheduled(self) -> datetime:
        """When the failed job was due, as the clocks of the policy's zone show it."""
        zone = str((self.data.get("policy") or {}).get("zone") or "UTC")
        return self.time(self.job["started"]).astimezone(ZoneInfo(win_tz.get(zone, zone)))

    def _complete_item(self) -> None:
        """What the vault tells of the item's last backup follows its jobs."""
        jobs = self._backups()
        ended = [job for job in jobs if job.get("endTime")]
        points = [job for job in ended if str(job["status"]).startswith("Completed")]
        last, point = (ended or [{}])[0], (points or [{}])[0]
        policies = self.of_type("Microsoft.RecoveryServices/vaults/backupPolicies")
        failed = last.get("status") == "Failed"
        self._change(self.item_id, {
            "lastBackupStatus": last.get("status", ""), "lastBackupTime": last.get("endTime"),
            "lastRecoveryPoint": point.get("endTime"), "protectionStatus": "Unhealthy" if failed else "Healthy",
            "healthStatus": "ActionRequired" if failed else "Passed",
            "policyType": policies[0]["properties"]["policyType"] if policies else "V1",
            "policyName": policies[0]["name"] if policies else "", "protectedItemDataId": _digits(self.guid("item")),
            **self._told_of_item(),
        })  # fmt: skip

    def _told_of_item(self) -> Body:
        """What the scenario says of the protected item. An item whose protection is stopped has no policy."""
        given = self.data.get("item") or {}
        told: Body = {"lastRecoveryPoint": self._iso(given["last_point"])} if given.get("last_point") else {}
        told |= {"isScheduledForDeferredDelete": True} if given.get("deferred_delete") else {}
        listed = given.get("include_disks", given.get("exclude_disks"))
        if listed is not None:
            told["extendedProperties"] = {
                "diskExclusionProperties": {"isInclusionList": "include_disks" in given, "diskLunList": listed}
            }
        return told | ({"protectionState": given["state"], "policyId": "", "policyName": ""} if given.get("state") else {})

    def _backups(self) -> list[Body]:
        """The properties of this item's backup jobs, newest first."""
        jobs = [body["properties"] for body in self.of_type("Microsoft.RecoveryServices/vaults/backupJobs")]
        own = [job for job in jobs if job["containerName"] == self.container and job["operation"] == "Backup"]
        return sorted(own, key=lambda job: str(job["startTime"]), reverse=True)

    def _add_recovery_points(self) -> None:
        for job in self._backups():
            if str(job["status"]).startswith("Completed"):
                self._add(f"{self.item_id}/recoveryPoints/{_digits(self.guid('point/' + job['activityId']))}",
                          f"{ITEM_TYPE}/recoveryPoints", {
                    "objectType": "IaasVMRecoveryPoint", "recoveryPointType": job.pop("sandboxConsistency", "AppConsistent"),
                    "recoveryPointTime": job["endTime"],
                    "sourceVMStorageType": "PremiumVMOnPartialPremiumStorage", "isInstantIlrSessionActive": False,
                    "isManagedVirtualMachine": True, "originalStorageAccountOption": False,
                    "recoveryPointTierDetails": [{"type": tier, "status": "Valid"} for tier in job.pop("sandboxTiers", TIERS)],
                    **({"threatStatus": job.pop("sandboxThreat")} if "sandboxThreat" in job else {}),
                    **({"securityType": kind} if (kind := job.pop("sandboxSecurity", self.vm.get("security_type"))) else {}),
                    "virtualMachineSize": "Standard_D2s_v5", "isSourceVMEncrypted": False, "osType": self.vm["os"],
                    **job.pop("sandboxPoint", {}),
                })  # fmt: skip

    def _complete_vms(self) -> None:
        for body in self.of_type("Microsoft.Compute/virtualMachines"):
            view = body["properties"]["instanceView"]
            silent = [self._silent(given) for given in self.vm.get("extensions") or () if given.get("model_only")]
            children = [self._extension_resource(body, shown) for shown in (*(view.get("extensions") or ()), *silent)]
            body["resources"] = copy.deepcopy(children)
            for child in children:
                self.resources[child["id"].lower()] = child

    def _silent(self, given: Mapping[str, Any]) -> Body:
        """An extension of the model that the agent says nothing of."""
        shown = self._extension({**given, "state": "creating"})
        return {name: value for name, value in shown.items() if name != "hidden"}

    def _extension_resource(self, vm: Body, shown: Body) -> Body:
        """The ARM resource of an extension; the backup extension has none with managed disks."""
        publisher, _, kind = shown["type"].rpartition(".")
        state = shown["statuses"][0]["code"].split("/")[1].capitalize()
        properties = {
            "publisher": publisher, "type": kind, "autoUpgradeMinorVersion": True,
            "typeHandlerVersion": ".".join(shown["typeHandlerVersion"].split(".")[:2]),
            "provisioningState": {"Transitioning": "Updating"}.get(state, state),
        }  # fmt: skip
        return {"id": f"{vm['id']}/extensions/{shown['name']}", "name": shown["name"], "type": EXTENSION_TYPE,
                "location": vm["location"], "properties": properties}  # fmt: skip

    def _complete_network(self) -> None:
        for group in self.of_type("Microsoft.Network/networkSecurityGroups"):
            group["location"] = self.vm["location"]
            group["properties"] |= {
                "provisioningState": "Succeeded",
                "defaultSecurityRules": [_default_rule(*r) for r in DEFAULT_RULES],
            }
        for subnet in self.of_type("Microsoft.Network/virtualNetworks/subnets"):
            network = subnet["id"].rpartition("/subnets/")[0]
            space = {"addressSpace": {"addressPrefixes": ["10.20.0.0/16"]}, "subnets": [copy.deepcopy(subnet)]}
            self._add(network, "Microsoft.Network/virtualNetworks", space, location=self.vm["location"])

    def _complete_collections(self) -> None:
        for collection in self.of_type("Microsoft.Compute/restorePointCollections"):
            collection["properties"]["restorePointCollectionId"] = self.guid(collection["id"])
            for point in collection["properties"].get("restorePoints") or ():
                self.resources[point["id"].lower()] = {**copy.deepcopy(point), "type": POINT_TYPE}

    def _add_metrics(self) -> None:
        """What Azure measures of the VM; see sandbox/azure/metrics.py."""
        spans = [{"from": self.time(given.get("from", "-93d")), "to": self.time(given.get("to", "+1d")), **_measured(given)}
                 for given in self.data.get("metrics") or ()]  # fmt: skip
        if self.vm_id.lower() in self.resources:
            self._add(f"{self.vm_id}{metrics.BELOW}", metrics.KIND, {"base": dict(metrics.IDLE), "spans": spans})

    def _add_storage_accounts(self) -> None:
        """What holds unmanaged disks, and what restores go to, with what Azure measures of it."""
        for given in self.data.get("storage_accounts") or ():
            kind = f"Microsoft.{'ClassicStorage' if given.get('classic') else 'Storage'}/storageAccounts"
            account = self.resource_id(given.get("resource_group", self.vm["resource_group"]), kind, given["name"])
            rules = {"defaultAction": given.get("network", "Allow"), "bypass": "AzureServices"}
            made = self._iso(given.get("created", "-90d"))
            properties = {
                "networkAcls": rules,
                "publicNetworkAccess": "Enabled",
                "provisioningState": "Succeeded",
                "creationTime": made,
            }
            self._add(account, kind, properties, location=given.get("location", self.region))
            held = given.get("used_tib", 1.0)
            base = {} if held is None else {"UsedCapacity": held * 2**40}
            self._add(f"{account}{metrics.BELOW}", metrics.KIND, {"base": base, "spans": []})

    def _add_restore_targets(self) -> None:
        """What restores need besides a storage account: the agreement of a Marketplace plan, usages and sizes of the region."""
        if plan := self.vm.get("plan"):
            names = {"publisher": plan["publisher"], "product": plan["product"], "plan": plan["name"]}
            place = f"/subscriptions/{self.subscription}/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine"
            agreement = (
                f"{place}/publishers/{names['publisher']}/offers/{names['product']}/plans/{names['plan']}/agreements/current"
            )
            self._add(agreement, "Microsoft.MarketplaceOrdering/offertypes", names | {"accepted": plan.get("accepted", True)})
            if body := self.resources.get(self.vm_id.lower()):
                body["plan"] = {name: plan[name] for name in ("publisher", "product", "name")}

    @property
    def region(self) -> str:
        """Of the vault, which restores go to."""
        return str(self.vault.get("location") or self.vm["location"])

    @property
    def usages(self) -> list[Body]:
        """https://learn.microsoft.com/rest/api/compute/usage/list"""
        given = self.data.get("usages") or [
            {"name": "cores", "used": 8, "limit": 100},
            {"name": "standardDSv5Family", "used": 4, "limit": 50},
        ]
        return [{"unit": "Count", "currentValue": each["used"], "limit": each["limit"],
                 "name": {"value": each["name"], "localizedValue": each["name"]}} for each in given]  # fmt: skip

    @property
    def sizes(self) -> list[Body]:
        """https://learn.microsoft.com/rest/api/compute/resource-skus/list"""
        default: list[Body] = [{"name": "Standard_D2s_v5"}, {"name": "Standard_D4s_v5", "cores": 4}]
        given = default if self.data.get("sizes") is None else self.data["sizes"]
        return [self._size(each) for each in given]

    def _size(self, given: Mapping[str, Any]) -> Body:
        region, barred = self.region, given.get("restricted") or []
        zones, reason = [zone for zone in barred if zone != "location"], "NotAvailableForSubscription"
        told = (
            [{"type": "Location", "values": [region], "restrictionInfo": {"locations": [region]}, "reasonCode": reason}]
            if "location" in barred
            else []
        )
        told += (
            [
                {
                    "type": "Zone",
                    "values": [region],
                    "restrictionInfo": {"locations": [region], "zones": zones},
                    "reasonCode": reason,
                }
            ]
            if zones
            else []
        )
        return {"resourceType": "virtualMachines", "name": given["name"], "family": given.get("family", "standardDSv5Family"),
                "locations": [region], "locationInfo": [{"location": region, "zones": ["1", "2", "3"]}], "restrictions": told,
                "capabilities": [{"name": "vCPUs", "value": str(given.get("cores", 2))}]}  # fmt: skip

    def _activity(self, entry: Body) -> Body:
        """https://learn.microsoft.com/rest/api/monitor/activity-logs/list"""
        mark = self.guid(f"activity/{entry['eventTimestamp']}/{entry['operationName']['value']}")
        return {
            "id": f"{entry['resourceId']}/events/{mark}/ticks/0", "eventDataId": mark, "correlationId": mark,
            "level": "Informational",
            "category": {"value": "Administrative"},
            "subscriptionId": self.subscription, "submissionTimestamp": entry["eventTimestamp"], **entry,
        }  # fmt: skip

    def _override(self) -> None:
        """The scenario's raw resources once more: they win over what was completed."""
        for resource_id, body in (self.data.get("resources") or {}).items():
            full = resource_id.replace("{subscription}", self.subscription)
            if body is None:
                self.resources.pop(full.lower(), None)
            else:
                kind, name = _type_of(full), full.rpartition("/")[2]
                known = self.resources.setdefault(full.lower(), {"id": full, "name": name, "properties": {}})
                merge(known, body)
                known.setdefault("type", kind)

    def _log_rows(self) -> dict[str, list[Body]]:
        """Rows with `{vm}`, `{vault}`, `{job}` and `{subscription}` filled in, and relative times made absolute."""
        names = {
            "{vm}": self.vm_id,
            "{vault}": self.vault_id,
            "{job}": self.job["id"],
            "{subscription}": self.subscription,
        }

        def filled(value: Any) -> Any:
            if not isinstance(value, str):
                return value.replace(tzinfo=value.tzinfo or UTC) if isinstance(value, datetime) else value
            if RELATIVE_TIME.fullmatch(value):
                return moment(value, self.now)
            for name, meant in names.items():
                value = value.replace(name, meant)
            return value

        tables = self.data.get("logs") or {}
        return {
            table: [{name: filled(cell) for name, cell in row.items()} for row in rows]
            for table, rows in tables.items()
        }  # fmt: skip


def merge(target: Body, changes: Mapping[str, Any]) -> None:
    """Deep merge: mappings are merged, everything else is replaced; null deletes."""
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = copy.deepcopy(value)


def _measured(given: Mapping[str, Any]) -> Body:
    """A scenario's `cpu`, `memory` and `iops` as Azure's metrics."""
    return {metric: given[name] for name, of in metrics.CALLED.items() if name in given for metric in of}


def _default_rule(name: str, direction: str, access: str, priority: int, source: str, destination: str) -> Body:
    return {"name": name, "properties": {
        "direction": direction, "access": access, "priority": priority, "protocol": "*", "sourcePortRange": "*",
        "destinationPortRange": "*", "sourceAddressPrefix": source, "destinationAddressPrefix": destination,
    }}  # fmt: skip


def _type_of(resource_id: str) -> str:
    parts = resource_id.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])


def _digits(guid: str) -> str:
    """A number of 18 digits, as recovery points are called."""
    return re.sub(r"\D", "", str(int(guid.replace("-", ""), 16)))[:18]
