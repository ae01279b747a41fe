"""The page behind a ticket: what it shows, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handlers.page_opened import answer
from handlers.web.access import PageAnswer, PageRequest
from tests.stories.test_backup_failed import alert, next_failure
from tests.stories.test_surroundings import MADE, recover
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
KEY, OTHER_KEY = "a-key-that-signs-links-32-long-or-more", "another-key-that-signs-links-also-long"
PUBLIC = {"public_url": "https://app.example.com", "link_key": (KEY,)}


def opened(bench: Bench, name: str = MADE) -> str:
    """The link in the first ticket."""
    bench.fire(alert(name))
    bench.work()
    return str(bench.target.events[0]["data"]["incident"]["url"])


def request_of(url: str, part: str = "", **more: Any) -> PageRequest:
    parts = urlsplit(url)
    return PageRequest(parts.path.rpartition("/")[2], part, more.get("headers", {}), dict(parse_qsl(parts.query)) | more.get("query", {}),
                       more.get("form", {}))  # fmt: skip


def get(bench: Bench, request: PageRequest) -> PageAnswer:
    return answer(request, bench.tools.settings, lambda: bench.tools)


def page(bench: Bench, url: str, **more: Any) -> str:
    shown = get(bench, request_of(url, **more))
    assert shown.status == 200
    return str(shown.body)


def test_the_ticket_leads_to_a_page_with_everything_that_is_stored(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    event = bench.target.events[0]["data"]
    assert event["runbook"]["markdown"].splitlines()[2] == f"[Open the runbook page]({url})"
    shown = page(bench, url)
    assert "<title>" + event["title"] in shown
    assert "<h2>What to do</h2>" in shown
    assert "az lock delete --subscription" in shown
    assert "Remove-AzResourceLock" in shown
    assert "<h2>Facts</h2>" in shown
    assert "The first diagnosis." in shown
    assert "T-" in shown, "the ticket"
    assert len(shown.encode()) < 120 * 1024


def test_both_shells_are_on_the_page_whatever_the_ticket_has(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, operator_shell="bash", **PUBLIC)
    shown = page(bench, opened(bench))
    assert shown.count('class="command bash choice"') == shown.count('class="command powershell choice"') > 2


def test_the_page_of_an_ended_incident_says_so_and_keeps_the_runbook(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, watched=True, **PUBLIC)
    url = opened(bench)
    recover(bench)
    shown = page(bench, url)
    assert 'class="badge resolved"' in shown
    assert "Time to recover" in shown
    assert "az lock delete" in shown
    assert shown.count("<details") == 2


def test_the_link_ends_30_days_after_the_incident(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, watched=True, **PUBLIC)
    url = opened(bench)
    recover(bench)
    bench.clock.ahead += timedelta(days=29)
    assert get(bench, request_of(url)).status == 200
    bench.clock.ahead += timedelta(days=2)
    assert get(bench, request_of(url)) == get(bench, request_of(url.replace("sig=", "sig=A")))


def test_the_page_of_an_item_that_failed_again_later_stays_as_it_was(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, watched=True, **PUBLIC)
    url = opened(bench)
    recover(bench)
    bench.fire(next_failure(bench, MADE, hours=48))
    bench.work()
    again = bench.target.events[-1]["data"]["incident"]
    assert again["url"].partition("?")[0] != url.partition("?")[0], "it has a page of its own"
    assert 'class="badge resolved"' in page(bench, url)
    assert 'class="badge open"' in page(bench, again["url"])
    assert 'form class="check"' not in page(bench, url)


def test_the_signature_covers_which_page_it_is(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, "vm_deleted", **PUBLIC)
    url = opened(bench)
    bench.fire(alert("vm_deleted"))
    bench.work()
    other = str(bench.target.events[-1]["data"]["incident"]["url"])
    assert other.partition("?")[0] != url.partition("?")[0]
    assert get(bench, request_of(f"{other.partition('?')[0]}?{url.partition('?')[2]}")).status == 404


def test_without_a_key_there_is_neither_link_nor_page(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, public_url="https://app.example.com")
    bench.fire(alert(MADE))
    bench.work()
    data = bench.target.events[0]["data"]
    assert data["incident"]["url"] is None
    assert "Open the runbook page" not in data["runbook"]["markdown"]
    assert get(bench, request_of(f"https://a/api/runbooks/{data['incident']['id']}?exp=9999999999&sig=x")).status == 404
    assert get(bench, PageRequest("page.css", "", {}, {})).status == 404


def test_a_link_outlives_a_change_of_keys_until_the_old_one_is_taken_away(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    for keys, status in (((OTHER_KEY, KEY), 200), ((OTHER_KEY,), 404)):
        settings = replace(bench.tools.settings, link_key=keys)
        assert answer(request_of(url), settings, lambda: bench.tools).status == status


def test_every_answer_keeps_the_page_out_of_caches_indexes_frames_and_referrers(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    url = opened(bench)
    for shown in (get(bench, request_of(url)), get(bench, request_of(url, part="other"))):
        headers = shown.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_nothing_of_the_page_comes_from_elsewhere_and_no_script_stands_in_it(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    shown = page(bench, opened(bench))
    assert re.findall(r'(?:src|<link[^>]*href)="([^"]*)"', shown) == ["page.css", "page.js"]
    assert not re.search(r"<script(?! src=)|\son\w+=|\sstyle=", shown)
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        asset = get(bench, PageRequest(name, "", {}, {}))
        assert (asset.status, asset.kind.partition(";")[0]) == (200, kind)


def test_the_page_speaks_the_language_of_its_ticket(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, runbook_language="pt-BR", **PUBLIC)
    shown = page(bench, opened(bench))
    assert '<html lang="pt-BR">' in shown
    assert "Última falha" in shown
    assert "[Abrir a página do runbook](https://app.example.com/" in bench.target.events[0]["data"]["runbook"]["markdown"]
