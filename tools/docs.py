"""`make docs`: write what docs/ and infra/ say of codes, causes, facts, ticketing systems, languages and settings; a test compares."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handlers.diagnosis import catalogue, changes
from handlers.facts import GIVEN, all_facts
from handlers.facts.bulk.reads import NEEDS as READ_IN_BULK
from handlers.facts.jobs import READ_JOBS, READ_POINTS
from handlers.facts.logs import QUERY
from handlers.facts.muted import READ_RULES
from handlers.facts.vaults import READ_VAULTS
from handlers.tickets.engine.definition import Definition, Option, bundled, load
from tools import places

ROOT = Path(__file__).parent.parent
EVENT_FOR_AGENTS = ROOT / "handlers" / "agents" / "ticket-event.schema.json"
CAUSES, CODES, ROLE = ROOT / "docs" / "causes.md", ROOT / "docs" / "codes.md", ROOT / "infra" / "reader-actions.json"


def written() -> dict[Path, str]:
    """Every file that is written from the code, wholly or in part."""
    placed = places.pages()
    event = {EVENT_FOR_AGENTS: event_for_agents(placed[ROOT / places.SCHEMA])}
    return {CAUSES: causes_page(), CODES: codes_page(), ROLE: role()} | ticket_pages() | placed | event


def event_for_agents(schema: str) -> str:
    """The schema of the ticket event as the package has it: without the words for people, which each listing of the tools would repeat."""
    event = json.loads(schema)
    return json.dumps(_without_words(event), separators=(",", ":")) + "\n"


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_words(part) for key, part in schema.items() if key != "description" or isinstance(part, dict)}


def role() -> str:
    """The rights on watched subscriptions. Those to query the workspace come with a role of Azure's own, given there."""
    of_facts = {action for fact in all_facts().values() for action in fact.needs}
    return (
        json.dumps(sorted((of_facts | {READ_JOBS, READ_POINTS, READ_RULES, READ_VAULTS, *READ_IN_BULK}) - {QUERY}), indent=2)
        + "\n"
    )


# ------------------------------------------------------------------------------------------------ codes, causes, facts


def codes_page() -> str:
    """Every code in a row: to be searched in a browser or an editor."""
    codes = sorted(
        (entry for entry in catalogue.entries().values() if entry.code != "unknown"), key=lambda entry: entry.code.lower()
    )
    return "\n".join([
        "# Error codes", "",
        "Written by `make docs` from `handlers/diagnosis/error_codes.toml`; do not edit.", "",
        f"{len(codes)} codes of Azure VM backup, and of databases in a VM where the VM is concerned. Operation: what fails with the code",
        "unless the job says otherwise; its ticket names it. A code without causes gets a ticket with what is known, Azure's message,",
        "what the job recommends and the article; [causes.md](causes.md) has the causes.", "",
        "| code | title | operation | clears by itself | causes | article |", "|---|---|---|---|---|---|",
        *map(_code_row, codes), "",
    ])  # fmt: skip


def _code_row(entry: catalogue.Entry) -> str:
    names = "<br>".join(f"`{name}`" for name in (entry.code, *entry.aliases, *map(str, entry.numbers)))
    kind = f"{entry.operation}{', of a database' if entry.workload else ''}{', a wrapper' if entry.wrapper else ''}"
    causes = ", ".join(f"`{cause}`" for cause in entry.causes) or "–"
    return f"| {names} | **{entry.title['en']}.** {entry.means['en']} | {kind} | {entry.transient} | {causes} | [Microsoft]({entry.doc}) |"


def causes_page() -> str:
    """Causes with their facts, facts with the permissions they need."""
    causes = sorted({cause for entry in catalogue.entries().values() for cause in entry.causes})
    return "\n".join([*_head(), *_common_causes(), *_causes(causes), *_verdicts(causes), *_changes(), *_facts(), ""])


def _head() -> list[str]:
    return [
        "# Causes, facts",
        "",
        "Every cause that the app checks, the evidence that decides its verdict, and the facts that it reads in Azure for it.",
        "For the error codes and their causes see [codes.md](codes.md).",
        "",
        "Written by `make docs` from `handlers/`; do not edit.",
        "",
    ]


def _common_causes() -> list[str]:
    common = catalogue.entry("unknown").causes
    return [
        "## A code outside the catalogue",
        "",
        "The common causes:",
        "",
        *(f"{n}. `{cause}`" for n, cause in enumerate(common, 1)),
        "",
    ]


def _causes(causes: list[str]) -> list[str]:
    lines = ["## Causes", "", "| cause | what it means | applies to | facts |", "|---|---|---|---|"]
    for cause_id in causes:
        cause = catalogue.cause(cause_id)
        module = importlib.import_module(f"handlers.causes.{cause_id}")
        sentence = (module.__doc__ or "").strip().split("\n")[0]
        facts = ", ".join(f"`{fact}`" for fact in cause.facts)
        lines.append(f"| `{cause_id}` | {sentence} | {cause.os.value if cause.os else 'both'} | {facts} |")
    return [*lines, ""]


def _verdicts(causes: list[str]) -> list[str]:
    """The decision tables of the checks, in the sentences that stand in their own lines."""
    lines = [
        "## Verdicts", "",
        "The first line of a check that holds gives the verdict; what speaks for now speaks for the failed job only under the",
        "conditions in `handlers/model/window.py`. What Azure's own code or words state is never ruled out.", "",
        "| cause | confirmed | possible | ruled out | what it cannot see |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for cause_id in causes:
        said = decision_lines(cause_id)
        cells = ["<br>".join(_cell(text) for kind, text in said if kind == wanted) for wanted in VERDICTS]
        lines.append(f"| `{cause_id}` | {' | '.join(cells)} |")
    return [*lines, ""]


VERDICTS = ("confirmed", "possible", "ruled_out", "unknown")


def decision_lines(cause_id: str) -> list[tuple[str, str]]:
    """The lines of a check's table, top-down: `confirmed`, `possible`, `ruled_out` or `unknown`, and its sentence."""
    module = importlib.import_module(f"handlers.causes.{cause_id}")
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module.check))):
        match node:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(text)), *_]) if kind in VERDICTS:
                found.append((node.lineno, kind, text))
    return [(kind, text) for _, kind, text in sorted(found)]


def _changes() -> list[str]:
    """What makes what likely: the tables of handlers/diagnosis/changes.py."""
    lines = [
        "## Changes", "",
        "What was changed between the last good backup and the failure is listed on the ticket, with what it makes likely, the",
        "strongest first. It changes no verdict.", "",
        "| change | makes likely |", "|---|---|",
    ]  # fmt: skip
    for rule in changes.RECORDS:
        kind = f"`{rule.type}`" + (f" with `{_cell(rule.pattern)}`" if rule.pattern else "")
        lines += [f"| {kind} | {_likely(rule.causes)} |"] if rule.causes or not rule.otherwise else []
        lines += [f"| {kind} made or deleted | {_likely(rule.otherwise)} |"] if rule.otherwise else []
    lines += [f"| `{operation}` in the activity log | {_likely(causes)} |" for operation, (_, causes) in changes.ACTIONS.items()]
    return [*lines, ""]


def _likely(causes: Mapping[str, int]) -> str:
    return ", ".join(f"`{cause}`" for cause in sorted(causes, key=lambda cause: -causes[cause])) or "–"


def _facts() -> list[str]:
    lines = ["## Facts", "", f"Carried by the failure itself: {', '.join(f'`{name}`' for name in GIVEN)}.", ""]
    lines += ["| fact | read from | permissions |", "|---|---|---|"]
    for name, fact in sorted(all_facts().items()):
        lines.append(f"| `{name}` | {fact.source} | {', '.join(f'`{need}`' for need in fact.needs)} |")
    return lines


# ------------------------------------------------------------------------------------------------ ticketing systems

TICKETS = ROOT / "docs" / "tickets"
BEGIN, END = "<!-- written by make docs -->", "<!-- /written by make docs -->"


def ticket_pages() -> dict[Path, str]:
    """The pages of docs/tickets/ with what is written from the systems' files in place; the rest is by hand."""
    pages = {TICKETS / "README.md": _list_of_systems()} | {TICKETS / f"{name}.md": _frame(load(name)) for name in bundled()}
    return {path: _placed(path.read_text(encoding="utf-8"), written) for path, written in pages.items()}


def _list_of_systems() -> str:
    lines = ["| `TICKET_TARGET` | system | required options |", "|---|---|---|"]
    for name in bundled():
        system = load(name)
        required = ", ".join(f"`{option}`" for option, about in system.options.items() if about.required)
        lines.append(f"| [`{name}`]({name}.md) | {system.name} | {required} |")
    return "\n".join(lines)


def _frame(system: Definition) -> str:
    needs = [word for needed, word in ((system.needs_user, "TICKET_USER"), (system.needs_secret, "TICKET_SECRET")) if needed]
    text = system.text
    kind = {"none": "the event itself", "adf": "Atlassian Document Format", "card": "an Adaptive Card"}.get(
        text.markup, text.markup
    )
    unit = "bytes" if text.markup in ("adf", "card") else "characters"
    lines = [
        f"[{system.name}'s documentation]({system.docs}). Needs: {', '.join(f'`{word}`' for word in ('TICKET_URL', *needs))}."
    ]
    if text.markup != "none":
        lines[0] += f" Texts: {kind}, at most {text.most:,} {unit}; titles {text.title}."
    if system.options:
        lines += ["", "| in `TICKET_OPTIONS` | | default |", "|---|---|---|"]
        lines += [f"| `{name}` | {_cell(option.about)} | {_default(option)} |" for name, option in system.options.items()]
    return "\n".join(lines)


def _default(option: Option) -> str:
    return (
        "required"
        if option.required
        else ""
        if option.default is None
        else f"`{_cell(json.dumps(option.default, ensure_ascii=False))}`"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _placed(page: str, written: str) -> str:
    """The page with the written part between its marks; below its heading when it has none yet."""
    block = f"{BEGIN}\n{written}\n{END}"
    if BEGIN in page:
        return page[: page.index(BEGIN)] + block + page[page.index(END) + len(END) :]
    heading, _, rest = page.partition("\n")
    return f"{heading}\n\n{block}\n{rest}"


if __name__ == "__main__":
    for path, page in written().items():
        if page != path.read_text(encoding="utf-8"):
            path.write_text(page, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
