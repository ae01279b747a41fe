"""For each bundled system: what it needs to be set up, and a small imitation of it that takes everything and keeps one ticket."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any

from werkzeug.wrappers import Request, Response

from handlers.tickets.engine.target import Target
from sandbox.http import serving
from tests.tickets.system import Asked, Reply, System, target_at

SECRET = "hunter2-of-the-ticket-system"
TS = "1763839800.000100"


class Imitation(System):
    """A system that keeps what was opened. It can cut the connection after a request was taken, or answer one otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Asked] = []
        """The requests that made a ticket."""
        self.closed = False
        self.description: Any = None
        """Of the ticket, as it was written last."""
        self.kept: dict[str, Any] = {}
        """Further fields of the ticket."""
        self.links = ""
        """Where the links in the answers lead: nobody may follow them."""
        self.raw: list[str] = []
        """The targets of the requests as they came, still encoded."""
        self.cut_when_made = False
        self.instead: Mapping[int, Reply] = {}
        """By the number of the request, from 0: what is answered instead."""

    @property
    def key(self) -> str:
        """The key of the ticket: it is the only word of 32 hex digits in what made it."""
        found = re.search(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", self.made[-1].body)
        return found[0].decode() if found else ""

    def describe(self, texts: Sequence[Any]) -> None:
        """The description is the last of some texts, if there are any."""
        self.description = [self.description, *texts][-1]

    def opens(self, status: int, said: Any) -> Callable[[Asked], Reply]:
        def reply(asked: Asked) -> Reply:
            self.made.append(asked)
            self.describe(list(described_in(asked.json)))
            self.kept = (
                {name: value for name, value in (asked.json or {}).items() if name == "correlation_display"}
                if isinstance(asked.json, dict)
                else {}
            )
            return Reply(status, said(self) if callable(said) else said)

        return reply

    def says(self, said: Callable[[], Any], status: int = 200, **headers: str) -> Callable[[Asked], Reply]:
        return lambda _: Reply(status, said(), headers)

    def answer(self, request: Request) -> Response:
        number, made = len(self.asked), len(self.made)
        self.raw.append(request.environ["REQUEST_URI"])
        said = super().answer(request)
        if self.cut_when_made and len(self.made) > made:
            request.environ["werkzeug.socket"].shutdown(SHUT_RDWR)
        if (other := self.instead.get(number)) is not None:
            body = other.json if isinstance(other.json, bytes) else json.dumps(other.json).encode()
            return Response(body, other.status, {"Content-Type": "application/json", **other.headers})
        return said


def described_in(body: Any) -> Iterator[Any]:
    """The description that makes a ticket, whatever the system calls it."""
    if isinstance(body, list):
        yield from (step["value"] for step in body if step["path"] == "/fields/System.Description")
    elif isinstance(body, dict):
        yield from (body[name] for name in ("body", "description") if name in body)
        yield from (found for name in ("fields", "issue") for found in described_in(body.get(name)))


@dataclass(frozen=True)
class Happy:
    rules: Callable[[Imitation], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    user: str = ""
    secret: str = SECRET
    ticket: str = "7"
    """The id that its answers name."""
    exactly_once: str = "search"
    """How a lost answer makes no second ticket: "search"; "key" that the system itself knows; "" for no way."""
    names_no_ticket: bool = False
    """Its answers hold no id that the app could read."""

    def at(self, url: str, name: str) -> Target:
        """The system's target. Where TICKET_URL itself is the secret, the URL holds it."""
        url = url if self.secret else f"{url}/{SECRET}"
        return target_at(url, name, user=self.user, secret=self.secret, **self.options)


@contextmanager
def running(name: str) -> Iterator[Imitation]:
    imitation = Imitation()
    with serving(imitation.answer) as imitation.url:
        imitation.links = imitation.links or "http://127.0.0.1:9"
        HAPPY[name].rules(imitation)
        yield imitation


# ---------------------------------------------------------------- one after the other


def _azure_devops(one: Imitation) -> None:
    def item() -> dict[str, Any]:
        tags = f"ops; bk-{one.key}" if one.made else ""
        fields = {"System.State": "Closed" if one.closed else "New", "System.WorkItemType": "Task", "System.Tags": tags}
        fields |= {"System.Description": one.description}
        return {"id": 7, "rev": 3, "fields": fields, "url": f"{one.links}/Ops/_apis/wit/workItems/7"}

    def patched(asked: Asked) -> Reply:
        states = [step["value"] for step in asked.json if step["path"] == "/fields/System.State"]
        one.closed = states[-1] == "Closed" if states else one.closed
        one.describe([step["value"] for step in asked.json if step["path"] == "/fields/System.Description"])
        return Reply(200, item())

    states = [{"name": "New", "category": "Proposed"}, {"name": "Closed", "category": "Completed"}]
    one.on("PATCH", "/Ops/_apis/wit/workitems/(?s:.*)", patched)
    one.on("GET", "/Ops/_apis/wit/workitems/(?s:.*)", one.says(item))
    one.on("GET", "/Ops/_apis/wit/workitemtypes/Task/states", Reply(200, {"value": states}))
    one.on("POST", r"/Ops/_apis/wit/workitems/\$Task", one.opens(200, lambda _: item()))
    one.on("POST", "/Ops/_apis/wit/wiql", one.says(lambda: {"workItems": [{"id": 7}] if one.made else []}))
    one.on("POST", "/Ops/_apis/wit/workitemsbatch", one.says(lambda: {"value": [item()]}))


def _github(one: Imitation) -> None:
    def issue() -> dict[str, Any]:
        labels = [{"name": f"bk-{one.key}"}] if one.made else []
        return {
            "number": 7,
            "html_url": f"{one.links}/o/r/issues/7",
            "state": "closed" if one.closed else "open",
            "state_reason": "completed" if one.closed else None,
            "labels": labels,
            "body": one.description,
        }

    def patched(asked: Asked) -> Reply:
        one.closed = asked.json["state"] == "closed" if "state" in asked.json else one.closed
        one.describe([asked.json["body"]] if "body" in asked.json else [])
        return Reply(200, issue())

    one.on("GET", "/repos/o/r/issues/(?s:.*)", one.says(issue))
    one.on("PATCH", "/repos/o/r/issues/(?s:.*)", patched)
    one.on("POST", "/repos/o/r/issues/(?s:.*)/comments", Reply(201, {"id": 1}))
    one.on("POST", "/repos/o/r/issues", one.opens(201, lambda _: issue()))
    one.on("GET", "/repos/o/r/issues", one.says(lambda: [issue()] if one.made else []))
    one.on("GET", "/repos/o/r", Reply(200, {"full_name": "o/r", "has_issues": True}))


def _gitlab(one: Imitation) -> None:
    project = "/api/v4/projects/o/r"

    def issue() -> dict[str, Any]:
        labels = [f"bk-{one.key}", "wont-fix"] if one.made else []
        return {
            "iid": 7,
            "web_url": f"{one.links}/o/r/-/issues/7",
            "state": "closed" if one.closed else "opened",
            "labels": labels,
            "description": one.description,
        }

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json["state_event"] == "close" if "state_event" in asked.json else one.closed
        one.describe([asked.json["description"]] if "description" in asked.json else [])
        return Reply(200, issue())

    one.on("GET", f"{project}/issues/(?s:.*)", one.says(issue))
    one.on("PUT", f"{project}/issues/(?s:.*)", changed)
    one.on("POST", f"{project}/issues/(?s:.*)/notes", Reply(201, {"id": 1}))
    one.on("POST", f"{project}/issues", one.opens(201, lambda _: issue()))
    one.on("GET", f"{project}/issues", one.says(lambda: [issue()] if one.made else []))
    one.on("GET", project, Reply(200, {"path_with_namespace": "o/r"}))


def _jira(one: Imitation, api: str = "/rest/api/3", search: str = "/search/jql") -> None:
    def issue() -> dict[str, Any]:
        status = {"statusCategory": {"key": "done" if one.closed else "new"}}
        labels = [f"bk-{one.key}"] if one.made else []
        fields = {"labels": labels, "status": status, "resolution": {"name": "Done"} if one.closed else None}
        fields["description"] = one.description
        return {"key": "OPS-7", "self": f"{one.links}{api}/issue/1", "fields": fields}

    def moved(asked: Asked) -> Reply:
        one.closed = asked.json["transition"]["id"] == "31"
        return Reply(204)

    def described(asked: Asked) -> Reply:
        one.describe([asked.json["fields"]["description"]])
        return Reply(204)

    ways = [{"id": "31", "to": {"id": "3", "statusCategory": {"key": "done"}}}, {"id": "11", "to": {"id": "1", "statusCategory": {"key": "new"}}}]  # fmt: skip
    one.on("GET", f"{api}/project/OPS", Reply(200, {"key": "OPS"}))
    one.on("GET", f"{api}/issue/(?s:.*)", one.says(issue))
    one.on("PUT", f"{api}/issue/(?s:.*)", described)
    one.on("GET", f"{api}/issue/(?s:.*)/transitions", Reply(200, {"transitions": ways}))
    one.on("POST", f"{api}/issue/(?s:.*)/transitions", moved)
    one.on("POST", f"{api}/issue/(?s:.*)/comment", Reply(201, {"id": "1"}))
    one.on("POST", f"{api}/issue", one.opens(201, lambda _: issue()))
    one.on("POST", api + search, one.says(lambda: {"issues": [issue()] if one.made else []}))


def _jira_service_management(one: Imitation) -> None:
    taken = {"requestId": "1", "result": "Request will be processed"}
    one.on("POST", "/alerts/(?s:.*)", Reply(202, taken))
    one.on("POST", "/alerts", one.opens(202, taken))


def _pagerduty(one: Imitation) -> None:
    one.on("POST", "/v2/enqueue", one.opens(202, {"status": "success", "dedup_key": "x"}))


def _redmine(one: Imitation) -> None:
    def issue(status: int | None = None) -> dict[str, Any]:
        keys = [{"id": 1, "name": "Incident key", "value": one.key if one.made else ""}]
        state = {"id": status or (3 if one.closed else 2), "name": "any", "is_closed": one.closed}
        return {"id": 7, "custom_fields": keys, "status": state, "description": one.description}

    def changed(asked: Asked) -> Reply:
        if "status_id" in asked.json["issue"]:
            one.closed = asked.json["issue"]["status_id"] == 3
        one.describe([asked.json["issue"]["description"]] if "description" in asked.json["issue"] else [])
        return Reply(204)

    one.on("GET", "/projects/backup.json", Reply(200, {"project": {"id": 1}}))
    one.on("GET", "/issues/(?s:.*).json", one.says(lambda: {"issue": issue()}))
    one.on("PUT", "/issues/(?s:.*).json", changed)
    one.on("POST", "/issues.json", one.opens(201, lambda _: {"issue": issue(1)}))
    one.on("GET", "/issues.json", one.says(lambda: {"issues": [issue()] if one.made else []}))


def _request_tracker(one: Imitation) -> None:
    ticket = "/REST/2.0/ticket"

    def state() -> str:
        return "resolved" if one.closed else "open"

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json["Status"] == "resolved"
        return Reply(200, ["Status changed"])

    def found() -> dict[str, Any]:
        fields = [{"name": "IncidentKey", "values": [one.key]}] if one.made else []
        return {"items": [{"id": "7", "type": "ticket", "Status": state(), "CustomFields": fields}] if one.made else []}

    one.on("GET", "/REST/2.0/queue/Backup", Reply(200, {"id": 1}))
    one.on("GET", f"{ticket}/(?s:.*)", one.says(lambda: {"id": 7, "Status": state(), "_url": f"{one.links}/7"}, ETag='"1"'))
    one.on("PUT", f"{ticket}/(?s:.*)", changed)
    one.on("POST", f"{ticket}/(?s:.*)/comment", Reply(201, ["Comments added"]))
    one.on("POST", ticket, one.opens(201, lambda _: {"id": 7, "type": "ticket", "_url": f"{one.links}/7"}))
    one.on("GET", "/REST/2.0/tickets", one.says(found))


def _roundup(one: Imitation) -> None:
    data = "/rest/data"

    def issue() -> dict[str, Any]:
        status = {"id": "8", "name": "resolved"} if one.closed else {"id": "1", "name": "unread"}
        return {"id": "7", "link": f"{one.links}/rest/data/issue/7", "@etag": '"1"', "attributes": {"status": status, "messages": [{"id": "1"}]}}  # fmt: skip

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json["status"] in ("resolved", "8")
        return Reply(200, {"data": {"id": "7"}})

    def found() -> dict[str, Any]:
        mine = {"id": "7", "link": f"{one.links}/rest/data/issue/7"} | ({"incident_key": one.key} if one.made else {})
        return {"data": {"collection": [mine] if one.made else []}}

    one.on("GET", f"{data}/issue/(?s:.*)", one.says(lambda: {"data": issue()}))
    one.on("PATCH", f"{data}/issue/(?s:.*)", changed)
    one.on("GET", f"{data}/issue", one.says(found))
    one.on("POST", f"{data}/msg", Reply(201, {"data": {"id": "9"}}))
    one.on("POST", f"{data}/file", Reply(201, {"data": {"id": "5"}}))
    one.on("POST", f"{data}/issue/@poe", Reply(201, {"data": {"link": f"{one.links}/rest/data/issue/@poe/once1"}}))
    one.on("POST", f"{data}/issue/@poe/once1", one.opens(201, lambda _: {"data": issue()}))


def _servicenow(one: Imitation) -> None:
    table = "/api/now/table/incident"

    def record() -> dict[str, Any]:
        state, key = "6" if one.closed else "2", one.key if one.made else ""
        return {"sys_id": "7", "state": state, "correlation_id": key, "description": one.description} | one.kept

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json.get("state", "6" if one.closed else "2") == "6"
        one.describe([asked.json["description"]] if "description" in asked.json else [])
        one.kept |= {"correlation_display": asked.json["correlation_display"]} if "correlation_display" in asked.json else {}
        return Reply(200, {"result": record()})

    one.on("GET", f"{table}/(?s:.*)", one.says(lambda: {"result": record()}))
    one.on("PATCH", f"{table}/(?s:.*)", changed)
    one.on("POST", table, one.opens(201, lambda _: {"result": record()}))
    one.on("GET", table, one.says(lambda: {"result": [record()] if one.made else []}))


def _slack(one: Imitation) -> None:
    def message() -> dict[str, Any]:
        return {
            "ts": TS,
            "metadata": {"event_type": "x", "event_payload": {"key": one.made[0].json["metadata"]["event_payload"]["key"]}},
        }

    def taken(asked: Asked) -> Reply:
        if "thread_ts" not in asked.json:
            one.made.append(asked)
        return Reply(200, {"ok": True, "ts": TS})

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json["text"].startswith("Resolved")
        return Reply(200, {"ok": True, "ts": TS})

    one.on("POST", "/chat.postMessage", taken)
    one.on("POST", "/chat.update", changed)
    one.on("GET", "/conversations.history", one.says(lambda: {"ok": True, "messages": [message()] if one.made else []}))


def _hook(status: int, json: Any = None) -> Callable[[Imitation], None]:
    return lambda one: one.on("POST", ".*", one.opens(status, json))


def _zendesk(one: Imitation) -> None:
    def ticket() -> dict[str, Any]:
        status = "solved" if one.closed else "open"
        return {
            "id": 7,
            "url": f"{one.links}/api/v2/tickets/7.json",
            "status": status,
            "tags": ["wont_fix"],
            "external_id": one.key if one.made else "",
        }

    def changed(asked: Asked) -> Reply:
        one.closed = asked.json["ticket"].get("status", "solved" if one.closed else "open") == "solved"
        return Reply(200, {"ticket": ticket()})

    one.on("GET", "/api/v2/tickets/(?s:.*).json", one.says(lambda: {"ticket": ticket()}))
    one.on("PUT", "/api/v2/tickets/(?s:.*).json", changed)
    one.on("POST", "/api/v2/uploads.json", Reply(201, {"upload": {"token": "up1"}}))
    one.on("POST", "/api/v2/tickets.json", one.opens(201, lambda _: {"ticket": ticket()}))
    one.on("GET", "/api/v2/tickets.json", one.says(lambda: {"tickets": [ticket()] if one.made else []}))


REDMINE = Happy(_redmine, {"project": "backup", "key_field": "1"})
HAPPY: dict[str, Happy] = {
    "azure_devops": Happy(_azure_devops, {"project": "Ops"}),
    "github": Happy(_github, {"repository": "o/r"}),
    "gitlab": Happy(_gitlab, {"project": "o/r"}),
    "jira": Happy(_jira, {"project": "OPS"}, user="ops@example.com", ticket="OPS-7"),
    "jira_data_center": Happy(lambda one: _jira(one, "/rest/api/2", "/search"), {"project": "OPS"}, ticket="OPS-7"),
    "jira_service_management": Happy(_jira_service_management, exactly_once="key", names_no_ticket=True),
    "pagerduty": Happy(_pagerduty, exactly_once="key", names_no_ticket=True),
    "redmine": REDMINE,
    "redmine_markdown": REDMINE,
    "redmine_redcarpet": REDMINE,
    "request_tracker": Happy(_request_tracker, {"queue": "Backup"}),
    "roundup": Happy(_roundup, user="ops"),
    "servicenow": Happy(_servicenow, user="svc.backup"),
    "slack": Happy(_slack, {"channel": "C0123456789"}, ticket=TS),
    "slack_webhook": Happy(_hook(200), exactly_once="", names_no_ticket=True, secret=""),
    "teams": Happy(_hook(202), exactly_once="", names_no_ticket=True, secret=""),
    "webhook": Happy(_hook(200, {"id": "7", "url": "https://desk.example.com/7"}), exactly_once="key", names_no_ticket=True),
    "zendesk": Happy(_zendesk, user="agent@example.com/token"),
}
