"""What Bicep's own linter makes an error of, since infra/bicepconfig.json says so, and no compiler is at hand to say it: names and addresses.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/linter-rule-secure-secrets-in-parameters
https://learn.microsoft.com/azure/azure-resource-manager/bicep/linter-rule-secure-parameter-default
https://learn.microsoft.com/azure/azure-resource-manager/bicep/linter-rule-no-hardcoded-environment-urls
"""

from __future__ import annotations

import re

import pytest

from tests.infra.bicep import INFRA, declarations, files, without_comments

FILES = {path.relative_to(INFRA).as_posix(): path.read_text(encoding="utf-8") for path in files()}
SECRET = re.compile(r"password|pwd|secret|accountkey|acctkey", re.IGNORECASE)
NO_SECRET = re.compile(r"secretpermissions|secretversion|secretur[il]|secretname", re.IGNORECASE)
HOSTS = (
    "api.loganalytics.io", "azuredatalakeanalytics.net", "azuredatalakestore.net", "core.windows.net", "database.windows.net", "datalake.azure.net",
    "gallery.azure.com", "graph.windows.net", "login.microsoftonline.com", "management.azure.com", "region.asazure.windows.net", "trafficmanager.net",
    "vault.azure.net",
)  # fmt: skip


def named_like_secrets(text: str) -> list[str]:
    """Parameters that are texts or objects, are not secure, and have a name like that of a secret."""
    params = [each for each in declarations(text) if each.kind == "param" and "@secure()" not in each.decorators]
    lists = {each.name for each in params if re.match(rf"param {each.name} \S+\[\]", each.text)}
    return [
        each.name for each in params if each.name not in lists and SECRET.search(each.name) and not NO_SECRET.search(each.name)
    ]


def fixed_hosts(text: str) -> list[str]:
    """Addresses that differ from cloud to cloud. Descriptions are looked at as well: Bicep did so once (https://github.com/Azure/bicep/issues/7954)."""
    return [host for host in HOSTS if re.search(rf"(?<![^\W_]){re.escape(host)}(?![^\W_])", without_comments(text))]


@pytest.mark.parametrize("file", FILES)
def test_no_parameter_that_is_no_secret_is_named_like_one(file: str) -> None:
    assert named_like_secrets(FILES[file]) == []


@pytest.mark.parametrize("file", FILES)
def test_no_address_of_one_cloud_is_fixed(file: str) -> None:
    assert fixed_hosts(FILES[file]) == []


@pytest.mark.parametrize("file", FILES)
def test_the_default_of_a_secret_is_empty(file: str) -> None:
    secrets = [each for each in declarations(FILES[file]) if each.kind == "param" and "@secure()" in each.decorators]
    assert {each.assigned for each in secrets} <= {"", "''", "{}"}


def test_a_name_like_a_secrets_is_noticed() -> None:
    assert named_like_secrets("param ticketSecretReference string") == ["ticketSecretReference"]
    assert named_like_secrets("param secretWriters string[]\nparam secretName string\n@secure()\nparam secret string") == []


def test_a_fixed_address_is_noticed_in_a_description_as_well() -> None:
    assert fixed_hosts("@description('Such as https://kv.vault.azure.net/x.')\nparam a string") == ["vault.azure.net"]
    assert fixed_hosts("// https://kv.vault.azure.net\nvar a = 'https://api.loganalytics.azure.com'") == []
