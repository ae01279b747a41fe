"""docs/deploy.md names what Bicep has: every variable that is read, and no parameter that is not there."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BICEP = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
READ = (ROOT / "infra" / "main.bicepparam").read_text(encoding="utf-8")


def test_every_variable_that_the_parameters_read_is_explained() -> None:
    assert [name for name in re.findall(r"readEnvironmentVariable\('(\w+)'", READ) if f"`{name}`" not in PAGE] == []


def test_every_parameter_that_the_page_names_is_there() -> None:
    known = set(re.findall(r"^param (\w+)", BICEP, re.MULTILINE))
    table = PAGE[PAGE.index("| variable | parameter |") : PAGE.index("**E-mail addresses**")]
    named = {name for row in table.splitlines()[2:] if "|" in row for name in re.findall(r"`(\w+)`", row.split("|")[2])}
    assert {"tickets", "isPrivate", "assignReaderRole"} <= named
    assert named == known - {"location"}


def test_the_page_shows_an_address_that_the_app_has() -> None:
    paths = set(re.findall(r"/api/(\w+)", PAGE))
    routes = set(re.findall(r'@app\.route\("(\w+)', (ROOT / "function_app.py").read_text(encoding="utf-8")))
    assert paths <= routes


AZD = {"auth login", "env new", "env set", "env get-values", "up", "provision", "deploy", "down"}
"""https://learn.microsoft.com/azure/developer/azure-developer-cli/reference"""


def test_azd_is_asked_for_what_it_has() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    asked = {
        match[1].strip() for block in blocks for match in re.finditer(r"(?:^|&& |\) )azd ((?:env |auth )?[\w-]+)", block, re.M)
    }
    assert {"up", "env new", "provision"} <= asked <= AZD


@pytest.mark.parametrize(
    "told",
    [
        "az login", "azd auth login", "azd env new", "WSL", "one-time passcode", "**Empty: no e-mail is sent**", "Changing a secret", "several teams",
        "az stack sub create", "--tag azd-env-name=prod", "c717fb0c-d118-4c43-ab3d-ece30ac81fb3", "akvs://",
    ],
)  # fmt: skip
def test_the_page_tells_a_newcomer(told: str) -> None:
    assert told in PAGE


def test_the_page_names_the_removal_of_the_log_settings_as_they_are_called() -> None:
    assert "'backup-runbooks-" in (ROOT / "infra" / "modules" / "vault-logs.bicep").read_text(encoding="utf-8")
    assert "starts_with(name, 'backup-runbooks-')" in PAGE


@pytest.mark.parametrize(
    "symptom",
    [
        "RoleDefinitionDoesNotExist", "taken out of `WATCHED`", "same category and sink", "a system topic exists", "several have this name",
        "alertsKey is missing", "App Service authentication is off", "OTEL_TRACES_SAMPLER", "disabled by the system", "409 `Conflict`",
        "deleted but recoverable", "old API version",
    ],
)  # fmt: skip
def test_the_table_of_troubles_has_what_a_deployment_runs_into(symptom: str) -> None:
    table = PAGE[PAGE.index("## When something is wrong") :]
    assert any(symptom in line for line in table.splitlines() if line.startswith("| "))
