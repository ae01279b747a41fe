"""`MCP_TOOLS=on`: the deployed app's functions for agents, indexed and called through the worker library of production."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import azure.functions as func
import pytest

from handlers.agent_asked import add_tools, as_result
from handlers.agents.answering import Answer
from handlers.agents.listed import TOOLS
from handlers.settings import Settings
from tests.conftest import ROOT

CALLED = """
import json, sys
from pathlib import Path
from sandbox.function_worker import Worker
worker = Worker(Path(sys.argv[1]))
functions = {f.name: f for f in worker.functions if f.kind == "mcpToolTrigger"}
light = not [name for name in sys.modules if name.startswith(("azure.core", "handlers.cli", "handlers.facts", "mcp", "rich", "jinja2"))]
asked = [("explain_error_code", {"code": "BackUpOperationFailed"}), ("diagnose_backup_failure", {"vm_id": "vm-1"})] if functions else []
said = [worker.invoke(functions[name], ("string", json.dumps({"name": name, "arguments": given})), {}).returned for name, given in asked]
print(json.dumps({"triggers": {name: f.trigger for name, f in functions.items()}, "light": light, "said": said}))
"""


def called(setting: str) -> Any:
    env = {
        "PYTHONPATH": str(ROOT),
        "PATH": "",
        "TICKET_URL": "https://t.example.com",
        "ARM_ENDPOINT": "http://127.0.0.1:9",
        "MCP_TOOLS": setting,
    }
    shown = subprocess.run(
        [sys.executable, "-c", CALLED, str(ROOT)], capture_output=True, text=True, env=env, cwd=ROOT, check=False
    )
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


@pytest.mark.server
def test_each_tool_is_a_function_that_answers_through_the_worker() -> None:
    shown = called("on")
    assert list(shown["triggers"]) == list(TOOLS)
    assert shown["light"], "indexing the tools imports nothing heavy"
    for name, trigger in shown["triggers"].items():
        assert (trigger["toolName"], trigger["description"]) == (name, TOOLS[name].description)
        assert [given["propertyName"] for given in json.loads(trigger["toolProperties"])] == list(TOOLS[name].takes)
    explained, refused = (json.loads(json.loads(value)["structuredContent"]) for _, value in shown["said"])
    assert explained["code"] == "BackUpOperationFailed"
    assert refused["error"].startswith("vm_id 'vm-1' is not an id of the form")


@pytest.mark.server
def test_without_the_setting_there_is_no_such_function() -> None:
    assert called("off")["triggers"] == {}


def test_a_tool_says_what_it_takes_in_the_words_of_the_trigger() -> None:
    app = func.FunctionApp()
    add_tools(app, Settings(ticket_url="https://t.example.com", mcp_tools="on"))
    triggers: dict[str | None, Any] = {
        made.get_function_name(): made.get_dict_repr()["bindings"][0] for made in app.get_functions()
    }
    taken = {given.pop("propertyName"): given for given in json.loads(triggers["list_failed_backups"]["toolProperties"])}
    assert (taken["subscription_ids"]["propertyType"], taken["subscription_ids"]["isArray"]) == ("string", True)
    assert (taken["since_hours"]["propertyType"], taken["since_hours"]["isRequired"]) == ("integer", False)
    assert json.loads(triggers["explain_error_code"]["toolProperties"])[0]["isRequired"]


@pytest.mark.parametrize(
    ("said", "given"),
    [
        (Answer({"untrusted": {"fields": ["/a"]}, "a": "“b”"}), {"untrusted": {"fields": ["/a"]}, "a": "“b”"}),
        (Answer(None, "not permitted"), {"error": "not permitted"}),
    ],
)
def test_an_answer_is_given_as_the_library_gives_structured_content(said: Answer, given: dict[str, Any]) -> None:
    app = func.FunctionApp()

    def tool() -> dict[str, Any]:
        return given

    app.mcp_tool(use_result_schema=True)(tool)
    (made,) = app.get_functions()
    theirs = asyncio.run(made.get_user_function()(json.dumps({"arguments": {}})))
    assert json.loads(as_result(said)) == json.loads(theirs)
