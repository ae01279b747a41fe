"""Azure Resource Manager's token bucket in the simulated Azure: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.azure import RunningAzure, running_azure
from sandbox.azure.bucket import LEFT_HEADER, ReadBuckets
from sandbox.azure.counts import kind_of
from sandbox.scenario import Scenario, load_scenarios

ONE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(clock: Clock) -> ReadBuckets:
    return ReadBuckets(clock)


def passed(buckets: ReadBuckets, count: int, subscription: str = ONE) -> int:
    return sum(buckets.take(subscription).passes for _ in range(count))


def test_250_reads_pass_at_once_and_no_more(buckets: ReadBuckets) -> None:
    assert passed(buckets, 300) == 250


def test_25_reads_a_second_come_back(buckets: ReadBuckets, clock: Clock) -> None:
    passed(buckets, 300)
    clock.seconds += 2
    assert passed(buckets, 300) == 50


def test_a_bucket_never_holds_more_than_250(buckets: ReadBuckets, clock: Clock) -> None:
    passed(buckets, 10)
    clock.seconds += 3600
    assert passed(buckets, 300) == 250


def test_each_subscription_has_a_bucket_of_its_own_in_whatever_case_it_is_named(buckets: ReadBuckets) -> None:
    passed(buckets, 250, ONE.upper())
    assert not buckets.take(ONE).passes
    assert buckets.take(OTHER).passes


def test_it_tells_how_many_are_left_and_when_to_come_again(buckets: ReadBuckets) -> None:
    assert buckets.take(ONE).left == 249
    passed(buckets, 249)
    refused = buckets.take(ONE)
    assert (refused.left, refused.retry_after) == (0, 1)


# ---------------------------------------------------------------------------------------------- over HTTP


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenarios()[0]


@pytest.fixture
def throttled(scenario: Scenario) -> Iterator[RunningAzure]:
    """Its clock stands still: nothing comes back, however long the reads take."""
    with running_azure([scenario]) as azure:
        azure.azure.buckets = ReadBuckets(Clock())
        yield azure


def locks(azure: RunningAzure, scenario: Scenario, session: requests.Session) -> requests.Response:
    path = f"/subscriptions/{scenario.subscription}/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
    return session.get(azure.url + path, timeout=30)


def test_over_the_limit_arm_answers_429_as_it_does(throttled: RunningAzure, scenario: Scenario) -> None:
    with requests.Session() as session:
        found = [locks(throttled, scenario, session) for _ in range(260)]
    refused = [answer for answer in found if answer.status_code == 429]
    assert [answer.status_code for answer in found] == [200] * 250 + [429] * 10
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].headers[LEFT_HEADER] == "0"
    assert refused[0].json()["error"]["code"] == "SubscriptionRequestsThrottled"
    assert f"'read' requests for subscription '{scenario.subscription}'" in refused[0].json()["error"]["message"]
    counts = throttled.azure.counts.as_json()
    assert counts["reads"] == {"microsoft.authorization/locks list": 260}
    assert counts["subscriptions"] == {scenario.subscription: 260}
    assert counts["statuses"]["429"] == 10


def test_every_answer_under_it_says_how_many_reads_are_left(throttled: RunningAzure, scenario: Scenario) -> None:
    with requests.Session() as session:
        left = [int(locks(throttled, scenario, session).headers[LEFT_HEADER]) for _ in range(3)]
    assert left == [249, 248, 247]


def test_it_is_off_until_it_is_asked_for(scenario: Scenario) -> None:
    with running_azure([scenario]) as azure, requests.Session() as session:
        assert LEFT_HEADER not in locks(azure, scenario, session).headers
        session.post(f"{azure.url}/_sandbox/throttle", json={"on": True}, timeout=30)
        assert locks(azure, scenario, session).headers[LEFT_HEADER] == "249"


def test_calls_are_counted_by_kind() -> None:
    vm = "/subscriptions/S//resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-1"
    assert kind_of(vm) == "microsoft.compute/virtualmachines"
    assert kind_of(f"{vm}/extensions") == "microsoft.compute/virtualmachines/extensions list"
    assert kind_of("/v1/workspaces/w/query") == "log query"
