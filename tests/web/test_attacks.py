"""Attacks on the page: everybody who may not see it gets the same plain 404, and nothing hostile does anything on it."""

from __future__ import annotations

import base64
import json
import logging
import re
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from handlers import checked_again, page_opened
from handlers.settings import Settings, SettingsError
from handlers.web.access import NOT_FOUND, PageRequest, Refusals
from handlers.web.html import runbook_html
from handlers.web.links import PAGE, is_good, signature
from tests.stories.test_surroundings import MADE
from tests.web.test_page import KEY, OTHER_KEY, PUBLIC, BenchOf, get, opened, page, request_of

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ID, OTHER_ID = "0123456789abcdef" * 2, "fedcba9876543210" * 2
LATER = "4102444800"  # 2100-01-01
SIGNED = signature(KEY, PAGE, ID, LATER)
SETTINGS = Settings("https://t.example.com", link_key=(KEY,))


def never() -> Any:
    raise AssertionError("nothing is made, let alone read, for who may not see the page")


def test_a_good_link_is_good() -> None:
    assert is_good(ID, LATER, SIGNED, (OTHER_KEY, KEY), NOW)


@pytest.mark.parametrize(
    ("row_id", "expires", "signed"),
    [
        (ID, LATER, ""),
        (ID, LATER, SIGNED[:-1] + ("A" if SIGNED[-1] != "A" else "B")),
        (ID, LATER, SIGNED + "="),
        (ID, LATER, SIGNED.swapcase()),
        (ID, LATER, SIGNED + "\ud800"),
        (ID, LATER, "ü" * 43),
        (ID, LATER, signature(OTHER_KEY, PAGE, ID, LATER)),
        (ID, LATER, signature(KEY, "check", ID, LATER)),
        (OTHER_ID, LATER, SIGNED),
        (ID, str(int(LATER) + 1), SIGNED),
        (ID, "", SIGNED),
        (ID.upper(), LATER, signature(KEY, PAGE, ID.upper(), LATER)),
        (quote(ID[:-1]) + "%66", LATER, SIGNED),
        (f"../{ID}", LATER, signature(KEY, PAGE, f"../{ID}", LATER)),
        ("..%2f..%2falerts", LATER, signature(KEY, PAGE, "..%2f..%2falerts", LATER)),
        (ID, "+" + LATER[1:], signature(KEY, PAGE, ID, "+" + LATER[1:])),
        (ID, "９" * 10, signature(KEY, PAGE, ID, "９" * 10)),
        (ID, str(int(NOW.timestamp()) - 1), signature(KEY, PAGE, ID, str(int(NOW.timestamp()) - 1))),
    ],
)
def test_any_other_link_is_not(row_id: str, expires: str, signed: str) -> None:
    assert not is_good(row_id, expires, signed, (KEY,), NOW)


@pytest.mark.parametrize("query", [{}, {"exp": LATER}, {"sig": SIGNED}, {"exp": LATER, "sig": "x"}])
@pytest.mark.parametrize("part", ["", "members.csv", "check", "../alerts"])
def test_who_may_not_see_it_gets_the_same_plain_404_and_nothing_is_read(query: dict[str, str], part: str) -> None:
    request = PageRequest(ID, part, {}, query, {"token": "x"})
    assert page_opened.answer(request, SETTINGS, never) == NOT_FOUND
    assert checked_again.answer(request, SETTINGS, never) == NOT_FOUND


@pytest.mark.parametrize("name", ["../words.toml", "page.css/../../en/words.toml", "runbook.html", "PAGE.CSS", "page.css%00"])
def test_no_other_file_is_served(name: str) -> None:
    assert page_opened.answer(PageRequest(name, "", {}, {}), SETTINGS, never) == NOT_FOUND


def test_a_link_to_what_is_not_there_looks_like_a_wrong_one(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    expires = str(int((bench.clock() + timedelta(days=1)).timestamp()))
    good = PageRequest(OTHER_ID, "", {}, {"exp": expires, "sig": signature(KEY, PAGE, OTHER_ID, expires)})
    assert get(bench, good) == NOT_FOUND


def test_of_ten_thousand_wrong_links_nothing_is_read_and_the_log_has_a_count(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for number in range(10_000):
            request = PageRequest(f"{number:032x}", "", {}, {"exp": LATER, "sig": f"{number:043}"})
            assert page_opened.answer(request, SETTINGS, never) is NOT_FOUND
    assert all(re.fullmatch(r"pages not shown, because the link is wrong or over: \d+", said) for said in caplog.messages)


def test_refusals_are_counted_for_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    at = [0.0]
    refusals = Refusals(lambda: at[0])
    with caplog.at_level(logging.INFO, logger="handlers"):
        for _ in range(9_999):
            refusals.count()
        assert caplog.messages == []
        at[0] = 60.0
        refusals.count()
    assert caplog.messages == ["pages not shown, because the link is wrong or over: 10000"]


HOSTILE = '<img src=x onerror=alert(1)><script>alert(1)</script></figure><figure class="command bash" onclick=alert(1)>'


def test_hostile_text_in_a_runbook_stays_text() -> None:
    for markdown in (
        HOSTILE,
        f"`{HOSTILE}`",
        f"```bash\n{HOSTILE}\n```",
        f"| a |\n|---|\n| {HOSTILE} |",
        f"[x](javascript:alert(1)) {HOSTILE}",
    ):
        shown = runbook_html(markdown, "en")
        assert not re.search(r"<(script|img)|<[^>]+\son\w+=|href=\"javascript:", shown)


def test_hostile_text_that_is_stored_does_nothing_on_the_page(bench_of: BenchOf) -> None:
    bench = bench_of("hostile_extension_message", **PUBLIC)
    shown = page(bench, opened(bench, "hostile_extension_message"))
    assert not re.search(r"<img|<script(?! src=\"page\.js\")|<[^>]+\son\w+=", shown)
    assert "onerror" in shown, "as text"


def test_a_filter_is_echoed_as_text_only(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, **PUBLIC)
    assert "<script>alert" not in page(
        bench, opened(bench), query={"filter": '"><script>alert(1)</script>', "sort": "x", "page": "-1"}
    )


def principal(*roles: str, oid: str = "me") -> dict[str, str]:
    """As App Service authentication puts it into a request."""
    claims = [{"typ": "roles", "val": role} for role in roles] + [{"typ": "oid", "val": oid}]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode()}


def test_with_entra_the_role_opens_the_page_and_nothing_else_does(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, page_auth="entra", **PUBLIC)
    url = opened(bench)
    assert "?" not in url
    assert get(bench, request_of(url, headers=principal("Runbooks.Read"))).status == 200
    signed = f"{url}?exp={LATER}&sig={signature(KEY, PAGE, url.rpartition('/')[2], LATER)}"
    for headers in ({}, principal(), principal("ActionGroupsSecureWebhook"), {"X-MS-CLIENT-PRINCIPAL": "nonsense"}):
        assert get(bench, request_of(signed, headers=headers)) == NOT_FOUND


def test_with_entra_a_form_is_bound_to_who_looks_at_it(bench_of: BenchOf) -> None:
    bench = bench_of(MADE, page_auth="entra", **PUBLIC)
    url, mine = opened(bench), principal("Runbooks.Read")
    (token,) = re.findall(r'name="token" value="([^"]+)"', page(bench, url, headers=mine))
    for headers, status in ((principal("Runbooks.Read", oid="another"), 403), (mine, 200)):
        request = request_of(url, "check", headers=headers, form={"token": token})
        assert checked_again.answer(request, bench.tools.settings, lambda: bench.tools).status == status


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LINK_KEY", "short", "LINK_KEY must be 32 characters or longer"),
        ("LINK_KEY", f"{KEY.replace(',', '')},short", "LINK_KEY must be 32 characters or longer"),
        ("LINK_KEY", ",,", "LINK_KEY must be one key, or two"),
        (
            "LINK_KEY",
            "@Microsoft.KeyVault(SecretUri=https://v/secrets/link-key)",
            "LINK_KEY is a Key Vault reference that was not resolved",
        ),
        ("PAGE_AUTH", "anybody", "PAGE_AUTH is 'anybody'; it must be one of: entra, link."),
        ("PAGE_AUTH", "entra", "PAGE_AUTH is entra, but App Service authentication is off"),
    ],
)
def test_a_malformed_setting_stops_the_app_and_never_shows_a_key(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as error:
        Settings.from_environment({"TICKET_URL": "https://t.example.com", name: value})
    assert name == "PAGE_AUTH" or value not in str(error.value)
    assert KEY not in repr(replace(SETTINGS))
