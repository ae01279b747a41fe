"""Render a diagnosis as a runbook: the whole page in parts, of which a ticket has some, and the same steps as data.

Templates are per language, command lines are shared by the languages. In a Markdown template `{{ value }}` prints a code span;
in a command template it prints one quoted word for that shell. See templates/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from types import MappingProxyType
from typing import Any

from handlers.diagnosis import catalogue
from handlers.model import Command, Diagnosis, Failure, Finding, History, Incident, Members, Runbook, Storm, Surroundings, Verdict
from handlers.model.parts import parts_of, ticket_text
from handlers.model.text import one_line
from handlers.runbook.blocks import BOTH
from handlers.runbook.changes import told
from handlers.runbook.markup import Markdown
from handlers.runbook.page import AZURE, NOTHING_KNOWN, Page, link_to
from handlers.runbook.templates import environment


def render(
    diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE, history: History | None = None,
    about: Surroundings = NOTHING_KNOWN, shell: str = BOTH,
) -> Runbook:  # fmt: skip
    """The runbook of a diagnosis in a language of `LANGUAGES`; `history` is what was before it in the same incident."""
    page = Page(diagnosis, language, arm_endpoint, history, about, shell)
    page.prepare()
    changes = page.context["changes"]
    shown = told(changes, language, show_actors=about.show_actors)
    return replace(_runbook(page, diagnosis, "runbook", "title"), changes=changes, told_changes=shown)


def render_storm(
    storm: Storm,
    members: Members,
    diagnosis: Diagnosis | None,
    language: str,
    arm_endpoint: str = AZURE,
    shell: str = BOTH,
    names_file: str = "",
) -> Runbook:
    """The page of a storm: what its members share, what to do, shown for one of them (`diagnosis`), and who they are.

    `names_file`: where all names are, when the page has not room for them.
    """
    if diagnosis is None:
        failure = Failure.of(members.shown[0].alert(), None, storm.opened_at)
        diagnosis = Diagnosis(failure, catalogue.error_of(storm.code), (), {})
    page = Page(diagnosis, language, arm_endpoint, shell=shell)
    page.context |= {"storm": storm, "members": members, "fix": fix_of(storm, diagnosis), "names_file": names_file}
    page.context |= {"item_link": page.item_link, "ticket_link": ticket_link, "thing_link": page.thing_link}
    return _runbook(page, diagnosis, "storm", "storm_title")


def commands_of(diagnosis: Diagnosis, action: str, arguments: Mapping[str, Any], language: str) -> tuple[Command, ...]:
    """An action of `commands.toml` with its look and its undo, as a page of this diagnosis would show it."""
    return tuple(Page(diagnosis, language).commands_of(action, arguments))


def _runbook(page: Page, diagnosis: Diagnosis, body: str, title: str) -> Runbook:
    templates = environment("md")
    parts = parts_of(templates.get_template(f"{page.language}/{body}.md.j2").render(page.context))
    return Runbook(
        language=page.language,
        title=one_line(templates.get_template(f"{page.language}/{title}.md.j2").render(page.context), 250),
        markdown=ticket_text(parts),
        titles=MappingProxyType(page.titles),
        steps=MappingProxyType(page.steps),
        parts=parts,
        error_title=catalogue.title_of(diagnosis.error, page.language),
    )


FIXES = {
    "lock": "restore_point_group_locked",
    "network_security_group": "no_outbound_access",
    "route_table": "no_outbound_access",
    "key_vault": "key_vault_permissions_missing",
    "encryption_set": "encryption_key_unreachable",
}
"""By kind of a shared thing the cause whose steps put it right."""


def fixed_by(storm: Storm) -> str:
    """The cause whose steps put right what all share; empty when no cause's do."""
    return FIXES.get(storm.shared.kind, "") if storm.shared else ""


def fix_of(storm: Storm, diagnosis: Diagnosis) -> Finding | None:
    """The finding whose steps put right what all share: confirmed, and about this very thing."""
    for finding in diagnosis.findings:
        if storm.shared and finding.cause == fixed_by(storm) and finding.verdict is Verdict.CONFIRMED:
            named = storm.shared.name.lower() in str([evidence.value for evidence in finding.evidence]).lower()
            return finding if named else None
    return None


def ticket_link(incident: Incident) -> Markdown:
    """The incident's own ticket; empty when it has none."""
    ticket = incident.delivery.ticket
    return link_to(ticket.ticket_id, ticket.ticket_url)
