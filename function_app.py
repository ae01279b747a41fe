"""The triggers: what arrives, and which story gets it."""

import json
import logging

import azure.functions as func

from handlers.agent_asked import add_tools
from handlers.wiring import queue, settings, storage, tools

SETTINGS = settings()
"""Read once at start: a malformed setting stops the app here, with one line that names it."""

logging.getLogger("azure").setLevel(logging.WARNING)
logging.getLogger("handlers").setLevel(logging.INFO)

app = func.FunctionApp()
add_tools(app, SETTINGS)
HOST_CHECKS_KEY = SETTINGS.alerts_auth == "key" and not SETTINGS.alerts_key
KEY_OR_APP = func.AuthLevel.FUNCTION if HOST_CHECKS_KEY else func.AuthLevel.ANONYMOUS


@app.route("alerts", methods=["POST", "OPTIONS"], auth_level=KEY_OR_APP)
def alerts(req: func.HttpRequest) -> func.HttpResponse:
    """Alerts from action groups, Event Grid webhooks, or anybody with the key."""
    from handlers.alert_received import Request, receive

    answer = receive(Request(req.method, req.headers, req.params, req.get_body()), SETTINGS, queue())
    body = "" if answer.body is None else json.dumps(answer.body)
    return func.HttpResponse(body, status_code=answer.status, headers=dict(answer.headers), mimetype="application/json")


@app.route("runbooks/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def runbook(req: func.HttpRequest) -> func.HttpResponse:
    """The page behind a ticket. Whoever may not see it is answered 404 (PAGE_AUTH)."""
    return page_answer(req)


@app.route("runbooks/{id}/{part}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def runbook_part(req: func.HttpRequest) -> func.HttpResponse:
    """GET `members.csv`: a storm's members; `job`: the state of the newest backup. POST `check`: gather the facts again and show what is different."""
    return page_answer(req)


def page_answer(req: func.HttpRequest) -> func.HttpResponse:
    from handlers import checked_again, job_asked, page_opened

    request = page_opened.PageRequest.of(req.route_params, req.headers, req.params, req.get_body())
    story = checked_again if req.method == "POST" else job_asked if request.part == "job" else page_opened
    page = story.answer(request, SETTINGS, tools)
    return func.HttpResponse(page.body, status_code=page.status, headers=page.headers, mimetype=page.kind)


@app.event_grid_trigger("event")
def backup_event(event: func.EventGridEvent) -> None:
    """Events that Event Grid delivers to the function itself."""
    from handlers.alert_received import accept_event

    accept_event(event, SETTINGS, queue())


@app.queue_trigger("message", "alerts", "AzureWebJobsStorage")
def triage(message: func.QueueMessage) -> None:
    """One queued alert becomes a ticket."""
    from handlers.dispatch import work_on

    work_on(message.get_body(), tools(), message.insertion_time)


@app.queue_trigger("message", "alerts-poison", "AzureWebJobsStorage")
def last_resort(message: func.QueueMessage) -> None:
    """An alert that failed too often becomes a plain ticket."""
    from handlers.last_resort import work_on_poison

    work_on_poison(message.get_body(), message.dequeue_count or 1, tools())


@app.timer_trigger("timer", SETTINGS.sweep_schedule)
def sweep(timer: func.TimerRequest) -> None:
    """What no alert told: failed jobs without an incident, incidents that recovered."""
    from handlers import sweep as story

    story.sweep(tools())


@app.timer_trigger("timer", SETTINGS.canary_schedule)
def canary(timer: func.TimerRequest) -> None:
    """A marked alert of our own goes the whole way, so that silence is noticed."""
    from handlers.canary import send

    send(tools())


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when storage answers, 503 otherwise; nothing else is told."""
    answers = storage().answers()
    body = {"status": "ok" if answers else "unavailable"}
    return func.HttpResponse(json.dumps(body), status_code=200 if answers else 503, mimetype="application/json")
