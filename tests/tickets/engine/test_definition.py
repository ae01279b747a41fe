"""The ticketing systems that come with the app, and what they ask of TICKET_OPTIONS."""

from __future__ import annotations

import subprocess
import sys
from copy import replace

import pytest

from handlers.tickets.engine.definition import DefinitionError, Option, bundled, load

SYSTEM = replace(
    load("webhook"),
    file="desk.toml",
    options={
        "project": Option("the project's key", required=True),
        "priorities": Option("by severity", default={"Sev0": "P1", "Sev1": "P2"}),
    },
)


@pytest.mark.parametrize("name", ["nobody", "", "../tickets/webhook", "webhook.toml", "/etc/passwd"])
def test_a_system_that_is_not_bundled_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(DefinitionError, match=r"TICKET_TARGET is .*; it must be one of: .*webhook") as caught:
        load(name)
    assert all(other in str(caught.value) for other in bundled())


# ---------------------------------------------------------------- options


def test_a_required_option_is_asked_for_with_what_it_is() -> None:
    for given_ in ({}, {"project": ""}, {"project": None}):
        with pytest.raises(DefinitionError, match=r"TICKET_OPTIONS lacks 'project' for desk.toml: the project's key"):
            SYSTEM.options_of(given_)


def test_an_unknown_option_is_told_with_those_that_are_known() -> None:
    with pytest.raises(
        DefinitionError, match=r"TICKET_OPTIONS holds 'projct', which desk.toml does not know; known: project, priorities"
    ):
        SYSTEM.options_of({"project": "A", "projct": "B"})


def test_a_table_that_is_given_replaces_single_entries_of_its_default() -> None:
    options = SYSTEM.options_of({"project": "A", "priorities": {"Sev0": "P0"}})
    assert options == {"project": "A", "priorities": {"Sev0": "P0", "Sev1": "P2"}}


def test_a_default_can_be_switched_off() -> None:
    assert SYSTEM.options_of({"project": "A", "priorities": False})["priorities"] is False


def test_the_start_of_the_app_needs_no_jinja_and_checks_no_file_that_comes_with_it() -> None:
    code = (
        "import sys\nfrom handlers.tickets.engine.definition import bundled, load\n[load(name) for name in bundled()]\n"
        "print({'jinja2', 'handlers.tickets.engine.own_file'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout == "set()\n"
