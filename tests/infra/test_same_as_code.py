"""What the Bicep sets up is what the code expects: settings, rights, names in storage, retention, threads, addresses."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from handlers.alerts import caller
from handlers.records import retention
from handlers.records.alert_queue import UNPOSTED
from handlers.records.storage import ALERT_BLOBS, INCIDENT_BLOBS, QUEUE, TABLE
from handlers.settings import CHOICES, NOT_GIVEN, SETTING_NAMES, Settings
from handlers.tickets import routes
from handlers.tickets.engine.definition import bundled
from tests.conftest import ROOT
from tests.infra.bicep import INFRA, Expression, files, one, read, text_of

SETTINGS, STORAGE = text_of("modules/settings.bicep"), text_of("modules/storage.bicep")
PLATFORM = {"AZURE_CLIENT_ID", "MALLOC_ARENA_MAX", "PYTHON_THREADPOOL_THREAD_COUNT", "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}  # fmt: skip


# ------------------------------------------------------------------------------------------------ settings


def app_settings(text: str) -> dict[str, Any]:
    found: dict[str, Any] = one(text, "resource", "settings").body["properties"]
    return found


def own(text: str) -> set[str]:
    """The app's own settings: all but the platform's, and the secrets of routes, which are spread into them."""
    names = (name for name in app_settings(text) if name not in PLATFORM)
    return {name for name in names if not name.startswith(("AzureWebJobsStorage__", "..."))}


def test_the_app_settings_are_those_of_the_code() -> None:
    assert own(SETTINGS) == set(SETTING_NAMES)
    assert set(app_settings(SETTINGS)) > PLATFORM


def test_a_setting_too_few_or_too_many_is_noticed() -> None:
    assert own(SETTINGS.replace("    CANARY: ", "    CANARI: ")) ^ set(SETTING_NAMES) == {"CANARY", "CANARI"}


def test_every_app_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(\w+)(?:=\w+)?`", page))
    undocumented = {name for name in app_settings(SETTINGS) if not name.startswith("...")} - documented
    assert undocumented <= PLATFORM - {"AZURE_CLIENT_ID"}
    assert set(SETTING_NAMES) <= documented


def defaults(text: str) -> dict[str, str]:
    """What each setting is when its parameter is left out, as far as the Bicep says it behind a `??`."""
    found = {}
    for name, value in app_settings(text).items():
        last = re.search(r"\?\? (.*?)(, ',')?\)?$", value) if isinstance(value, Expression) else None
        if last and name in SETTING_NAMES:
            literal = read(last[1])
            written = ",".join(map(str, _as_list(literal))) if last[2] else literal
            found[name] = json.dumps(written) if isinstance(written, dict | list) else str(written)
    return found


def _as_list(literal: Any) -> list[Any]:
    return literal if isinstance(literal, list) else [literal]


def test_a_parameter_that_is_left_out_means_the_codes_own_default() -> None:
    left_out = defaults(SETTINGS)
    assert {"TICKET_TARGET", "STORM_THRESHOLD"} <= left_out.keys()
    assert Settings.from_environment({"TICKET_URL": "https://t.example.com", **left_out}) == Settings("https://t.example.com")


def test_another_default_is_noticed() -> None:
    other = defaults(SETTINGS.replace("?? 20)", "?? 21)"))
    assert Settings.from_environment({"TICKET_URL": "https://t.example.com", **other}) != Settings("https://t.example.com")


def test_who_may_post_alerts_is_chosen_from_what_the_code_knows() -> None:
    for file in ("main.bicep", "modules/settings.bicep"):
        (allowed,) = [each for each in one(text_of(file), "param", "alertsAuth").decorators if each.startswith("@allowed")]
        assert tuple(re.findall(r"'(.*?)'", allowed)) == CHOICES["ALERTS_AUTH"]


def test_there_are_threads_for_as_many_messages_as_the_host_hands_out() -> None:
    queues = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]["queues"]
    assert int(app_settings(SETTINGS)["PYTHON_THREADPOOL_THREAD_COUNT"]) >= queues["batchSize"] + queues["newBatchThreshold"]


def test_nothing_is_set_that_flex_consumption_refuses() -> None:
    refused = ("FUNCTIONS_*", "WEBSITE_*", "SCM_*", "ENABLE_ORYX_BUILD", "AzureWebJobsStorage")
    assert [name for name in app_settings(SETTINGS) if any(fnmatch(name, pattern) for pattern in refused)] == []


def given_by_main(name: str) -> str:
    """What main.bicep hands to settings.bicep as the parameter `name`."""
    return str(one(text_of("main.bicep"), "module", "settings").body["params"][name])


def test_secrets_are_references_and_no_values() -> None:
    settings = app_settings(SETTINGS)
    assert given_by_main(settings["TICKET_SECRET"]) == "secrets.outputs.references.ticket"
    assert given_by_main(settings["ALERTS_KEY"]) == "useEntra ? '' : secrets.outputs.references.alerts"
    assert given_by_main(settings["LINK_KEY"]) == "secrets.outputs.references.link"
    assert given_by_main(settings["TICKET_URL"]) == "urlInVault ? secrets.outputs.references.url : ticketUrl"
    references = one(text_of("modules/secrets.bicep"), "output", "references").body
    assert all(value.startswith("'@Microsoft.KeyVault(SecretUri=") for value in references.values())


def test_a_redeployment_without_the_secret_leaves_the_one_that_lies_in_the_key_vault() -> None:
    """The setting always refers to it; a word for `none` is written only where nothing lies yet."""
    unset = one(text_of("modules/unset-secret.bicep"), "resource", "secret")
    assert unset.decorators == ("@onlyIfNotExists()",)
    assert unset.body["properties"]["value"] == NOT_GIVEN
    written = one(text_of("main.bicep"), "module", "unsetSecret")
    assert written.assigned.startswith("if (empty(ticketSecret))")
    assert written.body["params"]["name"] == "'${secretPrefix}ticket-secret'"
    ticket = one(text_of("modules/secrets.bicep"), "resource", "ticket")
    assert ticket.assigned.startswith("if (!empty(values.ticket))")
    assert ticket.body["name"] == "names.ticket"
    assert read(one(text_of("modules/secrets.bicep"), "var", "names").assigned)["ticket"] == "'${prefix}ticket-secret'"


def test_an_address_that_is_a_secret_lies_in_the_key_vault_by_itself() -> None:
    """Those of systems that need no other secret and have no way to be asked for a token."""
    (listed,) = re.findall(r"contains\((\[.*?\]), ", one(text_of("main.bicep"), "var", "urlInVault").assigned)
    assert read(listed) == [name for name in bundled() if "# TICKET_URL itself" in definition_text(name)]


def definition_text(name: str) -> str:
    return (ROOT / "handlers" / "tickets" / f"{name}.toml").read_text(encoding="utf-8")


def test_every_trace_is_sampled_so_that_no_log_line_is_dropped() -> None:
    """The host drops the lines of traces that it does not take; alerts and workbook read those lines."""
    settings = app_settings(SETTINGS)
    assert json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["telemetryMode"] == "OpenTelemetry"
    assert (settings["OTEL_TRACES_SAMPLER"], settings["OTEL_TRACES_SAMPLER_ARG"]) == ("microsoft.fixed_percentage", "1.0")
    assert "4.1048.100" in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------ teams and targets


def members_of(name: str) -> dict[str, Any]:
    return one(text_of("modules/tickets.bicep"), "type", name).body


def test_a_rule_has_the_members_that_the_code_reads() -> None:
    assert members_of("ticketRoute").keys() == routes.MEMBERS.keys()
    assert list(members_of("routeCondition")) == list(routes.When.__struct_fields__)
    chosen = {name: re.findall(r"'(\w+)'", members_of("routeCondition")[name]) for name in ("severity", "kind")}
    assert [each.lower() for each in chosen["severity"]] == list(routes.SEVERITIES)
    assert chosen["kind"] == list(routes.KINDS)


def test_a_rule_may_name_every_system_that_is_bundled() -> None:
    assert re.findall(r"'(\w+)'", one(text_of("modules/tickets.bicep"), "type", "systemName").assigned) == list(bundled())
    assert members_of("ticketRoute")["target"] == "(systemName | 'default')?"
    assert members_of("ticketSystem")["target"] == "systemName?"


NAME_IN_THE_VAULT = "${toLower(replace(%s, '_', '-'))}'"


def test_the_secrets_of_routes_are_references_to_what_is_put_into_the_key_vault() -> None:
    """Each setting that a rule names is looked for where the deployment puts it, or where its address says."""
    assert "rule => [rule.?secret_setting ?? '', rule.?url_setting ?? '']" in one(SETTINGS, "var", "named").assigned
    assert "'${vaultAddress}" + NAME_IN_THE_VAULT % "name" in one(SETTINGS, "var", "places").assigned
    put = one(text_of("modules/secrets.bicep"), "resource", "route").body
    assert put["name"] == "'${prefix}" + NAME_IN_THE_VAULT % "secret.key"
    assert given_by_main("vaultAddress") == "secrets.outputs.address"
    assert one(text_of("modules/secrets.bicep"), "output", "address").assigned.endswith("secrets/${prefix}'")
    references = one(SETTINGS, "var", "routeSecrets").assigned
    assert "union(places, tickets.?secretAddresses ?? {})" in references
    assert "'@Microsoft.KeyVault(SecretUri=${address})'" in references


@pytest.mark.parametrize("name", ["TICKET_SECRET_PAYMENTS", "TICKET_URL_CHAT_2", "TICKET_SECRET"])
def test_every_name_that_the_app_takes_has_a_name_in_a_key_vault(name: str) -> None:
    """https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault"""
    rule = {"target": "jira", "secret_setting" if "SECRET" in name else "url_setting": name}
    placed = Settings("https://t.example.com").at_target(rule, "TICKET_ROUTES[0]", {name: "https://h.example.com"})
    assert "https://h.example.com" in (placed.ticket_secret, placed.ticket_url)
    assert re.fullmatch(r"[0-9a-z-]{1,127}", name.replace("_", "-").lower())


def test_no_rule_takes_the_place_of_another_setting() -> None:
    """Of two of the same name the later one counts."""
    assert next(iter(app_settings(SETTINGS))) == "...routeSecrets"


def test_a_deployment_without_a_routes_secret_leaves_the_one_that_lies_in_the_key_vault() -> None:
    main = one(text_of("main.bicep"), "param", "ticketRouteSecrets")
    assert "@secure()" in main.decorators
    assert main.assigned == "{}"
    assert one(text_of("modules/secrets.bicep"), "resource", "route").assigned.startswith(
        "[\n  for secret in items(routeSecrets)"
    )


# ------------------------------------------------------------------------------------------------ rights


def test_every_right_is_to_read_and_names_what() -> None:
    granted = json.loads(text_of("reader-actions.json"))  # which `make docs` writes from the code
    assert [action for action in granted if not action.lower().endswith("/read") or "*" in action] == []
    assert len(granted) > 20


@pytest.mark.parametrize("file", ["modules/reader-role.bicep", "management-group.bicep"])
def test_both_ways_of_giving_the_role_take_the_same_list_and_no_rights_to_data(file: str) -> None:
    permissions = one(text_of(file), "resource", "role").body["properties"]["permissions"]
    (given,) = permissions
    assert re.fullmatch(r"loadJsonContent\('(\.\./)?reader-actions\.json'\)", given.pop("actions"))
    assert given == {"notActions": [], "dataActions": [], "notDataActions": []}


def test_there_is_no_other_role_and_no_right_over_customers_resources_but_the_reader_role() -> None:
    definitions = [file.name for file in files() if "roleDefinitions@" in file.read_text(encoding="utf-8")]
    assignments = [file.name for file in files() if "roleAssignments@" in file.read_text(encoding="utf-8")]
    assert definitions == ["management-group.bicep", "log-reader.bicep", "reader-role.bicep"]
    assert assignments == [
        "management-group.bicep",
        "data-roles.bicep",
        "event-grid-roles.bicep",
        "log-reader.bicep",
        "reader-role.bicep",
        "secrets.bicep",
        "main.bicep",
    ]
    assert re.findall(r"roleDefinitionId: (.*) }", text_of("modules/reader-role.bicep")) == ["role.id"]


def test_a_subscription_that_is_no_longer_watched_keeps_no_other_from_being_deployed() -> None:
    """Its role cannot lose its scope while it is assigned there: so each subscription has a definition of its own."""
    role = one(text_of("modules/reader-role.bicep"), "resource", "role").body
    assert role["properties"]["assignableScopes"] == [Expression("subscription().id")]
    name = one(text_of("modules/reader-role.bicep"), "var", "roleName").assigned
    assert "${installation}" in name
    assert "${subscription().subscriptionId}" in name


def test_the_role_for_tables_is_for_those_that_the_code_queries() -> None:
    tables = set(read(one(text_of("modules/log-reader.bicep"), "var", "tables").assigned))
    queries = [file.read_text(encoding="utf-8") for file in (ROOT / "handlers" / "facts" / "queries").glob("*.kql")]
    first = {line for query in queries for line in query.split("\n") if re.fullmatch(r"[A-Z]\w+", line)}
    assert first == tables


BUILT_IN = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
CONTRIBUTOR, LOGS_POLICY = "b24988ac-6180-42a0-ab88-20f7382dd24c", "c717fb0c-d118-4c43-ab3d-ece30ac81fb3"
"""What the policies of infra/policy work with, and Azure's own policy among them."""
LOG_READER, ENTRA_ROLE = "73c42c96-874c-492b-b04d-ab87d138a893", "7f1c1e60-3c1b-4b8e-9d53-0a7c3f6f2d11"
READER_ROLE = "3d6f0a52-88b4-4c0e-9a57-1c2b7e5f4d90"


def test_the_roles_on_the_apps_own_resources_are_known_by_name_and_id() -> None:
    for file in ("modules/data-roles.bicep", "modules/event-grid-roles.bicep"):
        roles = read(one(text_of(file), "var", "roles").assigned)
        assert roles.items() <= BUILT_IN.items()


def test_no_id_of_a_tenant_or_subscription_is_in_the_source() -> None:
    known = {*BUILT_IN.values(), LOG_READER, ENTRA_ROLE, READER_ROLE, caller.ACTION_GROUPS_APP, CONTRIBUTOR, LOGS_POLICY}
    sources = [path for path in INFRA.rglob("*") if path.suffix in (".bicep", ".bicepparam", ".json", ".sh", ".md", ".kql")]
    of_workbook = INFRA / "workbook"
    guid = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    found = {
        id_
        for path in sources
        if not path.is_relative_to(of_workbook)  # its parts have ids of their own
        for id_ in re.findall(guid, path.read_text(encoding="utf-8"))
    }
    assert found == known


# ------------------------------------------------------------------------------------------------ storage


def list_of(text: str, name: str) -> list[str]:
    """The list in a variable; an element that is another variable as what that holds."""
    found = read(one(text, "var", name).assigned)
    return [read(one(text, "var", each).assigned) if isinstance(each, Expression) else each for each in found]


def test_queues_tables_and_containers_are_the_codes() -> None:
    assert list_of(STORAGE, "queues") == [QUEUE, f"{QUEUE}-poison"]
    assert list_of(STORAGE, "tables") == [TABLE]
    assert list_of(STORAGE, "containers") == [ALERT_BLOBS, INCIDENT_BLOBS, "app-package", "dead-letters"]


def test_another_name_of_the_queue_is_noticed() -> None:
    assert list_of(STORAGE.replace("['alerts', 'alerts-poison']", "['alarms', 'alarms-poison']"), "queues") != [
        QUEUE,
        f"{QUEUE}-poison",
    ]


def test_every_queue_trigger_has_its_queue() -> None:
    triggers = re.findall(r'queue_trigger\("\w+", "(.*?)"', (ROOT / "function_app.py").read_text(encoding="utf-8"))
    assert sorted(triggers) == list_of(STORAGE, "queues")


def test_storage_deletes_later_than_the_app_and_never_what_waits_to_be_posted() -> None:
    rules = {rule["name"]: rule for rule in read(one(STORAGE, "var", "leftBehind").assigned)}
    bodies, documents = rules["alert-bodies"], rules["incident-documents"]
    assert bodies["days"] > promised("bodies in the container `alerts`") == retention.BODIES_FOR.days
    assert documents["days"] > promised("documents in the container `incidents`") == retention.CLOSED_FOR.days
    body = f"{ALERT_BLOBS}/{datetime.now(UTC):%Y/%m/%d}/x.json"
    assert body.startswith(bodies["prefix"])
    assert not f"{ALERT_BLOBS}/{UNPOSTED}x.json".startswith(bodies["prefix"])
    assert documents["prefix"] == f"{INCIDENT_BLOBS}/"
    assert not any("app-package/".startswith(rule["prefix"]) for rule in rules.values())


def promised(what: str) -> int:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    (days,) = re.findall(rf"^\| {re.escape(what)} \| (\d+) days", page, re.MULTILINE)
    return int(days)


# ------------------------------------------------------------------------------------------------ addresses and identities


def test_the_webhook_leads_to_the_apps_own_route() -> None:
    route = re.search(r'@app\.route\("(\w+)", methods=\["POST"', (ROOT / "function_app.py").read_text(encoding="utf-8"))
    assert route is not None
    assert one(text_of("main.bicep"), "var", "alertsUrl").assigned.endswith(f"/api/{route[1]}'")


def test_action_groups_are_known_by_the_same_application_and_role_everywhere() -> None:
    assert read(one(text_of("modules/sign-in.bicep"), "var", "actionGroups").assigned) == caller.ACTION_GROUPS_APP
    script = text_of("entra.sh")
    assert f"action_groups={caller.ACTION_GROUPS_APP}" in script
    assert f'\\"value\\": \\"{caller.ACTION_GROUPS_ROLE}\\"' in script


def test_what_is_open_without_a_token_is_health_and_what_has_a_key() -> None:
    opened = set(re.findall(r"'(/.*?)'", one(text_of("modules/sign-in.bicep"), "var", "open").assigned))
    assert opened == {"/api/health", "/runtime/webhooks/eventgrid", "/runtime/webhooks/mcp"}


def test_pages_are_open_without_a_sign_in_only_where_their_links_are_signed() -> None:
    sign_in = text_of("modules/sign-in.bicep")
    assert one(sign_in, "var", "pages").assigned == "peopleSignIn ? [] : ['/api/runbooks/*']"
    assert one(sign_in, "var", "peopleSignIn").assigned == "pageAuth == 'entra'"
    assert '@app.route("runbooks/{id}"' in (ROOT / "function_app.py").read_text(encoding="utf-8")


def test_who_may_open_pages_is_chosen_from_what_the_code_knows() -> None:
    for file in ("main.bicep", "modules/settings.bicep", "modules/sign-in.bicep"):
        (allowed,) = [each for each in one(text_of(file), "param", "pageAuth").decorators if each.startswith("@allowed")]
        assert tuple(re.findall(r"'(.*?)'", allowed)) == CHOICES["PAGE_AUTH"]


def test_azd_finds_the_app_and_reads_the_package() -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    assert re.search(r"^  api:$", text, re.MULTILINE)
    assert "'azd-service-name': 'api'" in text_of("modules/app.bicep")
    assert "project: build/package" in text
    assert re.findall(r"run: (make \w+)", text) == ["make unpacked"] * 2
    assert "\nunpacked: setup" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_python_is_the_version_that_the_project_asks_for() -> None:
    runtime = one(text_of("modules/app.bicep"), "resource", "app").body["properties"]["functionAppConfig"]["runtime"]
    project = (Path(ROOT) / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={runtime["version"]}"' in project
