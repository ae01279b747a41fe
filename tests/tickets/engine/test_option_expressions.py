"""Expressions in TICKET_OPTIONS: refused at start where they are wrong, evaluated for each event where they are right."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.settings import Settings
from handlers.tickets.engine.definition import DefinitionError, load
from handlers.tickets.engine.example_event import EXAMPLE
from handlers.tickets.engine.option_expressions import fixed_options, options_for
from handlers.wiring import check_target
from tests.event_schema import EVENT_SCHEMA
from tests.tickets.changes import failed

SYSTEMS = {"github": {"repository": "a/b"}, "servicenow": {}, "jira": {"project": "OPS"}, "request_tracker": {"queue": "Ops"}}


def start(target: str, **options: Any) -> None:
    """What the app looks at when it starts."""
    given = {**SYSTEMS[target], **options}
    user = "" if target == "github" else "u"  # with a user it would be a GitHub App
    check_target(
        Settings("https://t.example.com", ticket_target=target, ticket_user=user, ticket_secret="s", ticket_options=given)
    )


def values(target: str, event: Any, **options: Any) -> dict[str, Any]:
    system = load(target)
    return dict(options_for(system, system.options_of({**SYSTEMS[target], **options}), event, "1.1"))


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("github", {"fields": {"assignees": "= [owner]"}, "labels": ["backup", "= vm.name"]}),
        ("github", {"labels": "= [error.code, tags.vm.CostCenter or 'none']"}),
        ("servicenow", {"assignment_group": "= tags.vault.Group", "fields": {"cmdb_ci": "= vm.name"}}),
        ("jira", {"fields": {"customfield_1": "= protected_item.name"}}),
    ],
)
def test_an_expression_over_the_event_is_taken(target: str, options: dict[str, Any]) -> None:
    start(target, **options)


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("github", {"labels": ["= vm.nam"]}, "labels: '= vm.nam' gives nothing for an example event: is the name right"),
        ("github", {"labels": ["= vm.name +"]}, "TICKET_OPTIONS: labels: 'vm.name \\+'"),
        ("github", {"labels": "= vm.name"}, "TICKET_OPTIONS: labels must be a list of texts or numbers, and is a text"),
        ("github", {"fields": {"milestone": "= 1 / 0"}}, "TICKET_OPTIONS: fields: '1 / 0' asks for what is not there"),
        ("github", {"repository": "= owner"}, "repository must be the same for every ticket"),
        ("github", {"silence": "= [owner]"}, "silence must be the same for every ticket"),
        ("request_tracker", {"key_field": "= owner"}, "key_field must be the same for every ticket"),
        ("jira", {"on_closed": "= 'new'"}, "on_closed must be the same for every ticket"),
    ],
)
def test_one_that_is_wrong_stops_the_app_and_is_named(target: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        start(target, **options)


def test_the_values_are_those_of_the_event() -> None:
    event = failed().event
    about = values("github", event, fields={"assignees": "= ['x', vm.name]"}, labels=["backup", "= error.code"])
    assert about["fields"] == {"assignees": ["x", event["data"]["vm"]["name"]]}
    assert about["labels"] == ["backup", event["data"]["error"]["code"]]
    assert about["repository"] == "a/b"


def test_what_gives_nothing_for_an_event_is_as_if_it_was_not_given() -> None:
    event = {**failed().event, "data": {**failed().event["data"], "owner": None, "vm": None}}
    about = values("servicenow", event, assignment_group="= owner", category="= vm.name.upper()", fields={"cmdb_ci": "= owner"})
    assert (about["assignment_group"], about["category"], about["fields"]) == (None, None, {})
    assert values("github", event, labels="= title")["labels"] == load("github").options["labels"].default, "of another shape"


def test_what_a_tag_says_is_a_value_and_no_expression() -> None:
    event = {**failed().event, "data": {**failed().event["data"], "owner": "= 7 * 6"}}
    assert values("servicenow", event, assignment_group="= owner")["assignment_group"] == "= 7 * 6"


def test_where_a_ticket_is_and_how_it_stands_must_not_differ_from_one_change_to_the_next() -> None:
    assert {"project", "on_closed", "silence", "oauth"} <= fixed_options(load("gitlab"))
    assert not {"fields", "labels"} & fixed_options(load("gitlab"))
    assert {"queue", "key_field", "closed"} <= fixed_options(load("request_tracker"))


def test_the_example_event_is_one_of_the_schema() -> None:
    EVENT_SCHEMA.validate(EXAMPLE)
