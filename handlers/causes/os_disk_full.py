"""A volume that the agent, the extension, their logs or shadow copies need had too little free space."""

from collections.abc import Iterable
from datetime import timedelta

from handlers.model import (
    Asserts,
    Claim,
    FreeSpace,
    Job,
    Opinion,
    Reason,
    Unknown,
    Window,
    any_of,
    claim,
    confirmed,
    decide,
    event,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(message=r"not enough (disk )?space|no space left|0x80070070|INSUFFICIENT_STORAGE|0x8004231f")
MEDIUM = Asserts(("ExtensionFailedVssWriterInBadState",))
FULL_PERCENT, ENOUGH_PERCENT, LEAST_GIB = 5, 10, 1
"""Project thresholds; Microsoft's pages only say `enough space`."""
ROOTS = ("C:", "/")
RELEVANT = (*ROOTS, "/var", "/var/lib", "/var/lib/waagent", "/var/log")
MARGIN = timedelta(minutes=15)


def check(window: Window, free_space: tuple[FreeSpace, ...] | Unknown) -> Opinion:
    samples = () if isinstance(free_space, Unknown) else tuple(sample for sample in free_space if sample.mount in RELEVANT)
    then = tuple(sample for sample in samples if window.start - MARGIN <= sample.at <= window.end)
    full, low = tuple(filter(_is_full, then)), tuple(filter(_is_low, then))
    spoken = {sample.mount for sample in then}
    enough = bool(spoken & set(ROOTS)) and spoken == {sample.mount for sample in samples} and not low
    outside = tuple(filter(_is_full, samples)) if not then else ()
    silent = unread(free_space)
    return decide(
        ruled_out("The job's snapshot was taken", window.snapped, job=window.job),
        confirmed(
            "The message says so, and a volume had less than 10 % in the window",
            silent | (window.states and bool(low)),
            free_space=low,
        ),
        confirmed(
            "A volume had less than 5 % or 1 GiB in the window, and had more at the last good backup",
            silent | _explained(full, samples, window),
            free_space=full,
        ),
        ruled_out("Every volume that matters had 10 % or more in the window", silent | enough, free_space=then),
        possible(
            "A volume had less than 10 % in the window, or is full at another time",
            bool(low or outside),
            free_space=low or outside,
        ),
        unknown("No sample is of the window", Reason.GUEST_ONLY, ~silent, free_space=samples),
    )


def _explained(full: Iterable[FreeSpace], samples: Iterable[FreeSpace], window: Window) -> Claim:
    return any_of(*(window.fits(event(sample.at, then_too=_was_low(sample.mount, samples, window.last_good))) for sample in full))


def _was_low(mount: str, samples: Iterable[FreeSpace], good: Job | Unknown | None) -> Claim:
    """Whether the mount was as full while the last good backup ran."""
    if not isinstance(good, Job) or good.started_at is None:
        return claim(False)
    until = good.ended_at or good.started_at
    return claim(any(s.mount == mount and good.started_at - MARGIN <= s.at <= until and _is_full(s) for s in samples))


def _is_full(sample: FreeSpace) -> bool:
    return (sample.percent is not None and sample.percent < FULL_PERCENT) or (sample.gib is not None and sample.gib < LEAST_GIB)


def _is_low(sample: FreeSpace) -> bool:
    return (sample.percent is not None and sample.percent < ENOUGH_PERCENT) or (sample.gib is not None and sample.gib < LEAST_GIB)
