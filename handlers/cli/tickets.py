"""Story: somebody sets a ticketing system up. Which there are, what each needs, and whether the one that is set answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from handlers.settings import Settings
from handlers.tickets.engine.definition import Definition, bundled, load


def listed() -> str:
    """Every bundled system with its options, as lines for a terminal."""
    return "\n".join(line for name in bundled() for line in _lines(name, load(name)))


def _lines(name: str, system: Definition) -> list[str]:
    needs = [word for needed, word in ((system.needs_user, "TICKET_USER"), (system.needs_secret, "TICKET_SECRET")) if needed]
    lines = [f"{name:26} {system.name}" + (f"; needs {', '.join(needs)}" if needs else "")]
    for option, about in system.options.items():
        lines.append(f"    {option:22} {'required: ' if about.required else ''}{about.about}")
    return lines


def check(environment: Mapping[str, str]) -> str:
    """What is wrong with the system that the app settings name, in plain words; empty when nothing is.

    Raises SettingsError or DefinitionError for settings that the app would not start with.
    """
    from handlers.azure.arm import Azure
    from handlers.tickets.answers import TicketNotPosted
    from handlers.tickets.engine.expressions import BadExpression
    from handlers.tickets.engine.session import ticket_session
    from handlers.tickets.engine.target import Target

    settings = Settings.from_environment(environment)
    system = load(settings.ticket_target, settings.ticket_target_file)
    system.check_credentials(settings.ticket_user, settings.ticket_secret)
    target = Target(system, settings, ticket_session(), lambda: datetime.now(UTC), Azure(settings).token)
    if not system.check:
        return f"{system.name} has nothing harmless to ask: post a test alert."
    try:
        target.check()
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
