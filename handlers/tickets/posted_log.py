"""The log lines that alert rules and the workbook read; their parts are single words, whatever a ticket system names its tickets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.model import ResourceId
from handlers.model.document import Document
from handlers.model.refusal import RefusalKind
from handlers.tickets.answers import Posted

log = logging.getLogger(__name__)
LONGEST_URL = 500


def log_posted(event: Mapping[str, Any], posted: Posted, document: Document, now: datetime) -> None:
    """A change is posted: of which incident or storm, as which ticket, how many seconds after its alert came; and where the ticket is."""
    data = event["data"]
    vault_id = str(data["protected_item"]["vault_id"] or "")
    subscription = ResourceId.parse(vault_id)
    seconds = (now - document.received_at).total_seconds() if document.received_at else 0
    log.info(
        "posted type=%s incident=%s ticket=%s code=%s cause=%s vault=%s seconds=%.0f subscription=%s url=%s",
        event["type"], data["incident"]["id"], one_word(posted.id), one_word((data["error"] or {}).get("code") or ""),
        one_word(document.cause), one_word(vault_id.rpartition("/")[2]), seconds,
        one_word(subscription.subscription if subscription else ""), _address(posted.url),
    )  # fmt: skip


def log_waits(row_id: str, since: datetime | None, now: datetime) -> None:
    """A version cannot be posted yet: how long it has waited."""
    log.info("ticket waits incident=%s seconds=%.0f", row_id, (now - since).total_seconds() if since else 0)


def log_shortened(change_id: str, why: str) -> None:
    """The ticket system did not take the page of a change; its ticket has a few plain words instead."""
    log.error("alert set aside: change %s stands in plain words: %s", change_id, why)


def log_refused(change_id: str, kind: RefusalKind, why: str) -> None:
    """A change waits because its ticket refuses it, or because a field, right or option is wrong: `why` says which."""
    if kind is RefusalKind.CONFIGURATION:
        log.error("alert set aside: change %s waits until the configuration is put right: %s", change_id, why)
    else:
        log.warning("ticket refuses: change %s waits alone: %s", change_id, why)


def log_given_up(change_id: str, why: str) -> None:
    """A ticket has refused a change for a week; nobody tries it again."""
    log.error("alert set aside: change %s was refused for a week and is given up: %s", change_id, why)


def _address(url: str) -> str:
    """A ticket's https address as one word. One that is too long for a line is left out: half an address leads nowhere."""
    return one_word(url, LONGEST_URL) if url.startswith("https://") and len(url) <= LONGEST_URL else "-"


def one_word(text: str, limit: int = 100) -> str:
    """Text from outside as one word of a log line."""
    return "".join(char if char.isprintable() and not char.isspace() else "_" for char in text[:limit]) or "-"
