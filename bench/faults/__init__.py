"""Faults injected on purpose, each through the real way: a function host as a process, Azurite, the simulated Azure, the ticket desk.

Alerts are acknowledged under load; at the end each of them is ticketed or attached to a storm, and nothing was told twice.
`FAULTS` is the one list: `make test` runs it in its short form, `make soak` again and again with more and other load.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass

from bench.faults import azure, hosts, poison, ticket_system, weather
from bench.faults.audit import Audit, Figures, figures, wait_for_the_end
from bench.faults.costs import Costs
from bench.faults.rig import Needs, Plan, Rig, running_rig

SHORT_PATIENCE_SECONDS, PATIENCE_SECONDS = 300, 400
"""Longer than the waits after four failures in a row (105 seconds) on a machine that is shared."""
ORDINARY = Needs()
BOUNDS = Costs(reads=21, diagnoses=1.2, tries=2, row_writes=6, messages=5)
"""What each acknowledged alert may cost at most. A try that fails writes its row twice more and sends a reminder; a kill may cost a diagnosis.

Three of the reads are for what was changed and whose it is."""
AWAY = replace(BOUNDS, tries=3, row_writes=10, messages=7)
"""All may be posted at once before the gate closes, and one is tried again after each wait."""
REFUSED = replace(BOUNDS, tries=3, row_writes=10)
"""The page, plain words, and once more."""
STILL_REFUSED = replace(BOUNDS, tries=6, row_writes=14, messages=8)
"""The page and plain words, again half a minute and five minutes later."""
IN_THE_BACKGROUND = replace(BOUNDS, reads=30, diagnoses=2)
"""The members of a storm are diagnosed too."""
READ_IN_VAIN = replace(BOUNDS, reads=45, diagnoses=3)
"""Azure's SDK asks three times; one diagnosis, and a note for a second reading."""


@dataclass(frozen=True)
class Fault:
    """`inject` begins to send, breaks and mends; its name and its first sentence say what."""

    inject: Callable[[Rig], None]
    needs: Needs = ORDINARY
    bounds: Costs = BOUNDS

    @property
    def name(self) -> str:
        return self.inject.__name__

    @property
    def sentence(self) -> str:
        return (self.inject.__doc__ or "").partition("\n")[0]


KILLED = 15
"""Seconds of a lease where hosts are killed: longer than a message takes here, short enough to wait for."""

STORM = Needs(vms=14, lease=KILLED, alike=True, settings={"STORM_THRESHOLD": "5"})

WEATHER = Needs(vms=24, lease=KILLED)

FAULTS = (
    Fault(weather.mixed_weather, WEATHER, AWAY),
    Fault(hosts.storm_with_kills, STORM, IN_THE_BACKGROUND),
    Fault(hosts.storm_ticket_taken_and_its_answer_lost, STORM, IN_THE_BACKGROUND),
    Fault(ticket_system.ticket_system_down, bounds=AWAY),
    Fault(ticket_system.ticket_system_breaks, bounds=AWAY),
    Fault(ticket_system.asks_to_wait_in_seconds, bounds=AWAY),
    Fault(ticket_system.asks_to_wait_until_a_date, bounds=AWAY),
    Fault(ticket_system.asks_to_wait_twenty_minutes),
    Fault(ticket_system.answer_lost_after_taking, bounds=AWAY),
    Fault(ticket_system.ticket_system_in_any_mood, bounds=AWAY),
    Fault(ticket_system.plain_ticket_taken_and_its_answer_lost, Needs(vms=1), REFUSED),
    Fault(hosts.host_killed, Needs(vms=12, lease=KILLED)),
    Fault(hosts.two_hosts_killed_in_turn, Needs(vms=8, hosts=2, lease=KILLED)),
    Fault(hosts.storage_down, Needs(vms=12, lease=KILLED)),
    Fault(ticket_system.ticket_system_slow),
    Fault(ticket_system.refused_for_good),
    Fault(ticket_system.field_newly_required, bounds=STILL_REFUSED),
    Fault(ticket_system.one_ticket_refused, Needs(vms=9)),
    Fault(azure.azure_throttles, bounds=READ_IN_VAIN),
    Fault(azure.azure_unavailable, bounds=READ_IN_VAIN),
    Fault(azure.azure_drops_connections, bounds=READ_IN_VAIN),
    Fault(hosts.two_hosts, Needs(hosts=2)),
    Fault(hosts.one_failure_from_several_sources),
    Fault(poison.blob_is_gone, Needs(vms=4)),
    Fault(poison.blob_is_gone_and_ticket_system_down, Needs(vms=3)),
)
"""Those that take longest first: they run several at a time."""


def run(fault: Fault, plan: Plan) -> Figures:
    """Inject one fault, wait for the end, count."""
    with running_rig(plan, fault.needs) as rig:
        began, audit = time.monotonic(), Audit(rig)
        fault.inject(rig)
        rig.check(rig.sender.wait(120), "not every alert was acknowledged")
        wait_for_the_end(audit, SHORT_PATIENCE_SECONDS if plan.short else PATIENCE_SECONDS)
        return figures(fault.name, audit, time.monotonic() - began, fault.bounds)
