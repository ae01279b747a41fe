"""Scenario files: what they may say, and that a wrong one is named with its file and field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from handlers import alerts
from handlers.model import Alert
from sandbox.alert_bodies import SOURCES
from sandbox.scenario import FOLDER, Scenario, ScenarioError, load, load_scenarios, moment

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FILES = sorted(FOLDER.glob("*.yaml"))
README = (FOLDER / "README.md").read_text(encoding="utf-8")
SEED_CODES = {
    "UserErrorGuestAgentStatusUnavailable": {"Windows", "Linux"},
    "GuestAgentSnapshotTaskStatusError": {"Windows", "Linux"},
    "UserErrorRpCollectionLimitReached": {"Windows", "Linux"},
    "UserErrorKeyVaultPermissionsNotConfigured": {"Windows", "Linux"},
    "ExtensionSnapshotFailedNoNetwork": {"Windows", "Linux"},
    "ExtensionOperationFailedForManagedDisks": {"Windows", "Linux"},
    "BackUpOperationFailed": {"Windows"},
    "BackUpOperationFailedV2": {"Linux"},
    "UserErrorUnsupportedDiskSize": {"Windows", "Linux"},
    "UserErrorBackupOperationInProgress": {"Windows", "Linux"},
}


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return load_scenarios()


def wrong(text: str, folder: Path) -> str:
    """What is said about a scenario file with this text."""
    path = folder / "some_situation.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_file_is_valid(path: Path) -> None:
    scenario = load(path)
    assert scenario.name == path.stem
    assert not scenario.title.endswith(".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_is_named_for_its_situation_and_holds_no_real_tenant(path: Path) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", path.stem)
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"[\w.]+@(?!everyone)[\w.]+", text) == []
    assert re.findall(r"/subscriptions/[0-9a-f]{8}-", text) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_alert_of_a_scenario_is_json_and_read_as_an_alert(path: Path) -> None:
    scenario = load(path)
    body = json.loads(json.dumps(scenario.alert_body(NOW)))
    if scenario.source == "raw":
        return
    [found] = alerts.read(body)
    assert isinstance(found, Alert), found
    assert scenario.subscription in str(body)


def test_every_source_of_alerts_fires_in_some_scenario(scenarios: list[Scenario]) -> None:
    assert set(SOURCES) - {scenario.source for scenario in scenarios} == set()


@pytest.mark.parametrize(("code", "systems"), SEED_CODES.items())
def test_every_code_has_a_scenario_for_each_os(code: str, systems: set[str], scenarios: list[Scenario]) -> None:
    covered = {
        (scenario.data.get("vm") or {}).get("os", "Windows")
        for scenario in scenarios
        if (scenario.expect.code or "").lower() == code.lower()
    }
    assert systems <= covered


def test_every_scenario_lives_in_a_subscription_and_a_workspace_of_its_own(scenarios: list[Scenario]) -> None:
    ids = {own for scenario in scenarios for own in (scenario.subscription, scenario.workspace_id)}
    assert len(ids) == 2 * len(scenarios)


def test_ids_are_the_same_every_time() -> None:
    first, second = load(FILES[0]), load(FILES[0])
    assert first.subscription == second.subscription
    assert first.world(NOW).job["id"] == second.world(NOW + timedelta(hours=1)).job["id"]


def test_the_built_in_alert_carries_its_job_its_item_and_the_link_to_its_code() -> None:
    scenario = load(FOLDER / "restore_point_group_locked.yaml")
    body: Any = scenario.alert_body(NOW)
    essentials, context = body["data"]["essentials"], body["data"]["alertContext"]
    world = scenario.world(NOW)
    assert (essentials["monitoringService"], essentials["signalType"]) == ("Azure Backup", "Log")
    assert essentials["alertTargetIDs"] == [world.vault_id.lower()]
    assert context["extendedInfo"]["jobId"] == world.job["id"]
    assert "https://aka.ms/AB-usererrorrpcollectionlimitreached" in context["extendedInfo"]["recommendedActions"]
    container = "iaasvmcontainerv2;rg-payments;vm-pay-01"
    item = f"/protectionContainers/IaasVMContainer;{container}/protectedItems/VM;{container}"
    assert context["protectedItemId"].endswith(item)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vm: {os: Linux}", "title: is required"),
        ("title: t\nvm: {power: runing}", "vm.power: 'runing' is not one of running, stopped"),
        ("title: t\nvm: {os: Solaris}", "vm.os: 'Solaris' is not one of Windows, Linux"),
        ("title: t\nvm: {colour: red}", "vm.colour: there is no such field; known are agent"),
        ("title: t\nvm: {agent: {ready: maybe}}", "vm.agent.ready: 'maybe' is not true or false"),
        ("title: t\nvm: {agent: {reported: soon}}", "vm.agent.reported: 'soon' is not a time such as now"),
        ("title: t\nvm: {disks: [{}, {size_gib: big}]}", "vm.disks[1].size_gib: 'big' is not a number"),
        ("title: t\nvm: {encrypted: {vault: kv-1}}", "vm.encrypted.vault: 'kv-1' is none of key_vaults (none)"),
        ("title: t\nvm: {disks: [{encryption_set: a}]}", "vm.disks[0].encryption_set: 'a' is none of encryption_sets (none)"),
        ("title: t\nencryption_sets: [{name: a, vault: b}]", "encryption_sets[0].vault: 'b' is none of key_vaults (none)"),
        ("title: t\nvm: Windows", "vm: 'Windows' is not a mapping of fields"),
        ("title: t\nvms: {}", "vms: there is no such field; known are activity, alert"),
        ("title: t\nalert: pigeon", "alert: 'pigeon' is not one of azure_backup"),
        ("title: t\nalert: {source: pigeon}", "alert.source: 'pigeon' is not one of azure_backup"),
        ("title: t\nalert: {condition: Maybe}", "alert.condition: 'Maybe' is not one of Fired, Resolved"),
        ("title: t\njob: {status: Broken}", "job.status: 'Broken' is not one of Completed"),
        ("title: t\njob: {ended: -}", "job.ended: '-' is not a time"),
        ("title: t\njobs: [{}, {error: {number: x}}]", "jobs[1].error.number: 'x' is not a number"),
        ("title: t\njobs: {}", "jobs: {} is not a list"),
        ("title: t\nlocks: [{name: l}]", "locks[0].scope: is required"),
        ("title: t\nlocks: [{name: l, scope: vm, level: No}]", "locks[0].level: False is not one of CanNotDelete"),
        ("title: t\nneighbours: many", "neighbours: 'many' is not a number"),
        ("title: t\nlocks: [{name: l, scope: world}]", "locks[0].scope: 'world' is not one of subscription"),
        ("title: t\nrestore_points: [{count: -1}]", "restore_points[0].count: -1 is not a number from 0 up"),
        ("title: t\npolicy: {type: V3}", "policy.type: 'V3' is not one of V1, V2"),
        ("title: t\nkey_vaults: [{rbac: true}]", "key_vaults[0].name: is required"),
        ("title: t\nfaults: [{status: 403}]", "faults[0].match: is required"),
        ("title: t\nfaults: [{match: '*/locks'}]", "faults[0].match: '*/locks' is not METHOD and path"),
        ("title: t\nfaults: [{match: 'GET *', status: 299}]", "faults[0].status: 299 is not one of"),
        ("title: t\nlogs: {Heartbeat: {}}", "logs.Heartbeat: {} is not a list"),
        ("title: t\nnetwork: {rules: [{access: Deny}]}", "network.rules[0].name: is required"),
        ("title: t\nresources: {/subscriptions/x: 1}", "resources./subscriptions/x: 1 is not a mapping of fields"),
        ("title: t\nexpect: {verdicts: {some_cause: likely}}", "expect.verdicts.some_cause: 'likely' is not one of"),
        ("title: t\nexpect: {matched_by: luck}", "expect.matched_by: 'luck' is not one of job"),
        ("title: t\nexpect: {commands: az}", "expect.commands: 'az' is not a list"),
        ("- a list", "holds no fields"),
        ("a: [", "not YAML"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_file(text: str, said: str, tmp_path: Path) -> None:
    assert wrong(text, tmp_path).startswith(f"some_situation.yaml: {said}")


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("now", timedelta()),
        ("-2h", timedelta(hours=2)),
        ("-1h30m", timedelta(hours=1, minutes=30)),
        ("-3d", timedelta(days=3)),
        ("+5m", timedelta(minutes=-5)),
        ("2026-11-24T10:00:00Z", timedelta(hours=2)),
        ("2026-11-24T10:00:00", timedelta(hours=2)),
        (datetime(2026, 11, 24, 11), timedelta(hours=1)),
    ],
)
def test_a_time_is_relative_or_iso(text: object, before: timedelta) -> None:
    assert moment(text, NOW) == NOW - before


def known_fields(place: str, folder: Path) -> set[str]:
    """The names that the check of a place says it knows: `key_vaults[.roles[` is a role of a key vault."""
    nested: Any = {"no_such_field": 1}
    for part in reversed(place.split(".")):
        name = part.rstrip("[")
        nested = {name: [nested] if part != name else nested} if name else nested
    said = wrong(yaml.safe_dump({"title": "t"} | nested), folder)
    assert "no_such_field: there is no such field" in said
    return set(said.partition("known are ")[2].split(", "))


@pytest.mark.parametrize(
    "place",
    ["", "alert", "vm", "vm.agent", "vm.extensions[", "vm.disks[", "vm.encrypted", "vault", "job", "job.error",
     "locks[", "restore_points", "policy", "policy.restore_point_group", "network", "key_vaults[", "key_vaults[.roles[",
     "key_vaults[.access_policies[", "encryption_sets[", "activity[", "health_events[", "faults[", "expect"],
)  # fmt: skip
def test_every_field_is_in_the_readme(place: str, tmp_path: Path) -> None:
    names = known_fields(place, tmp_path)
    assert names
    assert [name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", README)] == []
