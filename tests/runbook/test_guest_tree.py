"""What only the guest can tell is asked for as a tree: one question after the other, each no leading to its causes."""

from __future__ import annotations

import re

import pytest

from handlers.model import Diagnosis, Finding, Verdict
from handlers.runbook.guest_tree import BRANCHES, branches_of
from handlers.runbook.render import render
from handlers.runbook.templates import words_of
from handlers.settings import LANGUAGES
from tests.runbook.test_first_screen import diagnoses as diagnoses

pytestmark = pytest.mark.server
QUESTION = re.compile(r"^(\d)\. \*\*(.+?\?)\*\* (?:Yes|Sim): (.+?)\. (?:No|Não): ", re.MULTILINE)


def finding(cause: str) -> Finding:
    return Finding(cause, Verdict.UNKNOWN)


def test_causes_stand_in_their_branches_and_what_is_in_none_in_the_last() -> None:
    branches = branches_of(
        map(finding, ("a_new_cause", "os_disk_full", "wireserver_blocked", "agent_stopped_linux", "dhcp_disabled"))
    )
    assert [(branch.number, branch.name, [own.cause for own in branch.findings]) for branch in branches] == [
        (1, "agent", ["agent_stopped_linux"]),
        (2, "network", ["wireserver_blocked", "dhcp_disabled"]),
        (3, "system", ["os_disk_full"]),
        (4, "snapshot", ["a_new_cause"]),
    ]


def test_no_cause_is_in_two_branches_and_each_branch_has_its_question() -> None:
    assert sum(map(len, BRANCHES.values())) == len(set().union(*BRANCHES.values()))
    assert all(set(words_of(language)["branches"]) == set(BRANCHES) for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_yes_leads_to_the_next_question_and_the_last_to_an_end(diagnoses: dict[str, Diagnosis], language: str) -> None:
    pages = {name: render(each, language).markdown for name, each in diagnoses.items()}
    trees = {name: QUESTION.findall(page) for name, page in pages.items() if "VMAssist" in page}
    for name, tree in trees.items():
        assert [number for number, _, _ in tree] == [str(n) for n in range(1, len(tree) + 1)], name
        for number, _, leads_to in tree[:-1]:
            assert leads_to.endswith(f" {int(number) + 1}"), name
        assert "support request" in tree[-1][2] or "solicitação de suporte" in tree[-1][2], name
    assert max(map(len, trees.values())) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_that_only_the_guest_can_tell_is_a_leaf_once(diagnoses: dict[str, Diagnosis], language: str) -> None:
    page = render(diagnoses["snapshot_task_status_linux"], language)
    (inside,) = re.findall(r"^### (?:Inside the VM|Dentro da VM)\n(.*?)^## ", page.markdown, re.MULTILINE | re.DOTALL)
    tree = inside.rpartition("```")[2]
    leaves = [cause for cause, title in page.titles.items() if title in tree]
    assert [cause for cause in leaves if tree.count(page.titles[cause]) > 1] == []
    assert len(leaves) >= 4
    assert "os_disk_full" in leaves
