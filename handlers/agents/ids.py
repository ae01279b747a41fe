"""Which backup a call is about: a VM, a protected item, or a job with its vault."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from handlers.agents.sources import Sources
from handlers.alerts.ids import item_of, vault_of, vm_of
from handlers.cli.diagnose import named
from handlers.cli.outcome import USAGE, NotDone

VAULT_FORM = "/subscriptions/…/vaults/NAME"
FORMS: Mapping[str, tuple[Callable[[str], str], str]] = {
    "vm_id": (vm_of, "/subscriptions/…/virtualMachines/NAME"),
    "item_id": (item_of, "/subscriptions/…/vaults/NAME/backupFabrics/…/protectedItems/NAME"),
    "vault_id": (vault_of, VAULT_FORM),
}


def backup_asked_for(arguments: Mapping[str, Any], sources: Sources) -> Namespace:
    """What the terminal's `diagnose` would be given. Raises NotDone."""
    ids = {name: named(arguments[name], *_form(name)) if arguments[name] else "" for name in FORMS}
    job = arguments["job_id"]
    if sum(map(bool, (ids["vm_id"], ids["item_id"], job))) != 1:
        raise NotDone("name one backup: vm_id, item_id, or job_id with vault_id", USAGE)
    if job and not ids["vault_id"]:
        raise NotDone("job_id needs vault_id: the id of the vault that ran it", USAGE)
    for resource_id in filter(None, ids.values()):
        sources.check_resource(resource_id)
    return Namespace(vm=ids["vm_id"], item=ids["item_id"], job=job, vault=ids["vault_id"])


def _form(name: str) -> tuple[Callable[[str], str], str, str]:
    part_of, form = FORMS[name]
    return part_of, name, form
