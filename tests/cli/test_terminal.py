"""The commands of a terminal: what each writes, and how it ends when it cannot do its work."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers.cli.failures import FailedItem, as_csv, spare_reads
from handlers.cli.options import EXAMPLES
from sandbox.azure import RunningAzure, running_azure
from sandbox.scenario import load_scenarios
from sandbox.terminal import environment
from tests.cli.terminal import FOLDER, FORBIDDEN, LOCKED, SCENARIOS, goldens, run, vm_of
from tests.conftest import ROOT
from tests.event_schema import EVENT_SCHEMA
from tests.workbench import Bench

pytestmark = pytest.mark.server
VAULT = "/subscriptions/{}/resourceGroups/rg-vaults/providers/Microsoft.RecoveryServices/vaults/rsv-shop"


@pytest.fixture(scope="module")
def azure() -> Iterator[RunningAzure]:
    with running_azure([one for one in load_scenarios() if one.name in SCENARIOS]) as running:
        yield running


def subscription_of(scenario: str) -> str:
    return next(one.subscription for one in load_scenarios() if one.name == scenario)


def test_every_command_writes_what_somebody_has_read() -> None:
    written = goldens()
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    assert sorted(written) == sorted(kept)
    assert [name for name, text in written.items() if kept[name] != text] == [], "run `make golden` and read the diff"


# ------------------------------------------------------------------------------------------------ diagnose, failures


def test_a_diagnosis_as_json_is_the_event_of_the_schema(azure: RunningAzure) -> None:
    ended = run("diagnose", "--vm", vm_of(LOCKED), "--format", "json", **environment(azure.url))
    event = json.loads(ended.out)
    EVENT_SCHEMA.validate(event)
    assert event["data"]["findings"][0]["cause"] == LOCKED
    assert ended.code == 1


def test_a_diagnosis_goes_to_a_file_in_another_language(azure: RunningAzure, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    arguments = ("diagnose", "--vm", vm_of(LOCKED), "--format", "html", "--language", "pt-BR", "--output", str(file))
    ended = run(*arguments, **environment(azure.url))
    assert ended.out == ""
    assert ended.err == f"Written to {file}\n"
    assert '<html lang="pt-BR">' in file.read_text(encoding="utf-8")


def test_a_job_is_diagnosed_by_its_vault_and_id(azure: RunningAzure) -> None:
    settings = environment(azure.url)
    failed = json.loads(run("failures", "--format", "json", "--subscription", subscription_of(LOCKED), **settings).out)[0]
    ended = run("diagnose", "--job", failed["job"], "--vault", failed["vault_id"], "--format", "markdown", "--quiet", **settings)
    assert ended.code == 1
    assert ended.out.startswith("# Backup of `vm-pay-01` failed")
    assert ended.err == ""


def test_a_vm_whose_backups_work_has_no_failure(azure: RunningAzure) -> None:
    worked = run("failures", "--subscription", subscription_of("recovered"), "--quiet", **environment(azure.url))
    assert (worked.code, worked.out) == (0, "No backup has failed.\n")


def test_failures_as_csv_can_be_read_by_a_program(azure: RunningAzure) -> None:
    ended = run("failures", "--diagnose", "--format", "csv", **environment(azure.url))
    rows = {row["item"]: row for row in csv.DictReader(io.StringIO(ended.out))}
    assert rows["vm-pay-01"]["cause_id"] == LOCKED
    assert rows["vm-forgotten-01"]["act"] == "now"
    assert float(rows["vm-pay-01"]["hours_since"]) > 20


def test_a_diagnosis_waits_until_the_read_budget_has_enough_to_spare() -> None:
    left = [5.0, 12.0, 40.0]
    waited: list[float] = []

    class Budget:
        def spare(self, _: str) -> float:
            return left[len(waited)]

    class Azure:
        budget = Budget()

    class Reading:
        azure = Azure()

    spare_reads("subscription", Reading(), 30, waited.append)  # type: ignore[arg-type]
    assert len(waited) == 2


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_what_a_vm_says_never_reaches_the_terminal_as_a_control_sequence(form: str) -> None:
    with running_azure([one for one in load_scenarios() if one.name == "hostile_extension_message"]) as hostile:
        vm = vm_of("hostile_extension_message")
        ended = run("diagnose", "--vm", vm, "--format", form, **environment(hostile.url))
    assert "\x1b" not in ended.out + ended.err
    assert len(ended.out) > 500


def test_a_cell_that_a_spreadsheet_would_calculate_is_quoted() -> None:
    item = FailedItem("=HYPERLINK(1)", "/subscriptions/1", "job", 1, None, None, None, missing_rights=("a", "b"))
    cells = next(csv.DictReader(io.StringIO(as_csv([item]))))
    assert (cells["item"], cells["missing_rights"], cells["failed_at"]) == ("'=HYPERLINK(1)", "a; b", "")


# ------------------------------------------------------------------------------------------------ what goes wrong


def test_a_right_that_is_missing_is_named_with_its_place(azure: RunningAzure) -> None:
    ended = run("diagnose", "--vm", vm_of(FORBIDDEN), **environment(azure.url))
    right = f"Missing right: Microsoft.Authorization/locks/read in subscription {subscription_of(FORBIDDEN)}"
    assert ended.err.startswith(right)


def test_without_the_right_to_the_jobs_nothing_can_be_told_and_the_code_is_3() -> None:
    with running_azure([one for one in load_scenarios() if one.name == LOCKED]) as locked:
        locked.add_fault(match="GET */backupJobs*", status=403)
        for arguments in (("diagnose", "--vm", vm_of(LOCKED)), ("failures",)):
            ended = run(*arguments, **environment(locked.url))
            assert ended.code == 3
            assert "not permitted: Microsoft.RecoveryServices/" in ended.err
            assert ended.err.count("\n") == 1


def test_what_could_not_be_read_is_said_beside_what_was_read(azure: RunningAzure) -> None:
    with running_azure([one for one in load_scenarios() if one.name in ("recovered", LOCKED)]) as both:
        both.add_fault(match=f"GET */{subscription_of(LOCKED)}/*/backupJobs*", status=403)
        ended = run("failures", "--quiet", **environment(both.url))
    assert ended.code == 3
    assert ended.out == "No backup has failed, as far as it could be read.\n"
    assert "not permitted" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diagnose", "--vm", "vm-pay-01"), "--vm 'vm-pay-01' is not an id of the form"),
        (("diagnose", "--item", VAULT.format("x")), "--item '"),
        (("diagnose", "--job", "7f0c"), "--job needs --vault"),
        (("diagnose", "--vm", vm_of(LOCKED) + "-other"), "No vault that you can read protects"),
        (("diagnose", "--job", "7f0c", "--vault", VAULT.format(subscription_of(LOCKED))), "The backup job of 7f0c in rsv-shop: not there"),
        (("failures", "--subscription", "production"), "--subscription 'production' is not a GUID"),
        (("failures", "--vault", VAULT.format(subscription_of(LOCKED)) + "-other"), "not there"),
        (("incidents",), "AzureWebJobsStorage"),
        (("send-test-alert",), "--url is needed"),
        (("send-test-alert", "--url", "http://func.example.com/?code=s3cret"), "--url must use https"),
        (("replay", "nowhere.json"), "nowhere.json: "),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told_in_one_line_and_the_code_is_2(
    azure: RunningAzure, arguments: tuple[str, ...], said: str
) -> None:
    ended = run(*arguments, **environment(azure.url))
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert "s3cret" not in ended.err


@pytest.mark.parametrize("arguments", [("failures",), ("diagnose", "--vm", vm_of(LOCKED))])
def test_without_a_network_one_line_says_so(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments, **environment("http://127.0.0.1:9"))
    assert ended.code == 4
    assert "not reached" in ended.err
    assert ended.err.count("\n") == 1


def test_a_setting_that_is_malformed_is_named() -> None:
    ended = run("failures", RUNBOOK_LANGUAGE="klingon")
    assert (ended.code, ended.err.startswith("RUNBOOK_LANGUAGE is 'klingon'")) == (2, True)


def test_what_breaks_is_one_line_and_only_verbose_shows_where() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import handlers.__main__ as m, sys; m.COMMANDS = {'failures': lambda *_: 1 / 0}; sys.exit(m.main(['failures']))"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (shown.returncode, shown.stderr) == (4, "This command broke (ZeroDivisionError); --verbose shows where.\n")


# ------------------------------------------------------------------------------------------------ the other commands


def test_incidents_are_those_that_the_app_has_recorded(bench_of: Callable[..., Bench], own_azurite: str) -> None:
    bench = bench_of(LOCKED)
    bench.fire(next(one for one in load_scenarios() if one.name == LOCKED).alert_body(bench.clock()))
    bench.work()
    incident = bench.open_incidents[0]
    ended = run("incidents", "--open", AzureWebJobsStorage=own_azurite, COLUMNS="160")
    assert ended.code == 1
    assert ended.out.splitlines()[1].split()[:3] == [incident.id[:8], "vm-pay-01", "open"]
    assert run("incidents", AzureWebJobsStorage=own_azurite, COLUMNS="160").out == ended.out, "each of them once"
    whole = run("incidents", "--id", incident.id[:8], AzureWebJobsStorage=own_azurite, COLUMNS="160")
    assert "Backup of vm-pay-01 failed\n" in whole.out
    assert run("incidents", "--id", "ffffffff", AzureWebJobsStorage=own_azurite).code == 2


def test_a_test_alert_is_posted_and_its_key_shown_nowhere() -> None:
    from tests.tickets.system import Reply, running_system

    with running_system() as app:
        app.all_answer(Reply(202, {"accepted": ["1"]}))
        assert run("send-test-alert", "--url", f"{app.url}/api/alerts?code=s3cret").out.startswith("Accepted.")
        app.all_answer(Reply(401, {}))
        refused = run("send-test-alert", "--url", f"{app.url}/api/alerts?code=s3cret")
    assert refused.code == 3
    assert "the key is missing or wrong" in refused.err
    assert "s3cret" not in refused.err


@pytest.mark.parametrize("command", sorted(EXAMPLES))
def test_help_shows_examples_and_needs_nothing_heavy(command: str) -> None:
    code = f"import sys, handlers.__main__ as m\ntry: m.main(['{command}', '--help'])\nfinally: print('heavy' if 'rich' in sys.modules else 'light')"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.stdout.endswith("light\n")
    assert all(f"  backup-runbooks {example}" in shown.stdout for example in EXAMPLES[command])


# ------------------------------------------------------------------------------------------------ on a terminal


def on_a_terminal(url: str, *arguments: str, **settings: str) -> str:
    """What the command writes when a terminal is there, both streams."""
    leader, follower = pty.openpty()
    env = {**os.environ, **environment(url), "TERM": "xterm-256color", "COLUMNS": "80", **settings}
    process = subprocess.Popen([sys.executable, "-m", "handlers", *arguments], cwd=ROOT, env=env, stdin=follower, stdout=follower, stderr=follower)  # fmt: skip
    os.close(follower)
    written = b""
    try:
        while piece := os.read(leader, 65536):
            written += piece
    except OSError:  # the other end is closed
        pass
    process.wait()
    os.close(leader)
    return written.decode()


def test_on_a_terminal_there_are_colours_and_progress(azure: RunningAzure) -> None:
    shown = on_a_terminal(azure.url, "failures", "--diagnose")
    assert "\x1b[1;31mnow" in shown
    assert "Diagnosing" in shown


def test_no_color_takes_the_colours_away_and_quiet_the_progress(azure: RunningAzure) -> None:
    shown = on_a_terminal(azure.url, "failures", "--diagnose", "--quiet", NO_COLOR="1")
    assert "\x1b[1;31m" not in shown
    assert "\x1b[31" not in shown
    assert "Diagnosing" not in shown


def test_without_a_terminal_there_is_neither(azure: RunningAzure) -> None:
    ended = run("failures", "--diagnose", **environment(azure.url))
    assert "\x1b" not in ended.out + ended.err
    assert "Diagnosing" not in ended.err


def test_ctrl_c_ends_it_at_once_in_one_line() -> None:
    with running_azure([one for one in load_scenarios() if one.name == LOCKED]) as slow:
        slow.add_fault(match="GET /subscriptions*", delay=60)
        process = subprocess.Popen([sys.executable, "-m", "handlers", "failures"], cwd=ROOT, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **environment(slow.url)})  # fmt: skip
        while not slow.azure.faults[0]._seen:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert err.strip() == "Ended."
