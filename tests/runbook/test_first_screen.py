"""A responder acts on a ticket within a minute: risk, cause and first command come first, everything else stands in it once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from handlers.model import Diagnosis, Reading, ResourceChange, ResourceChanges, Runbook, Verdict, time_text
from handlers.model.parts import joined
from handlers.runbook.render import render
from handlers.runbook.templates import words_of
from handlers.settings import LANGUAGES
from handlers.tickets.engine.fitting import fitted
from handlers.tickets.engine.markups import MARKUPS
from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios
from tests.golden import SCENARIOS, diagnosis_of

pytestmark = pytest.mark.server
MOST_FIRST, MOST_WITH_CAUSE, MOST = 15, 220, 300
SAID_BEFORE = re.compile(
    r"""Set-AzContext |\$\w+ [=|] |[})]|fi$|done$|else$|\#|service=|for .* do$|foreach |(sudo )?systemctl |sudo mv "\$last" |Get-Service """
)
"""Lines of a block that only prepare or end it, or that show what the block has done."""
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
UNREADABLE = ("unreadable",)


@pytest.fixture(scope="module")
def diagnoses() -> Mapping[str, Diagnosis]:
    scenarios = [scenario for scenario in load_scenarios() if scenario.name not in UNREADABLE]
    with running_azure(scenarios) as azure:
        return {scenario.name: diagnosis_of(scenario, azure.url, datetime.now(UTC)) for scenario in scenarios}


RENDERED: dict[tuple[str, str], dict[str, Runbook]] = {}


def pages(diagnoses: Mapping[str, Diagnosis], language: str, shell: str = "both") -> dict[str, Runbook]:
    """By scenario; each rendered once for all tests."""
    if (language, shell) not in RENDERED:
        RENDERED[language, shell] = {name: render(found, language, shell=shell) for name, found in diagnoses.items()}
    return RENDERED[language, shell]


def first_screen(markdown: str) -> str:
    return markdown.partition("\n## ")[0].strip()


def blocks(markdown: str) -> list[str]:
    return re.findall(r"^ *```(?:bash|powershell)\n(.*?)\n *```$", markdown, re.MULTILINE | re.DOTALL)


def table(markdown: str) -> list[list[str]]:
    """The cells of the facts' rows."""
    lines = [line for line in markdown.split("\n") if line.startswith("| ")][1:]
    return [re.split(r" \| ", line.strip("| ")) for line in lines]


@LANGUAGE
def test_the_first_screen_has_fifteen_lines_with_risk_cause_phase_and_one_command(
    diagnoses: Mapping[str, Diagnosis], language: str
) -> None:
    labels = {"en": ("Risk: ", "Cause:", "Phase:", "Run first"), "pt-BR": ("Risco: ", "Causa:", "Fase:", "Execute primeiro")}[
        language
    ]
    for name, page in pages(diagnoses, language).items():
        screen = first_screen(page.markdown)
        assert screen.count("\n") < MOST_FIRST, name
        assert [label for label in labels if screen.count(f"- **{label}") != 1] == [], name
        assert len(blocks(screen)) == 1, name


@LANGUAGE
def test_the_first_screen_says_that_no_cause_was_confirmed(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    sentence = {
        "en": "No cause could be confirmed from outside the VM",
        "pt-BR": "Não foi possível confirmar nenhuma causa de fora da VM",
    }[language]
    for name, page in pages(diagnoses, language).items():
        confirmed = Verdict.CONFIRMED in diagnoses[name].verdicts.values()
        assert (sentence in first_screen(page.markdown)) is (not confirmed and bool(diagnoses[name].findings)), name


@LANGUAGE
def test_the_first_command_only_reads_and_says_what_one_should_see(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    sees = {"en": "You should see: ", "pt-BR": "O que se deve ver: "}[language]
    for name, page in pages(diagnoses, language).items():
        screen = first_screen(page.markdown)
        assert f"({words_of(language)['effects']['reads']})" in screen, name
        assert sees in screen, name


@LANGUAGE
def test_no_command_line_stands_in_a_ticket_twice(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    for name, page in pages(diagnoses, language).items():
        lines = [line.strip() for block in blocks(page.markdown) for line in block.split("\n")]
        said = Counter(line for line in lines if line and not SAID_BEFORE.match(line))
        assert {line for line, count in said.items() if count > 1} == set(), name
        assert max(Counter(blocks(page.markdown)).values()) == 1, name


@LANGUAGE
def test_a_backup_is_started_and_watched_once(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    for name, page in pages(diagnoses, language).items():
        job = diagnoses[name].failure.job
        if diagnoses[name].failure.workload == "AzureIaasVM" and (job is None or job.operation == "Backup"):
            assert page.markdown.count("az backup protection backup-now") == 1, name
            assert "az backup job wait" in page.markdown, name


@LANGUAGE
def test_every_fact_that_a_finding_names_is_in_the_table_once(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    labels = words_of(language)["facts"]
    for name, page in pages(diagnoses, language).items():
        named = {labels[evidence.fact] for finding in diagnoses[name].findings for evidence in finding.evidence}
        shown = [cells[0] for cells in table(page.markdown)]
        assert len(shown) == len(set(shown)), name
        assert set(shown) == named, name


@LANGUAGE
def test_every_cell_of_the_facts_says_something(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    for name, page in pages(diagnoses, language).items():
        assert [cells for cells in table(page.markdown) if {"", "–", "`0`"} & set(cells)] == [], name


def test_what_the_job_itself_says_has_its_time_and_its_source(diagnoses: Mapping[str, Diagnosis]) -> None:
    rows = {cells[0]: cells for cells in table(pages(diagnoses, "en")["agent_not_ready_windows"].markdown)}
    job, causes, log = rows["Job start and end"], rows["Underlying causes"], rows["Activity log: VM"]
    assert (job[2], job[4]) == (job[1].strip("`").partition(" – ")[0], "the failed job")
    assert (causes[2], causes[4]) == ("does not apply", "the app's own checks")
    assert log[1] == "no entry"
    assert log[2].endswith("UTC"), "since when the log was read"


@LANGUAGE
def test_a_step_sends_to_a_place_once(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    sent = re.compile({"en": r"Check first, as in (.+?)\. The commands are in \1\.",
                       "pt-BR": r"Verifique antes, como (.+?)\. Os comandos estão \1\."}[language])  # fmt: skip
    assert [name for name, page in pages(diagnoses, language).items() if sent.search(page.markdown)] == []


@LANGUAGE
def test_no_value_of_a_fact_is_told_again_below_the_first_screen(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    for name, page in pages(diagnoses, language).items():
        below = page.markdown.removeprefix(first_screen(page.markdown))
        values = [cells[1] for cells in table(page.markdown) if cells[1].startswith("`") and len(cells[1]) > 20]
        assert [value for value in values if below.count(value) > 1] == [], name


@LANGUAGE
@pytest.mark.parametrize("shell", ["both", "bash", "powershell"])
def test_a_ticket_is_short(diagnoses: Mapping[str, Diagnosis], language: str, shell: str) -> None:
    for name, page in pages(diagnoses, language, shell=shell).items():
        most = MOST_WITH_CAUSE if Verdict.CONFIRMED in diagnoses[name].verdicts.values() else MOST
        if name in SCENARIOS:
            assert page.markdown.count("\n") <= most, name


@LANGUAGE
def test_a_ticket_is_short_also_when_much_was_changed(diagnoses: Mapping[str, Diagnosis], language: str) -> None:
    for name in SCENARIOS:
        page = render(much_changed(diagnoses[name]), language)
        most = MOST_WITH_CAUSE if Verdict.CONFIRMED in diagnoses[name].verdicts.values() else MOST
        assert page.markdown.count("\n") <= most, name
        in_ticket, in_page = (text.count("`made-") for text in (page.markdown, joined(page.parts)))
        assert (in_ticket, in_page) == (6, 12) or diagnoses[name].failure.workload != "AzureIaasVM", name
        assert {"en": "and 14 more", "pt-BR": "e mais 14"}[language] in page.markdown, name


def much_changed(diagnosis: Diagnosis) -> Diagnosis:
    """The same failure, with twenty disks made on the VM shortly before it."""
    ended = diagnosis.failure.failed_at
    disk = f"{diagnosis.failure.vm.id.rpartition('/')[0].rpartition('/')[0] if diagnosis.failure.vm else ''}/disks/made-"
    made = tuple(
        ResourceChange(ended - timedelta(minutes=20 + n), f"{disk}{n}", "microsoft.compute/disks", "create", "ana", ())
        for n in range(20)
    )
    reading = Reading(ResourceChanges(ended - timedelta(days=14), made), "x", ended)
    return replace(diagnosis, readings={**diagnosis.readings, "resource_changes": reading})


@pytest.mark.parametrize(("shell", "other"), [("bash", "powershell"), ("powershell", "bash")])
def test_a_team_that_uses_one_shell_reads_half_the_operator_commands(
    diagnoses: Mapping[str, Diagnosis], shell: str, other: str
) -> None:
    for name, page in pages(diagnoses, "en", shell=shell).items():
        commands = [c for steps in page.steps.values() for step in steps for c in step.commands]
        assert [c.line for c in commands if c.run == "operator" and c.shell == other] == [], name
        label = {"bash": "Bash", "powershell": "PowerShell"}[other]
        assert f"{label}, your workstation" not in page.markdown, name
        assert f"{label}, your workstation" in joined(page.parts), "the page keeps both"


def test_commands_inside_the_vm_stay_whichever_shell_the_operator_uses(diagnoses: Mapping[str, Diagnosis]) -> None:
    page = render(diagnoses["agent_not_ready_windows"], "en", shell="bash")
    assert "Restart-Service RdAgent" in page.markdown
    assert any(c.run == "guest" for step in page.steps["agent_unresponsive_windows"] for c in step.commands)


def test_the_page_has_every_step_of_every_cause_in_both_shells(diagnoses: Mapping[str, Diagnosis]) -> None:
    for name, page in pages(diagnoses, "en", shell="bash").items():
        whole = joined(page.parts)
        for step in (step for steps in page.steps.values() for step in steps):
            assert step.text.split(". ")[0][:60] in whole, name
        assert len(whole) >= len(page.markdown)


def test_the_checks_inside_the_vm_are_one_script_for_each_system_that_begins_with_vmassist(
    diagnoses: Mapping[str, Diagnosis],
) -> None:
    inside = {name: page.markdown for name, page in pages(diagnoses, "en").items() if "### Inside the VM" in page.markdown}
    for name, markdown in inside.items():
        scripts = re.findall(r"^```\w+\n# VMAssist\n", markdown, re.MULTILINE)
        assert len(scripts) == (1 if diagnoses[name].os else 2), name
    assert len(inside) > 10


@LANGUAGE
def test_the_text_for_a_support_request_names_job_activity_region_vm_and_times(
    diagnoses: Mapping[str, Diagnosis], language: str
) -> None:
    for name, page in pages(diagnoses, language).items():
        (text,) = re.findall(r"```text\n((?:(?!```).)*)```\n\n(?=\[|$)", page.markdown, re.DOTALL)
        failure = diagnoses[name].failure
        machine = diagnoses[name].readings["vm"].value
        named = [failure.vm.id if failure.vm else "", getattr(machine, "location", "")]
        if failure.job:
            named += [failure.job.id, failure.job.activity_id, time_text(failure.job.started_at), time_text(failure.job.ended_at)]
        assert [value for value in named if value and value not in text] == [], name


def test_a_fact_cannot_leave_its_cell(diagnoses: Mapping[str, Diagnosis]) -> None:
    from copy import replace

    from handlers.model import Evidence

    diagnosis = diagnoses["restore_point_group_locked"]
    hostile = Evidence("restore_point_group_locks", ["a | b\n| c | <script> `x` @all"], "s|t")
    finding = replace(diagnosis.findings[0], evidence=(hostile,))
    page = render(replace(diagnosis, findings=(finding,)), "en")
    html = MARKUPS["html"].render(page.markdown)
    assert html.count("<td>") == 5
    assert "<script>" not in html


@pytest.mark.parametrize("markup", sorted(MARKUPS))
@LANGUAGE
def test_a_card_or_a_short_text_begins_with_the_first_screen(
    diagnoses: Mapping[str, Diagnosis], markup: str, language: str
) -> None:
    """What Teams and Slack show, and any system that takes little."""
    page = render(diagnoses["agent_not_ready_windows"], language)
    whole = str(fitted(page.parts, MARKUPS[markup], 18_000))
    short = str(fitted(page.parts, MARKUPS[markup], 4_000))
    for text in ("vm-erp-01", "instanceView.vmAgent", {"en": "Risk", "pt-BR": "Risco"}[language], "Take Snapshot"):
        assert text in whole
        assert text in short


WORLDS = {
    "policy_hourly_enhanced": "soon", "policy_weekly": "can_wait", "policy_in_a_zone_with_summer_time": "can_wait", "never_backed_up": "now",
    "protection_stopped_on_demand": "soon", "newest_point_flagged": "now", "ninety_days_without_a_backup": "now", "retried_and_running": "soon",
}  # fmt: skip


@pytest.mark.parametrize("name", WORLDS)
def test_the_risk_of_a_world_is_what_its_scenario_says(diagnoses: Mapping[str, Diagnosis], name: str) -> None:
    (scenario,) = (scenario for scenario in load_scenarios() if scenario.name == name)
    assert diagnoses[name].recovery.act == WORLDS[name]
    screen = first_screen(render(diagnoses[name], "en").markdown)
    assert [text for text in scenario.expect.texts if text not in screen] == []


def test_a_storms_page_has_no_section_for_a_backup_so_its_steps_have_the_commands() -> None:
    from handlers.model.parts import ticket_text
    from tests.tickets.changes import storm

    text = ticket_text(storm(affected=3).parts)
    assert "Run a backup" not in text
    assert text.count("az backup protection backup-now") == 1
