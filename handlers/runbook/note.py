"""What a further version of an incident or a storm says that its ticket does not show yet, in a few lines of Markdown.

It is made of the data of two events, the one that the ticket shows and the new one, so that it says what a receiver of them could find itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from handlers.diagnosis.catalogue import error_of, operation_of
from handlers.model.parts import Part, joined
from handlers.runbook.markup import Markdown, as_markdown, code_block, code_span
from handlers.runbook.templates import environment, words_of

type Data = Mapping[str, Any]
MOST_VERDICTS, MOST_FACTS, MOST_CAUSES = 5, 4, 2
MOST_CHARACTERS = 120
"""Of a fact's value."""
MOST_LINES = 4
"""Of the command that a note shows of a new cause."""
TIMES = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::[\d.]+)?(?: ?(?:UTC|Z|\+00:00))?)?")
NO_RECOVERY = {"act": "unknown", "until": None, "last_good_at": None, "hours_since": None, "missed_runs": None}
OF_THE_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
"""What in a command may differ from night to night: the ids of jobs, times, counts."""


class News(Struct, frozen=True):
    """What the new data says that the old does not. `new_causes` and `new_steps` are findings that are confirmed."""

    verdicts: tuple[tuple[Data, str | None], ...]
    """Findings whose verdict is another one, with the verdict before."""
    facts: tuple[tuple[str, Any, Any], ...]
    """Facts that speak for a finding that is not ruled out, with their values before and now."""
    new_causes: tuple[Data, ...]
    new_steps: tuple[Data, ...]


def news_of(before: Data, now: Data) -> News:
    was = {finding["cause"]: finding for finding in before["findings"]}
    verdicts = {cause: finding["verdict"] for cause, finding in was.items()}
    confirmed = [finding for finding in now["findings"] if finding["verdict"] == "confirmed"]
    known = [finding for finding in confirmed if verdicts.get(finding["cause"]) == "confirmed"]
    others = [(finding, verdicts.get(finding["cause"])) for finding in now["findings"] if _is_news(finding, verdicts)]
    return News(
        verdicts=tuple(others),
        facts=tuple(_changed_facts(before, now)),
        new_causes=tuple(finding for finding in confirmed if finding not in known),
        new_steps=tuple(finding for finding in known if _lasting(finding) != _lasting(was[finding["cause"]])),
    )


def render_note(before: Data, now: Data, language: str, *, reopened: bool = False) -> str:
    """`before` is what the ticket shows of the last failure."""
    news, words = news_of(before, now), words_of(language)
    context = {
        "news": news, "before": before, "code": _code(now), "code_before": _code(before), "recovery": now["recovery"] or NO_RECOVERY,
        "now": now, "reopened": reopened, "again": before["incident"]["failures"] == now["incident"]["failures"],
        "verdicts": news.verdicts[:MOST_VERDICTS], "facts": news.facts[:MOST_FACTS], "new_causes": news.new_causes[:MOST_CAUSES],
        "many": Markdown(words["many"][operation_of(error_of(_code(now)))]),
        "at": lambda time: datetime.fromisoformat(time) if time else None,
        "title": lambda finding: Markdown(finding["title"]),
        "verdict": lambda name: Markdown(words["verdicts"][name].lower() if name else "–"),
        "label": lambda fact: Markdown(words["facts"].get(fact, fact)),
        "value": lambda fact, value: Markdown(value_in_short(fact, value, words)),
        "first_step": lambda finding: _first_step(finding, words),
        "span": lambda hours: Markdown(_span(hours, words["spans"])),
    }  # fmt: skip
    name = "storm_note" if now["storm"] else "note"
    return joined((Part(environment("md").get_template(f"{language}/{name}.md.j2").render(context)),))


def _is_news(finding: Data, before: Mapping[str, str]) -> bool:
    """Of the causes of another error only what is confirmed or possible."""
    verdict, was = finding["verdict"], before.get(finding["cause"])
    return verdict != was and (was is not None or verdict in ("confirmed", "possible"))


def _code(data: Data) -> str:
    return (data["error"] or {}).get("code") or ""


def _changed_facts(before: Data, now: Data) -> Iterator[tuple[str, Any, Any]]:
    """A value that differs in its times only is the same: a list of jobs has others each night. `members` are verdicts of other causes."""
    was, current = _facts(before), _facts(now)
    told = {evidence["fact"] for data in (before, now) for f in data["findings"] if f["verdict"] in ("confirmed", "possible")
            for evidence in f["evidence"]}  # fmt: skip
    for fact, value in current.items():
        if fact in told and fact in was and fact != "members" and _timeless(value) != _timeless(was[fact]):
            yield fact, was[fact], value


def _facts(data: Data) -> dict[str, Any]:
    """By name, the first value that a finding names."""
    named: dict[str, Any] = {}
    for evidence in (evidence for finding in data["findings"] for evidence in finding["evidence"]):
        named.setdefault(evidence["fact"], evidence["value"])
    return named


def _timeless(value: Any) -> str:
    text = TIMES.sub("", json.dumps(value, ensure_ascii=False, default=str))
    return re.sub(r": \d+", "", text) if TIMES.search(str(value)) else text


def _lasting(finding: Data) -> list[Any]:
    """The steps of a finding without what differs from night to night."""
    steps = finding["remediation"]
    return [
        [OF_THE_RUN.sub("", step["text"]), *(OF_THE_RUN.sub("", command["line"]) for command in step["commands"])]
        for step in steps
    ]


def value_in_short(fact: str, value: Any, words: Mapping[str, Mapping[str, str]]) -> str:
    """A fact's value in short, in the reader's words; an empty one as the fact's own word for none."""
    if value in ("", []):
        return words["none"].get(fact, words["none"]["default"])
    if isinstance(value, list):
        return value_in_short(fact, value[0], words) + (f"; + {len(value) - 1}" if len(value) > 1 else "")
    known = words["values"].get({True: "yes", False: "no", None: "unread"}.get(value, str(value)))
    shown = code_span(value, MOST_CHARACTERS) if isinstance(value, str) else as_markdown(value)
    return known or words["access"].get(str(value)) or str(shown)


def _first_step(finding: Data, words: Mapping[str, Mapping[str, str]]) -> Markdown:
    """The text of the first step of a cause, and its first command if that is short."""
    step = next(iter(finding["remediation"]), None)
    command = next(iter(step["commands"]), None) if step else None
    if step is None or command is None or command["line"].count("\n") >= MOST_LINES:
        return Markdown(step["text"] if step else "")
    label = f"{words['shells'][command['shell']]}, {words['run'][command['run']]} ({words['effects'][command['effect']]})"
    return Markdown(f"{step['text']}\n\n{label}:\n{code_block(command['line'], command['shell'])}")


def _span(hours: float, words: Mapping[str, str]) -> str:
    unit, number = ("days", hours / 24) if hours >= 72 else ("hours", hours)
    return words[unit].format(n=f"{number:.0f}")
