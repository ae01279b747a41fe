"""The page's routes in the function host: what Microsoft's worker library makes of the answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from handlers.web.access import SECURITY
from sandbox.function_host import running_host
from tests.conftest import ROOT

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def host(azurite: str) -> Iterator[str]:
    settings = {"TICKET_URL": "https://t.example.com", "AzureWebJobsStorage": azurite, "LINK_KEY": "k" * 32}
    disabled = {f"AzureWebJobs.{name}.Disabled": "1" for name in ("triage", "last_resort")}
    with running_host(ROOT, settings | disabled) as started:
        yield f"{started.url}/api/runbooks"


@pytest.mark.parametrize(("name", "kind"), [("page.css", "text/css"), ("page.js", "text/javascript")])
def test_its_style_and_its_script_are_served(host: str, name: str, kind: str) -> None:
    answer = requests.get(f"{host}/{name}", timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    ["x", f"{'a' * 32}?exp=9999999999&sig=x", f"{'a' * 32}/members.csv", f"{'a' * 32}/job", f"{'a' * 32}/other", "..%2Falerts"],
)
def test_who_has_no_link_gets_the_same_plain_404_from_every_route(host: str, path: str) -> None:
    answer = requests.get(f"{host}/{path}", timeout=30)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (404, "Not found.\n", "text/plain; charset=utf-8")
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("part", ["check", "members.csv", "other"])
def test_a_post_without_a_link_does_as_well(host: str, part: str) -> None:
    answer = requests.post(f"{host}/{'a' * 32}/{part}?exp=9999999999&sig=x", data={"token": "x"}, timeout=30)
    assert (answer.status_code, answer.text) == (404, "Not found.\n")
