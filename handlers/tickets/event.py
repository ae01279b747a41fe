"""What a version says, and the ticket event of docs/ticket-event.schema.json that it is posted as."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import replace
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
from handlers.model.comparison import SharedThing
from handlers.model.delivery import OPEN, RESOLVED, Shown
from handlers.model.document import Document
from handlers.model.failure import RESTORE, VM_WORKLOAD
from handlers.model.parts import Part, joined, ticket_text
from handlers.model.plain import PlainTicket
from handlers.model.recovery import Recovery
from handlers.model.storm import MemberRow
from handlers.model.text import one_line
from handlers.runbook.markup import code_block, to_html
from handlers.runbook.templates import message

MOST_MEMBERS = 10_000
"""In a storm's event: five megabytes."""
MOST_ATTACHED = 20_000
"""Characters of an unreadable body that go into its ticket."""
MOST_OF_A_TAG = 256
TAGS = {"vm": "vm_tags", "resource_group": "group_tags", "vault": "vault_tags"}
"""Whose tags the event has, and from which fact."""
LAST_KNOWN = ("vm", "error", "findings", "owner", "tags", "changes_since_last_good", "changes_unread", "recovery")
"""What the event of an end still says, as it was last known."""


def event_of(document: Document, change: str, shown: Shown, now: datetime) -> dict[str, Any]:
    """The event that a version's document is posted as: `change` is `opened`, `updated`, `resolved` or `reopened`.

    Its Markdown is the ticket's text, its HTML the whole page, its note what an update says of it.
    """
    kind = "alert.unreadable" if document.kind == "alert" else f"{document.kind}.{change}"
    runbook = document.data["runbook"] | {"markdown": ticket_text(document.parts), "html": to_html(joined(document.parts))}
    ticket = {"id": shown.ticket_id or None, "url": shown.ticket_url or None}
    note = {"markdown": document.note} if document.note and change in ("updated", "reopened") else None
    return {
        "type": kind,
        "timestamp": time_of(now),
        "data": {**document.data, "note": note, "runbook": runbook, "ticket": ticket},
    }


def failure_document(
    incident: Incident, diagnosis: Diagnosis, runbook: Runbook, changes: tuple[Change, ...] = (),
    received_at: datetime | None = None, evidence: Mapping[str, Any] | None = None, owner: str | None = None, *,
    severity_from: str = "alert",
) -> Document:  # fmt: skip
    """What an incident's version says of its last failure. `severity_from`: the setting SEVERITY_FROM."""
    failure, error, recovery = diagnosis.failure, diagnosis.error, diagnosis.recovery
    alerted = failure.alert.severity or "Sev1"
    data = _shell(failure) | {
        "incident": _incident(incident),
        "title": runbook.title,
        "severity": recovery.severity(alerted) if severity_from == "risk" else alerted,
        "job": _job(failure.job, failure.alert),
        "error": _error(error, runbook.error_title),
        "recovery": recovery_data(recovery),
        "findings": [finding_data(finding, runbook) for finding in diagnosis.findings],
        "changes": [{"cause": c.cause, "before": c.before and c.before.value, "now": c.now.value} for c in changes],
        "changes_since_last_good": _changes(runbook),
        "changes_unread": _changes_unread(runbook),
        "owner": owner and one_line(owner, MOST_OF_A_TAG),
        "tags": {name: _tags(diagnosis, fact) for name, fact in TAGS.items()},
        "runbook": {"language": runbook.language},
    }
    machine = diagnosis.readings["vm"].value
    if isinstance(machine, VirtualMachine) and data["vm"]:
        data["vm"] |= {"location": machine.location, "os": machine.os.value if machine.os else None}
    cause = next((cause for cause, verdict in diagnosis.verdicts.items() if verdict is Verdict.CONFIRMED), "")
    return Document("incident", OPEN, data, runbook.parts, diagnosis.verdicts, cause, received_at, evidence)


def ended_document(
    incident: Incident, job: Job | None, title: str, note: str, language: str, last: Document | None = None,
    known: tuple[Error, str] | None = None,
) -> Document:  # fmt: skip
    """What an incident's version says of its end: `job` is the completed backup that proves it, `note` says so in Markdown.

    What was last known of the VM, the error and the findings stays (`last`, the document of the last failure); without one
    the error is that of the incident's code (`known`, with its title).
    """
    failure = Failure.of(incident.alert(), None, incident.last_failed_at)
    data = _shell(failure) | {"error": _error(*(known or (Error(incident.code), "")))}
    data |= {name: last.data[name] for name in LAST_KNOWN if last and name in last.data}
    data |= {
        "incident": _incident(incident),
        "title": title,
        "severity": (last and last.data.get("severity")) or incident.severity or "Sev1",
        "job": _job(job, failure.alert) if job else None,
        "runbook": {"language": language},
    }
    return Document("incident", RESOLVED, data, (Part(note),), incident.verdicts)


def storm_document(storm: Storm, members: Members, diagnosis: Diagnosis | None, runbook: Runbook) -> Document:
    """What a storm's version says. Its findings are those of one member, shown for all."""
    failed = [incident for incident in members.shown if incident.known]
    data = _shell(Failure(Alert("storm"), None, storm.opened_at)) | {
        "incident": {
            "id": storm.id,
            "status": storm.status,
            "failures": max(members.affected, 1),
            "first_failed_at": time_of(min((member.first_failed_at for member in failed), default=storm.opened_at)),
            "last_failed_at": time_of(max((member.last_failed_at for member in failed), default=storm.opened_at)),
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
            "id": storm.id,
            "url": None,
            "code": storm.code,
            "region": storm.region,
            "affected": max(members.affected, 1),
            "recovered": members.recovered,
            "shared": _shared(storm.shared) if storm.shared else None,
            "members": [_member(row) for row in members.rows[:MOST_MEMBERS]],
        },
        "runbook": {"language": runbook.language},
    }
    first_at = storm.opened_at if storm.delivery.version == 1 else None
    return Document("storm", storm.status, data, runbook.parts, cause=members.shared_cause, received_at=first_at)


def error_of_storm(storm: Storm, diagnosis: Diagnosis | None) -> Error:
    """The shared code; the message is one member's own and stays out."""
    return replace(diagnosis.error, message="", matched_by="none") if diagnosis else Error(storm.code)


def _shared(shared: SharedThing) -> dict[str, Any]:
    return {
        "kind": shared.kind,
        "value": shared.value,
        "failed_with": shared.failed_with,
        "failed": shared.failed,
        "healthy_with": shared.healthy_with,
        "healthy": shared.healthy,
        "p": shared.p,
        "changed_at": time_of(shared.changed_at),
        "also": [{"kind": kind, "value": value} for kind, value in shared.also],
    }


def _member(row: MemberRow) -> dict[str, Any]:
    return {
        "name": one_line(row.name),
        "vm_id": row.vm_id or None,
        "vault_id": row.vault_id or None,
        "incident": row.incident,
        "status": row.status,
        "code": row.code,
        "last_failed_at": time_of(row.last_failed_at),
        "last_good_at": time_of(row.last_good_at),
        "cause": row.cause or None,
        "verdict": row.verdict or None,
        "owner": one_line(row.owner) or None,
        "ticket_url": row.ticket_url or None,
    }


def in_plain_words(event: dict[str, Any], answer: str) -> dict[str, Any]:
    """The same change as an event that the target refused with `answer`, in a few plain words and nothing else."""
    data, language = event["data"], event["data"]["runbook"]["language"]
    code, item = (data["error"] or {}).get("code") or "–", data["protected_item"]["name"]
    words = message(language, "refused", code=code, item=item, answer=answer)
    runbook = {"language": language, "markdown": words, "html": to_html(words)}
    shortened: dict[str, Any] = {
        "findings": [],
        "changes_since_last_good": None,
        "changes_unread": [],
        "note": None,
        "runbook": runbook,
    }
    return event | {"data": data | shortened}


def plain_document(ticket: PlainTicket, bodies: Sequence[bytes], title: str, text: str, language: str) -> Document:
    """`alert.unreadable`: a ticket for a person, with the newest bodies attached as text."""
    blocks = [code_block(readable(body), "json", MOST_ATTACHED // max(1, len(bodies))) for body in bodies]
    data = _shell(Failure(Alert("unreadable"), None, ticket.first_at)) | {
        "incident": {
            "id": ticket.id, "status": "open", "failures": ticket.count, "first_failed_at": None, "last_failed_at": None, "url": None
        },
        "title": title,
        "severity": "Sev2",
        "runbook": {"language": language},
    }  # fmt: skip
    return Document("alert", OPEN, data, (Part("\n\n".join([text, *blocks]) + "\n"),), received_at=ticket.last_at)


def readable(body: bytes) -> str:
    """A body as text: JSON indented, anything else as it came."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()
    except (ValueError, RecursionError):
        return text


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
        "recovery": None,
        "findings": [],
        "changes": [],
        "changes_since_last_good": None,
        "changes_unread": [],
        "owner": None,
        "tags": dict.fromkeys(TAGS),
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


def _changes(runbook: Runbook) -> list[dict[str, Any]] | None:
    """None when nothing of it could be read."""
    if runbook.changes is None or (runbook.changes.unread and not runbook.told_changes):
        return None
    return [
        {
            "at": time_of(change.at),
            "who": change.who or None,
            "what": change.what,
            "resource_id": change.resource_id,
            "makes_likely": list(change.makes_likely),
        }
        for change in runbook.told_changes
    ]


def _changes_unread(runbook: Runbook) -> list[dict[str, str]]:
    unread = runbook.changes.unread if runbook.changes else ()
    return [{"fact": fact, "reason": why.why.value, "detail": why.detail} for fact, why in unread]


def _tags(diagnosis: Diagnosis, fact: str) -> dict[str, str] | None:
    """None when they could not be read, or were not."""
    value = diagnosis.readings[fact].value if fact in diagnosis.readings else None
    return {str(name): str(tag) for name, tag in value.items()} if isinstance(value, Mapping) else None


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
        operation = "Restore" if alert.operation == RESTORE else "Backup"
        return {"id": alert.job_id, "operation": operation, "started_at": None, "ended_at": None, "activity_id": None,
                "scheduled": None} if alert.job_id else None  # fmt: skip
    return {
        "id": job.id,
        "operation": job.operation,
        "started_at": time_of(job.started_at),
        "ended_at": time_of(job.ended_at),
        "activity_id": job.activity_id or None,
        "scheduled": job.scheduled,
    }


def recovery_data(recovery: Recovery) -> dict[str, Any]:
    return {
        "last_good_at": time_of(recovery.last_good_at),
        "last_clean_at": time_of(recovery.last_clean_at),
        "hours_since": recovery.hours_since,
        "interval_hours": recovery.interval_hours,
        "missed_runs": recovery.missed_runs,
        "next_run_at": time_of(recovery.next_run_at),
        "act": recovery.act.value,
        "until": time_of(recovery.until),
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
