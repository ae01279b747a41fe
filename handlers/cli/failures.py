"""`failures`: the failed backups of subscriptions or of a vault, per protected item; with `--diagnose` the cause of each."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from handlers.alerts.failed_job import alert_of
from handlers.alerts.ids import vault_of
from handlers.cli.diagnose import missing_rights, named
from handlers.cli.outcome import FAILURES, FINE, USAGE, NotDone, not_done, unreadable
from handlers.cli.reading import Reading
from handlers.diagnosis.catalogue import title_of
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.identify import identify
from handlers.facts.jobs import READ_JOBS, list_jobs
from handlers.facts.vaults import READ_VAULTS, vaults_of
from handlers.model import Diagnosis, Job, ResourceId, Verdict
from handlers.model.text import one_line
from handlers.runbook.templates import cause_title

LOOK_BACK = timedelta(days=8)
"""How far back a good backup is looked for in the list of jobs: a weekly one is among them."""
READS_A_FAILURE, PAUSE_SECONDS = 30, 1.0
"""What a diagnosis reads at most; the next one waits until the read budget has them (handlers/azure/read_budget.py)."""
SUBSCRIPTIONS = "/subscriptions"
LIKELY = (Verdict.CONFIRMED, Verdict.POSSIBLE)
COLUMNS = ("item", "failed (UTC)", "last good (UTC)", "hours", "error")
DIAGNOSED = ("item", "act", "last good (UTC)", "hours", "verdict", "cause")


class FailedItem(Struct, frozen=True):
    """One protected item whose newest ended backup failed. Empty text and None: not known, or not asked for."""

    item: str
    vault_id: str
    job: str
    failures: int
    failed_at: datetime | None
    last_good_at: datetime | None
    hours_since: float | None
    code: str = ""
    error: str = ""
    act: str = ""
    verdict: str = ""
    cause: str = ""
    cause_id: str = ""
    missing_rights: tuple[str, ...] = ()


class Failed(Struct, frozen=True):
    """The newest failed job of an item, and what the vault's list says besides."""

    vault: ResourceId
    job: Job
    failures: int
    good: Job | None


def run(options: Namespace, reading: Reading) -> int:
    failed, unread = failed_jobs(options, reading)
    for problem in unread:
        reading.screen.problem(str(problem))
    what = "Diagnosing" if options.diagnose else "Reading errors"
    shown = [told(item, options.diagnose, reading) for item in reading.screen.over(failed, what)]
    show(shown, options, reading, is_partial=bool(unread))
    return FAILURES if shown else max((problem.code for problem in unread), default=FINE)


# ------------------------------------------------------------------------------------------------ what is read


def failed_jobs(options: Namespace, reading: Reading) -> tuple[list[Failed], list[NotDone]]:
    """The failed items of all vaults that are asked for, and what could not be read. Raises NotDone when that was everything."""
    vaults, unread = vaults_to_read(options, reading)
    failed: list[Failed] = []
    jobs_unread: list[NotDone] = []
    for vault in reading.screen.over(vaults, "Reading backup jobs"):
        try:
            failed += failed_in(vault, options.since, reading)
        except unreadable() as error:
            jobs_unread.append(not_done("The backup jobs", vault.id, error, READ_JOBS))
    unread += jobs_unread
    if unread and len(jobs_unread) == len(vaults):
        raise unread[0]
    return failed, unread


def vaults_to_read(options: Namespace, reading: Reading) -> tuple[list[ResourceId], list[NotDone]]:
    """The vaults that are asked for, and what could not be listed. Raises NotDone."""
    if options.vault:
        vault = ResourceId.parse(named(options.vault, vault_of, "--vault", "/subscriptions/…/vaults/NAME"))
        return [vault] if vault else [], []
    found, unread = [], []
    for subscription in reading.screen.over(subscriptions(options, reading), "Listing vaults"):
        try:
            found += [ResourceId.parse(vault_id) for vault_id in vaults_of(subscription, reading.azure)]
        except unreadable() as error:
            unread.append(not_done("The vaults", f"subscription {subscription}", error, READ_VAULTS))
    return [vault for vault in found if vault], unread


def subscriptions(options: Namespace, reading: Reading) -> Sequence[str]:
    """Those that are named, else those that the app would watch, else all that whoever is signed in can see.

    https://learn.microsoft.com/rest/api/resources/subscriptions/list
    """
    if chosen := options.subscription or reading.settings.watched_subscriptions:
        return tuple(map(subscription, chosen))
    try:
        seen = reading.azure.list_all(SUBSCRIPTIONS, "2022-12-01")
    except unreadable() as error:
        raise not_done("The list of subscriptions", "this sign-in", error) from None
    if not seen:
        raise NotDone("This sign-in sees no subscription: name one with --subscription, or look at `az account list`.", USAGE)
    return tuple(str(body["subscriptionId"]) for body in seen)


def subscription(text: str) -> str:
    if not re.fullmatch(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        raise NotDone(f"--subscription {text!r} is not a GUID: `az account list` shows the ids", USAGE)
    return text


def failed_in(vault: ResourceId, span: timedelta, reading: Reading) -> Iterator[Failed]:
    """The items of a vault that failed in that time and have no good backup since."""
    began = reading.now - max(span, LOOK_BACK)
    jobs = list_jobs(vault, began, reading.now + timedelta(hours=1), reading.azure)
    for item in dict.fromkeys(job.container or job.item_name.lower() for job in jobs):
        own = [job for job in jobs if (job.container or job.item_name.lower()) == item]
        ended = [job for job in own if job.completed or job.status.lower() == "failed"]
        recent = [job for job in ended if not job.completed and (job.ended_at or job.started_at or began) >= reading.now - span]
        if recent and not ended[0].completed:
            yield Failed(vault, recent[0], len(recent), next((job for job in ended if job.completed), None))


def told(failed: Failed, with_cause: bool, reading: Reading) -> FailedItem:
    """What is shown of a failed item: its error, and if asked for its diagnosis."""
    spare_reads(failed.vault.subscription, reading, READS_A_FAILURE if with_cause else 1)
    failure, error = identify(alert_of(failed.job, failed.vault.id), reading.azure, reading.now)
    good = failed.good.started_at if failed.good else None
    shown = FailedItem(
        item=failure.item_name or failed.job.item_name, vault_id=failed.vault.id,
        job=failed.job.id, failures=failed.failures, failed_at=failure.failed_at, last_good_at=good,
        hours_since=hours_between(good, reading.now), code=error.code, error=title_of(error, reading.language),
    )  # fmt: skip
    if not with_cause:
        return shown
    diagnosis = diagnose_failure(failure, error, reading.azure, reading.now, sharing=True, changes=False)
    return diagnosed(shown, diagnosis, reading.language)


def diagnosed(item: FailedItem, diagnosis: Diagnosis, language: str) -> FailedItem:
    """With the risk, the rights that are missing, and the first cause that is confirmed or possible."""
    recovery = diagnosis.recovery
    hours = item.hours_since if recovery.hours_since is None else recovery.hours_since
    last_good = recovery.last_good_at or item.last_good_at
    missing = tuple(missing_rights(diagnosis))
    item = replace(item, act=recovery.act.value, last_good_at=last_good, hours_since=hours, missing_rights=missing)
    likely = next((finding for finding in diagnosis.findings if finding.verdict in LIKELY), None)
    if likely is None:
        return item
    return replace(item, verdict=likely.verdict.value, cause=cause_title(language, likely.cause), cause_id=likely.cause)


def spare_reads(subscription: str, reading: Reading, reads: int, pause: Callable[[float], None] = time.sleep) -> None:
    """Waits until the read budget of the subscription has so many reads to spare."""
    while reading.azure.budget.spare(subscription) < reads:
        pause(PAUSE_SECONDS)


def hours_between(earlier: datetime | None, now: datetime) -> float | None:
    return round((now - earlier).total_seconds() / 3600, 1) if earlier else None


# ------------------------------------------------------------------------------------------------ what is shown


def show(items: Sequence[FailedItem], options: Namespace, reading: Reading, *, is_partial: bool) -> None:
    match options.format:
        case "json":
            reading.screen.write(json.dumps([as_json(item) for item in items], ensure_ascii=False, indent=2))
        case "csv":
            reading.screen.write(as_csv(items))
        case _:
            show_table(items, options.diagnose, is_partial, reading)


def show_table(items: Sequence[FailedItem], with_cause: bool, is_partial: bool, reading: Reading) -> None:
    screen = reading.screen
    if not items:
        screen.line("No backup has failed, as far as it could be read." if is_partial else "No backup has failed.")
        return
    rows = [_cells(item, with_cause) for item in sorted(items, key=_urgency)]
    screen.table(
        DIAGNOSED if with_cause else COLUMNS, rows, right=("hours",), whole=("failed (UTC)", "last good (UTC)", "hours", "act")
    )
    screen.line()
    screen.line(
        f"{len(items)} protected item{'s' if len(items) > 1 else ''} without a good backup since the last failure.", "bold"
    )
    for line in shared(items):
        screen.line(line)
    for right in sorted({right for item in items for right in item.missing_rights}):
        screen.remark(right)
    if not with_cause:
        screen.remark("`--diagnose` tells the cause of each; `diagnose --job ID --vault ID` writes the runbook of one.")


def _cells(item: FailedItem, with_cause: bool) -> tuple[str, ...]:
    good, hours = _time(item.last_good_at) or "none found", "" if item.hours_since is None else f"{int(item.hours_since)}"
    if with_cause:
        return item.item, item.act.replace("_", " "), good, hours, item.verdict or "none", item.cause or item.error
    return item.item, _time(item.failed_at), good, hours, item.error


def _urgency(item: FailedItem) -> tuple[int, float]:
    """What cannot wait first, then what has been without a backup for longest."""
    acts = ("now", "soon", "can_wait", "unknown", "")
    return acts.index(item.act), -(item.hours_since if item.hours_since is not None else 1e9)


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else ""


def shared(items: Sequence[FailedItem]) -> Iterator[str]:
    """What two or more failures share: their cause, code and vault, each with its count."""
    if len(items) < 2:
        return
    for what, values in (
        ("cause", [item.cause for item in items]), ("error code", [item.code for item in items]),
        ("vault", [item.vault_id for item in items]),
    ):  # fmt: skip
        for value, count in _most(values):
            yield f"{count} of {len(items)} share the {what} {value}"


def _most(values: Iterable[str]) -> list[tuple[str, int]]:
    return [(value, count) for value, count in Counter(filter(None, values)).most_common(3) if count > 1]


def as_json(item: FailedItem) -> dict[str, object]:
    values = ((name, getattr(item, name)) for name in item.__struct_fields__)
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values}


def as_csv(items: Sequence[FailedItem]) -> str:
    """The items by column; lists have semicolons between them."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FailedItem.__struct_fields__)
    writer.writerows([_csv_cell(value) for value in as_json(item).values()] for item in items)
    return file.getvalue()


def _csv_cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula begins with a quote. https://owasp.org/www-community/attacks/CSV_Injection"""
    if value is None or isinstance(value, int | float):
        return value
    text = one_line("; ".join(value) if isinstance(value, tuple) else value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
