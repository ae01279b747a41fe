"""`make pictures`: one ticket in the sandbox's desk, in a real Roundup and a real Redmine, in each language, for docs/images; look at them."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from handlers.settings import LANGUAGES
from handlers.tickets.engine.target import Target
from sandbox.chromium import Browser, running_browser
from sandbox.ticket_desk import running_desk
from tests.conftest import ROOT
from tests.tickets.changes import failed
from tests.tickets.redmine_server import is_installed, running_redmine
from tests.tickets.roundup_tracker import running_tracker
from tests.tickets.system import posted, target_at

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1200, 740


def take(browser: Browser, system: str, target: Callable[[], Target], language: str) -> None:
    posting = failed(language=language)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = posted(target(), replace(posting, event={**posting.event, "timestamp": now}))
    file = IMAGES / f"{system}.{language}.png"
    browser.look(WIDTH, height=HEIGHT)
    browser.open(made.url)
    file.write_bytes(browser.picture())
    print(f"wrote docs/images/{file.name}, {file.stat().st_size // 1000} KB")


def main() -> None:
    with running_browser() as browser:
        for language in LANGUAGES:
            take_all(browser, language)


def take_all(browser: Browser, language: str) -> None:
    with TemporaryDirectory() as folder:
        with running_desk() as desk:
            take(browser, "desk", lambda: target_at(desk.webhook_url, "webhook"), language)
        with running_tracker(Path(folder) / "tracker") as tracker:
            take(browser, "roundup", tracker.target, language)
        if is_installed():
            with running_redmine(Path(folder)) as redmine:
                take(browser, "redmine", redmine.target, language)


if __name__ == "__main__":
    main()
