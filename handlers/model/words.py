"""The words that verdicts and reasons are told in."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What the evidence says about a cause. The order of the members is the order on the runbook."""

    CONFIRMED = "confirmed"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled_out"


class Os(StrEnum):
    WINDOWS = "Windows"
    LINUX = "Linux"


class Reason(StrEnum):
    """Why something is unknown. Each has its sentence in `templates/<language>/words.toml`."""

    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    NO_WORKSPACE = "no_workspace"
    PARTIAL = "partial"
    NO_DATA = "no_data"
    NOT_NAMED = "not_named"
    GUEST_ONLY = "guest_only"
    NEVER_READ = "never_read"
    VM_NOT_RUNNING = "vm_not_running"
    AGENT_NOT_READY = "agent_not_ready"
    READ_LATE = "read_late"
    NOT_COLLECTED = "not_collected"
    MEMBERS = "members"
    NOT_SAMPLED = "not_sampled"
    NOT_SHOWN = "not_shown"
    OLD_ROW = "old_row"
    CHECK_BROKE = "check_broke"


UNREAD = frozenset({
    Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.THROTTLED, Reason.TIMED_OUT, Reason.FAILED, Reason.PARTIAL,
    Reason.NOT_SAMPLED, Reason.NOT_SHOWN, Reason.OLD_ROW,
})  # fmt: skip
"""Azure was asked and did not tell, or told a part; in a storm not everybody is asked for everything.

Everything else that is unknown cannot be read from outside the VM.
"""


class Unknown(Struct, frozen=True):
    """A fact that could not be read, and why. `detail` is a missing RBAC action, a status or a short message."""

    why: Reason
    detail: str = ""
