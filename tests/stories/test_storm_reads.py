"""A storm's members are read in bulk: how much Azure is asked, and what is said of those that it does not show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from handlers.diagnosis.diagnose_members import look_alone
from handlers.model import Reason, Unknown
from handlers.model.incident import ALONE, IN_BULK, UNREAD
from tests.stories.planted import vms
from tests.stories.test_many_failed import OWN, THRESHOLD, fire, storms
from tests.workbench import Bench

BenchOf = Callable[..., Bench]
FULL = "restore_point_group_locked"


def test_sixty_members_cost_a_tenth_of_the_reads_that_they_would_cost_alone(bench_of: BenchOf) -> None:
    failing = vms(60, FULL, "app")
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    member = next(incident for incident in bench.open_incidents if incident.storm)
    bench.azure.reset_calls()
    assert len(list(look_alone([member], bench.tools.azure, datetime.now(UTC)))) == 1
    cost = len(bench.azure.calls())
    bench.azure.reset_calls()
    bench.run(seconds=900)
    members = [incident for incident in bench.open_incidents if incident.storm]
    assert {incident.looked for incident in members} == {ALONE, IN_BULK}
    assert len(members) == 60 - OWN
    assert len(bench.azure.calls()) <= len(members) * cost / 10, sorted(call.path[:150] for call in bench.azure.calls())


def test_what_only_a_look_at_each_vm_would_tell_is_said_to_be_unread(bench_of: BenchOf) -> None:
    failing = vms(12, "agent_not_ready_windows", "app")
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True)
    fire(bench, failing)
    bench.run(seconds=300)
    member = next(incident for incident in bench.open_incidents if incident.looked == IN_BULK)
    document = bench.tools.documents.read(member.id, member.delivery.version)
    assert document
    assert document.evidence
    assert document.evidence["readings"]["agent"]["unread"]["why"] == Unknown(Reason.NOT_SAMPLED).why


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_members_that_azure_does_not_show_are_counted_as_unread(bench_of: BenchOf, language: str) -> None:
    failing = vms(37, FULL, "app") + vms(3, FULL, "hidden")
    bench = bench_of(scenarios=failing, storm_threshold=THRESHOLD, watched=True, runbook_language=language)
    bench.azure.add_fault(match="GET */virtualMachines/vm-hidden-*", status=403)
    fire(bench, failing)
    bench.run(seconds=900)
    assert sum(incident.looked == UNREAD for incident in bench.open_incidents) == 3
    page = storms(bench)[-1]["data"]["runbook"]["markdown"]
    wanted = {"en": "3 of the 40 could not be read", "pt-BR": "não foi possível ler 3 das 40"}
    assert wanted[language] in page
