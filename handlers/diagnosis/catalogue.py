"""Error code -> its causes in documented order -> the facts they need. The codes are in `error_codes.toml`."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from handlers.model import Alert, Error, Job, Opinion, Os


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of `error_codes.toml`. `wrapper`: the real error is in the job's message; look there first."""

    code: str
    title: Mapping[str, str]
    category: str
    transient: str
    doc: str
    causes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    wrapper: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause's module: its check, the facts it names, and the operating system it applies to (None: both)."""

    id: str
    check: Callable[..., Opinion]
    facts: tuple[str, ...]
    os: Os | None = None
    optional: frozenset[str] = field(default_factory=frozenset)
    """Facts that the check can do without: annotated `… | Unknown`."""


@cache
def entries() -> dict[str, Entry]:
    """All codes, by code. The entry `unknown` holds the causes that are checked for a code outside the catalogue."""
    tables = tomllib.loads(Path(__file__).with_name("error_codes.toml").read_text(encoding="utf-8"))
    return {code: _entry(code, table) for code, table in tables.items()}


def _entry(code: str, table: dict[str, Any]) -> Entry:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Entry(code=code, **values)


@cache
def _codes() -> dict[str, Entry]:
    """Every spelling of every code, folded. https://learn.microsoft.com/azure/backup spells several in two ways."""
    return {fold(name): entry for entry in entries().values() for name in (entry.code, *entry.aliases)}


def fold(code: str) -> str:
    """A code without case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", code).lower()


def entry_of(code: str) -> Entry | None:
    """The entry of a code in any spelling; None when it is not in the catalogue."""
    return _codes().get(fold(code)) if fold(code) != "unknown" else None


def error_of(code: str) -> Error:
    """The error of a code alone."""
    entry = entry_of(code)
    return _error(entry, 0, "", "none") if entry else Error(code=code)


def classify(alert: Alert, job: Job | None) -> Error:
    """The error code, from the best source that names one: the job (or its row in the log), the alert, then the message's words.

    A wrapper code gives way to whatever the message names. Nothing found: the code as sent, not in the catalogue.
    """
    message = message_of(alert, job)
    number = job.errors[0].number if job and job.errors else 0
    outer: tuple[Entry, str] | None = None
    for entry, matched_by in _candidates(alert, job, message):
        if not entry.wrapper:
            return _error(entry, number, message, matched_by)
        outer = outer or (entry, matched_by)
    if outer:
        return _error(outer[0], number, message, outer[1])
    sent, matched_by = _code_as_sent(alert, job)
    return Error(code=sent, number=number, message=message, matched_by=matched_by)


def _candidates(alert: Alert, job: Job | None, message: str) -> list[tuple[Entry, str]]:
    errors = job.errors if job else ()
    found = [(_by_number(error.number), "job") for error in errors]
    found += [(entry_of(job.error_code if job else ""), "log")]
    found += [(entry_of(error.title), "job") for error in errors]
    found += [(entry, "job") for error in errors for entry in _named_in(_words_of(error))]
    found += [(entry_of(alert.error_code), "alert")]
    found += [(entry, "alert") for entry in _named_in(alert.message)]
    found += [(_by_message(message), "message")]
    return [(entry, matched_by) for entry, matched_by in found if entry]


def _words_of(error: Any) -> str:
    return " ".join((error.title, error.message, *error.recommendations))


def _by_number(number: int) -> Entry | None:
    return next((entry for entry in entries().values() if number and number in entry.numbers), None)


def _named_in(text: str) -> list[Entry]:
    """The entries whose code stands in the text as a word, also behind `aka.ms/AB-`; wrappers last."""
    words = re.findall(r"[A-Za-z][A-Za-z0-9]{7,80}", text[:16_384])
    named = [entry for word in words if (entry := entry_of(word))]
    return sorted(named, key=lambda entry: entry.wrapper)


def _by_message(message: str) -> Entry | None:
    """The entry whose known wording stands in the message. Wordings are kept in English and Portuguese."""
    folded = " ".join(message.lower().split())
    hits = [(len(words), entry) for entry in entries().values() for words in entry.messages if words.lower() in folded]
    return max(hits, key=lambda hit: hit[0])[1] if hits else None


def _code_as_sent(alert: Alert, job: Job | None) -> tuple[str, str]:
    if job and job.error_code:
        return job.error_code, "log"
    for error in job.errors if job else ():
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{7,80}", error.title):
            return error.title, "job"
    return (alert.error_code, "alert") if alert.error_code else ("", "none")


def message_of(alert: Alert, job: Job | None) -> str:
    """The error in Azure's own words, the job's before the alert's, each sentence once."""
    said: list[str] = []
    for error in job.errors if job else ():
        said += [error.message or error.title]
    said += [job.detailed_message if job else ""]
    kept = [text for index, text in enumerate(said) if text and text not in said[:index]]
    return "\n".join(kept) or alert.message


def _error(entry: Entry, number: int, message: str, matched_by: str) -> Error:
    return Error(entry.code, number, message, entry.category, entry.transient, matched_by, in_catalogue=True)


def causes_of(error: Error) -> tuple[Cause, ...]:
    """The causes of an error in documented order; for a code outside the catalogue, the common ones."""
    entry = entries()[error.code] if error.in_catalogue else entries()["unknown"]
    return tuple(map(cause, entry.causes))


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
    )


def title_of(error: Error, language: str) -> str:
    entry = entries().get(error.code) if error.in_catalogue else entries()["unknown"]
    return entry.title.get(language, entry.title["en"]) if entry else ""
