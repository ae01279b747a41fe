"""What one alert, one member of a storm and one storm cost the app, as bench/simulate/measure.py has counted it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

COSTS = Path(__file__).parent / "costs.json"


@dataclass(frozen=True)
class Cost:
    """For one of its kind, on average."""

    cpu: float
    """Seconds of the function host's processor."""
    server_cpu: float
    """Seconds of the emulators' processors: counts only where everything runs on one machine."""
    reads: float
    queries: float
    rows: float
    """Entities read and written in the partition of incidents."""
    calls: float
    """Calls to storage."""
    messages: float
    """Messages put into the queue and taken from it."""
    blobs: float
    posts: float


@dataclass(frozen=True)
class Costs:
    alone: Cost
    """An alert whose failure has a ticket of its own."""
    member: Cost
    """An alert whose failure a storm's ticket speaks for, until that ticket is out."""
    storm: Cost
    """What a storm costs besides its members, until its ticket is out."""
    looked_at: Cost
    """What a member costs afterwards, in the background."""
    background: Cost
    """What a storm costs afterwards besides its members: the few of them that are read alone, the queries of a pass, updates."""


KINDS = tuple(field.name for field in fields(Costs))


@cache
def measured_costs() -> Costs:
    return costs_of(json.loads(COSTS.read_text(encoding="utf-8"))["costs"])


def costs_of(found: Mapping[str, Mapping[str, float]]) -> Costs:
    return Costs(**{kind: Cost(**found[kind]) for kind in KINDS})
