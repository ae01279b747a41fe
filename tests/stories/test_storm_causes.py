"""Planted worlds: what a storm's members share, and what they only seem to, on the ticket in both languages."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.diagnosis.compared import comparison_of
from handlers.facts.bulk.graph_rows import LAG
from tests.event_schema import EVENT_SCHEMA
from tests.stories.planted import Neighbour, vms
from tests.stories.test_many_failed import OWN, THRESHOLD, fire, storms
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
LANGUAGES = pytest.mark.parametrize("language", ["en", "pt-BR"])
LOCKED, NO_NETWORK, INTERNAL = "restore_point_group_locked", "no_network_unmanaged_windows", "internal_error_windows"
LOCKED_GROUP: dict[str, Any] = {"restore_points": {"count": 18, "resource_group": "AzureBackupRG_pay_1"}}
LOCK: dict[str, Any] = {"locks": [{"name": "do-not-delete", "scope": "restore_point_group"}]}


def bench_with(bench_of: BenchOf, failing: tuple[Neighbour, ...], healthy: tuple[Neighbour, ...], language: str) -> Bench:
    bench = bench_of(scenarios=(*failing, *healthy), storm_threshold=THRESHOLD, watched=True, runbook_language=language)
    fire(bench, failing)
    bench.run(seconds=400)
    for event in storms(bench):
        EVENT_SCHEMA.validate(event)
    return bench


def page(bench: Bench, number: int = -1) -> str:
    text: str = storms(bench)[number]["data"]["runbook"]["markdown"]
    return text


def shared(bench: Bench) -> Any:
    return storms(bench)[-1]["data"]["storm"]["shared"]


def assert_says(bench: Bench, language: str, **texts: str) -> None:
    wanted = texts[language.replace("-", "_")]
    assert wanted in page(bench), page(bench)


@LANGUAGES
def test_one_security_group_behind_one_subnets_vms_while_its_neighbours_succeed(bench_of: BenchOf, language: str) -> None:
    failing = vms(12, NO_NETWORK, "closed")
    healthy = vms(20, NO_NETWORK, "open", healthy=True, network={}, activity=[])
    bench = bench_with(bench_of, failing, healthy, language)
    assert shared(bench)["kind"] == "network_security_group"
    assert shared(bench)["value"].endswith("/rg-closed/providers/microsoft.network/networksecuritygroups/nsg-shop")
    assert (shared(bench)["failed_with"], shared(bench)["failed"], shared(bench)["healthy_with"], shared(bench)["healthy"]) == (
        12,
        12,
        0,
        20,
    )
    assert shared(bench)["changed_at"]
    assert_says(
        bench, language,
        en="**Likely common cause: the network security group [`nsg-shop`](https://portal.azure.com/",
        pt_BR="**Causa comum provável: o grupo de segurança de rede [`nsg-shop`](https://portal.azure.com/",
    )  # fmt: skip
    assert_says(
        bench, language,
        en="It is on 12 of 12 VMs that failed, and on 0 of 20 neighbours whose backups succeed.",
        pt_BR="Está presente em 12 de 12 VMs que falharam e em 0 de 20 VMs vizinhas cujos backups são concluídos.",
    )  # fmt: skip
    assert_says(bench, language, en="One change fixes all of them", pt_BR="Uma única alteração corrige todas")
    assert "az network nsg rule create" in page(bench)
    assert page(bench).count("\n### ") == 1, "one fix, not the steps of one VM for everybody"


@LANGUAGES
def test_one_lock_behind_two_codes_is_one_storm(bench_of: BenchOf, language: str) -> None:
    data: dict[str, Any] = {**LOCKED_GROUP, **LOCK}
    failing = vms(12, LOCKED, "pay", **data)
    others = vms(12, INTERNAL, "crm", **data)
    healthy = vms(20, LOCKED, "well", healthy=True, locks=[])
    bench = bench_with(bench_of, failing + others, healthy, language)
    assert {event["type"] for event in storms(bench)} == {"storm.opened", "storm.updated"}
    assert len({event["data"]["incident"]["id"] for event in storms(bench)}) == 1
    assert storms(bench)[-1]["data"]["storm"]["affected"] == 24
    assert (shared(bench)["kind"], shared(bench)["failed_with"], shared(bench)["healthy_with"]) == ("lock", 24, 0)
    assert_says(
        bench, language,
        en="**Likely common cause: the lock [`do-not-delete`](https://portal.azure.com/",
        pt_BR="**Causa comum provável: o bloqueio [`do-not-delete`](https://portal.azure.com/",
    )  # fmt: skip
    codes = "`BackUpOperationFailed` (12), `UserErrorRpCollectionLimitReached` (12)"
    assert_says(
        bench, language, en=f"**Error codes of the same cause:** {codes}", pt_BR=f"**Códigos de erro da mesma causa:** {codes}"
    )
    assert "az lock delete" in page(bench)
    assert bench.target.types.count("incident.opened") == 2 * OWN


@LANGUAGES
def test_where_nothing_is_shared_nothing_is_claimed(bench_of: BenchOf, language: str) -> None:
    failing = tuple(vms(1, INTERNAL, f"app{number}")[0] for number in range(10))
    healthy = tuple(vms(1, INTERNAL, f"well{number}", healthy=True)[0] for number in range(10))
    bench = bench_with(bench_of, failing, healthy, language)
    assert shared(bench) is None
    assert_says(
        bench, language,
        en="The comparison has proven no common cause: no lock, network, policy, image or extension belongs only to the VMs that failed. "
        "(10 failed, 10 neighbours in the region succeeded)",
        pt_BR="A comparação não comprovou nenhuma causa comum: não há bloqueio, rede, política, imagem ou extensão que seja somente das VMs com falha. "
        "(10 falharam, 10 vizinhas na região foram concluídas)",
    )  # fmt: skip


@LANGUAGES
def test_what_healthy_neighbours_have_too_is_not_claimed(bench_of: BenchOf, language: str) -> None:
    failing, healthy = (
        vms(12, LOCKED, "pay", **LOCKED_GROUP, **LOCK),
        vms(12, LOCKED, "pay", healthy=True, **LOCKED_GROUP, **LOCK),
    )
    healthy = tuple(
        replace(one, name=f"well_{number}", data=dict(one.data) | {"vm": dict(one.data["vm"]) | {"name": f"vm-well-{number:02}"}})
        for number, one in enumerate(healthy)
    )
    bench = bench_with(bench_of, failing, healthy, language)
    assert shared(bench) is None
    assert "Likely common cause" not in page(bench)
    assert "Causa comum provável" not in page(bench)
    assert_says(
        bench, language, en="The comparison has proven no common cause", pt_BR="A comparação não comprovou nenhuma causa comum"
    )


@LANGUAGES
def test_forty_of_which_three_are_unreadable_still_share_what_the_others_show(bench_of: BenchOf, language: str) -> None:
    failing = vms(37, NO_NETWORK, "closed") + vms(3, NO_NETWORK, "hidden")
    bench = bench_of(
        scenarios=(*failing, *vms(20, NO_NETWORK, "open", healthy=True, network={}, activity=[])),
        storm_threshold=THRESHOLD, watched=True, runbook_language=language,
    )  # fmt: skip
    bench.azure.add_fault(match="GET */virtualMachines/vm-hidden-*", status=403)
    fire(bench, failing)
    bench.run(seconds=400)
    assert (shared(bench)["failed_with"], shared(bench)["failed"]) == (37, 37)
    assert_says(bench, language, en="3 of the 40 could not be read", pt_BR="não foi possível ler 3 das 40")
    assert_says(bench, language, en="It is on 37 of 37 VMs that failed", pt_BR="Está presente em 37 de 37 VMs que falharam")


def test_when_azure_refuses_the_comparison_nothing_is_claimed(bench_of: BenchOf) -> None:
    failing, healthy = vms(8, NO_NETWORK, "closed"), vms(20, NO_NETWORK, "open", healthy=True, network={}, activity=[])
    bench = bench_of(scenarios=(*failing, *healthy), storm_threshold=THRESHOLD, watched=True)
    bench.azure.add_fault(match="POST */Microsoft.ResourceGraph/resources*", status=403)
    fire(bench, failing)
    bench.run(seconds=400)
    assert shared(bench) is None
    assert_says(bench, "en", en="Azure did not return enough data about the VMs to compare them.")


def test_what_the_app_may_not_list_is_left_out_of_the_comparison_and_nothing_else(bench_of: BenchOf) -> None:
    failing, healthy = vms(8, NO_NETWORK, "closed"), vms(20, NO_NETWORK, "open", healthy=True, network={}, activity=[])
    bench = bench_of(scenarios=(*failing, *healthy), storm_threshold=THRESHOLD, watched=True)
    bench.azure.add_fault(match="GET */locks*", status=403)
    bench.azure.add_fault(match="GET */backupProtectedItems*", status=403)
    fire(bench, failing)
    bench.run(seconds=400)
    assert shared(bench)["kind"] == "network_security_group"


def test_rows_that_may_be_older_than_the_first_failed_job_prove_nothing(bench_of: BenchOf) -> None:
    failing, healthy = vms(8, NO_NETWORK, "closed"), vms(20, NO_NETWORK, "open", healthy=True, network={}, activity=[])
    bench = bench_of(scenarios=(*failing, *healthy), storm_threshold=THRESHOLD, watched=True)
    world, azure = bench.azure.azure.worlds[failing[0].subscription], bench.tools.azure
    vault = [world.vault_id]
    machine = (
        world.vm_id.lower().rpartition("/resourcegroups/")[0]
        + "/resourcegroups/rg-closed/providers/microsoft.compute/virtualmachines"
    )
    closed = [f"{machine}/vm-closed-{number:02}" for number in range(8)]
    long_ago, just_now = datetime.now(UTC) - timedelta(minutes=50), datetime.now(UTC) - LAG / 2
    assert comparison_of("westeurope", closed, vault, long_ago, azure).shared
    assert comparison_of("westeurope", closed, vault, just_now, azure).why_none == "unread"


@LANGUAGES
def test_a_storm_that_has_a_ticket_already_ends_when_an_older_one_turns_out_to_have_its_cause(
    bench_of: BenchOf, language: str
) -> None:
    data: dict[str, Any] = {**LOCKED_GROUP, **LOCK}
    failing, others = vms(9, LOCKED, "pay", **data), vms(9, INTERNAL, "crm", **data)
    healthy = vms(20, LOCKED, "well", healthy=True, locks=[])
    bench = bench_of(scenarios=(*failing, *others, *healthy), storm_threshold=THRESHOLD, watched=True, runbook_language=language)
    bench.azure.add_fault(match="POST */Microsoft.ResourceGraph/resources*", status=403)
    fire(bench, failing + others)
    bench.run(seconds=50)
    assert [event["type"] for event in storms(bench)] == ["storm.opened", "storm.opened"]
    bench.azure.azure.faults.clear()
    bench.tools.azure.shared._answers.clear()
    bench.run(seconds=1000)
    (ended,) = [event for event in storms(bench) if event["type"] == "storm.resolved"]
    wanted = {"en": "**This continues in another ticket:**", "pt-BR": "**Isto continua em outro chamado:**"}
    assert wanted[language] in ended["data"]["runbook"]["markdown"]
    EVENT_SCHEMA.validate(ended)
    going_on = [event for event in storms(bench) if event["data"]["incident"]["id"] != ended["data"]["incident"]["id"]][-1]
    assert (going_on["type"], going_on["data"]["storm"]["affected"]) == ("storm.updated", 18)
    assert going_on["data"]["storm"]["shared"]["failed_with"] == 18
