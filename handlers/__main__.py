"""`python -m handlers COMMAND`, installed `backup-runbooks COMMAND`: what can be done from a terminal. docs/terminal.md shows each."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from handlers.cli import tickets as ticket_systems
from handlers.cli.options import parser
from handlers.cli.outcome import INTERRUPTED, NOT_DONE, USAGE, NotDone
from handlers.cli.replay import NotADocument, replay
from handlers.cli.since import since
from handlers.settings import SettingsError

log = logging.getLogger(__name__)


def entry() -> None:
    """The command: ends the process. Threads that still read are not waited for after Ctrl-C."""
    code = main(sys.argv[1:])
    if code == INTERRUPTED:
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def main(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ, out: IO[str] | None = None, err: IO[str] | None = None
) -> int:
    """Runs a command; its exit code. What goes wrong is said in one line."""
    options, err = parser(since).parse_args(arguments), err or sys.stderr
    _set_logging(options.verbose)
    try:
        return COMMANDS[options.command](options, environment, out or sys.stdout, err)
    except NotDone as problem:
        return _failed(str(problem), problem.code, err)
    except SettingsError as error:
        return _failed(str(error), USAGE, err)
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None  # what is closed half-way from here on is nobody's concern
        return _failed("\nEnded.", INTERRUPTED, err)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the result has gone: nobody is told
        return INTERRUPTED
    except OSError as error:
        return _failed(f"{error.filename or 'This'}: {error.strerror or error}", USAGE, err)
    except Exception as error:
        log.exception("the command broke")
        return _failed(f"This command broke ({type(error).__name__}); --verbose shows where.", NOT_DONE, err)


def _failed(text: str, code: int, err: IO[str]) -> int:
    print(text, file=err)
    return code


def _set_logging(verbose: bool) -> None:
    """Nothing is logged but with `--verbose`; of the SDK's packages only what goes wrong."""
    logging.basicConfig(format="%(relativeCreated)6d ms %(name)s: %(message)s", force=True)
    logging.getLogger().setLevel(logging.WARNING if verbose else logging.CRITICAL + 1)
    logging.getLogger("handlers").setLevel(logging.DEBUG if verbose else logging.NOTSET)


# ------------------------------------------------------------------------------------------------ one function a command

type Command = Callable[[argparse.Namespace, Mapping[str, str], IO[str], IO[str]], int]


def diagnose(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.diagnose import run
    from handlers.cli.reading import reading_of

    if options.job and not options.vault:
        raise NotDone("--job needs --vault: the id of the vault that ran it", USAGE)
    return run(options, reading_of(options, environment, out, err))


def failures(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.failures import run
    from handlers.cli.reading import reading_of

    return run(options, reading_of(options, environment, out, err))


def incidents(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.incidents import run
    from handlers.cli.screen import Screen

    return run(options, environment, Screen(environment, out, err, quiet=options.quiet))


def mcp(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.mcp_server import run

    return run(environment)


def send_test_alert(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.alert_sent import run
    from handlers.cli.screen import Screen

    return run(options, environment, Screen(environment, out, err, quiet=options.quiet))


def settings_check(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    from handlers.cli.screen import Screen
    from handlers.cli.settings_check import run

    return run(environment, Screen(environment, out, err, quiet=options.quiet))


def again(options: argparse.Namespace, _: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    """What today's checks and templates make of a past incident's document."""
    try:
        document = json.loads(options.file.read_text(encoding="utf-8"))
        for changes, markdown in replay(document, options.language):
            print(f"verdicts: {changes or 'as they were'}", file=err)
            print(markdown, file=out)
    except (OSError, ValueError, NotADocument) as error:
        return _failed(f"{options.file}: {error}", USAGE, err)
    return 0


def tickets(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    """List the ticketing systems, or look at the one that is set: ask it something harmless, show what would be sent, or send a test."""
    if not options.check:
        print(ticket_systems.listed(), file=out)
        return 0
    try:
        return _looked_at(options, environment, out, err)
    except (SettingsError, ValueError, ticket_systems.TestFailed) as error:
        return _failed(str(error), 1, err)


def _looked_at(options: argparse.Namespace, environment: Mapping[str, str], out: IO[str], err: IO[str]) -> int:
    if options.dry_run:
        print(ticket_systems.dry_run(environment), file=out)
        return 0
    if not options.send and (wrong := ticket_systems.check(environment)):
        return _failed(wrong, 1, err)
    for line in ticket_systems.send(environment) if options.send else ():
        print(line, flush=True, file=out)
    print("The ticketing system answers, and takes what the settings say.", file=out)
    return 0


COMMANDS: Mapping[str, Command] = {
    "diagnose": diagnose,
    "failures": failures,
    "incidents": incidents,
    "mcp": mcp,
    "send-test-alert": send_test_alert,
    "settings": settings_check,
    "replay": again,
    "tickets": tickets,
}


if __name__ == "__main__":
    entry()
