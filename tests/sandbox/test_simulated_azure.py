"""The simulated Azure, asked by the real SDK clients and by plain HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
from azure.mgmt.resource.locks import ManagementLockClient
from azure.monitor.query import LogsQueryClient, LogsQueryStatus

from handlers.facts.queries import graph_query
from sandbox.azure import RunningAzure, running_azure
from sandbox.scenario import Scenario, load
from sandbox.world import World
from tests.conftest import wait_until

HEALTHY = """
title: A world to ask about
vm:
  name: vm-ask-01
  resource_group: rg-Ask
  os: Linux
  extensions: [{backup: true}, {name: Monitor, type: Contoso.Mon.Agent}]
vault: {name: rsv-ask, resource_group: rg-vaults}
policy: {name: policy-ask, type: V2, snapshot_days: 7, restore_point_group: {prefix: rg-snap-, suffix: -x}}
job: {started: -3h, ended: -2h, error: {number: 400102, title: A title, message: A message, recommendations: [Do this]}}
jobs:
  - {status: Completed, started: -1d, ended: -23h}
  - {status: Completed, started: -2d, ended: -47h}
  - {status: InProgress, started: -10m}
  - {status: Completed, operation: Restore, started: -3d, ended: -71h}
locks:
  - {name: whole, scope: subscription}
  - {name: points, scope: restore_point_group, level: ReadOnly}
  - {name: the-vm, scope: vm}
  - {name: the-group, scope: vm_group}
  - {name: near, scope: "/subscriptions/{subscription}/resourceGroups/rg-Ask2"}
restore_points: {count: 3}
network:
  rules: [{name: DenyStorage, access: Deny, destinationAddressPrefix: Storage}]
  routes: [{name: out, addressPrefix: 0.0.0.0/0, nextHopType: VirtualAppliance}]
key_vaults:
  - name: kv-ask
    rbac: true
    contents: {secrets/bek-0: false, keys/kek-1: null}
    roles:
      - {role: Vault Reader, principal: readers, data_actions: ["Microsoft.KeyVault/vaults/*/read"]}
      - {role: Owner of all, principal: owners, scope: subscription}
  - {name: kv-gone, exists: false, soft_deleted: true}
activity:
  - {operation: deallocate, at: -5h}
  - {operation: start, at: -4h}
health_events: [{tracking_id: AB12-CD3, title: A storm}]
logs:
  AddonAzureBackupJobs:
    - {TimeGenerated: -2h, JobUniqueId: "{job}", JobStatus: Failed, JobFailureCode: SomeCode, JobDurationInSecs: 1800,
       BackupItemUniqueId: "we;1;iaasvmcontainerv2;rg-ask;vm-ask-01"}
    - {TimeGenerated: -3d, JobUniqueId: other, JobStatus: Completed, JobFailureCode: Success, JobDurationInSecs: 60}
  Heartbeat:
    - {TimeGenerated: -1m, Computer: "it's", _ResourceId: "{vm}"}
"""  # fmt: skip


class Credential:
    """Never asked: the clients under test have no authentication policy."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise AssertionError(f"a token was asked for {scopes}")


def scenario_of(text: str, folder: Path, name: str = "asked") -> Scenario:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


class Asked:
    """A running simulated Azure with one scenario, and ways to ask it."""

    def __init__(self, azure: RunningAzure, scenario: Scenario) -> None:
        self.azure, self.scenario = azure, scenario
        self.world: World = scenario.world(datetime.now(UTC))
        self.root = f"/subscriptions/{scenario.subscription}"

    def get(self, path: str, **query: str) -> requests.Response:
        parameters = {"api-version": "2024-01-01"} | {f"${name}": value for name, value in query.items()}
        return requests.get(f"{self.azure.url}{path}", params=parameters, timeout=10)

    def names(self, path: str, **query: str) -> list[str]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return [str(found["name"]) for found in answer.json()["value"]]

    def backup(self) -> RecoveryServicesBackupClient:
        return RecoveryServicesBackupClient(
            Credential(),
            self.scenario.subscription,
            base_url=self.azure.url,
            authentication_policy=SansIOHTTPPolicy(),
            retry_total=0,
        )

    def logs(self) -> LogsQueryClient:
        policy = SansIOHTTPPolicy[Any, Any]()
        return LogsQueryClient(Credential(), endpoint=self.azure.url, authentication_policy=policy, retry_total=0)

    def rows(self, query: str, timespan: timedelta = timedelta(days=7)) -> list[dict[str, Any]]:
        found = self.logs().query_workspace(self.scenario.workspace_id, query, timespan=timespan)
        assert found.status == LogsQueryStatus.SUCCESS
        return [dict(zip(table.columns, row, strict=True)) for table in found.tables for row in table.rows]


@contextmanager
def asking(text: str, folder: Path, **options: Any) -> Iterator[Asked]:
    scenario = scenario_of(text, folder)
    with running_azure([scenario], **options) as azure:
        yield Asked(azure, scenario)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asking(HEALTHY, tmp_path_factory.mktemp("scenarios")) as found:
        yield found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Asked]:
    """One of its own, for a test that adds faults or counts calls."""
    with asking(HEALTHY, tmp_path) as found:
        yield found


def code_of(answer: requests.Response) -> str:
    return str(answer.json()["error"]["code"])


# ---------------------------------------------------------------------------------------------- the backup SDK


def test_the_sdk_reads_a_failed_job_with_its_errors_and_tasks(asked: Asked) -> None:
    job = asked.backup().job_details.get("rsv-ask", "rg-vaults", asked.world.job["id"])
    found: Any = job.properties
    assert (found["jobType"], found["status"], found["entityFriendlyName"]) == ("AzureIaaSVMJob", "Failed", "vm-ask-01")
    [error] = found["errorDetails"]
    assert (error["errorCode"], error["errorTitle"], error["errorString"]) == (400102, "A title", "A message")
    assert error["recommendations"] == ["Do this"]
    assert found["extendedInfo"]["tasksList"][0]["taskId"] == "Take Snapshot"


def test_the_sdk_pages_through_the_job_list(tmp_path: Path) -> None:
    with asking(HEALTHY, tmp_path, page_size=2) as asked:
        jobs = list(asked.backup().backup_jobs.list("rsv-ask", "rg-vaults"))
        assert len({job.name for job in jobs}) == 5
        assert [call.status for call in asked.azure.calls()] == [200, 200, 200]


def test_a_listed_job_shows_no_errors_and_no_tasks(asked: Asked) -> None:
    for job in asked.backup().backup_jobs.list("rsv-ask", "rg-vaults"):
        properties: Any = job.properties
        assert not {"errorDetails", "extendedInfo"} & set(properties)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status eq 'InProgress' and operation eq 'Backup' and backupManagementType eq 'AzureIaasVM'", 1),
        ("operation eq 'Restore'", 1),
        ("status eq 'completed'", 3),
        ("backupManagementType eq 'AzureWorkload'", 0),
    ],
)
def test_the_job_list_is_filtered(asked: Asked, query: str, count: int) -> None:
    assert len(list(asked.backup().backup_jobs.list("rsv-ask", "rg-vaults", filter=query))) == count


def test_the_job_list_is_filtered_by_the_time_of_the_start(asked: Asked) -> None:
    now = datetime.now(UTC)
    since, until = (f"{now - span:%Y-%m-%d %I:%M:%S %p}" for span in (timedelta(days=2, hours=1), timedelta(hours=20)))
    query = f"startTime eq '{since}' and endTime eq '{until}'"
    jobs = asked.backup().backup_jobs.list("rsv-ask", "rg-vaults", filter=query)
    found: Sequence[Any] = [job.properties for job in jobs]
    assert [job["status"] for job in found] == ["Completed", "Completed"]


def test_a_job_is_found_by_its_id_in_the_filter(asked: Asked) -> None:
    job_id = asked.world.job["id"]
    found = asked.backup().backup_jobs.list("rsv-ask", "rg-vaults", filter=f"jobId eq '{job_id}'")
    assert [job.name for job in found] == [job_id]


def test_a_filter_with_a_time_of_another_form_is_refused(asked: Asked) -> None:
    with pytest.raises(HttpResponseError, match="yyyy-MM-dd hh:mm:ss AM"):
        list(asked.backup().backup_jobs.list("rsv-ask", "rg-vaults", filter="startTime eq '2026-11-22T10:00:00Z'"))


def test_the_sdk_reads_the_protected_item_in_any_case(asked: Asked) -> None:
    names = ("IaasVMContainer;iaasvmcontainerv2;RG-ASK;vm-ask-01", "VM;iaasvmcontainerv2;rg-ask;VM-ASK-01")
    item = asked.backup().protected_items.get("RSV-ASK", "RG-Vaults", "Azure", *names)
    found: Any = item.properties
    assert found["protectedItemType"] == "Microsoft.Compute/virtualMachines"
    assert found["virtualMachineId"] == asked.world.vm_id
    assert found["lastBackupStatus"] == "Failed"
    assert found["policyId"].endswith("/backupPolicies/policy-ask")


def test_the_sdk_lists_the_protected_items_of_a_vault(asked: Asked) -> None:
    items = list(asked.backup().backup_protected_items.list("rsv-ask", "rg-vaults"))
    assert [item.name for item in items] == ["VM;iaasvmcontainerv2;rg-Ask;vm-ask-01"]


def test_the_sdk_reads_the_policy(asked: Asked) -> None:
    found: Any = asked.backup().protection_policies.get("rsv-ask", "rg-vaults", "policy-ask").properties
    assert (found["policyType"], found["instantRpRetentionRangeInDays"]) == ("V2", 7)
    assert found["instantRPDetails"] == {"azureBackupRGNamePrefix": "rg-snap-", "azureBackupRGNameSuffix": "-x"}


def test_the_sdk_lists_a_recovery_point_for_every_completed_backup(asked: Asked) -> None:
    container, item = asked.world.item_id.partition("/protectionContainers/")[2].split("/protectedItems/")
    points = list(asked.backup().recovery_points.list("rsv-ask", "rg-vaults", "Azure", container, item))
    assert len(points) == 2
    assert all(str(point.name).isdigit() for point in points)


def test_a_job_that_is_not_there_is_a_404(asked: Asked) -> None:
    with pytest.raises(ResourceNotFoundError, match="was not found"):
        asked.backup().job_details.get("rsv-ask", "rg-vaults", "00000000-0000-0000-0000-000000000000")


# ---------------------------------------------------------------------------------------------- virtual machine


def test_a_vm_shows_its_instance_view_only_when_asked(asked: Asked) -> None:
    assert "instanceView" not in asked.get(asked.world.vm_id).json()["properties"]
    view = asked.get(asked.world.vm_id, expand="instanceView").json()["properties"]["instanceView"]
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    alone = asked.get(f"{asked.world.vm_id}/instanceView").json()
    assert (alone["statuses"], alone["osName"]) == (view["statuses"], view["osName"])


def test_an_agent_that_is_ready_goes_on_reporting(asked: Asked) -> None:
    def reported() -> datetime:
        view = asked.get(f"{asked.world.vm_id}/instanceView").json()
        return datetime.fromisoformat(view["vmAgent"]["statuses"][0]["time"])

    first = reported()
    assert wait_until(lambda: reported() > first)
    assert datetime.now(UTC) - first < timedelta(minutes=2)


def test_an_agent_with_a_time_of_its_own_stays_silent(tmp_path: Path) -> None:
    with asking("title: t\nvm: {agent: {reported: -3h}}", tmp_path) as asked:
        times = set()
        for _ in range(2):
            view = asked.get(f"{asked.world.vm_id}/instanceView").json()
            times.add(view["vmAgent"]["statuses"][0]["time"])
            time.sleep(0.02)
        assert len(times) == 1


def test_the_extensions_are_listed_but_the_backup_extension_is_a_handler_only(asked: Asked) -> None:
    assert asked.names(f"{asked.world.vm_id}/extensions") == ["Monitor"]
    body = asked.get(f"{asked.world.vm_id}/extensions/Monitor").json()
    assert (body["properties"]["publisher"], body["properties"]["type"]) == ("Contoso.Mon", "Agent")
    handlers = asked.get(f"{asked.world.vm_id}/instanceView").json()["vmAgent"]["extensionHandlers"]
    assert handlers[0]["type"].endswith(".VMSnapshotLinux")


def test_every_part_of_the_vm_can_be_followed(asked: Asked) -> None:
    vm = asked.get(asked.world.vm_id).json()["properties"]
    disk = asked.get(vm["storageProfile"]["osDisk"]["managedDisk"]["id"]).json()
    assert disk["properties"]["diskSizeGB"] == 128
    nic = asked.get(vm["networkProfile"]["networkInterfaces"][0]["id"]).json()["properties"]
    subnet = asked.get(nic["ipConfigurations"][0]["properties"]["subnet"]["id"]).json()["properties"]
    group = asked.get(subnet["networkSecurityGroup"]["id"]).json()["properties"]
    assert [rule["name"] for rule in group["securityRules"]] == ["DenyStorage"]
    assert len(group["defaultSecurityRules"]) == 6
    table = asked.get(subnet["routeTable"]["id"]).json()["properties"]
    assert table["routes"][0]["properties"]["nextHopType"] == "VirtualAppliance"
    doubled = subnet["networkSecurityGroup"]["id"].lower().replace("/providers", "//providers")
    assert asked.get(doubled).status_code == 200


def test_restore_points_show_only_when_asked(asked: Asked) -> None:
    [collection] = asked.get(f"{asked.root}/providers/Microsoft.Compute/restorePointCollections").json()["value"]
    assert collection["properties"]["source"]["id"] == asked.world.vm_id.lower()
    assert "restorePoints" not in collection["properties"]
    points = asked.get(collection["id"], expand="restorePoints").json()["properties"]["restorePoints"]
    assert len(points) == 3
    assert asked.get(points[0]["id"]).json()["name"].startswith("AzureBackup_")
    group = collection["id"].rpartition("/providers/")[0]
    assert asked.names(f"{group}/providers/Microsoft.Compute/restorePointCollections") == [collection["name"]]


def test_a_list_without_elements_is_no_error(asked: Asked) -> None:
    assert asked.names(f"{asked.root}/resourceGroups/rg-Ask/providers/Microsoft.Compute/restorePointCollections") == []


# ---------------------------------------------------------------------------------------------- locks and roles

LOCKS = "providers/Microsoft.Authorization/locks"


def test_the_locks_of_a_subscription_are_all_locks_in_it(asked: Asked) -> None:
    assert set(asked.names(f"{asked.root}/{LOCKS}")) == {"whole", "points", "the-vm", "the-group", "near"}
    assert asked.names(f"{asked.root}/{LOCKS}", filter="atScope()") == ["whole"]


def test_the_locks_of_a_group_are_those_above_at_and_below_it(asked: Asked) -> None:
    group = f"{asked.root}/resourceGroups/rg-ask"
    assert set(asked.names(f"{group}/{LOCKS}")) == {"whole", "the-group", "the-vm"}
    assert set(asked.names(f"{group}/{LOCKS}", filter="atScope()")) == {"whole", "the-group"}


def test_the_locks_of_a_group_whose_name_begins_alike_are_not_among_them(asked: Asked) -> None:
    assert "near" not in asked.names(f"{asked.root}/resourceGroups/rg-Ask/{LOCKS}")


def test_the_locks_sdk_reads_a_group_and_a_resource_with_its_double_slash(asked: Asked) -> None:
    client = ManagementLockClient(
        Credential(), asked.scenario.subscription, base_url=asked.azure.url, authentication_policy=SansIOHTTPPolicy()
    )
    locks = client.management_locks.list_at_resource_group_level("rg-Ask")
    assert {lock.name for lock in locks} == {"whole", "the-group", "the-vm"}
    names = ("rg-Ask", "Microsoft.Compute", "", "virtualMachines", "vm-ask-01")
    locks = client.management_locks.list_at_resource_level(*names)
    assert {lock.name for lock in locks} == {"whole", "the-group", "the-vm"}
    assert "//" in asked.azure.calls()[-1].path


def test_role_assignments_of_a_key_vault_include_the_inherited_ones(asked: Asked) -> None:
    path = f"{asked.world.key_vault_id('kv-ask')}/providers/Microsoft.Authorization/roleAssignments"
    found = asked.get(path, filter="atScope()").json()["value"]
    assert len(found) == 2
    one = found[0]["properties"]
    assert len(asked.names(path, filter=f"principalId eq '{one['principalId']}'")) == 1
    role = asked.get(one["roleDefinitionId"]).json()["properties"]
    assert role["permissions"][0]["dataActions"] == ["Microsoft.KeyVault/vaults/*/read"]
    tenant_wide = one["roleDefinitionId"][one["roleDefinitionId"].index("/providers/") :]
    assert asked.get(tenant_wide).json()["properties"]["roleName"] == "Vault Reader"
    assert code_of(asked.get(tenant_wide[:-1] + "_")) == "RoleDefinitionDoesNotExist"


def test_a_key_vault_shows_whether_its_contents_are_enabled_and_never_a_value(asked: Asked) -> None:
    vault = asked.world.key_vault_id("kv-ask")
    assert asked.get(vault).json()["properties"]["enableRbacAuthorization"] is True
    secret = asked.get(f"{vault}/secrets/bek-0").json()["properties"]
    assert secret["attributes"]["enabled"] is False
    assert "value" not in secret
    assert asked.get(f"{vault}/keys/kek-1").status_code == 404
    gone = f"{asked.root}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-gone"
    assert asked.get(gone).status_code == 200


# ---------------------------------------------------------------------------------------------- activity and health


def test_the_activity_log_is_bounded_in_time_and_by_resource(asked: Asked) -> None:
    path = f"{asked.root}/providers/microsoft.insights/eventtypes/management/values"
    now = datetime.now(UTC)
    since, until = (f"{now - timedelta(hours=h, minutes=m):%Y-%m-%dT%H:%M:%SZ}" for h, m in ((24, 0), (4, 30)))
    at = f"eventTimestamp ge '{since}' and eventTimestamp le '{until}'"

    def operations(query: str) -> list[str]:
        return [entry["operationName"]["value"] for entry in asked.get(path, filter=query).json()["value"]]

    [operation] = operations(f"{at} and resourceUri eq '{asked.world.vm_id}'")
    assert operation == "Microsoft.Compute/virtualMachines/deallocate/action"
    assert len(operations(f"eventTimestamp ge '{since}' and resourceGroupName eq 'rg-ask'")) == 2
    assert operations(f"{at} and resourceUri eq '{asked.world.vault_id}'") == []
    assert asked.get(path).status_code == 400


def test_resource_health_tells_the_vm_and_the_events(asked: Asked) -> None:
    current = asked.get(f"{asked.world.vm_id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current").json()
    assert current["properties"]["availabilityState"] == "Available"
    assert asked.names(f"{asked.root}/providers/Microsoft.ResourceHealth/events") == ["AB12-CD3"]


# ---------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/resourceGroups/rg-none/providers/Microsoft.Compute/virtualMachines/x", "ResourceGroupNotFound"),
        ("/resourceGroups/rg-none/providers/Microsoft.Compute/virtualMachines", "ResourceGroupNotFound"),
        ("/resourceGroups/rg-Ask/providers/Microsoft.Compute/virtualMachines/x", "ResourceNotFound"),
        ("/resourceGroups/rg-Ask/providers/Microsoft.Compute/virtualMachines/x/instanceView", "ResourceNotFound"),
        ("/resourceGroups/rg-Ask/providers/Microsoft.Compute/virtualMachines/x/extensions", "ParentResourceNotFound"),
        ("/resourceGroups/rg-Ask/providers/Microsoft.Compute/virtualMachines/x/extensions/y", "ParentResourceNotFound"),
        ("/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/x/backupJobs",
         "ParentResourceNotFound"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_as_arm_names_it(asked: Asked, path: str, code: str) -> None:
    answer = asked.get(f"{asked.root}{path}")
    assert (answer.status_code, code_of(answer)) == (404, code)


def test_another_subscription_is_not_found(asked: Asked) -> None:
    assert code_of(asked.get("/subscriptions/nobody/providers/Microsoft.Authorization/locks")) == "SubscriptionNotFound"


def test_an_api_version_is_required(asked: Asked) -> None:
    answer = requests.get(asked.azure.url + asked.world.vm_id, timeout=10)
    assert (answer.status_code, code_of(answer)) == (400, "MissingApiVersionParameter")


def test_a_token_over_plain_http_is_an_error(asked: Asked) -> None:
    url = f"{asked.azure.url}{asked.world.vm_id}?api-version=1"
    answer = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10)
    assert (answer.status_code, code_of(answer)) == (400, "TokenOverPlainHttp")


def test_nothing_can_be_changed(asked: Asked) -> None:
    assert requests.delete(f"{asked.azure.url}{asked.world.vm_id}?api-version=1", timeout=10).status_code == 405


# ---------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("path", "action"),
    [
        (f"/{LOCKS}", "Microsoft.Authorization/locks/read"),
        ("/resourceGroups/g/providers/Microsoft.Compute/disks/d", "Microsoft.Compute/disks/read"),
        ("/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/instanceView",
         "Microsoft.Compute/virtualMachines/instanceView/read"),
        ("/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs/j",
         "Microsoft.RecoveryServices/vaults/backupJobs/read"),
        ("/providers/microsoft.insights/eventtypes/management/values", "microsoft.insights/eventtypes/values/read"),
    ],
)  # fmt: skip
def test_a_refused_call_names_the_action_that_is_missing(fresh: Asked, path: str, action: str) -> None:
    fresh.azure.add_fault(match="GET *", status=403)
    answer = fresh.get(f"{fresh.root}{path}")
    assert (answer.status_code, code_of(answer)) == (403, "AuthorizationFailed")
    assert f"perform action '{action}' over scope '{fresh.root}" in answer.json()["error"]["message"]


def test_compute_is_throttled_in_its_own_form_and_arm_in_its(fresh: Asked) -> None:
    fresh.azure.add_fault(match="GET *", status=429, retry_after=1200)
    compute, arm = fresh.get(fresh.world.vm_id), fresh.get(f"{fresh.root}/{LOCKS}")
    assert {answer.headers["Retry-After"] for answer in (compute, arm)} == {"1200"}
    assert compute.json()["code"] == "OperationNotAllowed"
    assert code_of(arm) == "SubscriptionRequestsThrottled"


def test_a_fault_strikes_as_often_and_as_late_as_it_says(fresh: Asked) -> None:
    fresh.azure.add_fault(match="GET */virtualmachines/*", status=500, after=1, times=2)
    assert [fresh.get(fresh.world.vm_id).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert fresh.get(f"{fresh.root}/{LOCKS}").status_code == 200


def test_a_dropped_connection_is_closed_without_an_answer(fresh: Asked) -> None:
    fresh.azure.add_fault(match="GET */locks", drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        fresh.get(f"{fresh.root}/{LOCKS}")
    assert fresh.get(f"{fresh.root}/{LOCKS}").status_code == 200
    assert [call.status for call in fresh.azure.calls()] == [0, 200]


def test_a_delay_only_delays(fresh: Asked) -> None:
    fresh.azure.add_fault(match="GET */locks", delay=0.2)
    assert fresh.get(f"{fresh.root}/{LOCKS}").status_code == 200
    [call] = fresh.azure.calls()
    assert call.ended - call.started >= 0.2


def test_a_fault_of_a_scenario_strikes_that_scenario_only(tmp_path: Path) -> None:
    fault = 'faults: [{match: "GET */locks*", status: 403}, {match: "POST */query", status: 403}]'
    logs = 'logs: {Heartbeat: [{TimeGenerated: -1m, _ResourceId: "{vm}"}]}'
    one = scenario_of(f"title: One\n{fault}\n{logs}", tmp_path, "one")
    two = scenario_of(f"title: Two\n{logs}", tmp_path, "two")
    with running_azure([one, two]) as azure:
        first, second = Asked(azure, one), Asked(azure, two)
        assert [asked.get(f"{asked.root}/{LOCKS}").status_code for asked in (first, second)] == [403, 200]
        assert len(second.rows(f"Heartbeat\n| where _ResourceId =~ '{second.world.vm_id}'")) == 1
        with pytest.raises(HttpResponseError, match="insufficient access"):
            first.rows(f"Heartbeat\n| where _ResourceId =~ '{first.world.vm_id}'")


def test_faults_can_be_added_over_http_and_a_wrong_one_is_named(fresh: Asked) -> None:
    url = f"{fresh.azure.url}/_sandbox/faults"
    assert requests.post(url, json={"match": "GET */locks", "status": 404}, timeout=10).status_code == 200
    assert fresh.get(f"{fresh.root}/{LOCKS}").status_code == 404
    for wrong in (
        {"match": "GET *", "state": 1},
        {"match": "*"},
        {"match": "GET *", "status": 299},
        {"match": "GET *", "times": -1},
    ):
        answer = requests.post(url, json=wrong, timeout=10)
        assert (answer.status_code, code_of(answer)) == (400, "BadFault")


# ---------------------------------------------------------------------------------------------- the record of calls


def test_every_call_is_recorded_with_the_id_of_its_client(fresh: Asked) -> None:
    headers = {"x-ms-client-request-id": "one"}
    requests.get(f"{fresh.azure.url}{fresh.world.vm_id}?api-version=1", headers=headers, timeout=10)
    requests.get(f"{fresh.azure.url}/subscriptions/none/x?api-version=1", timeout=10)
    listed = requests.get(f"{fresh.azure.url}/_sandbox/calls", timeout=10).json()["calls"]
    assert [(call["method"], call["status"], call["client_request_id"]) for call in listed] == [
        ("GET", 200, "one"),
        ("GET", 404, ""),
    ]
    assert listed[0]["path"] == f"{fresh.world.vm_id}?api-version=1"
    assert 0 <= listed[0]["started"] <= listed[0]["ended"]
    requests.delete(f"{fresh.azure.url}/_sandbox/calls", timeout=10)
    assert fresh.azure.calls() == []


def test_calls_are_answered_side_by_side_each_after_the_latency(tmp_path: Path) -> None:
    with asking(HEALTHY, tmp_path, latency=0.2) as asked, ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: asked.get(asked.world.vm_id).status_code, range(10)))
        calls = asked.azure.calls()
    assert statuses == [200] * 10
    each = [call.ended - call.started for call in calls]
    assert min(each) >= 0.2
    assert sum(each) > max(call.ended for call in calls) - min(call.started for call in calls), (
        "one after the other it would be the same"
    )


def test_connections_are_kept(asked: Asked) -> None:
    with ExitStack() as stack:
        session = stack.enter_context(requests.Session())
        for _ in range(3):
            session.get(f"{asked.azure.url}{asked.world.vm_id}?api-version=1", timeout=10)
        pools = session.get_adapter("http://").poolmanager.pools  # type: ignore[attr-defined]
        assert sum(pools[key].num_connections for key in pools.keys()) == 1  # noqa: SIM118


# ---------------------------------------------------------------------------------------------- Log Analytics


def test_the_logs_client_reads_rows_with_columns_and_types(asked: Asked) -> None:
    found = asked.logs().query_workspace(asked.scenario.workspace_id, "Heartbeat", timespan=timedelta(hours=1))
    assert found.status == LogsQueryStatus.SUCCESS
    [table] = found.tables
    assert (table.name, list(table.columns)) == ("PrimaryResult", ["TimeGenerated", "Computer", "_ResourceId"])
    assert table.columns_types == ["datetime", "string", "string"]
    assert isinstance(table.rows[0][0], datetime)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("AddonAzureBackupJobs", 2),
        ("AddonAzureBackupJobs | where JobStatus == 'Failed'", 1),
        ("AddonAzureBackupJobs | where JobStatus == 'failed'", 0),
        ("AddonAzureBackupJobs | where JobStatus =~ 'failed' and JobFailureCode has 'somecode'", 1),
        ("AddonAzureBackupJobs | where JobFailureCode has 'Some'", 0),
        ("AddonAzureBackupJobs | where tolower(BackupItemUniqueId) has ';rg-ask;vm-ask-01'", 1),
        ("AddonAzureBackupJobs | where tolower(BackupItemUniqueId) has ';rg-ask;vm-ask-0'", 0),
        ("AddonAzureBackupJobs | where JobDurationInSecs > 100 and JobStatus != 'Completed'", 1),
        ("AddonAzureBackupJobs | take 1", 1),
        ("Heartbeat | where Computer == 'it\\u0027s'", 1),
        ("Heartbeat | where Computer == 'it\\'s' | project TimeGenerated", 1),
        ('Heartbeat | where Computer == "it\'s"', 1),
        ("Syslog", 0),
        ("AddonAzureBackupJobs | where JobStatus in ('Failed', 'Completed')", 2),
        ("AddonAzureBackupJobs | where (JobStatus == 'Failed' or JobStatus == 'Completed') and JobDurationInSecs >= 1", 2),
        ("AddonAzureBackupJobs | where TimeGenerated between (ago(1d) .. now())", 1),
        ("AddonAzureBackupJobs | where not(JobStatus has_any ('Failed', 'Nothing'))", 1),
        ("let wanted = 'Failed';\nAddonAzureBackupJobs | where JobStatus == wanted", 1),
        ("// a comment\nAddonAzureBackupJobs | top 1 by TimeGenerated desc", 1),
        ("AddonAzureBackupJobs | summarize jobs = count() by JobOperation", 1),
        ("AddonAzureBackupJobs | summarize arg_max(TimeGenerated, *) by JobUniqueId", 2),
    ],
)  # fmt: skip
def test_simple_queries_are_understood(asked: Asked, query: str, count: int) -> None:
    assert len(asked.rows(query)) == count


def test_a_projection_names_the_columns(asked: Asked) -> None:
    query = "AddonAzureBackupJobs\n| where JobStatus == 'Failed'\n| project Code = JobFailureCode, JobUniqueId, Nothing"
    assert asked.rows(query) == [{"Code": "SomeCode", "JobUniqueId": asked.world.job["id"], "Nothing": None}]


@pytest.mark.parametrize(
    "query", ["Heartbeat | extend a = 1", "Heartbeat | where a matches regex 'x'", "Heartbeat | summarize avg(x)", "union *"]
)
def test_a_query_that_is_not_understood_is_refused_and_not_passed_over(asked: Asked, query: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        asked.rows(query)
    assert caught.value.status_code == 400


def test_a_partial_answer_says_so(asked: Asked) -> None:
    asked.azure.add_fault(match="POST */query", partial=True, times=1)
    answer = asked.logs().query_workspace(asked.scenario.workspace_id, "AddonAzureBackupJobs", timespan=timedelta(days=7))
    assert answer.status == LogsQueryStatus.PARTIAL


def test_the_graph_knows_every_vault_that_keeps_a_vm(tmp_path: Path) -> None:
    scenario = scenario_of("title: t\nother_vaults: [{name: rsv-old, resource_group: rg-old}]", tmp_path, "kept")
    with running_azure([scenario]) as azure:
        asked = Asked(azure, scenario)
        query = graph_query("items_of_vms", vms=[asked.world.vm_id.lower()])
        body = {"query": query, "subscriptions": [scenario.subscription]}
        found = requests.post(f"{azure.url}/providers/Microsoft.ResourceGraph/resources", json=body, timeout=10).json()
    assert sorted(row["id"].split("/")[8] for row in found["data"]) == ["rsv-old", "rsv-shop"]


def test_the_timespan_of_a_request_counts(asked: Asked) -> None:
    assert len(asked.rows("AddonAzureBackupJobs", timedelta(days=1))) == 1
    assert len(asked.rows("AddonAzureBackupJobs", timedelta(days=4))) == 2


def test_an_unknown_table_is_a_semantic_error(asked: Asked) -> None:
    with pytest.raises(HttpResponseError) as caught:
        asked.rows("NoSuchTable | take 1")
    assert caught.value.status_code == 400
    error: Any = caught.value.error
    assert (error.code, error.innererror["code"]) == ("BadArgumentError", "SemanticError")
    assert "NoSuchTable" in error.innererror["innererror"]["message"]


def test_a_workspace_holds_its_own_scenario_and_any_other_holds_all(tmp_path: Path) -> None:
    text = "title: t\nlogs: {Heartbeat: [{TimeGenerated: -1m, Computer: %s}]}"
    one, two = (scenario_of(text % name, tmp_path, name) for name in ("one", "two"))
    with running_azure([one, two]) as azure:
        assert [row["Computer"] for row in Asked(azure, two).rows("Heartbeat")] == ["two"]
        found = Asked(azure, one).logs().query_workspace("everybody", "Heartbeat", timespan=timedelta(days=1))
        assert found.status == LogsQueryStatus.SUCCESS
        assert [row[1] for row in found.tables[0].rows] == ["one", "two"]


# ---------------------------------------------------------------------------------------------- raw resources


def test_raw_resources_are_merged_added_and_deleted(tmp_path: Path) -> None:
    vm = "/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/vm-raw"
    disk = "/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.Compute/disks/vm-raw-osdisk"
    other = "/subscriptions/{subscription}/resourceGroups/rg-else/providers/Microsoft.Compute/disks/extra"
    text = f"""
title: Raw
vm: {{name: vm-raw}}
resources:
  {vm}: {{properties: {{securityProfile: {{securityType: TrustedLaunch}}, hardwareProfile: null}}}}
  {disk}: null
  {other}: {{location: westeurope, properties: {{diskSizeGB: 9}}}}
"""
    with asking(text, tmp_path) as asked:
        properties = asked.get(asked.world.vm_id).json()["properties"]
        assert properties["securityProfile"] == {"securityType": "TrustedLaunch"}
        assert "hardwareProfile" not in properties
        assert properties["osProfile"]
        assert asked.get(disk.replace("{subscription}", asked.scenario.subscription)).status_code == 404
        assert asked.names(f"{asked.root}/resourceGroups/rg-else/providers/Microsoft.Compute/disks") == ["extra"]


def test_a_running_simulated_azure_ends_with_its_block(tmp_path: Path) -> None:
    with asking("title: t", tmp_path) as asked:
        url = asked.azure.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


def test_neighbours_fill_the_lists_and_are_told_apart(tmp_path: Path) -> None:
    with asking("title: t\nneighbours: 120\njob: {error: {title: Mine}}", tmp_path) as asked:
        first = asked.get(f"{asked.root}/providers/Microsoft.Compute/restorePointCollections").json()
        assert (len(first["value"]), "nextLink" in first) == (50, True)
        jobs = list(asked.backup().backup_jobs.list("rsv-shop", "rg-vaults", filter="status eq 'Failed'"))
        properties: Any = [job.properties for job in jobs]
        assert len(jobs) == len({job.name for job in jobs}) == 121
        assert [job["containerName"] for job in properties].count(asked.world.container) == 1
