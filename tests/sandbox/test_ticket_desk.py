"""The ticket desk: signed events become tickets; repeats are recognised; pages show them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from handlers.tickets.engine.signature import signed_headers, signing_key
from sandbox.ticket_desk import Trouble, running_desk, words_of

SECRET = "whsec_c2VjcmV0LWtleQ=="


def event(kind: str = "incident.opened", incident: str = "a" * 32, verdict: str = "possible", **data: Any) -> dict[str, Any]:
    status = "resolved" if kind == "incident.resolved" else "open"
    finding = {"cause": "restore_point_group_locked", "verdict": verdict, "title": "A lock", "evidence": [], "remediation": []}
    base = {
        "incident": {"id": incident, "status": status},
        "title": "Backup of vm-pay-01 failed",
        "severity": "Sev1",
        "protected_item": {"name": "vm-pay-01"},
        "vm": {"name": "vm-pay-01", "resource_group": "rg-payments", "os": "Windows"},
        "job": {"id": "job-1"},
        "error": {"code": "UserErrorRpCollectionLimitReached", "matched_by": "job"},
        "findings": [] if kind == "incident.resolved" else [finding],
        "runbook": {"language": "en", "markdown": "# Runbook\n\n```bash\naz lock list\n```"},
    }
    return {"type": kind, "timestamp": "2026-11-22T19:30:00Z", "data": base | data}


def send(
    url: str, body: dict[str, Any], message_id: str = "m1", secret: str = SECRET, timestamp: int | None = None
) -> requests.Response:
    content = json.dumps(body).encode()
    headers = signed_headers(message_id, timestamp or int(time.time()), content, signing_key(secret))
    return requests.post(url, data=content, headers=headers, timeout=10)


def test_a_signed_event_becomes_a_ticket_with_an_id_and_a_page() -> None:
    with running_desk(SECRET) as desk:
        answer = send(desk.webhook_url, event())
        assert answer.status_code == 201
        assert answer.json()["id"] == "DESK-1"
        page = requests.get(answer.json()["url"], timeout=10).text
        assert "vm-pay-01" in page
        assert "az lock list" in page
        assert "vm-pay-01" in requests.get(desk.url, timeout=10).text


def test_the_labels_around_a_ticket_are_in_its_language() -> None:
    with running_desk(SECRET) as desk:
        body = event(runbook={"language": "pt-BR", "markdown": "# Falha"}, error={"code": None, "matched_by": "alert"})
        page = requests.get(send(desk.webhook_url, body).json()["url"], timeout=10).text
        assert 'Código de erro</dt><dd class="code">desconhecido' in page
        assert ">possível</span> A lock" in page
        assert 'data-copy="Copiar"' in page
        assert ">aberto</span>" in requests.get(desk.url, timeout=10).text


def test_each_language_of_the_desk_has_the_same_labels_and_another_is_english() -> None:
    assert words_of("pt-BR").keys() == words_of("en").keys()
    assert words_of("xx") == words_of(None) == words_of("en")


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), ("", 0), (SECRET, 301)])
def test_a_missing_wrong_or_old_signature_is_refused(secret: str, age: int) -> None:
    with running_desk(SECRET) as desk:
        assert send(desk.webhook_url, event(), secret=secret, timestamp=int(time.time()) - age).status_code == 401
        assert desk.events() == []


def test_a_repeat_is_recognised_and_stored_once() -> None:
    with running_desk(SECRET) as desk:
        first, second = send(desk.webhook_url, event()), send(desk.webhook_url, event())
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json() == {**first.json(), "repeat": True}
        assert len(desk.events()) == 1


def test_later_events_of_an_incident_go_to_its_ticket_and_show_what_changed() -> None:
    with running_desk(SECRET) as desk:
        send(desk.webhook_url, event(), "m1")
        send(desk.webhook_url, event("incident.updated", verdict="confirmed"), "m2")
        send(
            desk.webhook_url, event("incident.resolved", runbook={"language": "en", "markdown": "A backup has completed."}), "m3"
        )
        page = requests.get(f"{desk.url}/tickets/DESK-1", timeout=10).text
        assert "restore_point_group_locked: possible → confirmed" in page
        assert "resolved" in page
        assert "A backup has completed." in page
        assert "az lock list" in page, "the runbook stays in view after the resolution"


def test_an_event_without_its_fields_is_refused_with_their_names() -> None:
    with running_desk() as desk:
        answer = requests.post(desk.webhook_url, json={"type": "x", "data": {"incident": {}}}, timeout=10)
        assert answer.status_code == 400
        assert "data.title" in answer.json()["error"]
        assert requests.post(desk.webhook_url, data=b"no", timeout=10).status_code == 400


def test_hostile_text_is_inert_on_every_page() -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    with running_desk() as desk:
        hostile = event(title=evil, vm={"name": evil, "resource_group": evil, "os": None},
                        runbook={"language": "en", "markdown": f"{evil}\n\n[x](javascript:alert(1)) ![p](https://x.example/p.png)"})  # fmt: skip
        requests.post(desk.webhook_url, json=hostile, timeout=10)
        for page in (desk.url, f"{desk.url}/tickets/DESK-1"):
            answer = requests.get(page, timeout=10)
            assert "<script>alert" not in answer.text
            assert "<img" not in answer.text
            assert 'href="javascript' not in answer.text
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_nothing_is_loaded_from_outside() -> None:
    with running_desk() as desk:
        requests.post(desk.webhook_url, json=event(), timeout=10)
        for path in ("/", "/tickets/DESK-1", "/desk.css", "/desk.js"):
            text = requests.get(desk.url + path, timeout=10).text.replace(desk.url, "")
            assert "http://" not in text
            assert "//cdn" not in text


def test_an_empty_desk_says_what_will_appear() -> None:
    with running_desk() as desk:
        assert "No tickets yet" in requests.get(desk.url, timeout=10).text


def test_tickets_can_be_read_while_others_arrive() -> None:
    with running_desk() as desk, ThreadPoolExecutor(8) as pool:
        for number in range(150):
            pool.submit(requests.post, desk.webhook_url, json=event(incident=f"{number:032d}"), timeout=10)
        while len(desk.events()) < 150:
            assert len(desk.tickets) <= 150


def test_a_post_meets_what_it_is_told_to_and_each_try_is_counted() -> None:
    with running_desk(SECRET) as desk:
        desk.next_posts = [Trouble(status=429, headers={"Retry-After": "20"}), Trouble(status=500)]
        answers = [send(desk.webhook_url, event()) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 500, 201]
        assert answers[0].headers["Retry-After"] == "20"
        assert [(one.webhook_id, one.status, one.taken) for one in desk.tries] == [
            ("m1", 429, False), ("m1", 500, False), ("m1", 201, True)
        ]  # fmt: skip


def test_a_connection_can_be_cut_after_the_post_was_taken_or_before() -> None:
    with running_desk(SECRET) as desk:
        desk.next_posts = [Trouble(cut=True), Trouble(cut=True, status=503)]
        for message_id in ("m1", "m2"):
            with pytest.raises(requests.ConnectionError):
                send(desk.webhook_url, event(incident=message_id), message_id)
        assert [(one.status, one.taken) for one in desk.tries] == [(0, True), (0, False)]
        assert send(desk.webhook_url, event(incident="m1"), "m1").json()["repeat"] is True


def test_trouble_for_long_posts_lets_short_ones_through() -> None:
    with running_desk(SECRET) as desk:
        desk.all_posts = Trouble(status=400, text="too long", over_bytes=5_000)
        long = event(title="x" * 5_000)
        assert send(desk.webhook_url, long).json() == {"error": "too long"}
        assert send(desk.webhook_url, event()).status_code == 201
        desk.all_posts = None
        assert send(desk.webhook_url, long, "m2").status_code == 201
