"""How a storm's ticket lives: when it is updated, who gets a ticket of their own in the end, where its names are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import sweep
from handlers.model import Incident
from handlers.model.comparison import Comparison, SharedThing
from handlers.model.incident import KnownFailure
from handlers.model.storm import LEFT_AFTER, MOST_SHOWN, Members, Storm, Told, left_over, members_of, opened, read
from handlers.tickets.members_csv import COLUMNS, members_csv
from tests.stories.planted import vms
from tests.stories.test_many_failed import OWN, THRESHOLD, alike, fire, recover, storms
from tests.stories.test_storm_causes import page
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-app/providers"
SHARED = SharedThing("lock", f"{GROUP}/Microsoft.Authorization/locks/keep", 20, 20, 0, 30, 1e-9)


def incident(number: int, status: str = "open", **fields: Any) -> Incident:
    known = (KnownFailure(f"job-{number}", NOW - timedelta(hours=1), NOW - timedelta(minutes=30)),)
    about: dict[str, Any] = {
        "key": f"{number:032x}", "id": f"{number:032x}", "failures": 1, "first_failed_at": NOW, "known": known, "code": "X", "region": "westeurope",
        "item_name": f"vm-{number:05}", "vm_id": f"{GROUP}/Microsoft.Compute/virtualMachines/vm-{number:05}",
        "vault_id": f"{GROUP}/Microsoft.RecoveryServices/vaults/rsv-a",
    }  # fmt: skip
    return Incident(status=status, **about | fields)


def crowd(affected: int, recovered: int = 0, **fields: Any) -> Members:
    done: dict[str, Any] = {"status": "resolved", "recovered_at": NOW, "resolved_at": NOW}
    return members_of([incident(number, **fields, **(done if number < recovered else {})) for number in range(affected)])


def told(affected: int, recovered: int = 0, comparison: Comparison | None = None) -> Storm:
    """A storm whose ticket says that."""
    storm = opened(None, "westeurope", "X", NOW)
    assert storm is not None
    shown = read(storm, storm.id, crowd(affected, recovered), comparison, NOW)
    assert shown is not None
    assert isinstance(shown.told, Told)
    return replace(shown, fingerprint=crowd(affected).fingerprint)


def is_updated(storm: Storm, members: Members, comparison: Comparison | None = None) -> bool:
    return read(storm, storm.id, members, comparison, NOW) is not None


@pytest.mark.parametrize(("before", "now", "updated"), [
    ((100, 0), (100, 0), False),
    ((100, 0), (124, 0), False),
    ((100, 0), (125, 0), True),
    ((100, 0), (100, 49), False),
    ((100, 0), (100, 50), True),
    ((100, 50), (100, 99), False),
    ((100, 50), (100, 100), True),
])  # fmt: skip
def test_it_is_updated_when_it_has_grown_by_a_quarter_and_when_half_and_all_have_recovered(
    before: tuple[int, int], now: tuple[int, int], updated: bool
) -> None:
    assert is_updated(told(*before), crowd(*now)) is updated


def test_it_is_updated_when_the_common_cause_is_another() -> None:
    storm, found = told(20), Comparison(20, 30, 0, SHARED)
    assert is_updated(storm, crowd(20), found)
    assert not is_updated(told(20, 0, found), crowd(20), replace(found, healthy=40))


def test_when_nobody_has_joined_for_a_while_the_last_few_names_are_told_too() -> None:
    storm, members = told(100), crowd(110)
    assert not is_updated(storm, members), "more may follow"
    assert is_updated(replace(storm, fingerprint=members.fingerprint), members)


def test_when_every_fourth_has_failed_again_it_is_updated() -> None:
    again = members_of([incident(number, failures=2 if number < 25 else 1) for number in range(100)])
    assert is_updated(told(100), again)


def test_the_last_tenth_are_left_over_once_the_others_have_recovered_without_them_for_hours() -> None:
    assert len(left_over(crowd(20, 18), NOW + LEFT_AFTER)) == 2
    assert left_over(crowd(20, 18), NOW + timedelta(hours=1)) == ()
    assert left_over(crowd(20, 17), NOW + LEFT_AFTER) == ()
    assert left_over(crowd(20, 20), NOW + LEFT_AFTER) == ()


def test_one_that_has_failed_again_since_is_left_over_at_once() -> None:
    later = KnownFailure("job-again", NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    members = [incident(number, status="resolved", recovered_at=NOW) for number in range(15)]
    assert len(left_over(members_of([*members, incident(99, failures=2, known=(later,))]), NOW + timedelta(hours=2))) == 1


def test_who_is_left_when_the_others_have_recovered_gets_a_ticket_and_the_storm_ends(bench_of: BenchOf) -> None:
    failing = alike(12)
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    bench.run(seconds=400)
    recover(bench, failing[:11])
    sweep.sweep(bench.tools)
    bench.work()
    bench.run(seconds=60)
    assert bench.target.types[-1] != "storm.resolved"
    bench.run(seconds=(LEFT_AFTER + timedelta(hours=2)).total_seconds())
    assert storms(bench)[-1]["type"] == "storm.resolved"
    assert "1 still failed after the others had recovered" in page(bench)
    alone = bench.target.events[-1]
    assert alone["type"] == "incident.opened"
    assert alone["data"]["vm"]["name"] == "vm-11"
    assert {finding["cause"]: finding["verdict"] for finding in alone["data"]["findings"]}[
        "restore_point_group_locked"
    ] == "confirmed"


def test_recoveries_that_come_bit_by_bit_are_two_updates(bench_of: BenchOf) -> None:
    failing = alike(12)
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    bench.run(seconds=900)
    before = len(storms(bench))
    for first in (0, 4, 8):
        recover(bench, failing[first : first + 4])
        sweep.sweep(bench.tools)
        bench.work()
        bench.run(seconds=60)
    assert [event["type"] for event in storms(bench)[before:]] == ["storm.updated", "storm.resolved"]


# ------------------------------------------------------------------------------------------------ every name


def test_the_event_names_all_members_the_page_the_first_and_says_where_the_others_are(bench_of: BenchOf) -> None:
    bench = bench_of("restore_point_group_locked")
    many = crowd(MOST_SHOWN + 100)
    assert len(many.shown) == MOST_SHOWN
    assert len(many.rows) == MOST_SHOWN + 100
    from handlers.records.write_up import write_storm_up

    storm = told(MOST_SHOWN + 100)
    write_storm_up(storm, many, bench.tools)
    document = bench.tools.documents.read(storm.id, storm.delivery.version)
    assert document
    assert len(document.data["storm"]["members"]) == MOST_SHOWN + 100
    text = "".join(part.text for part in document.parts)
    assert f"and 100 more; all names are in `incidents/{storm.id}/members.csv`" in text
    stored = bench.storage.blobs("incidents").download_blob(f"{storm.id}/members.csv").readall().decode()
    assert len(list(csv.DictReader(io.StringIO(stored)))) == MOST_SHOWN + 100


def test_the_file_has_a_line_for_each_member() -> None:
    good = incident(1, last_good_at=NOW - timedelta(days=1))
    (line,) = csv.DictReader(io.StringIO(members_csv(members_of([good]).rows)))
    assert tuple(line) == COLUMNS
    assert (line["vm"], line["resource_group"], line["vault"], line["code"]) == ("vm-00001", "rg-app", "rsv-a", "X")
    assert (line["last_good_backup"], line["status"]) == ("2026-11-25 03:00 UTC", "open")


def test_a_name_that_a_spreadsheet_would_compute_stays_a_name() -> None:
    (line,) = csv.DictReader(io.StringIO(members_csv(members_of([incident(1, item_name='=HYPERLINK("https://x")')]).rows)))
    assert line["vm"].startswith("'=")


def test_one_page_of_every_size_names_everybody_once(bench_of: BenchOf) -> None:
    failing = vms(12, "restore_point_group_locked", "app", vm={"group_tags": {"Owner": "payments@contoso.example"}})
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    bench.run(seconds=400)
    members = storms(bench)[-1]["data"]["storm"]["members"]
    assert sorted(member["name"] for member in members) == [f"vm-app-{number:02}" for number in range(12)]
    assert len([member for member in members if member["ticket_url"]]) == OWN
    inside = [member for member in members if not member["ticket_url"]]
    assert all(member["last_good_at"] for member in inside)
    assert {member["owner"] for member in inside} == {"payments@contoso.example"}


def test_one_that_was_left_over_and_recovers_before_its_own_ticket_is_there_is_told_as_it_is(bench_of: BenchOf) -> None:
    failing = alike(12)
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    bench.run(seconds=900)
    for number in range(12):
        recover(bench, failing[number : number + 1])
        sweep.sweep(bench.tools)
        bench.work()
        bench.run(seconds=30)
    bench.run(seconds=300)
    assert storms(bench)[-1]["type"] == "storm.resolved"
    assert bench.open_incidents == []
