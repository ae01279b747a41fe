"""Story: somebody sets a ticketing system up. Which there are, what each needs, and whether the one that is set answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.cli.example import Change, Example
from handlers.model.delivery import DEFAULT_TARGET
from handlers.settings import Settings
from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import Definition, bundled, load
from handlers.tickets.engine.dry_run import DryRun
from handlers.tickets.engine.expressions import BadExpression
from handlers.tickets.engine.session import ticket_session
from handlers.tickets.engine.target import Target
from handlers.wiring import definition, routes_of, settings_in


def listed() -> str:
    """Every bundled system with its options, as lines for a terminal."""
    return "\n".join(line for name in bundled() for line in _lines(name, load(name)))


def _lines(name: str, system: Definition) -> list[str]:
    needs = [word for needed, word in ((system.needs_user, "TICKET_USER"), (system.needs_secret, "TICKET_SECRET")) if needed]
    lines = [f"{name:26} {system.name}" + (f"; needs {', '.join(needs)}" if needs else "")]
    for option, about in system.options.items():
        lines.append(f"    {option:22} {'required: ' if about.required else ''}{about.about}")
    return lines


class Chosen(Struct, frozen=True):
    """A target of the app settings."""

    name: str
    settings: Settings
    system: Definition

    def client[T: Target](self, kind: type[T]) -> T:
        return kind(self.system, self.settings, ticket_session(), lambda: datetime.now(UTC), Azure(self.settings).token)

    def example(self) -> Example:
        return Example(self.settings.runbook_language, datetime.now(UTC))


def check(environment: Mapping[str, str]) -> str:
    """What is wrong with the systems that the app settings name, in plain words; empty when nothing is.

    Raises SettingsError or DefinitionError for settings that the app would not start with.
    """
    targets = chosen_targets(environment)
    wrong = ((target.name, _wrong_with_target(target)) for target in targets)
    return "\n".join(f"{name}: {what}" if len(targets) > 1 else what for name, what in wrong if what)


def _wrong_with_target(target: Chosen) -> str:
    if not target.system.check:
        return f"{target.system.name} has nothing harmless to ask: send a marked test ticket with `tickets check --send`."
    return _wrong_with(target.system, lambda: target.client(Target).check())


def dry_run(environment: Mapping[str, str]) -> str:
    """The requests that would be made for an example incident: of its first failure, a further one, and a good backup. Nothing is sent."""
    targets = chosen_targets(environment)
    return "\n\n".join(_titled(target, targets, "\n\n") + _requests(target) for target in targets)


def _requests(target: Chosen) -> str:
    client, example, ticket = target.client(DryRun), target.example(), Posted("ID", "URL")
    changes = (
        ("A failure", example.opened()),
        ("A further failure", example.updated(ticket)),
        ("A good backup", example.resolved(ticket)),
    )
    return "\n\n".join(f"# {what}\n\n{client.requests_for(change.event, change.id, change.parts)}" for what, change in changes)


def send(environment: Mapping[str, str]) -> Iterator[str]:
    """Opens a ticket that is marked as a test, notes on it, resolves it and reads it back: each step's outcome as a line.

    Raises TestFailed with what is wrong, SettingsError or DefinitionError.
    """
    targets = chosen_targets(environment)
    for target in targets:
        yield from filter(None, [_titled(target, targets)])
        yield from _sent_to(target)


def _titled(target: Chosen, among: Sequence[Chosen], after: str = "") -> str:
    return f"Target {target.name}:{after}" if len(among) > 1 else ""


def _sent_to(chosen: Chosen) -> Iterator[str]:
    system, target, example = chosen.system, chosen.client(Target), chosen.example()

    def posted(change: Change) -> Posted:
        return _done(system, lambda: target.post(change.event, change.id, parts=change.parts))

    ticket = posted(example.opened())
    yield f"Opened: {ticket.url or ticket.id or 'the system does not say which'}"
    first = example.updated(ticket)
    yield FOUND[_done(system, lambda: target.finds(first.event, first.id))]
    posted(first)
    yield "Noted a further failure on it."
    last = example.resolved(ticket)
    posted(last)
    yield "Resolved it."
    closed = _done(system, lambda: target.is_closed(last.event, last.id))
    if closed is False:
        raise TestFailed(STILL_OPEN.format(system.name))
    yield "Read it back: it is closed." if closed else f"{system.name} cannot be read: look at the ticket."


class TestFailed(Exception):
    """A step of the test ticket that did not do what it should; the text says what is wrong."""

    __test__ = False


STILL_OPEN = "{} took the change that resolves, and the ticket is still open: look at it, and at the options for its status."
FOUND = {
    True: "Found it again by its key.",
    False: "It was NOT found by its key: where a search lags that is all right; else look whether the account may write the field or label of the key.",
    None: "The system has no search, or needs none.",
}


def chosen_targets(environment: Mapping[str, str]) -> list[Chosen]:
    """TICKET_TARGET and each target of TICKET_ROUTES. Raises SettingsError or DefinitionError."""
    settings = settings_in(environment)
    routes = routes_of(settings, environment)
    by_name = {DEFAULT_TARGET: settings, **(routes.targets if routes else {})}
    return [Chosen(name, target, definition(target)) for name, target in by_name.items()]


def _done[T](system: Definition, act: Callable[[], T]) -> T:
    """What acting gives. Raises TestFailed."""
    outcome: list[T] = []
    if wrong := _wrong_with(system, lambda: outcome.append(act())):
        raise TestFailed(wrong)
    return outcome[0]


def _wrong_with(system: Definition, act: Callable[[], object]) -> str:
    try:
        act()
    except TicketNotPosted as refusal:
        return MEANING.get(refusal.status, "{}").format(refusal)
    except BadExpression as error:
        return f"The answer is not one of {system.name}: is TICKET_URL its address? ({error})"
    return ""


MEANING = {
    401: "{}: TICKET_USER and TICKET_SECRET are not accepted.",
    403: "{}: the credentials are good, but they may not do this.",
    404: "{}: is TICKET_URL the right address, and does the project exist for these credentials?",
    301: "{}: it redirects. Set TICKET_URL to where it leads.",
    302: "{}: it redirects, perhaps to a sign-in page. Is TICKET_URL the address of the API?",
}
