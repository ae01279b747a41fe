"""The nouns of the program: frozen values without I/O and without Azure types.

Times are timezone-aware UTC. Sizes carry their unit in the name. A value that could not be read is `Unknown`, never empty.
`str()` of a fact's value is its short form for a responder's eyes; it holds Azure's own words and ids only, no language.
"""

from __future__ import annotations

from handlers.model.facts import (
    FRESH,
    Agent,
    Disk,
    DiskKey,
    Extension,
    GuestEvents,
    Heartbeats,
    KeyVault,
    Lock,
    OutboundAccess,
    PowerOperation,
    Reading,
    RestorePoint,
    RestorePointCollection,
    ServiceIssue,
    SnapshotPolicy,
    VirtualMachine,
)
from handlers.model.failure import (
    Alert,
    Error,
    Failure,
    Ignored,
    Job,
    JobError,
    JobTask,
    Unreadable,
)
from handlers.model.findings import (
    Change,
    Diagnosis,
    Evidence,
    Finding,
    History,
    Opinion,
    confirmed,
    possible,
    ruled_out,
    unknown,
)
from handlers.model.ids import (
    ResourceId,
    parse_time,
    subscription_of,
    time_text,
)
from handlers.model.incident import (
    Incident,
    KnownFailure,
)
from handlers.model.runbook import (
    Command,
    Runbook,
    Step,
)
from handlers.model.storm import (
    Members,
    Storm,
)
from handlers.model.words import (
    Os,
    Reason,
    Unknown,
    Verdict,
)

__all__ = [
    "FRESH",
    "Agent",
    "Alert",
    "Change",
    "Command",
    "Diagnosis",
    "Disk",
    "DiskKey",
    "Error",
    "Evidence",
    "Extension",
    "Failure",
    "Finding",
    "GuestEvents",
    "Heartbeats",
    "History",
    "Ignored",
    "Incident",
    "Job",
    "JobError",
    "JobTask",
    "KeyVault",
    "KnownFailure",
    "Lock",
    "Members",
    "Opinion",
    "Os",
    "OutboundAccess",
    "PowerOperation",
    "Reading",
    "Reason",
    "ResourceId",
    "RestorePoint",
    "RestorePointCollection",
    "Runbook",
    "ServiceIssue",
    "SnapshotPolicy",
    "Step",
    "Storm",
    "Unknown",
    "Unreadable",
    "Verdict",
    "VirtualMachine",
    "confirmed",
    "parse_time",
    "possible",
    "ruled_out",
    "subscription_of",
    "time_text",
    "unknown",
]
