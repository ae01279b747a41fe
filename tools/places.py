"""What the code says in files that are otherwise written by hand: names of languages, ticketing systems, verdicts, settings.

A place needs no mark of its own: it is what stands between two texts, each time that the first occurs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from handlers.diagnosis import catalogue
from handlers.model import Os
from handlers.runbook.templates import words_of
from handlers.settings import CHOICES, LANGUAGES, LARGEST_NUMBER, Settings
from handlers.tickets.engine.definition import bundled
from handlers.tickets.engine.target import OPERATION

ROOT = Path(__file__).parent.parent
SCHEMA, SETTINGS_PAGE = "docs/ticket-event.schema.json", "docs/settings.md"
TYPES, SETTINGS_BICEP = "infra/modules/types.bicep", "infra/modules/settings.bicep"
TICKETS_BICEP = "infra/modules/tickets.bicep"
BEHAVIOUR = ("type behaviour = {\n", "\n}\n")
DEFAULTS = ("    // written by `make docs`: what `behave` leaves out has the default of handlers/settings.py\n", "\n  }\n}\n")


@dataclass(frozen=True, slots=True)
class Place:
    """In `file`, between `before` and `after`, stands `text`."""

    file: str
    before: str
    after: str
    text: str

    def put_into(self, page: str) -> str:
        """The page with the text in this place. ValueError when the page has no such place."""
        first, *others = page.split(self.before)
        if not others or any(self.after not in other for other in others):
            raise ValueError(f"{self.file} has no text between {self.before!r} and {self.after!r}")
        return self.before.join([first, *(self.text + other[other.index(self.after) :] for other in others)])


def pages() -> dict[Path, str]:
    """The files that have such places, with their texts in them."""
    texts: dict[Path, str] = {}
    for place in places():
        path = ROOT / place.file
        texts[path] = place.put_into(texts.get(path) or path.read_text(encoding="utf-8"))
    return texts


def places() -> list[Place]:
    """What docs/settings.md says of a setting is the description of its parameter: so its languages come first."""
    names = " or ".join(f"`{name}`" for name in LANGUAGES)
    languages = Place(SETTINGS_PAGE, "| the language of runbooks and tickets: ", " |", names)
    systems = Place(TICKETS_BICEP, "type systemName = ", "\n", _union(bundled()))
    meanings = _meanings(languages.put_into((ROOT / SETTINGS_PAGE).read_text(encoding="utf-8")))
    return [_count(), languages, systems, *_of_the_schema(), *_of_the_settings(meanings)]


def _count() -> Place:
    entries = catalogue.entries().values()
    codes = [entry for entry in entries if entry.code != "unknown"]
    causes = {cause for entry in entries for cause in entry.causes}
    return Place("README.md", "## What it knows\n", ": [docs/codes.md]", f"{len(codes)} error codes and {len(causes)} causes")


# ------------------------------------------------------------------------------------------------ the ticket event


def _of_the_schema() -> list[Place]:
    words = {name: list(table) for name, table in words_of("en").items()}
    verdicts, systems = words["verdicts"], [os.value for os in Os]
    values: dict[str, Iterable[str | None]] = {
        "language": LANGUAGES, "os": [*systems, None], "verdict": verdicts, "before": [*verdicts, None], "now": verdicts,
        "shell": words["shells"], "run": words["run"], "effect": words["effects"],
        "transient": words["transient"], "matched_by": words["matched_by"],
    }  # fmt: skip
    types = Place(SCHEMA, '"type": {\n      "enum": [', "]", _json(sorted(OPERATION)))
    return [types, *(Place(SCHEMA, f'"{name}": {{ "enum": [', "] }", _json(allowed)) for name, allowed in values.items())]


def _json(values: Iterable[str | None]) -> str:
    return ", ".join(map(json.dumps, values))


# ------------------------------------------------------------------------------------------------ settings in Bicep


def _of_the_settings(meanings: dict[str, str]) -> list[Place]:
    """All settings that settings.bicep does not name by hand are members of the parameter `behave`."""
    by_hand = (ROOT / SETTINGS_BICEP).read_text(encoding="utf-8").partition(DEFAULTS[0])[0]
    names = [item.name for item in fields(Settings) if f"    {item.name.upper()}: " not in by_hand]
    members = "\n\n".join(_member(name, meanings[name.upper()]) for name in names)
    assigned = "\n".join(_assigned(name) for name in names)
    return [Place(TYPES, *BEHAVIOUR, members), Place(SETTINGS_BICEP, *DEFAULTS, assigned)]


def _meanings(page: str) -> dict[str, str]:
    """What docs/settings.md says of each setting, without its Markdown."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
    return {name: re.sub(r"\[(.*?)\]\(.*?\)", r"\1", text).replace("`", "") for name, text in rows}


def _member(name: str, meaning: str) -> str:
    default = _default(name)
    sentence = f"Optional. {meaning[0].upper()}{meaning[1:].rstrip('.')}. Default: {_shown(default) or 'empty'}."
    limits = f"  @minValue(1)\n  @maxValue({LARGEST_NUMBER})\n" if _is_number(default) else ""
    plain = "int" if limits else "bool" if isinstance(default, bool) else "string"
    kind = f"({_union(CHOICES[name.upper()])})" if name.upper() in CHOICES else plain
    return f"  @description({_quoted(sentence)})\n{limits}  {_camel(name)}: {kind}?"


def _assigned(name: str) -> str:
    default, given = _default(name), f"behave.?{_camel(name)}"
    value = f"{given} ?? {_quoted(default)}" if isinstance(default, str) else f"string({given} ?? {_shown(default)})"
    return f"    {name.upper()}: {value}"


def _default(name: str) -> str | int:
    """A list of words is one text with commas."""
    default = getattr(Settings, name)
    if isinstance(default, tuple) and default:
        return ",".join(default)
    if not isinstance(default, str | int):
        raise TypeError(f"{name.upper()}: a {type(default).__name__} is written into {SETTINGS_BICEP} by hand")
    return default


def _shown(default: str | int) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _is_number(default: str | int) -> bool:
    return isinstance(default, int) and not isinstance(default, bool)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _union(values: Iterable[str]) -> str:
    return " | ".join(map(_quoted, values))


def _quoted(text: str) -> str:
    """https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings"""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
