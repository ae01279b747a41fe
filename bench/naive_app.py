"""The naive twin: the same job as one would write it first, with every SDK client at the top, one call after the other, SDK
models, and a new Jinja environment per alert. It reads what the app reads for the same scenario. Kept only to be measured against.
"""

import json
import os
from typing import Any

import azure.functions as func
import nh3
import requests
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
from azure.mgmt.resource.locks import ManagementLockClient
from azure.monitor.query import LogsQueryClient
from azure.storage.queue import QueueClient
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt

app = func.FunctionApp()
credential = DefaultAzureCredential()


@app.queue_trigger("message", "alerts", "AzureWebJobsStorage")
def triage(message: func.QueueMessage) -> None:
    """One alert, one ticket."""
    handle(message.get_body())


def client(kind: Any, subscription: str) -> Any:
    """A new client per alert, as a function body written in a hurry makes it."""
    return kind(
        credential,
        subscription,
        base_url=os.environ["ARM_ENDPOINT"],
        credential_scopes=["x"],
        authentication_policy=SansIOHTTPPolicy(),
    )


def handle(body: bytes) -> None:
    alert = json.loads(body)["data"]["alertContext"]
    parts = alert["protectedItemId"].split("/")
    subscription, vault_group, vault = parts[2], parts[4], parts[8]
    vm_parts = alert["linkedResourceId"].split("/")
    group, name = vm_parts[4], vm_parts[8]
    backup, compute = client(RecoveryServicesBackupClient, subscription), client(ComputeManagementClient, subscription)
    locks = client(ManagementLockClient, subscription)
    client(NetworkManagementClient, subscription), client(KeyVaultManagementClient, subscription)
    LogsQueryClient(credential, endpoint=os.environ["LOGS_ENDPOINT"], authentication_policy=SansIOHTTPPolicy())
    job = backup.job_details.get(vault, vault_group, alert["extendedInfo"]["jobId"])
    vm = compute.virtual_machines.get(group, name, expand="instanceView")
    extensions = [found.type for found in vm.instance_view.extensions or ()]
    found_locks = [found.name for found in locks.management_locks.list_at_subscription_level()]
    collections = [c for c in compute.restore_point_collections.list_all() if c.source.id.lower() == vm.id.lower()]
    points = sum(
        len(compute.restore_point_collections.get(c.id.split("/")[4], c.name, expand="restorePoints").restore_points)
        for c in collections
    )
    disks = [
        compute.disks.get(group, disk.name).disk_size_gb for disk in [vm.storage_profile.os_disk, *vm.storage_profile.data_disks]
    ]
    jobs = list(backup.backup_jobs.list(vault, vault_group, filter="operation eq 'Backup'"))
    item = backup.protected_items.get(vault, vault_group, "Azure", parts[12], parts[14])
    policy = backup.protection_policies.get(vault, vault_group, item.properties.get("policyId").split("/")[-1])
    environment = Environment(loader=FileSystemLoader(os.path.dirname(__file__)), autoescape=False)
    text = environment.get_template("naive.md.j2").render(
        job=job, vm=vm, extensions=extensions, locks=found_locks, points=points, disks=disks, jobs=jobs, policy=policy,
        subscription=subscription, group=group, vault=vault, vault_group=vault_group,
    )  # fmt: skip
    html = nh3.clean(MarkdownIt("commonmark").render(text))
    requests.post(
        os.environ["TICKET_URL"],
        json={"type": "incident.opened", "data": {"runbook": {"markdown": text, "html": html}}},
        timeout=30,
    )


def unused() -> Any:
    """The queue client that the intake half of the twin needs."""
    return QueueClient
