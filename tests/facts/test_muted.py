"""Which alert processing rules mute the alert of a failed job. Their shapes are those of Microsoft's own examples."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from handlers.facts.muted import mutes
from handlers.model import ResourceId

VAULT = ResourceId.parse("/subscriptions/s1/resourceGroups/rg-Vaults/providers/Microsoft.RecoveryServices/vaults/rsv-01")
SATURDAY_NIGHT = datetime.fromisoformat("2026-11-28T22:30:00+00:00")


def is_muted(at: datetime = SATURDAY_NIGHT, **changed: Any) -> bool:
    rule = {"scopes": ["/subscriptions/s1"], "actions": [{"actionType": "RemoveAllActionGroups"}], "enabled": True}
    assert VAULT is not None
    return mutes(rule | changed, VAULT, at)


@pytest.mark.parametrize(
    ("scope", "muted"),
    [
        ("/subscriptions/S1", True),
        ("/subscriptions/s1/resourcegroups/RG-VAULTS", True),
        ("/subscriptions/s1/resourceGroups/rg-vaults/providers/microsoft.recoveryservices/vaults/RSV-01/", True),
        ("/subscriptions/s1/resourceGroups/rg-vault", False),
        ("/subscriptions/s2", False),
        ("/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-01", False),
    ],
)
def test_a_rule_is_about_what_lies_in_its_scope(scope: str, muted: bool) -> None:
    assert is_muted(scopes=[scope]) is muted


def test_a_rule_that_is_off_or_adds_action_groups_mutes_nothing() -> None:
    assert is_muted()
    assert not is_muted(enabled=False)
    assert not is_muted(actions=[{"actionType": "AddActionGroups", "actionGroupIds": []}])


@pytest.mark.parametrize(
    ("field", "operator", "values", "muted"),
    [
        ("MonitorService", "Equals", ["Azure Backup"], True),
        ("MonitorService", "Equals", ["Platform"], False),
        ("Severity", "NotEquals", ["Sev0", "Sev1"], False),
        ("TargetResourceType", "Contains", ["recoveryservices"], True),
        ("TargetResource", "DoesNotContain", ["rsv-01"], False),
        ("AlertRuleName", "Contains", ["Backup"], False),
        ("Severity", "MatchesRegex", ["Sev1"], False),
    ],
)
def test_every_condition_must_hold_and_an_unknown_one_does_not(field: str, operator: str, values: list[str], muted: bool) -> None:
    assert is_muted(conditions=[{"field": field, "operator": operator, "values": values}]) is muted


NIGHTS = {"recurrenceType": "Weekly", "startTime": "22:00:00", "endTime": "04:00:00", "daysOfWeek": ["Saturday"]}


@pytest.mark.parametrize(
    ("at", "schedule", "muted"),
    [
        ("2026-11-28T22:30+00:00", {"recurrences": [NIGHTS]}, True),
        ("2026-11-29T03:59+00:00", {"recurrences": [NIGHTS]}, True),
        ("2026-11-29T04:00+00:00", {"recurrences": [NIGHTS]}, False),
        ("2026-11-28T03:00+00:00", {"recurrences": [NIGHTS]}, False),
        ("2026-11-28T16:30+00:00", {"recurrences": [NIGHTS], "timeZone": "India Standard Time"}, True),
        ("2026-11-28T22:30+00:00", {"recurrences": [NIGHTS], "timeZone": "Atlantis Standard Time"}, False),
        ("2026-11-28T12:00+00:00", {"recurrences": [{"recurrenceType": "Weekly", "daysOfWeek": ["Saturday", "Sunday"]}]}, True),
        ("2026-11-27T18:00+00:00", {"recurrences": [{"recurrenceType": "Daily", "startTime": "17:00:00", "endTime": "09:00:00"}]}, True),
        ("2026-11-27T12:00+00:00", {"recurrences": [{"recurrenceType": "Daily", "startTime": "17:00:00", "endTime": "09:00:00"}]}, False),
        ("2026-11-27T12:00+00:00", {"recurrences": [{"recurrenceType": "Monthly", "daysOfMonth": [27]}]}, True),
        ("2026-11-28T02:30+00:00", {"effectiveFrom": "2026-11-27T18:00:00", "effectiveUntil": "2026-11-27T20:00:00",
                                    "timeZone": "Pacific Standard Time"}, True),
        ("2026-11-27T19:00+00:00", {"effectiveFrom": "2026-11-27T18:00:00", "effectiveUntil": "2026-11-27T20:00:00",
                                    "timeZone": "Pacific Standard Time"}, False),
        ("2026-11-27T19:00+00:00", {"effectiveFrom": "soon"}, False),
    ],
)  # fmt: skip
def test_a_rule_is_open_by_the_clock_of_its_zone(at: str, schedule: dict[str, Any], muted: bool) -> None:
    assert is_muted(datetime.fromisoformat(at), schedule=schedule) is muted
