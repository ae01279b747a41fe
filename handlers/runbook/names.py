"""The names that a page and its commands are filled with. One that is not known is a `<placeholder>` for the reader to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.model import Diagnosis, ResourceId, Unknown


class Facts:
    """The facts by name for templates: `facts.agent` is its value, None when it is unknown or was not needed."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name)
        return None if isinstance(value, Unknown) else value


class Named:
    """A resource as a template names it."""

    def __init__(self, resource: ResourceId | None, name: str, group: str, unknown_id: str) -> None:
        self.name, self.group = name, group
        self.id = resource.id if resource else unknown_id
        self.subscription = resource.subscription if resource else "<subscription>"
        self.known = resource is not None


def names_of(diagnosis: Diagnosis) -> dict[str, Any]:
    failure = diagnosis.failure
    vm, vault, item = failure.vm, failure.vault, failure.item
    group, name = (vm.group, vm.name) if vm else ("<vm-group>", failure.item_name or "<vm>")
    native = f"iaasvmcontainerv2;{group};{name}"
    parts = item.id.split("/") if item else []
    began = failure.job.started_at if failure.job else None
    return {
        "vm": Named(vm, name, group, "<vm-id>"),
        "vault": Named(vault, vault.name if vault else "<vault>", vault.group if vault else "<vault-group>", "<vault-id>"),
        "container": parts[-3] if len(parts) > 3 and parts[-3].count(";") == 3 else f"IaasVMContainer;{native}",
        "item": parts[-1] if parts and parts[-1].count(";") == 3 else f"VM;{native}",
        "item_name": failure.item_name or name,
        "window_start": began or failure.failed_at - timedelta(hours=2),
        "retain_until": (failure.failed_at + timedelta(days=30)).strftime("%d-%m-%Y"),
    }
