"""Story: an alert body, from parsing to tickets: one per incident, however often and from wherever its failure is told."""

from __future__ import annotations

import json
import logging

from handlers import alerts, backup_recovered, canary, last_resort, many_failed
from handlers.alert_received import watched
from handlers.facts import Look
from handlers.facts.vaults import region_of
from handlers.model import Alert, Ignored, Unreadable, subscription_of
from handlers.records.alert_queue import Message
from handlers.tell import failure_of, look, look_again_later, tell
from handlers.wiring import Tools

log = logging.getLogger(__name__)


def handle(message: Message, tools: Tools) -> None:
    """Every alert in a queue message becomes a ticket, or is logged as ignored with its reason."""
    try:
        body: object = json.loads(message.content)
    except (ValueError, RecursionError):
        body = message.content.decode("utf-8", "replace")
    for alert in alerts.read(body):
        match watched(alert, tools.settings):
            case Ignored(reason):
                log.info("alert ignored: %s", reason)
            case Unreadable(unread):
                last_resort.post_plain(unread, "unreadable", message, tools)
            case Alert(source="canary") as own:
                canary.arrive(own, message, tools)
            case Alert(fired=False) as resolved:
                backup_recovered.handle(resolved, message, tools)
            case Alert() as fired:
                open_ticket(fired, message, tools)


def open_ticket(alert: Alert, message: Message, tools: Tools) -> None:
    """Find the job and classify the error, claim the incident, look at the VM, tell it; in a storm its ticket tells."""
    rush = tools.rush.another(subscription_of(alert.vault_id or alert.item_id or alert.vm_id))
    if not rush:
        tools.tickets.check_open()
    failure, error = failure_of(alert, tools, rush=rush)
    region = region_of(failure, tools.azure)
    storm = tools.storms.known(region, error.code)
    begun = tools.incidents.begin(failure, error.code, message.id, tools.now(), region=region, storm=storm.id if storm else "")
    if begun is None:
        return
    if begun.incident.storm or many_failed.takes_in(begun, tools):
        many_failed.look_at_first_ones(begun.incident, failure, error, message, tools)
        many_failed.look_if_due(storm, tools)
        return
    if rush:
        tools.tickets.check_open()
        tools.storms.is_first(begun.incident, tools.now())  # it is looked at, and counts as one of the first
    diagnosis = look(failure, error, tools, Look.FIRST if rush else Look.ALONE)
    tell(begun, diagnosis, message, tools)
    look_again_later(begun.incident, diagnosis, 0, tools)
