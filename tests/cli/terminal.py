"""Runs commands of the terminal in this process, against the simulated Azure, and keeps what they write. `make golden` writes the goldens."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.wrappers import Request, Response

from handlers.__main__ import main
from handlers.records.storage import Storage
from handlers.settings import Settings
from sandbox.azure import RunningAzure, running_azure
from sandbox.azurite import running_azurite
from sandbox.http import serving
from sandbox.scenario import load_scenarios
from sandbox.terminal import environment
from tests.workbench import Target, bench_on

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
    text = re.sub(r"(?m)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "<new id>", text)
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
    with running_azure([one for one in load_scenarios() if one.name in SCENARIOS]) as azure:
        written = _written(commands(), {azure.url: "http://azure"}, **environment(azure.url), **DEPLOYED)
        return written | _of_a_deployment(azure)


def _written(commands: Mapping[str, Sequence[str]], hidden: Mapping[str, str], **settings: str) -> dict[str, str]:
    """`hidden`: what differs from run to run, and what stands for it."""
    written = {}
    for name, arguments in commands.items():
        for width in WIDTHS:
            ended = run(*arguments, **settings, COLUMNS=str(width))
            text = f"{ended.out}--- stderr, exit code {ended.code}\n{ended.err}"
            for value, shown in hidden.items():
                text = text.replace(value, shown)
            written[f"{name}.{width}.txt"] = masked(text)
    return written


def accepted(request: Request) -> Response:
    """What a deployed app answers an alert."""
    return Response('{"accepted": ["1"], "ignored": []}', 202, content_type="application/json")


def _of_a_deployment(azure: RunningAzure) -> dict[str, str]:
    """What the commands write that look at a deployed app: one that has told of one failure."""
    with running_azurite() as account, serving(accepted) as app, TemporaryDirectory() as folder:
        storage = Storage({"AzureWebJobsStorage": account})
        settings = Settings(ticket_url="http://127.0.0.1:9", arm_endpoint=azure.url, logs_endpoint=azure.url)
        bench = bench_on(storage, settings, azure, Target())
        bench.fire(next(one for one in load_scenarios() if one.name == LOCKED).alert_body(bench.clock()))
        bench.work()
        incident, file = bench.open_incidents[0], Path(folder) / "document.json"
        (name,) = storage.blobs("incidents").list_blob_names()
        file.write_bytes(storage.blobs("incidents").download_blob(name).readall())
        of_deployment = {
            "incidents": ("incidents",),
            "incidents_id": ("incidents", "--id", incident.id),
            "replay": ("replay", str(file)),
            "send_test_alert": ("send-test-alert", "--url", f"{app}/api/alerts?code=s3cret"),
        }
        return _written(of_deployment, {app: "http://app"}, AzureWebJobsStorage=account)


DEPLOYED = {
    "TICKET_URL": "http://127.0.0.1:9/hook",
    "WATCHED_SUBSCRIPTIONS": ",".join(one.subscription for one in load_scenarios() if one.name in SCENARIOS),
}
"""A deployment without a storage account."""


def write_goldens() -> None:
    for name, text in goldens().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote tests/cli/golden/{name}")
