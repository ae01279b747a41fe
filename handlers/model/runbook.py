"""The rendered runbook, as page and as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.model.changes import ChangeList, ToldChange
from handlers.model.incident import PastIncident
from handlers.model.parts import Part


@dataclass(frozen=True, slots=True)
class Command:
    """One command line, pre-filled. `role` is `look`, `act` or `undo`, `effect` is `reads`, `changes`, `deletes` or `downtime`."""

    action: str
    role: str
    shell: str
    """`bash` or `powershell`."""
    run: str
    """`operator` (the responder's own shell) or `guest` (inside the VM)."""
    effect: str
    line: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a remediation: its text without the commands, and the commands."""

    text: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page says besides the diagnosis: whose it is, how it ended the last time, and whether people are named."""

    owner: str | None = None
    earlier: PastIncident | None = None
    """The last incident of the same item with the same error."""
    show_actors: bool = True


@dataclass(frozen=True, slots=True)
class Runbook:
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
