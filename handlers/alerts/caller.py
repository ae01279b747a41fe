"""Who posts an alert, as App Service authentication says."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

ACTION_GROUPS_APP = "461e8683-5575-4561-ac7f-899cc907d62a"
"""`AzNS AAD Webhook`, which secure webhooks of action groups call as, with the role below.
https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook"""
ACTION_GROUPS_ROLE = "ActionGroupsSecureWebhook"


def is_action_group(headers: Mapping[str, str]) -> bool:
    """Whether App Service authentication says that the caller is Azure Monitor's action groups, with their role.

    https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities#decode-the-client-principal-header
    """
    folded = {name.lower(): value for name, value in headers.items()}
    try:
        principal = json.loads(base64.b64decode(folded.get("x-ms-client-principal", ""), validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return False
    apps = {value for kind, value in claims if kind in ("appid", "azp")}
    roles = {value for kind, value in claims if kind == "roles" or kind.endswith("/role")}
    return apps == {ACTION_GROUPS_APP} and ACTION_GROUPS_ROLE in roles
