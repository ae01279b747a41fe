"""`list_failed_backups`: the protected items whose newest ended backup failed, as `failures` lists them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.agents.ids import VAULT_FORM
from handlers.agents.sources import Sources
from handlers.alerts.ids import vault_of
from handlers.cli.diagnose import named
from handlers.cli.failures import Failed, FailedItem, failed_jobs, subscription, told
from handlers.model import ResourceId
from handlers.tickets.event import time_of


def list_failed_backups(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    reading, limit = sources.reading(), arguments["limit"]
    failed, unread = failed_jobs(_asked(arguments, sources), reading)
    newest = sorted(failed, key=_failed_at, reverse=True)[:limit]
    return {
        "failures": [_shown(told(item, False, reading)) for item in newest],
        "total": len(failed),
        "not_read": [str(problem) for problem in unread],
    }


def _asked(arguments: Mapping[str, Any], sources: Sources) -> Namespace:
    """What the terminal's command would be given. Raises NotDone."""
    chosen, vault = [subscription(text) for text in arguments["subscription_ids"]], arguments["vault_id"]
    if vault:
        resource = ResourceId.parse(vault := named(vault, vault_of, "vault_id", VAULT_FORM))
        chosen += [resource.subscription] if resource else []
    for subscription_id in chosen:
        sources.check_watched(subscription_id)
    return Namespace(vault=vault, subscription=chosen, since=timedelta(hours=arguments["since_hours"]))


def _failed_at(failed: Failed) -> float:
    moment = failed.job.ended_at or failed.job.started_at
    return moment.timestamp() if moment else 0.0


def _shown(item: FailedItem) -> dict[str, Any]:
    return {
        "item": item.item,
        "vault_id": item.vault_id,
        "job_id": item.job,
        "failures": item.failures,
        "failed_at": time_of(item.failed_at),
        "last_good_at": time_of(item.last_good_at),
        "hours_since": item.hours_since,
        "code": item.code,
        "error": item.error,
    }
