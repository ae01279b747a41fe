"""`diagnose`: the runbook of one failed backup, as a ticket would have it, without a ticket."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from handlers.alerts.ids import item_name, item_of, vault_of, vm_guess, vm_of, workload
from handlers.cli.outcome import FAILURES, FINE, USAGE, NotDone, in_words, not_done, unread, unreadable
from handlers.cli.page import show_page
from handlers.cli.reading import Reading
from handlers.cli.screen import Screen
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.identify import identify
from handlers.diagnosis.owner import owner_of
from handlers.facts.backup import READ_GRAPH
from handlers.facts.queries import graph_query
from handlers.model import Alert, Diagnosis, Error, Failure, Reason, ResourceId, Runbook, Surroundings, Unknown
from handlers.model.delivery import Shown
from handlers.model.failure import VM_WORKLOAD
from handlers.model.incident import failed
from handlers.model.parts import joined
from handlers.model.words import UNREAD
from handlers.runbook.markup import to_html
from handlers.runbook.render import render
from handlers.tickets.event import event_of, failure_document

SOURCE = "terminal"


def run(options: Namespace, reading: Reading) -> int:
    alerts = alerts_of(options, reading)
    with reading.screen.waiting("Reading the failed job"):
        failure, error = newest_failure(alerts, reading)
    if (nothing := why_nothing(failure, options.job)) is not None:
        reading.screen.line(nothing)
        return FINE
    with reading.screen.waiting(f"Gathering facts about {failure.item_name}"):
        diagnosis = diagnose_failure(failure, error, reading.azure, reading.now)
    runbook = runbook_of(diagnosis, reading)
    put_out(shown_as(options.format, diagnosis, runbook, reading), options.format, options.output, reading.screen)
    for line in (*missing_rights(diagnosis), *other_unread(diagnosis)):
        reading.screen.remark(line)
    return FAILURES


def alerts_of(options: Namespace, reading: Reading) -> Sequence[Alert]:
    """What the arguments name, as alerts: of a VM one per vault that protects it. Raises NotDone."""
    if options.job:
        vault = named(options.vault, vault_of, "--vault", "/subscriptions/…/vaults/NAME")
        return (Alert(SOURCE, job_id=options.job, vault_id=vault, workload=VM_WORKLOAD),)
    if options.item:
        item = named(options.item, item_of, "--item", "/subscriptions/…/vaults/NAME/backupFabrics/…/protectedItems/NAME")
        return (of_item(item, ""),)
    vm = named(options.vm, vm_of, "--vm", "/subscriptions/…/virtualMachines/NAME")
    items = [item for item in items_of(vm, reading) if not options.vault or vault_of(item).lower() == options.vault.lower()]
    if not items:
        raise NotDone(f"No vault that you can read protects {vm}: name its job and vault, or its protected item.", USAGE)
    return [of_item(item, vm) for item in items]


def named(text: str, part_of: Callable[[str], str], option: str, form: str) -> str:
    """An id that is one. Raises NotDone."""
    given = text.strip().rstrip("/")
    if part_of(given).lower() != given.lower() or not given:
        raise NotDone(f"{option} {text!r} is not an id of the form {form}", USAGE)
    return given


def of_item(item: str, vm: str) -> Alert:
    vault = vault_of(item)
    vm = vm or vm_guess(vault, item)
    return Alert(SOURCE, item_id=item, item_name=item_name(item), vault_id=vault, vm_id=vm, workload=workload(item))


def items_of(vm: str, reading: Reading) -> list[str]:
    """The protected items of a VM in all vaults that can be read. Raises NotDone."""
    resource = ResourceId.parse(vm)
    assert resource is not None, "it was read as the id of a VM"
    try:
        rows = reading.azure.query_graph(graph_query("items_of_vm", vm=resource.key), [resource.subscription])
    except unreadable() as error:
        raise not_done("The protected items", resource.name, error, READ_GRAPH) from None
    return sorted(item for row in rows if (item := item_of(str(row.get("id") or ""))))


def newest_failure(alerts: Sequence[Alert], reading: Reading) -> tuple[Failure, Error]:
    """The failed job that is newest among what the alerts are about; the first alert's failure if there is none."""
    failures = [identify(alert, reading.azure, reading.now) for alert in alerts]
    with_job = [failure for failure in failures if failure[0].job]
    return max(with_job, key=lambda failure: failure[0].failed_at, default=failures[0])


def why_nothing(failure: Failure, job_id: str | None) -> str | None:
    """Why there is nothing to diagnose; None when there is. Raises NotDone when that could not be read."""
    where = f"{failure.item_name or job_id} in {failure.vault.name if failure.vault else 'its vault'}"
    job = failure.job
    if job is None and failure.job_unread:
        raise unread("The backup job", where, failure.job_unread)
    if job is None:
        return f"No backup of {where} has failed in the last 48 hours."
    is_failed = job.status.lower() == "failed"
    return None if is_failed else f"The backup job {job.id} of {where} has not failed: {job.status}."


def runbook_of(diagnosis: Diagnosis, reading: Reading) -> Runbook:
    settings = reading.settings
    about = Surroundings(owner_of(diagnosis.readings, settings.owner_tags), None, settings.show_actors)
    return render(diagnosis, reading.language, settings.arm_endpoint, None, about, settings.operator_shell)


def shown_as(form: str, diagnosis: Diagnosis, runbook: Runbook, reading: Reading) -> str:
    """The runbook in a form; the terminal's own is its Markdown, as a ticket has it."""
    match form:
        case "json":
            return json.dumps(event_as_json(diagnosis, runbook, reading), ensure_ascii=False, indent=2)
        case "html":
            head = f'<!doctype html><html lang="{runbook.language}"><meta charset="utf-8"><title>{escape(runbook.title)}</title>'
            return f"{head}\n{to_html(joined(runbook.parts))}"
        case "markdown":
            return joined(runbook.parts)
        case _:
            return runbook.markdown


def event_as_json(diagnosis: Diagnosis, runbook: Runbook, reading: Reading) -> dict[str, Any]:
    """The event that a webhook would be sent (docs/ticket-event.schema.json)."""
    incident = failed(None, diagnosis.failure, diagnosis.error.code, reading.now)
    assert incident is not None, "a new incident begins with its first failure"
    owner, severity_from = owner_of(diagnosis.readings, reading.settings.owner_tags), reading.settings.severity_from
    document = failure_document(incident, diagnosis, runbook, owner=owner, severity_from=severity_from)
    return event_of(document, "opened", Shown(), reading.now)


def put_out(text: str, form: str, file: Path | None, screen: Screen) -> None:
    """To the file, else to the screen. Raises OSError."""
    if file:
        file.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        screen.remark(f"Written to {file}")
    elif form == "terminal":
        show_page(text, screen)
    else:
        screen.write(text)


def missing_rights(diagnosis: Diagnosis) -> Iterator[str]:
    """Which right is missing where, a line each."""
    unread_facts = _unread(diagnosis)
    forbidden = {value.detail for value in unread_facts.values() if value.why is Reason.FORBIDDEN}
    subscription = diagnosis.failure.vault.subscription if diagnosis.failure.vault else "?"
    for right in sorted(forbidden):
        names = [name for name, value in unread_facts.items() if (value.why, value.detail) == (Reason.FORBIDDEN, right)]
        yield f"Missing right: {right} in subscription {subscription} (for {', '.join(names)})"


def other_unread(diagnosis: Diagnosis) -> Iterator[str]:
    """What else Azure was asked and did not tell, in one line."""
    others = [f"{name}: {in_words(value)}" for name, value in _unread(diagnosis).items() if value.why is not Reason.FORBIDDEN]
    if others:
        yield f"Not read: {'; '.join(others)}"


def _unread(diagnosis: Diagnosis) -> dict[str, Unknown]:
    values = {name: reading.value for name, reading in sorted(diagnosis.readings.items())}
    return {name: value for name, value in values.items() if isinstance(value, Unknown) and value.why in UNREAD}
