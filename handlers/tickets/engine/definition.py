"""A ticketing system as one TOML file: how it is asked, what its answers mean, what it takes. docs/tickets/README.md explains each key.

Reading a file finds every key that is unknown or missing; the texts of DefinitionError name the file and the place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from handlers.tickets.engine.signature import signing_key

FOLDER = Path(__file__).parent.parent
OPERATIONS = ("open", "update", "resolve", "reopen")
MARKUP_NAMES = ("none", "gfm", "html", "adf", "textile", "mrkdwn", "card", "plain")
AUTH_KINDS = ("none", "basic", "header", "body", "standard_webhooks", "managed_identity")


class DefinitionError(ValueError):
    """A target's file that cannot be used, or an option that it needs; the text is one line that names it."""


@dataclass(frozen=True, slots=True)
class Option:
    """One entry that TICKET_OPTIONS may hold."""

    about: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Auth:
    """`header` and `value` for the kind `header`, and for `basic` without a user; `{user}` and `{secret}` stand for TICKET_USER and
    TICKET_SECRET."""

    kind: str = "none"
    header: str = "Authorization"
    value: str = "Bearer {secret}"
    field: str = ""
    """For `body`: the entry of each JSON body that holds the secret."""
    scope: str = ""
    """For `managed_identity`, used when TICKET_SECRET is empty: whom the token is for."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the system takes: a key of `MARKUPS`, the most characters (bytes for JSON markups), and of a title."""

    markup: str
    most: int
    title: int


@dataclass(frozen=True, slots=True)
class Answers:
    """`permanent`: statuses after which the same request is useless. `wait`: an expression for the seconds to stay away."""

    permanent: tuple[int, ...] = (400, 413, 422)
    wait: str = ""
    gone: tuple[int, ...] = (404, 410)
    """Statuses that say of a known ticket that it is not there any more."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """How the system's own object for a ticket is read: expressions over `one`."""

    id: str
    url: str = ""
    closed: str = ""
    carries_key: str = ""
    """Whether it carries our key itself: a found ticket is believed only then."""
    known_by_key: bool = False
    """The system knows its tickets by our key: a change of one needs no id."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `take` names values of its answer for later steps, `expect` is what must hold of it."""

    path: str
    method: str = "POST"
    when: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content_type: str = "application/json"
    take: Mapping[str, str] = field(default_factory=dict)
    expect: str = ""
    otherwise: str = ""
    """What is wrong when `expect` does not hold: a text or an expression."""
    permanent: str = ""
    """When `expect` does not hold: whether the same again is useless."""
    gone: str = ""
    """When `expect` does not hold: whether the known ticket is not there any more, for a system that says so with a 200."""
    accept: tuple[int, ...] = ()
    """Statuses above 399 that are as good as a success here."""


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    """As the vendor writes it."""
    docs: str
    file: str
    ticket: Ticket
    text: Text
    open: tuple[Step, ...]
    update: tuple[Step, ...]
    resolve: tuple[Step, ...]
    reopen: tuple[Step, ...] = ()
    find: tuple[Step, ...] = ()
    """Ends with `candidates` taken: the objects among which ours may be. Empty: the system has no search, or needs none."""
    read: tuple[Step, ...] = ()
    """Reads the ticket: `one`, or else the last answer, is then asked whether it is `ticket.closed`."""
    check: tuple[Step, ...] = ()
    """Harmless requests that show whether settings and rights are right."""
    names: Mapping[str, Any] = field(default_factory=dict)
    """Expressions, or tables of them, that every step may use by name."""
    options: Mapping[str, Option] = field(default_factory=dict)
    auth: Auth = field(default_factory=Auth)
    answers: Answers = field(default_factory=Answers)
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Sent with every request."""
    needs_user: bool = False
    needs_secret: bool = True

    def check_credentials(self, user: str, secret: str) -> None:
        """Raises DefinitionError for a setting that the system needs and that is not set."""
        for needed, name, value in ((self.needs_user, "TICKET_USER", user), (self.needs_secret, "TICKET_SECRET", secret)):
            if needed and not value:
                raise DefinitionError(f"{name} is required for TICKET_TARGET {self.file.removesuffix('.toml')}.")
        if self.auth.kind == "standard_webhooks":
            signing_key(secret)

    def options_of(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """TICKET_OPTIONS with defaults. Raises DefinitionError for one that is missing or unknown."""
        for name, option in self.options.items():
            if option.required and given.get(name) in (None, ""):
                raise DefinitionError(f"TICKET_OPTIONS lacks {name!r} for {self.file}: {option.about}")
        for name in given:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise DefinitionError(f"TICKET_OPTIONS holds {name[:40]!r}, which {self.file} does not know; known: {known}")
        return {name: _merged(option.default, given.get(name)) for name, option in self.options.items()}


def bundled() -> list[str]:
    """The names of the targets that come with the app."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, own_file: str = "") -> Definition:
    """A bundled target by name, or a team's own: the path of its file, or the file's text itself. Raises DefinitionError."""
    if not own_file:
        if name not in bundled():
            raise DefinitionError(f"TICKET_TARGET is {name[:40]!r}; it must be one of: {', '.join(bundled())}")
        return read((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")
    if "\n" in own_file:
        return read(own_file, "TICKET_TARGET_FILE")
    try:
        return read(Path(own_file).read_text(encoding="utf-8"), Path(own_file).name)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"TICKET_TARGET_FILE cannot be read: {type(error).__name__}") from None


def read(text: str, file: str) -> Definition:
    """A target's file. Raises DefinitionError."""
    table = _table(text, file)
    values: dict[str, Any] = {"file": file}
    makers = {"ticket": Ticket, "text": Text, "auth": Auth, "answers": Answers}
    known = {item.name for item in fields(Definition)} - {"file"}
    for key, value in table.items():
        if key not in known:
            raise DefinitionError(f"{file}: {key}: there is no such key; known are {', '.join(sorted(known))}")
        if key in makers:
            values[key] = _made(makers[key], value, file, key)
        elif key in (*OPERATIONS, "find", "read", "check"):
            values[key] = tuple(_made(Step, step, file, f"{key}[{index}]") for index, step in enumerate(_list(value, file, key)))
        elif key == "options" and isinstance(value, Mapping):
            values[key] = {name: _made(Option, option, file, f"options.{name}") for name, option in value.items()}
        else:
            values[key] = value
    for missing in _missing(values):
        raise DefinitionError(f"{file}: {missing}: is missing")
    _check_types(Definition, values, file, "")
    made = Definition(**values)
    for problem in _problems(made):
        raise DefinitionError(f"{file}: {problem}")
    return made


def _table(text: str, file: str) -> dict[str, Any]:
    """A file's keys; those that it lacks from the bundled file that it is `based_on`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: not TOML: {error}") from None
    base = table.pop("based_on", None)
    if base is None:
        return table
    if base not in bundled() or file == f"{base}.toml":
        raise DefinitionError(f"{file}: based_on: {base!r} is not another system of: {', '.join(bundled())}")
    under = _table((FOLDER / f"{base}.toml").read_text(encoding="utf-8"), f"{base}.toml")
    return {key: _merged(under.get(key), table.get(key)) for key in under | table}


def _missing(values: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for name in ("name", "docs", "ticket", "text", "open", "update", "resolve") if not values.get(name))


def _problems(made: Definition) -> Iterator[str]:
    if made.auth.kind not in AUTH_KINDS:
        yield f"auth.kind: {made.auth.kind!r} is not one of {', '.join(AUTH_KINDS)}"
    if made.auth.kind == "body" and not made.auth.field:
        yield "auth.field: is missing, and the secret goes into the body"
    if made.text.markup not in MARKUP_NAMES:
        yield f"text.markup: {made.text.markup!r} is not one of {', '.join(MARKUP_NAMES)}"
    if made.find and "candidates" not in made.find[-1].take:
        yield "find: its last step takes no `candidates`"
    for place, condition in _conditions(made):
        if condition and not condition.startswith("="):
            yield f"{place}: must be an expression, begun with ="
    if made.read and not made.ticket.closed:
        yield "ticket.closed: is missing, and a ticket is read to know it"
    if made.find and not made.ticket.carries_key:
        yield "ticket.carries_key: is missing, and without it a found ticket may be somebody else's"


def _conditions(made: Definition) -> Iterator[tuple[str, str]]:
    yield from (
        ("ticket.closed", made.ticket.closed),
        ("ticket.carries_key", made.ticket.carries_key),
        ("answers.wait", made.answers.wait),
    )
    for key in (*OPERATIONS, "find", "read", "check"):
        for index, step in enumerate(getattr(made, key)):
            yield from ((f"{key}[{index}].{name}", getattr(step, name)) for name in ("when", "expect", "permanent", "gone"))
            yield from ((f"{key}[{index}].take.{name}", taken) for name, taken in step.take.items())


def check_expressions(made: Definition) -> None:
    """See that every expression of a file can be read. Raises DefinitionError. Imports Jinja: not for the start of the app."""
    from handlers.tickets.engine.expressions import BadExpression, compiled, expressions_in

    for item in fields(made):
        value = getattr(made, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            plain = asdict(part) if is_dataclass(part) and not isinstance(part, type) else part
            for expression in expressions_in(plain):
                try:
                    compiled(expression)
                except BadExpression as error:
                    raise DefinitionError(f"{made.file}: {item.name}: {error}") from None


def _list(value: Any, file: str, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise DefinitionError(f"{file}: {key}: must be steps, each begun with [[{key}]]")
    return value


def _made[T](kind: type[T], table: Any, file: str, place: str) -> T:
    if not isinstance(table, dict):
        raise DefinitionError(f"{file}: {place}: must be a table")
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise DefinitionError(f"{file}: {place}.{key}: there is no such key; known are {', '.join(sorted(known))}")
    values = {key: tuple(value) if key in ("permanent", "gone", "accept") and isinstance(value, list) else value
              for key, value in table.items()}  # fmt: skip
    _check_types(kind, values, file, f"{place}.")
    try:
        return kind(**values)
    except TypeError as error:
        missing = str(error).rpartition(": ")[2]
        raise DefinitionError(f"{file}: {place}: lacks {missing}") from None


TYPES: dict[str, tuple[type, str]] = {
    "str": (str, "a text"), "bool": (bool, "true or false"), "int": (int, "a number"), "tuple[int, ...]": (tuple, "a list of numbers"),
    "Mapping[str, Any]": (Mapping, "a table"), "Mapping[str, str]": (Mapping, "a table of texts"), "Mapping[str, Option]": (Mapping, "a table"),
}  # fmt: skip


def _check_types(kind: type[Any], values: Mapping[str, Any], file: str, place: str) -> None:
    for item in fields(kind):
        type_, words = TYPES.get(str(item.type), (object, ""))
        value = values.get(item.name)
        wrong = item.name in values and not isinstance(value, type_)
        if wrong or (words == "a table of texts" and not all(isinstance(text, str) for text in (value or {}).values())):
            raise DefinitionError(f"{file}: {place}{item.name}: must be {words}")


def _merged(default: Any, given: Any) -> Any:
    """A mapping that is given replaces single entries of the default's."""
    if isinstance(default, Mapping) and isinstance(given, Mapping):
        return {**default, **given}
    return default if given is None else given
