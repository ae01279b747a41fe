"""The steps of causes as data, recorded while their templates are rendered: the page and the ticket event come from the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handlers.model import Command, Finding, Os, Step
from handlers.model.parts import Part, joined
from handlers.runbook.blocks import grouped
from handlers.runbook.markup import NEXT_BLOCK, Markdown
from handlers.runbook.templates import SHELLS, actions, block, cause_template, environment


class Steps:
    """`recorded` are those of the causes that were asked for; `context` is what command templates see."""

    def __init__(self, language: str, os: Os | None, context: Mapping[str, Any]) -> None:
        self._language, self._os, self._context = language, os, context
        self.recorded: dict[str, tuple[Step, ...]] = {}
        self._steps: list[Step] = []
        self._commands: list[Command] = []

    def of(self, finding: Finding) -> tuple[Step, ...]:
        if finding.cause not in self.recorded:
            self._steps = []
            block(cause_template(self._language, finding.cause), "steps", self._context)
            self.recorded[finding.cause] = tuple(self._steps)
        return self.recorded[finding.cause]

    def checks(self, finding: Finding) -> Iterator[tuple[Command, ...]]:
        """The commands of a cause that only read, in order; the same in each shell together."""
        commands = (command for step in self.of(finding) for command in step.commands)
        return (group for group in grouped(commands) if group[0].effect == "reads" and group[0].role != "undo")

    def commands_of(self, action: str, arguments: Mapping[str, Any]) -> list[Command]:
        """The command lines of an action; before one that changes something its look, after it its undo, if it has one."""
        about = actions()[action]
        roles = (("look", about.look), ("act", action), ("undo", about.undo))
        return [command for role, name in roles if name for command in self._lines_of(name, arguments, role)]

    def step(self, caller: Callable[[], str]) -> Markdown:
        """`{% call step() %}text {{ run("action") }}{% endcall %}`: one numbered step."""
        self._commands = []
        text = " ".join(caller().split())
        self._steps.append(Step(text, tuple(self._commands)))
        return Markdown("")

    def run(self, action: str, **arguments: Any) -> Markdown:
        self._commands += self.commands_of(action, arguments)
        return Markdown("")

    def _lines_of(self, action: str, arguments: Mapping[str, Any], role: str) -> list[Command]:
        about, commands = actions()[action], []
        for suffix in filter(lambda suffix: about.fits(suffix, self._os), about.suffixes):
            template = environment(suffix).get_template(f"commands/{action}.{suffix}.j2")
            for text in template.render({**self._context, **arguments}).split(NEXT_BLOCK):
                if line := joined((Part(text),)).strip():
                    commands.append(Command(action, role, SHELLS[suffix], about.run, about.effect, line))
        return commands
