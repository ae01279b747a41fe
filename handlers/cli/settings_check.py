"""`settings check`: every setting and right of a deployment, tried out with something harmless, in plain words.

It is whoever runs it whose rights are tried: in the app's own console that is the app, elsewhere the one who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.cli import tickets
from handlers.cli.outcome import FAILURES, FINE, NOT_PERMITTED, NotDone, not_done, unreadable
from handlers.cli.screen import Screen
from handlers.facts.jobs import READ_JOBS, list_jobs
from handlers.facts.locks import API as LOCKS_API
from handlers.facts.logs import QUERY
from handlers.facts.vaults import READ_VAULTS, vaults_of
from handlers.model import ResourceId
from handlers.records.storage import ALERT_BLOBS, INCIDENT_BLOBS, Storage, StorageDown
from handlers.settings import Settings, SettingsError
from handlers.wiring import settings_in

OK, FAILED, FORBIDDEN, NOT_IN_USE = "ok", "failed", "not permitted", "not in use"
LOGS = "AddonAzureBackupJobs | take 1"
A_DAY = timedelta(days=1)


class NotInUse(Exception):
    """A part of the app that is not in use; the text says what that means."""


class Result(Struct, frozen=True):
    what: str
    verdict: str
    said: str = ""


class Try(Struct, frozen=True):
    """Something harmless: what it is about, what it does (its answer is told), and which right it needs."""

    what: str
    act: Callable[[], str]
    needs: str = ""


def run(environment: Mapping[str, str], screen: Screen) -> int:
    results = [tried(Try("settings", partial(_start, environment)))]
    if results[0].verdict == OK:
        tries = [
            *azure_tries(environment),
            *storage_tries(environment),
            Try("ticket system", partial(_ticket_system, environment)),
        ]
        results += [tried(attempt) for attempt in screen.over(tries, "Trying what the app needs")]
    screen.table(("what", "is", "in words"), [(result.what, result.verdict, result.said) for result in results], whole=("is",))
    verdicts = {result.verdict for result in results}
    return NOT_PERMITTED if FORBIDDEN in verdicts else FAILURES if FAILED in verdicts else FINE


def tried(attempt: Try) -> Result:
    try:
        return Result(attempt.what, OK, attempt.act())
    except NotInUse as why:
        return Result(attempt.what, NOT_IN_USE, str(why))
    except (NotDone, StorageDown, SettingsError) as problem:
        return _not_done(attempt, problem)
    except unreadable() as error:
        return _not_done(attempt, not_done("Reading", attempt.what, error, attempt.needs))


def _not_done(attempt: Try, problem: Exception) -> Result:
    is_forbidden = isinstance(problem, NotDone) and problem.code == NOT_PERMITTED
    return Result(attempt.what, FORBIDDEN if is_forbidden else FAILED, str(problem))


def azure_tries(environment: Mapping[str, str]) -> Iterator[Try]:
    settings = Settings.from_environment(environment)
    azure = Azure(settings)
    if not settings.watched_subscriptions:
        yield Try("watched subscriptions", partial(_not_in_use, "WATCHED_SUBSCRIPTIONS is empty: nothing is swept for"))
    for subscription in settings.watched_subscriptions:
        yield Try(f"vaults of {subscription}", partial(_vaults, subscription, azure), READ_VAULTS)
        yield Try(f"backup jobs of {subscription}", partial(_jobs, subscription, azure), READ_JOBS)
        yield Try(f"locks of {subscription}", partial(_locks, subscription, azure), "Microsoft.Authorization/locks/read")
    yield Try("log workspace", partial(_logs, azure), QUERY)


def storage_tries(environment: Mapping[str, str]) -> Iterator[Try]:
    storage = Storage(environment, creating=False)
    yield Try("queue alerts", partial(_queue, storage), "Storage Queue Data Contributor")
    yield Try("table incidents", partial(_table, storage), "Storage Table Data Contributor")
    for container in sorted({ALERT_BLOBS, INCIDENT_BLOBS}):
        yield Try(f"blobs {container}", partial(_blobs, container, storage), "Storage Blob Data Contributor")


# ------------------------------------------------------------------------------------------------ what is tried


def _start(environment: Mapping[str, str]) -> str:
    """Raises SettingsError or NotDone for settings that the app would not start with."""
    try:
        settings_in(environment)
    except ValueError as error:
        raise NotDone(str(error)) from None
    return f"the app starts with them; tickets go to {_names_of_targets(environment)}"


def _ticket_system(environment: Mapping[str, str]) -> str:
    wrong = tickets.check(environment)
    if not any(target.system.check for target in tickets.chosen_targets(environment)):
        raise NotInUse(wrong)
    if wrong:
        raise NotDone(wrong)
    return f"{_names_of_targets(environment)} answers, and takes what the settings say"


def _names_of_targets(environment: Mapping[str, str]) -> str:
    """The systems that tickets go to, each once."""
    return ", ".join(dict.fromkeys(target.system.name for target in tickets.chosen_targets(environment)))


def _not_in_use(why: str) -> str:
    raise NotInUse(why)


def _vaults(subscription: str, azure: Azure) -> str:
    return _counted(vaults_of(subscription, azure), "vault")


def _jobs(subscription: str, azure: Azure) -> str:
    """Those of one vault, of a day."""
    vault = next(map(ResourceId.parse, vaults_of(subscription, azure)), None)
    if vault is None:
        raise NotInUse("there is no vault")
    now = datetime.now(UTC)
    return f"{_counted(list_jobs(vault, now - A_DAY, now, azure), 'job')} of {vault.name} in 24 hours"


def _locks(subscription: str, azure: Azure) -> str:
    return _counted(azure.list_all(f"/subscriptions/{subscription}/providers/Microsoft.Authorization/locks", LOCKS_API), "lock")


def _logs(azure: Azure) -> str:
    if not azure.has_workspace:
        raise NotInUse("LOG_ANALYTICS_WORKSPACE_ID is empty: what only logs tell is unknown on every ticket")
    rows = azure.query_logs(LOGS, A_DAY)
    return "it answers" if rows else "it answers, but no vault has sent a backup job there in 24 hours"


def _queue(storage: Storage) -> str:
    waiting = storage.queue().get_queue_properties().approximate_message_count or 0
    return f"{_counted(range(waiting), 'message')} waiting"


def _table(storage: Storage) -> str:
    next(iter(storage.table().list_entities(results_per_page=1, select=["PartitionKey"])), None)
    return "it answers"


def _blobs(container: str, storage: Storage) -> str:
    storage.blobs(container).get_container_properties()
    return "it answers"


def _counted(items: Sized, noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"
