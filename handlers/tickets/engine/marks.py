"""The mark at the end of a description that the app keeps up to date: a checksum of the rest, so that what a person wrote is never replaced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from handlers.tickets.engine.markups import Markup

BLANK = "br" + "0" * 16
"""In the place of the mark, before it is known."""
MARK = re.compile(r"br[0-9a-f]{16}")


def with_mark(markup: Markup, sentence: str) -> Markup:
    """A markup whose texts end with a sentence that holds the blank mark."""
    return Markup(lambda page: markup.render(f"{page}\n\n{sentence}\n"), markup.size)


def marked(shown: Any) -> Any:
    """A rendered text with its mark in the place of the blank."""
    return _replaced(shown, seal_of(shown))


def seal_of(shown: Any) -> str:
    """The mark that belongs to a text."""
    return f"br{_checksum(text_of(shown))}"


def mark_of(shown: Any) -> str:
    """The last mark of a text; empty when it has none."""
    return next(iter(MARK.findall(text_of(shown))[-1:]), "")


def is_ours(shown: Any, kept: Any = None) -> bool:
    """Whether nobody has written anything into a text since it was marked. `kept`: where its mark stands, if not in it."""
    mark = mark_of(shown if kept is None else kept)
    return bool(mark) and mark == seal_of(shown)


def text_of(shown: Any) -> str:
    """The letters of a text, of Atlassian's document format too: systems change blanks, line ends and what stands around."""
    return shown if isinstance(shown, str) else "".join(_texts(shown))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["text"]] if isinstance(value.get("text"), str) else ())
        yield from _texts(value.get("content"))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _checksum(text: str) -> str:
    """Of letters and digits only, the last mark left out."""
    mark = next(iter(MARK.findall(text)[-1:]), "")
    before, _, after = text.rpartition(mark) if mark else (text, "", "")
    return hashlib.sha256(re.sub(r"[\W_]+", "", before + after).encode(errors="replace")).hexdigest()[:16]


def _replaced(value: Any, mark: str) -> Any:
    if isinstance(value, str):
        return mark.join(value.rsplit(BLANK, 1))
    if isinstance(value, list):
        return [_replaced(item, mark) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, mark) for name, item in value.items()}
    return value
