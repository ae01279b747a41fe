"""`send-test-alert`: a marked alert to a deployed app; a ticket for a person comes of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from handlers.cli.outcome import FINE, NOT_DONE, NOT_PERMITTED, USAGE, NotDone
from handlers.cli.screen import Screen
from handlers.settings import SettingsError, check_address

PATIENCE_SECONDS = 60
"""A function app that sleeps takes a while to wake up."""
MEANING = {
    401: ("the key is missing or wrong: /api/alerts?code=KEY", NOT_PERMITTED),
    403: ("this caller may not post there: with ALERTS_AUTH=entra only Azure Monitor's action groups may", NOT_PERMITTED),
    404: ("nothing answers there: the address is https://<app>.azurewebsites.net/api/alerts?code=KEY", USAGE),
    503: ("the app cannot reach its storage account", NOT_DONE),
}


def run(options: Namespace, environment: Mapping[str, str], screen: Screen) -> int:
    import requests

    url = address(options.url or environment.get("PUBLIC_URL", ""))
    body = {
        "test": "A test alert of Backup Runbooks: nothing to do.",
        "id": str(uuid4()),
        "sentAt": datetime.now(UTC).isoformat(),
    }
    try:
        with screen.waiting("Posting the test alert"):
            answer = requests.post(url, json=body, timeout=PATIENCE_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise NotDone(f"{without_key(url)} did not answer ({type(error).__name__})") from None
    if answer.status_code != 202:
        why, code = MEANING.get(answer.status_code, ("", NOT_DONE))
        raise NotDone(f"{without_key(url)} answered {answer.status_code}{': ' if why else ''}{why}", code)
    screen.line("Accepted. Within a minute there is a ticket that says that nobody recognised the alert, with this text in it:")
    screen.line(body["id"], "bold")
    return FINE


def address(given: str) -> str:
    """Where alerts are posted to: the address itself, or that of the app. Raises NotDone."""
    if not given:
        raise NotDone("--url is needed: https://<app>.azurewebsites.net/api/alerts?code=KEY (or set PUBLIC_URL)", USAGE)
    try:
        check_address("--url", given)
    except SettingsError as error:
        raise NotDone(str(error), USAGE) from None
    parts = urlsplit(given)
    return urlunsplit(parts._replace(path="/api/alerts")) if parts.path in ("", "/") else given


def without_key(url: str) -> str:
    """The address as it may be shown: its query holds the key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
