"""The checks inside the VM as a decision tree: each branch is a question, in the order in which a backup needs what it asks for.

An agent that does not run explains everything below it; a host address that does not answer explains an extension that does not start.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from handlers.model import Finding

BRANCHES = {
    "agent": {
        "agent_certificate_missing", "agent_extensions_switched_off", "agent_not_installed", "agent_outdated_linux", "agent_outdated_windows",
        "agent_stopped_linux", "agent_unresponsive_windows", "python_missing_linux", "shut_down_from_guest",
    },
    "network": {"dhcp_disabled", "no_outbound_access", "proxy_interferes", "tls_too_weak", "wireserver_blocked"},
    "system": {"bitlocker_locked", "desktop_heap_exhausted", "machine_keys_permissions_changed", "os_disk_full", "reboot_pending"},
    "extension": {
        "antivirus_blocking", "app_control_blocking", "backup_extension_failed", "dotnet_broken", "extension_files_missing", "many_disks_linux",
        "other_extension_failed", "selinux_blocking", "vcredist_missing", "vmbackup_conf_not_ascii",
    },
    "snapshot": set[str](),
}  # fmt: skip
"""By branch its causes, in order; each branch has its question in `[branches]` of words.toml. The last has all the others."""


class Branch(Struct, frozen=True):
    """`number` counts the branches that are shown, from 1."""

    number: int
    name: str
    findings: tuple[Finding, ...]


def branches_of(findings: Iterable[Finding]) -> tuple[Branch, ...]:
    """The branches that have a cause, with their causes in the order of the findings."""
    *_, last = BRANCHES
    by_name: dict[str, list[Finding]] = {name: [] for name in BRANCHES}
    for finding in findings:
        by_name[next((name for name, causes in BRANCHES.items() if finding.cause in causes), last)].append(finding)
    shown = [(name, tuple(own)) for name, own in by_name.items() if own]
    return tuple(Branch(number, name, own) for number, (name, own) in enumerate(shown, 1))
