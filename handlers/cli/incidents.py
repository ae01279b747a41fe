"""`incidents`: what a deployment has on record, from its storage account (`AzureWebJobsStorage…`)."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterable, Mapping

from handlers.cli.outcome import FAILURES, FINE, USAGE, NotDone, not_done
from handlers.cli.page import show_page
from handlers.cli.screen import Screen
from handlers.model import Incident, Verdict
from handlers.model.delivery import OPEN
from handlers.model.parts import ticket_text
from handlers.records.documents import Documents
from handlers.records.incidents import Incidents
from handlers.records.storage import Storage, StorageDown

COLUMNS = ("id", "item", "status", "failures", "first failed (UTC)", "code", "cause", "ticket")
WIDE, WIDE_FROM = "first failed (UTC)", 110
"""A column for terminals of that width: a narrow one has no room for it beside code and cause."""
SHOWN_OF_ID = 8
"""Characters of an incident's id that are shown, and enough to name it by."""


def run(options: Namespace, environment: Mapping[str, str], screen: Screen) -> int:
    from azure.core.exceptions import AzureError

    storage = Storage(environment, creating=False)
    try:
        if options.id:
            return show_incident(options.id, storage, screen)
        with screen.waiting("Reading the incidents"):
            shown = listed(Incidents(storage), only_open=options.open)
    except StorageDown as error:
        raise NotDone(f"{error}: an app's incidents are in its storage account", USAGE) from None
    except AzureError as error:
        raise not_done("The table", "the storage account", error, "Storage Table Data Reader, Storage Blob Data Reader") from None
    show_list(shown, screen)
    return FAILURES if any(incident.status == OPEN for incident in shown) else FINE


def listed(incidents: Incidents, *, only_open: bool) -> list[Incident]:
    """The open ones, or all that are kept; the newest first. Those on a list of their own stand there a second time."""
    rows = (row for row in incidents.active() if row.status == OPEN) if only_open else incidents.between("0", "g")
    kept = {row.key: row for row in rows if re.fullmatch("[0-9a-f]{32}", row.key)}
    return sorted(kept.values(), key=lambda row: row.first_failed_at, reverse=True)


def show_list(incidents: Iterable[Incident], screen: Screen) -> None:
    rows = [_cells(incident) for incident in incidents]
    if not rows:
        screen.line("No incidents.")
        return
    columns = [name for name in COLUMNS if name != WIDE or screen.width >= WIDE_FROM]
    shown = [[cell for name, cell in zip(COLUMNS, row, strict=True) if name in columns] for row in rows]
    screen.table(columns, shown, right=("failures",), whole=("id", "status", "failures", WIDE))
    screen.line()
    screen.line(f"{len(rows)} incident{'s' if len(rows) > 1 else ''}.", "bold")


def _cells(incident: Incident) -> tuple[str, ...]:
    cause = next((cause for cause, verdict in incident.verdicts.items() if verdict is Verdict.CONFIRMED), "")
    ticket = incident.delivery.ticket.ticket_id or ("of its storm" if incident.storm else "")
    when = incident.first_failed_at.strftime("%Y-%m-%d %H:%M")
    return (
        incident.id[:SHOWN_OF_ID],
        incident.item_name,
        incident.status,
        str(incident.failures),
        when,
        incident.code,
        cause,
        ticket,
    )


def show_incident(incident_id: str, storage: Storage, screen: Screen) -> int:
    """What the newest version of an incident says. Raises NotDone."""
    incident = by_id(incident_id, storage)
    document = Documents(storage).newest(incident.id, incident.delivery.version)
    show_list([incident], screen)
    if document:
        screen.line()
        show_page(ticket_text(document.parts), screen)
    return FAILURES if incident.status == OPEN else FINE


def by_id(incident_id: str, storage: Storage) -> Incident:
    """The incident whose id begins so. Raises NotDone."""
    rows = (
        row for row in Incidents(storage).between("0", "g") if len(incident_id) >= SHOWN_OF_ID and row.id.startswith(incident_id)
    )
    incident = next(rows, None)
    if incident is None:
        raise NotDone(f"There is no incident {incident_id!r}: `incidents` lists them", USAGE)
    return incident
