"""infra/entra.sh against a stand-in for the Azure CLI: what it asks for, and that a second run changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from handlers.alerts.caller import ACTION_GROUPS_APP, ACTION_GROUPS_ROLE
from tests.infra.bicep import INFRA

pytestmark = pytest.mark.server

AZ = """#!/bin/sh
# Remembers each call, and what there is, in files beside it.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$1 $2 $3" in
  "cloud show "*) echo https://graph.example.com/ ;;
  "account show "*) case "$*" in *user.type*) echo user ;; esac ;;
  "ad app list") [ ! -e "$here/app" ] || echo client-1 ;;
  "ad app create") touch "$here/app"; echo client-1 ;;
  "ad app show") echo object-1 ;;
  "ad sp show") [ -e "$here/sp-$5" ] && echo "sp-$5" || exit 3 ;;
  "ad sp create") touch "$here/sp-$5"; echo "sp-$5" ;;
  "ad signed-in-user show") echo me-1 ;;
  "rest --method GET") [ ! -e "$here/assigned" ] || echo assignment-1 ;;
  "rest --method POST") touch "$here/assigned" ;;
esac
"""


def run(folder: Path, **environment: str) -> str:
    (folder / "az").write_text(AZ, encoding="utf-8")
    (folder / "az").chmod(0o755)
    (folder / "calls").write_text("", encoding="utf-8")
    env = {"PATH": f"{folder}:{os.environ['PATH']}", **environment}
    return subprocess.run(["sh", str(INFRA / "entra.sh")], env=env, capture_output=True, text=True, check=True, timeout=30).stdout


def calls(folder: Path, beginning: str) -> list[str]:
    text = (folder / "calls").read_text(encoding="utf-8").replace("\n  ", " ").replace("\n    ", " ")
    return [line for line in text.split("\n") if line.startswith(beginning)]


def test_it_makes_the_registration_with_its_role_and_gives_it_to_action_groups(tmp_path: Path) -> None:
    assert run(tmp_path) == "export ALERTS_CLIENT_ID=client-1 ALERTS_OBJECT_ID=object-1\n"
    (patch,) = calls(tmp_path, "rest --method PATCH --url https://graph.example.com/v1.0/applications/object-1")
    body = json.loads(patch.partition("--body ")[2])
    assert body["identifierUris"] == ["api://client-1"]
    assert body["api"] == {"requestedAccessTokenVersion": 2}
    (role,) = body["appRoles"]
    assert (role["value"], role["allowedMemberTypes"]) == (ACTION_GROUPS_ROLE, ["Application"])
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


def test_a_refusal_ends_it(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "az").write_text(AZ.replace('"ad app show") echo object-1', '"ad app show") exit 1'), encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(["sh", str(INFRA / "entra.sh")], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=True, timeout=30)
