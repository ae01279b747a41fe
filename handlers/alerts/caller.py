"""Who posts an alert: whoever has a key, or whom App Service authentication names."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence

from handlers.alerts.handshake import Answer, Request

ACTION_GROUPS_APP = "461e8683-5575-4561-ac7f-899cc907d62a"
"""`AzNS AAD Webhook`, which secure webhooks of action groups call as, with the role below.
https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook"""
ACTION_GROUPS_ROLE = "ActionGroupsSecureWebhook"


def refusal(request: Request, auth: str, keys: Sequence[str]) -> Answer | None:
    """What whoever may not post is answered. Without keys of the app's own, the host has checked its keys before."""
    if auth == "entra":
        told = {"error": "The caller is not Azure Monitor's action groups."}
        return None if is_action_group(request.headers) else Answer(403, told)
    return None if not keys or has_key(request.headers, request.query, keys) else Answer(401)


def has_key(headers: Mapping[str, str], query: Mapping[str, str], keys: Sequence[str]) -> bool:
    """Whether a request carries one of the keys, in the two places where the Functions host takes its own.

    Every key is compared with what is offered, each in constant time, so that an answer's duration tells nothing of them.
    https://learn.microsoft.com/azure/azure-functions/function-keys-how-to#access-key-authorization
    """
    folded = {name.lower(): value for name, value in headers.items()}
    offered = (query.get("code", ""), folded.get("x-functions-key", ""))
    return sum(_is_same(key, value) for key in keys for value in offered) > 0


def _is_same(key: str, offered: str) -> bool:
    return hmac.compare_digest(key.encode(), offered.encode(errors="surrogatepass"))


def is_action_group(headers: Mapping[str, str]) -> bool:
    """Whether App Service authentication says that the caller is Azure Monitor's action groups, with their role."""
    claims = claims_of(headers)
    apps = {value for kind, value in claims if kind in ("appid", "azp")}
    return apps == {ACTION_GROUPS_APP} and ACTION_GROUPS_ROLE in roles_in(claims)


def roles_in(claims: Sequence[tuple[str, str]]) -> set[str]:
    """The app roles among claims: the short name of the claim, or the long one of older tokens."""
    return {value for kind, value in claims if kind == "roles" or kind.endswith("/role")}


def claims_of(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What App Service authentication says of the caller, as (type, value); none without it, or for what is no such header.

    It drops such a header from outside:
    https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities#decode-the-client-principal-header
    """
    folded = {name.lower(): value for name, value in headers.items()}
    try:
        principal = json.loads(base64.b64decode(folded.get("x-ms-client-principal", ""), validate=True))
        return [(str(claim["typ"]), str(claim["val"])) for claim in principal["claims"]]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return []
