"""The log line that alert rules and the workbook read; its parts are single words, whatever a ticket system names its tickets."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


def log_posted(
    kind: str, incident: str, ticket: str, code: str = "", cause: str = "", vault: str = "", seconds: float = 0
) -> None:
    """A change is posted: of which incident or storm, as which ticket, how many seconds after its alert came."""
    log.info(
        "posted type=%s incident=%s ticket=%s code=%s cause=%s vault=%s seconds=%.0f",
        kind, incident, one_word(ticket), one_word(code), one_word(cause), one_word(vault), seconds,
    )  # fmt: skip


def one_word(text: str) -> str:
    """Text from outside as one word of a log line."""
    return "".join(char if char.isprintable() and not char.isspace() else "_" for char in text[:100]) or "-"
