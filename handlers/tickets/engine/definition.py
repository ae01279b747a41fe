"""A ticketing system as one TOML file: how it is asked, what its answers mean, what it takes. docs/tickets/README.md explains each key.

The files that come with the app are right, which tests show, and are not checked at start. A team's own file is: `own_file.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from handlers.tickets.engine.option_shapes import misshapen, shape_of
from handlers.tickets.engine.signature import signing_key

FOLDER = Path(__file__).parent.parent
STEPS = ("open", "update", "resolve", "reopen", "attach", "find", "read", "check")


class AuthKind(StrEnum):
    """How a system learns who we are; docs/tickets/README.md says what each needs."""

    NONE = "none"
    BASIC = "basic"
    HEADER = "header"
    BODY = "body"
    STANDARD_WEBHOOKS = "standard_webhooks"
    MANAGED_IDENTITY = "managed_identity"
    GITHUB_APP = "github_app"


class DefinitionError(ValueError):
    """A target's file that cannot be used, or an option that it needs; the text is one line that names it."""


class Option(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry that TICKET_OPTIONS may hold."""

    about: str
    required: bool = False
    default: Any = None
    shape: str = ""
    """A key of `SHAPES`; empty: that of the default."""
    choices: Sequence[str] = ()
    """What it may be; empty: anything."""
    sets: Sequence[str] = ()
    """The fields of a new ticket that it sets and that a ticket can do without; `+`: those that its own keys name. An answer that
    refuses a new ticket and names one of them is followed by the same ticket without it."""


OAUTH = {
    "oauth": Option(
        'instead of a lasting secret: a token by OAuth 2 client credentials, {"token_url": "https://…", "scope": "…"}; TICKET_USER is the client\'s id, '
        "TICKET_SECRET its secret",
        shape="table",
    )
}
"""Every system that takes a secret in a header takes such a token, too."""
ATTACH = {
    "attach": Option(
        "which files are added to a ticket: when its text was cut the whole runbook, and the members of a storm (`needed`); the runbook with each text "
        "(`always`); none (`never`)",
        default="needed",
        choices=("needed", "always", "never"),
    )
}
"""Every system that takes files."""


class Auth(Struct, frozen=True, forbid_unknown_fields=True):
    """`header` and `value` for the kind `header`, and for `basic` without a user; `{user}` and `{secret}` stand for TICKET_USER and
    TICKET_SECRET."""

    kind: str = AuthKind.NONE
    header: str = "Authorization"
    value: str = "Bearer {secret}"
    field: str = ""
    """For `body`: the entry of each JSON body that holds the secret."""
    scope: str = ""
    """For `managed_identity`, used when TICKET_SECRET is empty: whom the token is for."""


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """What the system takes: a key of `MARKUPS` or `none`, the most characters (bytes for JSON markups), and of a title."""

    markup: str
    most: int
    title: int


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """What answers mean, beyond what their status says (engine/course.py)."""

    permanent: Sequence[int] = (400, 413, 422)
    """Statuses after which the same page is useless, and a few plain words may do."""
    wait: str = ""
    """An expression for the seconds to stay away."""
    gone: Sequence[int] = (404, 410)
    """Statuses that say of a known ticket, when it is read, that it is not there any more."""
    ticket: Sequence[int] = ()
    """For a system that knows its tickets by our key: statuses that concern one ticket, not the address."""
    configuration: str = ""
    """Whether a refusal about a known ticket is about a right of ours or a field instead."""
    create_seconds: int = 30
    """How long an answer to a new ticket may take."""
    search_again_seconds: int = 30
    """How long the search may lag: a ticket whose answer was lost is looked for a second time so much later."""


class Ticket(Struct, frozen=True, forbid_unknown_fields=True):
    """How the system's own object for a ticket is read: expressions over `one`."""

    id: str
    url: str = ""
    closed: str = ""
    final: str = ""
    """Closed, and nothing opens it again."""
    silenced: str = ""
    """Closed with one of the words of the option `silence`."""
    merged: str = ""
    """It was merged into another one, which is what was read."""
    gone: str = ""
    """It is not there any more, or belongs to somebody else."""
    description: str = ""
    """The text of its description, where updates replace it while nobody else has written into it."""
    mark: str = ""
    """Where the mark of that text is kept, for a system whose descriptions have no room for it."""
    attaches: bool = False
    """Updates bring the whole page along as a file."""
    carries_key: str = ""
    """Whether it carries our key itself: a found ticket is believed only then."""
    answers_key: bool = False
    """The answer to a new ticket shows whether it carries our key."""
    known_by_key: bool = False
    """The system knows its tickets by our key: a change of one needs no id."""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One request. `take` names values of its answer for later steps, `expect` is what must hold of it."""

    path: str
    method: str = "POST"
    when: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    body: str = ""
    """An expression whose text is sent as it is, as a file."""
    form: bool = False
    """`file` is sent as a browser's form sends a file."""
    content_type: str = "application/json"
    take: Mapping[str, str] = field(default_factory=dict)
    expect: str = ""
    otherwise: str = ""
    """What is wrong when `expect` does not hold: a text or an expression."""
    permanent: str = ""
    """When `expect` does not hold: whether the same again is useless."""
    gone: str = ""
    """When `expect` does not hold: whether the known ticket is not there any more, for a system that says so with a 200."""
    accept: Sequence[int] = ()
    """Statuses above 399 that are as good as a success here."""


class Definition(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    """As the vendor writes it."""
    docs: str
    file: str
    ticket: Ticket
    text: Text
    open: Sequence[Step]
    update: Sequence[Step]
    resolve: Sequence[Step]
    reopen: Sequence[Step] = ()
    attach: Sequence[Step] = ()
    """Adds one file, which is called `file`, to a ticket that was just written."""
    find: Sequence[Step] = ()
    """Ends with `candidates` taken: the objects among which ours may be. Empty: the system has no search, or needs none."""
    read: Sequence[Step] = ()
    """Reads the ticket: `one`, or else the last answer, is then asked whether it is `ticket.closed`."""
    check: Sequence[Step] = ()
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

    @property
    def known_options(self) -> Mapping[str, Option]:
        """Its own, and those that each system of its kind of authentication knows."""
        takes_tokens = self.auth.kind in (AuthKind.BASIC, AuthKind.HEADER, AuthKind.MANAGED_IDENTITY)
        return {**self.options, **(OAUTH if takes_tokens else {}), **(ATTACH if self.attach else {})}

    @property
    def lease_seconds(self) -> int:
        """How long a try may take: the slowest answer, and the requests around it."""
        return self.answers.create_seconds + 30

    def check_credentials(self, user: str, secret: str) -> None:
        """Raises DefinitionError for a setting that the system needs and that is not set."""
        for needed, name, value in ((self.needs_user, "TICKET_USER", user), (self.needs_secret, "TICKET_SECRET", secret)):
            if needed and not value:
                raise DefinitionError(f"{name} is required for TICKET_TARGET {self.file.removesuffix('.toml')}.")
        if self.auth.kind == AuthKind.STANDARD_WEBHOOKS:
            signing_key(secret)
        if self.auth.kind == AuthKind.GITHUB_APP and user:
            from handlers.tickets.engine.tokens import private_key

            private_key(secret)

    def options_of(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """TICKET_OPTIONS with defaults. Raises DefinitionError for one that is missing or unknown."""
        known_options = self.known_options
        for name, option in known_options.items():
            if option.required and given.get(name) in (None, ""):
                raise DefinitionError(f"TICKET_OPTIONS lacks {name!r} for {self.file}: {option.about}")
        for name in given:
            if name not in known_options:
                known = ", ".join(known_options) or "none"
                raise DefinitionError(f"TICKET_OPTIONS holds {name[:40]!r}, which {self.file} does not know; known: {known}")
        for name, option in known_options.items():
            shape = option.shape or shape_of(option.default)
            for problem in misshapen(name, given.get(name), shape, tuple(option.choices), option.default):
                raise DefinitionError(f"TICKET_OPTIONS: {problem} ({option.about})")
        _check_oauth(given.get("oauth"))
        return {name: merged(option.default, given.get(name)) for name, option in known_options.items()}


def bundled() -> list[str]:
    """The names of the targets that come with the app."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, own_file: str = "") -> Definition:
    """A bundled target by name, or a team's own: the path of its file, or the file's text itself. Raises DefinitionError."""
    if own_file:
        from handlers.tickets.engine.own_file import read_own_file

        return read_own_file(own_file)
    if name not in bundled():
        raise DefinitionError(f"TICKET_TARGET is {name[:40]!r}; it must be one of: {', '.join(bundled())}")
    return definition_of(bundled_table(name), f"{name}.toml")


def bundled_table(name: str) -> dict[str, Any]:
    return table_of((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")


def table_of(text: str, file: str) -> dict[str, Any]:
    """A file's keys; those that it lacks from the bundled file that it is `based_on`. Raises DefinitionError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: not TOML: {error}") from None
    base = table.pop("based_on", None)
    if base is None:
        return table
    if base not in bundled() or file == f"{base}.toml":
        raise DefinitionError(f"{file}: based_on: {base!r} is not another system of: {', '.join(bundled())}")
    under = bundled_table(base)
    return {key: merged(under.get(key), table.get(key)) for key in under | table}


def definition_of(table: Mapping[str, Any], file: str) -> Definition:
    """What a file says that is known to be right."""
    parts: dict[str, Any] = {
        "ticket": Ticket(**table["ticket"]),
        "text": Text(**table["text"]),
        "auth": Auth(**table.get("auth", {})),
        "answers": Answers(**table.get("answers", {})),
        "options": {name: Option(**option) for name, option in table.get("options", {}).items()},
    }
    steps = {key: [Step(**step) for step in table.get(key, ())] for key in STEPS}
    return Definition(**{**table, **parts, **steps, "file": file})


def _check_oauth(oauth: Any) -> None:
    """Raises DefinitionError for a part of the option `oauth` that is missing, unknown or no text."""
    if oauth is None:
        return
    names = ("token_url", "scope", "audience", "resource", "client_auth")
    for name in oauth:
        if name not in names:
            raise DefinitionError(f"TICKET_OPTIONS: oauth.{str(name)[:40]} is not known; known: {', '.join(names)}")
    if not isinstance(oauth.get("token_url"), str):
        raise DefinitionError("TICKET_OPTIONS: oauth.token_url is missing, or is no text: the address that gives tokens")
    for name in names[1:]:
        for problem in misshapen(f"oauth.{name}", oauth.get(name), "text", ("body", "basic") if name == "client_auth" else ()):
            raise DefinitionError(f"TICKET_OPTIONS: {problem}")


def merged(default: Any, given: Any) -> Any:
    """A mapping that is given replaces single entries of the default's."""
    if isinstance(default, Mapping) and isinstance(given, Mapping):
        return {**default, **given}
    return default if given is None else given
