"""Gather the facts that an error's causes need, run the causes' checks on them, order the findings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import Cause, causes_of
from handlers.facts import gather
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
    time_text,
    unknown,
)
from handlers.model.failure import VM_WORKLOAD

log = logging.getLogger(__name__)

PASSING = (Reason.THROTTLED, Reason.TIMED_OUT, Reason.FAILED)
"""Why a fact is unknown now and may be known later."""


def diagnose_failure(failure: Failure, error: Error, azure: Azure, now: datetime, *, sharing: bool = False) -> Diagnosis:
    """Gather the facts that the error's causes need, and check the causes.

    `sharing`: lists of a whole subscription may come from what was read for another failure.
    """
    needed = facts_needed(failure, error)
    return diagnose(failure, error, gather(needed, failure, azure, message=error.message, now=now, sharing=sharing))


def facts_needed(failure: Failure, error: Error) -> frozenset[str]:
    """The names of the facts that the error's causes need, and the VM itself, which every runbook shows."""
    return frozenset({"vm"}.union(*(cause.facts for cause in _causes(failure, error))))


def diagnose(failure: Failure, error: Error, readings: Mapping[str, Reading]) -> Diagnosis:
    """The findings of every cause that applies to the VM's operating system (of both systems when it is unknown)."""
    machine = readings["vm"].value
    os = machine.os if isinstance(machine, VirtualMachine) else None
    order = list(Verdict)
    findings = [_find(cause, readings) for cause in _causes(failure, error) if applies(cause, os)]
    return Diagnosis(failure, error, tuple(sorted(findings, key=lambda f: order.index(f.verdict))), readings, os)


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
    """The error's causes; none for something that has no VM below it, such as a file share."""
    has_vm = failure.workload == VM_WORKLOAD or failure.vm is not None
    return causes_of(error) if has_vm else ()


def applies(cause: Cause, os: Os | None) -> bool:
    return cause.os is None or os is None or cause.os is os


def _find(cause: Cause, readings: Mapping[str, Reading]) -> Finding:
    opinion = _opinion(cause, readings)
    evidence = tuple(_evidence(name, value, readings) for name, value in opinion.evidence.items())
    return Finding(cause.id, opinion.verdict, evidence, opinion.why)


def _opinion(cause: Cause, readings: Mapping[str, Reading]) -> Opinion:
    values = {name: readings[name].value for name in cause.facts}
    for name, value in values.items():
        if isinstance(value, Unknown) and name not in cause.optional:
            return unknown(value.why, value.detail, **{name: value})
    try:
        return cause.check(**values)
    except Exception:
        log.exception("the check of %s broke", cause.id)
        return unknown(Reason.CHECK_BROKE)


def _evidence(fact: str, value: Any, readings: Mapping[str, Reading]) -> Evidence:
    reading = readings.get(fact)
    return Evidence(fact, plain(value), reading.source if reading else "", reading.read_at if reading else None)


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
