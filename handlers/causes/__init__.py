"""One module per cause: a sentence, and `check(<facts by name>) -> Opinion`. Pure functions; a test calls them with values.

A check is a decision table: `decide` takes its lines from top to bottom, and the first that holds gives the verdict. Each line
begins with the sentence that docs/causes.md shows. The terms (`window.at`, `window.fits` …) are in handlers/model/window.py.

A parameter `agent: Agent` means: cannot judge without it (the finding is unknown before the check runs).
`agent: Agent | Unknown` means: may decide without it. `OS` says where the cause applies; without it, everywhere.
`STRONG` are codes and words that assert the cause, `MEDIUM` those of which it is one among few. Facts in `WHERE_POINTED` are read
for those only, since they cost a read of their own. `OPERATION` names what fails with it if that is no backup: `restore`; `any` for a
cause of both. `attempt` is the window of a failed restore: its time and its words, without what is known of backups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import replace
from datetime import datetime

from handlers.model import (
    FALSE,
    FRESH,
    Activity,
    Agent,
    Claim,
    Extension,
    GuestEvent,
    GuestEvents,
    Job,
    Lock,
    Operation,
    Reason,
    RestorePoint,
    RestorePointCollection,
    Seen,
    SnapshotPolicy,
    Unknown,
    Window,
    any_of,
    claim,
    configuration,
    event,
    state,
    undecided,
)
from handlers.model.window import LATE

LIMIT_CODES = ("UserErrorRpCollectionLimitReached", "ExtensionFailedSnapshotLimitReachedError")
LIMIT_WORDS = r"restore point collection max limit|cannot exceed (18|500)|maximum allowed snapshot limit"
LIMIT, NEAR = 18, 14
"""18 is documented, 14 is the project's threshold for `near`.
https://learn.microsoft.com/azure/backup/backup-azure-troubleshoot-vm-backup-fails-snapshot-timeout#clean_up_restore_point_collection"""

VSS_NOT_STARTED = (13, 22)
"""VSS itself logs that its COM server cannot be started."""


def did_not_see(claimed: Claim) -> Claim:
    """Nothing was seen of it; what could not be read was not seen either."""
    return claim(not claimed.holds)


# ------------------------------------------------------------------ the agent


def silence(agent: Agent | Unknown | None, window: Window) -> Seen:
    """An agent that does not report, as far as time goes: a good backup with its help proves that it was otherwise then."""
    return state(window.silent_since(agent), newer=window.good_app, persists=window.persists("agent", window.not_ready))


def service_stopped(events: GuestEvents | Unknown, channel: str, window: Window) -> tuple[Claim, Seen]:
    """Whether the last that the guest's log says of the agent's service before the job's end is that it stopped; and when."""
    if isinstance(events, Unknown):
        return undecided(events), state()
    of_service = [entry for entry in events.events if entry.text in ("stopped", "running") and entry.at <= window.end]
    if not of_service:
        return (FALSE if events.collects(channel) else undecided(Reason.NOT_COLLECTED)), state()
    last = max(of_service, key=lambda entry: entry.at)
    return claim(last.text == "stopped"), state(last.at)


def version_of(agent: Agent | None) -> tuple[int, ...] | None:
    """The agent's version as numbers: `2.7.41491.1010` -> (2, 7, 41491, 1010); None when it reports none that parses."""
    parts = agent.version.split(".") if agent else []
    return tuple(map(int, parts)) if parts and all(part.isascii() and part.isdigit() for part in parts) else None


def version_held(window: Window) -> Claim:
    """The version that is read now was the version then: read within two hours, without a restart."""
    return (claim(window.now <= window.end + LATE) & window.quiet) | window.calm


# ------------------------------------------------------------------ the VM's model, its extensions


def model_of_vm(window: Window) -> Seen:
    """What the VM's model says holds since its last write."""
    activity = window.activity
    if isinstance(activity, Activity):
        writes = tuple(entry for entry in activity.of("write") if not entry.by_backup)
        activity = replace(activity, operations=writes)
    return configuration(changes=activity)


def state_of(extension: Extension) -> str:
    """`failed`, `succeeded`, `transitioning` …: Azure writes `failed/1` and the like."""
    return extension.state.partition("/")[0].replace("error", "failed")


def backup_ones(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    return tuple(extension for extension in extensions if extension.is_backup)


def other_ones(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    return tuple(extension for extension in extensions if not extension.is_backup)


def reporting(extensions: Iterable[Extension] | Unknown, pattern: str) -> tuple[Extension, ...]:
    """The backup extensions whose own status says it."""
    if isinstance(extensions, Unknown):
        return ()
    return tuple(found for found in backup_ones(extensions) if re.search(pattern, found.message, re.IGNORECASE))


# ------------------------------------------------------------------ events of the guest


def seen_event(entry: GuestEvent, alike: Iterable[GuestEvent], window: Window) -> Seen:
    """An event, and whether one like it stands in the window of the last good backup too."""
    good = window.last_good
    if good is None or isinstance(good, Unknown) or good.started_at is None:
        return event(entry.at)
    until = good.ended_at or good.started_at
    return event(entry.at, then_too=claim(any(good.started_at <= other.at <= until for other in alike)))


def matching(events: GuestEvents | Unknown, numbers: tuple[int, ...], channel: str = "") -> tuple[GuestEvent, ...]:
    if isinstance(events, Unknown):
        return ()
    return tuple(entry for entry in events.events if entry.number in numbers and channel in entry.channel.lower())


def told(events: GuestEvents | Unknown, *words: str) -> tuple[GuestEvent, ...]:
    """The events whose text is one of these words."""
    return () if isinstance(events, Unknown) else tuple(entry for entry in events.events if entry.text in words)


def any_explains(entries: Iterable[GuestEvent], window: Window) -> Claim:
    """One of these events stands in the window, and none like it in the last good backup's."""
    alike = tuple(entries)
    return any_of(*(window.explains(True, seen_event(entry, alike, window)) for entry in alike))


def service_disabled(events: GuestEvents | Unknown, window: Window, *services: str) -> tuple[GuestEvent, ...]:
    """For each of these services the last word on how it starts before the job's end, where that is `disabled`."""
    said = [
        [entry for entry in told(events, f"{name} disabled", f"{name} startable") if entry.at <= window.end] for name in services
    ]
    last = [max(entries, key=lambda entry: entry.at) for entries in said if entries]
    return tuple(entry for entry in last if entry.text.endswith(" disabled"))


def denied(events: GuestEvents | Unknown) -> tuple[GuestEvent, ...]:
    """What fapolicyd denied the Linux agent."""
    return () if isinstance(events, Unknown) else tuple(entry for entry in events.events if entry.text == "deny")


def worded(events: GuestEvents | Unknown, word: str) -> tuple[GuestEvent, ...]:
    """The lines of syslog whose first word is this: `avc`, `io_error`."""
    return () if isinstance(events, Unknown) else tuple(entry for entry in events.events if entry.text.split()[:1] == [word])


def collects(events: GuestEvents | Unknown, *channels: str) -> Claim:
    """Whether all these event logs arrive in Log Analytics at all."""
    if isinstance(events, Unknown):
        return undecided(events)
    return claim(all(events.collects(channel) for channel in channels)) | undecided(Reason.NOT_COLLECTED)


# ------------------------------------------------------------------ locks, the activity log


def seen_lock(lock: Lock, changes: Activity | Unknown) -> Seen:
    """A lock, as far as time goes: when it was made, else what was done to it."""
    if lock.created_at or isinstance(changes, Unknown):
        return configuration(lock.created_at, changes)
    own = tuple(entry for entry in changes.operations if entry.resource == lock.id.lower())
    return configuration(changes=replace(changes, operations=own))


def no_lock_removed(changes: Activity | Unknown) -> Seen:
    """That there is no lock holds since the last one was deleted."""
    return only(changes, "locks/delete")


def only(changes: Activity | Unknown, *operations: str) -> Seen:
    """What is now has been so since the last of these operations."""
    kept = changes if isinstance(changes, Unknown) else replace(changes, operations=changes.of(*operations))
    return configuration(changes=kept)


def succeeded(entry: Operation) -> bool:
    return entry.status.lower() in ("", "succeeded", "success", "ok")


def reaches(log: Activity, window: Window) -> Claim:
    """The log was read back to the last good backup, or to the job's begin where there is none."""
    if isinstance(window.last_good, Unknown):
        return undecided(window.last_good)
    return claim(log.since <= (window.good_since or window.start))


def in_good(moment: datetime, window: Window) -> Claim:
    """Whether a moment lies in the time of the last good backup."""
    good = window.last_good
    if not isinstance(good, Job) or good.started_at is None:
        return FALSE
    return claim(good.started_at <= moment <= (good.ended_at or good.started_at))


# ------------------------------------------------------------------ restore points


def limit_is_stated(window: Window) -> bool:
    """The code or the message says that there are too many restore points."""
    return window.is_code(*LIMIT_CODES) or window.says(LIMIT_WORDS)


def points_then(collections: tuple[RestorePointCollection, ...], end: datetime) -> tuple[RestorePoint, ...]:
    """The restore points of all collections that were made before the job's end."""
    points = [point for collection in collections for point in collection.points]
    return tuple(point for point in points if point.created_at is None or point.created_at <= end)


def is_past(point: RestorePoint, policy: SnapshotPolicy, window: Window) -> bool:
    """Whether a restore point is older than its snapshot is kept, with three days for the clean-up."""
    days = policy.snapshot_retention_days
    return point.created_at is not None and days is not None and (window.end - point.created_at).days > days + 3


def stuck(collections: tuple[RestorePointCollection, ...] | Unknown, policy: SnapshotPolicy | Unknown, window: Window) -> Claim:
    """Restore points are older than they should become, or there are many more than the policy explains."""
    if isinstance(collections, Unknown):
        return undecided(collections)
    points = points_then(collections, window.end)
    if isinstance(policy, Unknown):
        return undecided(policy) if points else FALSE
    explained = policy.explained_points
    many = claim(len(points) >= NEAR) & (undecided(Reason.NO_DATA) if explained is None else len(points) > explained)
    return any(is_past(point, policy, window) for point in points) | many


# ------------------------------------------------------------------ restores


def then(attempt: Window) -> Claim:
    """What a restore's target shows was so when it ran: read within a quarter of an hour, or two hours if the code says the same."""
    soon, late = attempt.now <= attempt.end + FRESH, attempt.now <= attempt.end + LATE
    return claim(attempt.knows_job and (soon or (attempt.states and late)))


def surely_then(attempt: Window) -> Claim:
    """What is well at a restore's target was well when it ran: read within a quarter of an hour."""
    return claim(attempt.knows_job and attempt.now <= attempt.end + FRESH)


def explained(attempt: Window) -> Claim:
    """The code or the words state this cause, or the code lists it. What backups succeeded with says nothing of a restore."""
    return claim(attempt.states or attempt.listed)
