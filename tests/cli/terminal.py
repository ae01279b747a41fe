"""Runs commands of the terminal in this process, against the simulated Azure, and keeps what they write. `make golden` writes the goldens."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handlers.__main__ import main
from sandbox.azure import running_azure
from sandbox.scenario import load_scenarios
from sandbox.terminal import environment

FOLDER = Path(__file__).parent / "golden"
WIDTHS = (80, 160)
SCENARIOS = (
    "agent_not_ready_windows",
    "locks_forbidden",
    "ninety_days_without_a_backup",
    "restore_point_group_locked",
    "recovered",
)
LOCKED, FORBIDDEN = "restore_point_group_locked", "locks_forbidden"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def run(*arguments: str, **settings: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    code = main(arguments, {"COLUMNS": "80", **settings}, out, err)
    return Ended(code, out.getvalue(), err.getvalue())


def vm_of(scenario: str) -> str:
    return next(one for one in load_scenarios() if one.name == scenario).world(datetime.now(UTC)).vm_id


def masked(text: str) -> str:
    """Times and what is made of them, each by something of the same width."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d|\b\d\d:\d\d(:\d\d)?\b", lambda time: re.sub(r"\d", "0", time[0]), text)
    text = re.sub(r"\b\d\d-\d\d-20\d\d\b", "00-00-0000", text)
    text = re.sub(r"\b2[34] h\b", "24 h", text)
    text = re.sub(r" (23|24|2159|2160)(?=  )", lambda hours: f" {'0' * len(hours[1])}", text)
    text = re.sub(r"(?s)\n- ([^:\n]+): 0000-00-00: \d.*?(?=\n- |\n\n)", r"\n- \1: by day", text)
    return re.sub(r"AzureBackup_\d{8}_\d{6}", "AzureBackup_00000000_000000", text)


def commands() -> Mapping[str, Sequence[str]]:
    """The goldens' commands by file name."""
    return {
        "failures": ("failures",),
        "failures_diagnose": ("failures", "--diagnose"),
        "diagnose": ("diagnose", "--vm", vm_of(LOCKED)),
        "diagnose_forbidden": ("diagnose", "--vm", vm_of(FORBIDDEN)),
        "diagnose_pt": ("diagnose", "--vm", vm_of(LOCKED), "--language", "pt-BR"),
        "settings_check": ("settings", "check"),
    }


def goldens() -> dict[str, str]:
    """What each command writes at each width: the result, then what stands beside it."""
    written = {}
    with running_azure([one for one in load_scenarios() if one.name in SCENARIOS]) as azure:
        for name, arguments in commands().items():
            for width in WIDTHS:
                ended = run(*arguments, **environment(azure.url), **DEPLOYED, COLUMNS=str(width))
                text = f"{ended.out}--- stderr, exit code {ended.code}\n{ended.err}"
                written[f"{name}.{width}.txt"] = masked(text.replace(azure.url, "http://azure"))
    return written


DEPLOYED = {
    "TICKET_URL": "http://127.0.0.1:9/hook",
    "WATCHED_SUBSCRIPTIONS": ",".join(one.subscription for one in load_scenarios() if one.name in SCENARIOS),
}
"""A deployment without a storage account."""


def write_goldens() -> None:
    for name, text in goldens().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote tests/cli/golden/{name}")
