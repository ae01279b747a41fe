"""The one client of all ticketing systems: it does what a system's file says. docs/tickets/README.md explains the files."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from handlers.model.parts import Part
from handlers.model.refusal import Past, RefusalKind
from handlers.model.text import one_line
from handlers.runbook.templates import message, words_of
from handlers.settings import LANGUAGES, Settings
from handlers.tickets.answers import NotFoundYet, Posted, TicketNotPosted
from handlers.tickets.engine.attached import TicketFile, files_for
from handlers.tickets.engine.course import AWAY, ON_CLOSED, kind_of
from handlers.tickets.engine.definition import AuthKind, Definition, Step
from handlers.tickets.engine.example_event import EXAMPLE
from handlers.tickets.engine.expressions import BadExpression, evaluated, filled, holds
from handlers.tickets.engine.fitting import fitted
from handlers.tickets.engine.known_ticket import KnownTicket
from handlers.tickets.engine.marks import BLANK, is_ours, marked, seal_of, with_mark
from handlers.tickets.engine.markups import MARKUPS, NO_MARKUP, Markup
from handlers.tickets.engine.no_answer import why_no_answer
from handlers.tickets.engine.option_expressions import options_for
from handlers.tickets.engine.optional import without_refused
from handlers.tickets.engine.signature import signed_headers, signing_key
from handlers.tickets.engine.tokens import tokens_of

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # its other lines hold URLs, and a URL may hold a secret

CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
FILES_SECONDS = 10
"""For all files of a change together: no file is worth that somebody else takes the try for lost and repeats it."""
MOST_ANSWER_CHARACTERS = 300
MOST_READ_CHARACTERS = 4_000
SECRET_CHARACTERS = 12
"""A piece of TICKET_URL that is as long may be a secret, as the URLs of Teams and Slack hold one."""
NO_PAST = Past()
NO_DESCRIPTION = ("incident.resolved", "storm.resolved")
"""Changes after which the description stays: it holds the last failure."""
WORD = re.compile(r"[a-z]+([-_.][a-z]+)*")
"""A name of a project or a team, as no secret that is made at random reads."""
OPERATION = {
    "incident.opened": "open", "storm.opened": "open", "alert.unreadable": "open",
    "incident.updated": "update", "storm.updated": "update",
    "incident.resolved": "resolve", "storm.resolved": "resolve", "incident.reopened": "reopen",
}  # fmt: skip


class Target:
    """A ticketing system, as its file defines it, at TICKET_URL."""

    def __init__(
        self, definition: Definition, settings: Settings, session: requests.Session, now: Callable[[], datetime],
        token: Callable[[str], str] = lambda _: "",
    ) -> None:  # fmt: skip
        """`token` gives the app's own identity to a scope, for systems that take it. Raises DefinitionError."""
        self.system, self._settings, self._session, self._now, self._token = definition, settings, session, now, token
        self._options = definition.options_of(settings.ticket_options)
        self._tokens = tokens_of(definition, settings, self._options, session, now)
        self.on_closed = str(self._options.get("on_closed") or ON_CLOSED[0])
        self._key = signing_key(settings.ticket_secret) if definition.auth.kind == AuthKind.STANDARD_WEBHOOKS else b""

    def post(
        self, event: Mapping[str, Any], change_id: str, *, may_exist: bool = False, past: Past = NO_PAST,
        parts: Sequence[Part] = (),
    ) -> Posted:  # fmt: skip
        """Post a change of an incident. `may_exist`: an earlier try ended without an answer. Raises TicketNotPosted, NotFoundYet."""
        try:
            names = self._names(event, change_id, parts) | {"told": past.told}
            return self._post(names, operation_of(event), may_exist, past)
        except BadExpression as error:
            raise TicketNotPosted(f"{self.system.file} does not fit what was answered: {error}") from None

    def check(self) -> None:
        """Ask the system something harmless that needs the same rights. Raises TicketNotPosted, BadExpression."""
        self.run(self.system.check, self._common() | {"options": options_for(self.system, self._options, EXAMPLE, "check")})

    def finds(self, event: Mapping[str, Any], change_id: str) -> bool | None:
        """Whether a search by the incident's key finds its ticket; None for a system that has no search. Raises TicketNotPosted."""
        return bool(self.found(self._names(event, change_id, ()))) if self.system.find else None

    def is_closed(self, event: Mapping[str, Any], change_id: str) -> bool | None:
        """Whether the event's ticket is over; None for a system whose tickets cannot be read. Raises TicketNotPosted."""
        if not self.system.read:
            return None
        names = self.run(self.system.read, self._names(event, change_id, ()))
        return holds(self.system.ticket.closed, {"one": names.get("answer"), **names})

    # ---------------------------------------------------------------- one change

    def _post(self, names: dict[str, Any], operation: str, may_exist: bool, past: Past) -> Posted:
        if operation != "open" and (names["ticket"]["id"] or self.system.ticket.known_by_key):
            return KnownTicket(self, names, operation, may_exist, past).changed()
        if may_exist or operation != "open":
            if found := self.found(names):
                names = self._named(names | {"ticket": {"id": found.id, "url": found.url}})
                return found if operation == "open" else KnownTicket(self, names, operation, False, past).changed()
            if may_exist and self.system.find and operation != "resolve" and not past.searches:
                raise NotFoundYet(self.system.answers.search_again_seconds)
        if operation == "resolve":
            log.info("there is no ticket to resolve")
            return Posted()
        return self.opened(names)

    def opened(self, names: dict[str, Any]) -> Posted:
        """Open a ticket; without fields that it can do without, if the answer refuses it and names them."""
        names = names | {"existing": False, "opening": True}
        try:
            after = self.run(self.system.open, names)
        except TicketNotPosted as refusal:
            fewer, fields = without_refused(self.system.options, names["options"], refusal)
            if not fields:
                raise
            log.error("alert set aside: change %s opens without %s: %s", names["change"], ", ".join(fields), refusal)
            after = self.run(self.system.open, self._named(names | {"options": fewer}))
        opened, ticket = self.posted(after), self.system.ticket
        if not opened.id and not ticket.known_by_key:
            raise TicketNotPosted("TICKET_URL answered without naming the ticket: is it the address of the system's API?")
        if ticket.answers_key and not holds(ticket.carries_key, {"one": after.get("answer"), **after}):
            log.error("ticket %s does not carry the incident's key: it would not be found again", one_line(opened.id, 60))
        self.attach(after | {"ticket": {"id": opened.id, "url": opened.url}})
        return opened

    def attach(self, names: dict[str, Any]) -> None:
        """Add the files that belong to what a ticket now says. One that is refused is in the app's storage, and the change stands."""
        until = self._now() + timedelta(seconds=FILES_SECONDS)
        try:
            for file in files_for(self.system, names) if self.system.attach else ():
                self.run(self.system.attach, names | {"file": file, "files_until": until})
        except (TicketNotPosted, BadExpression) as refusal:
            log.warning("ticket %s does not take a file: %s", one_line(str(names["ticket"]["id"]), 60), refusal)

    def found(self, names: dict[str, Any], other_than: str = "") -> Posted | None:
        """The ticket that carries the incident's key itself: a system may answer a search with everything that it has."""
        if not self.system.find:
            return None
        after = self.run(self.system.find, names)
        ticket = self.system.ticket
        if not isinstance(candidates := after.get("candidates"), list):
            raise TicketNotPosted("TICKET_URL answered a search with no list: is it the address of the system's API?")
        for one in candidates:
            if holds(ticket.carries_key, after | {"one": one}) and (found := self.posted(after | {"one": one})).id != other_than:
                return found
        return None

    def posted(self, names: dict[str, Any]) -> Posted:
        """The ticket's id and URL, from `one` or else from the last answer."""
        names = {"one": names.get("answer"), **names}
        found = (evaluated(text, names) if text else None for text in (self.system.ticket.id, self.system.ticket.url))
        return Posted(*("" if value is None else str(value) for value in found))

    # ---------------------------------------------------------------- steps

    def run(self, steps: Sequence[Step], names: dict[str, Any]) -> dict[str, Any]:
        """Make the requests one after the other; the names that are known after them."""
        for step in steps:
            if not step.when or holds(step.when, names):
                names = self._made(step, names)
        return names

    def _made(self, step: Step, names: dict[str, Any]) -> dict[str, Any]:
        answer = self._asked(step, names)
        names = names | {"answer": _decoded(answer), "headers": answer.headers, "status": answer.status_code}
        names["changed"] = names.get("changed") or (step.method != "GET" and answer.status_code < 300)
        if answer.status_code >= 300 and answer.status_code not in step.accept:
            raise self._refused(answer, names)
        if step.expect and not holds(step.expect, names):
            raise self._unexpected(step, names)
        if "text/html" in answer.headers.get("Content-Type", "") and not self.system.ticket.known_by_key:
            raise TicketNotPosted(
                f"TICKET_URL answered {answer.status_code} with a web page: is a sign-in or a proxy in between?"
            )
        return names | {name: evaluated(expression, names) for name, expression in step.take.items()}

    def _unexpected(self, step: Step, names: dict[str, Any]) -> TicketNotPosted:
        said = evaluated(step.otherwise or "its answer is not what was expected", _each_text(names, self._without_address))
        why = one_line(self.without_secrets(str(said)), MOST_ANSWER_CHARACTERS)
        permanent, gone = (bool(text) and holds(text, names) for text in (step.permanent, step.gone))
        one_ticket = names.get("existing") and not self.system.ticket.known_by_key
        kind = RefusalKind.TICKET if one_ticket else RefusalKind.CONFIGURATION
        kind = kind if permanent or gone else RefusalKind.SYSTEM
        return self._refusal(f"TICKET_URL: {why}", kind, names, permanent=permanent, gone=gone, said=why)

    def _refusal(self, why: str, kind: RefusalKind, names: dict[str, Any], **more: Any) -> TicketNotPosted:
        """A refusal as the rest of the app must know it. What one ticket refused in part is told, what may be a new one is looked for."""
        system, existing, changed = self.system, bool(names.get("existing")), bool(names.get("changed"))
        if kind is RefusalKind.TICKET and system.answers.configuration and holds(system.answers.configuration, names):
            kind = RefusalKind.CONFIGURATION
        maybe = kind is RefusalKind.SYSTEM or (changed and not existing)
        told = existing and kind is not RefusalKind.SYSTEM and changed
        return TicketNotPosted(why, **{"kind": kind, "maybe_taken": maybe, "told": told, **more})

    def _asked(self, step: Step, names: dict[str, Any]) -> requests.Response:
        import requests

        body, content_type = self._body(step, names)
        headers = {"User-Agent": "backup-runbooks", "Accept": "application/json"}
        if content_type:
            headers["Content-Type"] = content_type
        headers |= {name: str(value) for name, value in evaluated({**self.system.headers, **step.headers}, names).items()}
        headers |= self._signed(names.get("change", ""), body)
        path = filled(step.path, names)
        seconds = self._seconds(names)
        url = path if path.startswith("https://") else self._settings.ticket_url.rstrip("/") + path
        try:
            return self._sent(step.method, url, evaluated(dict(step.query), names), headers, body, seconds)
        except (requests.RequestException, ValueError) as error:  # a ValueError for a Location that is no URL, for one
            # The exception's own text holds the URL, and a URL may hold a secret.
            sent = bool(names.get("changed")) or not _is_unconnected(error)
            raise TicketNotPosted(f"TICKET_URL did not answer: {why_no_answer(error)}", maybe_taken=sent) from None

    def _seconds(self, names: Mapping[str, Any]) -> float:
        """How long an answer may take. Raises TicketNotPosted when the time for files is over."""
        if until := names.get("files_until"):
            left: float = (until - self._now()).total_seconds()
            if left <= 0:
                raise TicketNotPosted(f"the files took more than {FILES_SECONDS} seconds")
            return left
        return max(ANSWER_SECONDS, self.system.answers.create_seconds) if names.get("opening") else ANSWER_SECONDS

    def _body(self, step: Step, names: Mapping[str, Any]) -> tuple[bytes, str]:
        """What is sent, and its type."""
        if step.form:
            return _form_with(names["file"])
        if step.body:
            return str(evaluated(step.body, names)).encode(errors="replace"), "application/octet-stream"
        if step.json is None:
            return b"", ""
        return _encoded(self._with_secret(evaluated(step.json, names))), f"{step.content_type}; charset=utf-8"

    def _sent(
        self, method: str, url: str, query: Mapping[str, Any], headers: Mapping[str, str], body: bytes, seconds: float
    ) -> requests.Response:
        return self._session.request(
            method,
            url,
            params=query,
            data=body or None,
            headers=headers,
            timeout=(CONNECT_SECONDS, seconds),
            allow_redirects=False,
        )

    def _signed(self, change_id: str, body: bytes) -> dict[str, str]:
        """The headers that say who we are."""
        auth, user, secret = self.system.auth, self._settings.ticket_user, self._settings.ticket_secret
        if self._tokens:
            return {"Authorization": f"Bearer {self._tokens.current()}"}
        if auth.kind == AuthKind.STANDARD_WEBHOOKS:
            return signed_headers(change_id, int(self._now().timestamp()), body, self._key)
        if (auth.kind == AuthKind.BASIC and user) or (auth.kind == AuthKind.MANAGED_IDENTITY and secret):
            return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}
        if auth.kind == AuthKind.MANAGED_IDENTITY:
            return {"Authorization": f"Bearer {self._token(auth.scope)}"}
        if auth.kind in (AuthKind.BASIC, AuthKind.HEADER, AuthKind.GITHUB_APP) and secret:
            return {auth.header: auth.value.replace("{user}", user).replace("{secret}", secret)}
        return {}

    def _with_secret(self, body: Any) -> Any:
        """A body with the secret in it, for a system that looks for it there."""
        auth = self.system.auth
        return (
            {**body, auth.field: self._settings.ticket_secret} if auth.kind == AuthKind.BODY and isinstance(body, dict) else body
        )

    def _refused(self, answer: requests.Response, names: dict[str, Any]) -> TicketNotPosted:
        status, wait = answer.status_code, answer.headers.get("Retry-After", "")
        if status == 401 and self._tokens:
            self._tokens.forget()
        if self.system.answers.wait and not wait:
            seconds = evaluated(self.system.answers.wait, names)
            wait = str(seconds) if isinstance(seconds, int | float) and seconds > 0 else ""
        existing, permanent = bool(names.get("existing")), status in self.system.answers.permanent
        kind = kind_of(status, wait, existing=existing, system=self.system)
        said = self._masked(answer.text[: 4 * MOST_ANSWER_CHARACTERS])
        shown = f": {said}" if said and kind is not RefusalKind.SYSTEM else ""
        maybe = {"maybe_taken": bool(names["changed"] or status not in AWAY)} if kind is RefusalKind.SYSTEM else {}
        return self._refusal(
            f"TICKET_URL answered {status}{shown}", kind, names, retry_after=wait, permanent=permanent, status=status,
            gone=self._says_gone(status, names), said=answer.text[:MOST_READ_CHARACTERS], **maybe,
        )  # fmt: skip

    def _says_gone(self, status: int, names: dict[str, Any]) -> bool:
        """Whether an answer about a known ticket says that it is not there: where it can be read, only reading it counts."""
        system = self.system
        asked = not system.read or (names.get("reading") and not system.ticket.gone)
        return bool(names.get("existing") and asked and status in system.answers.gone)

    def _masked(self, said: object) -> str:
        """What a system said, on one line; it may have repeated our address or credentials."""
        return one_line(self.without_secrets(self._without_address(str(said))), MOST_ANSWER_CHARACTERS)

    def _without_address(self, text: str) -> str:
        """What a system says does not name its host; a hint of the system's file may."""
        url = self._settings.ticket_url
        for address in (url, unquote(url), url.rstrip("/"), urlsplit(url).netloc):
            text = text.replace(address, "***")
        return text

    def without_secrets(self, text: str, *, keep_words: bool = False) -> str:
        """A text that may have repeated our address or credentials: what may be secret of both is masked, the host is not.

        `keep_words`: neither are words of the address, for a text that only who made the settings sees.
        """
        settings = self._settings
        basic = base64.b64encode(f"{settings.ticket_user}:{settings.ticket_secret}".encode()).decode()
        for secret in (settings.ticket_secret, basic, *secret_pieces(settings.ticket_url, keep_words=keep_words)):
            for form in {secret, unquote(secret)} - {""}:
                text = text.replace(form, "***")
        return text

    # ---------------------------------------------------------------- what expressions see

    def _common(self) -> dict[str, Any]:
        base = self._settings.ticket_url.rstrip("/")
        return {"options": self._options, "user": self._settings.ticket_user, "now": int(self._now().timestamp()), "base": base}

    def _names(self, event: Mapping[str, Any], change_id: str, parts: Sequence[Part]) -> dict[str, Any]:
        data = event["data"]
        names = {
            **self._common(), "ticket": {"id": None, "url": None}, **data, "event": event, "type": event["type"],
            "change": change_id, "key": data["incident"]["id"], "title": one_line(data["title"], self.system.text.title),
            "words": _words(data)["headings"], "parts": tuple(parts), "ours": False,
            "options": options_for(self.system, self._options, event, change_id),
        }  # fmt: skip
        return self._named(names | self._texts(names, names["parts"], note_in(event)))

    def with_words(self, names: dict[str, Any], name: str, parts: Sequence[Part], **values: Any) -> dict[str, Any]:
        """With a sentence before the page, and before the note; without parts it is all that there is."""
        before = Part(message(language_of(names), name, **values) + "\n\n")
        note = note_in(names["event"]) if parts else ""
        names = names | {"ours": False}
        return self._named(names | self._texts(names, (before, *parts), note and before.text + note))

    def as_read(self, names: dict[str, Any]) -> dict[str, Any]:
        """With what the ticket itself says of its description: where nobody else wrote into it, it is replaced, and the note says so."""
        note = note_in(names["event"])
        if not (note and self.system.ticket.description and self._is_ours(names)):
            return names
        names = names | {"ours": True}
        return self._named(names | {"note": self._noted(names, names["parts"], note)})

    def _named(self, names: dict[str, Any]) -> dict[str, Any]:
        """With the file's own names, each of which may use those before it."""
        for name, expression in self.system.names.items():
            names = names | {name: evaluated(expression, names)}
        return names

    def _texts(self, names: Mapping[str, Any], parts: Sequence[Part], note: str) -> dict[str, Any]:
        """The page, the same as a description that the app keeps up to date, and what an update says."""
        text = self._text(names, parts)
        ticket = self.system.ticket
        described = bool(ticket.description) and names["type"] not in NO_DESCRIPTION
        description = self._description(names, parts) if described and not ticket.mark else text
        return {
            "text": text, "description": description, "mark": seal_of(description) if described else "",
            "note": self._noted(names, parts, note) if note else text, "has_note": bool(note),
        }  # fmt: skip

    def _noted(self, names: Mapping[str, Any], parts: Sequence[Part], note: str) -> Any:
        """What is new, and where the whole page stands: where it has no other place, it follows."""
        ticket, language = self.system.ticket, language_of(names)
        if names["ours"]:
            return self._text(names, (Part(f"{note}\n{message(language, 'note_in_description')}\n"),))
        if ticket.attaches:
            return self._text(names, (Part(f"{note}\n{message(language, 'note_attached')}\n"),))
        if ticket.description:
            return self._text(names, (Part(f"{note}\n{message(language, 'note_with_page')}\n\n"), *parts))
        return self._text(names, (Part(f"{note}\n{where_the_page_is(names, names['change'])}\n"),))

    def _is_ours(self, names: Mapping[str, Any]) -> bool:
        """Whether the description that was read is still as the app wrote it."""
        ticket, names = self.system.ticket, {"one": names.get("answer"), **names}
        kept = str(evaluated(ticket.mark, names) or "") if ticket.mark else None
        return is_ours(evaluated(ticket.description, names) or "", kept)

    def _description(self, names: Mapping[str, Any], parts: Sequence[Part]) -> Any:
        sentence = message(language_of(names), "marked", mark=BLANK)
        return marked(self._text(names, parts, with_mark(MARKUPS[self.system.text.markup], sentence)))

    def _text(self, names: Mapping[str, Any], parts: Sequence[Part], markup: Markup | None = None) -> Any:
        """The page in the system's markup; nothing for one that takes the event itself."""
        text = self.system.text
        if text.markup == NO_MARKUP:
            return ""
        page = tuple(parts) or (Part(names["runbook"]["markdown"]),)
        return fitted(page, markup or MARKUPS[text.markup], text.most, where_the_rest_is(names, names["change"]))


def secret_pieces(url: str, *, keep_words: bool = False) -> list[str]:
    """What of TICKET_URL may be a secret: what stands before its host, and a long piece behind it."""
    parts = urlsplit(url)
    credentials = [piece for piece in (parts.username, parts.password) if piece]
    pieces = re.split(r"[/?&=#]+", f"{parts.path}?{parts.query}#{parts.fragment}")
    return credentials + [
        piece for piece in pieces if len(piece) >= SECRET_CHARACTERS and not (keep_words and WORD.fullmatch(piece))
    ]


def operation_of(event: Mapping[str, Any]) -> str:
    """What is done with the ticket. Further alerts that nobody can read are an update of the first one's ticket."""
    known = event["type"] == "alert.unreadable" and (event["data"].get("ticket") or {}).get("id")
    return "update" if known else OPERATION[event["type"]]


def _is_unconnected(error: Exception) -> bool:
    """Whether there was no connection at all, so that nothing was sent."""
    import requests
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def note_in(event: Mapping[str, Any]) -> str:
    """What is new in a change, as Markdown; empty where the page says all."""
    return str((event["data"].get("note") or {}).get("markdown") or "")


def language_of(data: Mapping[str, Any]) -> str:
    return str(data["runbook"].get("language") or LANGUAGES[0])


def where_the_page_is(data: Mapping[str, Any], change_id: str) -> str:
    """For a note on a ticket that has no place for the page: where the whole page is."""
    words, page = _words(data)["messages"], data["incident"]["url"]
    return str(words["note_on_page"].format(url=page) if page else words["note_in_storage"].format(blob=_blob_of(change_id)))


def where_the_rest_is(data: Mapping[str, Any], change_id: str) -> str:
    """For a page that is too long: the runbook's page, or else the document that the app keeps of each change."""
    words, page = _words(data)["messages"], data["incident"]["url"]
    return str(words["rest_on_page"].format(url=page) if page else words["rest_in_storage"].format(blob=_blob_of(change_id)))


def _blob_of(change_id: str) -> str:
    row, _, version = change_id.rpartition(".")
    return f"{row}/{version}.json"


def _words(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
    """In the runbook's language; in English for one that the app does not have any more."""
    language = (data.get("runbook") or {}).get("language")
    return words_of(language if language in LANGUAGES else LANGUAGES[0])


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _each_text(item, change) for name, item in value.items()}
    return value


def _form_with(file: TicketFile) -> tuple[bytes, str]:
    """A form whose field `file` is a file."""
    from urllib3.filepost import encode_multipart_formdata

    return encode_multipart_formdata({"file": (file.name, file.content.encode(errors="replace"), file.type)})


def _encoded(body: Any) -> bytes:
    """As JSON. Half a character, which JSON from outside may hold, becomes a question mark. Raises BadExpression."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
    except (TypeError, ValueError) as error:
        raise BadExpression(f"a body that is no JSON: {error}") from None


def _decoded(answer: requests.Response) -> Any:
    """The answer's JSON; None when it is none."""
    try:
        return answer.json()
    except ValueError:
        return None
