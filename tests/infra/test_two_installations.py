"""Two installations, such as test and production, watch one subscription: on paper, no resource of one has the name of the other's."""

from __future__ import annotations

import re

import pytest

from tests.infra.bicep import INFRA, Declaration, declarations, text_of

LINKS = r"^module \w+ '(.*?)'"


def reached(file: str) -> set[str]:
    """The modules below a file, itself among them."""
    below = {f"modules/{name}" for name in re.findall(LINKS, text_of(file), re.MULTILINE)}
    return {file}.union(*map(reached, below))


def made(file: str) -> list[Declaration]:
    """The resources that a file makes; one that is `existing` is somebody else's."""
    return [
        each for each in declarations(text_of(file)) if each.kind == "resource" and " existing " not in each.text.split("{")[0]
    ]


def name_of(resource: Declaration) -> str:
    found = re.search(r"^\s*name: (.*)$", resource.text, re.MULTILINE)
    assert found
    return found[1]


def named(file: str, installation: str) -> set[str]:
    """The names of what a file makes, with what differs between installations filled in."""
    values = {"installation": installation, "principalId": f"identity of {installation}", "topicName": f"topic of {installation}"}
    values["account"] = f"account of {installation}"
    variables = {each.name: each.assigned for each in declarations(text_of(file)) if each.kind == "var"}

    def fill(text: str) -> str:
        for name, value in (variables | values).items():
            text = re.sub(rf"(?<![\w.']){name}(?![\w'])", value, text)
        return text

    return {fill(fill(name_of(resource))) for resource in made(file)}


SHARED = sorted(reached("modules/watched.bicep"))


@pytest.mark.parametrize("file", SHARED)
def test_what_is_made_in_a_watched_subscription_bears_the_installations_name(file: str) -> None:
    test, production = named(file, "test-1a2b"), named(file, "prod-3c4d")
    assert test & production == set()


def test_all_that_is_made_there_is_looked_at() -> None:
    assert {"modules/reader-role.bicep", "modules/built-in-alerts.bicep", "modules/vault-logs.bicep"} <= set(SHARED)
    assert sum(len(made(file)) for file in SHARED) >= 9
    assert (INFRA / "modules" / "watched.bicep").exists()


def test_a_fixed_name_is_noticed() -> None:
    (rule,) = made("modules/built-in-alerts.bicep")
    assert name_of(rule) == "'backup-runbooks-${installation}'"
    assert name_of(Declaration("resource", "rule", rule.text.replace("-${installation}", ""), ())) == "'backup-runbooks'"


def test_the_installation_is_its_name_and_where_it_lies() -> None:
    """Two teams may both call theirs `prod`: subscription and region make the difference."""
    text = text_of("main.bicep")
    assert "var token = uniqueString(subscription().id, environmentName, location)" in text
    assert "var suffix = '${environmentName}-${token}'" in text
    assert text.count("installation: suffix") == 3
