"""Which job an alert is about, and which error it had."""

from __future__ import annotations

from copy import replace
from datetime import datetime

from handlers.azure.arm import Azure
from handlers.diagnosis.catalogue import classify, entry, operation_of
from handlers.facts.jobs import find_job, listed_job
from handlers.model import Alert, Error, Failure


def identify(alert: Alert, azure: Azure, now: datetime, *, sharing: bool = False) -> tuple[Failure, Error]:
    """The failure that an alert is about: its job found, its error classified.

    `sharing`: the job comes from its vault's list, which many alerts share, if the alert itself names the error.
    """
    if sharing and (job := listed_job(alert, azure)):
        error = classify(alert, job)
        if names_error(error):
            return named_for(error, Failure.of(alert, job, now)), error
    found = find_job(alert, azure)
    error = classify(alert, found.job)
    return named_for(error, Failure.of(alert, found.job, now, found.unread)), error


def named_for(error: Error, failure: Failure) -> Failure:
    """The failure with the operation that failed, which its code tells where neither job nor alert does."""
    return replace(failure, operation=operation_of(error, failure))


def names_error(error: Error) -> bool:
    """Whether an alert names its error so that no other may hide behind it."""
    return error.in_catalogue and error.matched_by != "message" and not entry(error.code).wrapper
