"""A small HTTP server on a loopback port, with kept connections. For the sandbox only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

POLL_SECONDS = 0.01
"""How often a server looks whether it is to end: whoever ends it waits for that."""


class QuietHandler(WSGIRequestHandler):
    """HTTP/1.1, so that clients keep their connections; no log line per request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def serving(answer: Callable[[Request], Response], port: int = 0) -> Iterator[str]:
    """Serve `answer` on 127.0.0.1 in a thread; yields the base URL. Port 0 is any free one."""

    @Request.application
    def application(request: Request) -> Response:
        return answer(request)

    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=QuietHandler)
    assert isinstance(server, ThreadedWSGIServer)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
