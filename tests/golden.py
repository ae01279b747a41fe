"""`make golden`: write the golden runbooks anew, one per code and language; look at the diff before you commit it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from handlers import facts
from handlers.alerts import read
from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import classify
from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.facts.jobs import find_job
from handlers.model import Alert, Diagnosis, Failure, Os
from handlers.runbook.facts_table import cell
from handlers.runbook.render import render
from handlers.settings import LANGUAGES, Settings
from sandbox.azure import running_azure
from sandbox.scenario import Scenario, load_scenarios
from tests import every_code
from tests.cli.terminal import write_goldens

FOLDER = Path(__file__).parent / "golden"
FIRST_SCREENS = Path(__file__).parent.parent / "docs" / "first_screens.md"
SCENARIOS = (
    "agent_not_ready_windows", "snapshot_task_status_linux", "restore_point_group_locked", "key_vault_policy_windows",
    "no_network_unmanaged_windows", "extension_failed_linux", "internal_error_windows", "internal_error_linux", "disk_33_tib_linux",
    "backup_in_progress_windows", "unknown_code", "restore_size_not_available", "denied_by_policy",
)  # fmt: skip
"""One per error code of the source document, both operating systems, a code that nobody knows, a restore, and one that a policy denied."""


def diagnosis_of(scenario: Scenario, azure_url: str, now: datetime) -> Diagnosis:
    """The story of backup_failed up to the diagnosis, with the real SDK clients."""
    azure = Azure(Settings(ticket_url="http://127.0.0.1", arm_endpoint=azure_url, logs_endpoint=azure_url,
                           log_analytics_workspace_id="00000000-0000-4000-8000-00000000a0a1"))  # fmt: skip
    alert = read(scenario.alert_body(now))[0]
    assert isinstance(alert, Alert)
    job = find_job(alert, azure).job
    failure, error = Failure.of(alert, job, now), classify(alert, job)
    readings = facts.gather(facts_needed(failure, error), failure, azure, message=error.message, now=now)
    return diagnose(failure, error, readings)


def runbooks() -> dict[str, str]:
    """The golden runbooks by file name. Times differ from run to run, so they are masked."""
    now = datetime.now(UTC)
    scenarios = [scenario for scenario in load_scenarios() if scenario.name in SCENARIOS]
    found = {}
    with running_azure(scenarios) as azure:
        for scenario in scenarios:
            diagnosis = diagnosis_of(scenario, azure.url, now)
            for language in LANGUAGES:
                found[f"{scenario.name}.{language}.md"] = masked(render(diagnosis, language).markdown)
    return found


def masked(markdown: str) -> str:
    """Without what changes from run to run: times and dates."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?", "<time>", markdown)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time>", text)
    text = re.sub(r"\b\d\d-\d\d-20\d\d\b", "<date>", text)
    text = re.sub(r"`\d{4}-\d\d-\d\d: \d+`(; `\d{4}-\d\d-\d\d: \d+`)*", "<jobs by day>", text)
    return re.sub(r"AzureBackup_\d{8}_\d{6}", "AzureBackup_<time>", text)


def first_screens(pages: dict[str, str]) -> str:
    """The page of first screens: what a responder reads before anything else, of every golden runbook."""
    lines = [
        "# First screens",
        "",
        "Written by `make golden`; do not edit. What stands first in each ticket, here with its times masked.",
    ]
    for language in LANGUAGES:
        screens = {scenario: screen_of(pages[f"{scenario}.{language}.md"]) for scenario in SCENARIOS}
        lines += ["", f"{language}:", "", "| | risk | cause | phase | command |", "|---|---|---|---|---|"]
        lines += [f"| [{name}](#{name}) | {' | '.join(cells_of(screen))} |" for name, screen in screens.items()]
    lines += ["", *of_every_code()]
    for scenario in SCENARIOS:
        lines += ["", f"## {scenario}"]
        for language in LANGUAGES:
            screen = screen_of(pages[f"{scenario}.{language}.md"])
            lines += ["", f"{language}:", "", f"````markdown\n{screen}\n````"]
    return "\n".join(lines) + "\n"


def of_every_code() -> list[str]:
    """A table of the first screens of every error code, in each language."""
    lines = [
        "## Every error code",
        "",
        "A Windows VM of which everything that can be read from outside is in order: what its ticket says first, by error code.",
    ]
    for language in LANGUAGES:
        screens = {code: screen_of(masked(page)) for code, page in every_code.pages(Os.WINDOWS, language).items()}
        lines += ["", f"{language}:", "", "| error code | risk | cause | command |", "|---|---|---|---|"]
        for code, screen in screens.items():
            risk, cause, _, command = cells_of(screen)
            lines.append(f"| `{code}` | {risk} | {cause} | {cell(command)} |")
    return lines


def screen_of(page: str) -> str:
    return page.partition("\n## ")[0].strip()


def cells_of(screen: str) -> list[str]:
    """Risk, cause and phase in a few words, and the first line of the command."""
    risk, cause, phase, _ = re.findall(r"^- \*\*(.+)$", screen.replace("<time>", "…"), re.MULTILINE)
    told = [
        risk.partition(".**")[0].partition(": ")[2],
        re.split(r"\.\*\* |\. ", cause.partition(":")[2].strip("* "))[0].strip(".*"),
    ]
    command = re.findall(r"^```\w+\n(.+)$", screen, re.MULTILINE)[0]
    return [*told, phase.partition(":** ")[2].partition(" · ")[0], f"`{' '.join(command.split()[:4])} …`"]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    written = runbooks()
    FIRST_SCREENS.write_text(first_screens(written), encoding="utf-8")
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote tests/golden/{name}")
    write_goldens()
