"""A small HTTP server on a loopback port, with kept connections. For the sandbox only."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

POLL_SECONDS = 0.01
"""How often a server looks whether it is to end: whoever ends it waits for that."""


def free_port() -> int:
    """A port that was free a moment ago, for a server whose address must be known before it starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class KeepingHandler(WSGIRequestHandler):
    """Keeps connections, as Azure and ticket systems do; werkzeug's own handler closes each after one answer. No log line per request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.kept.add(self.connection)  # type: ignore[attr-defined]

    def finish(self) -> None:
        self.server.kept.discard(self.connection)  # type: ignore[attr-defined]
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request. Its body is read to the end, so that the next request line follows; an answer has a length, never chunks.

        An application that raises ConnectionAbortedError ends the connection without an answer.
        """
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(Request(environ).get_data())
        answer = Response.from_app(self.server.app, environ, buffered=True)
        body = answer.get_data()
        self.send_response(answer.status_code, answer.status.partition(" ")[2])
        for name, value in answer.get_wsgi_headers(environ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def serving(answer: Callable[[Request], Response], port: int = 0) -> Iterator[str]:
    """Serve `answer` on 127.0.0.1 in a thread; yields the base URL. Port 0 is any free one."""

    @Request.application
    def application(request: Request) -> Response:
        return answer(request)

    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=KeepingHandler)
    assert isinstance(server, ThreadedWSGIServer)
    server.daemon_threads, server.block_on_close = True, False
    kept: set[socket.socket] = set()
    server.kept = kept  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        for connection in list(kept):
            _cut(connection)
        thread.join()


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended by itself
