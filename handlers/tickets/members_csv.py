"""A storm's members as a file for a spreadsheet. https://www.rfc-editor.org/rfc/rfc4180"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from handlers.model import ResourceId, time_text
from handlers.model.storm import MemberRow
from handlers.model.text import one_line

COLUMNS = ("vm", "resource_group", "subscription", "vault", "code", "cause", "verdict", "last_good_backup", "last_failure", "status",
           "owner", "ticket")  # fmt: skip
FORMULA = tuple("=+-@\t\r")
"""A cell that begins so is computed by a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection"""


def members_csv(rows: Iterable[MemberRow]) -> str:
    """All members, a line each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(map(_cell, _cells(row)))
    return text.getvalue()


def _cells(row: MemberRow) -> tuple[str, ...]:
    vm, vault = ResourceId.parse(row.vm_id), ResourceId.parse(row.vault_id)
    return (
        row.name, vm.group if vm else "", vm.subscription if vm else "", vault.name if vault else "", row.code, row.cause, row.verdict,
        time_text(row.last_good_at), time_text(row.last_failed_at), row.status, row.owner, row.ticket_url,
    )  # fmt: skip


def _cell(value: str) -> str:
    line = one_line(value)
    return f"'{line}" if line.startswith(FORMULA) else line
