"""The rendered runbook, as page and as data."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from handlers.model.changes import ChangeList, ToldChange
from handlers.model.incident import PastIncident
from handlers.model.parts import Part


class Command(Struct, frozen=True):
    """One command line, pre-filled. `role` is `look`, `act` or `undo`, `effect` is `reads`, `changes`, `deletes` or `downtime`."""

    action: str
    role: str
    shell: str
    """`bash` or `powershell`."""
    run: str
    """`operator` (the responder's own shell) or `guest` (inside the VM)."""
    effect: str
    line: str


class Step(Struct, frozen=True):
    """One step of a remediation: its text without the commands, and the commands."""

    text: str
    commands: tuple[Command, ...] = ()


class Surroundings(Struct, frozen=True):
    """What a page says besides the diagnosis: whose it is, how it ended the last time, and whether people are named."""

    owner: str | None = None
    earlier: PastIncident | None = None
    """The last incident of the same item with the same error."""
    show_actors: bool = True


class Runbook(Struct, frozen=True):
    """The rendered page. `steps` and `titles` are by cause id."""

    language: str
    title: str
    markdown: str
    titles: Mapping[str, str]
    steps: Mapping[str, tuple[Step, ...]]
    error_title: str = ""
    parts: tuple[Part, ...] = ()
    """The page in parts, to be shortened for a system that takes less."""
    changes: ChangeList | None = None
    """What was changed since the last good backup; None where nothing was read of it."""
    told_changes: tuple[ToldChange, ...] = ()
    """The same in words."""
