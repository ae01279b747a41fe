"""Reads from Azure: pages, retries that never sleep long, tokens that go to Azure only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, SansIOHTTPPolicy
from werkzeug.wrappers import Request, Response

from handlers.azure.arm import QUERIES_LEFT, QUERIES_RESET, READS_LEFT, Azure, NotRead, NoWorkspace, PartialAnswer
from handlers.settings import Settings
from sandbox.azure import RunningAzure, running_azure
from sandbox.http import serving
from sandbox.scenario import load_scenarios

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios()}
SCENARIO = SCENARIOS["many_neighbours"]
LOCKS = f"/subscriptions/{SCENARIO.subscription}/providers/Microsoft.Authorization/locks"


@pytest.fixture
def running() -> Iterator[RunningAzure]:
    with running_azure([SCENARIO], page_size=20) as azure:
        yield azure


def azure_at(url: str, **settings: Any) -> Azure:
    return Azure(Settings(ticket_url="http://127.0.0.1", **({"arm_endpoint": url, "logs_endpoint": url} | settings)))


def test_pages_are_joined(running: RunningAzure) -> None:
    path = f"/subscriptions/{SCENARIO.subscription}/providers/Microsoft.Compute/restorePointCollections"
    found = azure_at(running.url).list_all(path, "2025-04-01")
    assert len(found) > 2
    assert len({body["id"] for body in found}) == len(found)
    assert len(running.calls()) > 1


def test_a_next_link_to_another_host_is_not_followed() -> None:
    def answer(_: Request) -> Response:
        return Response('{"value": [], "nextLink": "https://evil.example/next"}', mimetype="application/json")

    with serving(answer) as url, pytest.raises(ValueError, match="another host"):
        azure_at(url).list_all("/x", "1")


def test_an_id_in_an_answer_that_names_another_host_is_not_asked_there(running: RunningAzure) -> None:
    with pytest.raises(ValueError, match="not a path"):
        azure_at(running.url).get("https://evil.example/subscriptions/x", "1")
    with pytest.raises(ResourceNotFoundError):
        azure_at(running.url).get("//evil.example/subscriptions/x", "1")


def test_the_backup_client_follows_no_next_link_to_another_host() -> None:
    def answer(_: Request) -> Response:
        return Response('{"value": [], "nextLink": "https://evil.example/next"}', mimetype="application/json")

    with serving(answer) as url, pytest.raises(ValueError, match="leave Azure Resource Manager"):
        list(azure_at(url).backup("s").backup_jobs.list("v", "g"))


@pytest.mark.parametrize("seconds", [4, 1200])
def test_a_long_retry_after_is_an_error_at_once(running: RunningAzure, seconds: int) -> None:
    running.add_fault(match="GET */locks*", status=429, retry_after=seconds)
    with pytest.raises(HttpResponseError) as caught:
        azure_at(running.url).get(LOCKS, "2020-05-01")
    assert caught.value.status_code == 429
    assert len(running.calls()) == 1, "what is slept is followed by another try"


def test_a_long_retry_after_is_not_slept_by_the_backup_sdk_either(running: RunningAzure) -> None:
    running.add_fault(match="GET */backupJobs*", status=429, retry_after=1200)
    with pytest.raises(HttpResponseError):
        azure_at(running.url).backup(SCENARIO.subscription).job_details.get("rsv-shop", "rg-vaults", "x")
    assert len(running.calls()) == 1


def test_a_short_retry_after_is_waited_for(running: RunningAzure) -> None:
    running.add_fault(match="GET */locks*", status=429, retry_after=1, times=1)
    assert azure_at(running.url).list_all(LOCKS, "2020-05-01")


def test_a_dropped_connection_is_tried_again(running: RunningAzure) -> None:
    running.add_fault(match="GET */locks*", drop=True, times=1)
    assert azure_at(running.url).list_all(LOCKS, "2020-05-01")
    running.add_fault(match="GET */locks*", drop=True)
    with pytest.raises(ServiceResponseError):
        azure_at(running.url).get(LOCKS, "2020-05-01")


def test_404_has_its_own_exception(running: RunningAzure) -> None:
    with pytest.raises(ResourceNotFoundError):
        azure_at(running.url).get(
            f"/subscriptions/{SCENARIO.subscription}/resourceGroups/none/providers/Microsoft.Compute/disks/d", "1"
        )


def test_without_a_workspace_no_log_is_asked(running: RunningAzure) -> None:
    from datetime import timedelta

    with pytest.raises(NoWorkspace):
        azure_at(running.url).query_logs("Heartbeat", timedelta(days=1))
    assert running.calls() == []


def test_tokens_go_to_azure_and_never_to_loopback() -> None:
    azure = azure_at("https://management.azure.com")
    assert isinstance(azure._authentication("https://management.azure.com/.default"), BearerTokenCredentialPolicy)
    assert type(azure._authentication("http://127.0.0.1:1/.default")) is SansIOHTTPPolicy


def test_the_pacer_obeys_what_recovery_services_says_of_the_requests_that_are_left() -> None:
    """They come in another header than those of other services."""

    def answer(_: Request) -> Response:
        return Response('{"value": []}', mimetype="application/json", headers={READS_LEFT[1]: "51"})

    with serving(answer) as url:
        azure = azure_at(url)
        azure.list_all("/subscriptions/s/x", "1")
    assert azure.budget.spare("s") == 0


def test_the_pacer_obeys_the_quota_of_resource_graph() -> None:
    def answer(_: Request) -> Response:
        headers = {QUERIES_LEFT: "0", QUERIES_RESET: "00:01:00"}
        return Response('{"data": [], "resultTruncated": "false"}', mimetype="application/json", headers=headers)

    with serving(answer) as url:
        azure = azure_at(url)
        assert azure.query_graph("resources", ["s"]) == []
        with pytest.raises(NotRead):
            azure.query_graph("resources", ["s"])


def test_the_pages_of_a_query_are_joined() -> None:
    pages: list[str] = []

    def answer(request: Request) -> Response:
        pages.append(request.get_json()["options"].get("$skipToken", ""))
        token = "" if pages[-1] else ', "$skipToken": "next"'
        return Response(f'{{"data": [{{"id": "{len(pages)}"}}], "resultTruncated": "false"{token}}}', mimetype="application/json")

    with serving(answer) as url:
        assert azure_at(url).query_graph("resources", ["s"]) == [{"id": "1"}, {"id": "2"}]
    assert pages == ["", "next"]


def test_an_answer_of_resource_graph_that_is_cut_is_no_answer() -> None:
    def answer(_: Request) -> Response:
        return Response('{"data": [{"id": "1"}], "resultTruncated": "true"}', mimetype="application/json")

    with serving(answer) as url, pytest.raises(PartialAnswer):
        azure_at(url).query_graph("resources", ["s"])
