"""The templates and words of `templates/`, each read and compiled once per process."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined, Template
from msgspec import Struct

from handlers.model import Os, Unknown, time_text
from handlers.model.text import one_line
from handlers.runbook.markup import NEXT_BLOCK, Markdown, as_markdown, code_block, comment, jmespath, powershell, sh

TEMPLATES = Path(__file__).parents[2] / "templates"
COMPILED = TEMPLATES / "compiled"
"""Filled by `make package`; with it no template is compiled at run time."""
SHELLS = {"sh": "bash", "ps1": "powershell"}


class Action(Struct, frozen=True):
    """One table of commands.toml. `run`: `operator` or `guest`; `effect`: `reads`, `changes`, `deletes` or `downtime`."""

    run: str
    effect: str
    look: str = ""
    undo: str = ""
    suffixes: tuple[str, ...] = ()

    def fits(self, suffix: str, os: Os | None) -> bool:
        """Operator commands are for both shells; guest commands for the guest's own (both when its system is unknown)."""
        return self.run == "operator" or os is None or (suffix == "sh") == (os is Os.LINUX)


@cache
def actions() -> dict[str, Action]:
    folder = TEMPLATES / "commands"
    tables = tomllib.loads((folder / "commands.toml").read_text(encoding="utf-8"))
    return {
        name: Action(**table, suffixes=tuple(s for s in SHELLS if (folder / f"{name}.{s}.j2").is_file()))
        for name, table in tables.items()
    }


@cache
def words_of(language: str) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = tomllib.loads((TEMPLATES / language / "words.toml").read_text(encoding="utf-8"))
    return words


@cache
def environment(markup: str) -> Environment:
    """One Jinja environment per mark-up: they differ in how `{{ value }}` is made safe."""
    loaders: list[BaseLoader] = [ModuleLoader(COMPILED)] if COMPILED.is_dir() else []
    made = Environment(
        loader=ChoiceLoader([*loaders, FileSystemLoader(TEMPLATES)]),
        undefined=StrictUndefined,
        finalize={"md": as_markdown, "sh": sh, "ps1": powershell}[markup],
        autoescape=False,  # noqa: S701 - not HTML: finalize escapes for the mark-up at hand
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.filters |= {
        "when": when,
        "block": code_block,
        "line": lambda value: Markdown(one_line(value)),
        "comment": comment,
        "iso": lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "utc": time_text,
        "jmespath": jmespath,
        "subscription_of": subscription_of,
        "group_of": group_of,
        "name_of": name_of,
    }
    made.globals["next_block"] = NEXT_BLOCK
    return made


def reason_of(why: Unknown, language: str) -> Markdown:
    """Why something could not be read, as a sentence."""
    detail = f" ({as_markdown(why.detail)})" if why.detail else ""
    return Markdown(words_of(language)["reasons"][why.why.value] + detail)


def message(language: str, name: str, **values: Any) -> str:
    """A short text outside a runbook: of an unreadable alert, of a recovery."""
    return words_of(language)["messages"][name].format(**values)


def compile_templates(folder: Path) -> None:
    """Compile every template into a folder; the package has them in `templates/compiled`."""
    environment("md").compile_templates(folder, extensions=["j2"], zip=None)


def cause_template(language: str, cause_id: str) -> Template:
    return environment("md").get_template(f"{language}/causes/{cause_id}.md.j2")


@cache
def cause_title(language: str, cause_id: str) -> str:
    return " ".join(block(cause_template(language, cause_id), "title", {}).split())


def block(template: Template, name: str, context: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(context))))


def subscription_of(resource_id: str, otherwise: str = "<subscription>") -> str:
    """The subscription that an id names, of whatever scope; `otherwise` when it names none."""
    return _part(resource_id, r"/subscriptions/([^/]+)", otherwise)


def group_of(resource_id: str, otherwise: str = "<resource group>") -> str:
    return _part(resource_id, r"/subscriptions/[^/]+/resourceGroups/([^/]+)", otherwise)


def name_of(resource_id: str, otherwise: str = "<name>") -> str:
    """The last part of an id or of a URL."""
    return _part(resource_id, r".*/([^/]+)$", otherwise)


def _part(resource_id: str, pattern: str, otherwise: str) -> str:
    match = re.match(pattern, resource_id, re.IGNORECASE)
    return match[1] if match else otherwise


def when(time: datetime | None) -> Markdown:
    return Markdown(time_text(time) or "–")
