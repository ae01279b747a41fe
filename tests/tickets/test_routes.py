"""TICKET_ROUTES: what rules match, and which of them stop the app at start."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.model.delivery import OPEN
from handlers.model.document import Document
from handlers.settings import Settings, SettingsError
from handlers.tickets.routes import Drop, Routes, Subject, read_routes, subject_of
from handlers.wiring import routes_of
from tests.tickets.changes import Posting, failed, storm, unreadable

SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-backup/providers/microsoft.recoveryservices/vaults/rsv-payments-01"
WEBHOOK = {"target": "webhook", "url": "https://t.example.com"}
SUBJECT = Subject("incident", "UserErrorX", "Sev1", (VAULT,), (SUBSCRIPTION,), {"owner": "Payments"})


def routes(*rules: Any, **environment: str) -> Routes:
    settings = {"TICKET_URL": "https://t.example.com/default", "TICKET_SECRET": "of-default", "TICKET_ROUTES": json.dumps(rules)}
    return read_routes(Settings.from_environment(settings), environment)


def targets(*rules: Any, subject: Subject = SUBJECT) -> Any:
    return routes(*rules).targets_of(subject)


def to(name: str, **more: Any) -> dict[str, Any]:
    return {**WEBHOOK, "name": name, **more}


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({}, True),
        ({"vault": ["rsv-payments-*"]}, True),
        ({"vault": ["RSV-PAYMENTS-01"]}, True),
        ({"vault": ["*/resourceGroups/rg-backup/*"]}, True),
        ({"vault": ["rsv-hr-*"]}, False),
        ({"subscription": [SUBSCRIPTION.upper()]}, True),
        ({"subscription": ["99999999-1111-2222-3333-444444444444"]}, False),
        ({"tag": {"Owner": ["pay*", "hr"]}}, True),
        ({"tag": {"owner": ["hr"]}}, False),
        ({"tag": {"team": ["*"]}}, False),
        ({"code": ["usererrorx"]}, True),
        ({"code": ["UserErrorY"]}, False),
        ({"severity": ["Sev0", "Sev1"]}, True),
        ({"severity": ["Sev2"]}, False),
        ({"kind": ["storm"]}, False),
        ({"kind": ["incident"], "severity": ["Sev1"], "vault": ["rsv-*"]}, True),
        ({"kind": ["incident"], "severity": ["Sev2"], "vault": ["rsv-*"]}, False),
    ],
)
def test_all_conditions_of_a_rule_must_hold_in_any_case(when: dict[str, Any], matches: bool) -> None:
    assert targets(to("a", when=when)) == (("a",) if matches else ("default",))


def test_the_first_rule_that_matches_wins() -> None:
    assert targets(to("a", when={"severity": ["Sev1"]}), to("b")) == ("a",)


def test_a_rule_with_also_lets_the_next_ones_add_their_targets_each_once() -> None:
    assert targets(to("a", also=True), to("b", also=True), to("a", also=True), to("c"), to("d")) == ("a", "b", "c")


def test_the_default_target_gets_what_no_rule_matched_and_what_a_rule_sends_there() -> None:
    assert targets(to("a", also=True)) == ("a",)
    assert targets(to("a", also=True), {"when": {}, "target": "default"}) == ("a", "default")
    assert targets() == ("default",)


def test_a_rule_that_drops_says_why_and_takes_nothing_back() -> None:
    drop = {"when": {"code": ["UserErrorX"]}, "drop": "known"}
    assert targets(drop) == Drop("known")
    assert targets(to("a", also=True), drop) == ("a",)


# ---------------------------------------------------------------- targets


def test_a_target_has_settings_of_its_own_and_no_secret_of_another_address() -> None:
    read = routes(
        {"target": "webhook", "url": "https://pay.example.com", "user": "bot", "secret_setting": "TICKET_SECRET_PAYMENTS"},
        {"target": "webhook", "name": "open", "url": "https://open.example.com"},
        {"target": "webhook", "name": "same", "options": {}},
        {"target": "teams", "url_setting": "TICKET_URL_CHAT"},
        TICKET_SECRET_PAYMENTS="of-payments",
        TICKET_URL_CHAT="https://chat.example.com/secret",
    )
    kept = [(name, target.ticket_url, target.ticket_user, target.ticket_secret) for name, target in read.targets.items()]
    assert kept == [
        ("webhook", "https://pay.example.com", "bot", "of-payments"),
        ("open", "https://open.example.com", "", ""),
        ("same", "https://t.example.com/default", "", "of-default"),
        ("teams", "https://chat.example.com/secret", "", ""),
    ]


def test_rules_may_share_a_target() -> None:
    assert list(routes(to("a", when={"kind": ["storm"]}), to("a")).targets) == ["a"]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (["x"], r"TICKET_ROUTES\[0\]: must be an object"),
        ([WEBHOOK, {"when": {}}], r"TICKET_ROUTES\[1\]: must have either target or drop"),
        ([{**WEBHOOK, "drop": "why"}], r"TICKET_ROUTES\[0\]: must have either target or drop"),
        ([{"drop": "why", "also": True}], r"TICKET_ROUTES\[0\].also: has no meaning beside drop"),
        ([{"target": "default", "url": "https://t.example.com"}], r"TICKET_ROUTES\[0\].url: has no meaning beside the target default"),
        ([{**WEBHOOK, "wen": {}}], r"TICKET_ROUTES\[0\].wen: is not known; known: when, target"),
        ([{**WEBHOOK, "also": "yes"}], r"TICKET_ROUTES\[0\].also: must be true or false"),
        ([WEBHOOK, WEBHOOK, {**WEBHOOK, "when": {"vault": "rsv"}}], r"TICKET_ROUTES\[2\].when.vault: must be a list"),
        ([{**WEBHOOK, "when": {"vault": []}}], r"TICKET_ROUTES\[0\].when.vault: must be a list of texts"),
        ([{**WEBHOOK, "when": {"vault": [1]}}], r"TICKET_ROUTES\[0\].when.vault: must be a list of texts"),
        ([{**WEBHOOK, "when": {"vaults": ["a"]}}], r"TICKET_ROUTES\[0\].when.vaults: is not known; known: subscription, vault"),
        ([{**WEBHOOK, "when": {"tag": {"owner": "me"}}}], r"TICKET_ROUTES\[0\].when.tag.owner: must be a list of texts"),
        ([{**WEBHOOK, "when": {"subscription": ["prod"]}}], r"when.subscription: 'prod' is not the id of a subscription"),
        ([{**WEBHOOK, "when": {"severity": ["high"]}}], r"when.severity: 'high' is not one of Sev0 to Sev4"),
        ([{**WEBHOOK, "when": {"kind": ["alert"]}}], r"when.kind: 'alert' is not one of incident, storm, unreadable, canary"),
        ([{**WEBHOOK, "name": "default"}], r"TICKET_ROUTES\[0\].name: must be letters"),
        ([{**WEBHOOK, "name": "a b"}], r"TICKET_ROUTES\[0\].name: must be letters"),
        ([WEBHOOK, {**WEBHOOK, "user": "other"}], r"TICKET_ROUTES\[1\].name: 'webhook' is another target in an earlier rule"),
        ([{**WEBHOOK, "url": "http://t.example.com"}], r"TICKET_ROUTES\[0\].url must use https"),
        ([{**WEBHOOK, "secret_setting": "TICKET_SECRET_A"}], r"TICKET_ROUTES\[0\].secret_setting: the setting TICKET_SECRET_A is not set"),
        ([{**WEBHOOK, "secret_setting": "AzureWebJobsStorage"}], r"TICKET_ROUTES\[0\].secret_setting: must be the name of a setting"),
        ([{"target": "teams", "url_setting": "TICKET_SECRET_A"}], r"TICKET_ROUTES\[0\].url_setting: must be the name of a setting"),
        ([{**WEBHOOK, "secret_setting": "hunter2"}], r"TICKET_ROUTES\[0\].secret_setting: must be the name of a setting"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_understood_stops_the_app_and_is_named(rules: list[Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        routes(*rules)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["{", "{}", '"jira"'])
def test_what_is_no_list_stops_the_app(value: str) -> None:
    with pytest.raises(SettingsError, match="TICKET_ROUTES must be a JSON list"):
        Settings.from_environment({"TICKET_URL": "https://t.example.com", "TICKET_ROUTES": value})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"target": "carrier_pigeon", "url": "https://t.example.com"}, "TICKET_ROUTES: target carrier_pigeon: .* must be one of"),
        ({**WEBHOOK, "options": {"project": 1}}, "TICKET_ROUTES: target webhook: .* holds 'project', which webhook.toml does not know"),
        ({"target": "jira", "url": "https://t.example.com", "options": {"project": "OPS"}}, "TICKET_ROUTES: target jira: .* is required"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_set_up_stops_the_app_and_is_named(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        routes_of(Settings("https://t.example.com", ticket_routes=(rule,)), {})


# ---------------------------------------------------------------- what rules look at


def subject(posting: Posting, **data: Any) -> Subject:
    kind = posting.event["type"].partition(".")[0]
    return subject_of(Document(kind, OPEN, {**posting.event["data"], **data}, ()))


def test_an_incident_has_its_vault_subscription_code_and_severity() -> None:
    event = failed()
    about = subject(event)
    vault = event.event["data"]["protected_item"]["vault_id"].lower()
    assert about.kind == "incident"
    assert about.vaults == (vault,)
    assert about.subscriptions == (vault.split("/")[2],)
    assert (about.code, about.severity) == (event.event["data"]["error"]["code"], event.event["data"]["severity"])


def test_a_tag_of_the_vm_hides_that_of_its_group_and_that_of_the_vault() -> None:
    tags = {"vm": {"Owner": "vm"}, "resource_group": {"owner": "group", "Team": "group"}, "vault": {"env": "prod"}}
    assert subject(failed(), tags=tags).tags == {"owner": "vm", "team": "group", "env": "prod"}


def test_tags_that_could_not_be_read_match_no_rule() -> None:
    assert subject(failed(), tags={"vm": None, "resource_group": None, "vault": None}).tags == {}


def test_a_storm_has_the_vaults_of_its_members_and_a_rule_must_match_all_of_them() -> None:
    about = subject(storm())
    assert about.kind == "storm"
    assert about.vaults
    assert about.subscriptions
    both = Subject("storm", vaults=("/subscriptions/a/vaults/rsv-a", "/subscriptions/b/vaults/rsv-b"))
    assert targets(to("a", when={"vault": ["rsv-a"]}), subject=both) == ("default",)
    assert targets(to("a", when={"vault": ["rsv-*"]}), subject=both) == ("a",)


def test_an_unreadable_alert_and_a_canary_are_kinds_of_their_own() -> None:
    assert subject(unreadable()).kind == "unreadable"
    item = {"id": None, "name": "canary", "workload": "Canary", "vault_id": None}
    assert subject(failed(), protected_item=item).kind == "canary"
