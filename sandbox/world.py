"""The ARM resources of one scenario: a healthy world, and what the scenario's file changes in it.

`resources` maps ids (lower case) to bodies in the wire shapes of Azure Resource Manager; lists are found by prefix and type.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Body = dict[str, Any]
BACKUP_SERVICE = "262044b1-e2ce-469f-a196-69ab7ada62d3"
CERTIFICATE_NAMES = ("kek-1",)
"""Secrets that Key Vault keeps beside a certificate: a scenario whose key vault holds `secrets/kek-1` has a certificate of that name."""
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
BACKUP_APP = "Microsoft.Azure.RecoveryServices"
MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/contoso"


class World:
    """One scenario's world, built for a moment: its times are relative to `now`."""

    def __init__(self, name: str, subscription: str, data: Mapping[str, Any], now: datetime) -> None:
        self.name, self.subscription, self.data, self.now = name, subscription, data, now
        self.resources: dict[str, Body] = {}
        self.activity: list[Body] = []
        self.changes: list[Body] = []
        self.vm: Body = {"name": f"vm-{name.replace('_', '-')[:40]}", "resource_group": "rg-shop", "location": "westeurope",
                   "os": "Windows", "power": "running", "created": "-90d", "status_at": "-30d"} | dict(data.get("vm") or {})  # fmt: skip
        self.vault: Body = {"name": "rsv-shop", "resource_group": "rg-vaults"} | dict(data.get("vault") or {})
        self.job = self._job_fields(data.get("job") or {}, "failed")
        self._build()

    # ------------------------------------------------------------------ ids

    def group_id(self, group: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}"

    def resource_id(self, group: str, kind: str, name: str) -> str:
        return f"{self.group_id(group)}/providers/{kind}/{name}"

    @property
    def vm_id(self) -> str:
        return self.resource_id(self.vm["resource_group"], "Microsoft.Compute/virtualMachines", self.vm["name"])

    @property
    def vault_id(self) -> str:
        return self.resource_id(self.vault["resource_group"], "Microsoft.RecoveryServices/vaults", self.vault["name"])

    @property
    def container(self) -> str:
        return f"iaasvmcontainerv2;{self.vm['resource_group']};{self.vm['name']}"

    @property
    def item_id(self) -> str:
        return (
            f"{self.vault_id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{self.container}"
            f"/protectedItems/VM;{self.container}"
        )

    def guid(self, text: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{text}"))

    def time(self, text: object) -> datetime:
        from sandbox.scenario import moment

        return moment(text, self.now)

    def _iso(self, text: object) -> str:
        return self.time(text).strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"

    # ------------------------------------------------------------------ building

    def _add(self, resource_id: str, kind: str, properties: Body, **more: Any) -> Body:
        body = {"id": resource_id, "name": resource_id.rpartition("/")[2], "type": kind, "properties": properties, **more}
        self.resources[resource_id.lower()] = body
        return body

    def _build(self) -> None:
        if self.vm.get("exists", True):
            self._add_vm()
        self._add_network()
        self._add_vault()
        self._add_jobs()
        self._add_restore_points()
        self._add_locks()
        self._add_key_vaults()
        self._add_encryption_sets()
        self._add_health()
        self._add_activity()
        self._add_changes()
        self._add_disk_snapshots()
        self._add_subscription()
        for resource_id, body in (self.data.get("resources") or {}).items():
            full = resource_id.replace("{subscription}", self.subscription)
            if body is None:
                self.resources.pop(full.lower(), None)
            else:
                _merge(
                    self.resources.setdefault(full.lower(), {"id": full, "name": full.rpartition("/")[2], "properties": {}}), body
                )

    def _add_vm(self) -> None:
        vm, windows = self.vm, self.vm["os"] == "Windows"
        profile: Body = {"computerName": vm["name"][:15], "allowExtensionOperations": vm.get("extensions_allowed", True)}
        profile["windowsConfiguration" if windows else "linuxConfiguration"] = {
            "provisionVMAgent": vm.get("agent_provisioned", True)
        }
        default = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter"}
        image = vm.get("image") or (
            default if windows else {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
        )
        os_disk, *data_disks = [self._disk(disk, index) for index, disk in enumerate(vm.get("disks") or [{}])]
        properties: Body = {
            "timeCreated": self._iso(vm["created"]),
            "vmId": self.guid("vm"),
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "provisioningState": vm.get("provisioning_state", "Succeeded"),
            "storageProfile": {
                "imageReference": image,
                "osDisk": {"osType": vm["os"], "createOption": "FromImage", **os_disk},
                "dataDisks": data_disks,
            },
            "osProfile": profile,
            "networkProfile": {"networkInterfaces": [{"id": self.nic_id, "properties": {"primary": True}}]},
            "instanceView": self._instance_view(),
            **({"securityProfile": {"securityType": vm["security_type"]}} if vm.get("security_type") else {}),
        }
        tags = {"tags": dict(vm["tags"])} if vm.get("tags") else {}
        self._add(self.vm_id, "Microsoft.Compute/virtualMachines", properties, location=vm["location"], **tags)
        for group in vm.get("same_name_in") or ():
            other = self.resource_id(group, "Microsoft.Compute/virtualMachines", vm["name"])
            self._add(other, "Microsoft.Compute/virtualMachines", dict(properties), location=vm["location"])

    def _disk(self, disk: Mapping[str, Any], index: int) -> Body:
        name = disk.get("name") or (f"{self.vm['name']}-osdisk" if index == 0 else f"{self.vm['name']}-data{index}")
        body: Body = {"name": name, "caching": "ReadWrite", "writeAcceleratorEnabled": bool(disk.get("write_accelerator"))}
        if index:
            body["lun"] = index - 1
        size = disk.get("size_gib", 128)
        if disk.get("managed", True):
            disk_id = self.resource_id(self.vm["resource_group"], "Microsoft.Compute/disks", name)
            body["managedDisk"] = {"id": disk_id, "storageAccountType": disk.get("sku", "Premium_LRS")}
            properties: Body = {"diskSizeGB": size, "diskState": disk.get("state", "Attached"),
                                "provisioningState": disk.get("provisioning", "Succeeded")}  # fmt: skip
            properties |= {"maxShares": disk["max_shares"]} if disk.get("max_shares") else {}
            properties["encryption"] = {"type": "EncryptionAtRestWithPlatformKey"}
            if disk.get("encryption_set"):
                set_id = self.encryption_set_id(disk["encryption_set"])
                properties["encryption"] = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": set_id}
                body["managedDisk"]["diskEncryptionSet"] = {"id": set_id}
            if setting := self._encryption_setting(index):
                properties["encryptionSettingsCollection"] = {"enabled": True, "encryptionSettings": [setting],
                                                              "encryptionSettingsVersion": disk.get("ade_version", "1.1")}  # fmt: skip
            if disk.get("ephemeral"):
                body["diffDiskSettings"] = {"option": "Local"}
            self._add(disk_id, "Microsoft.Compute/disks", properties, location=self.vm["location"], managedBy=self.vm_id,
                      sku={"name": disk.get("sku", "Premium_LRS")})  # fmt: skip
        else:
            account = disk.get("account", "saunmanaged")
            if not self.data.get("storage_accounts"):
                self._add(self._storage_account_id(), "Microsoft.Storage/storageAccounts", {}, location=self.vm["location"])
            body["vhd"] = {"uri": f"https://{account}.blob.core.windows.net/vhds/{name}.vhd"}
            body["diskSizeGB"] = size
        return body

    def _instance_view(self) -> Body:
        vm = self.vm
        statuses = [
            {
                "code": f"ProvisioningState/{vm.get('status', 'succeeded')}",
                "level": "Info",
                "displayStatus": "Provisioning",
                "time": self._iso(vm["status_at"]),
                **({"message": vm["message"]} if vm.get("message") else {}),
            },
            {"code": f"PowerState/{vm['power']}", "level": "Info", "displayStatus": f"VM {vm['power']}"},
        ]
        view: Body = {"statuses": statuses, "disks": [self._disk_view(d, i) for i, d in enumerate(vm.get("disks") or [{}])]}
        agent = vm.get("agent", {})
        if patches := vm.get("patches"):
            view |= {"patchStatus": {"availablePatchSummary": self._patch_summary(patches)}}
        if vm["power"] in ("running", "starting") and agent is not None:
            view |= self._agent_view(agent)
        return view

    def _patch_summary(self, patches: Mapping[str, Any]) -> Body:
        """https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view (AvailablePatchSummary)"""
        at = self.time(patches.get("at", "-12h")).isoformat()
        return {"status": patches.get("status", "Succeeded"), "rebootPending": patches.get("reboot_pending", False),
                "assessmentActivityId": self.guid("patches"), "criticalAndSecurityPatchCount": 0, "otherPatchCount": 0,
                "startTime": at, "lastModifiedTime": at}  # fmt: skip

    def _agent_view(self, agent: Mapping[str, Any]) -> Body:
        windows, ready = self.vm["os"] == "Windows", agent.get("ready", True)
        version = agent.get("version", ("2.7.41491.1172" if windows else "2.13.1.1") if ready else "Unknown")
        status = {
            "code": "ProvisioningState/succeeded" if ready else "ProvisioningState/Unavailable",
            "level": "Info" if ready else "Warning",
            "displayStatus": "Ready" if ready else "Not Ready",
            "message": agent.get("message") or ("Guest Agent is running" if ready else "VM Agent is unresponsive."),
            "time": self.time(agent.get("reported", "-1m")).isoformat(),
        }
        found = self.vm.get("extensions")
        names = [{"backup": True}] if found is None and ready else [e for e in found or [] if not e.get("model_only")]
        extensions = [self._extension(dict(extension)) for extension in names]
        shown = [extension for extension in extensions if not extension.pop("hidden")]
        handlers = [
            {"type": e["type"], "typeHandlerVersion": e["typeHandlerVersion"], "status": e["statuses"][0]} for e in extensions
        ]
        default = "Windows Server 2022 Datacenter" if windows else "ubuntu"
        return {
            "osName": self.vm.get("os_name", default),
            **({"osVersion": str(self.vm["os_version"])} if "os_version" in self.vm else {}),
            "vmAgent": {"vmAgentVersion": version, "statuses": [status], "extensionHandlers": handlers},
            "extensions": shown,
        }

    def _extension(self, extension: Body) -> Body:
        """With managed disks the backup extension shows as a handler only."""
        backup = extension.get("backup", False)
        kind = extension.get("type") or f"{BACKUP_APP}.{'VMSnapshot' if self.vm['os'] == 'Windows' else 'VMSnapshotLinux'}"
        state = extension.get("state", "succeeded")
        level = "Error" if state.startswith("failed") else "Info"
        status: Body = {
            "code": f"ProvisioningState/{state}",
            "level": level,
            "displayStatus": "Ready" if level == "Info" else "Failed",
        }
        status |= {"message": extension["message"]} if extension.get("message") else {}
        status |= {"time": self.time(extension["at"]).isoformat()} if extension.get("at") else {}
        return {
            "name": extension.get("name") or kind.rpartition(".")[2],
            "type": kind,
            "typeHandlerVersion": extension.get("version", "1.0.113.0"),
            "statuses": [status],
            "hidden": backup,
        }

    def _disk_view(self, disk: Mapping[str, Any], index: int) -> Body:
        name = disk.get("name") or (f"{self.vm['name']}-osdisk" if index == 0 else f"{self.vm['name']}-data{index}")
        status = {"code": f"ProvisioningState/{disk.get('status', 'succeeded')}", "level": "Info"}
        view: Body = {"name": name, "statuses": [status | {"time": self._iso(disk.get("status_at", "-30d"))}]}
        if setting := self._encryption_setting(index):
            view["encryptionSettings"] = [{"enabled": True, **setting}]
        return view

    def _encryption_setting(self, index: int) -> Body:
        """Of Azure Disk Encryption; empty for a VM without it. The disk's own resource shows it too."""
        encrypted = self.vm.get("encrypted")
        if not encrypted:
            return {}
        vault, uri = self.key_vault_id(encrypted["vault"]), f"https://{encrypted['vault']}.vault.azure.net"
        setting: Body = {"diskEncryptionKey": {"secretUrl": f"{uri}/secrets/bek-{index}/0a1b", "sourceVault": {"id": vault}}}
        if encrypted.get("kek"):
            setting["keyEncryptionKey"] = {"keyUrl": f"{uri}/keys/kek-1/0a1b", "sourceVault": {"id": vault}}
        return setting

    @property
    def nic_id(self) -> str:
        return self.resource_id(self.vm["resource_group"], "Microsoft.Network/networkInterfaces", f"{self.vm['name']}-nic")

    def _add_network(self) -> None:
        network, group = dict(self.data.get("network") or {}), self.vm["resource_group"]
        vnet = self.resource_id(group, "Microsoft.Network/virtualNetworks", "vnet-shop")
        nsg = self.resource_id(group, "Microsoft.Network/networkSecurityGroups", "nsg-shop")
        outbound = {"defaultOutboundAccess": False} if network.get("private") else {}
        subnet: Body = {**outbound, "addressPrefix": "10.20.1.0/24", "networkSecurityGroup": {"id": nsg}}
        rules = [{"name": rule["name"], "properties": {"direction": "Outbound", "protocol": "*", "sourceAddressPrefix": "*",
                  "sourcePortRange": "*", "destinationPortRange": "*", "destinationAddressPrefix": "*", "priority": 100 + 10 * index,
                  **{k: v for k, v in rule.items() if k != "name"}}} for index, rule in enumerate(network.get("rules") or ())]  # fmt: skip
        self._add(nsg, "Microsoft.Network/networkSecurityGroups", {"securityRules": rules})
        if routes := network.get("routes"):
            table = self.resource_id(group, "Microsoft.Network/routeTables", "rt-shop")
            self._add(table, "Microsoft.Network/routeTables", {"routes": [{"name": r["name"], "properties": r} for r in routes]})
            subnet["routeTable"] = {"id": table}
        self._add(f"{vnet}/subnets/snet-app", "Microsoft.Network/virtualNetworks/subnets", subnet)
        configuration = {"name": "ipconfig1", "properties": {"primary": True, "privateIPAddress": "10.20.1.4",
                         "privateIPAllocationMethod": "Dynamic", "subnet": {"id": f"{vnet}/subnets/snet-app"}}}  # fmt: skip
        nic: Body = {"primary": True, "ipConfigurations": [configuration]}
        self._add(self.nic_id, "Microsoft.Network/networkInterfaces", nic, location=self.vm["location"])

    def _add_vault(self) -> None:
        kind = "Microsoft.RecoveryServices/vaults"
        self._add(
            self.vault_id, kind, {"provisioningState": "Succeeded"}, location=self.vault.get("location", self.vm["location"])
        )
        policy = {"name": "policy-nightly", "type": "V1", "snapshot_days": 2} | dict(self.data.get("policy") or {})
        policy_id = f"{self.vault_id}/backupPolicies/{policy['name']}"
        self._add(policy_id, f"{kind}/backupPolicies", {
            "backupManagementType": "AzureIaasVM", "policyType": policy["type"],
            "instantRpRetentionRangeInDays": policy["snapshot_days"], "timeZone": policy.get("zone", "UTC"),
            **({"snapshotConsistencyType": policy["consistency"]} if policy.get("consistency") else {}),
        })  # fmt: skip
        self._add(self.item_id, f"{kind}/backupFabrics/protectionContainers/protectedItems", {
            "protectedItemType": "Microsoft.Compute/virtualMachines", "backupManagementType": "AzureIaasVM", "workloadType": "VM",
            "containerName": self.container, "friendlyName": self.vm["name"], "sourceResourceId": self.vm_id,
            "virtualMachineId": self.vm_id, "protectionState": "Protected", "healthStatus": "Passed",
            "lastBackupStatus": "Failed", "policyId": policy_id,
        })  # fmt: skip
        for other in self.data.get("other_vaults") or ():
            self._add_other_vault(other)

    def _add_other_vault(self, other: Mapping[str, Any]) -> None:
        """A vault that kept or keeps the VM too, with its jobs."""
        vault_id, kind = (
            self.resource_id(other["resource_group"], "Microsoft.RecoveryServices/vaults", other["name"]),
            "Microsoft.RecoveryServices/vaults",
        )
        self._add(vault_id, kind, {"provisioningState": "Succeeded"}, location=self.vm["location"])
        item = f"{vault_id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{self.container}/protectedItems/VM;{self.container}"
        self._add(item, f"{kind}/backupFabrics/protectionContainers/protectedItems", {
            "protectedItemType": "Microsoft.Compute/virtualMachines", "sourceResourceId": self.vm_id, "friendlyName": self.vm["name"],
            "virtualMachineId": self.vm_id, "protectionState": other.get("state", "ProtectionStopped")})  # fmt: skip
        for index, job in enumerate(other.get("jobs") or ()):
            self._add_job(self._job_fields(job, f"{other['name']}/{index}"), primary=False, vault_id=vault_id)

    def _job_fields(self, given: Mapping[str, Any], label: str) -> Body:
        fields = {"id": self.guid(f"job/{label}"), "operation": "Backup", "status": "Failed", "started": "-50m", "ended": "-5m",
                  "scheduled": True, "type": "AzureIaaSVMJob", "exists": True}  # fmt: skip
        return fields | dict(given)

    def _add_jobs(self) -> None:
        yesterday = {"status": "Completed", "started": "-1d", "ended": "-23h"}
        given = self.data.get("jobs")
        others = [yesterday] if given is None else given
        for index, job in enumerate([self.job, *(self._job_fields(other, str(i)) for i, other in enumerate(others))]):
            if job["exists"]:
                self._add_job(job, primary=index == 0)

    def _add_job(self, job: Body, *, primary: bool, vault_id: str = "") -> None:
        began = self.time(job["started"])
        ended = None if job["status"] == "InProgress" else self.time(job["ended"])
        failed = job["status"] == "Failed"
        snapshot = "Failed" if failed else "Completed"
        transfer = {"Failed": "Skipped", "InProgress": "InProgress"}.get(job["status"], "Completed")
        tasks = job.get("tasks") or {"Take Snapshot": snapshot, "Transfer data to vault": transfer}
        container = f"iaasvmcontainerv2;{job.get('vm_group') or self.vm['resource_group']};{self.vm['name']}"
        properties: Body = {
            "jobType": job["type"], "operation": job["operation"], "status": job["status"], "entityFriendlyName": self.vm["name"],
            "backupManagementType": "AzureIaasVM" if "IaaSVM" in job["type"] else "AzureWorkload",
            "startTime": began.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z", "activityId": self.guid(f"activity/{job['id']}"),
            "isUserTriggered": not job["scheduled"], "virtualMachineVersion": "Compute", "containerName": container,
            "duration": f"PT{int(((ended or self.now) - began).total_seconds() // 60)}M0.2700148S",
            "extendedInfo": {"tasksList": [{"taskId": name, "status": status} for name, status in tasks.items()],
                             "propertyBag": self._property_bag(job)},
        }  # fmt: skip
        if ended:
            properties["endTime"] = ended.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"
        if job.get("detailed_message"):
            properties["extendedInfo"]["dynamicErrorMessage"] = job["detailed_message"]
        errors = job.get("errors") or ([job["error"]] if job.get("error") else [])
        if failed:
            properties["errorDetails"] = [
                {"errorCode": e.get("number", 0), "errorTitle": e.get("title"), "errorString": e.get("message"),
                 "recommendations": e.get("recommendations") or []} for e in errors
            ]  # fmt: skip
        about_point = {
            "sandboxConsistency": "consistency",
            "sandboxThreat": "threat",
            "sandboxTiers": "tiers",
            "sandboxSecurity": "security_type",
            "sandboxPoint": "point",
        }
        properties |= {name: job[field] for name, field in about_point.items() if job.get(field)}
        self._add(
            f"{vault_id or self.vault_id}/backupJobs/{job['id']}", "Microsoft.RecoveryServices/vaults/backupJobs", properties
        )

    def _property_bag(self, job: Body) -> Body:
        """What the details of a restore say of it: https://learn.microsoft.com/azure/backup/tutorial-restore-disk"""
        if job["operation"] != "Restore":
            return {"VM Name": self.vm["name"]}
        restore, bag = job.get("restore") or {}, {}
        named = {"Target Storage Account Name": "storage_account", "Target resource group": "resource_group"}
        if restore:
            at = self.time(restore.get("point", "-23h"))
            bag = {"Job Type": restore.get("kind", "Recover disks"), "Recovery point time ": f"{at:%m/%d/%Y %I:%M:%S %p}"}
        return bag | {name: restore[field] for name, field in named.items() if field in restore} | dict(restore.get("told") or {})

    def _add_restore_points(self) -> None:
        given = self.data.get("restore_points") or {}
        for index, points in enumerate(given if isinstance(given, list) else [given]):
            group = points.get("resource_group", f"AzureBackupRG_{self.vm['location']}_1")
            name = points.get("collection", f"AzureBackup_{self.vm['name']}_21105{index}")
            collection = self.resource_id(group, "Microsoft.Compute/restorePointCollections", name)
            if index == 0:
                self.collection_id, self.restore_point_group = collection, group
            if points.get("exists", True):
                apart, state = timedelta(hours=points.get("hours_apart", 24)), points.get("state", "Succeeded")
                found = [self._point(collection, number, state, apart) for number in range(points.get("count", 2))]
                self._add(collection, "Microsoft.Compute/restorePointCollections", {
                    "source": {"id": self.vm_id.lower(), "location": self.vm["location"]},
                    "provisioningState": points.get("collection_state", "Succeeded"), "restorePoints": found,
                }, location=self.vm["location"])  # fmt: skip

    def _point(self, collection: str, number: int, state: str, apart: timedelta = timedelta(days=1)) -> Body:
        created = self.now - apart * (number + 1)
        name = f"AzureBackup_{created:%Y%m%d_%H%M%S}"
        return {"id": f"{collection}/restorePoints/{name}", "name": name, "properties": {
            "provisioningState": state if number == 0 else "Succeeded", "consistencyMode": "ApplicationConsistent",
            "timeCreated": created.isoformat()}}  # fmt: skip

    def _add_locks(self) -> None:
        for lock in self.data.get("locks") or ():
            scope = self._lock_scope(lock["scope"])
            lock_id = f"{scope}/providers/Microsoft.Authorization/locks/{lock['name']}"
            properties = {"level": lock.get("level", "CanNotDelete")} | ({"notes": lock["notes"]} if lock.get("notes") else {})
            by = {"createdBy": lock["by"]} if lock.get("by") else {}
            made = {"createdAt": self._iso(lock.get("created", "-30d")), "createdByType": "User", **by}
            self._add(lock_id, "Microsoft.Authorization/locks", properties, systemData=made)

    def _storage_account_id(self) -> str:
        """The first storage account: what a restore goes to, or what holds unmanaged disks."""
        given = (self.data.get("storage_accounts") or [{"name": "saunmanaged"}])[0]
        group = given.get("resource_group", self.vm["resource_group"])
        return self.resource_id(group, "Microsoft.Storage/storageAccounts", given["name"])

    def _lock_scope(self, scope: str) -> str:
        named = {
            "subscription": f"/subscriptions/{self.subscription}",
            "vm": self.vm_id,
            "vm_group": self.group_id(self.vm["resource_group"]),
            "restore_point_group": self.group_id(getattr(self, "restore_point_group", "AzureBackupRG_westeurope_1")),
            "collection": getattr(self, "collection_id", ""),
            "nsg": self.resource_id(self.vm["resource_group"], "Microsoft.Network/networkSecurityGroups", "nsg-shop"),
            "nic": self.nic_id,
            "storage_account": self._storage_account_id(),
            "vault": self.vault_id,
            "item": self.item_id,
            "os_disk": self.resource_id(self.vm["resource_group"], "Microsoft.Compute/disks", f"{self.vm['name']}-osdisk"),
        }
        place, mark, below = scope.partition("/") if not scope.startswith("/") else (scope, "", "")
        return (named.get(place) or scope.replace("{subscription}", self.subscription)) + (mark + below if place in named else "")

    def key_vault_id(self, name: str) -> str:
        return self.resource_id("rg-keys", "Microsoft.KeyVault/vaults", name)

    def _add_key_vaults(self) -> None:
        for vault in self.data.get("key_vaults") or ():
            vault_id = self.key_vault_id(vault["name"])
            if not vault.get("exists", True):
                if vault.get("soft_deleted"):
                    deleted = f"/subscriptions/{self.subscription}/providers/Microsoft.KeyVault/locations/{self.vm['location']}/deletedVaults/{vault['name']}"
                    self._add(deleted, "Microsoft.KeyVault/deletedVaults", {
                        "vaultId": vault_id, "deletionDate": self._iso(vault.get("deleted", "-2h"))})  # fmt: skip
                continue
            policies = [{"objectId": self.guid(f"principal/{p['principal']}"), "tenantId": self.guid("tenant"),
                         "permissions": {"keys": p.get("keys", []), "secrets": p.get("secrets", [])}}
                        for p in vault.get("access_policies") or ()]  # fmt: skip
            self._add(vault_id, "Microsoft.KeyVault/vaults", {
                "enableRbacAuthorization": vault.get("rbac", False), "accessPolicies": policies, "enabledForDiskEncryption": True,
                "networkAcls": {"defaultAction": "Deny", "bypass": "None"} if vault.get("firewalled") else None,
                "vaultUri": f"https://{vault['name']}.vault.azure.net/"}, location=self.vm["location"])  # fmt: skip
            for name, enabled in ({"secrets/bek-0": True, "keys/kek-1": True} | (vault.get("contents") or {})).items():
                if enabled is not None:
                    self._add_content(vault_id, name, enabled, self.time(vault.get("updated", "-100d")))
            for role in vault.get("roles") or ():
                self._add_role(role, vault_id)

    def _add_content(self, vault_id: str, name: str, enabled: bool, updated: datetime) -> None:
        """A key or secret as Azure Resource Manager shows it, and the version that disks use: `0a1b`."""
        kind, _, short = name.partition("/")
        attributes = {"enabled": enabled, "updated": int(updated.timestamp()), "created": int(updated.timestamp())}
        uri = f"https://{vault_id.rpartition('/')[2]}.vault.azure.net/{name}"
        certificate = {"contentType": "application/x-pkcs12"} if kind == "secrets" and short in CERTIFICATE_NAMES else {}
        self._add(f"{vault_id}/{name}", f"Microsoft.KeyVault/vaults/{kind}", {
            "attributes": attributes, f"{kind[:-1]}UriWithVersion": f"{uri}/0a1b", **certificate})  # fmt: skip
        if kind == "keys":
            self._add(
                f"{vault_id}/keys/{short}/versions/0a1b", "Microsoft.KeyVault/vaults/keys/versions", {"attributes": attributes}
            )

    def encryption_set_id(self, name: str) -> str:
        return self.resource_id("rg-keys", "Microsoft.Compute/diskEncryptionSets", name)

    def _add_encryption_sets(self) -> None:
        """https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/get"""
        for given in self.data.get("encryption_sets") or ():
            active: Body = {"keyUrl": f"https://{given['vault']}.vault.azure.net/keys/kek-1/0a1b"}
            active |= {"sourceVault": {"id": self.key_vault_id(given["vault"])}} if given.get("vault_named", True) else {}
            failed = {"autoKeyRotationError": {"code": given["rotation_error"]}} if given.get("rotation_error") else {}
            if given.get("exists", True):
                self._add(self.encryption_set_id(given["name"]), "Microsoft.Compute/diskEncryptionSets", {
                    "activeKey": active, "encryptionType": "EncryptionAtRestWithCustomerKey", "provisioningState": "Succeeded",
                    "rotationToLatestKeyVersionEnabled": bool(failed), **failed}, location=self.vm["location"])  # fmt: skip

    def _add_role(self, role: Mapping[str, Any], vault_id: str) -> None:
        definition = f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{self.guid('role/' + role['role'])}"
        self._add(definition, "Microsoft.Authorization/roleDefinitions", {
            "roleName": role["role"], "permissions": [{"actions": role.get("actions", []), "notActions": [],
            "dataActions": role.get("data_actions", []), "notDataActions": []}]})  # fmt: skip
        named = {"vault": vault_id, "subscription": f"/subscriptions/{self.subscription}", "management_group": MANAGEMENT_GROUP}
        scope = named[role.get("scope", "vault")]
        above = f"/subscriptions/{self.subscription}" if scope == MANAGEMENT_GROUP else scope
        assignment = f"{above}/providers/Microsoft.Authorization/roleAssignments/{self.guid('assign/' + role['role'])}"
        self._add(assignment, "Microsoft.Authorization/roleAssignments", {
            "roleDefinitionId": definition, "principalId": self.guid(f"principal/{role['principal']}"),
            "principalType": role.get("principal_type", "ServicePrincipal"), "scope": scope})  # fmt: skip

    def _add_health(self) -> None:
        kind = "Microsoft.ResourceHealth/availabilityStatuses"
        for index, given in enumerate(self.data.get("availability") or [{"state": "Available", "since": "-20d"}]):
            name = "current" if index == 0 else f"{index:04}"
            self._add(f"{self.vm_id}/providers/{kind}/{name}", kind, {
                "availabilityState": given["state"], "title": given["state"], "reasonType": given.get("kind", ""),
                "occuredTime": self._iso(given["since"])})  # fmt: skip
        for event in self.data.get("health_events") or ():
            event_id = f"/subscriptions/{self.subscription}/providers/Microsoft.ResourceHealth/events/{event['tracking_id']}"
            impact = {"impactedService": event.get("service", "Virtual Machines"),
                      "impactedRegions": [{"impactedRegion": event.get("region", "West Europe")}]}  # fmt: skip
            ended = {"impactMitigationTime": self._iso(event["ended"])} if event.get("ended") else {}
            self._add(event_id, "Microsoft.ResourceHealth/events", {
                "eventType": "ServiceIssue", "status": event.get("status", "Active"), "title": event["title"],
                "impactStartTime": self._iso(event.get("began", "-2h")), "impact": [impact], **ended})  # fmt: skip
            for index, named in enumerate(event.get("impacts") or ()):
                target = {"vm": self.vm_id, "vault": self.vault_id}[named]
                self._add(f"{event_id}/impactedResources/{index}", "Microsoft.ResourceHealth/events/impactedResources", {
                    "targetResourceId": target})  # fmt: skip

    def _add_activity(self) -> None:
        for entry in self.data.get("activity") or ():
            operation, resource = entry["operation"], self._lock_scope(entry.get("resource", "vm"))
            full = operation if "/" in operation else f"Microsoft.Compute/virtualMachines/{operation}/action"
            self.activity.append({
                "eventTimestamp": self._iso(entry["at"]), "resourceId": resource,
                "caller": entry.get("caller", "ops@contoso.example"), "operationName": {"value": full},
                "status": {"value": entry.get("status", "Succeeded")}, "resourceProviderName": {"value": full.partition("/")[0]},
                "resourceGroupName": resource.split("/")[4] if resource.count("/") > 3 else "",
                **self._done_by(entry), **self._denied_by(entry),
            })  # fmt: skip

    def _done_by(self, entry: Mapping[str, Any]) -> Body:
        """Azure Backup's own entries name its application, and the object id that it has in this tenant."""
        if not entry.get("by_backup"):
            return {}
        claims = {"appid": BACKUP_SERVICE, OBJECT_ID: self.guid("principal/backup")}
        return {"caller": BACKUP_SERVICE, "claims": claims}

    def _denied_by(self, entry: Mapping[str, Any]) -> Body:
        """https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema#policy-category"""
        if not entry.get("denied_by"):
            return {}
        assignment = (
            f"/subscriptions/{self.subscription}/providers/Microsoft.Authorization/policyAssignments/{entry['denied_by']}"
        )
        policies = json.dumps([{"policyDefinitionEffect": "deny", "policyAssignmentId": assignment}])
        return {"category": {"value": "Policy"}, "status": {"value": "Failed"}, "properties": {"policies": policies}}

    def _add_disk_snapshots(self) -> None:
        """https://learn.microsoft.com/rest/api/compute/snapshots/list"""
        for given in self.data.get("disk_snapshots") or ():
            disk = self.resource_id(self.vm["resource_group"], "Microsoft.Compute/disks", f"{self.vm['name']}-osdisk")
            self._add(self.resource_id("rg-other-product", "Microsoft.Compute/snapshots", given["name"]), "Microsoft.Compute/snapshots", {
                "timeCreated": self._iso(given["at"]), "creationData": {"createOption": "Copy", "sourceResourceId": disk},
                "provisioningState": "Succeeded"}, location=self.vm["location"])  # fmt: skip

    def _add_subscription(self) -> None:
        """https://learn.microsoft.com/rest/api/resources/subscriptions/get"""
        own = f"/subscriptions/{self.subscription}"
        self._add(own, "Microsoft.Resources/subscriptions", {}, tenantId=self.guid("tenant"), state="Enabled")

    def _add_changes(self) -> None:
        """https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes"""
        for number, entry in enumerate(self.data.get("changes") or ()):
            target = self._lock_scope(entry["resource"])
            kind = target.rpartition("/providers/")[2].split("/")
            values = {path: {"previousValue": before, "newValue": after, "propertyChangeType": "Update", "changeCategory": "User"}
                      for path, (before, after) in (entry.get("properties") or {}).items()}  # fmt: skip
            attributes = {
                "timestamp": self._iso(entry["at"]), "changedBy": entry.get("who", "ops@contoso.example"), "changedByType": "User",
                "clientType": "Azure Portal", "correlationId": self.guid(f"change/{number}"), "changesCount": len(values),
            }  # fmt: skip
            self.changes.append({
                "id": f"{target}/providers/Microsoft.Resources/changes/{self.guid(f'change/{number}')}", "properties": {
                    "targetResourceId": target, "targetResourceType": "/".join([kind[0], *kind[1::2]]).lower(),
                    "changeType": entry.get("type", "Update"), "changeAttributes": attributes, "changes": values,
                },
            })  # fmt: skip


def _merge(target: Body, changes: Mapping[str, Any]) -> None:
    """Deep merge: mappings are merged, everything else is replaced; null deletes."""
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value
