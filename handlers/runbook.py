"""Render a diagnosis as a runbook: one page of Markdown, its HTML, and the same steps as data.

Templates are per language, command lines are shared by the languages. In a Markdown template `{{ value }}` prints a code span;
in a command template it prints one quoted word for that shell. See templates/README.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined, Template

from handlers import catalogue
from handlers.markup import Markdown, as_markdown, code_block, comment, one_line, powershell, sh, to_html, url_path
from handlers.model import Command, Diagnosis, Finding, History, Os, ResourceId, Runbook, Step, Unknown, Verdict, time_text

TEMPLATES = Path(__file__).parent.parent / "templates"
AZURE = "https://management.azure.com"
COMPILED = TEMPLATES / "compiled"
"""Filled by `make package`; with it no template is compiled at run time."""
SHELLS = {"sh": "bash", "ps1": "powershell"}
PORTALS = {
    "management.usgovcloudapi.net": "https://portal.azure.us",
    "management.chinacloudapi.cn": "https://portal.azure.cn",
}


def render(diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE, history: History | None = None) -> Runbook:
    """The runbook of a diagnosis in a language of `LANGUAGES`; `history` is what was before it in the same incident."""
    page, markdown = _rendered(diagnosis, language, arm_endpoint, history)
    return Runbook(
        language=language,
        title=one_line(_environment("md").get_template(f"{language}/title.md.j2").render(page.context), 250),
        markdown=markdown,
        html=to_html(markdown),
        titles=MappingProxyType(page.titles),
        steps=MappingProxyType(page.steps),
        error_title=catalogue.title_of(diagnosis.error, language),
    )


def to_markdown(diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE) -> str:
    """The runbook's Markdown alone."""
    return _rendered(diagnosis, language, arm_endpoint, None)[1]


def _rendered(diagnosis: Diagnosis, language: str, arm_endpoint: str, history: History | None) -> tuple[_Page, str]:
    page = _Page(diagnosis, language, arm_endpoint, history)
    template = _environment("md").get_template(f"{language}/runbook.md.j2")
    return page, _tidy(template.render(page.context))


def message(language: str, name: str, **values: Any) -> str:
    """A short text outside a runbook: of an unreadable alert, of a recovery."""
    return _words(language)["messages"][name].format(**values)


class _Page:
    """One rendering: what the templates see, and the steps that they record on the way."""

    def __init__(self, diagnosis: Diagnosis, language: str, arm_endpoint: str, history: History | None = None) -> None:
        self.language, self.os = language, diagnosis.os
        self.words = _words(language)
        self.steps: dict[str, tuple[Step, ...]] = {}
        self.titles = {finding.cause: _title(language, finding.cause) for finding in diagnosis.findings}
        self._recorded: list[Step] = []
        self._commands: list[Command] = []
        self._blocks: list[str] = []
        self._portal = PORTALS.get(arm_endpoint.partition("://")[2].rstrip("/"), "https://portal.azure.com")
        self.context = self._context(diagnosis) | {
            "history": history,
            "cause_title": lambda cause: Markdown(_title(language, cause)),
        }

    def _context(self, diagnosis: Diagnosis) -> dict[str, Any]:
        failure, error = diagnosis.failure, diagnosis.error
        facts = _Facts({name: reading.value for name, reading in diagnosis.readings.items()})
        names = _names(diagnosis)
        return {
            **names,
            "failure": failure, "alert": failure.alert, "job": failure.job, "error": error, "facts": facts,
            "error_title": Markdown(catalogue.title_of(error, self.language)),
            "doc": Markdown(_doc(error.code, error.in_catalogue)),
            "findings": diagnosis.findings,
            "by_verdict": {v.value: [f for f in diagnosis.findings if f.verdict is v] for v in Verdict},
            "os": diagnosis.os.value if diagnosis.os else "", "windows": diagnosis.os is not Os.LINUX, "linux": diagnosis.os is not Os.WINDOWS,
            "distribution": facts.vm.distribution if facts.vm else "",
            "title_of": lambda finding: Markdown(self.titles[finding.cause]),
            "why_of": self._why, "evidence_of": self._evidence, "steps_of": self._steps_of,
            "reason": self._reason, "step": self._step, "run": self._run, "actions": self._actions_shown, "word": self._word, "portal": self._portal_link,
        }  # fmt: skip

    # ------------------------------------------------------------------ what a template may call

    def _steps_of(self, finding: Finding) -> Markdown:
        """The steps of a cause as a numbered list; recorded for the ticket event on the way."""
        self._recorded, self._blocks = [], []
        _block(self._cause(finding.cause), "steps", self.context)
        self.steps[finding.cause] = tuple(self._recorded)
        return Markdown("\n\n".join(self._blocks))

    def _step(self, caller: Callable[[], str]) -> Markdown:
        """`{% call step() %}text {{ run("action") }}{% endcall %}`: one numbered step."""
        self._commands = []
        text, shown = " ".join(caller().split()), [_shown(command, self.words) for command in self._commands]
        self._recorded.append(Step(text, tuple(self._commands)))
        number = f"{len(self._recorded)}. "
        body = "\n\n".join([text, *shown])
        indented = body.replace("\n", "\n" + " " * len(number))
        self._blocks.append(number + "\n".join(line.rstrip() for line in indented.split("\n")))
        return Markdown("")

    def _run(self, action: str, **arguments: Any) -> Markdown:
        """The command lines of an action; before one that changes something its look, after it its undo, if it has them."""
        about = _actions()[action]
        for role, name in (("look", about.look), ("act", action), ("undo", about.undo)):
            if name:
                self._commands += self._lines_of(name, arguments, role)
        return Markdown("")

    def _actions_shown(self, *names: str) -> Markdown:
        """Actions outside a step, such as how to verify the fix."""
        shown = [_shown(command, self.words) for name in names for command in self._lines_of(name, {}, "act")]
        return Markdown("\n\n".join(shown))

    def _lines_of(self, action: str, arguments: Mapping[str, Any], role: str) -> list[Command]:
        about, commands = _actions()[action], []
        for suffix in filter(lambda suffix: about.fits(suffix, self.os), about.suffixes):
            template = _environment(suffix).get_template(f"commands/{action}.{suffix}.j2")
            if line := _tidy(template.render({**self.context, **arguments})).strip():
                commands.append(Command(action, role, SHELLS[suffix], about.run, about.effect, line))
        return commands

    def _why(self, finding: Finding) -> Markdown:
        """Why the cause is unknown, as a sentence; else what the cause is, in the cause's own words."""
        if finding.why is None:
            return Markdown(" ".join(_block(self._cause(finding.cause), "why", self.context).split()))
        return self._reason(finding.why)

    def _reason(self, why: Unknown) -> Markdown:
        """Why something could not be read, as a sentence."""
        detail = f" ({as_markdown(why.detail)})" if why.detail else ""
        return Markdown(self.words["reasons"][why.why.value] + detail)

    def _evidence(self, finding: Finding) -> list[dict[str, Any]]:
        """The evidence lines: label, shown value, where read, when."""
        return [
            {
                "label": Markdown(self.words["facts"].get(evidence.fact, evidence.fact)),
                "value": self._value(evidence.value),
                "source": evidence.source,
                "read_at": Markdown(time_text(evidence.read_at)),
            }
            for evidence in finding.evidence
        ]

    def _value(self, value: Any) -> Markdown:
        if isinstance(value, list):
            shown = [self._value(item) for item in value[:10]]
            more = [Markdown(f"+ {len(value) - 10}")] if len(value) > 10 else []
            return Markdown("; ".join(shown + more) or self.words["values"]["none"])
        known = self.words["values"].get({True: "yes", False: "no", None: "unread"}.get(value, str(value)))
        return Markdown(known) if known else Markdown(as_markdown(value))

    def _word(self, table: str, name: str) -> Markdown:
        return Markdown(self.words[table][name])

    def _portal_link(self, resource_id: str, blade: str = "overview") -> Markdown:
        return Markdown(f"{self._portal}/#resource{url_path(resource_id)}/{blade}")

    def _cause(self, cause_id: str) -> Template:
        return _cause_template(self.language, cause_id)


class _Facts:
    """The facts by name for templates: `facts.agent` is its value, None when it is unknown or was not needed."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name)
        return None if isinstance(value, Unknown) else value


def _names(diagnosis: Diagnosis) -> dict[str, Any]:
    """The names that commands are filled with. One that is not known is a `<placeholder>` for the reader to fill in."""
    failure = diagnosis.failure
    vm, vault, item = failure.vm, failure.vault, failure.item
    group, name = (vm.group, vm.name) if vm else ("<vm-group>", failure.item_name or "<vm>")
    container = f"iaasvmcontainerv2;{group};{name}"
    parts = item.id.split("/") if item else []
    return {
        "vm": _Named(vm, name, group, "<vm-id>"),
        "vault": _Named(vault, vault.name if vault else "<vault>", vault.group if vault else "<vault-group>", "<vault-id>"),
        "container": parts[-3].partition(";")[2] if len(parts) > 3 and ";" in parts[-3] else container,
        "item": parts[-1] if item else f"vm;{container}",
        "item_name": failure.item_name or name,
        "retain_until": (failure.failed_at + timedelta(days=30)).strftime("%d-%m-%Y"),
    }


class _Named:
    """A resource as a template names it."""

    def __init__(self, resource: ResourceId | None, name: str, group: str, unknown_id: str) -> None:
        self.name, self.group = name, group
        self.id = resource.id if resource else unknown_id
        self.subscription = resource.subscription if resource else "<subscription>"
        self.known = resource is not None


# --------------------------------------------------------------------------------------------- templates, loaded once


@dataclass(frozen=True, slots=True)
class Action:
    """One table of commands.toml. `run`: `operator` or `guest`; `effect`: `reads`, `changes` or `deletes`."""

    run: str
    effect: str
    look: str = ""
    undo: str = ""
    suffixes: tuple[str, ...] = field(default=())

    def fits(self, suffix: str, os: Os | None) -> bool:
        """Operator commands are for both shells; guest commands for the guest's own (both when its system is unknown)."""
        return self.run == "operator" or os is None or (suffix == "sh") == (os is Os.LINUX)


@cache
def _actions() -> dict[str, Action]:
    folder = TEMPLATES / "commands"
    tables = tomllib.loads((folder / "commands.toml").read_text(encoding="utf-8"))
    return {
        name: Action(**table, suffixes=tuple(s for s in SHELLS if (folder / f"{name}.{s}.j2").is_file()))
        for name, table in tables.items()
    }


@cache
def _words(language: str) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = tomllib.loads((TEMPLATES / language / "words.toml").read_text(encoding="utf-8"))
    return words


@cache
def _environment(markup: str) -> Environment:
    """One Jinja environment per mark-up: they differ in how `{{ value }}` is made safe."""
    loaders: list[BaseLoader] = [ModuleLoader(COMPILED)] if COMPILED.is_dir() else []
    environment = Environment(
        loader=ChoiceLoader([*loaders, FileSystemLoader(TEMPLATES)]),
        undefined=StrictUndefined,
        finalize={"md": as_markdown, "sh": sh, "ps1": powershell}[markup],
        autoescape=False,  # noqa: S701 - not HTML: finalize escapes for the mark-up at hand
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters |= {
        "when": _when,
        "block": code_block,
        "line": lambda value: Markdown(one_line(value)),
        "comment": comment,
    }
    return environment


def compile_templates(folder: Path) -> None:
    """Compile every template into a folder; the package has them in `templates/compiled`."""
    _environment("md").compile_templates(folder, extensions=["j2"], zip=None)


def _cause_template(language: str, cause_id: str) -> Template:
    return _environment("md").get_template(f"{language}/causes/{cause_id}.md.j2")


@cache
def _title(language: str, cause_id: str) -> str:
    return " ".join(_block(_cause_template(language, cause_id), "title", {}).split())


def _block(template: Template, name: str, context: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(context))))


def _shown(command: Command, words: Mapping[str, Mapping[str, str]]) -> str:
    parts = (words["roles"][command.role], words["effects"][command.effect], words["run"][command.run])
    label = " · ".join(part for part in (*parts, words["shells"][command.shell]) if part)
    start = len(label) - len(label.lstrip("*"))
    return f"{label[:start]}{label[start].upper()}{label[start + 1 :]}:\n\n{code_block(command.line, command.shell)}"


def _tidy(text: str) -> str:
    """No trailing blanks, no more than one empty line in a row outside what the templates meant."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


def _when(time: datetime | None) -> Markdown:
    return Markdown(time_text(time) or "–")


def _doc(code: str, in_catalogue: bool) -> str:
    return catalogue.entries()[code if in_catalogue else "unknown"].doc
