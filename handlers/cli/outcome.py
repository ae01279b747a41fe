"""How a command ends: its exit code, and in one line what kept it from its work."""

from __future__ import annotations

from handlers.azure.arm import NotRead
from handlers.facts import why_unread
from handlers.model import Reason, Unknown
from handlers.model.text import one_line

FINE, FAILURES, USAGE, NOT_PERMITTED, NOT_DONE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Nothing failed; failures were found; wrong arguments or settings; a right is missing; Azure or something else did not answer; Ctrl-C."""
CODES = {Reason.FORBIDDEN: NOT_PERMITTED, Reason.NOT_FOUND: USAGE}
WORDS = {
    Reason.FORBIDDEN: "not permitted",
    Reason.NOT_FOUND: "not there",
    Reason.THROTTLED: "Azure asks to come back later",
    Reason.TIMED_OUT: "no answer in time",
    Reason.FAILED: "not reached",
    Reason.PARTIAL: "only a part was answered",
    Reason.NO_WORKSPACE: "no workspace is set (LOG_ANALYTICS_WORKSPACE_ID)",
}


class NotDone(Exception):
    """A command cannot go on. The text is one line for a person."""

    def __init__(self, text: str, code: int = NOT_DONE) -> None:
        super().__init__(one_line(text, 500))
        self.code = code


def unread(what: str, where: str, why: Unknown) -> NotDone:
    """Something without which there is nothing to show could not be read."""
    return NotDone(f"{what} of {where}: {in_words(why)}", CODES.get(why.why, NOT_DONE))


def in_words(why: Unknown) -> str:
    """`not permitted: Microsoft.RecoveryServices/Vaults/backupJobs/read`."""
    words = WORDS.get(why.why, why.why.value)
    return f"{words}: {one_line(why.detail)}" if why.detail else words


def not_done(what: str, where: str, error: Exception, needs: str = "") -> NotDone:
    """What an exception of a read says to a person."""
    from azure.core.exceptions import ClientAuthenticationError

    if isinstance(error, ClientAuthenticationError) and error.status_code is None:
        return NotDone(NOT_SIGNED_IN, NOT_PERMITTED)
    return unread(what, where, why_unread(error, (needs,) if needs else ()))


NOT_SIGNED_IN = (
    "Nobody is signed in to Azure here: run `az login`, or see https://aka.ms/azsdk/python/identity/defaultazurecredential"
)


def unreadable() -> tuple[type[Exception], ...]:
    """The exceptions of a read from Azure."""
    from azure.core.exceptions import AzureError

    return (AzureError, NotRead, ValueError)
