"""The ticket event of docs/ticket-event.schema.json: what every target is given."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from handlers.model import (
    Alert,
    Change,
    Diagnosis,
    Error,
    Failure,
    Finding,
    Incident,
    Job,
    Members,
    ResourceId,
    Runbook,
    Storm,
    Verdict,
    VirtualMachine,
)
from handlers.model.failure import VM_WORKLOAD
from handlers.model.incident import key_of
from handlers.model.storm import RESOLVED
from handlers.model.text import one_line
from handlers.runbook.markup import code_block, to_html

MOST_ATTACHED = 20_000
"""Characters of an unreadable body that go into its ticket."""


def failure_event(
    incident: Incident, diagnosis: Diagnosis, runbook: Runbook, now: datetime, changes: tuple[Change, ...] = ()
) -> dict[str, Any]:
    """The change that the incident has begun: `incident.opened`, `incident.updated` or `incident.reopened`."""
    failure, error = diagnosis.failure, diagnosis.error
    data = _shell(failure) | {
        "incident": _incident(incident),
        "title": runbook.title,
        "severity": failure.alert.severity or "Sev1",
        "job": _job(failure.job, failure.alert),
        "error": _error(error, runbook.error_title),
        "findings": [finding_data(finding, runbook) for finding in diagnosis.findings],
        "changes": [{"cause": c.cause, "before": c.before and c.before.value, "now": c.now.value} for c in changes],
        "runbook": {"language": runbook.language, "markdown": runbook.markdown, "html": runbook.html},
        "ticket": _ticket(incident),
    }
    machine = diagnosis.readings["vm"].value
    if isinstance(machine, VirtualMachine) and data["vm"]:
        data["vm"] |= {"location": machine.location, "os": machine.os.value if machine.os else None}
    return event(incident.pending, now, data)


def resolved_event(incident: Incident, job: Job, title: str, note: str, language: str, now: datetime) -> dict[str, Any]:
    """`incident.resolved`: `job` is the completed backup that proves it, `note` says so in Markdown."""
    failure = Failure.of(incident.alert(), None, now)
    data = _shell(failure) | {
        "incident": _incident(incident),
        "title": title,
        "severity": incident.severity or "Sev1",
        "job": _job(job, failure.alert),
        "runbook": {"language": language, "markdown": note, "html": to_html(note)},
        "ticket": _ticket(incident),
    }
    return event(incident.pending, now, data)


def storm_event(storm: Storm, members: Members, diagnosis: Diagnosis | None, runbook: Runbook, now: datetime) -> dict[str, Any]:
    """The change that the storm has begun. Its findings are those of one member, shown for all."""
    failed = [incident for incident in members.shown if incident.known]
    status = "resolved" if storm.pending == RESOLVED else "open"
    data = _shell(Failure(Alert("storm"), None, now)) | {
        "incident": {
            "id": storm.id,
            "status": status,
            "failures": max(members.affected, 1),
            "first_failed_at": time_of(min((one.first_failed_at for one in failed), default=storm.opened_at)),
            "last_failed_at": time_of(max((one.last_failed_at for one in failed), default=storm.opened_at)),
            "url": None,
        },
        "title": runbook.title,
        "severity": members.severity,
        "protected_item": {
            "id": None,
            "name": one_line(f"{members.affected} × {storm.code}"),
            "workload": VM_WORKLOAD,
            "vault_id": None,
        },
        "error": _error(error_of_storm(storm, diagnosis), runbook.error_title),
        "findings": [finding_data(finding, runbook) for finding in diagnosis.findings] if diagnosis else [],
        "storm": {
            "region": storm.region,
            "affected": max(members.affected, 1),
            "recovered": members.recovered,
            "members": [_member(incident) for incident in members.shown],
        },
        "runbook": {"language": runbook.language, "markdown": runbook.markdown, "html": runbook.html},
        "ticket": {"id": storm.ticket_id or None, "url": storm.ticket_url or None},
    }
    return event(storm.pending, now, data)


def error_of_storm(storm: Storm, diagnosis: Diagnosis | None) -> Error:
    """The shared code; the message is one member's own and stays out."""
    return replace(diagnosis.error, message="", matched_by="none") if diagnosis else Error(storm.code)


def _member(incident: Incident) -> dict[str, Any]:
    return {
        "name": one_line(incident.item_name),
        "vm_id": incident.vm_id or None,
        "vault_id": incident.vault_id or None,
        "incident": incident.id,
        "status": incident.status,
        "last_failed_at": time_of(incident.last_failed_at),
        "cause": next(iter(incident.confirmed), None),
        "ticket": incident.ticket_url or None,
    }


def plain_event(refused: dict[str, Any], text: str) -> dict[str, Any]:
    """The same change as an event that the target refused, in a few plain words and nothing else."""
    data = refused["data"]
    language = data["runbook"]["language"]
    return refused | {"data": data | {"findings": [], "runbook": {"language": language, "markdown": text, "html": to_html(text)}}}


def unreadable_event(body: object, title: str, text: str, language: str, now: datetime) -> dict[str, Any]:
    """`alert.unreadable`: a ticket for a person, with the body attached as text."""
    raw = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)
    raw = raw.encode("utf-8", "replace").decode()
    markdown = f"{text}\n\n{code_block(raw, 'json', MOST_ATTACHED)}\n"
    data = _shell(Failure(Alert("unreadable"), None, now)) | {
        "incident": {
            "id": key_of(raw), "status": "open", "failures": 1, "first_failed_at": None, "last_failed_at": None, "url": None
        },
        "title": title,
        "severity": "Sev2",
        "runbook": {"language": language, "markdown": markdown, "html": to_html(markdown)},
    }  # fmt: skip
    return event("alert.unreadable", now, data)


def event(kind: str, now: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": time_of(now), "data": data}


def _shell(failure: Failure) -> dict[str, Any]:
    """What every event has; parts that do not apply are null or empty."""
    return {
        "incident": {},
        "title": "",
        "severity": "",
        "protected_item": {
            "id": failure.item.id if failure.item else None,
            "name": one_line(failure.item_name),
            "workload": failure.workload,
            "vault_id": failure.vault.id if failure.vault else failure.alert.vault_id or None,
        },
        "vm": _vm(failure.vm),
        "job": None,
        "error": None,
        "findings": [],
        "changes": [],
        "storm": None,
        "runbook": {},
        "ticket": {"id": None, "url": None},
    }


def _vm(vm: ResourceId | None) -> dict[str, Any] | None:
    """`location` and `os` are null until the VM itself could be read."""
    if vm is None:
        return None
    return {
        "id": vm.id,
        "name": vm.name,
        "resource_group": vm.group,
        "subscription_id": vm.subscription,
        "location": None,
        "os": None,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "status": incident.status,
        "failures": incident.failures,
        "first_failed_at": time_of(incident.first_failed_at),
        "last_failed_at": time_of(incident.last_failed_at),
        "url": None,
    }


def _ticket(incident: Incident) -> dict[str, Any]:
    return {"id": incident.ticket_id or None, "url": incident.ticket_url or None}


def _error(error: Error, title: str) -> dict[str, Any]:
    return {
        "code": error.code,
        "number": error.number,
        "message": error.message,
        "title": title,
        "category": error.category,
        "transient": error.transient,
        "matched_by": error.matched_by,
    }


def _job(job: Job | None, alert: Alert) -> dict[str, Any] | None:
    if job is None:
        return {"id": alert.job_id, "operation": "Backup", "started_at": None, "ended_at": None, "activity_id": None,
                "scheduled": None} if alert.job_id else None  # fmt: skip
    return {
        "id": job.id,
        "operation": job.operation,
        "started_at": time_of(job.started_at),
        "ended_at": time_of(job.ended_at),
        "activity_id": job.activity_id or None,
        "scheduled": job.scheduled,
    }


def finding_data(finding: Finding, runbook: Runbook) -> dict[str, Any]:
    steps = runbook.steps.get(finding.cause, ()) if finding.verdict is not Verdict.RULED_OUT else ()
    return {
        "cause": finding.cause,
        "verdict": finding.verdict.value,
        "title": runbook.titles[finding.cause],
        "evidence": [
            {"fact": evidence.fact, "value": evidence.value, "source": evidence.source, "read_at": time_of(evidence.read_at)}
            for evidence in finding.evidence
        ],
        "why": {"reason": finding.why.why.value, "detail": finding.why.detail} if finding.why else None,
        "remediation": [
            {
                "text": step.text,
                "commands": [
                    {"shell": command.shell, "run": command.run, "effect": command.effect, "line": command.line}
                    for command in step.commands
                ],
            }
            for step in steps
        ],
    }


def time_of(time: datetime | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
