"""Facts from Log Analytics: what the VM itself sends there. https://learn.microsoft.com/azure/azure-monitor/reference/tables/heartbeat

A heartbeat proves the operating system and its network, not the guest agent: no table holds the agent's state. Which event logs
arrive is decided by a data collection rule, one by one; a log that does not arrive proves nothing by its silence.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.facts import Reads, Unread, fact
from handlers.facts.activity import since_good
from handlers.facts.compute import READ_VM, read_vm
from handlers.facts.jobs import READ_JOBS
from handlers.model import Failure, FreeSpace, GuestEvent, GuestEvents, Heartbeats, Reason, parse_time

QUERY = "Microsoft.OperationalInsights/workspaces/query/read"
COLLECTED = timedelta(days=7)
A_DAY = timedelta(days=1)
MIB_A_GIB = 1024
SERVICES = {
    "vss": "volume shadow copy",
    "swprv": "microsoft software shadow copy provider",
    "comsysapp": "com+ system application",
    "msdtc": "distributed transaction coordinator",
}
"""By their names the services that take the snapshot inside the guest, as an English Windows calls them."""


@fact(QUERY, source="Log Analytics: Heartbeat")
def heartbeats(failure: Failure, reads: Reads) -> Heartbeats:
    """The minutes with a heartbeat, from a day before the job until now."""
    rows = _rows("heartbeats", failure.began_at - A_DAY, failure, reads)
    minutes = tuple(sorted(time for row in rows if (time := parse_time(row.get("minute")))))
    if not minutes:
        raise Unread(Reason.NO_DATA)
    return Heartbeats(minutes)


@fact(QUERY, READ_VM, READ_JOBS, source="Log Analytics: Event, Syslog")
def guest_events(failure: Failure, reads: Reads) -> GuestEvents:
    """What the guest's event logs say of the agent and the backup extension since the last good backup."""
    windows = _is_windows(failure, reads)
    names = ("guest_events", "guest_channels") if windows else ("guest_syslog", "guest_facilities")
    since = since_good(failure, reads)
    rows, channels = reads.both(
        lambda: _rows(names[0], since, failure, reads),
        lambda: _rows(names[1], datetime.now(UTC) - COLLECTED, failure, reads),
    )
    events = tuple(event for row in rows if (event := _event(row, windows=windows)))
    column = "EventLog" if windows else "Facility"
    return GuestEvents(events, tuple(sorted(str(row.get(column)).lower() for row in channels)), since)


@fact(QUERY, READ_JOBS, source="Log Analytics: InsightsMetrics")
def free_space(failure: Failure, reads: Reads) -> tuple[FreeSpace, ...]:
    """The least free space of each mount, in pieces of five minutes, since the last good backup."""
    rows = _rows("free_space", since_good(failure, reads), failure, reads)
    samples = tuple(sample for row in rows if (sample := _sample(row)))
    if not samples:
        raise Unread(Reason.NO_DATA)
    return samples


def _sample(row: dict[str, Any]) -> FreeSpace | None:
    mount, time, least = _mount(str(row.get("Tags") or "")), parse_time(row.get("time")), row.get("least")
    if not mount or time is None or not isinstance(least, int | float):
        return None
    if row.get("Name") == "FreeSpaceMB":
        return FreeSpace(mount, time, gib=round(least / MIB_A_GIB, 1))
    return FreeSpace(mount, time, percent=round(float(least), 1))


def _mount(tags: str) -> str:
    """`{"vm.azm.ms/mountId": "C:"}` -> `C:`"""
    try:
        found = json.loads(tags)
    except ValueError:
        return ""
    return str(found.get("vm.azm.ms/mountId") or "") if isinstance(found, dict) else ""


def _event(row: dict[str, Any], *, windows: bool) -> GuestEvent | None:
    at = parse_time(row.get("TimeGenerated"))
    if at is None:
        return None
    if not windows:
        word = _syslog_word(str(row.get("SyslogMessage")))
        return GuestEvent(at, str(row.get("ProcessName") or row.get("Facility") or ""), 0, word)
    number, text = str(row.get("EventID") or ""), str(row.get("RenderedDescription") or "")
    word = _source_word(str(row.get("Source") or ""), text) or _windows_word(number, text)
    return GuestEvent(at, str(row.get("EventLog") or ""), int(number) if number.isdigit() else 0, word)


def _source_word(source: str, text: str) -> str:
    """Who says it, of what takes the snapshot inside the guest; empty for all others. COM+ says 8000ffff when its memory is used up."""
    name = source.lower().removeprefix("microsoft-windows-")
    if name in ("com+", "complus"):
        return "com+ 8000ffff" if "8000ffff" in text.lower() else "com+"
    known = ("vss", "volsnap", "msdtc", "sqlwriter", "sqlvdi", "mssql")
    return next((known_name for known_name in known if name.startswith(known_name)), "")


def _windows_word(number: str, text: str) -> str:
    """The faulting module of a crash; whether the agent's service stopped or runs; what happened to another service."""
    if number == "1000":
        module = re.search(r"(?i)faulting module name:\s*([\w.\-+]{1,80})", text)
        return module[1].lower() if module else ""
    if service := next((key for key, name in SERVICES.items() if name in text.lower()), ""):
        return f"{service} {_service_word(number, text)}"
    if number in ("7031", "7034"):
        return "stopped"
    state = re.search(r"(?i)\b(stopped|running)\b", text) if number == "7036" else None
    return state[1].lower() if state else ""


def _service_word(number: str, text: str) -> str:
    """7040 says how a service starts from now on: https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/dd349441(v=ws.10)"""
    if number != "7040":
        return "failed"
    return "disabled" if text.rstrip(". ").lower().endswith("disabled") else "startable"


def _syslog_word(text: str) -> str:
    """`avc` for what SELinux denied and did not only note, `io_error sdc1` for the kernel's word on a disk; else systemd's.

    https://github.com/torvalds/linux/blob/master/security/selinux/avc.c, https://docs.kernel.org/filesystems/ext4/
    """
    if re.search(r"(?i)\bavc:\s+denied", text):
        return "" if "permissive=1" in text else "avc"
    if re.search(r"(?i)I/O error|-fs error|BTRFS error|corruption detected|blocked for more than", text):
        device = re.search(r"(?:\bdev(?:ice)?\s+|XFS \()([\w-]{1,32})", text)
        return f"io_error {device[1]}" if device else "io_error"
    return _systemd_word(text)


def _systemd_word(text: str) -> str:
    """https://github.com/systemd/systemd/blob/main/src/core/job.c: `Started X.`, `Stopped X.`, `X.service: Failed with result …`"""
    if re.search(r"(?i)\b(stopped|failed|oom-kill|killed)\b", text):
        return "stopped"
    return "running" if re.search(r"(?i)\bstarted\b", text) else "deny" if "deny" in text.lower() else ""


def _is_windows(failure: Failure, reads: Reads) -> bool:
    storage = read_vm(failure, reads)["properties"].get("storageProfile") or {}
    return str((storage.get("osDisk") or {}).get("osType", "")).lower() == "windows"


def _rows(name: str, since: datetime, failure: Failure, reads: Reads) -> list[dict[str, Any]]:
    if failure.vm is None:
        raise Unread(Reason.NOT_NAMED)
    return reads.log_rows(name, failure.vm, since, datetime.now(UTC))
