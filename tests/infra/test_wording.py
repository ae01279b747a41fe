"""How the Bicep is written: every parameter described, every module used, no preview without a reason, nothing that gives a key away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.infra.bicep import INFRA, Declaration, declarations, files, one, text_of, without_comments

FILES = files()
TEXTS = {file: file.read_text(encoding="utf-8") for file in FILES}
everywhere = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def badly_described(text: str) -> list[str]:
    """Parameters whose description does not begin as it should: `Required.` without a default, else `Optional.` or `Conditional.`"""
    return [param.name for param in declarations(text) if param.kind == "param" and not is_well_described(param)]


def is_well_described(param: Declaration) -> bool:
    fitting = ("Optional. ", "Conditional. ") if param.assigned else ("Required. ",)
    told = param.description
    return told.startswith(fitting) and told.endswith(".") and ("Required if" in told) == told.startswith("Conditional. ")


@everywhere
def test_every_parameter_says_what_it_is_and_whether_it_is_required(file: Path) -> None:
    assert badly_described(TEXTS[file]) == []


def test_a_parameter_without_its_words_is_noticed() -> None:
    assert badly_described("param name string") == ["name"]
    assert badly_described("@description('Required. A name.')\nparam name string = 'x'") == ["name"]
    assert badly_described("@description('Conditional. A name.')\nparam name string = 'x'") == ["name"]
    assert badly_described("@description('Optional. A name.')\nparam name string = 'x'") == []


@everywhere
def test_every_parameter_has_a_type_of_its_own(file: Path) -> None:
    params = [param for param in declarations(TEXTS[file]) if param.kind == "param"]
    untyped = [param.name for param in params if re.search(rf"\b{param.name} (array|object)\b", param.text)]
    assert set(untyped) <= {"tags"}  # Azure's own: any names, any words


@pytest.mark.parametrize("file", ["given", "tickets", "types"])
def test_every_property_of_a_type_is_described(file: str) -> None:
    text = text_of(f"modules/{file}.bicep")
    for declared in declarations(text):
        if declared.kind != "type" or not declared.assigned.startswith("{"):
            continue
        assert declared.description
        properties = re.findall(
            r"(?:@description\('((?:\\.|[^'\\])*)'\)\n(?:  @.*\n)*)?^  (\w+): (.*)$", declared.text, re.MULTILINE
        )
        assert properties
        for told, name, kind in properties:
            assert told.startswith(("Optional. ", "Conditional. ") if kind.endswith("?") else "Required. "), name


@everywhere
def test_every_output_is_described(file: Path) -> None:
    assert [each.name for each in declarations(TEXTS[file]) if each.kind == "output" and not each.description] == []


def modules_of(text: str) -> list[str]:
    return re.findall(r"^module \w+ '(.*?)'", without_comments(text), re.MULTILINE)


def test_every_module_is_used_and_lies_here() -> None:
    used = {(file.parent / path).resolve() for file, text in TEXTS.items() for path in modules_of(text)}
    imported = {
        (file.parent / path).resolve()
        for file, text in TEXTS.items()
        for path in re.findall(r"^import .* from '(.*?)'", text, re.M)
    }
    entries = {INFRA / "main.bicep", INFRA / "management-group.bicep", INFRA / "policy" / "main.bicep"}
    assert used | imported | entries == set(FILES)


def unexplained(text: str) -> list[str]:
    """Previews and switched-off warnings without a comment right before them."""
    lines = text.split("\n")
    directives = [at for at, line in enumerate(lines) if line.strip().startswith("#disable")]
    found = [lines[at] for at in directives if not lines[at - 1].strip().startswith("// ")]
    previews = [at for at, line in enumerate(lines) if re.search(r"@\d{4}-\d\d-\d\d-\w+'", line)]
    return found + [lines[at] for at in previews if at - 1 not in directives]


@everywhere
def test_no_preview_and_no_silenced_warning_without_a_reason(file: Path) -> None:
    assert unexplained(TEXTS[file]) == []


def test_an_unexplained_preview_is_noticed() -> None:
    preview = "resource x 'Microsoft.Web/sites@2025-03-01-preview' = {\n}"
    assert unexplained(preview)
    assert unexplained(f"#disable-next-line use-recent-api-versions\n{preview}")
    assert not unexplained(f"// There is no other.\n#disable-next-line use-recent-api-versions\n{preview}")


def test_warnings_are_silenced_for_diagnostic_settings_and_policies_only() -> None:
    silenced = [line.strip() for text in TEXTS.values() for line in text.split("\n") if "#disable" in line]
    of_policies = [line for line in silenced if line == "#disable-next-line BCP081"]
    assert len(of_policies) == text_of("policy/main.bicep").count("'Microsoft.Authorization/policy") - 1 == 4
    silenced = [line for line in silenced if line not in of_policies]
    assert set(silenced) == {"#disable-next-line use-recent-api-versions"}
    previews = [match for text in TEXTS.values() for match in re.findall(r"'(\S+)@\d{4}-\d\d-\d\d-\w+'", text)]
    assert previews == ["Microsoft.Insights/diagnosticSettings"] * len(silenced)


def test_bicep_itself_takes_its_rules_as_errors() -> None:
    rules = json.loads(text_of("bicepconfig.json"))["analyzers"]["core"]["rules"]
    assert len(rules) > 10
    levels = {name: rule["level"] for name, rule in rules.items()}
    assert (
        levels.pop("use-recent-api-versions") == "warning"
    )  # a version ages without a change of ours: an error in --strict only
    assert set(levels.values()) == {"error"}


def gives_away(text: str) -> list[str]:
    """Calls that read keys, and outputs that hold what is secret."""
    keys = re.findall(r"\blist\w*\(|AccountKey=|SharedAccessKey", without_comments(text))
    secret = {each.name for each in declarations(text) if each.kind == "param" and "@secure()" in each.decorators}
    outputs = [each for each in declarations(text) if each.kind == "output"]
    return keys + [each.name for each in outputs if secret & set(re.findall(r"\w+", each.assigned))]


@everywhere
def test_no_key_is_read_and_no_secret_is_put_out(file: Path) -> None:
    assert gives_away(TEXTS[file]) == []


def test_a_secret_in_an_output_is_noticed() -> None:
    assert gives_away("@secure()\nparam word string\noutput told string = 'x${word}'") == ["told"]
    assert gives_away("var key = account.listKeys().keys[0].value") == ["listKeys("]


def test_what_is_closed_stays_closed() -> None:
    storage = one(text_of("modules/storage.bicep"), "resource", "account").body["properties"]
    assert (storage["allowSharedKeyAccess"], storage["allowBlobPublicAccess"], storage["minimumTlsVersion"]) == (
        False,
        False,
        "TLS1_2",
    )
    vault = one(text_of("modules/vault.bicep"), "resource", "vault").body["properties"]
    assert vault["enableRbacAuthorization"] is vault["enablePurgeProtection"] is vault["enableSoftDelete"] is True
    assert one(text_of("modules/logs.bicep"), "resource", "insights").body["properties"]["DisableLocalAuth"] is True
    app = one(text_of("modules/app.bicep"), "resource", "app").body
    assert app["properties"]["httpsOnly"] is True
    assert (app["properties"]["siteConfig"]["minTlsVersion"], app["properties"]["siteConfig"]["ftpsState"]) == ("1.2", "Disabled")
    publishing = app["resource publishing"]
    assert "['ftp', 'scm']" in publishing
    assert "allow: false" in publishing


def test_the_least_instances_are_the_default_and_the_reason_is_told() -> None:
    for file in ("main.bicep", "modules/app.bicep"):
        param = one(text_of(file), "param", "maximumInstanceCount")
        assert "read budget" in param.description
        assert "@minValue(40)" in param.decorators
    assert one(text_of("main.bicep"), "param", "maximumInstanceCount").assigned == "40"


@pytest.mark.parametrize("file", sorted((INFRA / "modules").glob("*.bicep")), ids=lambda file: file.stem)
def test_a_module_fits_on_a_screen_or_two(file: Path) -> None:
    assert len(TEXTS[file].splitlines()) <= (160 if file.stem in ("types", "settings") else 110), (
        "those two are written from the settings"
    )


def test_main_is_a_shopping_list() -> None:
    kinds = [(each.kind, each.name) for each in declarations(text_of("main.bicep")) if each.kind == "resource"]
    assert kinds == [("resource", "group")]


def test_the_workbook_is_loaded_and_is_json() -> None:
    assert "loadTextContent('../workbook/workbook.json')" in text_of("modules/workbook.bicep")
    text = text_of("workbook/workbook.json")
    assert json.loads(text)["version"] == "Notebook/1.0"
    assert len(text) < 131_072  # the most that Bicep loads


PARAMETERS = {each.name: each.assigned for each in declarations(text_of("main.bicepparam")) if each.kind == "param"}
READ = set(re.findall(r"readEnvironmentVariable\('(\w+)'", text_of("main.bicepparam")))


def test_every_parameter_but_the_location_is_read_from_a_variable_of_its_own() -> None:
    params = {each.name for each in declarations(text_of("main.bicep")) if each.kind == "param"}
    assert PARAMETERS.keys() == params - {"location"}
    assert [name for name, value in PARAMETERS.items() if "readEnvironmentVariable('" not in value] == []
    assert len(READ) == len(re.findall(r"readEnvironmentVariable\(", text_of("main.bicepparam")))


def test_a_variable_that_is_not_set_leaves_the_default_of_its_parameter() -> None:
    defaults = {
        each.name: each.assigned for each in declarations(text_of("main.bicep")) if each.kind == "param" and each.assigned
    }
    unset = {name: re.search(r"readEnvironmentVariable\('\w+', '(.*?)'\)", value) for name, value in PARAMETERS.items()}
    told = {name: match[1] for name, match in unset.items() if match and name in defaults}
    plain = {name: value.strip("'") for name, value in defaults.items() if name not in ("tickets", "behave")}
    assert {name: told[name] for name in plain if name != "location"} == {
        name: plain[name] for name in plain if name != "location"
    }


EXAMPLES = sorted((INFRA / "examples").glob("*.bicepparam"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_gives_parameters_that_are_there_and_no_secret(file: Path) -> None:
    given = {each.name: each.assigned for each in declarations(file.read_text(encoding="utf-8")) if each.kind == "param"}
    params = {each.name: each for each in declarations(text_of("main.bicep")) if each.kind == "param"}
    assert given.keys() <= params.keys()
    assert {name for name, each in params.items() if not each.assigned} <= given.keys()
    secret = {name for name in given if "@secure()" in params[name].decorators} - {"ticketUrl"}
    assert all(given[name].startswith(("readEnvironmentVariable(", "json(readEnvironmentVariable(")) for name in secret)


def test_there_is_an_example_for_one_subscription_an_organisation_and_a_private_network() -> None:
    assert [file.stem for file in EXAMPLES] == ["organisation", "private-network", "single-subscription"]


def test_every_secret_is_read_from_outside() -> None:
    params = [each for each in declarations(text_of("main.bicep")) if each.kind == "param"]
    for secret in [each.name for each in params if "@secure()" in each.decorators]:
        assert re.fullmatch(
            r"readEnvironmentVariable\('[A-Z_]+'(, '')?\)|json\(readEnvironmentVariable\('[A-Z_]+', '{}'\)\)", PARAMETERS[secret]
        )


def test_only_the_ticket_systems_address_must_be_set() -> None:
    assert [name for name, value in PARAMETERS.items() if re.search(r"readEnvironmentVariable\('\w+'\)", value)] == ["ticketUrl"]


def test_the_default_of_a_variable_is_plain_text_since_bicep_takes_no_other() -> None:
    values = re.findall(r"readEnvironmentVariable\('\w+', (.*?)\)", text_of("main.bicepparam"))
    assert [value for value in values if not re.fullmatch(r"'[^'$]*'", value)] == []


def test_what_may_not_be_deployed_is_not_read_beside_what_is() -> None:
    """`??` may look at both of its sides; `? :` looks at one."""
    assert re.findall(r"\?\? \w+!\.outputs", text_of("main.bicep")) == []


def test_no_output_is_taken_for_a_parameter_by_the_next_deployment() -> None:
    """azd keeps outputs in its environment, from which the parameter file reads."""
    outputs = {each.name for each in declarations(text_of("main.bicep")) if each.kind == "output"}
    assert outputs & READ == set()


def test_no_output_names_a_group_that_is_not_ours() -> None:
    """azd before 1.24.1 deletes every resource group that a deployment names, existing ones among them."""
    outputs = {each.name: each.assigned for each in declarations(text_of("main.bicep")) if each.kind == "output"}
    foreign = ("workspaceId", "watched", "logsGroup", "all")
    assert [name for name, value in outputs.items() if set(re.findall(r"\w+", value)) & set(foreign)] == []
    assert re.search(r"^requiredVersions:\n  azd: '>= 1\.24\.1'", (ROOT / "azure.yaml").read_text(encoding="utf-8"), re.M)


def test_what_the_script_hands_over_is_what_the_parameter_file_reads() -> None:
    handed = set(re.findall(r'"([A-Z_]+) \$(?:app|object)"', text_of("entra.sh")))
    assert handed == {"ALERTS_CLIENT_ID", "ALERTS_OBJECT_ID"}
    assert all(f"'{name}'" in text_of("main.bicepparam") for name in handed)
    assert (ROOT / "infra" / "entra.sh").stat().st_mode & 0o100
