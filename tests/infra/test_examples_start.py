"""The ticketing systems and the rules of the examples, in infra/examples and in docs/deploy.md, are ones that the app starts with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from handlers.settings import Settings
from handlers.wiring import check_target, routes_of
from tests.conftest import ROOT
from tests.infra.bicep import INFRA, Expression, one, read

EXAMPLES = sorted((INFRA / "examples").glob("*.bicepparam"))
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def parameter(file: Path, name: str) -> Any:
    """A parameter's value, whatever is read from a variable being a subscription's id; None when it is left out."""
    text = file.read_text(encoding="utf-8")
    return _filled(read(one(text, "param", name).assigned)) if f"\nparam {name} = " in text else None


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part) for part in value]
    return SUBSCRIPTION if isinstance(value, Expression) else value


def secrets_of(rules: list[dict[str, Any]]) -> dict[str, str]:
    """What the key vault would hold for the settings that rules name."""
    addresses = {rule["url_setting"]: "https://hooks.example.com/x" for rule in rules if "url_setting" in rule}
    return addresses | {rule["secret_setting"]: "s3cret" for rule in rules if "secret_setting" in rule}


def settings(tickets: dict[str, Any], url: str) -> Settings:
    given = {
        "ticket_target": tickets["target"],
        "ticket_user": tickets.get("user", ""),
        "ticket_options": tickets.get("options", {}),
    }
    return Settings(url, ticket_secret="s3cret", ticket_routes=tuple(tickets.get("routes", ())), **given)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_app_starts_with_what_an_example_says_of_tickets(file: Path) -> None:
    tickets = parameter(file, "tickets") or {"target": "webhook"}
    chosen = settings(tickets, parameter(file, "ticketUrl"))
    check_target(chosen)
    routes_of(chosen, secrets_of(tickets.get("routes", [])))


def test_the_example_for_an_organisation_has_a_team_with_a_system_of_its_own() -> None:
    organisation = INFRA / "examples" / "organisation.bicepparam"
    rules = parameter(organisation, "tickets")["routes"]
    assert {rule["name"] for rule in rules} == {"bank", "chat"}
    assert [name for name in secrets_of(rules) if f'"{name}": ' not in organisation.read_text(encoding="utf-8")] == []


def test_the_app_starts_with_the_rules_that_the_page_shows() -> None:
    (shown,) = re.findall(r"azd env set TICKET_ROUTES '(.*?)'\n", PAGE, re.DOTALL)
    rules = json.loads(shown)
    routes = routes_of(settings({"target": "webhook", "routes": rules}, "https://t.example.com"), secrets_of(rules))
    assert routes is not None
    assert set(routes.targets) == {"chat", "payments"}
    (given,) = re.findall(r"TICKET_ROUTE_SECRETS=\$\(jq .*? '\{(.*?)\}'\)", PAGE)
    assert set(re.findall(r"(TICKET_\w+):", given)) == secrets_of(rules).keys()


def test_a_rule_that_the_app_would_refuse_is_noticed() -> None:
    rules = [{"target": "jira", "name": "bank", "url": "https://bank.atlassian.net", "secret_setting": "TICKET_SECRET_BANK"}]
    with pytest.raises(ValueError, match="bank"):
        routes_of(settings({"target": "webhook", "routes": rules}, "https://t.example.com"), secrets_of(rules))
