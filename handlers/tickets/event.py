"""The ticket event of docs/ticket-event.schema.json: what every target is given."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from handlers.markup import code_block, one_line, to_html
from handlers.model import Alert, Diagnosis, Failure, Finding, Job, ResourceId, Runbook, Verdict, VirtualMachine

MOST_ATTACHED = 20_000
"""Characters of an unreadable body that go into its ticket."""


def incident_id(item_key: str) -> str:
    """The id of a protected item's incident: 32 characters `[0-9a-f]`, the same for the same item."""
    return hashlib.sha256(item_key.lower().encode()).hexdigest()[:32]


def message_id(event: dict[str, Any]) -> str:
    """The same for every posting of the same change, so that a target recognises a repeat: the job, else the time of the failure."""
    incident, job = event["data"]["incident"], event["data"]["job"] or {}
    which = job.get("id") or incident.get("last_failed_at") or ""
    return ".".join(filter(None, (incident["id"], which, event["type"].rpartition(".")[2])))


def failure_event(kind: str, diagnosis: Diagnosis, runbook: Runbook, now: datetime) -> dict[str, Any]:
    """`incident.opened` or `incident.updated`."""
    failure, error = diagnosis.failure, diagnosis.error
    data = _shell(failure) | {
        "incident": _incident(failure.key, "open", failure.failed_at),
        "title": runbook.title,
        "severity": failure.alert.severity or "Sev1",
        "job": _job(failure.job, failure.alert),
        "error": {
            "code": error.code,
            "number": error.number,
            "message": error.message,
            "title": runbook.error_title,
            "category": error.category,
            "transient": error.transient,
            "matched_by": error.matched_by,
        },
        "findings": [_finding(finding, runbook) for finding in diagnosis.findings],
        "runbook": {"language": runbook.language, "markdown": runbook.markdown, "html": runbook.html},
    }
    machine = diagnosis.readings["vm"].value
    if isinstance(machine, VirtualMachine) and data["vm"]:
        data["vm"] |= {"location": machine.location, "os": machine.os.value if machine.os else None}
    return _event(kind, now, data)


def resolved_event(failure: Failure, job: Job, title: str, note: str, language: str, now: datetime) -> dict[str, Any]:
    """`incident.resolved`: `job` is the completed backup that proves it, `note` says so in Markdown."""
    data = _shell(failure) | {
        "incident": _incident(failure.key, "resolved", failure.failed_at),
        "title": title,
        "severity": failure.alert.severity or "Sev1",
        "job": _job(job, failure.alert),
        "runbook": {"language": language, "markdown": note, "html": to_html(note)},
    }
    return _event("incident.resolved", now, data)


def unreadable_event(body: object, title: str, text: str, language: str, now: datetime) -> dict[str, Any]:
    """`alert.unreadable`: a ticket for a person, with the body attached as text."""
    raw = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)
    raw = raw.encode("utf-8", "replace").decode()
    markdown = f"{text}\n\n{code_block(raw, 'json', MOST_ATTACHED)}\n"
    data = _shell(Failure(Alert("unreadable"), None, now)) | {
        "incident": _incident(raw, "open", None),
        "title": title,
        "severity": "Sev2",
        "runbook": {"language": language, "markdown": markdown, "html": to_html(markdown)},
    }
    return _event("alert.unreadable", now, data)


def _event(kind: str, now: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": _time(now), "data": data}


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


def _incident(key: str, status: str, failed_at: datetime | None) -> dict[str, Any]:
    return {
        "id": incident_id(key),
        "status": status,
        "failures": 1,
        "first_failed_at": _time(failed_at),
        "last_failed_at": _time(failed_at),
        "url": None,
    }


def _job(job: Job | None, alert: Alert) -> dict[str, Any] | None:
    if job is None:
        return {"id": alert.job_id, "operation": "Backup", "started_at": None, "ended_at": None, "activity_id": None,
                "scheduled": None} if alert.job_id else None  # fmt: skip
    return {
        "id": job.id,
        "operation": job.operation,
        "started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "activity_id": job.activity_id or None,
        "scheduled": job.scheduled,
    }


def _finding(finding: Finding, runbook: Runbook) -> dict[str, Any]:
    steps = runbook.steps.get(finding.cause, ()) if finding.verdict is not Verdict.RULED_OUT else ()
    return {
        "cause": finding.cause,
        "verdict": finding.verdict.value,
        "title": runbook.titles[finding.cause],
        "evidence": [
            {"fact": evidence.fact, "value": evidence.value, "source": evidence.source, "read_at": _time(evidence.read_at)}
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


def _time(time: datetime | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
