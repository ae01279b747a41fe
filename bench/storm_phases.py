"""What happens in a storm's run, one function each: alerts are posted, VMs get attached, members are looked at, VMs recover."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from bench.faults.stored import is_due, ticket_of
from bench.storm_figures import Background, Recovery
from sandbox.storm_azure import RunningStormAzure
from sandbox.ticket_desk import Desk

POSTERS = 6
LOOK_SECONDS = 2.0
TAP_SECONDS = 0.5
QUIET_SECONDS = 15.0
"""When nothing has changed for so long after a sweep, the next one is due."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------- posting


def post_all(bodies: Sequence[bytes], host_url: str, storage: str, backlog: int) -> Counter[str]:
    """Post every body once, over kept connections; the answers by what they say: `202`, `202 ignored`, `503`, an error's name.

    The posters wait while more than `backlog` messages lie in the queue (0: never). Azurite goes through all messages for
    each receive and delete: with 6,000 of them a receive takes it most of a second, with 300 a few hundredths.
    """
    queue, tap = QueueClient.from_connection_string(storage, "alerts"), threading.Event()
    tap.set()
    with ThreadPoolExecutor(POSTERS) as pool:
        running = {pool.submit(_post, bodies[index::POSTERS], urlsplit(host_url).netloc, tap) for index in range(POSTERS)}
        while backlog and wait(running, TAP_SECONDS).not_done:
            (tap.set if _length(queue) <= backlog else tap.clear)()
        return sum((future.result() for future in running), Counter())


def _length(queue: QueueClient) -> int:
    try:
        return int(queue.get_queue_properties().approximate_message_count or 0)
    except ResourceNotFoundError:  # the app makes the queue with its first alert
        return 0


def _post(bodies: Iterable[bytes], place: str, tap: threading.Event) -> Counter[str]:
    found: Counter[str] = Counter()
    connection = HTTPConnection(place, timeout=120)
    for body in bodies:
        tap.wait()
        try:
            connection.request("POST", "/api/alerts", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            accepted = answer.status != 202 or json.loads(said)["accepted"]
            found[f"{answer.status}" if accepted else "202 ignored"] += 1
        except (OSError, HTTPException, ValueError) as error:
            found[type(error).__name__] += 1
            connection.close()
    connection.close()
    return found


# ---------------------------------------------------------------------------------------------- the app's own table


class Rows:
    """The table `incidents`, as the app keeps it: incidents and storms."""

    def __init__(self, storage: str) -> None:
        self._table = TableClient.from_connection_string(storage, "incidents")

    def incidents(self) -> list[Any]:
        """`vm_id`, `storm` (the id of its storm, empty with a ticket of its own), `status`, `diagnosed`, `delivery`."""
        return self._read("incident", ["RowKey", "vm_id", "storm", "status", "diagnosed", "delivery"])

    def storms(self) -> dict[str, Any]:
        """By the id of the storm."""
        return {row["id"]: row for row in self._read("storm", ["RowKey", "id", "status", "delivery"])}

    def attached(self) -> tuple[set[str], set[str]]:
        """The VMs (ids in lower case) with a ticket, and those of them with one of their own."""
        told = {storm for storm, row in self.storms().items() if ticket_of(row).get("shown")}
        incidents = self.incidents()
        own = {row["vm_id"].lower() for row in incidents if ticket_of(row).get("shown")}
        return own | {row["vm_id"].lower() for row in incidents if row.get("storm") in told}, own

    def open_ones(self) -> tuple[int, int]:
        """How many incidents and how many storms are open, or have a change to post."""
        incidents = sum(row["status"] == "open" or is_due(row) for row in self.incidents())
        return incidents, sum(row["status"] == "open" for row in self.storms().values())

    def _read(self, partition: str, columns: list[str]) -> list[Any]:
        """The rows of a partition without their copies in lists, whose keys hold a space."""
        try:
            rows = self._table.query_entities(f"PartitionKey eq '{partition}'", select=columns)
            return [{**row, "delivery": json.loads(row["delivery"])} for row in rows if " " not in row["RowKey"]]
        except ResourceNotFoundError:  # the app makes the table with its first alert
            return []


def wait_attached(vms: int, rows: Rows, desk: Desk, seconds: float) -> tuple[set[str], set[str]]:
    """Wait until so many VMs have a ticket, or the time is over. Looking costs Azurite time: the longer it takes, the rarer."""
    until = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        attached, own = rows.attached()
        say(f"  {len(attached)} of {vms} VMs have a ticket, {len(own)} of their own; {len(desk.events())} events at the desk")
        if len(attached) >= vms or time.monotonic() > until:
            return attached, own
        time.sleep(max(LOOK_SECONDS, 5 * (time.monotonic() - began)))


def two_tickets(events: Iterable[dict[str, Any]]) -> int:
    """How many VMs have more than one ticket of their own."""
    opened = {(event["data"]["vm"]["id"].lower(), event["data"]["incident"]["id"])
              for event in events if event["type"] == "incident.opened" and event["data"].get("vm")}  # fmt: skip
    return sum(count > 1 for count in Counter(vm for vm, _ in opened).values())


# ---------------------------------------------------------------------------------------------- afterwards


def watch_background(seconds: float, azure: RunningStormAzure, rows: Rows) -> Background:
    """What is read in the time after the storm."""
    before, began = Counter(azure.counts()["subscriptions"]), time.monotonic()
    time.sleep(seconds)
    reads, took = Counter(azure.counts()["subscriptions"]), time.monotonic() - began
    reads.subtract(before)
    looked = Counter("yes" if row.get("diagnosed") else "not yet" for row in rows.incidents() if row.get("storm"))
    return Background(took, reads, looked)


def recover(azure: RunningStormAzure, host_url: str, rows: Rows, desk: Desk, seconds: float) -> Recovery:
    """Every VM completes a backup; sweep until nothing is open and every ticket is resolved, or the time is over."""
    before = Counter(event["type"] for event in desk.events())
    azure.recover()
    began, sweeps, last, changed_at = time.monotonic(), 0, (-1, -1, -1), -QUIET_SECONDS
    while True:
        left = (*rows.open_ones(), sum(ticket.status != "resolved" for ticket in desk.tickets))
        now = time.monotonic()
        if not any(left) or now - began > seconds:
            break
        if left != last:
            say(f"  open: {left[0]} incidents, {left[1]} storms, {left[2]} tickets")
            last, changed_at = left, now if sweeps else changed_at
        if now - changed_at >= QUIET_SECONDS:
            requests.post(f"{host_url}/admin/functions/sweep", json={}, timeout=30).raise_for_status()
            sweeps, changed_at = sweeps + 1, now
        time.sleep(max(LOOK_SECONDS, 3 * (time.monotonic() - now)))
    events = Counter(event["type"] for event in desk.events())
    events.subtract(before)
    return Recovery(now - began, sweeps, left[0], left[1], +events, left[2])
