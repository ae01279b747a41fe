"""Headless Chromium: what a page shows, and what happens when somebody uses it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import IO, Any

from sandbox.processes import end, end_with_parent

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=3000")  # fmt: skip


def find_chromium() -> str | None:
    """The browser's command, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page_source(url: str) -> str:
    """The page's DOM after its scripts have run."""
    return _run(url, "--dump-dom").decode()


def _run(url: str, *flags: str) -> bytes:
    command = find_chromium()
    if command is None:
        raise RuntimeError("Chromium is not installed.")
    with TemporaryDirectory() as profile:
        done = subprocess.run(
            [command, *FLAGS, f"--user-data-dir={profile}", *flags, url], capture_output=True, timeout=60, check=True
        )
    return done.stdout


class Browser:
    """One headless browser with one page, driven over the DevTools protocol through a pipe: no port, no further package.

    https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, process: subprocess.Popen[bytes], to: IO[bytes], back: IO[bytes]) -> None:
        self._process, self._to, self._back = process, to, back
        self._count, self._events, self._session = 0, list[dict[str, Any]](), ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params} | (
            {"sessionId": self._session} if self._session else {}
        )
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while (answer := self._next()).get("id") != self._count:
            self._events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def look(self, width: int, *, dark: bool = False, height: int = 900, media: str = "") -> None:
        """The size of the window in CSS pixels, the colours that its user likes, and `print` for how it looks on paper."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, url: str) -> None:
        self._events.clear()
        self.send("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")

    def press(self, selector: str) -> None:
        """Press what leads to another page, and wait for that."""
        self._events.clear()
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self._wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """What a script in the page comes to; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def errors(self) -> list[str]:
        """What the page did that the browser refused, or that failed."""
        entries = [event["params"]["entry"] for event in self._events if event.get("method") == "Log.entryAdded"]
        return [str(entry["text"]) for entry in entries if entry["level"] == "error"]

    def picture(self, *, whole: bool = False) -> bytes:
        """The window as PNG, or the whole page."""
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def _wait_for(self, method: str) -> None:
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._next())

    def _next(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._back.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium has ended.")
            text += byte
        message: dict[str, Any] = json.loads(text)
        return message


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser that ends with the block."""
    command = find_chromium()
    if command is None:
        raise RuntimeError("Chromium is not installed.")
    read_by_it, to = os.pipe()
    back, written_by_it = os.pipe()
    redirected = f'exec "$0" "$@" 3<&{read_by_it} 4>&{written_by_it}'
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [flag for flag in FLAGS if "virtual-time" not in flag]
        arguments = [*flags, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            ["bash", "-c", redirected, command, *arguments], pass_fds=(read_by_it, written_by_it), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=end_with_parent,
        )  # fmt: skip
        os.close(read_by_it)
        os.close(written_by_it)
        try:
            with open(to, "wb") as sending, open(back, "rb") as receiving:
                yield Browser(process, sending, receiving)
        finally:
            end(process)
