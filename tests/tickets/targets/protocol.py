"""What each system is sent, request by request, and what it refuses with: the data of the tests in test_each.py.

The lines stand below the system's prefix, and `KEY` stands for the key of the incident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from handlers.model.refusal import RefusalKind
from tests.tickets.system import NOW, Asked, Reply
from tests.tickets.targets.vendor import changed

REQUIRED: dict[str, set[str]] = {
    "azure_devops": {"project"},
    "github": {"repository", "TICKET_SECRET"},
    "gitlab": {"project", "TICKET_SECRET"},
    "jira": {"project", "TICKET_USER", "TICKET_SECRET"},
    "jira_data_center": {"project", "TICKET_SECRET"},
    "redmine": {"project", "key_field", "TICKET_SECRET"},
    "redmine_markdown": {"project", "key_field", "TICKET_SECRET"},
    "redmine_redcarpet": {"project", "key_field", "TICKET_SECRET"},
    "request_tracker": {"queue", "TICKET_SECRET"},
    "roundup": {"TICKET_USER", "TICKET_SECRET"},
    "slack": {"channel", "TICKET_SECRET"},
    "zendesk": {"TICKET_USER", "TICKET_SECRET"},
}
"""The options and settings without which the app does not start with a system."""


@dataclass(frozen=True)
class Protocol:
    """The requests of one system: of a known ticket, and where its id or the answer was lost, it is gone, or a person closed it."""

    prefix: str
    open: Sequence[str]
    update: Sequence[str]
    resolve: Sequence[str]
    reopen: Sequence[str]
    search: Sequence[str]
    searched_for: Mapping[str, Any]
    """The query, and the body's fields, of the first request of the search."""
    closed: Sequence[str] = ()
    """A good backup of a ticket that a person closed; nothing, where nobody can close one."""
    still_open: Sequence[str] | None = None
    """A new failure, when a person has reopened the ticket already; None: as `reopen`."""
    gone: Reply = field(default_factory=lambda: Reply(404, {"message": "not found"}))
    """What is said of a ticket that was deleted."""
    gone_update: Sequence[str] = ()
    """An update of it makes a new ticket: the requests before that."""
    gone_resolve: Sequence[str] = ()
    """A good backup leaves it."""


PROTOCOLS: dict[str, Protocol] = {
    "azure_devops": Protocol(
        "/Ops/_apis/wit",
        open=["POST /workitems/$Task"],
        update=["GET /workitems/7", "GET /workitemtypes/Task/states", "PATCH /workitems/7"],
        resolve=["GET /workitems/7", "GET /workitemtypes/Task/states", "PATCH /workitems/7"],
        reopen=["GET /workitems/7", "GET /workitemtypes/Task/states", "PATCH /workitems/7"],
        search=["POST /wiql", "POST /workitemsbatch"],
        searched_for={
            "api-version": "7.1",
            "$top": "10",
            "query": "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
            "AND [System.Tags] CONTAINS 'bk-KEY' ORDER BY [System.Id]",
        },
        closed=["GET /workitems/7", "GET /workitemtypes/Task/states"],
        gone_update=["GET /workitems/7", "GET /workitemtypes/Task/states"],
        gone_resolve=["GET /workitems/7", "GET /workitemtypes/Task/states"],
    ),
    "github": Protocol(
        "/repos/o/r",
        open=["POST /issues"],
        update=["GET /issues/7", "PATCH /issues/7", "POST /issues/7/comments"],
        resolve=["GET /issues/7", "POST /issues/7/comments", "PATCH /issues/7"],
        reopen=["GET /issues/7", "PATCH /issues/7", "POST /issues/7/comments"],
        still_open=["GET /issues/7", "PATCH /issues/7", "POST /issues/7/comments"],
        search=["GET /issues"],
        searched_for={"labels": "bk-KEY", "state": "all", "sort": "created", "direction": "asc", "per_page": "10"},
        closed=["GET /issues/7"],
        gone=Reply(410, {"message": "This issue was deleted"}),
        gone_update=["GET /issues/7"],
        gone_resolve=["GET /issues/7"],
    ),
    "gitlab": Protocol(
        "/api/v4/projects/o/r",
        open=["POST /issues"],
        update=["GET /issues/7", "PUT /issues/7", "POST /issues/7/notes"],
        resolve=["GET /issues/7", "POST /issues/7/notes", "PUT /issues/7"],
        reopen=["GET /issues/7", "PUT /issues/7", "POST /issues/7/notes"],
        still_open=["GET /issues/7", "PUT /issues/7", "POST /issues/7/notes"],
        search=["GET /issues"],
        searched_for={
            "labels": "bk-KEY", "state": "all", "scope": "all", "order_by": "created_at", "sort": "asc", "per_page": "10",
        },
        closed=["GET /issues/7"],
        gone_update=["GET /issues/7", "GET "],
        gone_resolve=["GET /issues/7", "GET "],
    ),
    "jira": Protocol(
        "/rest/api/3",
        open=["POST /issue"],
        update=["GET /issue/OPS-7", "PUT /issue/OPS-7", "POST /issue/OPS-7/comment"],
        resolve=["GET /issue/OPS-7", "GET /issue/OPS-7/transitions", "POST /issue/OPS-7/comment", "POST /issue/OPS-7/transitions"],
        reopen=[
            "GET /issue/OPS-7", "GET /issue/OPS-7/transitions", "POST /issue/OPS-7/transitions", "PUT /issue/OPS-7", "POST /issue/OPS-7/comment",
        ],
        still_open=["GET /issue/OPS-7", "PUT /issue/OPS-7", "POST /issue/OPS-7/comment"],
        search=["POST /search/jql"],
        searched_for={"jql": 'labels = "bk-KEY" ORDER BY created ASC', "fields": ["labels", "status"], "maxResults": 10},
        closed=["GET /issue/OPS-7"],
        gone_update=["GET /issue/OPS-7", "GET /project/OPS"],
        gone_resolve=["GET /issue/OPS-7", "GET /project/OPS"],
    ),
    "redmine": Protocol(
        "",
        open=["POST /issues.json"],
        update=["GET /issues/7.json", "PUT /issues/7.json", "GET /issues/7.json"],
        resolve=["GET /issues/7.json", "PUT /issues/7.json", "GET /issues/7.json"],
        reopen=["GET /issues/7.json", "PUT /issues/7.json", "GET /issues/7.json"],
        search=["GET /issues.json"],
        searched_for={"project_id": "backup", "status_id": "*", "cf_1": "KEY", "sort": "id:desc", "limit": "100"},
        closed=["GET /issues/7.json"],
        still_open=["GET /issues/7.json", "PUT /issues/7.json", "GET /issues/7.json"],
        gone_update=["GET /issues/7.json", "GET /projects/backup.json"],
        gone_resolve=["GET /issues/7.json", "GET /projects/backup.json"],
    ),
    "request_tracker": Protocol(
        "/REST/2.0",
        open=["POST /ticket"],
        update=["GET /ticket/7", "POST /ticket/7/comment"],
        resolve=["GET /ticket/7", "POST /ticket/7/comment", "GET /ticket/7", "PUT /ticket/7", "GET /ticket/7"],
        reopen=["GET /ticket/7", "POST /ticket/7/comment", "GET /ticket/7", "PUT /ticket/7", "GET /ticket/7"],
        search=["GET /tickets"],
        searched_for={
            "query": "Queue = 'Backup' AND CF.{IncidentKey} = 'KEY'", "fields": "Status,CustomFields", "orderby": "id", "order": "DESC",
        },
        closed=["GET /ticket/7"],
        still_open=["GET /ticket/7", "POST /ticket/7/comment"],
        gone_update=["GET /ticket/7", "GET /queue/Backup"],
        gone_resolve=["GET /ticket/7", "GET /queue/Backup"],
    ),
    "roundup": Protocol(
        "/rest/data",
        open=["POST /msg", "POST /issue/@poe", "POST /issue/@poe/once1"],
        update=["GET /issue/7", "POST /file", "POST /msg", "PATCH /issue/7"],
        resolve=["GET /issue/7", "POST /msg", "PATCH /issue/7"],
        reopen=["GET /issue/7", "POST /file", "POST /msg", "PATCH /issue/7"],
        search=["GET /issue"],
        searched_for={"incident_key:": "KEY", "@fields": "incident_key", "@verbose": "0"},
        closed=["GET /issue/7"],
        still_open=["GET /issue/7", "POST /file", "POST /msg", "PATCH /issue/7"],
        gone_update=["GET /issue/7"],
        gone_resolve=["GET /issue/7"],
    ),
    "servicenow": Protocol(
        "/api/now/table",
        open=["POST /incident"],
        update=["GET /incident/7", "PATCH /incident/7"],
        resolve=["GET /incident/7", "PATCH /incident/7"],
        reopen=["GET /incident/7", "PATCH /incident/7"],
        search=["GET /incident"],
        searched_for={
            "sysparm_query": "correlation_id=KEY^ORDERBYDESCsys_created_on",
            "sysparm_fields": "sys_id,number,state,correlation_id", "sysparm_limit": "10",
        },
        closed=["GET /incident/7"],
        gone_update=["GET /incident/7", "GET /incident"],
        gone_resolve=["GET /incident/7", "GET /incident"],
    ),
    "slack": Protocol(
        "",
        open=["POST /chat.postMessage"],
        update=["POST /chat.update", "POST /chat.postMessage"],
        resolve=["POST /chat.update", "POST /chat.postMessage"],
        reopen=["POST /chat.update", "POST /chat.postMessage"],
        search=["GET /conversations.history"],
        searched_for={"channel": "C0123456789", "include_all_metadata": "true", "limit": "200"},
        gone=Reply(200, {"ok": False, "error": "message_not_found"}),
        gone_update=["POST /chat.update"],
        gone_resolve=["POST /chat.update"],
    ),
    "zendesk": Protocol(
        "/api/v2",
        open=["POST /tickets.json"],
        update=["GET /tickets/7.json", "POST /uploads.json", "PUT /tickets/7.json"],
        resolve=["GET /tickets/7.json", "PUT /tickets/7.json"],
        reopen=["GET /tickets/7.json", "POST /uploads.json", "PUT /tickets/7.json"],
        search=["GET /tickets.json"],
        searched_for={"external_id": "KEY"},
        closed=["GET /tickets/7.json"],
        gone_update=["GET /tickets/7.json", "GET /tickets.json", "GET /tickets/7.json"],
        gone_resolve=["GET /tickets/7.json", "GET /tickets.json"],
    ),
}  # fmt: skip

PROTOCOLS["jira_data_center"] = replace(PROTOCOLS["jira"], prefix="/rest/api/2", search=["POST /search"])
PROTOCOLS["redmine_markdown"] = PROTOCOLS["redmine_redcarpet"] = PROTOCOLS["redmine"]

SILENCE: dict[str, Any] = {
    "azure_devops": ["Closed"],
    "github": ["completed"],
    "gitlab": ["wont-fix"],
    "jira": ["Done"],
    "jira_data_center": ["Done"],
    "redmine": [3],
    "request_tracker": ["resolved"],
    "roundup": ["resolved"],
    "servicenow": [6],
    "zendesk": ["wont_fix"],
}
"""The words with which the imitations' tickets are closed, as the option `silence` takes them."""

PLACE_LOST: dict[str, int] = {"azure_devops": 404, "github": 301, "gitlab": 404, "jira": 404, "jira_data_center": 404}
"""What is answered to every read when the project or repository is not seen any more, or has another name."""


@dataclass(frozen=True)
class Page:
    """Where a new ticket holds its title and its page, how long they may be, and a page that is too long for it."""

    title: Callable[[Any], str]
    text: Callable[[Any], str]
    """As a person reads it."""
    longest_title: int
    longest_text: int
    too_long: int
    size: Callable[[Any], int] = len
    """Of the body's page, where the limit does not count what a person reads."""
    commands_may_go: bool = False
    """So little fits that only the first commands stay."""


def devops_field(body: Any, path: str) -> Any:
    return next(step["value"] for step in body if step["path"] == path)


PAGES: dict[str, Page] = {
    "azure_devops": Page(
        lambda body: str(devops_field(body, "/fields/System.Title")),
        lambda body: str(devops_field(body, "/fields/System.Description")), 250, 500_000, 600_000,
    ),
    "github": Page(lambda body: str(body["title"]), lambda body: str(body["body"]), 250, 65_000, 80_000),
    "gitlab": Page(lambda body: str(body["title"]), lambda body: str(body["description"]), 250, 900_000, 1_000_000),
    "jira_data_center": Page(
        lambda body: str(body["fields"]["summary"]), lambda body: unescape(str(body["fields"]["description"])), 250, 32_000, 80_000,
        size=lambda body: len(body["fields"]["description"]),
    ),
    "jira_service_management": Page(
        lambda body: str(body["message"]), lambda body: str(body["description"]), 130, 15_000, 30_000
    ),
    "pagerduty": Page(
        lambda body: str(body["payload"]["summary"]), lambda body: str(body["payload"]["custom_details"]["runbook"]),
        1_024, 100_000, 300_000,
    ),
    "redmine": Page(
        lambda body: str(body["issue"]["subject"]), lambda body: str(body["issue"]["description"]), 255, 50_000, 100_000
    ),
    "request_tracker": Page(
        lambda body: str(body["Subject"]), lambda body: unescape(body["Content"]), 200, 25_000, 300_000,
        size=lambda body: len(body["Content"].encode()),
    ),
    "servicenow": Page(
        lambda body: str(body["short_description"]), lambda body: str(body["description"]), 160, 4_000, 30_000,
        commands_may_go=True,
    ),
    "zendesk": Page(
        lambda body: str(body["ticket"]["subject"]), lambda body: unescape(body["ticket"]["comment"]["html_body"]),
        150, 64 * 1024 - 1, 60_000, size=lambda body: len(body["ticket"]["comment"]["html_body"].encode()),
    ),
}  # fmt: skip

PAGES["redmine_markdown"] = PAGES["redmine_redcarpet"] = PAGES["redmine"]


# ---------------------------------------------------------------- what they refuse


@dataclass(frozen=True)
class Refusal:
    """An answer to the first request of a new ticket: for good or not, for how long nobody should come again, what is told of it."""

    reply: Reply
    permanent: bool = False
    wait: str = ""
    said: str = ""
    kind: RefusalKind | None = None
    """Whom it concerns; None: the system if it says how long to wait, the configuration if it is for good."""

    @property
    def concerns(self) -> RefusalKind:
        return self.kind or (RefusalKind.SYSTEM if self.wait and not self.permanent else RefusalKind.CONFIGURATION)


def in_seconds(seconds: int) -> str:
    return str(int(NOW.timestamp()) + seconds)


REFUSALS: dict[str, list[Refusal]] = {
    "azure_devops": [
        Refusal(Reply(429, {}, {"Retry-After": "12"}), wait="12"),
        Refusal(Reply(429, {}, {"X-RateLimit-Reset": in_seconds(45)}), wait="45"),
        Refusal(Reply(400, {"message": "TF401320: Rule Error for field Area. Error code: Required."}), permanent=True, said="TF401320"),
    ],
    "github": [
        Refusal(Reply(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_seconds(90)}), wait="90"),
        Refusal(Reply(429, {}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": in_seconds(60)}), wait="60"),
        Refusal(Reply(403, {"message": "secondary rate limit"}, {"Retry-After": "30"}), wait="30"),
        Refusal(Reply(403, {"message": "Resource not accessible by personal access token"}, {"x-ratelimit-remaining": "4999"})),
        Refusal(Reply(422, {"message": "Validation Failed"}), permanent=True),
    ],
    "gitlab": [
        Refusal(Reply(429, {}, {"RateLimit-Reset": in_seconds(45)}), wait="45"),
        Refusal(Reply(429, {}, {"Retry-After": "60", "RateLimit-Reset": "1"}), wait="60"),
        Refusal(Reply(403, {"message": "403 Forbidden"})),
        Refusal(Reply(400, {"message": {"title": ["is too long"]}}), permanent=True),
    ],
    "jira": [
        Refusal(Reply(429, {}, {"Retry-After": "5", "RateLimit-Reason": "jira-burst-based"}), wait="5"),
        Refusal(Reply(403, {"errorMessages": ["…"]})),
        Refusal(Reply(400, {"errors": {"priority": "It is not on the appropriate screen, or unknown."}}), permanent=True,
                said="appropriate screen"),
    ],
    "jira_data_center": [
        Refusal(Reply(429, {}, {"Retry-After": "5"}), wait="5"),
        Refusal(Reply(400, {"errors": {"priority": "Field 'priority' cannot be set."}}), permanent=True, said="cannot be set"),
    ],
    # https://docs.opsgenie.com/docs/api-rate-limiting; for Jira Service Management nothing is written down.
    "jira_service_management": [
        Refusal(Reply(429, {"message": "You are making too many requests"}, {"X-RateLimit-Period-In-Sec": "60"}), wait="60"),
        Refusal(Reply(422, {"message": "no"}), permanent=True),
    ],
    # What it answered to a key of 20 characters: https://github.com/envato/pagerduty/issues/70
    "pagerduty": [
        Refusal(Reply(429, {}), wait="60"),
        Refusal(Reply(400, {"status": "invalid event", "errors": ["Length of 'routing_key' is incorrect (should be 32 characters)"]}), kind=RefusalKind.SYSTEM,
                said="Length of 'routing_key' is incorrect"),
        Refusal(Reply(400, {"status": "invalid event", "errors": ["'payload.severity' is invalid"]}), permanent=True,
                said="payload.severity"),
    ],
    # https://www.servicenow.com/docs/bundle/australia-api-reference/page/integrate/inbound-rest/concept/inbound-REST-API-rate-limiting.html
    "servicenow": [
        Refusal(Reply(429, {"error": {"message": "Rate limit exceeded"}}, {"X-RateLimit-Reset": in_seconds(60)}), wait="60"),
        Refusal(Reply(429, None, {"X-RateLimit-Reset": in_seconds(60), "Retry-After": "1200"}), wait="1200"),
    ],
    "slack": [Refusal(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}), wait="30")],
    "teams": [
        Refusal(Reply(400, {"error": {"code": "InvalidRequestContent"}}), permanent=True, said="InvalidRequestContent"),
        Refusal(Reply(400, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}), kind=RefusalKind.SYSTEM, said="WorkflowTriggerIsNotEnabled"),
    ],
    "zendesk": [
        Refusal(Reply(429, {"error": "APIRateLimitExceeded"}, {"Retry-After": "93"}), wait="93"),
        Refusal(Reply(409, {"error": "no"})),
        Refusal(Reply(422, {"error": "no"}), permanent=True),
    ],
}  # fmt: skip


ONE_TICKET: dict[str, list[tuple[str, str, str, Reply]]] = {
    "azure_devops": [
        ("resolve", "PATCH", "/Ops/.*/7", Reply(412, {"message": "VS403351: Test Operation for path /rev failed."})),
        ("resolve", "PATCH", "/Ops/.*/7", Reply(400, {"message": "TF401320: Rule Error for field Reason. Error code: Required."})),
        ("update", "GET", "/Ops/.*/7", Reply(403, {"message": "TF237111: The current user does not have permissions"})),
    ],
    "github": [("update", "POST", ".*/7/comments", Reply(403, {"message": "Unable to create comment because issue is locked."}))],
    "gitlab": [("update", "POST", ".*/7/notes", Reply(403, {"message": "403 Forbidden"}))],
    "jira": [
        ("resolve", "POST", ".*/OPS-7/transitions", Reply(400, {"errors": {"resolution": "Resolution is required."}})),
        ("resolve", "GET", ".*/OPS-7/transitions", Reply(200, {"transitions": []})),
        ("update", "POST", ".*/OPS-7/comment", Reply(403, {"errorMessages": ["You do not have permission to comment"]})),
    ],
    "redmine": [
        ("update", "GET", "/issues/7.json", Reply(403)),
        ("resolve", "PUT", "/issues/7.json", Reply(422, {"errors": ["Status cannot be set while a subtask is open"]})),
    ],
    "request_tracker": [
        ("update", "GET", "/REST/2.0/ticket/7", Reply(403, {"message": "Forbidden"})),
        ("resolve", "PUT", "/REST/2.0/ticket/7", Reply(412, {"message": "Precondition Failed"})),
    ],
    "roundup": [
        ("update", "PATCH", "/rest/data/issue/7", Reply(412, {"error": {"msg": "If-Match is stale"}})),
        ("resolve", "PATCH", "/rest/data/issue/7", Reply(409, {"error": {"msg": "issue2 must be resolved first"}})),
    ],
    "servicenow": [
        ("update", "PATCH", ".*/7", Reply(403, {"error": {"detail": "ACL Exception Update Failed"}})),
        ("resolve", "PATCH", ".*/7", Reply(200, {"result": {"sys_id": "7", "state": "2"}})),
    ],
    "webhook": [("update", "POST", ".*", Reply(423, {"error": "locked"})), ("resolve", "POST", ".*", Reply(409))],
    "zendesk": [
        ("update", "PUT", ".*/7.json", Reply(409, {"error": "UpdateConflict"})),
        ("resolve", "PUT", ".*/7.json", Reply(422, {"details": {"base": [{"description": "Team: needed"}]}})),
    ],
}  # fmt: skip
"""What each of them refuses of one ticket, by the operation and the request that is answered so."""


# ---------------------------------------------------------------- what vendors publish of their APIs


@dataclass(frozen=True)
class Described:
    """A vendor's own description of its API, and requests that it must refuse."""

    file: str
    wrong: Sequence[Callable[[Sequence[Asked]], Asked]]
    """Of the requests of an incident's life, one with a mistake in it."""
    path: Callable[[str], str] = lambda path: path
    """As the description has it; empty for a request that it leaves out."""
    options: Mapping[str, Any] = field(default_factory=dict)


def _devops_path(path: str) -> str:
    """The description leaves out states and batches, and has a query only below a team, which is optional there."""
    if path.endswith(("/states", "/workitemsbatch")):
        return ""
    return "/acme" + (path.replace("/_apis", "/team/_apis") if path.endswith("/wiql") else path)


JSON = "application/json"
DESCRIBED: dict[str, Described] = {
    "azure_devops": Described(
        "azure-devops-workitems.json",
        [
            lambda asked: changed(asked[0], lambda patch: {"fields": {"System.Title": "no patch"}}),
            lambda asked: changed(asked[0], lambda patch: patch, {**asked[0].headers, "content-type": JSON}),
            lambda asked: changed(asked[0], lambda patch: [{"op": "put", "path": "/rev"}]),
        ],
        path=_devops_path,
    ),
    "github": Described(
        "github-issues.json",
        [
            lambda asked: changed(asked[0], lambda issue: issue | {"labels": "bk-1"}),
            lambda asked: changed(asked[0], lambda issue: {"body": issue["body"]}),
        ],
        options={"fields": {"assignees": ["ops"], "type": "Bug"}},
    ),
    "jira": Described(
        "jira-issues.json",
        [
            lambda asked: changed(asked[0], lambda issue: {"fields": "no table"}),
            lambda asked: changed(
                next(one for one in asked if one.path.endswith("/search/jql")), lambda search: search | {"maxResults": "ten"}
            ),
        ],
        options={"resolve_fields": {"resolution": {"name": "Done"}}},
    ),
    "jira_service_management": Described(
        "opsgenie-alerts.json",
        [
            lambda asked: changed(asked[0], lambda alert: alert | {"message": 7}),
            lambda asked: changed(asked[0], lambda alert: alert | {"priority": "P9"}),
            lambda asked: changed(asked[0], lambda alert: alert | {"details": {"failures": 1}}),
        ],
        path=lambda path: f"/v2{path}",
    ),
    "pagerduty": Described(
        "pagerduty-events-v2.json",
        [
            lambda asked: changed(asked[0], lambda event: event | {"event_action": "reopen"}),
            lambda asked: changed(
                asked[0], lambda event: event | {"payload": {"summary": "x", "source": "y", "severity": "high"}}
            ),
            lambda asked: changed(asked[0], lambda event: event | {"links": [{}]}),
        ],
    ),
}
"""Of Jira Service Management there is Opsgenie's, whose requests these are: it proves nothing of the rest."""
