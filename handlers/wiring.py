"""The only place that picks concrete clients, stores and the ticket target. Everything is made when it is first needed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from handlers.settings import Settings

if TYPE_CHECKING:
    from handlers.azure.arm import Azure
    from handlers.records.alert_queue import AlertQueue
    from handlers.records.documents import Documents
    from handlers.records.incidents import Incidents
    from handlers.records.plain_tickets import PlainTickets
    from handlers.records.reminders import DueRow, Waiting
    from handlers.records.rows import Rows
    from handlers.records.storage import Storage
    from handlers.records.storms import Storms
    from handlers.records.vault_marks import VaultMarks
    from handlers.tickets.engine.definition import Definition
    from handlers.tickets.maintenance import Maintenance
    from handlers.tickets.posting import Tickets, TicketsByName
    from handlers.tickets.routes import Routes


class Tools(Struct, frozen=True):
    """What a story works with. Tests pass their own."""

    settings: Settings
    azure: Azure
    tickets: Tickets
    queue: AlertQueue
    incidents: Incidents
    documents: Documents
    marks: VaultMarks
    storms: Storms
    plain_tickets: PlainTickets
    waiting: Waiting
    now: Callable[[], datetime]
    routes: Routes | None = None
    """None: everything goes to `tickets`."""
    others: TicketsByName | None = None
    """The targets of the routes."""
    maintenance: Maintenance | None = None
    """None: something is posted at any time."""

    def tickets_at(self, target: str) -> Tickets:
        """The ticketing system of a target's name."""
        from handlers.model.delivery import DEFAULT_TARGET

        return self.tickets if target == DEFAULT_TARGET or not self.others else self.others[target]

    def rows_of(self, row: DueRow | str) -> Rows[Any]:
        """Where a row is kept, or the rows of a partition: `incident`, `storm` or `plain`."""
        kinds = (self.incidents, self.storms, self.plain_tickets)
        return next(rows for rows in kinds if row == rows.partition or isinstance(row, rows.kind))


@cache
def settings() -> Settings:
    """Raises SettingsError or DefinitionError: the app does not start then."""
    return settings_in(os.environ)


def settings_in(environment: Mapping[str, str]) -> Settings:
    """Settings that the app would start with. Raises SettingsError or DefinitionError."""
    chosen = Settings.from_environment(environment)
    check_target(chosen)
    routes_of(chosen, environment)
    maintenance_of(chosen)
    return chosen


def check_target(chosen: Settings) -> None:
    """Raises DefinitionError."""
    system = definition(chosen)
    system.options_of(chosen.ticket_options)
    system.check_credentials(chosen.ticket_user, chosen.ticket_secret)
    if '"=' in json.dumps(chosen.ticket_options):  # an expression: what reads them is not imported for nothing
        from handlers.tickets.engine.option_expressions import check_expressions

        check_expressions(system, chosen.ticket_options)


def routes_of(chosen: Settings, environment: Mapping[str, str]) -> Routes | None:
    """The rules of TICKET_ROUTES, whose targets can be used; None without rules. Raises SettingsError or DefinitionError."""
    if not chosen.ticket_routes:
        return None
    from handlers.tickets.engine.definition import DefinitionError
    from handlers.tickets.routes import read_routes

    routes = read_routes(chosen, environment)
    for name, target in routes.targets.items():
        try:
            check_target(target)
        except DefinitionError as error:
            raise DefinitionError(f"TICKET_ROUTES: target {name}: {error}") from None
    return routes


def maintenance_of(chosen: Settings) -> Maintenance | None:
    """When nothing is posted; None when there is no such time. Raises SettingsError."""
    if not chosen.maintenance and not chosen.maintenance_tag:
        return None
    from handlers.tickets.maintenance import read_maintenance

    return read_maintenance(chosen)


def definition(chosen: Settings) -> Definition:
    """The ticketing system's file."""
    from handlers.tickets.engine.definition import load

    return load(chosen.ticket_target, chosen.ticket_target_file)


@cache
def storage() -> Storage:
    from handlers.records.storage import Storage

    return Storage()


@cache
def queue() -> AlertQueue:
    from handlers.records.alert_queue import AlertQueue

    return AlertQueue(storage())


@cache
def tools() -> Tools:
    """The real ones, once per process."""
    from handlers.azure.arm import Azure
    from handlers.model.delivery import LEASE
    from handlers.records.documents import Documents
    from handlers.records.incidents import Incidents
    from handlers.records.plain_tickets import PlainTickets
    from handlers.records.reminders import Waiting
    from handlers.records.storms import Storms
    from handlers.records.vault_marks import VaultMarks
    from handlers.tickets.engine.session import ticket_session
    from handlers.tickets.engine.target import Target
    from handlers.tickets.gate import Gate
    from handlers.tickets.posting import Tickets, TicketsByName

    def now() -> datetime:
        return datetime.now(UTC)

    chosen = settings()
    azure, routes = Azure(chosen), routes_of(chosen, os.environ)

    def tickets_of(target: Settings, name: str = "") -> Tickets:
        system = definition(target)
        client = Target(system, target, ticket_session(), now, azure.token)
        lease = max(LEASE, timedelta(seconds=system.lease_seconds))
        return Tickets(client, Gate(monotonic, system.lease_seconds), now, lease, name)

    return Tools(
        settings=chosen,
        azure=azure,
        tickets=tickets_of(chosen),
        queue=queue(),
        incidents=Incidents(storage()),
        documents=Documents(storage()),
        marks=VaultMarks(storage()),
        storms=Storms(storage(), chosen.storm_threshold, chosen.storm_window_minutes),
        plain_tickets=PlainTickets(storage()),
        waiting=Waiting(),
        now=now,
        routes=routes,
        maintenance=maintenance_of(chosen),
        others=TicketsByName({name: partial(tickets_of, target, name) for name, target in routes.targets.items()})
        if routes
        else None,
    )
