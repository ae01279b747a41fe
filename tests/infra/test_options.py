"""What is safe by default is so, and what is an option is off until somebody asks for it."""

from __future__ import annotations

import pytest

from tests.infra.bicep import one, text_of

MAIN, STORAGE, AUDIT = text_of("main.bicep"), text_of("modules/storage.bicep"), text_of("modules/audit-logs.bicep")


@pytest.mark.parametrize(
    ("name", "default"),
    [("auditLogs", "true"), ("lockResources", "false"), ("isZoneRedundant", "false"), ("onlyActionGroups", "false"), ("onlyItsTables", "false")],
)  # fmt: skip
def test_what_is_asked_for_by_name(name: str, default: str) -> None:
    assert one(MAIN, "param", name).assigned == default


def test_deleted_blobs_and_containers_can_be_had_back_for_seven_days() -> None:
    service = one(STORAGE, "resource", "account").body["resource blobService"]["properties"]
    assert service["deleteRetentionPolicy"] == service["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 7}


def test_the_lock_keeps_the_group_from_being_deleted() -> None:
    assert one(text_of("modules/lock.bicep"), "resource", "lock").body["properties"]["level"] == "CanNotDelete"
    assert one(MAIN, "module", "lock").assigned.startswith("if (lockResources)")


def test_zones_are_for_storage_and_for_instances() -> None:
    assert one(STORAGE, "resource", "account").body["sku"]["name"] == "isZoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'"
    assert one(text_of("modules/app.bicep"), "resource", "plan").body["properties"]["zoneRedundant"] == "isZoneRedundant"


def test_only_action_groups_means_their_service_tag_and_nobody_else() -> None:
    """https://learn.microsoft.com/azure/virtual-network/service-tags-overview#available-service-tags"""
    site = one(text_of("modules/app.bicep"), "resource", "app").body["properties"]["siteConfig"]
    assert site["ipSecurityRestrictionsDefaultAction"] == "onlyActionGroups ? 'Deny' : 'Allow'"
    assert "tag: 'ServiceTag', ipAddress: 'ActionGroup'" in site["ipSecurityRestrictions"]
    assert site["scmIpSecurityRestrictionsUseMain"] is False


def test_who_read_or_wrote_secrets_and_documents_is_logged() -> None:
    assert one(MAIN, "module", "auditing").assigned.startswith("if (auditLogs)")
    logged = {name: one(AUDIT, "resource", name).body["properties"]["logs"] for name in ("ofSecrets", "ofBlobs", "ofQueues")}
    assert logged["ofSecrets"] == logged["ofBlobs"] == [{"categoryGroup": "audit", "enabled": True}]
    assert logged["ofQueues"] == [{"category": "StorageWrite", "enabled": True}]


def test_who_may_write_secrets_is_assigned_by_name_only() -> None:
    assert one(MAIN, "param", "secretWriters").assigned == "[]"
    writer = one(text_of("modules/secrets.bicep"), "resource", "writer")
    assert writer.assigned.startswith("[\n  for id in secretWriters")
    assert "'Key Vault Secrets Officer'" in writer.text


@pytest.mark.parametrize(
    ("module", "made_only_if"),
    [("vault", "empty(keyVaultId)"), ("operators", "empty(operatorActionGroupId) && !empty(operatorEmails)"), ("newNetwork", "makesNetwork")],
)  # fmt: skip
def test_what_is_there_already_is_not_made_again(module: str, made_only_if: str) -> None:
    assert one(MAIN, "module", module).assigned.startswith(f"if ({made_only_if})")


def test_workspace_network_zones_and_action_groups_can_be_ones_that_are_there() -> None:
    assert one(MAIN, "var", "makesNetwork").assigned == "isPrivate && network == null"
    assert one(MAIN, "var", "actionGroupIds").assigned == "concat([actionGroup.outputs.id], furtherActionGroupIds)"
    assert one(text_of("modules/logs.bicep"), "resource", "made").assigned.startswith("if (isNew)")
    assert "if (empty(zoneId))" in text_of("modules/private-endpoint.bicep")
    assert "privateDnsZones[?part] ?? ''" in MAIN
