"""`python -m handlers replay FILE` and `python -m handlers tickets [check [--dry-run | --send]]`: what can be done from a terminal."""

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
    """List the ticketing systems, or look at the one that is set: ask it something harmless, show what would be sent, or send a test."""
    if not options.check:
        print(ticket_systems.listed())
        return 0
    try:
        return _looked_at(options)
    except (SettingsError, ValueError, ticket_systems.TestFailed) as error:
        print(error, file=sys.stderr)
        return 1


def _looked_at(options: argparse.Namespace) -> int:
    if options.dry_run:
        print(ticket_systems.dry_run(os.environ))
        return 0
    if not options.send and (wrong := ticket_systems.check(os.environ)):
        print(wrong, file=sys.stderr)
        return 1
    for line in ticket_systems.send(os.environ) if options.send else ():
        print(line, flush=True)
    print("The ticketing system answers, and takes what the settings say.")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m handlers")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replaying = commands.add_parser("replay", help="diagnose and render a past incident again, offline, from its document")
    replaying.add_argument("file", type=Path, help="a JSON document of the blob container `incidents`")
    replaying.add_argument("--language", choices=LANGUAGES, default="", help="else the document's own")
    replaying.set_defaults(act=again)
    listing = commands.add_parser("tickets", help="list the ticketing systems and their options")
    listing.add_argument("check", nargs="?", choices=["check"], help="ask the system of the app settings something harmless")
    ways = listing.add_mutually_exclusive_group()
    ways.add_argument(
        "--dry-run", action="store_true", help="show the requests for an example incident, secrets masked; nothing is sent"
    )
    ways.add_argument(
        "--send", action="store_true", help="open, update and resolve a ticket that is marked as a test, and read it back"
    )
    listing.set_defaults(act=tickets)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
