"""Story: an agent asks the deployed app (`MCP_TOOLS=on`). The host is the MCP server; each tool is a function with a trigger of its own.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-mcp-tool-trigger
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.wiring import storage, tools

if TYPE_CHECKING:
    from handlers.agents.answering import Answer
    from handlers.agents.listed import Tool
    from handlers.settings import Settings


def add_tools(app: Any, settings: Settings) -> None:
    """Gives a function app a function for each tool, when the setting says so. What answers is imported with the first call."""
    if settings.mcp_tools == "off":
        return
    from handlers.agents.listed import TOOLS

    for name, tool in TOOLS.items():
        trigger = app.mcp_tool_trigger("context", name, tool.description, arguments_of(tool), use_result_schema=True)
        app.function_name(name)(trigger(_function(name)))


def arguments_of(tool: Tool) -> str:
    """What a tool takes, as the trigger's `toolProperties`: a list is the type of its parts, marked as an array."""
    return json.dumps([
        {
            "propertyName": name, "propertyType": schema.get("items", schema)["type"], "description": schema["description"],
            "isRequired": name in tool.needs, "isArray": schema["type"] == "array",
        }
        for name, schema in tool.takes.items()
    ])  # fmt: skip


def _function(name: str) -> Callable[[str], str]:
    def asked(context: str) -> str:
        from handlers.agents.answering import answer
        from handlers.agents.sources import Sources

        arguments = json.loads(context).get("arguments") or {}
        return as_result(answer(name, arguments, Sources(tools().azure, tools().settings, storage)))

    return asked


def as_result(said: Answer) -> str:
    """The answer as every release of the host's extension reads it: text, and the same as structured content.

    It has no place for an error, so that one is an object with `error`. https://github.com/Azure/azure-functions-python-worker/issues/1825
    """
    text = json.dumps({"error": said.error} if said.result is None else said.result)
    return json.dumps({"type": "text", "content": json.dumps({"type": "text", "text": text}), "structuredContent": text})
