"""The connections to a ticketing system.

`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `REQUESTS_CA_BUNDLE` are obeyed: https://requests.readthedocs.io/en/latest/user/advanced/#proxies.
A `.netrc` is not read: whoever we are, the settings say so. https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
"""

from __future__ import annotations

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url


class _FromTheSettings(AuthBase):
    """What requests would look up by itself is only what the address itself holds."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        user, password = get_auth_from_url(request.url or "")
        return HTTPBasicAuth(user, password)(request) if user or password else request


def ticket_session() -> requests.Session:
    session = requests.Session()
    session.auth = _FromTheSettings()
    return session
