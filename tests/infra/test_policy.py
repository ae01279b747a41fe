"""infra/policy: what the initiative sets up in each subscription is what main.bicep sets up, and it leaves alone what it should."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infra.bicep import one, read, text_of

MAIN = text_of("policy/main.bicep")
RULE: dict[str, Any] = json.loads(text_of("policy/processing-rule.json"))
ALERTS: dict[str, Any] = json.loads(text_of("policy/failure-alerts-on.json"))


def test_the_rule_of_a_new_subscription_is_that_of_a_watched_one() -> None:
    deployed = RULE["policyRule"]["then"]["details"]["deployment"]["properties"]["template"]["resources"]
    (rule,) = deployed[1]["properties"]["template"]["resources"]
    ours = one(text_of("modules/built-in-alerts.bicep"), "resource", "rule")
    assert rule["properties"]["conditions"] == ours.body["properties"]["conditions"]
    assert f"'{rule['type']}@{rule['apiVersion']}'" in ours.text
    assert rule["properties"]["scopes"] == ["[subscription().id]"]
    assert rule["location"] == ours.body["location"]


def test_the_rule_is_looked_for_where_it_is_made() -> None:
    details = RULE["policyRule"]["then"]["details"]
    deployed = details["deployment"]["properties"]["template"]["resources"]
    inner = deployed[1]["properties"]["template"]["resources"][0]
    assert (details["type"], details["name"]) == (inner["type"], inner["name"])
    assert details["resourceGroupName"] == deployed[0]["name"] == deployed[1]["resourceGroup"]
    assert RULE["policyRule"]["if"] == {"field": "type", "equals": "Microsoft.Resources/subscriptions"}


def used_parameters(rule: dict[str, Any]) -> set[str]:
    """The policy's own parameters that its rule reads; a template inside has parameters of its own."""
    outside = {**rule["policyRule"]["then"]["details"]}
    deployment = outside.pop("deployment", {})
    given = deployment.get("properties", {}).get("parameters", {})
    text = json.dumps([rule["policyRule"]["if"], outside, given, deployment.get("location")])
    return set(re.findall(r"parameters\('(\w+)'\)", text))


@pytest.mark.parametrize("rule", [RULE, ALERTS])
def test_every_parameter_is_used_and_given(rule: dict[str, Any]) -> None:
    assert used_parameters(rule) == rule["parameters"].keys()
    given = one(MAIN, "resource", "initiative").text + one(MAIN, "var", "exclusion").text
    assert [name for name in rule["parameters"] if f"{name}: {{" not in given] == []


def test_a_vault_is_changed_only_if_its_failure_alerts_are_not_on_and_it_has_no_tag_against_it() -> None:
    kind, tag, alerts = ALERTS["policyRule"]["if"]["allOf"]
    assert kind == {"field": "type", "equals": "Microsoft.RecoveryServices/vaults"}
    assert tag["not"]["equals"] == "[parameters('excludeTagValue')]"
    assert alerts["notEquals"] == "Enabled"
    (operation,) = ALERTS["policyRule"]["then"]["details"]["operations"]
    assert (operation["field"], operation["value"]) == (alerts["field"], "Enabled")
    assert ALERTS["policyRule"]["then"]["effect"] == "modify"


def test_two_installations_have_two_of_everything() -> None:
    for name in ("alertsOn", "ruleThere"):
        assert "${environmentName}" in read(one(MAIN, "resource", name).body["name"])
    assert one(MAIN, "var", "name").assigned == "'backup-runbooks-${environmentName}'"
    assert one(MAIN, "resource", "assignment").body["name"] == "'brb-${environmentName}'"


def test_an_assignments_name_fits_at_a_management_group() -> None:
    """https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftauthorization"""
    assert "@maxLength(20)" in one(MAIN, "param", "environmentName").decorators
    assert len("brb-") + 20 <= 24
