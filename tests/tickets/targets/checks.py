"""What `python -m handlers tickets check` asks each system, and what it says when something is wrong: data of the tests in test_each.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.tickets.system import Asked, Reply, System
from tests.tickets.targets.happy import SECRET

Wrong = tuple[str, str, Reply, str]
"""The answer to requests of a method and path, and the words that it leads to."""


@dataclass(frozen=True)
class Check:
    """`healthy` answers as a system does in which all is well."""

    healthy: Callable[[System], None]
    requests: Sequence[str]
    wrong: Sequence[Wrong]
    sent: Any = None
    """The body of the last request."""
    options: Mapping[str, Any] = field(default_factory=dict)


def _as_always(_: System) -> None:
    """The imitation answers what is asked."""


# ---------------------------------------------------------------- GitHub

REPOSITORY = {"full_name": "o/r", "has_issues": True, "archived": False}


def _github(one: System) -> None:
    one.on("GET", "/repos/o/r", Reply(200, REPOSITORY))
    one.on("POST", "/repos/o/r/issues", Reply(422, {"message": "Validation Failed"}))


# ---------------------------------------------------------------- GitLab

PROJECT = "/api/v4/projects/o/r"


def project_seen(level: int = 20, **other: Any) -> Reply:
    """https://docs.gitlab.com/api/projects/#get-a-single-project"""
    access = {"project_access": {"access_level": level} if level else None, "group_access": None}
    shown = {"path_with_namespace": "o/r", "archived": False, "issues_access_level": "enabled", "visibility": "private"}
    return Reply(200, shown | {"permissions": access} | other)


def _gitlab(one: System) -> None:
    one.on("GET", PROJECT, project_seen())
    one.on("POST", f"{PROJECT}/issues", Reply(400, {"message": {"title": ["can't be blank"]}}))


# ---------------------------------------------------------------- Jira

JIRA = "/rest/api/3"
META = f"{JIRA}/issue/createmeta/OPS/issuetypes"
FIELDS = ("project", "issuetype", "summary", "description", "labels", "priority")


def permissions(*lacking: str) -> Reply:
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/"""
    names = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES")
    return Reply(200, {"permissions": {name: {"key": name, "havePermission": name not in lacking} for name in names}})


def screen(*fields: str, required: str = "") -> Reply:
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ (create field metadata)"""
    always = ("summary", "project", "issuetype", required)
    shown = [{"fieldId": name, "required": name in always, "hasDefaultValue": False} for name in (*fields, required) if name]
    return Reply(200, {"fields": shown})


JIRA_2 = "/rest/api/2"
META_2 = f"{JIRA_2}/issue/createmeta/OPS/issuetypes"


def healthy_jira_data_center(one: System) -> None:
    fields = [{"fieldId": name, "required": name == "summary", "hasDefaultValue": False} for name in FIELDS]
    one.on("GET", f"{JIRA_2}/myself", Reply(200, {"name": "backup-runbooks"}))
    one.on("GET", f"{JIRA_2}/mypermissions", permissions())
    one.on("GET", META_2, Reply(200, {"values": [{"id": "10001", "name": "Bug"}, {"id": "10002", "name": "Task"}]}))
    one.on("GET", f"{META_2}/10002", Reply(200, {"values": fields}))


def healthy_jira(one: System) -> None:
    one.on("GET", f"{JIRA}/myself", Reply(200, {"accountId": "5b10"}))
    one.on("GET", f"{JIRA}/mypermissions", permissions())
    one.on("GET", META, Reply(200, {"issueTypes": [{"id": "10001", "name": "Bug"}, {"id": "10002", "name": "Task"}]}))
    one.on("GET", f"{META}/10002", screen(*FIELDS))


# ---------------------------------------------------------------- Request Tracker

MAY_CREATE = {"_hyperlinks": [{"ref": "self", "type": "queue"}, {"ref": "create", "type": "ticket"}]}
KEY_FIELD = {"TicketCustomFields": [{"name": "IncidentKey"}]}


def _request_tracker(one: System) -> None:
    one.on("GET", "/REST/2.0/queue/Backup", Reply(200, MAY_CREATE | KEY_FIELD))

    def tickets(asked: Asked) -> Reply:
        items = [{"id": "5"}] if "__Active__" in asked.query["query"] else []
        return Reply(200, {"count": len(items), "items": items})

    one.on("GET", "/REST/2.0/tickets", tickets)
    one.on("GET", "/REST/2.0/ticket/5", open_ticket("comment", "resolved"))


def open_ticket(note: str, to: str) -> Reply:
    """A ticket that takes one kind of note, and can go to one status."""
    return Reply(200, {"Status": "new", "_hyperlinks": [{"ref": note}, {"ref": "lifecycle", "to": to}]})


# ---------------------------------------------------------------- ServiceNow

INCIDENTS = "/api/now/table/incident"
GROUP = "a" * 32


def incident(key: str) -> dict[str, str]:
    return {"sys_id": "f" * 32, "number": "INC0010023", "state": "1", "correlation_id": key}


def healthy_servicenow(one: System) -> None:
    def incidents(asked: Asked) -> Reply:
        mine = "backup-runbooks-check" in asked.query.get("sysparm_query", "")
        return Reply(200, {"result": [] if mine else [incident("")]})

    one.on("GET", INCIDENTS, incidents)
    one.on("GET", "/api/now/table/sys_choice", Reply(200, {"result": [{"value": "Solution provided"}]}))
    one.on("GET", "/api/now/table/sys_user_group/.*", Reply(200, {"result": {"sys_id": GROUP, "name": "Backup"}}))


# ---------------------------------------------------------------- Slack


def _slack(one: System) -> None:
    one.on("POST", "/auth.test", Reply(200, {"ok": True}, {"x-oauth-scopes": "chat:write,channels:history"}))


def _no(error: str) -> Reply:
    return Reply(200, {"ok": False, "error": error})


# ---------------------------------------------------------------- Zendesk

ME, GROUP_9 = "/api/v2/users/me.json", "/api/v2/groups/9.json"


def _zendesk(one: System) -> None:
    one.on("GET", ME, Reply(200, {"user": {"id": 3, "role": "agent"}}))
    one.on("GET", GROUP_9, Reply(200, {"group": {"id": 9}}))


# ---------------------------------------------------------------- all of them

TASK = r"/Ops/_apis/wit/workitems/\$Task"
CHECKS: dict[str, Check] = {
    "azure_devops": Check(
        _as_always,
        [
            "POST /Ops/_apis/wit/workitems/$Task?api-version=7.1&validateOnly=true",
            "GET /Ops/_apis/wit/workitemtypes/Task/states?api-version=7.1",
            "POST /Ops/_apis/wit/wiql?api-version=7.1&$top=1",
        ],
        [
            ("POST", TASK, Reply(401, {}), "401"),
            ("POST", TASK, Reply(404, {"message": "VS402323: Work item type Task does not exist in project ops"}), "refused: VS402323"),
            ("POST", TASK, Reply(404, {"message": "TF200016: The following project does not exist: ops."}), "refused: TF200016"),
            ("POST", TASK, Reply(403, {"message": "TF401347: You do not have permissions to create tags."}), "refused: TF401347"),
            ("POST", TASK, Reply(400, {"message": "TF401320: Rule Error for field Area."}), "refused: TF401320"),
        ],
    ),
    "github": Check(
        _github,
        ["GET /repos/o/r", "POST /repos/o/r/issues"],
        [
            ("GET", "/repos/o/r", Reply(401, {}), "401"),
            ("GET", "/repos/o/r", Reply(404, {}), "is not there, or TICKET_SECRET may not see it"),
            ("GET", "/repos/o/r", Reply(301, {}), "another name"),
            ("GET", "/repos/o/r", Reply(200, None), "does not answer as the API of GitHub"),
            ("GET", "/repos/o/r", Reply(200, REPOSITORY | {"archived": True}), "archived"),
            ("GET", "/repos/o/r", Reply(200, REPOSITORY | {"has_issues": False}), "switched off"),
            ("POST", "/repos/o/r/issues", Reply(403, {}), "permission Issues, read and write"),
        ],
        sent={"title": ""},
    ),
    "gitlab": Check(
        _gitlab,
        [f"GET {PROJECT}", f"POST {PROJECT}/issues"],
        [
            ("GET", PROJECT, Reply(401, {}), "401"),
            ("GET", PROJECT, Reply(404, {}), "is not there, or TICKET_SECRET may not see it"),
            ("GET", PROJECT, Reply(200, None), "does not answer as GitLab"),
            ("GET", PROJECT, project_seen(archived=True), "archived"),
            ("GET", PROJECT, project_seen(issues_access_level="disabled"), "switched off"),
            ("GET", PROJECT, project_seen(10), "Planner or Reporter"),
            ("GET", PROJECT, project_seen(0, visibility="public"), "Planner or Reporter"),
            ("POST", f"{PROJECT}/issues", Reply(403, {}), "scope api"),
        ],
        sent={"title": ""},
    ),
    "jira": Check(
        healthy_jira,
        [
            f"GET {JIRA}/myself",
            f"GET {JIRA}/mypermissions?projectKey=OPS&permissions=BROWSE_PROJECTS,CREATE_ISSUES,ADD_COMMENTS,TRANSITION_ISSUES",
            f"GET {META}?maxResults=200",
            f"GET {META}/10002?maxResults=200",
        ],
        [
            ("GET", f"{JIRA}/myself", Reply(401, {}), "401"),
            ("GET", f"{JIRA}/myself", Reply(200, None), "does not answer as Jira Cloud"),
            ("GET", f"{JIRA}/mypermissions", Reply(404, {}), "project OPS is not there"),
            ("GET", f"{JIRA}/mypermissions", permissions("ADD_COMMENTS", "TRANSITION_ISSUES"), "OPS: ADD_COMMENTS, TRANSITION_ISSUES"),
            ("GET", META, Reply(200, {"issueTypes": [{"id": "1", "name": "Aufgabe"}]}), "no issue type Task; it has: Aufgabe"),
            ("GET", f"{META}/10002", screen("summary", "description", "priority"), "It lacks: labels"),
            ("GET", f"{META}/10002", screen("summary", "description", "labels"), r"priority \(set priorities to false\)"),
            ("GET", f"{META}/10002", screen(*FIELDS, required="customfield_10050"), "no entry of fields for: customfield_10050"),
        ],
    ),
    "jira_data_center": Check(
        healthy_jira_data_center,
        [f"GET {JIRA_2}/myself", f"GET {JIRA_2}/mypermissions?projectKey=OPS", f"GET {META_2}?maxResults=200", f"GET {META_2}/10002?maxResults=200"],
        [
            ("GET", f"{JIRA_2}/myself", Reply(401, {}), "401"),
            ("GET", f"{JIRA_2}/myself", Reply(200, {"accountId": "5b10"}), "does not answer as Jira Data Center"),
            ("GET", f"{JIRA_2}/mypermissions", Reply(404, {}), "project OPS is not there"),
            ("GET", f"{JIRA_2}/mypermissions", permissions("ADD_COMMENTS"), "OPS: ADD_COMMENTS"),
            ("GET", META_2, Reply(200, {"values": [{"id": "1", "name": "Aufgabe"}]}), "no issue type Task; it has: Aufgabe"),
        ],
    ),
    "jira_service_management": Check(
        _as_always,
        ["POST /alerts/backup-runbooks-check/close?identifierType=alias"],
        [
            ("POST", "/alerts/.*", Reply(401, {"message": "Unauthorized"}), "API key is wrong"),
            ("POST", "/alerts/.*", Reply(403, {"message": "You are not authorized"}), "API key is wrong"),
            ("POST", "/alerts/.*", Reply(422, {"message": "Key format is not valid!"}), "API key is wrong"),
            ("POST", "/alerts/.*", Reply(404), "not the address"),
            ("POST", "/alerts/.*", Reply(302), "not the address"),
            ("POST", "/alerts/.*", Reply(202), "not the address"),
        ],
    ),
    "pagerduty": Check(
        _as_always,
        ["POST /v2/enqueue"],
        [
            ("POST", "/v2/enqueue", Reply(400, {"errors": ["Length of 'routing_key' is incorrect (should be 32 characters)"]}), "routing key"),
            ("POST", "/v2/enqueue", Reply(404), "not the address"),
            ("POST", "/v2/enqueue", Reply(302), "not the address"),
        ],
        sent={"routing_key": SECRET, "event_action": "resolve", "dedup_key": "backup-runbooks-check"},
    ),
    "request_tracker": Check(
        _request_tracker,
        ["GET /REST/2.0/queue/Backup"] * 3
        + ["GET /REST/2.0/tickets?query=Queue = 'Backup' AND CF.{IncidentKey} = 'no ticket has this'&per_page=1"]
        + ["GET /REST/2.0/tickets?query=Queue = 'Backup' AND Status = '__Active__'&per_page=1"]
        + ["GET /REST/2.0/ticket/5"] * 2,
        [
            ("GET", "/REST/2.0/queue/Backup", Reply(403, {"message": "Forbidden"}), "queue Backup is not there"),
            ("GET", "/REST/2.0/queue/Backup", Reply(200, {"_hyperlinks": [{"ref": "history"}]} | KEY_FIELD), "CreateTicket"),
            ("GET", "/REST/2.0/queue/Backup", Reply(200, MAY_CREATE | {"TicketCustomFields": []}), "no custom field IncidentKey"),
            ("GET", "/REST/2.0/ticket/5", open_ticket("comment", "done"), "RT offers done, and not resolved"),
            ("GET", "/REST/2.0/ticket/5", open_ticket("correspond", "resolved"), "right CommentOnTicket"),
        ],
    ),
    "servicenow": Check(
        healthy_servicenow,
        [
            f"GET {INCIDENTS}?sysparm_limit=1&sysparm_fields=sys_id,state,correlation_id",
            f"GET {INCIDENTS}?sysparm_query=correlation_id=backup-runbooks-check&sysparm_limit=1&sysparm_fields=sys_id,correlation_id",
            "GET /api/now/table/sys_choice?sysparm_query=name=incident^element=close_code^inactive=false^value=Solution provided"
            "&sysparm_fields=value&sysparm_limit=1",
            f"GET /api/now/table/sys_user_group/{GROUP}?sysparm_fields=sys_id,name",
        ],
        [
            ("GET", INCIDENTS, Reply(401), "password"),
            ("GET", INCIDENTS, Reply(403), "role"),
            ("GET", INCIDENTS, Reply(404), "not the address"),
            ("GET", INCIDENTS, Reply(302), "not the address"),
            ("GET", INCIDENTS, Reply(200), "sleeps"),
            ("GET", INCIDENTS, Reply(200, {"result": [{"sys_id": "f" * 32, "state": "1"}]}), "correlation_id"),
            ("GET", INCIDENTS, Reply(200, {"result": [incident("somebody else's")]}), "correlation_id"),
            ("GET", "/api/now/table/sys_choice", Reply(200, {"result": []}), "close_code Solution provided"),
            ("GET", "/api/now/table/sys_user_group/.*", Reply(404), "no group"),
        ],
        options={"assignment_group": GROUP},
    ),
    "slack": Check(
        _slack,
        ["POST /auth.test", "GET /conversations.history?channel=C0123456789&limit=1"],
        [
            ("POST", "/auth.test", _no("invalid_auth"), "TICKET_SECRET is not accepted: invalid_auth"),
            ("POST", "/auth.test", Reply(200), "this is not Slack"),
            ("POST", "/auth.test", Reply(200, {"ok": True}, {"x-oauth-scopes": "chat:write.public,channels:history"}),
             "lacks the scope chat:write"),
            ("GET", "/conversations.history", _no("missing_scope"), "channels:history"),
            ("GET", "/conversations.history", _no("not_in_channel"), "invite it"),
            ("GET", "/conversations.history", _no("channel_not_found"), "C0123456789"),
            ("GET", "/conversations.history", _no("odd"), "odd"),
        ],
    ),
    "slack_webhook": Check(
        lambda one: one.on("POST", ".*", Reply(400, "no_text")),
        [f"POST /{SECRET}"],
        [
            ("POST", ".*", Reply(403), "revoked"),
            ("POST", ".*", Reply(404), "no such webhook"),
            ("POST", ".*", Reply(410), "archived"),
            ("POST", ".*", Reply(200), "not an incoming"),
        ],
        sent={},
    ),
    "teams": Check(
        _as_always,
        [f"POST /{SECRET}"],
        [
            ("POST", ".*", Reply(401), "sig"),
            ("POST", ".*", Reply(403), "Anyone"),
            ("POST", ".*", Reply(404), "no such workflow"),
            ("POST", ".*", Reply(400), "switched on"),
            ("POST", ".*", Reply(500), "500"),
        ],
    ),
    "zendesk": Check(
        _zendesk,
        [f"GET {ME}", "GET /api/v2/tickets.json?external_id=backup-runbooks-check", f"GET {GROUP_9}"],
        [
            ("GET", ME, Reply(401, {"error": "Couldn't authenticate you"}), "/token"),
            ("GET", ME, Reply(200, {"user": {"id": None, "role": "end-user"}}), "/token"),
            ("GET", ME, Reply(200, {"user": {"id": 4, "role": "end-user"}}), "no agent"),
            ("GET", ME, Reply(404), "not the address"),
            ("GET", ME, Reply(301), "not the address"),
            ("GET", "/api/v2/tickets.json", Reply(403, {"error": "Forbidden"}), "may not list"),
            ("GET", GROUP_9, Reply(404, {"error": "RecordNotFound"}), "no group whose id is 9"),
        ],
        options={"group_id": 9},
    ),
}  # fmt: skip
