"""The arguments of every command, and its help with examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handlers.settings import LANGUAGES

NAME = "backup-runbooks"
ABOUT = "Why an Azure VM backup failed, with evidence. It only reads in Azure, as whoever is signed in (`az login`)."
ENDS = """exit codes: 0 nothing failed · 1 failures found · 2 wrong arguments or settings · 3 not permitted · 4 not reached · 130 Ctrl-C
environment: NO_COLOR takes colours away; the app's settings (docs/settings.md) hold here too, such as LOG_ANALYTICS_WORKSPACE_ID
`python -m handlers` is the same command."""
EXAMPLES = {
    "diagnose": (
        "diagnose --vm /subscriptions/…/resourceGroups/rg-pay/providers/Microsoft.Compute/virtualMachines/vm-pay-01",
        f"diagnose --job 7f0c… --vault /subscriptions/…/vaults/rsv-prod --language {LANGUAGES[-1]}",
        "diagnose --item /subscriptions/…/protectedItems/VM;… --format html --output vm-pay-01.html",
    ),
    "failures": (
        "failures --since 24h",
        "failures --subscription 00000000-… --diagnose",
        "failures --vault /subscriptions/…/vaults/rsv-prod --since 7d --format csv > failures.csv",
    ),
    "incidents": ("incidents --open", "incidents --id 3f9a0c12"),
    "mcp": ("mcp",),
    "send-test-alert": ("send-test-alert --url 'https://func-backup.azurewebsites.net/api/alerts?code=KEY'",),
    "settings": ("settings check",),
    "replay": (f"replay incident.json --language {LANGUAGES[-1]}",),
    "tickets": ("tickets", "tickets check", "tickets check --dry-run", "tickets check --send"),
}


def parser(since: Callable[[str], Any]) -> argparse.ArgumentParser:
    """`since` reads a span of time."""
    made = argparse.ArgumentParser(
        prog=NAME, description=ABOUT, epilog=ENDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _diagnose(_command(commands, "diagnose", "the runbook of one failed backup: of a VM, a job or a protected item"))
    _failures(_command(commands, "failures", "the backups that failed, and what they share"), since)
    _incidents(_command(commands, "incidents", "what a deployed app has on record (reads its storage account)"))
    _command(commands, "mcp", "answer an agent's questions on standard input and output (docs/agents.md)", loud=False)
    alert = _command(commands, "send-test-alert", "post a marked alert to a deployed app: it becomes a ticket")
    alert.add_argument("--url", default="", help="the app's address with its key; else PUBLIC_URL")
    check = _command(commands, "settings", "try every setting and right of a deployment")
    check.add_argument("check", choices=["check"])
    _replay(_command(commands, "replay", "diagnose and render a past incident again, offline, from its document", loud=False))
    _tickets(
        _command(commands, "tickets", "list the ticketing systems and their options, or try the one that is set", loud=False)
    )
    return made


def _command(commands: Any, name: str, about: str, *, loud: bool = True) -> argparse.ArgumentParser:
    examples = "\n".join(f"  {NAME} {example}" for example in EXAMPLES[name])
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about, epilog=f"examples:\n{examples}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--verbose", action="store_true", help="log what is read, and show where something broke")
    if loud:
        made.add_argument("--quiet", action="store_true", help="the result only: no progress, no remarks")
    return made


def _diagnose(command: argparse.ArgumentParser) -> None:
    about = command.add_mutually_exclusive_group(required=True)
    about.add_argument("--vm", metavar="ID", help="its newest failed backup of the last 48 hours, in whatever vault")
    about.add_argument("--job", metavar="ID", help="a backup job; needs --vault")
    about.add_argument("--item", metavar="ID", help="a protected item's newest failed backup of the last 48 hours")
    command.add_argument("--vault", metavar="ID", default="", help="the vault of --job; with --vm only that one")
    _language(command)
    command.add_argument(
        "--format", choices=("terminal", "markdown", "html", "json"), default="terminal", help="json: the ticket event"
    )
    command.add_argument("--output", type=Path, metavar="FILE", help="write it there")


def _failures(command: argparse.ArgumentParser, since: Callable[[str], Any]) -> None:
    command.add_argument(
        "--subscription", nargs="+", metavar="ID", default=(), help="else WATCHED_SUBSCRIPTIONS, else all that you see"
    )
    command.add_argument("--vault", metavar="ID", default="", help="this vault only")
    command.add_argument("--since", type=since, default="24h", metavar="TIME", help="90m, 24h (the default), 7d")
    command.add_argument(
        "--diagnose", action="store_true", help="the risk and the cause of each; obeys Azure's read limits, so it may wait"
    )
    command.add_argument("--format", choices=("table", "json", "csv"), default="table")
    _language(command)


def _incidents(command: argparse.ArgumentParser) -> None:
    command.add_argument("--open", action="store_true", help="the open ones only")
    command.add_argument("--id", metavar="ID", default="", help="one with its runbook; eight characters are enough")


def _language(command: argparse.ArgumentParser) -> None:
    command.add_argument("--language", choices=LANGUAGES, default="", help="else RUNBOOK_LANGUAGE")


def _replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="a JSON document of the blob container `incidents`")
    command.add_argument("--language", choices=LANGUAGES, default="", help="else the document's own")


def _tickets(command: argparse.ArgumentParser) -> None:
    command.add_argument("check", nargs="?", choices=["check"], help="ask the system of the app settings something harmless")
    ways = command.add_mutually_exclusive_group()
    ways.add_argument(
        "--dry-run", action="store_true", help="show the requests for an example incident, secrets masked; nothing is sent"
    )
    ways.add_argument(
        "--send", action="store_true", help="open, update and resolve a ticket that is marked as a test, and read it back"
    )
