"""Links to runbook pages: signed, so that only who was given one can open it, and ending some day.

A signature is HMAC-SHA256 (https://www.rfc-editor.org/rfc/rfc2104) in base64url without padding. What it is for is its first word, so
that a page's signature is none for a form. Of two keys the first signs and both are taken, which makes a change of keys gapless.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta

from handlers.model.document import Document
from handlers.model.ids import parse_time
from handlers.model.parts import Part
from handlers.runbook.templates import words_of
from handlers.settings import Settings

ROW_ID = re.compile(r"[0-9a-f]{32}")
SECONDS = re.compile(r"[1-9][0-9]{9}")
VALID_FOR = timedelta(days=365)
"""A link, from the last failure that its version tells of. The page ends earlier: 30 days after the end of what it shows."""
FORM_FOR = timedelta(hours=12)
PAGE, FORM = "page", "check"


def signature(key: str, *parts: str) -> str:
    digest = hmac.digest(key.encode(), "\n".join(parts).encode(errors="surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_signed(keys: Sequence[str], given: str, *parts: str) -> bool:
    """Whether one of the keys made the signature. Each is tried, in constant time."""
    offered = given.encode(errors="surrogatepass")
    return sum(hmac.compare_digest(signature(key, *parts).encode(), offered) for key in keys) > 0


def is_good(row_id: str, expires: str, given: str, keys: Sequence[str], now: datetime) -> bool:
    """Whether a link to the page of that id is one of ours, and not over."""
    signed = is_signed(keys, given, PAGE, row_id, expires)
    return bool(signed and ROW_ID.fullmatch(row_id) and SECONDS.fullmatch(expires) and int(expires) >= now.timestamp())


def query_of(row_id: str, expires: str, settings: Settings) -> str:
    """What follows the path of a page: with `entra` nothing, there the sign-in decides."""
    if settings.page_auth == "entra":
        return ""
    return f"?exp={expires}&sig={signature(settings.link_key[0], PAGE, row_id, expires)}"


def page_url(document: Document, row_id: str, settings: Settings) -> str:
    """The link to the page that shows a document; empty where there is no page. The same whenever the version is posted."""
    last = parse_time(document.data["incident"].get("last_failed_at")) if document.kind in ("incident", "storm") else None
    if not (settings.link_key and settings.public_url and last):
        return ""
    expires = str(int((last + VALID_FOR).timestamp()))
    return f"{settings.public_url}/api/runbooks/{row_id}{query_of(row_id, expires, settings)}"


def with_link(document: Document, row_id: str, settings: Settings) -> Document:
    """The document as it is posted: its event, its text and its note lead to the page."""
    url = page_url(document, row_id, settings)
    if not url:
        return document
    data = {**document.data, "incident": {**document.data["incident"], "url": url}}
    data |= {"storm": {**data["storm"], "url": url}} if data.get("storm") else {}
    link = f"[{words_of(data['runbook']['language'])['headings']['page']}]({url})"
    note = f"{document.note.rstrip()}\n\n{link}\n" if document.note else ""
    return replace(document, data=data, parts=_below_title(document.parts, link), note=note)


def _below_title(parts: Sequence[Part], link: str) -> tuple[Part, ...]:
    """The parts with the link below the title, or above a text that has none."""
    first, *others = parts or (Part(""),)
    title, end, text = first.text.lstrip("\n").partition("\n")
    if not title.startswith("# "):
        return (Part(f"{link}\n\n"), first, *others)
    return (replace(first, text=f"{title}\n\n{link}\n{end}{text}"), *others)


def form_token(row_id: str, who: str, settings: Settings, now: datetime) -> str:
    """What a form of the page sends with it: bound to the page, to who signed in, and to half a day."""
    until = str(int((now + FORM_FOR).timestamp()))
    return f"{until}.{signature(settings.link_key[0], FORM, row_id, who, until)}"


def is_form_token(given: str, row_id: str, who: str, settings: Settings, now: datetime) -> bool:
    until, _, signed = given.partition(".")
    good = is_signed(settings.link_key, signed, FORM, row_id, who, until)
    return bool(good and SECONDS.fullmatch(until) and int(until) >= now.timestamp())
