"""infra/entra.sh against a stand-in for the Azure CLI: what it asks for, and that a second run changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.alerts.caller import ACTION_GROUPS_APP, ACTION_GROUPS_ROLE
from handlers.web.access import ROLE as READER_ROLE
from tests.conftest import ROOT
from tests.infra.bicep import INFRA

pytestmark = pytest.mark.server

AZ = """#!/bin/sh
# Remembers each call, and what there is, in files beside it.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$1 $2 $3" in
  "cloud show "*) echo https://graph.example.com/ ;;
  "account show "*)
    case "$*" in
      *"--subscription elsewhere"*) echo tenant-2 ;;
      *"--subscription unseen"*) exit 1 ;;
      *tenantId*) echo tenant-1 ;;
      *user.type*) echo user ;;
    esac ;;
  "ad app list") [ ! -e "$here/apps" ] || cat "$here/apps" ;;
  "ad app create") echo client-1 > "$here/apps"; echo me-1 > "$here/owners"; echo client-1 ;;
  "ad app show") [ "$5" != unknown ] && echo object-1 || exit 3 ;;
  "ad app owner") case "$*" in *list*) cat "$here/owners" ;; esac ;;
  "ad sp show") [ -e "$here/sp-$5" ] && echo "sp-$5" || exit 3 ;;
  "ad sp create") touch "$here/sp-$5"; echo "sp-$5" ;;
  "ad signed-in-user show") echo me-1 ;;
  "rest --method GET") [ ! -e "$here/assigned" ] || echo assignment-1 ;;
  "rest --method POST") touch "$here/assigned" ;;
esac
"""
AZD = """#!/bin/sh
# An azd that knows the environment `test` only.
echo "azd $*" >> "$(dirname "$0")/calls"
[ "$AZURE_ENV_NAME" = test ] || { echo "ERROR: environment '$AZURE_ENV_NAME' does not exist" >&2; exit 1; }
"""
LINE = "export ALERTS_CLIENT_ID=client-1 ALERTS_OBJECT_ID=object-1\n"


def start(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    for name, text in (("az", AZ), ("azd", AZD)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "calls").write_text("", encoding="utf-8")
    env = {"PATH": f"{folder}:{os.environ['PATH']}", **environment}
    return subprocess.run(["sh", str(INFRA / "entra.sh")], env=env, capture_output=True, text=True, timeout=60)


def run(folder: Path, **environment: str) -> str:
    done = start(folder, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(folder: Path, **environment: str) -> str:
    """What it says when it ends; it has changed nothing then."""
    done = start(folder, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    changes = ("ad app create", "rest --method PATCH", "rest --method POST", "ad app owner add", "ad sp create", "azd")
    assert [call for beginning in changes for call in calls(folder, beginning)] == []
    return done.stderr


def calls(folder: Path, beginning: str) -> list[str]:
    text = (folder / "calls").read_text(encoding="utf-8").replace("\n  ", " ").replace("\n    ", " ")
    return [line for line in text.split("\n") if line.startswith(beginning)]


def test_it_makes_the_registration_with_its_role_and_gives_it_to_action_groups(tmp_path: Path) -> None:
    assert run(tmp_path) == LINE
    (patch,) = calls(tmp_path, "rest --method PATCH --url https://graph.example.com/v1.0/applications/object-1")
    body = json.loads(patch.partition("--body ")[2])
    assert body["identifierUris"] == ["api://client-1"]
    assert body["api"] == {"requestedAccessTokenVersion": 2}
    role, reader = body["appRoles"]
    assert (role["value"], role["allowedMemberTypes"]) == (ACTION_GROUPS_ROLE, ["Application"])
    assert (reader["value"], reader["allowedMemberTypes"]) == (READER_ROLE, ["User"])
    (post,) = calls(tmp_path, "rest --method POST")
    assert json.loads(post.partition("--body ")[2]) == {
        "principalId": f"sp-{ACTION_GROUPS_APP}", "resourceId": "sp-client-1", "appRoleId": role["id"],
    }  # fmt: skip
    assert calls(tmp_path, "ad app owner add --id client-1 --owner-object-id me-1")


def test_a_second_run_makes_nothing_twice(tmp_path: Path) -> None:
    first, second = run(tmp_path), run(tmp_path)
    assert first == second
    assert calls(tmp_path, "ad app create") == calls(tmp_path, "ad sp create") == calls(tmp_path, "rest --method POST") == []


def test_with_a_key_nothing_is_made(tmp_path: Path) -> None:
    assert run(tmp_path, ALERTS_AUTH="key") == ""
    assert calls(tmp_path, "") == [""]


def test_with_a_key_it_says_why_it_does_nothing(tmp_path: Path) -> None:
    assert "ALERTS_AUTH is key: no app registration is needed." in start(tmp_path, ALERTS_AUTH="key").stderr


def test_it_says_where_before_it_makes_anything(tmp_path: Path) -> None:
    done = start(tmp_path, AZURE_ENV_NAME="test", OPERATOR_EMAILS='["a@example.com"]')
    assert done.stderr.startswith("entra.sh: the app registration 'Backup Runbooks (test)' in the tenant tenant-1\n")


@pytest.mark.parametrize(
    ("environment", "warned"),
    [
        ({}, True),
        ({"OPERATOR_EMAILS": "[]"}, True),
        ({"OPERATOR_EMAILS": "[]", "ALERTS_AUTH": "key"}, True),
        ({"OPERATOR_EMAILS": '["a@example.com"]'}, False),
        ({"OPERATOR_ACTION_GROUP": "/subscriptions/1/…"}, False),
    ],
)
def test_it_warns_before_a_deployment_that_tells_nobody(tmp_path: Path, environment: dict[str, str], warned: bool) -> None:
    assert ("OPERATOR_EMAILS is empty" in start(tmp_path, **environment).stderr) is warned


def test_a_stored_id_is_taken_whatever_else_has_the_name(tmp_path: Path) -> None:
    (tmp_path / "apps").write_text("client-7\nclient-8\n")
    assert run(tmp_path, ALERTS_CLIENT_ID="client-1") == LINE
    assert calls(tmp_path, "ad app list") == calls(tmp_path, "ad app create") == []


def test_a_stored_id_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no app registration unknown" in refused(tmp_path, ALERTS_CLIENT_ID="unknown")


def test_somebody_elses_registration_of_the_same_name_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "apps").write_text("client-9\n")
    (tmp_path / "owners").write_text("somebody\nme-10\n")
    assert "you do not own it" in refused(tmp_path)


def test_of_several_with_the_same_name_none_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "apps").write_text("client-8\nclient-9\n")
    said = refused(tmp_path)
    assert "several have this name" in said
    assert "client-8\nclient-9" in said


@pytest.mark.parametrize(
    "environment",
    [{"AZURE_SUBSCRIPTION_ID": "elsewhere"}, {"AZURE_TENANT_ID": "tenant-2"}, {"AZURE_SUBSCRIPTION_ID": "unseen"}],
)
def test_another_tenant_than_the_apps_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    assert "tenant" in refused(tmp_path, **environment)


def test_azd_keeps_the_ids(tmp_path: Path) -> None:
    assert run(tmp_path, AZURE_ENV_NAME="test") == LINE
    assert calls(tmp_path, "azd") == ["azd env set ALERTS_CLIENT_ID client-1", "azd env set ALERTS_OBJECT_ID object-1"]


def test_without_an_environment_of_azd_the_ids_are_printed_all_the_same(tmp_path: Path) -> None:
    done = start(tmp_path, AZURE_ENV_NAME="prod")
    assert (done.returncode, done.stdout) == (0, LINE)
    assert "azd has no environment 'prod' here" in done.stderr


def test_a_refusal_of_azure_ends_it(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "az").write_text(
        AZ.replace('"rest --method GET")', '"rest --method GET") exit 1;;\n "unused")'), encoding="utf-8"
    )
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", str(INFRA / "entra.sh")], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0, done.stdout) == (True, "")


SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SCRIPTS = [
    "infra/entra.sh",
    "tools/check-commands",
    "tools/check-infra",
    "tools/find-python",
    "tools/redmine",
    "tools/request_tracker",
]


def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run([str(SHELLCHECK), *SCRIPTS], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_script_is_looked_at_by_shellcheck() -> None:
    files = [path for folder in (INFRA, ROOT / "tools") for path in folder.iterdir() if path.is_file()]
    scripts = [path for path in files if re.match(rb"#!\S+(/| )(sh|bash)\b", path.read_bytes()[:40])]
    assert sorted(path.relative_to(ROOT).as_posix() for path in scripts) == SCRIPTS
