"""A storm's members as the page lists them."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.runbook.templates import words_of
from handlers.web.members import A_PAGE, Wanted, listed


def member(number: int, **more: Any) -> dict[str, Any]:
    return {
        "name": f"vm-{number:05}",
        "status": "open",
        "code": "X",
        "cause": None,
        "last_good_at": None,
        "owner": None,
        "ticket_url": None,
    } | more


MEMBERS = [member(number) for number in range(250)] + [member(250, status="resolved", cause="os_disk_full", owner="Ops")]


def shown(**query: str) -> dict[str, Any]:
    return listed(MEMBERS, Wanted.of(query), words_of("en"))


def names(rows: dict[str, Any]) -> list[str]:
    return [row["name"] for row in rows["rows"]]


def test_a_hundred_are_shown_at_a_time() -> None:
    first, last = shown(), shown(page="3")
    assert (len(names(first)), first["before"], first["after"]) == (A_PAGE, "", "filter=&sort=&page=2")
    assert (first["first"], first["last"], first["fitting"]) == (1, 100, 251)
    assert (len(names(last)), last["after"]) == (51, "")


@pytest.mark.parametrize("text", ["vm-00250", "OPS", "resolved", "DISK"])
def test_a_filter_looks_at_every_column(text: str) -> None:
    assert names(shown(filter=text)) == ["vm-00250"]


def test_a_column_is_sorted_one_way_and_then_the_other() -> None:
    up, down = shown(sort="owner"), shown(sort="-owner")
    assert names(down)[0] == "vm-00250"
    assert names(up)[0] == "vm-00000"
    orders = {name: order for name, _, order in up["columns"]}
    assert (orders["owner"]["now"], orders["name"]["now"]) == ("ascending", "none")
    assert "sort=-owner" in orders["owner"]["query"]


@pytest.mark.parametrize(
    "query", [{"sort": "etag"}, {"sort": "--name"}, {"page": "0"}, {"page": "-1"}, {"page": "９"}, {"page": "9" * 50}]
)
def test_what_cannot_be_wanted_is_the_first_page_as_it_is(query: dict[str, str]) -> None:
    assert names(shown(**query)) == names(shown())


def test_beyond_the_last_page_there_is_nothing() -> None:
    assert names(shown(page="99")) == []
