"""A diagnosis of every error code of the catalogue, of a VM with nothing wrong that could be read from outside, on both systems.

The facts are read once for each system; each code is then diagnosed from them, as its own alert would be.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from functools import cache

from handlers.alerts import read
from handlers.azure.arm import Azure
from handlers.diagnosis import catalogue
from handlers.diagnosis.diagnose import diagnose, facts_needed
from handlers.facts import gather, given
from handlers.facts.jobs import find_job
from handlers.model import Alert, Diagnosis, Error, Failure, Job, JobError, Os, Reading
from handlers.model.failure import OPERATIONS
from handlers.runbook.render import render
from handlers.settings import Settings
from sandbox.azure import running_azure
from sandbox.scenario import Scenario, load_scenarios

PLAIN = "unknown_code"
"""The scenario that is taken without what is wrong in it."""
DEADLINE_SECONDS = 120.0
JOB_NAMES = {"backup": "Backup", "restore": "Restore", "configure": "ConfigureBackup", "register": "Register", "policy": "ModifyPolicy",
             "vault": "UpdateCustomerManagedKey"}  # fmt: skip
"""What a job calls itself, by what it is on a ticket."""


def codes() -> list[str]:
    return sorted(catalogue.entries().keys() - {"unknown"})


@cache
def diagnoses(os: Os) -> Mapping[str, Diagnosis]:
    """By error code."""
    now, scenario = datetime.now(UTC), plain(os)
    with running_azure([scenario]) as running:
        azure = Azure(Settings(ticket_url="http://127.0.0.1", arm_endpoint=running.url, logs_endpoint=running.url,
                               log_analytics_workspace_id="00000000-0000-4000-8000-00000000a0a1"))  # fmt: skip
        alert = read(scenario.alert_body(now))[0]
        assert isinstance(alert, Alert)
        job = find_job(alert, azure).job
        assert job
        failed = {code: failure_of(code, alert, job, now) for code in codes()}
        needed = frozenset[str]().union(*(facts_needed(*each) for each in failed.values()))
        readings = gather(needed, Failure.of(alert, job, now), azure, message="", now=now, deadline=DEADLINE_SECONDS)
    return {code: diagnosis_of(failure, error, readings, now) for code, (failure, error) in failed.items()}


def plain(os: Os) -> Scenario:
    scenario = next(each for each in load_scenarios() if each.name == PLAIN)
    return replace(scenario, data={**scenario.data, "vm": {"name": "vm-01", "resource_group": "rg-app", "os": os.value}})


def failure_of(code: str, alert: Alert, job: Job, now: datetime) -> tuple[Failure, Error]:
    """The same job, failed with that code."""
    message = f"What Azure says of {code}."
    error = replace(catalogue.error_of(code), message=message, matched_by="job")
    name = JOB_NAMES[catalogue.operation_of(error)]
    assert OPERATIONS[name.lower()] == catalogue.operation_of(error)
    own = replace(job, operation=name, errors=(JobError(0, code, message),))
    return Failure.of(replace(alert, error_code=code), own, now), error


def diagnosis_of(failure: Failure, error: Error, readings: Mapping[str, Reading], now: datetime) -> Diagnosis:
    own = {name: Reading(value, "", now) for name, value in given(failure, error.message, now).items()}
    return diagnose(failure, error, {name: own.get(name) or readings[name] for name in facts_needed(failure, error)})


def pages(os: Os, language: str) -> dict[str, str]:
    """The ticket of each code."""
    return {code: render(diagnosis, language).markdown for code, diagnosis in diagnoses(os).items()}
