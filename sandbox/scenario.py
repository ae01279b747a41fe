"""A scenario: one failed backup in a small world, as a YAML file. `sandbox/scenarios/README.md` lists every field.

A file says only what differs from a healthy world; a wrong field is named with its file.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox import alert_bodies
from sandbox.world import World

FOLDER = Path(__file__).parent / "scenarios"
VERDICTS = {"confirmed", "possible", "unknown", "ruled_out"}
FIELDS: dict[str, tuple[type, ...]] = {
    "title": (str,), "alert": (str, dict), "vm": (dict,), "vault": (dict,), "job": (dict,), "jobs": (list,), "locks": (list,),
    "restore_points": (dict, list), "policy": (dict,), "network": (dict,), "key_vaults": (list,), "activity": (list,),
    "health_events": (list,), "logs": (dict,), "faults": (list,), "resources": (dict,), "expect": (dict,),
}  # fmt: skip
VM_FIELDS = {"name", "resource_group", "location", "os", "power", "provisioning_state", "agent", "extensions", "disks",
             "image", "os_name", "exists", "extensions_allowed", "agent_provisioned", "encrypted", "same_name_in"}  # fmt: skip
JOB_FIELDS = {"id", "operation", "status", "started", "ended", "scheduled", "error", "errors", "tasks", "type", "detailed_message",
              "exists", "vm_group"}  # fmt: skip
POWERS = {"running", "stopped", "deallocated", "starting", "stopping", "deallocating"}
EXPECTED = {"code", "matched_by", "verdicts", "commands", "not_commands", "texts", "type", "language"}


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


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    source: str
    """The raw YAML, as a mapping."""
    data: Mapping[str, Any]
    expect: Expect

    @property
    def subscription(self) -> str:
        """Every scenario lives in a subscription of its own, so that all live in one simulated Azure."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"scenario/{self.name}"))

    def world(self, now: datetime) -> World:
        return World(self.name, self.subscription, self.data, now)

    def alert_body(self, now: datetime) -> Any:
        """The JSON that the scenario's source would send."""
        alert = self.data.get("alert", "azure_backup")
        options = {"source": alert} if isinstance(alert, str) else dict(alert)
        return alert_bodies.build(options, self.world(now), now)


def load_scenarios(folder: Path = FOLDER) -> list[Scenario]:
    return [load(path) for path in sorted(folder.glob("*.yaml"))]


def load(path: Path) -> Scenario:
    """One scenario file, checked."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name}: not YAML: {error}") from None
    if not isinstance(data, dict):
        raise ScenarioError(f"{path.name}: holds no fields")
    problem = next(_problems(data), None)
    if problem:
        raise ScenarioError(f"{path.name}: {problem}")
    expect = Expect(**{key: value for key, value in data.get("expect", {}).items() if key != "language"})
    return Scenario(path.stem, data["title"], str(data.get("alert", "azure_backup")), data, expect)


def _problems(data: dict[str, Any]) -> Any:
    for name, value in data.items():
        if name not in FIELDS:
            yield f"{name}: there is no such field; known are {', '.join(FIELDS)}"
        elif not isinstance(value, FIELDS[name]):
            yield f"{name}: must be {' or '.join(kind.__name__ for kind in FIELDS[name])}"
    if "title" not in data:
        yield "title: is required"
    yield from _unknown(data.get("vm"), VM_FIELDS, "vm")
    for place, job in [("job", data.get("job")), *((f"jobs[{i}]", job) for i, job in enumerate(data.get("jobs", ())))]:
        yield from _unknown(job, JOB_FIELDS, place)
    vm = data.get("vm") or {}
    if vm.get("power", "running") not in POWERS:
        yield f"vm.power: {vm['power']!r} is not one of {', '.join(sorted(POWERS))}"
    if vm.get("os", "Windows") not in ("Windows", "Linux"):
        yield f"vm.os: {vm['os']!r} is not Windows or Linux"
    source = data.get("alert", "azure_backup")
    source = source.get("source") if isinstance(source, dict) else source
    if source not in alert_bodies.SOURCES:
        yield f"alert: {source!r} is not one of {', '.join(alert_bodies.SOURCES)}"
    expect = data.get("expect") or {}
    yield from _unknown(expect, EXPECTED, "expect")
    for cause, verdict in (expect.get("verdicts") or {}).items():
        if verdict not in VERDICTS:
            yield f"expect.verdicts.{cause}: {verdict!r} is not one of {', '.join(sorted(VERDICTS))}"


def _unknown(value: object, known: set[str], place: str) -> Any:
    if isinstance(value, dict):
        for name in value.keys() - known:
            yield f"{place}.{name}: there is no such field; known are {', '.join(sorted(known))}"


def moment(text: object, now: datetime) -> datetime:
    """A time in a scenario: `now`, `-2h`, `-1h30m`, `-3d`, or ISO 8601."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    said = str(text).strip()
    if said == "now":
        return now
    match = re.fullmatch(r"([+-])(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", said)
    if not match or not any(match.groups()[1:]):
        return datetime.fromisoformat(said)
    days, hours, minutes = (int(part or 0) for part in match.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes)
    return now - span if match[1] == "-" else now + span
