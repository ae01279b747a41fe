"""`python -m handlers replay FILE` and `python -m handlers tickets [check]`: what can be done from a terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from handlers.cli import tickets as ticket_systems
from handlers.cli.replay import NotADocument, replay
from handlers.settings import LANGUAGES, SettingsError


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    return int(options.act(options))


def again(options: argparse.Namespace) -> int:
    """What today's checks and templates make of a past incident's document."""
    try:
        document = json.loads(options.file.read_text(encoding="utf-8"))
        for changes, markdown in replay(document, options.language):
            print(f"verdicts: {changes or 'as they were'}", file=sys.stderr)
            print(markdown)
    except (OSError, ValueError, NotADocument) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    return 0


def tickets(options: argparse.Namespace) -> int:
    """List the ticketing systems, or ask the one that is set something harmless."""
    if not options.check:
        print(ticket_systems.listed())
        return 0
    try:
        wrong = ticket_systems.check(os.environ)
    except (SettingsError, ValueError) as error:
        wrong = str(error)
    print(wrong or "The ticketing system answers, and takes what the settings say.", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m handlers")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replaying = commands.add_parser("replay", help="diagnose and render a past incident again, offline, from its document")
    replaying.add_argument("file", type=Path, help="a JSON document of the blob container `incidents`")
    replaying.add_argument("--language", choices=LANGUAGES, default="", help="else the document's own")
    replaying.set_defaults(act=again)
    listing = commands.add_parser("tickets", help="list the ticketing systems and their options")
    listing.add_argument("check", nargs="?", choices=["check"], help="ask the system of the app settings something harmless")
    listing.set_defaults(act=tickets)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
