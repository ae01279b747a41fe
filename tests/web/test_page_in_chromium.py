"""The page in a real browser, on a desktop and on a phone: what a responder does there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from handlers import checked_again, job_asked, page_opened
from handlers.azure.shared_reads import Shared
from handlers.settings import Settings
from handlers.web.access import PageRequest
from sandbox.azure import running_azure
from sandbox.chromium import Browser, find_chromium, running_browser
from sandbox.http import free_port, serving
from sandbox.scenario import load_scenarios
from sandbox.ticket_desk import running_desk
from tests.conftest import ROOT
from tests.memory_storage import MemoryStorage
from tests.stories.test_many_failed import THRESHOLD, alike, storms
from tests.stories.test_surroundings import MADE
from tests.stories.test_sweep import JOBS, add_job, world_of
from tests.web.test_page import KEY
from tests.workbench import Bench, Target, bench_on

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed"),
]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
PICTURES = Path(os.environ["PAGE_PICTURES"]) if "PAGE_PICTURES" in os.environ else None
"""Where pictures of the page are written: `PAGE_PICTURES=docs/images`."""


@contextmanager
def served_bench(language: str) -> Iterator[Bench]:
    """The stories on storage in memory, their pages over HTTP. One lone failure, and a storm of eight."""
    lone = [found for found in load_scenarios() if found.name == MADE]
    with ExitStack() as stack:
        azure = stack.enter_context(running_azure([*lone, *alike(8)]))
        port = free_port()
        settings = Settings(
            ticket_url="http://127.0.0.1:9", arm_endpoint=azure.url, logs_endpoint=azure.url, runbook_language=language,
            public_url=f"http://127.0.0.1:{port}", link_key=(KEY,), storm_threshold=THRESHOLD,
        )  # fmt: skip
        bench = bench_on(MemoryStorage(), settings, azure, Target())
        stack.enter_context(serving(lambda request: answered(request, bench), port))
        for scenario in (*lone, *alike(8)):
            bench.fire(scenario.alert_body(datetime.now(UTC)))
        bench.work()
        bench.run(seconds=50)
        yield bench


def answered(request: Request, bench: Bench) -> Response:
    """What the function app answers (tests/web/test_page_in_host.py), without a function host."""
    match = re.fullmatch(r"/api/runbooks/([^/]+)/?([^/]*)", request.path)
    if match is None:
        return Response("", 404)
    route = {"id": match[1], "part": match[2]}
    story = checked_again if request.method == "POST" else job_asked if match[2] == "job" else page_opened
    page = story.answer(
        PageRequest.of(route, dict(request.headers), request.args, request.get_data()), bench.tools.settings, lambda: bench.tools
    )
    return Response(page.body, page.status, page.headers)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with served_bench("en") as served:
        yield served


@pytest.fixture(scope="module")
def link(bench: Bench) -> str:
    return link_in(bench)


@pytest.fixture(scope="module")
def storm_link(bench: Bench) -> str:
    return str(storms(bench)[0]["data"]["storm"]["url"])


def link_in(bench: Bench) -> str:
    """In the ticket of the lone failure."""
    return str(next(event["data"]["incident"]["url"] for event in bench.target.events if "vm-pay-04" in event["data"]["title"]))


def keep_picture(browser: Browser, name: str) -> None:
    if PICTURES:
        (PICTURES / f"{name}.png").write_bytes(browser.picture())
        (PICTURES / f"{name}-whole.png").write_bytes(browser.picture(whole=True))


def is_too_wide(browser: Browser) -> bool:
    return bool(browser.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def barriers(browser: Browser) -> list[str]:
    """What axe-core finds serious or worse."""
    browser.run(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = browser.run(
        "axe.run().then(all => all.violations.map(v => ({id: v.id, impact: v.impact, at: v.nodes[0].html})))"
    )
    return [f"{each['id']}: {each['at']}" for each in found if each["impact"] in ("serious", "critical")]


@WIDTHS
def test_the_link_of_the_ticket_opens_the_page_and_nothing_of_it_is_refused(browser: Browser, link: str, width: int) -> None:
    browser.look(width)
    browser.open(link)
    assert "vm-pay-04" in browser.run("document.querySelector('h1').textContent")
    assert browser.run("document.querySelectorAll('button.copy').length") > 3, "the page's script has run"
    assert browser.run("getComputedStyle(document.querySelector('.badge')).borderTopStyle") == "solid", "its style is there"
    assert not is_too_wide(browser)
    assert browser.errors() == []
    keep_picture(browser, f"page-{width}")


def test_the_desks_ticket_leads_to_the_page(browser: Browser, bench: Bench, link: str) -> None:
    event = next(each for each in bench.target.events if each["data"]["incident"]["url"] == link)
    with running_desk() as desk:
        ticket = requests.post(desk.webhook_url, json=event, headers={"webhook-id": "1"}, timeout=30).json()
        browser.look(390)
        browser.open(ticket["url"])
        browser.press("a.page")
        assert browser.run("location.href") == link


def test_a_copied_command_is_exactly_the_line(browser: Browser, link: str) -> None:
    browser.look(1280)
    browser.open(link)
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.run("document.querySelector('figure.bash button.copy').click()")
    line = browser.run("new Promise(done => setTimeout(done, 50)).then(() => navigator.clipboard.readText())")
    assert line.startswith("az lock show --subscription ")
    assert line == browser.run("document.querySelector('figure.bash code').textContent").removesuffix("\n")
    assert browser.run("document.getElementById('said').textContent") == "Copied"


def test_the_shell_is_chosen_and_remembered(browser: Browser, link: str) -> None:
    browser.look(390)
    browser.open(link)

    def shown(shell: str) -> int:
        count: int = browser.run(f"[...document.querySelectorAll('figure.choice.{shell}')].filter(f => f.offsetHeight).length")
        return count

    both = shown("bash"), shown("powershell")
    assert both[0] == both[1] > 2
    browser.run("document.querySelector('input[value=powershell]').click()")
    assert (shown("bash"), shown("powershell")) == (0, both[1])
    browser.open(link)
    assert (shown("bash"), shown("powershell")) == (0, both[1])
    browser.run("document.querySelector('input[value=both]').click()")
    assert (shown("bash"), shown("powershell")) == both


def test_the_command_to_run_first_is_there_in_both_shells(browser: Browser, link: str) -> None:
    browser.look(390)
    browser.open(link)
    first = "document.querySelector('figure.command.choice')"
    assert "az lock show" in browser.run(f"{first}.textContent")
    assert "Get-AzResourceLock" in browser.run(f"{first}.nextElementSibling.textContent")
    try:
        browser.run("document.querySelector('input[value=powershell]').click()")
        assert not browser.run(f"{first}.offsetHeight")
        assert browser.run(f"{first}.nextElementSibling.offsetHeight")
    finally:
        browser.run("document.querySelector('input[value=both]').click()")


LATER = "window.later = []; window.setTimeout = (then) => window.later.push(then);"
"""In a page: what it does later waits until a test says that it is later."""


def test_a_backup_that_was_started_is_shown_in_its_place_until_it_has_ended(browser: Browser) -> None:
    with served_bench("en") as bench:
        link, world = link_in(bench), world_of(bench, MADE)
        script = browser.send("Page.addScriptToEvaluateOnNewDocument", source=LATER)["identifier"]
        try:
            browser.look(390)
            browser.open(link)

            def shown(do: str) -> str:
                """What the page says of the newest backup after its script has done something."""
                bench.tools.azure.shared = Shared()
                changed = (
                    "new Promise(done => new MutationObserver(done).observe(document.getElementById('job'), {childList: true}))"
                )
                browser.run(f"(() => {{ const changed = {changed}; {do}; return changed.then(() => true); }})()")
                return str(browser.run("document.getElementById('job').innerText"))

            assert "No backup has started" in shown("document.getElementById('show-job').click()")
            assert browser.run("location.href") == link
            tasks = [
                {"taskId": "Take Snapshot", "status": "Completed"},
                {"taskId": "Transfer data to vault", "status": "InProgress"},
            ]
            job_id = add_job(bench, "InProgress", 0.001, MADE, extendedInfo={"tasksList": tasks})
            assert "A backup has been running" in shown("document.getElementById('show-job').click()")
            browser.run("document.querySelector('.job').scrollIntoView({block: 'center'})")
            keep_picture(browser, "page-job-390")
            job = next(body for body in world.of_type(JOBS) if body["name"] == job_id)
            job["properties"] |= {"status": "Completed"}
            assert "A backup has completed." in shown("window.later.pop()()")
            assert browser.run("window.later.length") == 0, "there is nothing to wait for any more"
            assert browser.errors() == []
            assert not is_too_wide(browser)
        finally:
            browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_without_a_script_the_newest_backup_is_one_link_away(browser: Browser, link: str) -> None:
    browser.look(390)
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(link)
        browser.press("#show-job")
        assert "No backup has started" in browser.run("document.querySelector('main').textContent")
        assert not is_too_wide(browser)
        browser.press("main a:last-child")
        assert browser.run("location.href") == f"{link}#backup"
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_with_a_keyboard_alone_everything_is_reached_and_what_has_the_focus_is_seen(browser: Browser, link: str) -> None:
    browser.look(1280)
    browser.open(link)

    def key(name: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            browser.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                         text=text if kind == "keyDown" else "")  # fmt: skip

    focused = "document.activeElement.matches('{}')"
    key("Tab", 9)
    assert browser.run(focused.format("a.skip"))
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0, "it is seen once it has the focus"
    reached = set()
    for _ in range(60):
        key("Tab", 9)
        reached |= {kind for kind in ("input[name=shell]", "form.check button", "a.button", "button.copy", "summary", "pre")
                    if browser.run(focused.format(kind))}  # fmt: skip
        bare = "e => e !== document.body && getComputedStyle(e).outlineStyle === 'none' ? e.outerHTML.slice(0, 120) : ''"
        assert browser.run(f"({bare})(document.activeElement)") == ""
    assert reached >= {"input[name=shell]", "form.check button", "a.button", "button.copy", "pre"}
    browser.run("document.querySelector('input[value=both]').focus()")
    try:
        key("ArrowLeft", 37)
        assert browser.run("document.documentElement.dataset.shell") == "powershell"
    finally:
        browser.run("document.querySelector('input[value=both]').click()")


PAPER = 718
"""CSS pixels of an A4 page's width between margins of 1 cm."""


@pytest.mark.parametrize("dark", [False, True])
def test_on_paper_there_is_black_on_white_whole_commands_and_nothing_to_press(
    browser: Browser, link: str, storm_link: str, dark: bool
) -> None:
    for url, kind in ((link, "lone"), (storm_link, "storm")):
        browser.look(PAPER, dark=dark, media="print")
        browser.open(url)
        assert browser.run("getComputedStyle(document.documentElement).getPropertyValue('--ground')").strip() == "#fff"
        assert not is_too_wide(browser)
        pressed = "button, a.button, form, .shells, .skip"
        assert browser.run(f"[...document.querySelectorAll('{pressed}')].filter(e => e.getClientRects().length).length") == 0
        cut = "[...document.querySelectorAll('pre, .wide')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
        assert browser.run(cut) == 0, "a command that is cut off on paper is none"
        portal = "[...document.querySelectorAll('.runbook a')].find(a => a.href.startsWith('https:'))"
        assert "https:" in browser.run(f"getComputedStyle({portal}, '::after').content")
        if not dark:
            keep_picture(browser, f"page-print-{kind}")


@WIDTHS
def test_in_the_dark_the_ground_is_dark(browser: Browser, link: str, width: int) -> None:
    browser.look(width, dark=True)
    browser.open(link)
    red, green, blue = map(int, re.findall(r"\d+", browser.run("getComputedStyle(document.body).backgroundColor"))[:3])
    assert red + green + blue < 120
    keep_picture(browser, f"page-dark-{width}")


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci")
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_on_the_page_is_a_serious_barrier(browser: Browser, link: str, storm_link: str, dark: bool) -> None:
    for url, width in ((link, 1280), (storm_link, 390)):
        browser.look(width, dark=dark)
        browser.open(url)
        assert barriers(browser) == []


def test_without_a_script_everything_is_there_and_the_form_works(browser: Browser, storm_link: str) -> None:
    browser.look(390)
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(storm_link)
        assert browser.run("document.querySelectorAll('figure.command').length") > 2
        assert browser.run("document.querySelectorAll('button.copy').length") == 0
        assert not browser.run("document.querySelector('.shells').offsetHeight")
        browser.press("form.check button")
        assert "are read in the background" in browser.run("document.querySelector('.checked').textContent")
        keep_picture(browser, "page-storm-checked-390")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_a_storms_members_are_filtered_sorted_and_downloaded(browser: Browser, storm_link: str) -> None:
    browser.look(390)
    browser.open(storm_link)
    assert not is_too_wide(browser)
    keep_picture(browser, "page-storm-390")
    names = "[...document.querySelectorAll('table.members tbody th')].map(cell => cell.textContent)"
    every = [f"vm-{number:02}" for number in range(8)]
    assert sorted(browser.run(names)) == every
    browser.press("table.members thead a")
    assert browser.run(names) == every
    browser.press("table.members thead a")
    assert browser.run(names) == every[::-1]
    browser.run("document.querySelector('input[type=search]').value = 'VM-03'")
    browser.press("form.filter button")
    assert browser.run(names) == ["vm-03"]
    assert browser.run(
        "document.querySelector('table.members').closest('section').querySelector('[role=status]').textContent"
    ) == ("1 to 1 of 1 (8 in total)")
    file = requests.get(browser.run("document.querySelector('a[href*=\"members.csv\"]').href"), timeout=30)
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert [line.partition(",")[0] for line in sorted(file.text.splitlines())] == ["vm", *every]


def test_checking_again_shows_the_verdict_that_has_changed(browser: Browser) -> None:
    with served_bench("en") as bench:  # one of its own: the page is another afterwards
        link, world = link_in(bench), world_of(bench, MADE)
        browser.look(390)
        browser.open(link)
        for resource_id in [found for found in world.resources if "/locks/" in found.lower()]:
            del world.resources[resource_id]
        browser.press("form.check button")
        assert "Confirmed → Ruled out" in browser.run("document.querySelector('.checked').textContent")
        assert browser.errors() == []
        assert not is_too_wide(browser)
        keep_picture(browser, "page-checked-390")
        browser.press("form.check button")
        assert "less than a minute ago" in browser.run("document.body.textContent")
        browser.press("main a")
        assert browser.run("location.href") == link


def test_in_portuguese(browser: Browser) -> None:
    with served_bench("pt-BR") as bench:
        url = link_in(bench)
        for width in (1280, 390):
            browser.look(width)
            browser.open(url)
            assert browser.run("document.documentElement.lang") == "pt-BR"
            assert "Verificar novamente" in browser.run("document.querySelector('form.check').textContent")
            assert not is_too_wide(browser)
            keep_picture(browser, f"page-pt-{width}")
