"""A reader for the little KQL that our queries use: it knows which columns each step has, and what a `parse` step matches.

It is no Kusto: there is none to be had here. It cannot tell types, nor what a query returns. What it does not know it refuses.
https://learn.microsoft.com/kusto/query/
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OPERATORS = {
    "where", "extend", "project", "summarize", "order", "sort", "top", "take", "distinct", "join", "parse", "count", "union",
}  # fmt: skip
FUNCTIONS = {
    "ago", "arg_max", "arg_min", "avg", "bin", "case", "coalesce", "count", "countif", "datetime", "dcount", "dcountif", "extract", "format_datetime",
    "iff", "ingestion_time",
    "isempty", "isnotempty", "isnotnull", "isnull", "make_set", "make_set_if", "max", "maxif", "min", "minif", "now", "percentile", "round",
    "split", "startofday", "strcat", "substring", "sum", "sumif", "take_any", "tolong", "tolower", "toint", "tostring",
}  # fmt: skip
WORDS = {
    "and", "or", "not", "in", "in~", "!in", "!in~", "has", "!has", "has_cs", "has_any", "has_all", "contains", "!contains", "contains_cs",
    "startswith", "!startswith", "startswith_cs", "!startswith_cs", "endswith", "endswith_cs", "matches", "regex", "between", "true", "false",
}  # fmt: skip
SCALARS = ("bool", "datetime", "dynamic", "int", "long", "real", "string", "timespan")
JOINS = ("inner", "leftouter", "leftanti", "innerunique")
COMPARISONS = ("==", "startswith", "startswith_cs", "has", "has_cs", "contains", "contains_cs")
TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)|(?P<text>@"[^"\n]*"|@'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<number>\d+(?:\.\d+)?(?:ms|d|h|m|s)?\b)"""
    r"""|(?P<word>(?:!(?=[a-z]))?[A-Za-z_]\w*~?)|(?P<sign>==|!=|<=|>=|=~|!~|\.\.|[|;,()\[\]=<>+\-*/%:.])"""
)


class BadQuery(AssertionError):
    """A query that uses what its tables do not have, or what this reader does not know."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    @property
    def value(self) -> str:
        """What a text token says; one that begins with @ says it as it stands."""
        return self.text[2:-1] if self.text.startswith("@") else re.sub(r"\\(.)", r"\1", self.text[1:-1])


Tokens = Sequence[Token]
Columns = frozenset[str]


RENDERED = {"{TimeRange:start}": "ago(30d)", "{TimeRange:end}": "now()"}
"""What a workbook puts in place of its parameters; of every other one `'*'`, which means all."""


def rendered(query: str) -> str:
    """A query as a workbook sends it."""
    for name, value in RENDERED.items():
        query = query.replace(name, value)
    return re.sub(r"\{[A-Z]\w+\}", "'*'", query)


def documented_parameters() -> dict[str, Columns]:
    """Of the functions among the tables."""
    found = tomllib.loads((Path(__file__).parent / "tables.toml").read_text(encoding="utf-8"))
    return {name: frozenset(table["parameters"].split()) for name, table in found.items() if "parameters" in table}


def documented_tables() -> dict[str, Columns]:
    found = tomllib.loads((Path(__file__).parent / "tables.toml").read_text(encoding="utf-8"))
    return {name: frozenset(table["columns"].split()) for name, table in found.items()}


def tokens_of(query: str) -> list[Token]:
    found, at = [], 0
    while at < len(query):
        match = TOKEN.match(query, at)
        if match is None:
            raise BadQuery(f"cannot be read: {query[at : at + 30]!r}")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0]))
        at = match.end()
    return found


def parts(tokens: Tokens, *separators: str) -> list[Tokens]:
    """Split where a separator stands outside brackets."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        opens = token.kind == "sign"
        depth += (opens and token.text in "([") - (opens and token.text in ")]")
        if depth == 0 and token.text in separators and token.kind in ("sign", "word"):
            found.append([])
        else:
            found[-1].append(token)
    if depth:
        raise BadQuery("brackets do not match")
    return [*found]


@dataclass
class Reader:
    """Reads one query: every column that a step uses must be there by then."""

    tables: Mapping[str, Columns]
    lets: dict[str, Columns] = field(default_factory=dict)
    scalars: set[str] = field(default_factory=set)

    def read(self, query: str) -> Columns:
        """The columns of the query's result."""
        *lets, last = [part for part in parts(tokens_of(query), ";") if part]
        for statement in lets:
            self._let(statement)
        return self._pipe(last)

    def _let(self, statement: Tokens) -> None:
        if len(statement) < 4 or statement[0].text != "let" or statement[2].text != "=":
            raise BadQuery(f"no let statement: {_shown(statement)}")
        name, value = statement[1].text, statement[3:]
        if value[0].text in self.tables or value[0].text in self.lets:
            self.lets[name] = self._pipe(value)
        else:
            self._expression(value, frozenset())
            self.scalars.add(name)

    def _pipe(self, tokens: Tokens) -> Columns:
        source, *steps = parts(tokens, "|")
        columns = self._source(source)
        for step in steps:
            name = step[0].text if step else ""
            if name not in OPERATORS:
                raise BadQuery(f"the operator {name!r} is not one that we use")
            columns = getattr(self, f"_{name}")(step[1:], columns)
        return columns

    def _source(self, tokens: Tokens) -> Columns:
        if tokens and tokens[0].text == "datatable":
            return _columns_of(tokens[1:])
        if len(tokens) > 2 and tokens[0].text in self.tables and tokens[1].text == "(":
            return self._call(tokens[0].text, tokens[2:-1])
        if tokens and tokens[0].text == "union":
            return self._union(tokens[1:], frozenset())
        if len(tokens) == 1 and tokens[0].text in self.lets:
            return self.lets[tokens[0].text]
        if len(tokens) == 1 and tokens[0].text in self.tables:
            return self.tables[tokens[0].text]
        raise BadQuery(f"tests/infra/tables.toml does not know the table {_shown(tokens)}")

    def _call(self, name: str, given: Tokens) -> Columns:
        """A function that stands for a table; its arguments are named."""
        for part in parts(given, ","):
            if len(part) < 3 or part[1].text != "=" or part[0].text not in documented_parameters().get(name, ()):
                raise BadQuery(f"{name} has no such parameter: {_shown(part)}")
            self._expression(part[2:], frozenset())
        return self.tables[name]

    # ---------------------------------------------------------------- operators: what a step makes of the columns

    def _where(self, tokens: Tokens, columns: Columns) -> Columns:
        self._expression(tokens, columns)
        return columns

    def _extend(self, tokens: Tokens, columns: Columns) -> Columns:
        return columns | self._named(tokens, columns)

    def _project(self, tokens: Tokens, columns: Columns) -> Columns:
        return self._named(tokens, columns)

    _distinct = _project

    def _summarize(self, tokens: Tokens, columns: Columns) -> Columns:
        made = [self._named(part, columns) for part in parts(tokens, "by") if part]
        return frozenset().union(*made)

    def _order(self, tokens: Tokens, columns: Columns) -> Columns:
        if not tokens or tokens[0].text != "by":
            raise BadQuery(f"order without by: {_shown(tokens)}")
        for part in parts(tokens[1:], ","):
            self._expression([token for token in part if token.text not in ("asc", "desc")], columns)
        return columns

    _sort = _order

    def _top(self, tokens: Tokens, columns: Columns) -> Columns:
        return self._order(tokens[1:], columns)

    def _take(self, tokens: Tokens, columns: Columns) -> Columns:
        return self._where(tokens, columns)

    def _count(self, tokens: Tokens, columns: Columns) -> Columns:
        return frozenset({"Count"})

    def _join(self, tokens: Tokens, columns: Columns) -> Columns:
        kind, (right, on) = [token.text for token in tokens[:3]], parts(tokens[3:], "on")
        if kind[:2] != ["kind", "="] or kind[2] not in JOINS:
            raise BadQuery(f"a join of an unknown kind: {' '.join(kind)}")
        joined = self._pipe(right[1:-1] if right[0].text == "(" else right)
        for part in parts(on, ","):
            self._expression(part, columns & joined)
        return columns | joined

    def _union(self, tokens: Tokens, columns: Columns) -> Columns:
        fuzzy = [token.text for token in tokens[:3]] == ["isfuzzy", "=", "true"]
        tokens = tokens[3:] if fuzzy else tokens
        listed = [part[1:-1] if part[0].text == "(" else part for part in parts(tokens, ",")]
        return columns.union(*map(self._pipe, listed))

    def _parse(self, tokens: Tokens, columns: Columns) -> Columns:
        subject, pattern = parts(tokens, "with")
        self._expression(subject, columns)
        names = frozenset(name for name, _ in _parsed(pattern) if name)
        if hidden := names & columns:
            raise BadQuery(f"parse hides the column {sorted(hidden)[0]}")
        return columns | names

    # ---------------------------------------------------------------- expressions

    def _named(self, tokens: Tokens, columns: Columns) -> Columns:
        """The columns that a list of `Name = expression` and bare expressions makes."""
        made: set[str] = set()
        for part in parts(tokens, ","):
            named = len(part) > 2 and part[0].kind == "word" and part[1].text == "="
            expression = part[2:] if named else part
            self._expression(expression, columns)
            made |= {part[0].text} if named else self._made_by(expression, columns)
        return frozenset(made)

    def _made_by(self, expression: Tokens, columns: Columns) -> set[str]:
        function = expression[0].text if expression else ""
        if function in ("arg_max", "arg_min"):
            kept = {token.text for token in expression[1:] if token.kind == "word"}
            return set(columns) if any(token.text == "*" for token in expression) else kept
        if len(expression) == 1:
            return {function}
        if function == "count":
            return {"count_"}
        raise BadQuery(f"give it a name: {_shown(expression)}")

    def _expression(self, tokens: Tokens, columns: Columns) -> None:
        if not tokens:
            raise BadQuery("an expression is missing")
        for at, token in enumerate(tokens):
            if token.kind != "word" or token.text in WORDS or (at and tokens[at - 1].text == "."):
                continue
            if at + 1 < len(tokens) and tokens[at + 1].text == "(":
                if token.text not in FUNCTIONS:
                    raise BadQuery(f"the function {token.text!r} is not one that we use")
            elif token.text not in columns and token.text not in self.scalars:
                raise BadQuery(f"there is no column {token.text!r}")


def _columns_of(tokens: Tokens) -> Columns:
    """Of `datatable(Name: type, …)[]`, a table without rows."""
    *declared, opened, closed = tokens
    if (opened.text, closed.text) != ("[", "]") or declared[0].text != "(":
        raise BadQuery(f"no empty datatable: {_shown(tokens)}")
    pairs = [[token.text for token in part] for part in parts(declared[1:-1], ",")]
    if any(len(pair) != 3 or pair[1] != ":" or pair[2] not in SCALARS for pair in pairs):
        raise BadQuery(f"columns need a name and a type: {_shown(tokens)}")
    return frozenset(pair[0] for pair in pairs)


def survives_a_missing_table(query: str, tables: Collection[str]) -> bool:
    """Whether a query runs, without rows, before its tables have had their first.

    They are legs of a fuzzy union then, beside an empty table that has every column that the query uses.
    """
    *lets, last = [part for part in parts(tokens_of(query), ";") if part]
    source = parts(last, "|")[0]
    fuzzy = [token.text for token in source[:4]] == ["union", "isfuzzy", "=", "true"]
    declared = [part for part in parts(source[4:], ",") if len(part) > 1 and part[1].text == "datatable"]
    if lets or not fuzzy or len(declared) != 1:
        return False
    there = Reader(dict.fromkeys(tables, _columns_of(declared[0][2:-1])))
    try:
        there.read(query)
    except BadQuery:
        return False
    outside = [token.text for token in last[len(source) :]]
    return not set(outside) & set(tables)


def read(query: str, tables: Mapping[str, Columns]) -> Columns:
    """The columns of a query's result. Raises BadQuery."""
    return Reader(tables).read(query)


# -------------------------------------------------------------------------------------------- what a query looks for in log lines

TYPES: dict[str, tuple[str, Callable[[str], object]]] = {
    "": (".*?", str), "string": (".*?", str), "long": (r"-?\d+", int), "int": (r"-?\d+", int),
}  # fmt: skip


def _parsed(pattern: Tokens) -> Iterator[tuple[str, str]]:
    """Of a parse pattern, piece by piece: a column's name and its expression, or an empty name and one for fixed text."""
    at = 0
    while at < len(pattern):
        token = pattern[at]
        typed = at + 2 < len(pattern) and pattern[at + 1].text == ":"
        if token.kind == "text":
            yield "", re.escape(token.value)
        elif token.text == "*":
            yield "", ".*?"
        elif token.kind == "word" and (not typed or pattern[at + 2].text in TYPES):
            yield token.text, TYPES[pattern[at + 2].text if typed else ""][0]
            at += 2 * typed
        else:
            raise BadQuery(f"an unknown piece of a parse pattern: {token.text!r}")
        at += 1


def line_patterns(query: str) -> list[re.Pattern[str]]:
    """Each `parse` step as a regular expression: the whole text from its beginning, columns as short as they can be."""
    found = []
    for step in _steps(query, "parse"):
        _, pattern = parts(step[1:], "with")
        pieces = (f"(?P<{name}>{piece})" if name else piece for name, piece in _parsed(pattern))
        found.append(re.compile("".join(pieces), re.DOTALL))
    return found


def message_extracts(query: str) -> list[re.Pattern[str]]:
    """Each regular expression with which a query extracts from `Message`. Kusto's RE2 and Python agree on the plain ones that we use."""
    found = [token.text for token in tokens_of(query)]
    texts = [token.value if token.kind == "text" else "" for token in tokens_of(query)]
    ends = [at for at in range(len(found) - 6) if found[at : at + 2] == ["extract", "("] and found[at + 6] == "Message"]
    return [re.compile(texts[at + 2]) for at in ends]


def message_tests(query: str) -> list[tuple[str, str]]:
    """Each comparison of `Message` with a text: the operator and the text."""
    found = tokens_of(query)
    return [
        (found[at + 1].text, found[at + 2].value)
        for at, token in enumerate(found[:-2])
        if token.text == "Message" and found[at + 1].text in COMPARISONS and found[at + 2].kind == "text"
    ]


def holds(operator: str, text: str, line: str) -> bool:
    """Whether a comparison holds for a line. `has` is taken as a part of the line: whole words are Kusto's business."""
    if not operator.endswith("_cs") and operator != "==":
        text, line = text.lower(), line.lower()
    match operator.removesuffix("_cs"):
        case "==":
            return line == text
        case "startswith":
            return line.startswith(text)
        case _:
            return text in line


def _steps(query: str, name: str) -> Iterator[Tokens]:
    for statement in parts(tokens_of(query), ";"):
        yield from (step for step in parts(statement, "|") if step and step[0].text == name)


def used_tables(query: str, tables: Collection[str]) -> set[str]:
    return {token.text for token in tokens_of(query)} & set(tables)


def _shown(tokens: Tokens) -> str:
    return " ".join(token.text for token in tokens)[:60] or "nothing"
