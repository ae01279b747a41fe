"""Azure DevOps work items: https://learn.microsoft.com/en-us/rest/api/azure/devops/wit/work-items?view=azure-devops-rest-7.1"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.target import Target
from tests.tickets.changes import REOPENED, UPDATED, failed, resolved
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at

API = "/acme/ops/_apis/wit"
CREATE = f"{API}/workitems/$Task"
ITEM = f"{API}/workitems/7"
STATES = f"{API}/workitemtypes/Task/states"
KNOWN = ("7", "https://dev.azure.example.com/acme/_workitems/edit/7")
PATCH_TYPE = "application/json-patch+json; charset=utf-8"
GERMAN = {"Neu": "Proposed", "Aktiv": "InProgress", "Gelöst": "Resolved", "Fertig": "Completed", "Entfernt": "Removed"}


@dataclass
class AzureDevOps:
    """A project with the work items that were created in it; its process has German names."""

    system: System
    items: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        on = self.system.on
        on("POST", CREATE.replace("$", r"\$"), self.created)
        on("GET", ITEM, lambda asked: Reply(200, self.items[0]))
        on("PATCH", ITEM, self.patched)
        on("GET", STATES, Reply(200, {"count": 5, "value": [{"name": name, "category": kind} for name, kind in GERMAN.items()]}))
        on(
            "POST",
            f"{API}/wiql",
            lambda asked: Reply(200, {"workItems": [{"id": item["id"], "url": "…"} for item in self.items]}),
        )
        on("POST", f"{API}/workitemsbatch", lambda asked: Reply(200, {"count": 1, "value": [None, *self.items]}))

    def created(self, asked: Asked) -> Reply:
        fields = {one["path"].removeprefix("/fields/"): one["value"] for one in asked.json if one["path"].startswith("/fields/")}
        fields |= {"System.State": "Neu", "System.WorkItemType": "Task"}
        url = "https://dev.azure.example.com/acme/_apis/wit/workItems/7"
        self.items.append({"id": 7, "rev": 1, "fields": fields, "url": url})
        return Reply(200, self.items[-1] | {"_links": {"html": {"href": KNOWN[1]}}})

    def patched(self, asked: Asked) -> Reply:
        item = self.items[0]
        for one in asked.json:
            if one["op"] == "test" and one["value"] != item["rev"]:
                return Reply(412, {"message": "VS403351: Test Operation for path /rev failed."})
            if one["path"].startswith("/fields/"):
                item["fields"][one["path"].removeprefix("/fields/")] = one["value"]
        item["rev"] += 1
        return Reply(200, item)

    @property
    def state(self) -> str:
        return str(self.items[0]["fields"]["System.State"])


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as found:
        yield found


@pytest.fixture
def devops(system: System) -> AzureDevOps:
    return AzureDevOps(system)


def target(system: System, secret: str = "s3cret", **options: Any) -> Target:
    return target_at(f"{system.url}/acme", "azure_devops", secret=secret, **{"project": "ops", **options})


def lines(system: System) -> list[str]:
    return [f"{asked.method} {asked.path.removeprefix(API)}" for asked in system.asked]


def value_of(asked: Asked, path: str) -> Any:
    return next((one["value"] for one in asked.json if one["path"] == path), None)


def test_a_failure_creates_a_work_item_with_the_key_as_a_tag(devops: AzureDevOps, system: System) -> None:
    posting = failed()
    area = {"op": "add", "path": "/fields/System.AreaPath", "value": "Ops\\Backup"}
    assert posted(target(system, tags=["backup"], operations=[area]), posting) == Posted(*KNOWN)
    [asked] = system.asked
    assert (asked.method, asked.path, dict(asked.query)) == ("POST", CREATE, {"api-version": "7.1"})
    assert asked.headers["content-type"] == PATCH_TYPE
    assert asked.headers["x-tfs-fedauthredirect"] == "Suppress"
    key = posting.event["data"]["incident"]["id"]
    text = value_of(asked, "/fields/System.Description")
    assert asked.json == [
        area,
        {"op": "add", "path": "/fields/System.Title", "value": posting.event["data"]["title"]},
        {"op": "add", "path": "/fields/System.Description", "value": text},
        {"op": "add", "path": "/multilineFieldsFormat/System.Description", "value": "Markdown"},
        {"op": "add", "path": "/fields/System.Tags", "value": f"bk-{key}; backup"},
        {"op": "add", "path": "/fields/Microsoft.VSTS.Common.Priority", "value": 1},
    ]
    assert text.startswith("# Backup of `vm-pay-01` failed")


def test_the_app_comes_as_itself_or_with_a_personal_access_token(devops: AzureDevOps, system: System) -> None:
    posted(target(system, secret=""), failed())
    posted(target(system), failed())
    assert [asked.headers["authorization"] for asked in system.asked] == [
        "Bearer token-for-499b84ac-1321-427f-aa17-267ca6975798/.default", "Basic OnMzY3JldA==",
    ]  # fmt: skip


def test_type_description_field_and_priority_may_be_others(devops: AzureDevOps, system: System) -> None:
    system.on("POST", f"{API}/workitems/.Bug", devops.created)
    posted(target(system, type="Bug", description_field="Microsoft.VSTS.TCM.ReproSteps", priorities={"Sev1": 4}), failed())
    posted(target(system, priorities=False), failed())
    bug, task = system.asked
    assert bug.path == f"{API}/workitems/$Bug"
    assert value_of(bug, "/fields/Microsoft.VSTS.TCM.ReproSteps").startswith("# Backup")
    assert value_of(bug, "/multilineFieldsFormat/Microsoft.VSTS.TCM.ReproSteps") == "Markdown"
    assert value_of(bug, "/fields/Microsoft.VSTS.Common.Priority") == 4
    assert value_of(task, "/fields/Microsoft.VSTS.Common.Priority") is None


def test_a_change_sets_the_state_of_the_revision_that_was_read_and_adds_to_the_discussion(
    devops: AzureDevOps, system: System
) -> None:
    ours = target(system)
    posted(ours, failed())
    posted(ours, failed(UPDATED, ticket=KNOWN))
    posted(ours, resolved(ticket=KNOWN))
    assert devops.state == "Fertig"
    posted(ours, failed(REOPENED, ticket=KNOWN))
    assert devops.state == "Neu"
    updated, done, reopened = system.named("PATCH", ITEM)
    history = [{"op": "add", "path": "/multilineFieldsFormat/System.History", "value": "Markdown"}]
    note = {"op": "add", "path": "/fields/System.History"}
    state = {"op": "add", "path": "/fields/System.State"}
    told = [step["path"] for step in updated.json if step["op"] == "add" and step["path"].startswith("/fields/")]
    assert updated.json[0] == {"op": "test", "path": "/rev", "value": 1}
    assert updated.json[1:3] == [note | {"value": updated.json[1]["value"]}, *history]
    assert told == ["/fields/System.History", "/fields/System.Description"]
    assert done.json == [
        {"op": "test", "path": "/rev", "value": 2}, state | {"value": "Fertig"}, note | {"value": done.json[2]["value"]}, *history,
    ]  # fmt: skip
    assert reopened.json[:2] == [{"op": "test", "path": "/rev", "value": 3}, state | {"value": "Neu"}]
    assert "Completed" in done.json[2]["value"]
    assert {asked.headers["content-type"] for asked in (updated, done, reopened)} == {PATCH_TYPE}


def test_the_states_may_be_chosen_by_name(devops: AzureDevOps, system: System) -> None:
    ours = target(system, resolved_state="Gelöst", open_state="Aktiv")
    posted(ours, failed())
    posted(ours, resolved(ticket=KNOWN))
    assert devops.state == "Gelöst"
    posted(ours, failed(REOPENED, ticket=KNOWN))
    assert devops.state == "Aktiv"


def test_the_states_are_those_of_the_type_that_a_person_gave_the_item(devops: AzureDevOps, system: System) -> None:
    posted(target(system), failed())
    devops.items[0]["fields"]["System.WorkItemType"] = "User Story"
    system.on("GET", f"{API}/workitemtypes/User Story/states", Reply(200, {"value": [{"name": "Zu", "category": "Completed"}]}))
    posted(target(system), resolved(ticket=KNOWN))
    assert devops.state == "Zu"


def test_a_change_by_somebody_else_in_between_is_another_try(devops: AzureDevOps, system: System) -> None:
    posted(target(system), failed())

    def read_late(asked: Asked) -> Reply:
        devops.items[0]["rev"] += 1
        return Reply(200, devops.items[0] | {"rev": devops.items[0]["rev"] - 1})

    system.on("GET", ITEM, read_late)
    with pytest.raises(TicketNotPosted, match="412") as caught:
        posted(target(system), resolved(ticket=KNOWN))
    assert not caught.value.permanent
    assert devops.state == "Neu"


@pytest.mark.parametrize("state", ["Gelöst", "Fertig", "Entfernt"])
def test_a_work_item_that_a_person_closed_may_get_a_note_and_be_left_closed(
    devops: AzureDevOps, system: System, state: str
) -> None:
    read = ["GET /workitems/7", "GET /workitemtypes/Task/states"]
    posted(target(system), failed())
    devops.items[0]["fields"]["System.State"] = state
    posted(target(system, on_closed="note"), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system)[1:] == [*read, "PATCH /workitems/7", *read]
    assert devops.state == state


def test_of_what_the_query_names_the_tags_are_read_and_what_is_gone_meanwhile_is_passed_over(
    devops: AzureDevOps, system: System
) -> None:
    posted(target(system, tags=["a", "z"]), failed())
    assert posted(target(system), failed(), may_exist=True) == Posted(*KNOWN)
    assert len(devops.items) == 1
    assert system.asked[-1].json == {"ids": [7], "fields": ["System.Tags"], "errorPolicy": "omit"}


@pytest.mark.parametrize("tags", ["", "bk-other", "xbk-{key}", "bk-{key}0"])
def test_a_work_item_that_does_not_carry_the_key_is_not_touched(devops: AzureDevOps, system: System, tags: str) -> None:
    posting = failed(UPDATED)
    posted(target(system), failed())
    devops.items[0]["fields"]["System.Tags"] = tags.format(key=posting.event["data"]["incident"]["id"])
    posted(target(system), posting)
    assert lines(system)[1:] == ["POST /wiql", "POST /workitemsbatch", "POST /workitems/$Task"]


@pytest.mark.parametrize("status", [203, 200])
def test_a_sign_in_page_is_no_success(system: System, status: int) -> None:
    system.all_answer(Reply(status))
    for posting in (
        failed(),
        failed(UPDATED, ticket=KNOWN),
        resolved(ticket=KNOWN),
        failed(REOPENED, ticket=KNOWN),
        failed(UPDATED),
    ):
        with pytest.raises(TicketNotPosted, match="sign-in page") as caught:
            posted(target(system), posting)
        assert not caught.value.permanent
    with pytest.raises(TicketNotPosted, match="sign-in page"):
        target(system).check()


def test_the_check_asks_for_a_work_item_as_the_options_make_it(devops: AzureDevOps, system: System) -> None:
    area = {"op": "add", "path": "/fields/System.AreaPath", "value": "Ops\\Backup"}
    target(system, operations=[area]).check()
    assert system.asked[0].json[0] == area


def test_the_check_names_the_states_when_a_chosen_one_is_not_there(devops: AzureDevOps, system: System) -> None:
    with pytest.raises(TicketNotPosted, match="it has: Neu, Aktiv, Gelöst, Fertig, Entfernt"):
        target(system, resolved_state="Closed").check()
