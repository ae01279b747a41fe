"""`python -m handlers replay FILE`: what today's checks and templates make of a past incident's document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from handlers.replay import NotADocument, replay
from handlers.settings import LANGUAGES


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        document = json.loads(options.file.read_text(encoding="utf-8"))
        for changes, markdown in replay(document, options.language):
            print(f"verdicts: {changes or 'as they were'}", file=sys.stderr)
            print(markdown)
    except (OSError, ValueError, NotADocument) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m handlers")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    replaying = commands.add_parser("replay", help="diagnose and render a past incident again, offline, from its document")
    replaying.add_argument("file", type=Path, help="a JSON document of the blob container `incidents`")
    replaying.add_argument("--language", choices=LANGUAGES, default="", help="else the document's own")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
