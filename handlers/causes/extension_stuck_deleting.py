"""The backup extension is being removed, and its removal does not end.

https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#extensionstuckindeletionstate---extension-state-is-not-supportive-to-the-backup-operation
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers.causes import backup_ones, state_of
from handlers.model import (
    Activity,
    Agent,
    Asserts,
    Claim,
    Extension,
    Operation,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    undecided,
    unknown,
    unread,
)

STRONG = Asserts(("ExtensionStuckInDeletionState",))
LEAVING = ("deleting", "uninstalling")
BEGUN = ("started", "accepted")
"""What the activity log says of a removal that has no end: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema"""
LONGEST = timedelta(minutes=15)
"""A project threshold."""


def check(
    window: Window,
    agent: Agent | Unknown | None,
    extensions: tuple[Extension, ...] | Unknown,
    extension_names: tuple[str, ...] | Unknown,
) -> Opinion:
    own = () if isinstance(extensions, Unknown) else backup_ones(extensions)
    leaving = tuple(found for found in own if state_of(found) in LEAVING)
    began = _removal_began(window.activity)
    silent = unread(extensions)
    return decide(
        ruled_out("The job needed no extension, or its snapshot was taken", window.not_used, job=window.job),
        confirmed(
            "Its removal began more than 15 minutes before the job and has not ended",
            silent | any_of(*(_stuck(found.at or began, window) for found in leaving)),
            extensions=leaving,
            vm_activity=window.activity,
        ),
        possible(
            "It is being removed, since a later time or one that is not known",
            bool(leaving or began),
            extensions=leaving,
            vm_activity=window.activity,
        ),
        unknown("The agent does not report: the list may be old", Reason.AGENT_NOT_READY, ~window.ready(agent), agent=agent),
        ruled_out("It succeeded in the window or before it", _well(own, window) & ~unread(window.activity), extensions=own),
        ruled_out(
            "It is not installed, and nothing has removed it since",
            ~(silent | unread(extension_names)) & (not own and not _listed(extension_names)) & _not_removed(window),
            extension_names=extension_names,
        ),
        unknown("It is well now, and may not have been then", Reason.READ_LATE, bool(own), extensions=own),
    )


def _removal_began(activity: Activity | Unknown) -> datetime | None:
    """When a removal began of which the activity log shows no end."""
    removals = _removals(activity)
    if not removals or removals[0].status.lower() not in BEGUN:
        return None
    return removals[0].at


def _removals(activity: Activity | Unknown) -> list[Operation]:
    """Newest first."""
    if isinstance(activity, Unknown):
        return []
    return [entry for entry in activity.of("extensions/delete") if _is_ours(entry.resource.rpartition("/")[2])]


def _stuck(began: datetime | None, window: Window) -> Claim:
    return claim(began is not None and began < window.start - LONGEST) & window.fits(state(began))


def _well(own: Iterable[Extension], window: Window) -> bool:
    return any(state_of(found) == "succeeded" and found.at is not None and found.at <= window.end for found in own)


def _listed(names: Iterable[str] | Unknown) -> bool:
    return not isinstance(names, Unknown) and any(map(_is_ours, names))


def _is_ours(name: str) -> bool:
    return name.lower().startswith("vmsnapshot")


def _not_removed(window: Window) -> Claim:
    activity = window.activity
    if isinstance(activity, Unknown):
        return undecided(activity)
    return claim(not _removals(activity)) & (claim(activity.since <= window.start) | undecided(Reason.PARTIAL))
