"""`python -m handlers tickets`: which systems there are, and whether the one that is set answers, in plain words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from handlers.cli import tickets as ticket_systems
from handlers.settings import SettingsError
from handlers.tickets.engine.definition import DefinitionError, bundled
from tests.conftest import ROOT
from tests.tickets.system import Reply, running_system

GITHUB = {"TICKET_TARGET": "github", "TICKET_SECRET": "s3cret", "TICKET_OPTIONS": '{"repository": "example/backup"}'}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "handlers", "tickets", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "", **environment},
    )  # fmt: skip


def test_every_system_is_listed_with_its_options() -> None:
    shown = run()
    assert shown.returncode == 0
    names = [line.split()[0] for line in shown.stdout.splitlines() if not line.startswith(" ")]
    assert names == bundled()
    assert "    repository             required: " in shown.stdout


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "TICKET_USER and TICKET_SECRET are not accepted"),
        (403, "they may not do this"),
        (404, "is TICKET_URL the right address"),
        (302, "it redirects"),
        (500, "TICKET_URL answered 500"),
    ],
)
def test_a_system_that_refuses_is_told_in_plain_words(status: int, said: str) -> None:
    with running_system() as system:
        system.all_answer(Reply(status, {"message": "no"}))
        own = 'name = "Own"\ndocs = "https://example.com"\n[text]\nmarkup = "plain"\nmost = 100\ntitle = 100\n[ticket]\nid = "= 1"\n'
        steps = "".join(f'[[{name}]]\npath = "/x"\n' for name in ("open", "update", "resolve", "check"))
        wrong = ticket_systems.check({"TICKET_URL": system.url, "TICKET_SECRET": "s3cret", "TICKET_TARGET_FILE": own + steps})
    assert said in wrong
    assert "s3cret" not in wrong
    assert system.url not in wrong


def test_nobody_there_is_told_without_a_traceback_and_without_the_address() -> None:
    shown = run("check", TICKET_URL="http://127.0.0.1:9/?sig=hunter2", **GITHUB)
    assert shown.returncode == 1
    assert shown.stderr.startswith("TICKET_URL did not answer")
    assert "hunter2" not in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_setting_that_is_missing_is_named() -> None:
    assert run("check").stderr.startswith("TICKET_URL is required")
    with pytest.raises(DefinitionError, match="TICKET_OPTIONS lacks 'repository'"):
        ticket_systems.check({"TICKET_URL": "https://api.github.com", **GITHUB, "TICKET_OPTIONS": "{}"})
    with pytest.raises(DefinitionError, match="TICKET_SECRET is required"):
        ticket_systems.check({"TICKET_URL": "https://api.github.com", **GITHUB, "TICKET_SECRET": ""})
    with pytest.raises(SettingsError, match="TICKET_URL must use https"):
        ticket_systems.check({"TICKET_URL": "http://api.github.com", **GITHUB})


def test_a_webhook_has_nothing_harmless_to_ask_and_says_what_to_do() -> None:
    assert "post a test alert" in ticket_systems.check({"TICKET_URL": "https://hooks.example.com/x"})


def test_a_system_that_answers_well_is_told_so() -> None:
    with running_system() as system:
        system.all_answer(Reply(200, {"ok": True}))
        own = 'name = "Own"\ndocs = "https://example.com"\nneeds_secret = false\n[text]\nmarkup = "plain"\nmost = 100\ntitle = 100\n[ticket]\nid = "= 1"\n'
        steps = "".join(f'[[{name}]]\npath = "/x"\n' for name in ("open", "update", "resolve", "check"))
        shown = run("check", TICKET_URL=system.url, TICKET_TARGET_FILE=own + steps)
    assert (shown.returncode, shown.stdout) == (0, "The ticketing system answers, and takes what the settings say.\n")
