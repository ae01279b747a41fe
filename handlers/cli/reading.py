"""Azure as whoever is signed in sees it: nothing is deployed, nothing is written, no storage is needed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.cli.outcome import not_done, unreadable
from handlers.cli.screen import Screen
from handlers.settings import Settings

READ = (
    "ARM_ENDPOINT", "LOGS_ENDPOINT", "LOG_ANALYTICS_WORKSPACE_ID", "WATCHED_SUBSCRIPTIONS", "RUNBOOK_LANGUAGE", "OWNER_TAGS",
    "SHOW_ACTORS", "OPERATOR_SHELL", "SEVERITY_FROM",
)  # fmt: skip
"""The settings that a diagnosis looks at."""


class Reading(Struct, frozen=True):
    """What a command reads with. `language` is that of the runbook."""

    azure: Azure
    settings: Settings
    screen: Screen
    now: datetime
    language: str


def reading_of(options: Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> Reading:
    """Raises NotDone or SettingsError."""
    settings, screen = reading_settings(environment), Screen(environment, out, err, quiet=options.quiet)
    with screen.waiting("Signing in"):
        azure = signed_in(settings)
    return Reading(azure, settings, screen, datetime.now(UTC), options.language or settings.runbook_language)


def reading_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that a diagnosis looks at; there need be no ticket system. Raises SettingsError."""
    chosen = {name: environment[name] for name in READ if name in environment}
    return Settings.from_environment(chosen | {"TICKET_URL": "https://no-ticket.invalid"})


def signed_in(settings: Settings) -> Azure:
    """Azure, once a token could be had. Raises NotDone."""
    azure = Azure(settings)
    check_sign_in(azure, settings)
    return azure


def check_sign_in(azure: Azure, settings: Settings) -> None:
    """Raises NotDone when no token can be had."""
    try:
        azure.token(f"{settings.arm_endpoint}/.default")
    except unreadable() as error:
        raise not_done("a token", settings.arm_endpoint, error) from None
