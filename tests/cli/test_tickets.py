"""`python -m handlers tickets`: which systems there are, and whether the one that is set answers, in plain words."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from handlers.cli import tickets as ticket_systems
from handlers.settings import SettingsError
from handlers.tickets.engine.definition import DefinitionError, bundled, load
from handlers.tickets.engine.target import secret_pieces
from tests.conftest import ROOT
from tests.tickets.system import Reply, running_system
from tests.tickets.targets.happy import HAPPY, SECRET, running

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
    assert "`tickets check --send`" in ticket_systems.check({"TICKET_URL": "https://hooks.example.com/x"})


def test_a_system_that_answers_well_is_told_so() -> None:
    with running_system() as system:
        system.all_answer(Reply(200, {"ok": True}))
        own = 'name = "Own"\ndocs = "https://example.com"\nneeds_secret = false\n[text]\nmarkup = "plain"\nmost = 100\ntitle = 100\n[ticket]\nid = "= 1"\n'
        steps = "".join(f'[[{name}]]\npath = "/x"\n' for name in ("open", "update", "resolve", "check"))
        shown = run("check", TICKET_URL=system.url, TICKET_TARGET_FILE=own + steps)
    assert (shown.returncode, shown.stdout) == (0, "The ticketing system answers, and takes what the settings say.\n")


# ---------------------------------------------------------------- what would happen


def settings_of(name: str, url: str) -> dict[str, str]:
    """The app settings of a bundled system at a URL, as its other tests have them."""
    happy = HAPPY[name]
    return {
        "TICKET_TARGET": name, "TICKET_URL": url if happy.secret else f"{url}/{SECRET}", "TICKET_USER": happy.user,
        "TICKET_SECRET": happy.secret, "TICKET_OPTIONS": json.dumps(dict(happy.options)),
    }  # fmt: skip


def requests_in(shown: str) -> list[str]:
    return re.findall(r"^(?:GET|POST|PUT|PATCH) \S+", shown, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in bundled() if name in HAPPY])
def test_a_dry_run_shows_every_request_of_an_example_incident_and_no_secret(name: str) -> None:
    with running(name) as system:
        shown = ticket_systems.dry_run(settings_of(name, system.url))
        assert system.asked == [], "nothing is sent"
    assert SECRET not in shown
    assert shown.count("\n# ") == 2
    assert "TEST: " in shown
    assert all(system.url in line for line in requests_in(shown)), "the host is not masked"
    assert "***" in shown or name == "webhook", "whose secret only signs"


def test_a_dry_run_shows_the_exact_request() -> None:
    with running_system() as system:
        system.on("POST", "/repos/example/backup/issues", Reply(201, {"number": 7, "html_url": "https://x.example/7"}))
        environment = {**GITHUB, "TICKET_URL": system.url}
        shown = ticket_systems.dry_run(environment).partition("\n\n# A further failure")[0]
    head, _, body = shown.partition("\n\n{")
    assert head.split("\n")[2:] == [
        f"POST {system.url}/repos/example/backup/issues",
        "User-Agent: backup-runbooks",
        "Accept: application/vnd.github+json",
        "Content-Type: application/json; charset=utf-8",
        "X-GitHub-Api-Version: 2022-11-28",
        "Authorization: Bearer ***",
    ]
    sent = json.loads("{" + body)
    assert sent["title"].startswith("TEST: Backup of vm-example failed")
    assert sent["body"].startswith("**This is a test of Backup Runbooks. No backup failed")
    assert sent["labels"][1] == "Sev3"


@pytest.mark.parametrize("name", [name for name in bundled() if name in HAPPY])
def test_send_opens_notes_and_resolves_a_marked_test_ticket_and_reads_it_back(name: str) -> None:
    with running(name) as system:
        lines = list(ticket_systems.send(settings_of(name, system.url)))
        assert lines[0].startswith("Opened: ")
        assert lines[2:4] == ["Noted a further failure on it.", "Resolved it."]
        assert lines[1] in ("Found it again by its key.", "The system has no search, or needs none.")
        assert lines[4] == "Read it back: it is closed." or "cannot be read" in lines[4]
        assert len(system.made) == 1 or load(name).ticket.known_by_key
        assert "TEST: " in b"".join(asked.body for asked in system.asked).decode()


def test_send_says_when_the_ticket_is_still_open_afterwards() -> None:
    with running("github") as system:
        system.on("PATCH", "/repos/o/r/issues/7", Reply(200, {"number": 7, "state": "open"}))
        with pytest.raises(ticket_systems.TestFailed, match="the ticket is still open"):
            list(ticket_systems.send(settings_of("github", system.url)))


def test_send_says_when_the_key_did_not_arrive() -> None:
    with running("github") as system:
        system.on("GET", "/repos/o/r/issues", Reply(200, [{"number": 7, "labels": []}]))
        assert list(ticket_systems.send(settings_of("github", system.url)))[1].startswith("It was NOT found by its key")


def test_send_says_in_plain_words_what_is_refused() -> None:
    with running_system() as system:
        system.all_answer(Reply(403, {"message": "no"}))
        with pytest.raises(ticket_systems.TestFailed, match="the credentials are good, but they may not do this"):
            list(ticket_systems.send({**GITHUB, "TICKET_URL": system.url}))


def test_hints_survive_the_masking_of_secrets() -> None:
    with running_system() as system:
        system.on("GET", "/.*", Reply(200, None))
        wrong = ticket_systems.check({**GITHUB, "TICKET_URL": system.url})
    assert "(https://api.github.com, or https://<host>/api/v3)" in wrong
    assert secret_pieces("https://api.atlassian.com/jsm/ops/integration/v2") == []
    assert secret_pieces("https://dev.azure.com/contoso-backup-team", keep_words=True) == []
    assert secret_pieces("https://hooks.slack.com/services/T0000/B0000/abcdEFGH12345678") == ["abcdEFGH12345678"]
    assert secret_pieces("https://x.example/workflows/run?sig=Zm9vYmFyYmF6cXV4&sv=1.0") == ["Zm9vYmFyYmF6cXV4"]
    assert secret_pieces("https://user:hunter2@x.example/") == ["user", "hunter2"]


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("github", {"repository": "a/b", "labels": ["x", {"y": 1}]}, r"labels\[1\] must be a text or a number, and is a table"),
        ("github", {"repository": "a/b", "labels": "x"}, "labels must be a list of texts or numbers, and is a text"),
        ("github", {"repository": "a/b", "severity_labels": {"sev1": "x"}}, "severity_labels.sev1 is none of Sev0, Sev1"),
        (
            "github",
            {"repository": "a/b", "severity_labels": {"Sev1": ["x"]}},
            "severity_labels.Sev1 must be a text or a number, and is a list",
        ),
        ("github", {"repository": "a/b", "fields": []}, "fields must be a table"),
        ("github", {"repository": ["a/b"]}, "repository must be a text or a number, and is a list"),
        ("redmine", {"project": "a", "key_field": "Key"}, "key_field must be a whole number, and is a text"),
        ("redmine", {"project": "a", "key_field": 3, "custom_fields": {"id": 1}}, "custom_fields must be a list of tables"),
        ("redmine", {"project": "a", "key_field": 3, "custom_fields": [7]}, r"custom_fields\[0\] must be a table"),
        ("request_tracker", {"queue": "a", "note": "reply"}, "note must be one of comment, correspond"),
        ("slack", {"channel": "C1", "broadcast": "yes"}, "broadcast must be true or false, and is a text"),
        ("jira", {"project": "A", "oauth": {"scope": "x"}}, "oauth.token_url is missing"),
        ("jira", {"project": "A", "oauth": {"token_url": "https://x.example", "scopes": "x"}}, "oauth.scopes is not known"),
        (
            "jira",
            {"project": "A", "oauth": {"token_url": "https://x.example", "client_auth": "x"}},
            "oauth.client_auth must be one of body, basic",
        ),
    ],
)
def test_an_option_of_the_wrong_shape_stops_the_app_at_start_with_its_place(
    target: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(DefinitionError, match=f"^TICKET_OPTIONS: {said}"):
        load(target).options_of(options)


@pytest.mark.parametrize("name", [name for name in bundled() if name in HAPPY])
def test_the_defaults_of_a_system_have_the_shapes_that_it_asks_for(name: str) -> None:
    system = load(name)
    defaults = {option: about.default for option, about in system.options.items() if about.default is not None}
    system.options_of(defaults | dict(HAPPY[name].options))


# ---------------------------------------------------------------- routes


def test_every_target_of_the_routes_is_asked_and_named() -> None:
    with running_system() as system:
        system.all_answer(Reply(401, {"message": "no"}))
        rules = [{"target": "gitlab", "name": "payments", "url": system.url, "secret_setting": "TICKET_SECRET_PAYMENTS",
                  "options": {"project": "pay"}}]  # fmt: skip
        wrong = ticket_systems.check(
            {**GITHUB, "TICKET_URL": system.url, "TICKET_ROUTES": json.dumps(rules), "TICKET_SECRET_PAYMENTS": "s3cret"}
        )
    lines = wrong.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["default", "payments"]
    assert all("are not accepted" in line for line in lines)
    assert "s3cret" not in wrong


def test_a_dry_run_shows_the_requests_of_every_target() -> None:
    rules = [{"target": "webhook", "name": "chat", "url": "https://chat.example.com/hook"}]
    shown = ticket_systems.dry_run({**GITHUB, "TICKET_URL": "https://api.github.com", "TICKET_ROUTES": json.dumps(rules)})
    assert shown.count("# A failure\n") == 2
    assert "Target default:" in shown
    assert "Target chat:" in shown
    assert "https://chat.example.com/hook" in shown


def test_a_rule_that_cannot_be_understood_is_told_before_anything_is_asked() -> None:
    shown = run(
        "check",
        TICKET_URL="https://hooks.example.com/x",
        TICKET_ROUTES='[{"drop": "why"}, {"drop": "why", "when": {"vaults": ["a"]}}]',
    )
    assert shown.returncode == 1
    assert shown.stderr.startswith("TICKET_ROUTES[1].when.vaults: is not known")
