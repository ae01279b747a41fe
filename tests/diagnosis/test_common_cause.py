"""The exact test, and what it takes to name a common cause."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest

from handlers.diagnosis.common_cause import Table, compare
from handlers.model.comparison import Comparison, Things


def exact(a: int, b: int, c: int, d: int) -> Fraction:
    """The same with whole numbers."""
    failed, having, every = a + b, a + c, a + b + c + d
    ways = sum(comb(having, k) * comb(every - having, failed - k) for k in range(a, min(failed, having) + 1))
    return Fraction(ways, comb(every, failed))


@pytest.mark.parametrize(("a", "b", "c", "d", "p"), [
    (3, 1, 1, 3, 17 / 70),  # the lady tasting tea
    (4, 0, 0, 4, 1 / 70),
    (0, 5, 5, 0, 1.0),
    (3, 0, 0, 5, 1 / 56),
    (1, 9, 11, 3, 0.999967),  # https://en.wikipedia.org/wiki/Fisher%27s_exact_test, the other tail
])  # fmt: skip
def test_known_tables(a: int, b: int, c: int, d: int, p: float) -> None:
    assert Table(a, b, c, d).p == pytest.approx(p, rel=1e-4)


def test_logarithms_give_what_whole_numbers_give() -> None:
    dice = random.Random(7)
    for _ in range(500):
        a, b, c, d = (dice.randrange(60) for _ in range(4))
        assert Table(a, b, c, d).p == pytest.approx(float(exact(a, b, c, d)), rel=1e-6, abs=1e-300)


def test_thousands_are_no_trouble() -> None:
    assert 0 < Table(3000, 20, 15, 4800).p < 1e-300 or Table(3000, 20, 15, 4800).p == 0


def items(count: int, mark: str, **things: str) -> dict[str, Things]:
    """VMs that have these things; `-` is not known, empty is none."""
    values = {kind: None if value == "-" else frozenset(filter(None, [value])) for kind, value in things.items()}
    return {f"{mark}{number}": values for number in range(count)}


def test_what_all_failed_have_and_no_neighbour_has_is_the_common_cause() -> None:
    shared = compare(items(6, "f", lock="L"), items(10, "h", lock="")).shared
    assert shared
    assert (shared.kind, shared.value) == ("lock", "L")
    assert (shared.failed_with, shared.failed, shared.healthy_with, shared.healthy) == (6, 6, 0, 10)
    assert shared.p <= 0.01


NONE = [
    ("few_failed", items(2, "f", lock="L"), items(50, "h", lock="")),
    ("no_neighbours", items(50, "f", lock="L"), items(4, "h", lock="")),
    ("unread", items(50, "f", lock="-"), items(50, "h", lock="")),
    ("nothing_shared", items(3, "f", lock="L"), items(5, "h", lock="")),  # p is 1/56
    ("nothing_shared", items(50, "f", subnet="S"), items(50, "h", subnet="S")),
    ("nothing_shared", items(50, "f", subnet="S"), items(10, "h", subnet="S") | items(10, "i", subnet="T")),
    ("nothing_shared", items(6, "f", subnet="S") | items(6, "g", subnet="T"), items(20, "h", subnet="U")),
    ("nothing_shared", items(10, "f", lock="-", size="D2") | items(30, "g", lock="L", size="D2"), items(50, "h", lock="", size="D2")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "failed", "healthy"), NONE)
def test_without_proof_nothing_is_claimed(why: str, failed: dict[str, Things], healthy: dict[str, Things]) -> None:
    compared = compare(failed, healthy)
    assert compared == Comparison(len(failed), len(healthy), compared.unread, None, why)


def test_a_failed_item_that_has_recovered_is_no_healthy_neighbour() -> None:
    failed = items(6, "f", lock="L")
    assert compare(failed, failed | items(10, "h", lock="")).healthy == 10


def test_of_things_that_the_same_items_share_the_one_that_can_be_put_right_is_named_and_the_others_beside_it() -> None:
    things = {"subnet": "S", "network_security_group": "N", "network": "V"}
    shared = compare(items(8, "f", **things), items(12, "h", subnet="T", network_security_group="M", network="W")).shared
    assert shared
    assert (shared.kind, shared.also) == ("network_security_group", (("subnet", "S"), ("network", "V")))


def test_of_two_the_one_with_fewer_healthy_owners_is_named() -> None:
    healthy = items(20, "h", subnet="T", network="W") | items(2, "i", subnet="T", network="V")
    shared = compare(items(12, "f", subnet="S", network="V"), healthy).shared
    assert shared
    assert shared.kind == "subnet"


def test_the_more_is_looked_at_the_more_it_takes() -> None:
    few = compare(items(4, "f", lock="L"), items(10, "h", lock=""))
    assert few.shared
    many = dict.fromkeys(
        ("subnet", "policy", "image", "size", "zone", "network", "vault", "os_version", "extension", "route_table"), "same"
    )
    failed, healthy = items(4, "f", lock="L", **many), items(10, "h", lock="", **many)
    assert compare(failed, healthy).why_none == "nothing_shared"
