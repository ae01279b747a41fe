"""Python functions through Microsoft's own worker library, `azure-functions-runtime`, in this process.

It is the library that production runs on Python 3.13 and later: requirements.txt pins it, which also selects it in Azure
(https://learn.microsoft.com/azure/azure-functions/python-313-changes). Indexing goes through `worker_init_request`, invocations
through `native_invocation`, the protobuf-free entry that its Rust front end uses; it is internal, hence the pin.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class AppDidNotLoad(Exception):
    """What the worker said when it could not index the app. In production the whole app is down then."""


class InvocationFailed(Exception):
    """A function raised, or returned what it has no binding for; the text is the worker's, with the traceback."""


@dataclass(frozen=True)
class Function:
    """One indexed function: `trigger` is its trigger binding, `bindings` are all of them, as JSON."""

    id: str
    name: str
    trigger: Mapping[str, Any]
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def kind(self) -> str:
        """`httpTrigger`, `queueTrigger`, `eventGridTrigger` or `timerTrigger`."""
        return str(self.trigger["type"])


@dataclass(frozen=True)
class Outcome:
    """What an invocation left: its return value and its output bindings, as the worker's `(type, value)`."""

    returned: tuple[str, Any] | None
    outputs: Mapping[str, tuple[str, Any]]


class _Message:
    """Stands for any protobuf message: the worker only builds them and reads their fields."""

    Failure, Success = 0, 1
    undefined, out, inout = 0, 1, 2

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class _Protos:
    def __getattr__(self, name: str) -> type[_Message]:
        return _Message


class Worker:
    """The worker of one app. There can be only one per process: the library keeps its functions in module globals."""

    def __init__(self, app: Path) -> None:
        from azure_functions_runtime.handle_event import functions_metadata_request, worker_init_request
        from azure_functions_runtime.utils.threadpool import start_threadpool_executor

        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="worker", daemon=True).start()
        sys.path.insert(0, str(app))
        os.chdir(app)
        start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init), properties={"host": "127.0.0.1", "protos": _Protos()}
        )
        answer = self._run(worker_init_request(request))
        if answer.result.status != _Message.Success:
            raise AppDidNotLoad(str(answer.result.exception.message))
        found = self._run(functions_metadata_request(request)).function_metadata_results or []
        self.functions = tuple(map(_function, found))

    def invoke(self, function: Function, value: tuple[str, Any], metadata: Mapping[str, tuple[str, Any]]) -> Outcome:
        """Run a function with its trigger's value, both as the worker's `(type, value)`. Raises InvocationFailed."""
        from azure_functions_runtime.bindings.datumdef import Datum
        from azure_functions_runtime.native_invocation import invocation_request_native

        datums = {name: Datum(found, kind) for name, (kind, found) in metadata.items()}
        trigger = (str(function.trigger["name"]), Datum(value[1], value[0]))
        call = invocation_request_native(str(uuid.uuid4()), function.id, [trigger], datums)
        ok, returned, outputs, error, trace = self._run(call)
        if not ok:
            raise InvocationFailed(f"{error}\n{trace}")
        left = (returned.type, returned.value) if returned is not None else None
        return Outcome(left, {name: (datum.type, datum.value) for name, datum in outputs})

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def _function(found: Any) -> Function:
    bindings = tuple(json.loads(raw) for raw in found.raw_bindings)
    trigger = next(binding for binding in bindings if str(binding["type"]).endswith("Trigger"))
    return Function(found.function_id, found.name, trigger, bindings)
