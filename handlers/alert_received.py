"""Story: a source posts an alert. It is answered after the alert lies safely in the queue; the work happens there."""

import json
import logging

from handlers import alerts
from handlers.alerts.caller import refusal
from handlers.alerts.event_grid import TriggerEvent, body_of
from handlers.alerts.handshake import Answer, cloud_events_validation, event_grid_validation
from handlers.alerts.handshake import Request as Request  # function_app.py makes one
from handlers.alerts.watched import watched
from handlers.model import Alert, Ignored
from handlers.model.text import one_line
from handlers.records.alert_queue import AlertQueue
from handlers.records.storage import StorageDown
from handlers.settings import Settings

log = logging.getLogger(__name__)
LARGEST_BODY_BYTES, RETRY_AFTER_SECONDS, MOST_LOGGED = 1024 * 1024, 30, 5


def receive(request: Request, settings: Settings, queue: AlertQueue) -> Answer:
    """Answer a request on /api/alerts: a handshake, or alerts to queue."""
    if refused := refusal(request, settings.alerts_auth, settings.alerts_key):
        return refused
    if request.method == "OPTIONS":
        allowed = cloud_events_validation(request.headers)
        return Answer(200, headers=allowed) if allowed else Answer(400, {"error": "WebHook-Request-Origin is missing."})
    if len(request.content) > LARGEST_BODY_BYTES:
        return Answer(413, {"error": f"The body is larger than {LARGEST_BODY_BYTES} bytes."})
    try:
        body = json.loads(request.content)
    except (ValueError, RecursionError):
        return Answer(400, {"error": "The body is not JSON."})
    handshake = event_grid_validation(body, request.headers)
    return Answer(200, handshake) if handshake else accept(body, request.content, settings, queue)


def accept(body: object, content: bytes, settings: Settings, queue: AlertQueue) -> Answer:
    """Queue the body if anything in it is for us."""
    found = [watched(alert, settings.watched_subscriptions) for alert in alerts.read(body)]
    accepted = [alert.id if isinstance(alert, Alert) else "unreadable" for alert in found if not isinstance(alert, Ignored)]
    ignored = [alert.reason for alert in found if isinstance(alert, Ignored)]
    if accepted:
        try:
            queue.put(content)
        except StorageDown as error:
            log.error("alert not accepted, storage is down: %s", error)
            return Answer(503, {"error": "The queue cannot be reached."}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    log.info("alerts accepted: %d, ignored: %d", len(accepted), len(ignored))
    for reason in ignored[:MOST_LOGGED]:
        log.info("alert ignored: %s", one_line(reason))
    return Answer(202, {"accepted": accepted, "ignored": ignored})


def accept_event(event: TriggerEvent, settings: Settings, queue: AlertQueue) -> None:
    """Queue one event that Event Grid delivered. Raises StorageDown, so that Event Grid delivers it again."""
    if accept(body := body_of(event), json.dumps(body, ensure_ascii=False).encode(), settings, queue).status == 503:
        raise StorageDown("the event was not queued")
