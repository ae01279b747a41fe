"""Requests signed as Standard Webhooks say. https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import hashlib
import hmac


def signed_headers(message_id: str, timestamp: int, body: bytes, key: bytes) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp` and, with a key, `webhook-signature: v1,<base64 HMAC-SHA256 of id.timestamp.body>`."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if key:
        digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def signing_key(secret: str) -> bytes:
    """The key of a secret: what follows `whsec_` is base64, anything else is taken as it is."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("TICKET_SECRET begins with whsec_, and what follows is not base64.") from None
