"""A call of a tool: its arguments checked, its result marked, and whatever goes wrong told in one line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from handlers.agents.arguments import checked
from handlers.agents.diagnosis import diagnose_backup_failure, get_runbook
from handlers.agents.error_code import explain_error_code
from handlers.agents.failed_backups import list_failed_backups
from handlers.agents.listed import TOOLS
from handlers.agents.records import list_incidents
from handlers.agents.sources import Sources
from handlers.agents.untrusted import marked
from handlers.cli.outcome import NotDone

log = logging.getLogger(__name__)
type Work = Callable[[Mapping[str, Any], Sources], dict[str, Any]]
WORK: Mapping[str, Work] = {
    "list_failed_backups": list_failed_backups,
    "diagnose_backup_failure": diagnose_backup_failure,
    "get_runbook": get_runbook,
    "list_incidents": list_incidents,
    "explain_error_code": explain_error_code,
}


class Answer(Struct, frozen=True):
    """The result of a call, or in one line why there is none."""

    result: dict[str, Any] | None
    error: str = ""

    @property
    def text(self) -> str:
        """The result as JSON, for clients that read no structured content; else the error."""
        return self.error if self.result is None else json.dumps(self.result, ensure_ascii=False)


def answer(name: str, arguments: Mapping[str, Any], sources: Sources) -> Answer:
    """What a tool says. Whatever goes wrong is an answer too: the server goes on."""
    tool = TOOLS.get(name)
    if tool is None:
        return Answer(None, f"There is no tool of that name; there are: {', '.join(TOOLS)}")
    try:
        return Answer(marked(WORK[name](checked(arguments, tool.takes, tool.needs), sources), tool.untrusted))
    except NotDone as problem:
        return Answer(None, str(problem))
    except Exception as error:
        log.exception("a tool broke")
        return Answer(None, f"This tool broke ({type(error).__name__}).")
