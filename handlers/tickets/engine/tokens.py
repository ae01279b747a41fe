"""Tokens that hold for a while, for systems that give them: OAuth 2 client credentials, and GitHub Apps.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from handlers.settings import Settings, check_address
from handlers.tickets.answers import TicketNotPosted
from handlers.tickets.engine.definition import AuthKind, Definition, DefinitionError

if TYPE_CHECKING:
    import requests

EARLY_SECONDS = 60
"""For so long before its end a token is not used any more."""
USUAL_SECONDS = 300
"""For how long a token is used whose answer does not say how long it holds."""
SECONDS = (5, 30)


class Token(Struct, frozen=True):
    text: str
    until: float
    """Unix time."""


class Tokens:
    """The token of now, shared by threads. One that was refused is forgotten, and the next request asks for another."""

    def __init__(self, ask: Callable[[], Token], now: Callable[[], datetime]) -> None:
        self._ask, self._now, self._lock = ask, now, threading.Lock()
        self._token = Token("", 0.0)

    def current(self) -> str:
        """Raises TicketNotPosted when none is given."""
        with self._lock:
            if self._token.until - EARLY_SECONDS <= self._now().timestamp():
                self._token = self._ask()
            return self._token.text

    def forget(self) -> None:
        with self._lock:
            self._token = Token("", 0.0)


def tokens_of(
    system: Definition, settings: Settings, options: Mapping[str, Any], session: requests.Session, now: Callable[[], datetime]
) -> Tokens | None:
    """Where tokens come from, if the settings ask for them. Raises DefinitionError, SettingsError."""
    if oauth := options.get("oauth"):
        if not (settings.ticket_user and settings.ticket_secret):
            raise DefinitionError(
                "TICKET_USER and TICKET_SECRET are required with oauth in TICKET_OPTIONS: the client's id and its secret."
            )
        check_address("TICKET_OPTIONS: oauth.token_url", oauth["token_url"], settings.ticket_http_hosts)
        return Tokens(lambda: _by_client_credentials(oauth, settings, session, now()), now)
    if system.auth.kind == AuthKind.GITHUB_APP and settings.ticket_user:
        key = private_key(settings.ticket_secret)
        return Tokens(lambda: _of_an_installation(options["repository"], key, settings, session, now()), now)
    return None


def _by_client_credentials(oauth: Mapping[str, Any], settings: Settings, session: requests.Session, now: datetime) -> Token:
    """The client's id and secret go into the body, or with `"client_auth": "basic"` into a header."""
    who = {"client_id": settings.ticket_user, "client_secret": settings.ticket_secret}
    in_header = oauth.get("client_auth") == "basic"
    more = {name: oauth[name] for name in ("scope", "audience", "resource") if oauth.get(name)}
    form = {"grant_type": "client_credentials", **more, **({} if in_header else who)}
    auth = (settings.ticket_user, settings.ticket_secret) if in_header else None
    answer = _answered("oauth.token_url", lambda: session.post(
        oauth["token_url"], data=form, auth=auth, headers={"Accept": "application/json"}, timeout=SECONDS, allow_redirects=False))  # fmt: skip
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token:
        raise TicketNotPosted("oauth.token_url answered without a token: is it the address that gives tokens?", maybe_taken=False)
    return Token(token, now.timestamp() + (int(str(seconds)) if str(seconds).isdigit() else USUAL_SECONDS))


def _of_an_installation(repository: str, key: Any, settings: Settings, session: requests.Session, now: datetime) -> Token:
    """https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app"""
    import jwt

    at = int(now.timestamp())
    claims = {"iat": at - 60, "exp": at + 540, "iss": settings.ticket_user}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='RS256')}", "Accept": "application/vnd.github+json"}
    base = settings.ticket_url.rstrip("/")

    def asked(method: str, path: str) -> Mapping[str, Any]:
        place = "GitHub, asked for the app's token,"
        return _answered(
            place, lambda: session.request(method, base + path, headers=headers, timeout=SECONDS, allow_redirects=False)
        )

    installation = asked("GET", f"/repos/{repository}/installation").get("id")
    answer = asked("POST", f"/app/installations/{installation}/access_tokens")
    return Token(str(answer["token"]), datetime.fromisoformat(str(answer["expires_at"])).timestamp())


def private_key(secret: str) -> Any:
    """An app setting on one line may write line ends as `\\n`. Raises DefinitionError."""
    from jwt.algorithms import RSAAlgorithm
    from jwt.exceptions import InvalidKeyError

    try:
        return RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(secret.replace("\\n", "\n"))
    except (InvalidKeyError, ValueError, TypeError):
        raise DefinitionError(
            "TICKET_SECRET is no private key in PEM form, and with TICKET_USER set it must be that of the GitHub App."
        ) from None


def _answered(place: str, ask: Callable[[], requests.Response]) -> Mapping[str, Any]:
    """The JSON of a good answer. Nothing of any answer is told: it may hold a token."""
    import requests

    from handlers.tickets.engine.no_answer import why_no_answer

    try:
        answer = ask()
    except requests.RequestException as error:
        raise TicketNotPosted(f"{place} did not answer: {why_no_answer(error)}", maybe_taken=False) from None
    said = answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.content else None
    if not 200 <= answer.status_code < 300 or not isinstance(said, Mapping):
        retry_after = answer.headers.get("Retry-After", "")
        raise TicketNotPosted(f"{place} answered {answer.status_code}", retry_after=retry_after, maybe_taken=False)
    return said
