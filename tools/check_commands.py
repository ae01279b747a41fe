"""`make check-commands`: every command line of every runbook, read by the checker of commands that may lie beside the project.

The checker knows azure-cli, shellcheck and PowerShell's cmdlets, and sends nothing. It gets the golden runbooks, and every command
template rendered with ordinary values, with hostile ones, and with none (`build/commands/*.md`), and the pages on deployment. Then the
real az runs each block of a runbook that only reads against the simulated Azure. The checker and az have an environment of their own, `build/commands-venv`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from handlers.runbook.markup import command_block
from handlers.runbook.templates import actions
from tools.command_samples import samples

ROOT = Path(__file__).parent.parent
CHECKER = ROOT / os.environ.get("COMMANDS_CHECKER", "../shared/tools/commands")
PYTHON = ROOT / "build/commands-venv/bin/python"
BYTE_CODE = ROOT / "build/commands-venv/byte-code"
RENDERED = ROOT / "build/commands"
GOLDEN = ROOT / "tests/golden"
PAGES = ("docs/deploy.md", "infra/README.md")
"""The pages that show how to deploy."""
UNKNOWN = ("azd", "make")
"""Programs that the checker does not know: it is told that they are there. What azd is asked for, a test compares."""


def is_installed() -> bool:
    return (CHECKER / "check_commands.py").is_file() and PYTHON.is_file()


def render_all(folder: Path = RENDERED) -> list[Path]:
    """A Markdown file per kind of values, with every block that any command template gives, each block once."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shown: set[str] = set()
    files = {folder / f"{name}.md": page(name, shown) for name in samples()}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def page(name: str, shown: set[str]) -> str:
    """Every action as it is shown with the values of a sample, without the blocks that are `shown` already; they are then, too."""
    lines = [f"# {name}"]
    for action in sorted(actions()):
        blocks = dict.fromkeys(command_block(command.line, command.shell) for command in samples()[name](action))
        lines += [f"## {action}", *(block for block in blocks if block not in shown)]
        shown.update(blocks)
    return "\n\n".join(lines) + "\n"


def deployment_pages(folder: Path = RENDERED) -> list[Path]:
    """Copies of the pages on deployment whose blocks each know azd and make."""
    folder.mkdir(parents=True, exist_ok=True)
    known = "".join(f"{program}() {{ :; }}\n" for program in UNKNOWN)
    copies = {folder / Path(name).name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    for path, text in copies.items():
        path.write_text(text.replace("```sh\n", f"```sh\n{known}"), encoding="utf-8")
    return list(copies)


def check(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the checker says about Markdown files or folders; its exit status is 0 without errors and warnings."""
    return _run("check_commands.py", "--golden", "--strict", "--once", *map(str, paths))


def run_az(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the real az says when it runs the blocks that only read against the simulated Azure."""
    from sandbox.azure import running_azure
    from sandbox.scenario import load_scenarios

    with running_azure(load_scenarios()) as azure:
        return _run("run_az.py", "--golden", "--azure", azure.url, *map(str, paths))


def _run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """azure-cli is large: its byte code is kept, beside it."""
    command = [str(PYTHON), str(CHECKER / script), *arguments]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPYCACHEPREFIX": str(BYTE_CODE)
    }
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=kept, check=False)  # noqa: S603 - our own files


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.check_commands", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the real az")
    quick = parser.parse_args().quick
    checks = [check(GOLDEN), check(*render_all(), *deployment_pages())]
    checks += [] if quick else [run_az(*sorted(GOLDEN.glob("*.md")))]
    for ran in checks:
        print(ran.stdout + ran.stderr, end="")
    return max(ran.returncode for ran in checks)


if __name__ == "__main__":
    sys.exit(main())
