"""Why a system did not answer, in plain words. An exception's own text holds the URL, and a URL may hold a secret."""

from __future__ import annotations


def why_no_answer(error: Exception) -> str:
    import requests
    from urllib3.exceptions import NameResolutionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy (HTTPS_PROXY) cannot be reached, or does not let this through"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted, or it does not speak TLS (REQUESTS_CA_BUNDLE names the file of an authority of your own)"
    if isinstance(reason, NameResolutionError):
        return "the name of its host is not known here"
    if isinstance(error, requests.ConnectTimeout):
        return "no connection came about in time: is it reachable from here, or behind a firewall?"
    if isinstance(error, requests.Timeout):
        return "it took the request, and was silent for too long"
    if isinstance(error, requests.ConnectionError):
        return "the connection was refused or broke off"
    return "its answer was not HTTP"
