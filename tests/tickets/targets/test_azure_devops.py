"""Azure DevOps work items: https://learn.microsoft.com/en-us/rest/api/azure/devops/wit/work-items?view=azure-devops-rest-7.1"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.tickets.answers import Posted, TicketNotPosted
from handlers.tickets.engine.definition import DefinitionError, load
from handlers.tickets.engine.target import Target
from tests.tickets import changes
from tests.tickets.changes import HOSTILE, REOPENED, UPDATED, failed, resolved, storm, unreadable
from tests.tickets.system import Asked, Reply, System, posted, running_system, target_at
from tests.tickets.targets import vendor

API = "/acme/ops/_apis/wit"
CREATE = f"{API}/workitems/$Task"
ITEM = f"{API}/workitems/7"
STATES = f"{API}/workitemtypes/Task/states"
KNOWN = ("7", "https://dev.azure.example.com/acme/_workitems/edit/7")
DESCRIPTION = "azure-devops-workitems.json"
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


def test_a_work_item_lives_from_the_failure_to_the_good_backup_and_back(devops: AzureDevOps, system: System) -> None:
    ours = target(system)
    posted(ours, failed())
    assert posted(ours, failed(UPDATED, ticket=KNOWN)) == Posted(*KNOWN)
    assert devops.state == "Neu"
    assert posted(ours, resolved(ticket=KNOWN)) == Posted(*KNOWN)
    assert devops.state == "Fertig"
    assert posted(ours, failed(REOPENED, ticket=KNOWN)) == Posted(*KNOWN)
    assert devops.state == "Neu"
    assert lines(system) == [
        "POST /workitems/$Task", "PATCH /workitems/7",
        "GET /workitems/7", "GET /workitemtypes/Task/states", "PATCH /workitems/7",
        "GET /workitems/7", "GET /workitemtypes/Task/states", "PATCH /workitems/7",
    ]  # fmt: skip
    updated, done, reopened = system.named("PATCH", ITEM)
    history = [{"op": "add", "path": "/multilineFieldsFormat/System.History", "value": "Markdown"}]
    note = {"op": "add", "path": "/fields/System.History"}
    state = {"op": "add", "path": "/fields/System.State"}
    assert updated.json == [note | {"value": updated.json[0]["value"]}, *history]
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


def test_a_storm_and_an_alert_that_nobody_could_read_are_work_items_too(devops: AzureDevOps, system: System) -> None:
    ours = target(system)
    for posting in (storm(), storm("storm.updated", ticket=KNOWN), storm("storm.resolved", ticket=KNOWN), unreadable()):
        posted(ours, posting)
    assert [line for line in lines(system) if not line.startswith("GET")] == [
        "POST /workitems/$Task", "PATCH /workitems/7", "PATCH /workitems/7", "POST /workitems/$Task",
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["Gelöst", "Fertig", "Entfernt"])
def test_a_work_item_that_a_person_closed_gets_a_note_and_is_left_closed(devops: AzureDevOps, system: System, state: str) -> None:
    posted(target(system), failed())
    devops.items[0]["fields"]["System.State"] = state
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system)[1:] == ["PATCH /workitems/7", "GET /workitems/7", "GET /workitemtypes/Task/states"]
    assert devops.state == state


def test_after_a_lost_answer_the_work_item_is_found_by_its_tag(devops: AzureDevOps, system: System) -> None:
    posting = failed()
    posted(target(system), posting)
    assert posted(target(system), posting, may_exist=True) == Posted(*KNOWN)
    assert len(devops.items) == 1
    key = posting.event["data"]["incident"]["id"]
    query, batch = system.asked[1:]
    assert (query.path, dict(query.query)) == (f"{API}/wiql", {"api-version": "7.1", "$top": "10"})
    assert query.json == {
        "query": "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
        f"AND [System.Tags] CONTAINS 'bk-{key}' ORDER BY [System.Id]"
    }
    assert batch.json == {"ids": [7], "fields": ["System.Tags"], "errorPolicy": "omit"}


def test_a_lost_id_is_found_for_an_update(devops: AzureDevOps, system: System) -> None:
    posted(target(system, tags=["a", "z"]), failed())
    assert posted(target(system), failed(UPDATED)) == Posted(*KNOWN)
    assert lines(system)[1:] == ["POST /wiql", "POST /workitemsbatch", "PATCH /workitems/7"]


def test_nothing_found_is_a_new_work_item(devops: AzureDevOps, system: System) -> None:
    posted(target(system), failed(UPDATED))
    assert lines(system) == ["POST /wiql", "POST /workitems/$Task"]


@pytest.mark.parametrize("tags", ["", "bk-other", "xbk-{key}", "bk-{key}0"])
def test_a_work_item_that_does_not_carry_the_key_is_not_touched(devops: AzureDevOps, system: System, tags: str) -> None:
    posting = failed(UPDATED)
    posted(target(system), failed())
    devops.items[0]["fields"]["System.Tags"] = tags.format(key=posting.event["data"]["incident"]["id"])
    posted(target(system), posting)
    assert lines(system)[1:] == ["POST /wiql", "POST /workitemsbatch", "POST /workitems/$Task"]


def test_a_deleted_work_item_is_created_anew_by_an_update_and_left_by_a_good_backup(devops: AzureDevOps, system: System) -> None:
    for method in ("PATCH", "GET"):
        system.on(method, ITEM, Reply(404, {"message": "TF401232: Work item 7 does not exist"}))
    posted(target(system), failed(UPDATED, ticket=KNOWN))
    posted(target(system), resolved(ticket=KNOWN))
    assert lines(system) == ["PATCH /workitems/7", "POST /workitems/$Task", "GET /workitems/7", "GET /workitemtypes/Task/states"]


def test_a_project_that_is_not_seen_any_more_is_no_deleted_work_item(system: System) -> None:
    system.on("GET", ".*", Reply(404, {"message": "TF200016"}))
    with pytest.raises(TicketNotPosted, match="404"):
        posted(target(system), resolved(ticket=KNOWN))


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


def test_hostile_text_arrives_as_it_is_and_nothing_of_it_works(devops: AzureDevOps, system: System) -> None:
    posting = failed(name=HOSTILE)
    posted(target(system), posting)
    text = value_of(system.asked[0], "/fields/System.Description")
    assert value_of(system.asked[0], "/fields/System.Title") == posting.event["data"]["title"]
    assert "<script>document.title='owned'</script>" in text
    active = vendor.outside_code(text)
    assert not [word for word in vendor.HOSTILE_WORDS if word in active]


def test_a_long_page_keeps_to_the_limit_and_its_commands(devops: AzureDevOps, system: System) -> None:
    posting = vendor.with_much(failed(), 600_000)
    posted(target(system), posting)
    text = value_of(system.asked[0], "/fields/System.Description")
    assert len(text) <= 500_000
    assert [line for line in vendor.commands_of(posting) if line not in text] == []


@pytest.mark.parametrize(
    ("reply", "permanent", "wait"),
    [
        (Reply(429, {}, {"Retry-After": "12"}), False, "12"),
        (Reply(429, {}, {"X-RateLimit-Reset": str(int(changes.NOW.timestamp()) + 45)}), False, "45"),
        (Reply(401, {}), False, ""),
        (Reply(400, {"message": "TF401320: Rule Error for field Area. Error code: Required."}), True, ""),
    ],
)
def test_a_rate_limit_is_waited_for_and_a_refused_work_item_is_not_tried_again(
    system: System, reply: Reply, permanent: bool, wait: str
) -> None:
    system.on("POST", ".*", reply)
    with pytest.raises(TicketNotPosted) as caught:
        posted(target(system), failed())
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, wait)
    assert ("TF401320" in str(caught.value)) is permanent
    assert "s3cret" not in str(caught.value)


def test_the_project_is_required_and_a_secret_is_not(system: System) -> None:
    with pytest.raises(DefinitionError, match="'project'"):
        target_at(system.url, "azure_devops")
    load("azure_devops").check_credentials("", "")


def test_the_check_asks_for_a_work_item_and_saves_none(devops: AzureDevOps, system: System) -> None:
    area = {"op": "add", "path": "/fields/System.AreaPath", "value": "Ops\\Backup"}
    target(system, operations=[area]).check()
    asked = system.asked[0]
    assert (asked.path, dict(asked.query)) == (CREATE, {"api-version": "7.1", "validateOnly": "true"})
    assert asked.json[0] == area
    assert lines(system) == ["POST /workitems/$Task", "GET /workitemtypes/Task/states", "POST /wiql"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, {}), "401"),
        (Reply(404, {"message": "VS402323: Work item type Task does not exist in project ops"}), "refused: VS402323"),
        (Reply(404, {"message": "TF200016: The following project does not exist: ops."}), "refused: TF200016"),
        (Reply(403, {"message": "TF401347: You do not have permissions to create tags."}), "refused: TF401347"),
        (Reply(400, {"message": "TF401320: Rule Error for field Area."}), "refused: TF401320"),
    ],
)
def test_the_check_says_what_is_wrong(devops: AzureDevOps, system: System, reply: Reply, words: str) -> None:
    system.on("POST", CREATE.replace("$", r"\$"), reply)
    with pytest.raises(TicketNotPosted, match=words):
        target(system).check()


def test_the_check_names_the_states_when_a_chosen_one_is_not_there(devops: AzureDevOps, system: System) -> None:
    with pytest.raises(TicketNotPosted, match="it has: Neu, Aktiv, Gelöst, Fertig, Entfernt"):
        target(system, resolved_state="Closed").check()


def described_part(system: System) -> list[tuple[Asked, str]]:
    """The requests that the description holds. It has a query only below a team, which is optional there."""
    queries = [(asked, asked.path.replace("/_apis", "/team/_apis")) for asked in system.named("POST", ".*/wiql")]
    items = system.named("POST", f"{API}/workitems/.*") + system.named("PATCH", ITEM) + system.named("GET", ITEM)
    return [*queries, *((asked, "") for asked in items)]


@vendor.needs_descriptions
def test_every_request_is_as_microsoft_describes_its_api(devops: AzureDevOps, system: System) -> None:
    ours = target(system)
    for posting in (
        failed(),
        failed(UPDATED, ticket=KNOWN),
        resolved(ticket=KNOWN),
        failed(REOPENED, ticket=KNOWN),
        failed(UPDATED),
    ):
        posted(ours, posting)
    ours.check()
    found = described_part(system)
    assert len(found) == 10
    assert [problem for asked, path in found if (problem := vendor.complaint(DESCRIPTION, asked, path))] == []


@vendor.needs_descriptions
def test_the_description_refuses_a_wrong_request(devops: AzureDevOps, system: System) -> None:
    posted(target(system), failed())
    asked = system.asked[0]
    assert vendor.complaint(DESCRIPTION, vendor.changed(asked, lambda patch: {"fields": {"System.Title": "no patch"}}))
    assert vendor.complaint(
        DESCRIPTION, vendor.changed(asked, lambda patch: patch, {**asked.headers, "content-type": "application/json"})
    )
    assert vendor.complaint(DESCRIPTION, vendor.changed(asked, lambda patch: [{"op": "put", "path": "/rev"}]))
