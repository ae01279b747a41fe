"""`mcp`: a server of the Model Context Protocol on standard input and output, for the agent that started it. docs/agents.md.

https://modelcontextprotocol.io/specification/2025-11-25/server/tools
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from handlers.agents.answering import Answer, answer
from handlers.agents.listed import INSTRUCTIONS, TOOLS
from handlers.agents.schemas import taken
from handlers.agents.sources import Sources
from handlers.azure.arm import Azure
from handlers.cli.outcome import FINE, INTERRUPTED, NotDone
from handlers.cli.reading import reading_settings
from handlers.records.storage import Storage

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

NAME = "backup-runbooks"
AT_ONCE = 4
"""Calls that read at the same time; further ones wait."""


def run(environment: Mapping[str, str]) -> int:
    """Serves until standard input ends. Raises NotDone."""
    try:
        import anyio
        import mcp.server.stdio
    except ImportError:
        raise NotDone("The package mcp is missing: pip install -r requirements-terminal.txt") from None
    settings = reading_settings(environment)
    server = server_of(Sources(Azure(settings), settings, partial(Storage, environment, creating=False)))

    async def serve() -> None:
        async with mcp.server.stdio.stdio_server() as (requests, answers):
            await server.run(requests, answers, server.create_initialization_options())

    signal.signal(signal.SIGINT, _end)
    anyio.run(serve)
    return FINE


def _end(*_: object) -> None:
    """Ctrl-C ends the process at once: the thread that waits for standard input hears of nothing else."""
    print("\nEnded.", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


def server_of(sources: Sources) -> Server[Any]:
    import anyio.to_thread
    from mcp.server import Server

    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return listed()

    async def call_tool(_: ServerRequestContext[Any], call: CallToolRequestParams) -> CallToolResult:
        work = partial(answer, call.name, call.arguments or {}, sources)
        return as_result(await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter))

    return Server(NAME, title="Backup Runbooks", instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def listed() -> ListToolsResult:
    from mcp.types import ListToolsResult, Tool, ToolAnnotations

    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
    return ListToolsResult(
        tools=[
            Tool(
                name=name, title=tool.title, description=tool.description, annotations=reads,
                input_schema=taken(tool.takes, tool.needs), output_schema=tool.gives,
            )
            for name, tool in TOOLS.items()
        ]
    )  # fmt: skip


def as_result(said: Answer) -> CallToolResult:
    from mcp.types import CallToolResult, TextContent

    content = TextContent(type="text", text=said.text)
    return CallToolResult(content=[content], structured_content=said.result, is_error=said.result is None)
