"""The `webhook` target: the ticket event as JSON, signed as Standard Webhooks say. https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handlers.settings import Settings

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
MOST_ANSWER_CHARACTERS = 300


class TicketNotPosted(Exception):
    """The target did not take the ticket. `retry_after` is what it asked for, `permanent` means: the same again is useless."""

    def __init__(self, why: str, *, retry_after: str = "", permanent: bool = False) -> None:
        super().__init__(why)
        self.retry_after, self.permanent = retry_after, permanent


@dataclass(frozen=True, slots=True)
class Posted:
    """The ticket as the target names it; both empty when its answer does not say."""

    id: str = ""
    url: str = ""


class Webhook:
    """Posts ticket events to `TICKET_URL`."""

    def __init__(self, settings: Settings, session: requests.Session, now: Callable[[], datetime]) -> None:
        self._url, self._key, self._session, self._now = settings.ticket_url, signing_key(settings.ticket_secret), session, now

    def post(self, event: dict[str, Any], change_id: str, *, may_exist: bool = False) -> Posted:
        """Post one event; raises TicketNotPosted when the target did not take it. The receiver recognises a repeat by its id."""
        import requests

        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "backup-runbooks"}
        headers |= signed_headers(change_id, int(self._now().timestamp()), body, self._key)
        try:
            answer = self._session.post(
                self._url, data=body, headers=headers, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False
            )
        except requests.RequestException as error:
            # The exception's own text holds the URL, and a URL may hold a secret.
            raise TicketNotPosted(f"TICKET_URL did not answer: {type(error).__name__}") from None
        if not 200 <= answer.status_code < 300:
            raise _refused(answer)
        return _posted(answer)


def signed_headers(message_id: str, timestamp: int, body: bytes, key: bytes) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` and, with a key, `webhook-signature: v1,<base64 HMAC-SHA256 of id.timestamp.body>`."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if key:
        digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def signing_key(secret: str) -> bytes:
    """The key of a secret: what follows `whsec_` is base64, anything else is taken as it is."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("TICKET_SECRET begins with whsec_, and what follows is not base64.") from None


def _refused(answer: requests.Response) -> TicketNotPosted:
    status = answer.status_code
    permanent = 400 <= status < 500 and status not in (401, 403, 404, 408, 409, 425, 429)
    said = "".join(char for char in answer.text[:MOST_ANSWER_CHARACTERS] if char.isprintable())
    return TicketNotPosted(
        f"TICKET_URL answered {status}" + (f": {said}" if permanent and said else ""),
        retry_after=answer.headers.get("Retry-After", ""),
        permanent=permanent,
    )


def _posted(answer: requests.Response) -> Posted:
    try:
        said = answer.json()
    except ValueError:
        return Posted()
    if not isinstance(said, dict):
        return Posted()
    return Posted(*(value if isinstance(value := said.get(name), str) else "" for name in ("id", "url")))
