"""`make docs`: write docs/causes.md from the code, so that it cannot be out of step; a test compares."""

from __future__ import annotations

import importlib
from pathlib import Path

from handlers import catalogue
from handlers.facts import GIVEN, all_facts

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "causes.md"


def causes_page() -> str:
    """Codes with their causes, causes with their facts, facts with the permissions they need."""
    codes = [entry for entry in catalogue.entries().values() if entry.code != "unknown"]
    causes = sorted({cause for entry in catalogue.entries().values() for cause in entry.causes})
    return "\n".join([*_head(), *_codes(codes), *_causes(causes), *_facts(), ""])


def _head() -> list[str]:
    return ["# Error codes, causes, facts", "", "Written by `make docs` from `handlers/`; do not edit.", ""]


def _codes(codes: list[catalogue.Entry]) -> list[str]:
    lines = ["## Error codes", ""]
    for entry in codes:
        names = f" (also {', '.join(f'`{alias}`' for alias in entry.aliases)})" if entry.aliases else ""
        wrapper = " A wrapper: the error that its message names is taken instead." if entry.wrapper else ""
        lines += [f"### {entry.code}", "", f"{entry.title['en']}.{wrapper} [Microsoft]({entry.doc}){names}", ""]
        lines += [f"{number}. `{cause}`" for number, cause in enumerate(entry.causes, 1)] + [""]
    common = catalogue.entries()["unknown"].causes
    return [
        *lines,
        "### Any other code",
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


def _facts() -> list[str]:
    lines = ["## Facts", "", f"Carried by the failure itself: {', '.join(f'`{name}`' for name in GIVEN)}.", ""]
    lines += ["| fact | read from | permissions |", "|---|---|---|"]
    for name, fact in sorted(all_facts().items()):
        lines.append(f"| `{name}` | {fact.source} | {', '.join(f'`{need}`' for need in fact.needs)} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(causes_page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
