"""The desk in a real browser: a responder finds the runbook, and a hostile one does nothing."""

import re

import pytest

from sandbox.chromium import find_chromium, page_source
from tests.conftest import Sandbox, all_scenarios

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")


def ticket_url(sandbox: Sandbox, name: str) -> str:
    scenario = next(found for found in all_scenarios() if found.name == name)
    sandbox.event_with(scenario.subscription)
    ticket = next(t for t in sandbox.desk.tickets if scenario.subscription in str(t.events))
    return f"{sandbox.desk.url}/tickets/{ticket.id}"


def test_the_list_shows_the_tickets(sandbox: Sandbox) -> None:
    ticket_url(sandbox, "restore_point_group_locked")
    page = page_source(sandbox.desk.url)
    assert "Backup of vm-pay-01 failed" in page


def test_a_ticket_shows_its_runbook_with_copyable_commands(sandbox: Sandbox) -> None:
    page = page_source(ticket_url(sandbox, "restore_point_group_locked"))
    assert "<h2>What to do</h2>" in page
    assert "az lock delete --subscription" in page
    assert page.count('class="copy"') > 3, "the page's script has run"


def test_a_hostile_runbook_does_nothing_in_the_browser(sandbox: Sandbox) -> None:
    page = page_source(ticket_url(sandbox, "hostile_extension_message"))
    title = re.search(r"<title>(.*?)</title>", page)
    assert title
    assert "owned" not in title[1]
    assert "<script>document" not in page
    assert not re.search(r"<img[^>]*onerror", page)
