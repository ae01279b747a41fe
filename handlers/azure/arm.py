"""Reads from Azure: one ARM pipeline with plain JSON, the backup SDK client, the log query client, one credential.

The SDK packages are imported when the first alert needs them: `import azure.mgmt…` costs more than the whole app does at start
(docs/decisions.md). Nothing here writes to Azure.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from handlers.azure.credentials import NoCredential, azure_credential
from handlers.azure.read_budget import GRAPH as GRAPH_BUCKET
from handlers.azure.read_budget import ReadBudget
from handlers.azure.shared_reads import Shared
from handlers.settings import Settings, is_loopback

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import RetryPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.rest import HttpRequest
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
    from azure.monitor.query import LogsQueryClient

LONGEST_SLEEP_SECONDS = 3
"""azure-core sleeps a whole Retry-After, 20 minutes is common. Beyond this the call fails and the fact becomes unknown."""
CONNECT_SECONDS, READ_SECONDS = 5, 15
MOST_PAGES = 200
FAILURES_SECONDS = 15.0
"""For how long a list that many alerts share is taken to be unreadable without trying again."""
READS_LEFT = ("x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-subscription-resource-requests")
"""The second stands in place of the first on answers of a service with limits of its own, such as Recovery Services.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling#remaining-requests"""
QUERIES_LEFT, QUERIES_RESET = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"
"""https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests#understand-throttling-headers"""
GRAPH, GRAPH_API = "/providers/Microsoft.ResourceGraph/resources", "2024-04-01"
METRICS_API = "2023-10-01"
ROWS_A_PAGE = 1000
"""https://learn.microsoft.com/azure/governance/resource-graph/concepts/paging-results"""


class NotRead(Exception):
    """A read that was not made: the subscription's read budget is spent, and the line for more is too long."""


class PartialAnswer(NotRead):
    """Azure answered with a part of what was asked for: what it leaves out may be what matters."""


class NoWorkspace(Exception):
    """Logs were asked for, and LOG_ANALYTICS_WORKSPACE_ID is not set."""


class Azure:
    """The Azure that the settings point at. Shared by threads; keeps its connections."""

    def __init__(self, settings: Settings, budget: ReadBudget | None = None) -> None:
        self._settings = settings
        self.budget = budget or ReadBudget()
        self.shared = Shared(failures_seconds=FAILURES_SECONDS)
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}

    def get(self, path: str, api_version: str, **query: str) -> Any:
        """The JSON at an ARM path such as `/subscriptions/…`. Query names lose their `$`: `expand="instanceView"`.

        Raises azure.core.exceptions.HttpResponseError (its `status_code`) or ServiceRequestError.
        """
        if not path.startswith("/"):
            raise ValueError(
                "not a path of Azure Resource Manager"
            )  # ids in answers could name another host: no token goes there
        parameters = {"api-version": api_version, **{f"${name}": value for name, value in query.items()}}
        return self._get(path, parameters)

    def list_all(self, path: str, api_version: str, **query: str) -> list[Any]:
        """All elements of an ARM list, its pages joined."""
        page = self.get(path, api_version, **query)
        elements = list(page.get("value", ()))
        for _ in range(MOST_PAGES):
            if not (next_link := page.get("nextLink")):
                return elements
            page = self._get(_same_host(next_link, self._settings.arm_endpoint), {})
            elements += page.get("value", ())
        raise PartialAnswer(f"more than {MOST_PAGES} pages")

    def metrics(self, resource_id: str, names: Sequence[str], since: datetime, until: datetime, interval: str) -> list[Any]:
        """The averages and maxima of a resource's platform metrics: https://learn.microsoft.com/rest/api/monitor/metrics/list

        Read as all else is, in the same pipeline and from the same read budget; since azure-monitor-query 2 the SDK's client of
        metrics is another package with a host and a token of its own. Names of this query go without `$`.
        """
        if not resource_id.startswith("/"):
            raise ValueError("not an id of Azure Resource Manager")
        span = "/".join(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (since, until))
        asked = {"api-version": METRICS_API, "metricnames": ",".join(names), "timespan": span, "interval": interval,
                 "aggregation": "Average,Maximum"}  # fmt: skip
        found: list[Any] = self._get(f"{resource_id}/providers/Microsoft.Insights/metrics", asked).get("value") or []
        return found

    def backup(self, subscription: str) -> RecoveryServicesBackupClient:
        """The backup SDK client of a subscription. Its VM protected items are bare mappings: use `item.get("…")`."""

        def make() -> RecoveryServicesBackupClient:
            from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

            return RecoveryServicesBackupClient(
                self._credential(self._arm_scope),
                subscription,
                base_url=self._settings.arm_endpoint,
                credential_scopes=[self._arm_scope],
                transport=self._transport(),
                retry_policy=_short_retry(),
                per_retry_policies=[_at_home(self._settings.arm_endpoint), _paced(self.budget)],
                authentication_policy=self._authentication(self._arm_scope),
                logging_enable=False,
            )

        return self._once(f"backup {subscription.lower()}", make)

    def query_logs(self, query: str, span: tuple[datetime, datetime] | timedelta) -> list[dict[str, Any]]:
        """The rows of a KQL query on the workspace, as mappings by column name.

        Raises NoWorkspace without a workspace, PartialAnswer for an answer that is not whole.
        """
        workspace = self._settings.log_analytics_workspace_id
        if not workspace:
            raise NoWorkspace
        answer = self._logs().query_workspace(workspace, query, timespan=span, server_timeout=READ_SECONDS)
        if getattr(answer, "partial_error", None):
            raise PartialAnswer("Log Analytics")
        tables = getattr(answer, "tables", None) or []
        return [dict(zip(table.columns, row, strict=False)) for table in tables for row in table.rows]

    def query_graph(self, query: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of an Azure Resource Graph query, its pages joined. Rows that the app may not read are left out by Azure.

        https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
        """
        rows: list[dict[str, Any]] = []
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": ROWS_A_PAGE}
        for _ in range(MOST_PAGES):
            page = self._post(GRAPH, {"query": query, "subscriptions": list(subscriptions), "options": options})
            rows += page.get("data") or ()
            if not (token := page.get("$skipToken")):
                if str(page.get("resultTruncated", "false")).lower() == "true":
                    raise PartialAnswer("Azure Resource Graph")
                return rows
            options = {**options, "$skipToken": token}
        raise PartialAnswer("Azure Resource Graph")

    def token(self, scope: str) -> str:
        """The app's own identity for another service; empty for a loopback address."""
        return "" if is_loopback(scope) else self._credential(scope).get_token(scope).token

    @property
    def has_workspace(self) -> bool:
        return bool(self._settings.log_analytics_workspace_id)

    # ---------------------------------------------------------------- clients, each made once

    def _get(self, url: str, parameters: dict[str, str]) -> Any:
        from azure.core.rest import HttpRequest

        return self._send(HttpRequest("GET", url, params=parameters, headers={"Accept": "application/json"}))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        """A query that changes nothing, which Azure takes as a POST."""
        from azure.core.rest import HttpRequest

        return self._send(HttpRequest("POST", path, params={"api-version": GRAPH_API}, json=body))

    def _send(self, request: HttpRequest) -> Any:
        from azure.core.exceptions import ResourceNotFoundError, map_error

        request.url = self._arm().format_url(request.url)
        response = self._arm().send_request(request, connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
        if response.status_code >= 400:
            map_error(response.status_code, response, {404: ResourceNotFoundError})
            response.raise_for_status()
        return response.json()

    def _arm(self) -> PipelineClient[Any, Any]:
        def make() -> PipelineClient[Any, Any]:
            from azure.core import PipelineClient
            from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy

            policies = [
                RequestIdPolicy(),
                UserAgentPolicy("backup-runbooks"),
                _short_retry(),
                _at_home(self._settings.arm_endpoint),
                _paced(self.budget),
                self._authentication(self._arm_scope),
            ]
            return PipelineClient(self._settings.arm_endpoint, policies=policies, transport=self._transport())

        return self._once("arm", make)

    def _logs(self) -> LogsQueryClient:
        def make() -> LogsQueryClient:
            from azure.monitor.query import LogsQueryClient

            endpoint = self._settings.logs_endpoint
            return LogsQueryClient(
                self._credential(endpoint),
                endpoint=endpoint,
                transport=self._transport(),
                retry_policy=_short_retry(),
                authentication_policy=self._authentication(f"{endpoint}/.default"),
            )

        return self._once("logs", make)

    def _transport(self) -> RequestsTransport:
        def make() -> RequestsTransport:
            import requests
            from azure.core.pipeline.transport import RequestsTransport
            from requests.adapters import HTTPAdapter

            session = requests.Session()
            session.trust_env = False
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=64))
            return RequestsTransport(session=session, session_owner=False)

        return self._once("transport", make)

    def _credential(self, scope: str) -> TokenCredential:
        return NoCredential() if is_loopback(scope) else self._once("credential", lambda: azure_credential(os.environ))

    def _authentication(self, scope: str) -> Any:
        """Bearer tokens for `scope`; on loopback, where plain http is allowed, none is asked for or sent."""
        if is_loopback(scope):
            from azure.core.pipeline.policies import SansIOHTTPPolicy

            return SansIOHTTPPolicy()
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy

        return BearerTokenCredentialPolicy(self._credential(scope), scope)

    @property
    def _arm_scope(self) -> str:
        return f"{self._settings.arm_endpoint}/.default"

    def _once[T](self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            with self._lock:
                if name not in self._made:
                    self._made[name] = make()
        made: T = self._made[name]
        return made


def _short_retry() -> RetryPolicy[Any, Any]:
    """Two quick retries; an answer that asks for a long wait is final, so that no function instance sleeps."""
    from azure.core.pipeline.policies import RetryPolicy

    class ShortRetry(RetryPolicy[Any, Any]):
        def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
            asked: float | None = self.get_retry_after(response)
            if asked and asked > LONGEST_SLEEP_SECONDS:
                return False
            return bool(super().is_retry(settings, response))

    return ShortRetry(retry_total=2, retry_backoff_factor=0.3, retry_backoff_max=2)


def _paced(budget: ReadBudget) -> Any:
    """A pipeline policy that takes each request, retries included, from the read budget of its subscription, or of queries."""
    from azure.core.pipeline import PipelineRequest, PipelineResponse
    from azure.core.pipeline.policies import HTTPPolicy

    class Paced(HTTPPolicy[Any, Any]):
        def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
            bucket = _bucket_of(request.http_request.url)
            if bucket and not budget.take(bucket):
                raise NotRead(bucket)
            answer = self.next.send(request)
            _obey(answer.http_response.headers, bucket, budget)
            return answer

    return Paced()


def _bucket_of(url: str) -> str:
    """The subscription that a request reads from; the bucket of queries; empty for what nobody counts."""
    if GRAPH.lower() in url.lower():
        return GRAPH_BUCKET
    found = re.search(r"/subscriptions/([^/?]+)", url, re.IGNORECASE)
    return found[1] if found else ""


def _obey(headers: Mapping[str, str], bucket: str, budget: ReadBudget) -> None:
    """Tell the budget what the answer says of the reads or queries that are left."""
    if bucket == GRAPH_BUCKET:
        remaining, resets = headers.get(QUERIES_LEFT, ""), _seconds(headers.get(QUERIES_RESET, ""))
        if remaining.isdigit() and resets is not None:
            budget.told_queries(int(remaining), resets)
        return
    left = [int(said) for name in READS_LEFT if (said := headers.get(name, "")).isdigit()]
    if bucket and left:
        budget.told(bucket, min(left))


def _seconds(said: str) -> float | None:
    """`00:00:03` as seconds; None for what is no time."""
    parts = said.partition(".")[0].split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    hours, minutes, seconds = map(int, parts)
    return 3600.0 * hours + 60 * minutes + seconds


def _at_home(endpoint: str) -> Any:
    """A pipeline policy that lets no request, and so no token, go to another host: the SDK follows any `nextLink`."""
    from azure.core.pipeline import PipelineRequest
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class AtHome(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: PipelineRequest[Any]) -> None:
            if not request.http_request.url.lower().startswith(endpoint.lower() + "/"):
                raise ValueError("a request was to leave Azure Resource Manager")

    return AtHome()


def _same_host(next_link: str, endpoint: str) -> str:
    """A `nextLink`, refused when it leads to another host: the token must not follow it there."""
    if not next_link.lower().startswith(endpoint.lower() + "/"):
        raise ValueError("nextLink leads to another host")
    return next_link
