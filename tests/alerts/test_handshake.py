"""The handshakes of webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.alerts.handshake import cloud_events_validation, event_grid_validation
from tests.alerts.samples import PUBLISHED, changed, sample
from tests.alerts.test_read import alert_like, any_json

BODY = sample("event_grid_validation")
CODE = "F0C4D1A8-93B7-4E26-A1D5-7B8E20C6F394"


def test_the_validation_code_is_sent_back() -> None:
    assert event_grid_validation(BODY, {"aeg-event-type": "SubscriptionValidation"}) == {"validationResponse": CODE}


def test_the_header_or_the_event_type_is_enough() -> None:
    assert event_grid_validation(BODY, {}) == {"validationResponse": CODE}
    assert event_grid_validation(BODY[0], {}) == {"validationResponse": CODE}
    untyped = changed(BODY, 0, "eventType", to=None)
    assert event_grid_validation(untyped, {"AEG-Event-Type": "subscriptionvalidation"}) == {"validationResponse": CODE}
    assert event_grid_validation(untyped, {"aeg-event-type": "Notification"}) is None


@pytest.mark.parametrize("code", ["", None, 7, [CODE], {"a": 1}, "a" * 201, "a\r\nSet-Cookie: b", "<script>", "a b", "ç"])
def test_a_code_that_is_no_plain_word_is_not_sent_back(code: Any) -> None:
    assert event_grid_validation(changed(BODY, 0, "data", "validationCode", to=code), {}) is None


@pytest.mark.parametrize("body", [sample("event_grid"), sample("azure_backup_vm"), [], [*BODY, *BODY], None, "x"])
def test_other_bodies_are_no_handshake(body: Any) -> None:
    assert event_grid_validation(body, {}) is None


def test_the_published_handshake_is_answered_as_published() -> None:
    asked, answer = (PUBLISHED / f"eventgrid_subscription_validation{part}_doc.json" for part in ("", "_response"))
    if not asked.exists():
        pytest.skip("the published samples are not here")
    assert event_grid_validation(json.loads(asked.read_text()), {}) == json.loads(answer.read_text())


def test_the_origin_is_allowed() -> None:
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net", "webhook-request-rate": "120"}
    assert cloud_events_validation(headers) == {
        "WebHook-Allowed-Origin": "eventgrid.azure.net",
        "WebHook-Allowed-Rate": "120",
        "Allow": "POST, OPTIONS",
    }


@pytest.mark.parametrize("rate", ["", "fast", "-1", "1" * 10, "1\r\nx"])
def test_any_rate_is_allowed_when_none_is_asked(rate: str) -> None:
    found = cloud_events_validation({"webhook-request-origin": "a.example", "WebHook-Request-Rate": rate})
    assert found
    assert found["WebHook-Allowed-Rate"] == "*"


@pytest.mark.parametrize("origin", ["", "a\r\nb: c", "a" * 254, "<a>", "a b"])
def test_without_a_plain_origin_nothing_is_allowed(origin: str) -> None:
    assert cloud_events_validation({"WebHook-Request-Origin": origin}) is None
    assert cloud_events_validation({"Origin": "a.example"}) is None


@given(any_json | alert_like, st.dictionaries(st.text(), st.text()))
def test_no_body_and_no_header_raises(body: Any, headers: dict[str, str]) -> None:
    event_grid_validation(body, headers)
    event_grid_validation([body], headers | {"aeg-event-type": "SubscriptionValidation"})
    cloud_events_validation(headers)
