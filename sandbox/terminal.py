"""`make try ARGS="failures --diagnose"`: a command of the terminal against the simulated Azure, which starts and ends with it.

`SCENARIO=name` puts only that one into it. The example ids of `diagnose` are printed with `make try`.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from handlers.__main__ import main as command
from handlers.cli.outcome import INTERRUPTED, USAGE
from sandbox.__main__ import WORKSPACE
from sandbox.azure import running_azure
from sandbox.scenario import Scenario, load_scenarios

SHOWN = (
    "agent_not_ready_windows", "restore_point_group_locked", "key_vault_policy_windows", "no_network_unmanaged_windows",
    "extension_failed_linux", "internal_error_linux", "disk_33_tib_linux", "backup_in_progress_windows",
    "ninety_days_without_a_backup", "locks_forbidden", "recovered",
)  # fmt: skip
"""What is in it unless another is named: a cause each, a missing right, and an item that has recovered."""


def main(words: Sequence[str]) -> int:
    name = os.environ.get("SCENARIO", "")
    scenarios = [scenario for scenario in load_scenarios() if scenario.name == name or (not name and scenario.name in SHOWN)]
    if not scenarios:
        print(f"No scenario is called {name!r}; they are the files in sandbox/scenarios.", file=sys.stderr)
        return USAGE
    if not words:
        return _explained(scenarios)
    began = time.monotonic()
    with running_azure(scenarios) as azure:
        code = command(words, os.environ | environment(azure.url))
    print(
        f"exit code {code}, {time.monotonic() - began:.1f} s, {len(azure.calls())} reads of the simulated Azure", file=sys.stderr
    )
    return code


def environment(url: str) -> dict[str, str]:
    """The settings that lead a command to the simulated Azure."""
    return {"ARM_ENDPOINT": url, "LOGS_ENDPOINT": url, "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE}


def _explained(scenarios: Sequence[Scenario]) -> int:
    print('make try ARGS="failures --diagnose", or the runbook of one of these:\n')
    for scenario in scenarios:
        vm = shlex.quote(scenario.world(datetime.now(UTC)).vm_id)
        print(f'  make try ARGS="diagnose --vm {vm}"   # {scenario.name}')
    return 0


if __name__ == "__main__":
    ended = main(sys.argv[1:])
    if ended == INTERRUPTED:
        os._exit(ended)
    sys.exit(ended)
