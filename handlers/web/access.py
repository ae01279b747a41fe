"""Who may open a runbook page: whoever has its link, or with PAGE_AUTH=entra whoever App Service authentication names with the role."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from msgspec import Struct, field

from handlers.alerts.caller import claims_of, roles_in
from handlers.settings import Settings
from handlers.web.links import ROW_ID, is_good

log = logging.getLogger(__name__)

ROLE = "Runbooks.Read"
"""The app role that whoever opens a page must have.
https://learn.microsoft.com/entra/identity-platform/howto-add-app-roles-in-apps"""
PERSON = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
COUNTED_FOR_SECONDS = 60.0
LARGEST_FORM = 4096
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageRequest(Struct, frozen=True):
    """A request below /api/runbooks as it came. `part`: what follows the id."""

    id: str
    part: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, route: Mapping[str, str], headers: Mapping[str, str], query: Mapping[str, str], content: bytes) -> PageRequest:
        """`route`: the parts of the path; `content`: a form, or nothing."""
        form = dict(parse_qsl(content[:LARGEST_FORM].decode("utf-8", "replace")))
        return cls(route.get("id", ""), route.get("part", ""), headers, query, form)


class PageAnswer(Struct, frozen=True):
    status: int
    body: str | bytes
    kind: str = "text/html; charset=utf-8"
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {**SECURITY, "Content-Type": self.kind, **self.more}


NOT_FOUND = PageAnswer(404, "Not found.\n", "text/plain; charset=utf-8")
"""What everybody is answered who may not open a page, and whoever asks for one that is not there."""


def may_open(request: PageRequest, settings: Settings, now: datetime) -> bool:
    """Whether the request may see the page. Nothing is read for the answer."""
    if not settings.link_key:
        return False
    if settings.page_auth == "entra":
        return bool(ROW_ID.fullmatch(request.id)) and ROLE in roles_in(claims_of(request.headers))
    return is_good(request.id, request.query.get("exp", ""), request.query.get("sig", ""), settings.link_key, now)


def person_of(request: PageRequest, settings: Settings) -> str:
    """Who is signed in; empty where a link is enough."""
    claims = claims_of(request.headers) if settings.page_auth == "entra" else []
    return next((value for kind, value in claims if kind in PERSON), "")


class Refusals:
    """Counts who was refused, and logs the count once a minute: neither links nor addresses."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock, self._count, self._since = now, threading.Lock(), 0, now()

    def count(self) -> None:
        with self._lock:
            self._count += 1
            if self._now() - self._since < COUNTED_FOR_SECONDS:
                return
            count, self._count, self._since = self._count, 0, self._now()
        log.info("pages not shown, because the link is wrong or over: %d", count)
