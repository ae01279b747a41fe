"""Azure cannot be read: the ticket goes out in time with what is known, and is updated once Azure can be read again."""

from __future__ import annotations

import json
from typing import Any

from bench.faults.rig import Rig

IN_TIME_SECONDS = 60
SECOND_LOOK_SECONDS = 5 * 60


def azure_throttles(rig: Rig) -> None:
    """429 with 20 minutes for every read."""
    _unreadable(rig, status=429, retry_after=1200)


def azure_unavailable(rig: Rig) -> None:
    """503 for every read."""
    _unreadable(rig, status=503)


def azure_drops_connections(rig: Rig) -> None:
    """Every connection ends without an answer."""
    _unreadable(rig, drop=True)


def _unreadable(rig: Rig, **fault: Any) -> None:
    """Each ticket goes out with its facts unknown, and a note for a second look lies in the queue, five minutes away."""
    rig.azure.add_fault(match="* *", **fault)
    rig.send(over=rig.between(0.5, 1, 10))
    expected = len(rig.vms)
    rig.wait_until(lambda: len(rig.desk.events()) == expected, IN_TIME_SECONDS, "not every ticket went out in time")
    verdicts = {finding["verdict"] for event in rig.desk.events() for finding in event["data"]["findings"]}
    rig.check("unknown" in verdicts and "confirmed" not in verdicts, f"verdicts without facts: {', '.join(sorted(verdicts))}")
    rig.azure.azure.faults.clear()
    if rig.has_time(SECOND_LOOK_SECONDS + 60):
        rig.wait_until(lambda: _updated(rig) == expected, SECOND_LOOK_SECONDS + 60, "not every ticket was updated")
    else:
        rig.left_in_queue = expected


def _updated(rig: Rig) -> int:
    """How many tickets were updated with a cause that is known now."""
    tickets = [ticket for ticket in rig.desk.tickets if ticket.events[-1]["type"] == "incident.updated"]
    return len([ticket for ticket in tickets if '"before": "unknown"' in json.dumps(ticket.events[-1]["data"]["changes"])])
