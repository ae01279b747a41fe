"""Gather the facts that an error's causes need, run the causes' checks on them, order the findings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import Cause, causes_of, entry, is_of_vm, lists, operation_of
from handlers.diagnosis.changes import CHANGE_FACTS, READ_FOR_LIST, VAULT_ACTIVITY, reads_vault
from handlers.diagnosis.owner import TAG_FACTS
from handlers.facts import Reads, gather
from handlers.model import (
    Change,
    Diagnosis,
    Error,
    Evidence,
    Failure,
    Finding,
    Opinion,
    Os,
    Reading,
    Reason,
    Unknown,
    Verdict,
    VirtualMachine,
    Window,
    time_text,
)
from handlers.model.failure import BACKUP, RESTORE
from handlers.model.recovery import RECOVERY_FACTS, RESTORE_FACTS, of_restore, recovery_of
from handlers.model.words import UNREAD

log = logging.getLogger(__name__)

MADE = frozenset({"window", "attempt", "members"})
"""Parameters of checks that are made here and read nowhere. `attempt` is the window for which nothing of backups is read."""
WINDOW_FACTS = ("last_good", "last_good_consistency", "vm_activity", "vm_availability", "heartbeats", "vm", "power_state", "agent",
                "extensions", "snapshot_policy")  # fmt: skip
"""What the window is made of, as far as it can be read."""
READ_TWICE = ("agent", "extensions")
"""What an earlier reading of the same failure is asked for: a state that both show has lasted."""
SURROUNDINGS = frozenset({*CHANGE_FACTS, *TAG_FACTS})
"""What no check needs: what was changed, and whose it is."""
NOT_READ, NOT_POINTED = Unknown(Reason.NO_DATA), Unknown(Reason.NOT_POINTED)
PASSING = (Reason.THROTTLED, Reason.TIMED_OUT, Reason.FAILED)
"""Why a fact is unknown now and may be known later."""


def diagnose_failure(
    failure: Failure, error: Error, azure: Azure, now: datetime, *, sharing: bool = False, changes: bool = True,
    earlier: Mapping[str, Reading] = MappingProxyType({}), reads: Reads | None = None,
) -> Diagnosis:  # fmt: skip
    """Gather the facts that the error's causes need, and check the causes.

    `sharing`: lists of a whole subscription may come from what was read for another failure. `changes`: read what
    was changed as well. `earlier`: see `diagnose`. `reads`: see `facts/bulk/reads.py`.
    """
    needed = facts_needed(failure, error) - (frozenset() if changes else frozenset(READ_FOR_LIST))
    readings = gather(needed, failure, azure, message=error.message, now=now, sharing=sharing, reads=reads)
    return diagnose(failure, error, readings, earlier)


def facts_needed(failure: Failure, error: Error) -> frozenset[str]:
    """The names of the facts that the error's causes need, and of those that every runbook shows."""
    causes = _causes(failure, error)
    named = frozenset({"vm"}.union(*(cause.facts_for(error) for cause in causes)))
    window = frozenset(WINDOW_FACTS if "window" in named else ())
    of_vm, of_backup = is_of_vm(failure, error), operation_of(error, failure) != RESTORE
    risk = frozenset((RECOVERY_FACTS if of_backup else (*RESTORE_FACTS, "restore_request")) if of_vm else ())
    around = frozenset((SURROUNDINGS if of_backup else TAG_FACTS) if causes or of_vm else ())
    vault = frozenset({VAULT_ACTIVITY} if of_vm and of_backup and reads_vault(failure, [cause.id for cause in causes]) else ())
    return (named - MADE) | window | risk | vault | around


def diagnose(
    failure: Failure, error: Error, readings: Mapping[str, Reading], earlier: Mapping[str, Reading] = MappingProxyType({})
) -> Diagnosis:
    """The findings of every cause that applies to the VM's operating system (of both systems when it is unknown).

    `earlier`: the facts as the incident's last diagnosis of the same failure had read them.
    """
    machine = readings["vm"].value
    os = machine.os if isinstance(machine, VirtualMachine) else None
    window = window_of(failure, error, readings, earlier)
    causes = [cause for cause in _causes(failure, error) if applies(cause, os)]
    opinions = _floored(causes, _opinions(causes, readings, window, error), readings, error)
    findings = [_finding(cause, opinions[cause.id], readings) for cause in _ordered(causes, opinions, error)]
    kept = {name: earlier[name] for name in READ_TWICE if name in earlier}
    recovery = recovery_of(readings, failure.job, window.now)
    risk = of_restore(recovery) if operation_of(error, failure) == RESTORE else recovery
    return Diagnosis(failure, error, tuple(findings), readings, os, kept, risk)


def window_of(
    failure: Failure, error: Error, readings: Mapping[str, Reading], earlier: Mapping[str, Reading] = MappingProxyType({})
) -> Window:
    """The time of the failed job, and what the readings say of it."""
    now = max((reading.read_at for reading in readings.values()), default=failure.failed_at)
    values = {name: readings[name].value if name in readings else NOT_READ for name in WINDOW_FACTS}
    return Window(
        failure.began_at, failure.failed_at, now, failure.job, error.code, error.message, error.category,
        last_good=values["last_good"], consistency=values["last_good_consistency"], activity=values["vm_activity"],
        vm=values["vm"], power_state=values["power_state"], beats=values["heartbeats"], availability=values["vm_availability"],
        policy=values["snapshot_policy"], agent=values["agent"], extensions=values["extensions"], earlier=earlier,
    )  # fmt: skip


def _opinions(causes: Iterable[Cause], readings: Mapping[str, Reading], window: Window, error: Error) -> dict[str, Opinion]:
    """By cause; the umbrellas after their members, whose verdicts they are given."""
    made: dict[str, Opinion] = {}
    for cause in sorted(causes, key=lambda cause: bool(cause.members)):
        own = replace(window, states=_states(cause, error), listed=lists(error, cause.id))
        members = {member: made[member].verdict for member in cause.members if member in made}
        made[cause.id] = _opinion(cause, readings, own, members)
    return made


def _states(cause: Cause, error: Error) -> bool:
    return cause.strong.matches(error.code, error.message)


def _floored(
    causes: Iterable[Cause], opinions: Mapping[str, Opinion], readings: Mapping[str, Reading], error: Error
) -> dict[str, Opinion]:
    """What Azure's own code or words state is never ruled out, until one of the causes that they state is confirmed."""
    stated = [cause for cause in causes if _states(cause, error)]
    if any(opinions[cause.id].verdict is Verdict.CONFIRMED for cause in stated):
        return dict(opinions)
    return {**opinions, **{cause.id: floored(opinions[cause.id], _unread_facts(cause, readings)) for cause in stated}}


def floored(opinion: Opinion, unread: Iterable[Unknown]) -> Opinion:
    """The opinion on a cause that the code or the words state."""
    if opinion.verdict is Verdict.RULED_OUT:
        return replace(opinion, verdict=Verdict.POSSIBLE, contrary=True)
    if opinion.verdict is Verdict.UNKNOWN and opinion.why and not any(why.why in UNREAD for why in (opinion.why, *unread)):
        return replace(opinion, verdict=Verdict.POSSIBLE, why=None)
    return opinion


def _unread_facts(cause: Cause, readings: Mapping[str, Reading]) -> list[Unknown]:
    values = [readings[name].value for name in cause.facts if name in readings]
    return [value for value in values if isinstance(value, Unknown)]


def _ordered(causes: Sequence[Cause], opinions: Mapping[str, Opinion], error: Error) -> list[Cause]:
    """By verdict; then what speaks against itself, umbrellas and symptoms of what is confirmed last; then by weight and place."""
    proven = {cause_id for cause_id, opinion in opinions.items() if opinion.verdict is Verdict.CONFIRMED}
    verdicts = list(Verdict)

    def rank(cause: Cause) -> tuple[int, bool, bool, bool, int]:
        opinion = opinions[cause.id]
        shown_below = opinion.verdict is Verdict.CONFIRMED and bool(proven & set(cause.symptom_of))
        return verdicts.index(opinion.verdict), bool(cause.members), opinion.contrary, shown_below, _weight(cause, error)

    return sorted(causes, key=rank)


def _weight(cause: Cause, error: Error) -> int:
    if _states(cause, error):
        return 0
    return 1 if cause.medium.matches(error.code, error.message) else 2


def changes_since(before: Mapping[str, Verdict], diagnosis: Diagnosis) -> tuple[Change, ...]:
    """The verdicts that are others than they were; none when nothing was found before."""
    if not before:
        return ()
    found = ((finding.cause, before.get(finding.cause), finding.verdict) for finding in diagnosis.findings)
    return tuple(Change(cause, was, now) for cause, was, now in found if was is not now)


def passing_unread(diagnosis: Diagnosis) -> list[str]:
    """The facts that are unknown for a reason that passes. A missing permission or resource is not among them."""
    values = {name: reading.value for name, reading in diagnosis.readings.items()}
    return [name for name, value in values.items() if isinstance(value, Unknown) and value.why in PASSING]


def _causes(failure: Failure, error: Error) -> tuple[Cause, ...]:
    """The error's causes. Of a database in a VM only those of the VM that its own code lists; of a file share none."""
    operation = operation_of(error, failure)
    if is_of_vm(failure, error):
        return causes_of(error, operation, named=operation in (BACKUP, RESTORE))
    of_database = error.in_catalogue and entry(error.code).workload and operation != RESTORE
    return causes_of(error, operation, named=False) if of_database else ()


def applies(cause: Cause, os: Os | None) -> bool:
    return cause.os is None or os is None or cause.os is os


def _finding(cause: Cause, opinion: Opinion, readings: Mapping[str, Reading]) -> Finding:
    told = {name: value for name, value in opinion.evidence.items() if value != NOT_POINTED}
    evidence = tuple(_evidence(name, value, readings) for name, value in told.items())
    return Finding(cause.id, opinion.verdict, evidence, opinion.why)


def _opinion(cause: Cause, readings: Mapping[str, Reading], window: Window, members: Mapping[str, Verdict]) -> Opinion:
    made = {"window": window, "attempt": window, "members": members}
    values = {name: made[name] if name in MADE else _value(name, cause, readings) for name in cause.facts}
    for name, value in values.items():
        if isinstance(value, Unknown) and name not in cause.optional:
            return Opinion(Verdict.UNKNOWN, {name: value}, value)
    try:
        return cause.check(**values)
    except Exception:
        log.exception("the check of %s broke", cause.id)
        return Opinion(Verdict.UNKNOWN, why=Unknown(Reason.CHECK_BROKE))


def _value(name: str, cause: Cause, readings: Mapping[str, Reading]) -> Any:
    """A fact's value; of one that is read only for errors that point to the cause, unless another cause needed it, nothing."""
    return NOT_POINTED if name in cause.pointed and name not in readings else readings[name].value


def _evidence(fact: str, value: Any, readings: Mapping[str, Reading]) -> Evidence:
    """A value of a fact; of one that could not be read nothing is shown, whatever stands in for it."""
    reading = readings.get(fact)
    unread = reading is not None and isinstance(reading.value, Unknown)
    return Evidence(
        fact, None if unread else plain(value), reading.source if reading else "", reading.read_at if reading else None
    )


def plain(value: Any) -> Any:
    """A fact's value as JSON: text, number, bool, None, or a list of these. A fact that is unknown is None."""
    match value:
        case None | Unknown():
            return None
        case bool() | int() | float():
            return value
        case datetime():
            return time_text(value)
        case Enum():
            return str(value.value)
        case str():
            return value
        case Mapping():
            return [f"{key}: {plain(item)}" for key, item in value.items()]
        case Iterable():
            return [plain(item) for item in value]
    return str(value)
