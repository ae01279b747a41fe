"""The list of vaults, and those in it that alert on no failed job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.azure.arm import Azure, NotRead
from handlers.facts.vaults import Vault, log_silent_vaults, vaults_of

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/rsv-1"


def azure_with(read: Callable[[], list[dict[str, Any]]]) -> Azure:
    shared = SimpleNamespace(get=lambda _, made, **__: made())
    return cast(Azure, SimpleNamespace(shared=shared, list_all=lambda *_: read()))


def vault(properties: object) -> dict[str, Any]:
    return {"id": VAULT, "location": "WestEurope", "properties": properties}


def alerts(word: object) -> dict[str, Any]:
    return {"monitoringSettings": {"azureMonitorAlertSettings": {"alertsForAllJobFailures": word}}}


@pytest.mark.parametrize(
    ("properties", "silent"),
    [
        (alerts("Disabled"), True),
        (alerts("disabled"), True),
        (alerts("Enabled"), False),
        (alerts(None), False),
        ({"monitoringSettings": {"azureMonitorAlertSettings": None}}, False),
        ({"monitoringSettings": None}, False),
        ({}, False),
        (None, False),
    ],
)
def test_only_a_vault_that_says_so_is_silent_since_alerts_are_on_by_default(properties: object, silent: bool) -> None:
    assert vaults_of(SUBSCRIPTION, azure_with(lambda: [vault(properties)])) == {VAULT: Vault("westeurope", is_silent=silent)}


def test_a_silent_vault_is_named_and_another_is_not(caplog: pytest.LogCaptureFixture) -> None:
    loud = vault(alerts("Enabled")) | {"id": f"{VAULT}-2"}
    log_silent_vaults([SUBSCRIPTION], azure_with(lambda: [vault(alerts("Disabled")), loud]))
    assert caplog.messages == [f"vault without failure alerts vault=rsv-1 subscription={SUBSCRIPTION}"]


def test_vaults_that_cannot_be_listed_are_not_called_silent(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> list[dict[str, Any]]:
        raise NotRead(SUBSCRIPTION)

    caplog.set_level(logging.WARNING)
    log_silent_vaults([SUBSCRIPTION], azure_with(refuse))
    assert caplog.messages == []
