"""The tools without a server: what an agent may not do, and what is told when something breaks."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.agents.answering import answer
from handlers.agents.arguments import checked
from handlers.agents.listed import TOOLS
from handlers.agents.sources import Sources
from handlers.agents.untrusted import marked
from handlers.azure.arm import Azure
from handlers.azure.read_budget import ReadBudget
from handlers.settings import Settings
from tests.memory_storage import MemoryStorage

SUBSCRIPTION, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
VM = f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1"


def sources(storage: Any = MemoryStorage, budget: ReadBudget | None = None, watched: tuple[str, ...] = ()) -> Sources:
    settings = Settings(ticket_url="http://127.0.0.1:9", arm_endpoint="http://127.0.0.1:9", watched_subscriptions=watched)
    return Sources(Azure(settings, budget or ReadBudget()), settings, storage)


def test_an_agent_stays_within_the_watched_subscriptions() -> None:
    confined = sources(watched=(SUBSCRIPTION,))
    for said in (
        answer("diagnose_backup_failure", {"vm_id": VM}, confined),
        answer("get_runbook", {"vm_id": VM}, confined),
        answer("list_failed_backups", {"subscription_ids": [OTHER]}, confined),
    ):
        assert said.error == f"subscription {OTHER} is not one of WATCHED_SUBSCRIPTIONS"


def test_an_agent_leaves_azures_limit_of_reads_to_alerts() -> None:
    spent = ReadBudget(now=lambda: 0.0, sleep=lambda _: None)
    for _ in range(80):
        spent.take(OTHER)
    assert answer("diagnose_backup_failure", {"vm_id": VM}, sources(budget=spent)).error.startswith("Azure's limit of reads")


def test_without_a_network_one_line_says_so() -> None:
    assert "not reached" in answer("diagnose_backup_failure", {"vm_id": VM}, sources()).error


def test_what_breaks_is_told_by_its_kind_only() -> None:
    def broken() -> Any:
        raise RuntimeError("AccountKey=c2VjcmV0")

    said = answer("list_incidents", {}, sources(storage=broken))
    assert (said.result, said.error) == (None, "This tool broke (RuntimeError).")


def test_a_deployment_without_incidents_has_an_empty_list() -> None:
    said = answer("list_incidents", {}, sources())
    assert said.result is not None
    assert (said.result["incidents"], said.result["total"]) == ([], 0)


def test_arguments_that_are_not_given_are_empty_and_null_is_not_given() -> None:
    takes = TOOLS["list_failed_backups"].takes
    assert checked({"vault_id": None, "since_hours": ""}, takes, ()) == {
        "subscription_ids": [],
        "vault_id": "",
        "since_hours": 24,
        "limit": 50,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"subscription_ids": "x"}, "subscription_ids must be of type array"),
        ({"subscription_ids": [7]}, "subscription_ids holds something that must be of type string"),
        ({"subscription_ids": ["x"] * 51}, "subscription_ids must not be longer than 50"),
        ({"limit": True}, "limit must be of type integer"),
        ({"limit": 201}, "limit must be from 1 to 200"),
    ],
)
def test_an_argument_of_the_wrong_shape_is_named(given: dict[str, Any], said: str) -> None:
    assert answer("list_failed_backups", given, sources()).error == said


def test_a_language_that_there_is_not_is_told() -> None:
    assert answer("explain_error_code", {"code": "x", "language": "fr"}, sources()).error == "language must be one of: en, pt-BR"


def test_text_that_a_person_would_not_see_is_taken_out() -> None:
    hidden = "vm\u202e\u200b-1" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    result = marked({"item": [hidden, {hidden: 1.5}]}, ("/item",))
    assert result["item"] == ["vm-1", {"vm-1": 1.5}]
    assert result["untrusted"]["fields"] == ["/item"]


def test_every_tool_says_in_its_schema_where_untrusted_text_is_named() -> None:
    for tool in TOOLS.values():
        assert "untrusted" in tool.gives["required"]
        assert tool.untrusted
