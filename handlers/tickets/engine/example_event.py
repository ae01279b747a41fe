"""An event in which everything is known, to look at expressions when the app starts. A tag of any name is there."""

from __future__ import annotations

from typing import Any


class AnyTag(dict[str, str]):
    """Tags of a resource that has whichever is asked for."""

    def __missing__(self, name: str) -> str:
        return "example"

    def get(self, name: str, default: Any = None) -> str:
        return "example"


TIME = "2026-11-22T02:00:00Z"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-example/providers"
VM, VAULT = f"{GROUP}/Microsoft.Compute/virtualMachines/vm-example", f"{GROUP}/Microsoft.RecoveryServices/vaults/rsv-example"
EXAMPLE: dict[str, Any] = {
    "type": "incident.opened",
    "timestamp": TIME,
    "data": {
        "incident": {
            "id": "0" * 32, "status": "open", "failures": 1, "first_failed_at": TIME, "last_failed_at": TIME,
            "url": "https://example.com/runbook",
        },
        "title": "Backup of vm-example failed",
        "severity": "Sev1",
        "protected_item": {"id": f"{VAULT}/item", "name": "vm-example", "workload": "AzureIaasVM", "vault_id": VAULT},
        "vm": {
            "id": VM, "name": "vm-example", "resource_group": "rg-example", "subscription_id": SUBSCRIPTION,
            "location": "westeurope", "os": "Linux",
        },
        "job": {
            "id": "example", "operation": "Backup", "started_at": TIME, "ended_at": TIME, "activity_id": "example", "scheduled": True,
        },
        "error": {
            "code": "UserErrorRpCollectionLimitReached", "number": 1, "message": "example", "title": "example",
            "category": "restore_point", "transient": "no", "matched_by": "job",
        },
        "recovery": {
            "last_good_at": TIME, "last_clean_at": TIME, "hours_since": 24, "interval_hours": 24, "missed_runs": 1,
            "next_run_at": TIME, "act": "soon", "until": TIME,
        },
        "findings": [],
        "changes": [],
        "changes_since_last_good": [],
        "changes_unread": [],
        "owner": "example",
        "tags": {"vm": AnyTag(), "resource_group": AnyTag(), "vault": AnyTag()},
        "storm": None,
        "note": {"markdown": "example"},
        "runbook": {"language": "en", "markdown": "example", "html": "<p>example</p>"},
        "ticket": {"id": None, "url": None},
    },
}  # fmt: skip
