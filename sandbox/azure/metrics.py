"""Platform metrics: https://learn.microsoft.com/rest/api/monitor/metrics/list

A resource's metrics are a hidden resource below it: a value that it has all the time, and spans of time with others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import unquote

from sandbox.azure.answers import Answer, error, ok
from sandbox.world import Body

KIND, BELOW = "Microsoft.Insights/metrics", "/providers/Microsoft.Insights/metrics"
CALLED = {
    "cpu": ("Percentage CPU",),
    "memory": ("Available Memory Percentage",),
    "iops": ("OS Disk IOPS Consumed Percentage", "VM Uncached IOPS Consumed Percentage", "VM Cached IOPS Consumed Percentage"),
}
IDLE = {"Percentage CPU": 12.0, "Available Memory Percentage": 60.0} | dict.fromkeys(CALLED["iops"], 8.0)
KNOWN = (*IDLE, "Data Disk IOPS Consumed Percentage", "UsedCapacity")
STEPS = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60}


def answer(asked: Mapping[str, str], known: Body | None, now: datetime) -> Answer:
    """The buckets of the span that was asked for; one without a value holds its time only, as Azure shows it."""
    names = [name.strip() for name in asked.get("metricnames", "").split(",")]
    step, span = STEPS.get(asked.get("interval", "")), unquote(asked.get("timespan", "")).split("/")  # az encodes it twice
    if step is None or len(span) != 2:
        return error(400, "BadRequest", "Detected invalid time grain or timespan input.")
    if unknown := [name for name in names if name not in KNOWN]:
        return error(400, "BadRequest", f"Failed to find metric configuration for metric: {unknown[0]}")
    since, until = (datetime.fromisoformat(text) for text in span)
    times = [since + timedelta(minutes=step * n) for n in range(int((until - since) / timedelta(minutes=step)) + 1)]
    kept = [at for at in times if at < until and at <= now]
    kinds = [kind.lower() for kind in asked.get("aggregation", "Average").split(",")]
    properties = (known or {}).get("properties") or {}
    return ok({"cost": 0, "timespan": asked["timespan"], "interval": asked["interval"],
               "value": [_metric(name, kept, kinds, properties) for name in names]})  # fmt: skip


def _metric(name: str, times: list[datetime], kinds: list[str], properties: Body) -> Body:
    data = [{"timeStamp": at.isoformat(), **_told(_value(name, at, properties), kinds)} for at in times]
    series = [{"metadatavalues": [], "data": data}] if any(len(row) > 1 for row in data) else []
    return {"type": KIND, "name": {"value": name, "localizedValue": re.sub("Percentage", "%", name)}, "unit": "Percent",
            "timeseries": series, "errorCode": "Success"}  # fmt: skip


def _told(value: float | None, kinds: list[str]) -> dict[str, float]:
    return {} if value is None else dict.fromkeys(kinds, value)


def _value(name: str, at: datetime, properties: Body) -> float | None:
    value: float | None = (properties.get("base") or {}).get(name)
    for span in properties.get("spans") or ():
        if name in span and span["from"] <= at < span["to"]:
            value = span[name]
    return value
