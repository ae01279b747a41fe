"""A scenario: one failed backup in a small world, as a YAML file. `sandbox/scenarios/README.md` lists every field.

A file says only what differs from a healthy world; a wrong field is named with its file.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox import alert_bodies
from sandbox.world import World

FOLDER = Path(__file__).parent / "scenarios"
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it: seven times as fast. https://pyyaml.org/wiki/PyYAMLDocumentation"""
RELATIVE_TIME = re.compile(r"now|[+-](?=\d)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?")


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the text names the file and the field."""


@dataclass(frozen=True)
class Expect:
    """What the ticket of a scenario must hold. `commands` and `texts` are parts of command lines and of the runbook."""

    type: str = "incident.opened"
    code: str | None = None
    matched_by: str | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()
    not_commands: Sequence[str] = ()
    texts: Sequence[str] = ()
    not_texts: Sequence[str] = ()


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    source: str
    """Which source fires."""
    data: Mapping[str, Any]
    """The raw YAML, as a mapping."""
    expect: Expect

    @property
    def subscription(self) -> str:
        """Every scenario lives in a subscription of its own, so that all live in one simulated Azure."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"scenario/{self.name}"))

    @property
    def workspace_id(self) -> str:
        """The Log Analytics workspace that holds this scenario's rows only."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"scenario/{self.name}/workspace"))

    def world(self, now: datetime) -> World:
        return World(self.name, self.subscription, self.data, now)

    def alert_body(self, now: datetime) -> Any:
        """The JSON that the scenario's source would send."""
        return alert_bodies.build(_alert_options(self.data), self.world(now), now)

    def later_body(self, now: datetime) -> Any:
        """The JSON of the alert that follows once the first one's ticket is there; None when none does."""
        then = self.data.get("then")
        return alert_bodies.build(_alert_options({"alert": then}), self.world(now), now) if then else None


def load_scenarios(folder: Path = FOLDER) -> list[Scenario]:
    """Every scenario of a folder, by name. Raises ScenarioError."""
    return [load(path) for path in sorted(folder.glob("*.yaml"))]


def apart(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The same, each vault in a region of its own: all fired at once are lone failures, and no crowd that is held or becomes a storm."""
    return [_in_region(f"region{number}", scenario) for number, scenario in enumerate(scenarios)]


def _in_region(region: str, scenario: Scenario) -> Scenario:
    vault = {**(scenario.data.get("vault") or {}), "location": region}
    return replace(scenario, data={**scenario.data, "vault": vault})


def load(path: Path) -> Scenario:
    """One scenario file, checked. Raises ScenarioError."""
    return _load(path, path.stat().st_mtime_ns)


@cache
def _load(path: Path, _changed: int) -> Scenario:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=SAFE_LOADER)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name}: not YAML: {error}") from None
    if not isinstance(data, dict):
        raise ScenarioError(f"{path.name}: holds no fields")
    problem = next(_problems(data), None)
    if problem:
        raise ScenarioError(f"{path.name}: {problem}")
    expect = Expect(**{key: value for key, value in (data.get("expect") or {}).items() if key != "language"})
    return Scenario(path.stem, data["title"], str(_alert_options(data)["source"]), data, expect)


def _alert_options(data: Mapping[str, Any]) -> dict[str, Any]:
    alert = data.get("alert", "azure_backup")
    return {"source": alert} if isinstance(alert, str) else {"source": "azure_backup", **alert}


def moment(text: object, now: datetime) -> datetime:
    """A time in a scenario: `now`, `-2h`, `-1h30m`, `-3d`, or ISO 8601."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    said = str(text).strip()
    match = RELATIVE_TIME.fullmatch(said)
    if not match:
        found = datetime.fromisoformat(said)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    span = timedelta(**{unit: int(amount or 0) for unit, amount in match.groupdict().items()})
    return now - span if said.startswith("-") else now + span


# ---------------------------------------------------------------------------------------------- what a file may say

Check = Callable[[Any, str], Iterator[str]]
"""Yields the problems of a value at a place: `vm.power: 'runing' is not one of …`."""


def _text(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        yield f"{place}: {value!r} is not a text"


def _number(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        yield f"{place}: {value!r} is not a number from 0 up"


def _flag(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{place}: {value!r} is not true or false"


def _time(value: Any, place: str) -> Iterator[str]:
    try:
        moment(value, datetime.now(UTC))
    except ValueError:
        yield f"{place}: {value!r} is not a time such as now, -2h, -1h30m, -3d or ISO 8601"


def _call(value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, str) or not re.fullmatch(r"(GET|POST|\*) \S.*", value):
        yield f"{place}: {value!r} is not METHOD and path, such as GET */locks*"


def _anything(value: Any, place: str) -> Iterator[str]:
    yield from ()


def _one_of(*allowed: Any) -> Check:
    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, str | int) or value not in allowed:
            yield f"{place}: {value!r} is not one of {', '.join(map(str, allowed))}"

    return check


def _fields(_more: Check | None = None, _needs: Sequence[str] = (), /, **known: Check) -> Check:
    """A mapping with these fields; others only with a check for them."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{place}: {value!r} is not a mapping of fields"
            return
        for name, inner in value.items():
            found = known.get(name, _more)
            if found is None:
                yield f"{_at(place, name)}: there is no such field; known are {', '.join(sorted(known))}"
            else:
                yield from found(inner, _at(place, name))
        for name in _needs:
            if name not in value:
                yield f"{_at(place, name)}: is required"

    return check


def _list_of(element: Check) -> Check:
    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{place}: {value!r} is not a list"
            return
        for index, inner in enumerate(value):
            yield from element(inner, f"{place}[{index}]")

    return check


def _either(test: Callable[[Any], bool], first: Check, second: Check) -> Check:
    return lambda value, place: (first if test(value) else second)(value, place)


def _or_null(check: Check) -> Check:
    return lambda value, place: iter(()) if value is None else check(value, place)


def _at(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


_MAPPING = _fields(_anything)
_POWER = _one_of("running", "stopped", "deallocated", "starting", "stopping", "deallocating")
_STATUS = _one_of("Completed", "CompletedWithWarnings", "Failed", "InProgress", "Cancelled", "Cancelling")
_ERROR = _fields(number=_number, title=_text, message=_text, recommendations=_list_of(_text))
_JOB = _fields(
    id=_text, operation=_text, status=_STATUS, started=_time, ended=_time, scheduled=_flag, error=_ERROR,
    consistency=_one_of("AppConsistent", "FileSystemConsistent", "CrashConsistent"),
    threat=_one_of("Healthy", "Warning", "UnHealthy", "Unknown"), tiers=_list_of(_one_of("InstantRP", "HardenedRP", "ArchivedRP")),
    errors=_list_of(_ERROR), tasks=_fields(_text), type=_text, detailed_message=_text, exists=_flag, vm_group=_text,
    security_type=_text, point=_MAPPING,
    restore=_fields(kind=_text, storage_account=_text, resource_group=_text, point=_time, told=_fields(_text)),
)  # fmt: skip
_EXTENSION = _fields(
    backup=_flag, name=_text, type=_text, version=_text, state=_text, message=_text, at=_time, model_only=_flag,
)  # fmt: skip
_DISK = _fields(
    name=_text, size_gib=_number, managed=_flag, state=_text, write_accelerator=_flag, sku=_text, encryption_set=_text,
    max_shares=_number, provisioning=_text, status=_text, status_at=_time, ephemeral=_flag, ade_version=_text, account=_text,
)  # fmt: skip
_VM = _fields(
    name=_text, resource_group=_text, location=_text, os=_one_of("Windows", "Linux"), power=_POWER,
    provisioning_state=_text, status=_text, status_at=_time, message=_text, created=_time,
    exists=_flag, image=_MAPPING, os_name=_text, os_version=_text, extensions_allowed=_flag, tags=_fields(_text), group_tags=_fields(_text),
    plan=_fields(None, ["publisher", "product", "name"], publisher=_text, product=_text, name=_text, accepted=_flag),
    agent_provisioned=_flag, same_name_in=_list_of(_text), encrypted=_fields(None, ["vault"], vault=_text, kek=_flag),
    agent=_or_null(_fields(ready=_flag, version=_text, message=_text, reported=_time)),
    extensions=_list_of(_EXTENSION), disks=_list_of(_DISK), patches=_fields(reboot_pending=_flag, at=_time, status=_text), security_type=_text,
)  # fmt: skip
_POINTS = _fields(
    resource_group=_text, collection=_text, collection_state=_text, count=_number, hours_apart=_number, state=_text, exists=_flag,
)  # fmt: skip
_LOCK = _fields(
    None, ["name", "scope"], name=_text, notes=_text, created=_time, by=_text, level=_one_of("CanNotDelete", "ReadOnly"),
    scope=_either(lambda value: str(value).startswith("/"), _text,
                  _one_of("subscription", "restore_point_group", "collection", "vm", "vm_group", "storage_account")),
)  # fmt: skip
_ROLE = _fields(
    None, ["role", "principal"], role=_text, principal=_text, scope=_one_of("vault", "subscription", "management_group"),
    actions=_list_of(_text), data_actions=_list_of(_text), principal_type=_one_of("ServicePrincipal", "User", "Group"),
)  # fmt: skip
_POLICY = _fields(None, ["principal"], principal=_text, secrets=_list_of(_text), keys=_list_of(_text))
_KEY_VAULT = _fields(
    None, ["name"], name=_text, rbac=_flag, exists=_flag, soft_deleted=_flag, access_policies=_list_of(_POLICY),
    roles=_list_of(_ROLE), contents=_fields(_or_null(_flag)), updated=_time, deleted=_time, firewalled=_flag,
)  # fmt: skip
_ENCRYPTION_SET = _fields(
    None, ["name", "vault"], name=_text, vault=_text, vault_named=_flag, exists=_flag, rotation_error=_text,
)  # fmt: skip
_STORAGE = _fields(
    None,
    ["name"],
    name=_text,
    resource_group=_text,
    location=_text,
    network=_one_of("Allow", "Deny"),
    created=_time,
    classic=_flag,
    used_tib=_or_null(_number),
)
_USAGE = _fields(None, ["name", "used", "limit"], name=_text, used=_number, limit=_number)
_SIZE = _fields(None, ["name"], name=_text, family=_text, cores=_number, restricted=_list_of(_one_of("location", "1", "2", "3")))
_FAULT = _fields(
    None, ["match"], match=_call, code=_text, drop=_flag, partial=_flag, delay=_number, retry_after=_number, times=_number,
    after=_number, status=_one_of(0, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504),
)  # fmt: skip
_ALERT = _fields(
    source=_one_of(*alert_bodies.SOURCES), condition=_one_of("Fired", "Resolved"), fired=_time, code=_text,
    message=_text, severity=_text, health=_text, body=_anything, item_id=_text, item_name=_text, source_type=_text,
    linked_resource=_text,
)  # fmt: skip
_EXPECT = _fields(
    type=_text, code=_text, matched_by=_one_of("job", "alert", "log", "message", "none"), language=_text,
    verdicts=_fields(_one_of("confirmed", "possible", "unknown", "ruled_out")),
    commands=_list_of(_text), not_commands=_list_of(_text), texts=_list_of(_text), not_texts=_list_of(_text),
)  # fmt: skip
_METRICS = _fields(
    **{"from": _time, "to": _time, "cpu": _or_null(_number), "memory": _or_null(_number), "iops": _or_null(_number)}
)
_SCENARIO = _fields(
    None, ["title"], title=_text, then=_ALERT, vm=_VM, job=_JOB, jobs=_list_of(_JOB), locks=_list_of(_LOCK), expect=_EXPECT,
    alert=_either(lambda value: isinstance(value, str), _one_of(*alert_bodies.SOURCES), _ALERT),
    vault=_fields(name=_text, resource_group=_text, location=_text, tags=_fields(_text), key_vault=_text, tenant=_text,
                  more_items=_number),
    disk_snapshots=_list_of(_fields(None, ["name", "at"], name=_text, at=_time)),
    restore_points=_either(lambda value: isinstance(value, list), _list_of(_POINTS), _POINTS),
    other_vaults=_list_of(_fields(None, ["name", "resource_group"], name=_text, resource_group=_text, state=_text, jobs=_list_of(_JOB))),
    availability=_list_of(_fields(None, ["state", "since"], state=_one_of("Available", "Unavailable", "Degraded", "Unknown"),
                                  since=_time, kind=_text)),
    policy=_fields(name=_text, type=_one_of("V1", "V2"), snapshot_days=_number, every_hours=_number, window_hours=_number,
                   weekly=_flag, zone=_text, consistency=_text,
                   restore_point_group=_fields(prefix=_text, suffix=_text)),
    item=_fields(state=_one_of("Protected", "ProtectionStopped", "ProtectionPaused", "BackupsSuspended", "IRPending"), last_point=_time,
                 deferred_delete=_flag, include_disks=_list_of(_number), exclude_disks=_list_of(_number)),
    network=_fields(rules=_list_of(_fields(_anything, ["name"])), routes=_list_of(_fields(_anything, ["name"])), private=_flag),
    key_vaults=_list_of(_KEY_VAULT), encryption_sets=_list_of(_ENCRYPTION_SET), faults=_list_of(_FAULT),
    activity=_list_of(_fields(None, ["operation", "at"], operation=_text, at=_time, caller=_text, status=_text, resource=_text,
                             by_backup=_flag, denied_by=_text)),
    changes=_list_of(_fields(None, ["resource", "at"], resource=_text, at=_time, who=_text, type=_one_of("Create", "Update", "Delete"),
                             properties=_fields(_list_of(_or_null(_text))))),
    health_events=_list_of(_fields(None, ["tracking_id", "title"], tracking_id=_text, title=_text, region=_text,
                                   service=_text, status=_text, began=_time, ended=_time, impacts=_list_of(_one_of("vm", "vault")))),
    metrics=_list_of(_METRICS), storage_accounts=_list_of(_STORAGE), usages=_list_of(_USAGE), sizes=_list_of(_SIZE),
    logs=_fields(_list_of(_MAPPING)), resources=_fields(_or_null(_MAPPING)), neighbours=_number,
)  # fmt: skip


def _problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _SCENARIO(data, "")
    vm = data.get("vm") or {}
    used = {"vm.encrypted.vault": vm["encrypted"]["vault"]} if vm.get("encrypted") else {}
    own = (data.get("vault") or {}).get("key_vault")
    used |= {"vault.key_vault": own} if own else {}
    used |= {f"encryption_sets[{index}].vault": each["vault"] for index, each in enumerate(data.get("encryption_sets") or ())}
    yield from _unnamed("key_vaults", used, data)
    disks = enumerate(vm.get("disks") or ())
    sets = {f"vm.disks[{index}].encryption_set": disk["encryption_set"] for index, disk in disks if disk.get("encryption_set")}
    yield from _unnamed("encryption_sets", sets, data)


def _unnamed(field: str, used: Mapping[str, str], data: Mapping[str, Any]) -> Iterator[str]:
    """What is used, by its place, and is none of the names in a field."""
    named = {each["name"] for each in data.get(field) or ()}
    for place, name in used.items():
        if name not in named:
            yield f"{place}: {name!r} is none of {field} ({', '.join(sorted(named)) or 'none'})"
