"""Command blocks as a page shows them: whose shell they are for, what they do, and each only once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from itertools import groupby

from msgspec import Struct

from handlers.model import Command
from handlers.model.parts import END as PART_END
from handlers.model.parts import START, mark
from handlers.runbook.markup import code_block

BOTH = "both"
SHELLS = ("bash", "powershell")


class Place(Struct, frozen=True):
    """Where a page shows a command: a key of `[places]` in words.toml; in a step of a cause, that cause's title and the step."""

    name: str
    title: str = ""
    step: int = 0


TOP, END, GUEST, CHECKS = Place("top"), Place("end"), Place("guest"), Place("checks")


def grouped(commands: Iterable[Command]) -> Iterator[tuple[Command, ...]]:
    """The commands of one action and role together: the same in each shell."""
    return (tuple(group) for _, group in groupby(commands, key=lambda command: (command.action, command.role)))


class Blocks:
    """The command blocks of one page, in the order in which they are shown; a command that stands there already is named by its place.

    `shell`: the setting OPERATOR_SHELL. The other shell's operator commands are on the page only.
    """

    def __init__(self, words: Mapping[str, Mapping[str, str]], shell: str = BOTH) -> None:
        self._words, self._shell = words, shell
        self._places: dict[tuple[str, str], Place] = {}
        self._shown: set[tuple[str, str]] = set()

    def __contains__(self, command: Command) -> bool:
        return _key(command) in self._places

    def wants(self, command: Command) -> bool:
        """Whether a ticket has the command: every guest command, and those of the operator's shell."""
        return command.run == "guest" or self._shell in (BOTH, command.shell)

    def first(self, group: Sequence[Command]) -> Command:
        """That of the operator's shell; Bash where both are wanted."""
        return next(filter(self.wants, group), group[0])

    def reserve(self, commands: Iterable[Command], place: Place) -> None:
        """The commands will be shown there, or are."""
        self._places |= {_key(command): place for command in commands}

    def shown(self, commands: Iterable[Command], place: Place) -> Iterator[str]:
        """The blocks of some commands at a place; after an action what one should see then."""
        commands = list(commands)
        if at := self._elsewhere(commands, place):
            yield self._words["again"]["all"].format(place=at)
        else:
            yield from self._shown_each(commands, place)

    def _elsewhere(self, commands: Sequence[Command], here: Place) -> str:
        """The other place where a check and what follows it all stand already; empty when they do not."""
        places = {self._places.get(_key(command)) for command in commands}
        place = places.pop() if len(places) == 1 and len({command.role for command in commands}) > 1 else None
        return self._place_text(place, here) if place and place != here else ""

    def _shown_each(self, commands: Sequence[Command], place: Place) -> Iterator[str]:
        for group in grouped(commands):
            known = [command for command in group if command in self and self._places[_key(command)] != place]
            new = [command for command in group if command not in known and _key(command) not in self._shown]
            expected = self._words["expected"].get(group[0].action) if new and group[0].role == "act" else None
            first = self.first(group)
            blocks, named = list(self._blocks(new, first)), list(self._named(group, known, place))
            self.reserve(new, place)
            self._shown |= set(map(_key, new))
            yield from [*blocks, *named] if any(self._in_ticket(command, first) for command in new) else [*named, *blocks]
            if expected:
                yield f"{self._words['roles']['expected']}: {expected}"

    def in_one(self, commands: Mapping[Command, str], place: Place) -> Iterator[str]:
        """Several commands as one block per shell, each below a comment; those that stand on the page already are left out."""
        for shell in SHELLS:
            own = {command: title for command, title in commands.items() if command.shell == shell and command not in self}
            if own:
                first = next(iter(own))
                lines = "\n".join(f"# {comment}\n{command.line}" for command, comment in own.items())
                yield from self._blocks([replace(first, line=lines)], self.first(list(commands)))
                self.reserve(own, place)

    def place_of(self, command: Command, here: Place) -> str:
        """Where the command stands already; empty when it does not."""
        place = self._places.get(_key(command))
        return self._place_text(place, here) if place else ""

    def label(self, command: Command) -> str:
        """`Look first · Bash, your workstation or Cloud Shell (read-only)`."""
        words = self._words
        what = f"{words['shells'][command.shell]}, {words['run'][command.run]} ({words['effects'][command.effect]})"
        return " · ".join(part for part in (words["roles"][command.role], what) if part)

    def _blocks(self, commands: Sequence[Command], first: Command) -> Iterator[str]:
        """A guest runs one of the shells; of the operator's two the second says the same again."""
        for command in commands:
            block = f"{self.label(command)}:\n{code_block(command.line, command.shell)}"
            kind = "other_shell" if self._in_ticket(command, first) else "page"
            again = command.run == "operator" and command.shell != first.shell
            yield f"{mark(kind)}{block}{mark('')}" if again else block

    def _in_ticket(self, command: Command, first: Command) -> bool:
        """Where both shells are wanted, what only reads is in the first of them."""
        return self.wants(command) and (command.run == "guest" or command.shell == first.shell or command.effect != "reads")

    def _named(self, group: Sequence[Command], known: Sequence[Command], place: Place) -> Iterator[str]:
        """Where the commands stand that are not shown again."""
        seen = [command for command in group if self._in_ticket(command, self.first(group))]
        named = [command for command in seen if command in known]
        if not named:
            return
        at = self._place_text(self._places[_key(named[0])], place)
        role = named[0].role if len(named) == len(seen) else "shell"
        yield self._words["again"][role].format(place=at, shell=self._words["shells"][named[0].shell])

    def _place_text(self, place: Place, here: Place) -> str:
        name = "step" if place.name == "cause" and place.title == here.title else place.name
        return self._words["places"][name].format(step=place.step, title=place.title)


def _key(command: Command) -> tuple[str, str]:
    return command.shell, command.line


def below(pieces: Iterable[str]) -> str:
    """Blocks and sentences below each other: a block needs no empty line around it, two sentences need one between them."""
    text = ""
    for piece in pieces:
        between = "\n" if text.removesuffix(mark("")).endswith("```") else "\n\n" if text else ""
        kind = re.match(f"{START}[^{PART_END}]*{PART_END}", piece)
        text += kind[0] + between + piece[kind.end() :] if kind else between + piece
    return text


def numbered(texts: Sequence[str], blocks_of: Callable[[int], Iterable[str]]) -> str:
    """Steps as a numbered list, each with the blocks below it; a reference to a block above them follows the text."""
    shown = []
    for index, text in enumerate(texts, 1):
        number, pieces = f"{index}. ", list(blocks_of(index))
        first_block = next((at for at, piece in enumerate(pieces) if "```" in piece), len(pieces))
        text = " ".join([text, *pieces[:first_block]])
        body = "\n\n".join(filter(None, [text, below(pieces[first_block:])]))
        lines = body.replace("\n", "\n" + " " * len(number)).split("\n")
        shown.append(number + "\n".join(line.rstrip() for line in lines))
    return "\n".join(shown)
