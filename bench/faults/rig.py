"""What a fault is injected into: Azurite, the simulated Azure, the ticket desk and function hosts, each a part that can be
stopped and started again at the same address; and a sender that posts alerts as action groups do."""

from __future__ import annotations

import copy
import json
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from bench.faults.costs import Costs, StorageCalls, Work, costs_of
from bench.faults.office import FILE, Office
from bench.faults.stored import DEFAULT, Stored
from bench.faults.vms import alert_of, failing_vms
from handlers.model import parse_time
from sandbox.__main__ import SECRET, sandbox_settings
from sandbox.azure import RunningAzure, running_azure
from sandbox.azurite import running_azurite
from sandbox.function_host import RunningHost, running_host
from sandbox.http import serving
from sandbox.scenario import Scenario
from sandbox.ticket_desk import Desk, Trouble

ROOT = Path(__file__).parent.parent.parent
JOBS = "Microsoft.RecoveryServices/vaults/backupJobs"
PATIENCE_SECONDS = 240
"""How long a fault waits for what takes seconds on a machine that does little else."""
PORTS = range(20_000, 32_000)
"""Below the ports that the system gives to clients: a part must find its own port free when it comes back."""
_given_ports: set[int] = set()
_ports_lock = threading.Lock()


@dataclass(frozen=True)
class Plan:
    """How large and how long: the short form is the same each time, the soak varies and grows."""

    short: bool = True
    seed: int = 1
    round: int = 0
    ends: float = float("inf")
    """When the soak is to be over, by the monotonic clock."""
    app: Path = ROOT
    quiet: bool = True


@dataclass(frozen=True)
class Needs:
    """What a fault needs of its rig."""

    vms: int = 6
    alike: bool = False
    """All of one error code in one region, so that they may make a storm."""
    hosts: int = 1
    lease: int = 600
    """Seconds until a message that a killed host worked on comes again; longer than a message takes."""
    settings: Mapping[str, str] = field(default_factory=dict)
    offices: tuple[str, ...] = ()
    """The names of further ticket systems, which get every ticket too; one named `default` takes the desk's place."""


class Part[T]:
    """Something that can be stopped and started again."""

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make, self._stack = make, ExitStack()
        self.running: T

    def start(self) -> None:
        self.running = self._stack.enter_context(self._make())

    def stop(self) -> None:
        self._stack.close()


@dataclass(frozen=True)
class Sent:
    """An alert that was answered with 202, and when."""

    vm: Scenario
    at: float


@dataclass(frozen=True)
class Answer:
    """One answer of `/api/alerts`; status 0: the connection ended without one."""

    status: int
    retry_after: str = ""


class Sender:
    """Posts alerts until each is answered with 202, as action groups do."""

    def __init__(self, again_after: float) -> None:
        self._pool, self._again_after = ThreadPoolExecutor(24, thread_name_prefix="sender"), again_after
        self._futures: list[Future[None]] = []
        self.answers: list[Answer] = []
        self.begun: list[Scenario] = []
        """The VMs whose alert may have arrived."""
        self.acknowledged: list[Sent] = []
        self.over = threading.Event()

    @property
    def posted(self) -> int:
        return len(self._futures)

    def post(self, vm: Scenario, url: str, body: Any, after: float = 0.0) -> None:
        self._futures.append(self._pool.submit(self._post, vm, url, body, time.monotonic() + after))

    def wait(self, seconds: float) -> bool:
        """Wait until all is acknowledged; False when the time is over."""
        done, waiting = wait(self._futures, seconds)
        for future in done:
            future.result()
        return not waiting

    def close(self) -> None:
        self.over.set()
        self._pool.shutdown(cancel_futures=True)

    def _post(self, vm: Scenario, url: str, body: Any, at: float) -> None:
        self.over.wait(max(0.0, at - time.monotonic()))
        self.begun.append(vm)
        while not self.over.is_set():
            try:
                found = requests.post(f"{url}/api/alerts", json=body, timeout=60)
            except requests.RequestException:
                self.answers.append(Answer(0))
            else:
                self.answers.append(Answer(found.status_code, found.headers.get("Retry-After", "")))
                if found.status_code == 202 and found.json()["accepted"]:
                    self.acknowledged.append(Sent(vm, time.time()))
                    return
            self.over.wait(self._again_after)


class Rig:
    """Everything that one fault runs against."""

    def __init__(self, stack: ExitStack, plan: Plan, needs: Needs) -> None:
        self.plan, self.needs, self.random = plan, needs, random.Random(plan.seed)
        grown = needs.vms if plan.short else needs.vms * (1 + min(plan.round, 4))
        self.vms = failing_vms(grown, alike=needs.alike)
        self.problems: list[str] = []
        self.left_in_queue = 0
        """How many messages are to lie in the queue at the end, out of sight."""
        self.alerts_wait = False
        """Those are the alerts themselves: the ticket system asked for a wait that is longer than the fault."""
        self.latest = float("inf")
        """By when, in seconds of the clock, every ticket must be there."""
        self.killed_at = 0.0
        """When a host was last killed: what it worked on comes again a lease later."""
        self.diagnoses_cut_off, self.messages_cut_off = 0, 0
        """By kills and stops of storage; see Work."""
        self.notes_remain = False
        """How many notes lie in the queue at the end is not known: a storm's next look is always due."""
        self.marks: dict[str, str] = {vm.subscription: vm.name for vm in self.vms}
        """What names a VM in a ticket; its subscription, and whatever a fault adds."""
        self.changed: dict[str, str] = {}
        """Settings that are others for hosts which start from now on."""
        self.may_stay_due: set[str] = set()
        """VMs whose ticket refuses: it may wait longer than the fault lasts."""
        folder = Path(stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        storage_port, desk_port = stable_ports(3), stable_ports(1)
        self.access_log = folder / "access.log"
        self.azurite = Part(lambda: running_azurite(port=storage_port, folder=folder, access_log=self.access_log))
        self.desk = Desk(SECRET)
        self.desk_server = Part(lambda: serving(self.desk.answer, desk_port))
        self.azure: RunningAzure = stack.enter_context(running_azure(self.vms))
        for part in (self.azurite, self.desk_server):
            stack.callback(part.stop)
            part.start()
        self.desk.url = self.desk_server.running
        self.offices = {name: Office() for name in needs.offices}
        self.office_servers = {name: self._office_server(stack, office) for name, office in self.offices.items()}
        self.stored = Stored(self.azurite.running)
        settings = sandbox_settings(self.azurite.running, self.azure.url, self.desk.webhook_url)
        settings |= {"SANDBOX_VISIBILITY_SECONDS": "1", "SANDBOX_LEASE_SECONDS": str(needs.lease), "STORM_THRESHOLD": "1000"}
        settings |= self._targets()
        self.hosts = [self._host(settings | dict(needs.settings)) for _ in range(needs.hosts)]
        for host in self.hosts:
            stack.callback(host.stop)
            host.start()
        self.sender = Sender(again_after=1 if plan.short else 5)
        stack.callback(self.sender.close)

    def _host(self, settings: dict[str, str]) -> Part[RunningHost]:
        port = stable_ports(1)
        return Part(lambda: running_host(self.plan.app, settings | self.changed, port=port, quiet=self.plan.quiet))

    def _office_server(self, stack: ExitStack, office: Office) -> Part[str]:
        port = stable_ports(1)
        server = Part(lambda: serving(office.answer, port))
        stack.callback(server.stop)
        server.start()
        office.url = server.running
        return server

    def _targets(self) -> dict[str, str]:
        """The settings of the ticket systems besides the desk."""
        if not self.offices:
            return {}
        if DEFAULT in self.offices:
            return {
                "TICKET_TARGET": "office",
                "TICKET_TARGET_FILE": FILE,
                "TICKET_URL": self.offices[DEFAULT].url,
                "TICKET_SECRET": "",
            }
        rules = [
            {"target": "office", "target_file": FILE, "name": name, "url": office.url, "also": True}
            for name, office in self.offices.items()
        ]
        return {"TICKET_ROUTES": json.dumps([*rules, {"target": DEFAULT}])}

    @property
    def desk_is_used(self) -> bool:
        return DEFAULT not in self.offices

    # ---------------------------------------------------------------- what a fault does

    def between(self, short: float, low: float, high: float) -> float:
        """A number of seconds: fixed in the short form, at random in the soak."""
        return short if self.plan.short else self.random.uniform(low, high)

    def send(self, vms: Sequence[Scenario] | None = None, *, over: float = 1.0, host: int = 0, **kind: Any) -> None:
        """Begin to post one alert for each VM, spread over so many seconds."""
        vms = self.vms if vms is None else vms
        for index, vm in enumerate(vms):
            self.sender.post(vm, self.hosts[host].running.url, alert_of(vm, **kind), over * index / len(vms))

    def fail_again(self, vm: Scenario) -> None:
        """Post an alert about another failed backup of a VM, which ended an hour before the one that is known."""
        world = self.azure.azure.worlds[vm.subscription]
        job = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
        times = {
            name: (parse_time(job["properties"][name]) or world.now) - timedelta(hours=1) for name in ("startTime", "endTime")
        }
        job_id = str(world.guid("job/again"))
        properties = job["properties"] | {name: at.isoformat() for name, at in times.items()}
        world._add(f"{world.vault_id}/backupJobs/{job_id}", job["type"], properties)
        body = copy.deepcopy(alert_of(vm))
        body["data"]["alertContext"]["extendedInfo"]["jobId"] = job_id
        self.sender.post(vm, self.hosts[0].running.url, body)

    def recover(self, vm: Scenario) -> None:
        """A backup of a VM has completed since, and an alert says so."""
        world, now = self.azure.azure.worlds[vm.subscription], datetime.now(UTC)
        job = next(body for body in world.of_type(JOBS) if body["name"] == world.job["id"])
        good = {name: value for name, value in job["properties"].items() if name != "errorDetails"} | {
            "status": "Completed", "startTime": (now - timedelta(minutes=2)).isoformat(), "endTime": now.isoformat(),
        }  # fmt: skip
        world._add(f"{world.vault_id}/backupJobs/{world.guid('job/good')}", job["type"], good)
        body = copy.deepcopy(alert_of(vm))
        body["data"]["essentials"]["monitorCondition"] = "Resolved"
        self.sender.post(vm, self.hosts[0].running.url, body)

    def stop_desk(self) -> None:
        """Nobody listens any more, and kept connections end without an answer."""
        self.desk.all_posts = Trouble(status=503, cut=True)
        self.desk_server.stop()

    def start_desk(self) -> None:
        self.desk.all_posts = None
        self.desk_server.start()

    def kill(self, host: Part[RunningHost]) -> None:
        """SIGKILL: the host has no time for anything."""
        with self.paused(host):
            self.killed_at = time.time()
            host.running.process.kill()
        host.stop()

    @contextmanager
    def paused(self, *hosts: Part[RunningHost]) -> Iterator[None]:
        """Hosts that do nothing meanwhile. What they work on counts as cut off."""
        for host in hosts:
            host.running.process.send_signal(signal.SIGSTOP)
        done = {row["vm_id"].split("/")[2] for row in self.stored.rows("incident")}
        self.diagnoses_cut_off += len({vm.subscription for vm in self.sender.begun} - done)
        self.messages_cut_off += self.stored.queued() - self.stored.in_sight()
        try:
            yield
        finally:
            for host in hosts:
                host.running.process.send_signal(signal.SIGCONT)

    def only_accept(self) -> None:
        """The hosts accept alerts and work on none."""
        self.restart({"AzureWebJobs.triage.Disabled": "true"})

    def work_again(self) -> None:
        self.restart({})

    def restart(self, changed: dict[str, str]) -> None:
        """The hosts end and start anew, with other settings."""
        self.changed = changed
        for host in self.hosts:
            host.stop()
            host.start()

    def run_sweep(self) -> None:
        answer = requests.post(f"{self.hosts[0].running.url}/admin/functions/sweep", json={"input": ""}, timeout=30)
        self.check(answer.status_code == 202, f"the sweep was not started: {answer.status_code}")

    # ---------------------------------------------------------------- what a fault looks at

    def check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)

    def wait_until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> bool:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                self.problems.append(otherwise)
                return False
            time.sleep(0.1)
        return True

    def costs(self) -> Costs:
        """What it has cost until now."""
        calls = StorageCalls.of(self.access_log)
        work = Work(len(self.sender.acknowledged), self.diagnoses_cut_off, self.messages_cut_off)
        return costs_of(self.azure, len(self.desk.tries) + sum(office.tries for office in self.offices.values()), calls, work)

    def scans(self) -> set[str]:
        """Table queries that are not by key or key range, but for the one that carries rows of the first release over."""
        return {scan for scan in StorageCalls.of(self.access_log).scans if "change ge 0" not in scan}

    def statuses(self) -> set[int]:
        return {answer.status for answer in self.sender.answers}

    def crashed(self) -> list[str]:
        """Hosts that have ended by themselves, in words."""
        codes = [host.running.process.poll() for host in self.hosts]
        return [f"a function host ended by itself with {code}" for code in codes if code is not None]

    def has_time(self, seconds: float) -> bool:
        """Whether the soak lasts so much longer; never in the short form."""
        return not self.plan.short and time.monotonic() + seconds < self.plan.ends


@contextmanager
def running_rig(plan: Plan, needs: Needs) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack, plan, needs)


def stable_ports(count: int) -> int:
    """The first of so many free ports in a row that nobody else is given."""
    with _ports_lock:
        while True:
            first = random.choice(PORTS)
            ports = set(range(first, first + count))
            if not ports & _given_ports and all(map(_is_free, ports)):
                _given_ports.update(ports)
                return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
