"""Error code -> its causes in documented order -> the facts they need. The codes are in `error_codes.toml`."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from handlers.model import Alert, Asserts, Error, Failure, Job, Opinion, Os
from handlers.model.failure import BACKUP, RESTORE, VM_WORKLOAD

TABLES = Path(__file__).with_name("error_codes.toml")
CAUSES = Path(__file__).parents[1] / "causes"
NOTHING = Asserts()
ANY = "any"
GENERIC = ("jobfailure",)
"""What stands where a code should, and is none."""
ARTICLES = {
    "sql": "https://learn.microsoft.com/azure/backup/backup-sql-server-azure-troubleshoot",
    "saphana": "https://learn.microsoft.com/azure/backup/backup-azure-sap-hana-database-troubleshoot",
    "azurefileshare": "https://learn.microsoft.com/azure/backup/troubleshoot-azure-files",
}
"""By the beginning of a workload's name the article on its errors."""


class Entry(Struct, frozen=True):
    """One table of `error_codes.toml`. `wrapper`: the real error is in the job's message; look there first."""

    code: str
    title: Mapping[str, str]
    category: str
    transient: str
    doc: str
    means: Mapping[str, str] = field(default_factory=dict)
    """One sentence; none for a code that is not in the catalogue."""
    causes: tuple[str, ...] = ()
    operation: str = "backup"
    """What fails with this code: a key of `[failed]` in words.toml."""
    workload: bool = False
    """Whether it is of a database in a VM, whose backup is not the VM's."""
    aliases: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    wrapper: bool = False
    inner: bool = False
    """Whether Azure Resource Manager and Compute use the word too: in a text it counts only where nothing else names the error."""


class Cause(Struct, frozen=True):
    """A cause's module: its check, the facts it names, and the operating system it applies to (None: both)."""

    id: str
    check: Callable[..., Opinion]
    facts: tuple[str, ...]
    os: Os | None = None
    optional: frozenset[str] = field(default_factory=frozenset)
    """Facts that the check can do without: annotated `… | Unknown`."""
    strong: Asserts = NOTHING
    """Codes and words that assert this cause."""
    medium: Asserts = NOTHING
    """Codes and words of which it is one cause among few."""
    members: tuple[str, ...] = ()
    """Of an umbrella: the causes that it groups. Its check is given their verdicts."""
    symptom_of: tuple[str, ...] = ()
    """Causes below which this one is shown when they are confirmed."""
    operation: str = BACKUP
    """What fails with it: `backup`, `restore`, or `any`."""
    pointed: frozenset[str] = field(default_factory=frozenset)
    """Facts that are read for this cause only where the code or the words point to it: they cost a read of their own."""

    def facts_for(self, error: Error) -> frozenset[str]:
        """What is read for it, given the error."""
        points = any(asserted.matches(error.code, error.message) for asserted in (self.strong, self.medium))
        return frozenset(self.facts) - (frozenset() if points else self.pointed)


@cache
def _tables() -> dict[str, str]:
    """The text of each code's table. Only the tables that are met are parsed: all of them would hold up the first ticket."""
    _, *parts = re.split(r"^\[(.+)\]$", TABLES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@cache
def entry(code: str) -> Entry:
    """The entry of a code as the catalogue spells it. `unknown` holds what is checked for a code outside the catalogue."""
    table = tomllib.loads(_tables()[code])
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Entry(code=code, **values)


def entries() -> dict[str, Entry]:
    """All codes, by code, for documents and tests; a ticket needs only its own."""
    return {code: entry(code) for code in _tables()}


@cache
def _listed(key: str) -> dict[str, str]:
    """By value of a list such as `aliases` the code that it stands for."""
    pattern = re.compile(rf"^{key} = \[([^\[\]]*)\]", re.MULTILINE)
    lists = ((code, match[1]) for code, table in _tables().items() if (match := pattern.search(table)))
    return {quoted or number: code for code, text in lists for quoted, number in re.findall(r'"([^"]*)"|(\d+)', text)}


@cache
def _codes() -> dict[str, str]:
    """The code by every spelling, folded. https://learn.microsoft.com/azure/backup spells several in two ways."""
    return {fold(name): code for name, code in [*((code, code) for code in _tables()), *_listed("aliases").items()]}


def fold(code: str) -> str:
    """A code without case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", code).lower()


def entry_of(code: str) -> Entry | None:
    """The entry of a code in any spelling; None when it is not in the catalogue."""
    known = _codes().get(fold(code))
    return entry(known) if known and known != "unknown" else None


def error_of(code: str) -> Error:
    """The error of a code alone."""
    known = entry_of(code)
    return _error(known, 0, "", "none") if known else Error(code=code)


def _of(error: Error) -> Entry:
    return entry(error.code if error.in_catalogue else "unknown")


def classify(alert: Alert, job: Job | None) -> Error:
    """The error code, from the best source that names one: the job (or its row in the log), the alert, then the message's words.

    A wrapper code gives way to whatever the message names. Nothing found: the code as sent, not in the catalogue.
    """
    message = message_of(alert, job)
    number = job.errors[0].number if job and job.errors else 0
    outer: tuple[Entry, str] | None = None
    for candidate, matched_by in _candidates(alert, job, message):
        if not candidate.wrapper:
            return _error(candidate, number, message, matched_by)
        outer = outer or (candidate, matched_by)
    if outer:
        return _error(outer[0], number, message, outer[1])
    sent, matched_by = _code_as_sent(alert, job)
    return Error(code=sent, number=number, message=message, matched_by=matched_by)


def _candidates(alert: Alert, job: Job | None, message: str) -> Iterator[tuple[Entry, str]]:
    errors = job.errors if job else ()
    yield from _known("job", (_by_number(error.number) for error in errors))
    yield from _known("log", [entry_of(job.error_code if job else "")])
    yield from _known("job", (entry_of(error.title) for error in errors))
    in_job = [named for error in errors for named in _named_in(_words_of(error))]
    in_alert = _named_in(alert.message)
    yield from _known("job", (named for named in in_job if not named.inner))
    yield from _known("alert", [entry_of(alert.error_code)])
    yield from _known("alert", (named for named in in_alert if not named.inner))
    yield from _known("message", [_by_message(message)])
    yield from _known("job", in_job)
    yield from _known("alert", in_alert)


def _known(matched_by: str, candidates: Iterable[Entry | None]) -> Iterator[tuple[Entry, str]]:
    return ((candidate, matched_by) for candidate in candidates if candidate)


def _words_of(error: Any) -> str:
    return " ".join((error.title, error.message, *error.recommendations))


def _by_number(number: int) -> Entry | None:
    code = _listed("numbers").get(str(number))
    return entry(code) if code else None


def _named_in(text: str) -> list[Entry]:
    """The entries whose code stands in the text as a word, also behind `aka.ms/AB-`; wrappers last. Some codes have a hyphen."""
    words = re.findall(r"[A-Za-z][A-Za-z0-9]{7,80}", text[:16_384]) + re.findall(r"[A-Za-z]+-[A-Za-z]+", text[:16_384])
    return sorted(filter(None, map(entry_of, words)), key=lambda named: named.wrapper)


def _by_message(message: str) -> Entry | None:
    """The entry whose known wording stands in the message. Wordings are kept in English and Portuguese."""
    folded = " ".join(message.lower().split())
    hits = [words for words in _listed("messages") if words.lower() in folded]
    return entry(_listed("messages")[max(hits, key=len)]) if hits else None


def _code_as_sent(alert: Alert, job: Job | None) -> tuple[str, str]:
    if job and job.error_code:
        return job.error_code, "log"
    for error in job.errors if job else ():
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{7,80}", error.title):
            return error.title, "job"
    named = alert.error_code if fold(alert.error_code) not in GENERIC else ""
    return (named, "alert") if named else ("", "none")


def message_of(alert: Alert, job: Job | None) -> str:
    """The error in Azure's own words, the job's before the alert's, each sentence once."""
    said: list[str] = []
    for error in job.errors if job else ():
        said += [error.message or error.title]
    said += [job.detailed_message if job else ""]
    kept = [text for index, text in enumerate(said) if text and text not in said[:index]]
    return "\n".join(kept) or alert.message


def _error(known: Entry, number: int, message: str, matched_by: str) -> Error:
    return Error(known.code, number, message, known.category, known.transient, matched_by, in_catalogue=True)


def causes_of(error: Error, operation: str = BACKUP, *, named: bool = True) -> tuple[Cause, ...]:
    """The causes of an error in documented order (for a code outside the catalogue the common ones), then those that its words name.

    `named`: false for what is not about a VM itself, where words of a VM's backup prove nothing.
    """
    listed = [known for known in map(cause, _of(error).causes) if _can_fail(known, operation, error)]
    words = [known for known in map(cause, all_causes()) if named and known.strong.names_message(error.message)]
    return tuple(dict.fromkeys((*listed, *(known for known in words if known.operation in (operation, ANY)))))


def _can_fail(known: Cause, operation: str, error: Error) -> bool:
    """Whether a cause that the code lists is one of the operation. The list of a code that both fail with has those of both."""
    if operation != RESTORE:
        return known.operation != RESTORE
    if not error.in_catalogue:  # the common causes are those of backups
        return False
    of_both = _of(error).operation == BACKUP and any(cause(other).operation == RESTORE for other in _of(error).causes)
    return not of_both or known.operation in (RESTORE, ANY)


def lists(error: Error, cause_id: str) -> bool:
    """Whether the code's own list holds the cause. A code outside the catalogue lists none."""
    return error.in_catalogue and cause_id in entry(error.code).causes


@cache
def all_causes() -> tuple[str, ...]:
    """Every cause; each is listed by some code."""
    return tuple(sorted(path.stem for path in CAUSES.glob("[a-z]*.py")))


@cache
def cause(cause_id: str) -> Cause:
    module = importlib.import_module(f"handlers.causes.{cause_id}")
    parameters = inspect.signature(module.check).parameters
    return Cause(
        id=cause_id,
        check=module.check,
        facts=tuple(parameters),
        os=getattr(module, "OS", None),
        optional=frozenset(n for n, p in parameters.items() if "Unknown" in str(p.annotation)),
        strong=getattr(module, "STRONG", NOTHING),
        medium=getattr(module, "MEDIUM", NOTHING),
        members=getattr(module, "MEMBERS", ()),
        symptom_of=getattr(module, "SYMPTOM_OF", ()),
        pointed=frozenset(getattr(module, "WHERE_POINTED", ())),
        operation=getattr(module, "OPERATION", BACKUP),
    )


def title_of(error: Error, language: str) -> str:
    return _in(language, _of(error).title)


def meaning_of(error: Error, language: str) -> str:
    """What the code means, in a sentence; empty for a code outside the catalogue."""
    return _in(language, _of(error).means)


def _in(language: str, texts: Mapping[str, str]) -> str:
    return texts.get(language, texts.get("en", ""))


def operation_of(error: Error, failure: Failure | None = None) -> str:
    """What failed: what the job or the alert says that it is, else what fails with the code."""
    return (failure.operation if failure else "") or _of(error).operation


def is_of_vm(failure: Failure, error: Error) -> bool:
    """Whether it is the VM itself that is protected, and no database in it, file share or other workload."""
    return failure.workload == VM_WORKLOAD and not _of(error).workload


def article_of(failure: Failure, error: Error) -> str:
    """Microsoft's article on the code; of another workload than the code is documented for, or without a known code, on the workload."""
    kind, known = fold(failure.workload), _of(error)
    of_workload = next((url for name, url in ARTICLES.items() if kind.startswith(name)), "")
    fits = error.in_catalogue and (known.workload or failure.workload == VM_WORKLOAD)
    return known.doc if fits else of_workload or known.doc
