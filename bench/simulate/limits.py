"""What Azure, the plan and the ticket system allow, and list prices. Each is a field: `replace` plays another value.

What Microsoft documents has its address; what is assumed says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from handlers.azure.read_budget import (
    AZURES_BUCKET_READS,
    BUCKET_READS,
    GRAPH_QUERIES,
    GRAPH_QUERIES_PER_SECOND,
    LONGEST_WAIT_SECONDS,
    OTHERS_QUERIES,
    READS_PER_SECOND,
)

HOST_JSON = Path(__file__).parents[2] / "host.json"
_QUEUES = json.loads(HOST_JSON.read_text(encoding="utf-8"))["extensions"]["queues"]

_POLLING_SECONDS = sum(
    int(part) * unit for part, unit in zip(_QUEUES["maxPollingInterval"].split(":"), (3600, 60, 1), strict=True)
)


@dataclass(frozen=True)
class Limits:
    """Of one deployment of the app."""

    reads_burst: float = BUCKET_READS
    reads_rate: float = READS_PER_SECOND
    """What one instance takes of a subscription's bucket."""
    azures_reads_burst: float = AZURES_BUCKET_READS
    azures_reads_rate: float = 25.0
    """A subscription's bucket for one principal, which all instances share.
    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling"""
    queries_burst: float = GRAPH_QUERIES
    queries_rate: float = GRAPH_QUERIES_PER_SECOND
    """What one instance takes of Azure Resource Graph's quota."""
    azures_queries: float = 15.0
    azures_queries_seconds: float = 5.0
    """For one principal in a tenant, whatever the subscriptions; Microsoft calls the number an example.
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests"""
    queries_left_to_others: float = OTHERS_QUERIES
    longest_wait: float = LONGEST_WAIT_SECONDS
    """A read that would wait longer is not made: the ticket says so, and it is made later."""
    partition_rate: float = 2_000.0
    """Entities a second in one partition of a table. https://learn.microsoft.com/azure/storage/tables/scalability-targets"""
    account_rate: float = 20_000.0
    """Requests a second to one storage account (same page)."""
    queue_rate: float = 2_000.0
    """Messages a second in one queue. https://learn.microsoft.com/azure/storage/queues/scalability-targets"""
    batch_size: int = _QUEUES["batchSize"]
    at_once: int = _QUEUES["batchSize"] + _QUEUES["newBatchThreshold"]
    """Messages that one instance works on at the same time.
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json"""
    instances_at_once: int = 4
    """How many instances are added at a time. https://learn.microsoft.com/azure/azure-functions/functions-target-based-scaling"""
    scale_seconds: float = 10.0
    """Assumed: how often the platform looks at the queue's length."""
    cold_start: float = 5.0
    """Assumed: until a new instance takes its first message."""
    poll: float = _POLLING_SECONDS / 2
    """How long a message waits for a host that has nothing to do to look: half of host.json's `maxPollingInterval` on average."""
    storage_seconds: float = 0.010
    """Assumed: one call to storage."""
    read_seconds: float = 0.080
    """Assumed: one call to Azure Resource Manager; a diagnosis makes them side by side, three deep."""
    post_seconds: float = 0.5
    """Assumed: one answer of the ticket system."""
    tickets_rate: float = 5.0
    """Assumed: posts a second that the ticket system takes. ServiceNow's rules are each customer's own and count by the hour, Jira
    Cloud has a burst limit by endpoint and a few writes for each issue: ask yours.
    https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.html,
    https://developer.atlassian.com/cloud/jira/platform/rate-limiting"""
    cores: int = 0
    """Processors that all instances and their servers share; 0: each instance has one of its own, as in Azure (2,048 MB)."""


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, pay-as-you-go, without free grants; the same as in docs/deploy.md, assumed as of November 2026."""

    as_of: str = "2026-11"
    gb_second: float = 0.000026
    memory_gb: float = 2.0
    million_executions: float = 0.40
    table_10k: float = 0.0004
    queue_10k: float = 0.004
    blob_write_10k: float = 0.05

    def of(self, instance_seconds: float, executions: float, table: float, queue: float, blobs: float) -> float:
        """What a night costs."""
        plan = instance_seconds * self.memory_gb * self.gb_second + executions / 1e6 * self.million_executions
        return plan + (table * self.table_10k + queue * self.queue_10k + blobs * self.blob_write_10k) / 1e4
