"""A small imitation of the Kusto Query Language, for rows that scenarios give. docs/sandbox.md says what it understands.

https://learn.microsoft.com/kusto/query/ What it does not understand it refuses, so that no query passes by being ignored.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<span>\d+[dhms]\b)|(?P<number>\d+(?:\.\d+)?)
    |(?P<sign>\.\.|==|=~|!=|!~|>=|<=|[()*,<>=|;])|(?P<word>!?[\w$]+~?(?:\.\w+)*))""",
    re.VERBOSE,
)


class NotUnderstood(ValueError):
    """A query, or a part of one, that this imitation does not know."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


class Query:
    """A query that was read: its table, and what is done with the rows."""

    def __init__(self, text: str, now: datetime) -> None:
        self._now, self._values = now, dict[str, Any]()
        *lets, last = [part for part in split(tokens_of(text), ";") if part]
        for statement in lets:
            self._let(statement)
        (source, *self._stages) = split(last, "|")
        if len(source) != 1 or source[0].kind != "word":
            raise NotUnderstood(" ".join(token.text for token in source)[:40])
        self.table = source[0].text

    def run(self, rows: Sequence[Row]) -> tuple[list[Row], list[str] | None]:
        """The rows that come out, and the names of their columns if the query fixes them."""
        found, columns = list(rows), None
        for verb, *rest in self._stages:
            match verb.text:
                case "where":
                    holds = Expression(rest, self._values, self._now)
                    found = [row for row in found if holds(row)]
                case "project":
                    found, columns = self._projected(rest, found)
                case "summarize":
                    found, columns = self._summarized(rest, found)
                case "order" | "sort":
                    found = self._ordered(rest[1:], found)
                case "top":
                    found = self._ordered(rest[2:], found)[: int(rest[0].text)]
                case "take" | "limit":
                    found = found[: int(rest[0].text)]
                case _:
                    raise NotUnderstood(verb.text)
        return found, columns

    def _let(self, statement: list[Token]) -> None:
        word, name, sign, *rest = statement
        if word.text != "let" or sign.text != "=":
            raise NotUnderstood(word.text)
        self._values[name.text] = Expression(rest, self._values, self._now)({})

    def _projected(self, tokens: list[Token], rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
        columns = [self._named(part) for part in split(tokens, ",")]
        return [{name: value(row) for name, value in columns} for row in rows], [name for name, _ in columns]

    def _named(self, tokens: list[Token]) -> tuple[str, Callable[[Row], Any]]:
        """`name = expression`, or a column; `bin(x, 5m)` without a name is called for its column."""
        if len(tokens) > 1 and tokens[1].text == "=":
            return tokens[0].text, Expression(tokens[2:], self._values, self._now)
        name = tokens[2].text if tokens[0].text == "bin" else tokens[0].text
        return name, Expression(tokens, self._values, self._now)

    def _summarized(self, tokens: list[Token], rows: Sequence[Row]) -> tuple[list[Row], list[str] | None]:
        made, _, by = _halves(tokens, "by")
        keys = [self._named(part) for part in split(by, ",")] if by else []
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(value(row) for _, value in keys), []).append(row)
        aggregates = [_aggregate(part) for part in split(made, ",") if part]
        found: list[Row] = []
        for key, group in groups.items():
            result: dict[str, Any] = dict(zip((name for name, _ in keys), key, strict=True))
            for aggregate in aggregates:
                result |= aggregate(group)
            found.append(result)
        whole = any(token.text == "arg_max" for token in made)
        return found, None if whole else list(dict.fromkeys(name for row in found for name in row)) or None

    def _ordered(self, tokens: list[Token], rows: list[Row]) -> list[Row]:
        for part in reversed(split(tokens, ",")):
            descending = part[-1].text != "asc"
            rows = sorted(rows, key=lambda row, name=part[0].text: _sortable(row.get(name)), reverse=descending)  # type: ignore[misc]
        return rows


def _aggregate(tokens: list[Token]) -> Callable[[list[Row]], dict[str, Any]]:
    name = tokens[0].text
    if len(tokens) > 1 and tokens[1].text == "=":
        tokens = tokens[2:]
    function, column = tokens[0].text, tokens[2].text
    match function:
        case "count":
            return lambda rows: {name: len(rows)}
        case "min" | "max":
            choose = min if function == "min" else max
            return lambda rows: {name: choose(row[column] for row in rows if row.get(column) is not None)}
        case "arg_max":
            return lambda rows: _newest(rows, column)
    raise NotUnderstood(function)


def _newest(rows: list[Row], column: str) -> dict[str, Any]:
    row: Row = max(rows, key=lambda row: _sortable(row.get(column)))
    return dict(row)


class Expression:
    """`a == 'x' and (b in (1, 2) or not(c has 'y'))`, a call such as `bin(x, 5m)`, a literal or a column."""

    def __init__(self, tokens: list[Token], values: Mapping[str, Any], now: datetime) -> None:
        self._tokens, self._at, self._values, self._now = tokens, 0, values, now
        self._evaluate = self._or()
        if self._at != len(tokens):
            raise NotUnderstood(tokens[self._at].text)

    def __call__(self, row: Row) -> Any:
        return self._evaluate(row)

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise NotUnderstood("the end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, text: str) -> None:
        if (found := self._next().text) != text:
            raise NotUnderstood(found)

    def _or(self) -> Callable[[Row], Any]:
        left = self._and()
        while self._peek() == "or":
            self._next()
            left = (lambda a, b: lambda row: a(row) or b(row))(left, self._and())
        return left

    def _and(self) -> Callable[[Row], Any]:
        left = self._comparison()
        while self._peek() == "and":
            self._next()
            left = (lambda a, b: lambda row: a(row) and b(row))(left, self._comparison())
        return left

    def _comparison(self) -> Callable[[Row], Any]:
        left, sign = self._value(), self._peek()
        if sign in ("in", "in~", "!in", "has_any"):
            self._next()
            wanted = self._list()
            return lambda row: MANY[sign](left(row), [value(row) for value in wanted])
        if sign == "between":
            self._next()
            self._expect("(")
            low = self._value()
            self._expect("..")
            high = self._value()
            self._expect(")")
            return lambda row: left(row) is not None and low(row) <= left(row) <= high(row)
        if sign in ONE:
            self._next()
            right = self._value()
            return lambda row: ONE[sign](left(row), right(row))
        return left

    def _list(self) -> list[Callable[[Row], Any]]:
        self._expect("(")
        found = [self._value()]
        while self._peek() == ",":
            self._next()
            found.append(self._value())
        self._expect(")")
        return found

    def _value(self) -> Callable[[Row], Any]:
        token = self._next()
        if token.text == "(":
            inner = self._or()
            self._expect(")")
            return inner
        if token.kind != "word":
            literal = _literal(token)
            return lambda row: literal
        if self._peek() == "(":
            return self._call(token.text)
        name = token.text
        return lambda row: self._values[name] if name in self._values else _field(row, name)

    def _call(self, name: str) -> Callable[[Row], Any]:
        self._next()
        arguments = []
        while self._peek() != ")":
            arguments.append(self._or())
            if self._peek() == ",":
                self._next()
        self._expect(")")
        functions: dict[str, Callable[..., Any]] = {**FUNCTIONS, "now": lambda: self._now, "ago": lambda span: self._now - span}
        if name not in functions:
            raise NotUnderstood(name)
        return lambda row: functions[name](*(argument(row) for argument in arguments))


def _field(row: Row, name: str) -> Any:
    """A column, or a property of one: `properties.sourceResourceId`."""
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _literal(token: Token) -> Any:
    match token.kind:
        case "text":
            return unescaped(token.text[1:-1])
        case "span":
            return timedelta(**{UNITS[token.text[-1]]: int(token.text[:-1])})
        case "number":
            return float(token.text) if "." in token.text else int(token.text)
        case "time":
            return datetime.fromisoformat(token.text)
    raise NotUnderstood(token.text)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a query without its comments; `datetime(…)` is one of them."""
    text = re.sub(r"(?m)^\s*//.*$", "", text)
    found, at = [], 0
    while at < len(text.rstrip()):
        if time := re.compile(r"\s*datetime\(([^)]*)\)").match(text, at):
            found.append(Token("time", time[1]))
            at = time.end()
            continue
        match = _TOKEN.match(text, at)
        if not match:
            raise NotUnderstood(text[at : at + 40].strip())
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind]))
        at = match.end()
    return found


def split(tokens: Iterable[Token], separator: str) -> list[list[Token]]:
    """Split outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "sign" else "", 0)
        if depth == 0 and token.kind == "sign" and token.text == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _halves(tokens: list[Token], word: str) -> tuple[list[Token], bool, list[Token]]:
    at = next((index for index, token in enumerate(tokens) if token.text == word), len(tokens))
    return tokens[:at], at < len(tokens), tokens[at + 1 :]


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _bin(value: Any, step: timedelta) -> Any:
    """https://learn.microsoft.com/kusto/query/bin-function"""
    if not isinstance(value, datetime):
        return None
    beginning = datetime(1, 1, 1, tzinfo=UTC)
    return beginning + (value - beginning) // step * step


def has_term(said: str, wanted: str) -> bool:
    """KQL's `has`: the text, not in the middle of a word."""
    before = r"(?<![0-9A-Za-z])" if wanted[:1].isalnum() else ""
    behind = r"(?![0-9A-Za-z])" if wanted[-1:].isalnum() else ""
    return re.search(f"(?i){before}{re.escape(wanted)}{behind}", said) is not None


def unescaped(text: str) -> str:
    """A KQL string literal's text. https://learn.microsoft.com/kusto/query/scalar-data-types/string"""

    def plain(match: re.Match[str]) -> str:
        return chr(int(match[1], 16)) if match[1] else {"n": "\n", "t": "\t", "r": "\r"}.get(match[2], match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", plain, text)


def _both(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: a is not None and b is not None and compare(a, b)


ONE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: _text(a) == _text(b),
    "!=": lambda a, b: _text(a) != _text(b),
    "=~": lambda a, b: _text(a).lower() == _text(b).lower(),
    "!~": lambda a, b: _text(a).lower() != _text(b).lower(),
    ">": _both(operator.gt),
    ">=": _both(operator.ge),
    "<": _both(operator.lt),
    "<=": _both(operator.le),
    "has": lambda a, b: has_term(_text(a), _text(b)),
    "contains": lambda a, b: _text(b).lower() in _text(a).lower(),
    "startswith": lambda a, b: _text(a).lower().startswith(_text(b).lower()),
    "endswith": lambda a, b: _text(a).lower().endswith(_text(b).lower()),
}
MANY: dict[str, Callable[[Any, list[Any]], bool]] = {
    "in": lambda a, wanted: _text(a) in map(_text, wanted),
    "!in": lambda a, wanted: _text(a) not in map(_text, wanted),
    "in~": lambda a, wanted: _text(a).lower() in (_text(b).lower() for b in wanted),
    "has_any": lambda a, wanted: any(has_term(_text(a), _text(b)) for b in wanted),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "todatetime": lambda text: datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", _text(text))) if text else None,
    "tolower": lambda text: _text(text).lower(),
    "toupper": lambda text: _text(text).upper(),
    "tostring": _text,
    "not": operator.not_,
    "bin": _bin,
}
