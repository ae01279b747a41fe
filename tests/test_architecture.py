"""The guards: who may import whom, what is in the package, and that the app loads in Microsoft's worker library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.package import ROOT, allowed, build

HANDLERS = ROOT / "handlers"
STORIES = {
    "agent_asked",
    "alert_queued",
    "alert_received",
    "backup_failed",
    "backup_recovered",
    "canary",
    "checked_again",
    "dispatch",
    "last_resort",
    "many_failed",
    "members_diagnosed",
    "page_opened",
    "read_again",
    "reminded",
    "sweep",
    "ticket_due",
}
ROOMS = {"alerts", "diagnosis", "facts", "causes", "runbook", "tickets", "records", "azure", "model", "cli", "agents", "web"}
OTHERS = {"settings", "wiring", "__main__"}
SDK = "azure.*"
"""Azure's packages."""
EVERYWHERE = {"msgspec"}
"""What the app's values are made of."""
MAY_IMPORT: dict[str, set[str]] = {
    "model": {"model"},
    "settings": set(),
    "causes": {"model", "causes"},
    "alerts": {"model", "alerts"},
    "tickets": {
        "model",
        "settings",
        "tickets",
        "runbook",
        "requests",
        "urllib3",
        "jinja2",
        "jwt",
        "markdown_it",
        "dateutil",
    },
    "facts": {"model", "settings", "azure", SDK, "facts", "tzlocal"},
    "records": {"model", "settings", "azure", SDK, "records", "facts", "alerts", "diagnosis", "runbook", "tickets"},
    "azure": {"model", "settings", "azure", SDK, "requests"},
    "diagnosis": {"model", "azure", "facts", "diagnosis", SDK},
    "runbook": {"model", "runbook", "diagnosis", "jinja2", "markdown_it", "nh3"},
    "web": {"model", "settings", "alerts", "azure", "records", "runbook", "web", "jinja2", "markdown_it", "markupsafe", "nh3"},
    "wiring": {"settings", "model", "azure", "records", "tickets", "requests"},
    "cli": (ROOMS | STORIES | {"settings", "wiring", SDK, "requests", "rich", "mcp", "anyio", "markdown_it"}) - {"causes"},
    "agents": (ROOMS | {"settings", SDK}) - {"causes"},
    "__main__": {"settings", "cli"},
    **{story: (ROOMS | {"settings", "wiring"}) - {"causes", "cli"} for story in STORIES},
    **{
        story: (ROOMS | STORIES | {"settings", "wiring"}) - {"causes", "cli"}
        for story in ("alert_queued", "checked_again", "dispatch", "reminded", "sweep")
    },
}
"""docs/decisions.md says where this differs from the first design, and why."""


def imports_of(path: Path) -> set[str]:
    """What a module imports beyond the standard library; ours by room, Azure's packages as `azure.*`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=module, names=names) if module == "handlers":
                found |= {f"handlers.{name.name}" for name in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module)
    return {_room(name) for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def _room(name: str) -> str:
    first, _, rest = name.partition(".")
    return rest.partition(".")[0] if first == "handlers" else "azure.*" if first == "azure" else first


@pytest.mark.parametrize("path", sorted(HANDLERS.rglob("*.py")), ids=lambda path: str(path.relative_to(HANDLERS)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = path.relative_to(HANDLERS).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert imports_of(path) <= MAY_IMPORT[room] | EVERYWHERE


def test_function_app_imports_stories_and_wiring_only_and_is_short() -> None:
    text = (ROOT / "function_app.py").read_text(encoding="utf-8")
    assert imports_of(ROOT / "function_app.py") <= STORIES | {"wiring", "azure.*"}
    assert len(text.splitlines()) <= 105


def test_azure_functions_is_imported_nowhere_else() -> None:
    users = [
        path
        for path in HANDLERS.rglob("*.py")
        if re.search(r"^\s*(import|from) azure\.functions", path.read_text(encoding="utf-8"), re.M)
    ]
    assert users == []


def test_json_is_read_into_classes_in_one_place_that_threads_may_share() -> None:
    reading = re.compile(r"msgspec\.(json|convert|to_builtins|defstruct)|from msgspec import (?!Struct\b|field\b)")
    users = [path.name for path in HANDLERS.rglob("*.py") if reading.search(path.read_text(encoding="utf-8"))]
    assert sorted(users) == ["own_file.py", "typed_json.py"]


def test_values_are_structs_but_the_settings_whose_secrets_are_not_shown() -> None:
    users = [path.name for path in HANDLERS.rglob("*.py") if "dataclass(" in path.read_text(encoding="utf-8")]
    assert users == ["settings.py"]


def test_credentials_are_made_in_one_place() -> None:
    users = [
        path.name
        for path in HANDLERS.rglob("*.py")
        if re.search(r"^\s*(import|from) azure\.identity", path.read_text(encoding="utf-8"), re.M)
    ]
    assert users == ["credentials.py"]


def test_nothing_lies_directly_in_handlers_but_the_stories_and_what_makes_them() -> None:
    assert {path.stem for path in HANDLERS.glob("*.py")} == STORIES | OTHERS | {"__init__"}
    assert {path.name for path in HANDLERS.iterdir() if path.is_dir() and path.name != "__pycache__"} == ROOMS


@pytest.mark.parametrize("story", sorted(STORIES))
def test_a_story_is_read_in_one_screen(story: str) -> None:
    assert len((HANDLERS / f"{story}.py").read_text(encoding="utf-8").splitlines()) <= 60


def test_broad_excepts_are_where_one_failure_must_not_be_everybodys() -> None:
    """A fact, a check, a row of the sweep, the poison queue; a failure handed to all who share a read; a command of the terminal, a tool of an agent."""
    broad = [path.name for path in HANDLERS.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()
             if re.match(r"\s*except (Base)?Exception( as \w+)?:|\s*except:", line)]  # fmt: skip
    assert sorted(broad) == [
        "__init__.py", "__main__.py", "answering.py", "diagnose.py", "last_resort.py", "shared_reads.py", "sweep.py",
    ]  # fmt: skip


@pytest.mark.server
def test_loading_the_app_imports_nothing_heavy() -> None:
    sdk = "'azure.mgmt', 'azure.core', 'azure.identity', 'azure.storage', 'azure.monitor'"
    heavy = f"({sdk}, 'jinja2', 'requests', 'markdown_it', 'nh3', 'dateutil', 'rich', 'mcp', 'handlers.cli', 'handlers.agents')"
    code = f"import sys, function_app; print([m for m in sys.modules if m.startswith({heavy})])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
                           env={"TICKET_URL": "https://t.example.com", "PATH": ""})  # fmt: skip
    assert shown.stdout.strip() == "[]"


INDEX = """
import sys
from pathlib import Path
from sandbox.function_worker import AppDidNotLoad, Worker
try:
    print(sorted((f.name, f.kind) for f in Worker(Path(sys.argv[1])).functions))
except AppDidNotLoad as error:
    print("DID NOT LOAD", error)
"""


def index(app: Path, **settings: str) -> str:
    env = {"PYTHONPATH": str(ROOT), "PATH": "", **settings}
    return subprocess.run([sys.executable, "-c", INDEX, str(app)], capture_output=True, text=True, env=env, cwd=ROOT).stdout


@pytest.mark.server
def test_the_app_loads_in_the_worker_library_of_production() -> None:
    shown = index(ROOT, TICKET_URL="https://t.example.com")
    assert "('alerts', 'httpTrigger')" in shown
    assert "('backup_event', 'eventGridTrigger')" in shown
    assert "('last_resort', 'queueTrigger')" in shown
    assert "('triage', 'queueTrigger')" in shown


@pytest.mark.server
def test_one_bad_signature_takes_the_whole_app_down(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.queue_trigger('message', 'work', 'AzureWebJobsStorage')\ndef good(message: func.QueueMessage) -> None: ...\n"
        "@app.queue_trigger('message', 'other', 'AzureWebJobsStorage')\ndef bad(message: dict) -> None: ...\n"
    )
    assert "DID NOT LOAD" in index(tmp_path)


@pytest.mark.server
def test_a_malformed_setting_stops_the_app_with_a_line_that_names_it() -> None:
    shown = index(ROOT, TICKET_URL="https://t.example.com", STORM_THRESHOLD="many")
    assert "DID NOT LOAD" in shown
    assert "STORM_THRESHOLD must be a whole number" in shown


@pytest.mark.server
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"TICKET_TARGET": "carrier_pigeon"}, "TICKET_TARGET is 'carrier_pigeon'; it must be one of:"),
        ({"TICKET_SECRET": "whsec_*"}, "TICKET_SECRET begins with whsec_"),
        ({"TICKET_OPTIONS": '{"project": 1}'}, "TICKET_OPTIONS holds 'project', which webhook.toml does not know"),
        ({"TICKET_TARGET_FILE": "nowhere.toml"}, "TICKET_TARGET_FILE cannot be read"),
        ({"TICKET_TARGET_FILE": "name = 'Desk'\nnam = 2"}, "TICKET_TARGET_FILE: Object contains unknown field `nam`"),
    ],
)
def test_a_ticketing_system_that_is_not_set_up_stops_the_app_with_a_line_that_names_it(
    settings: dict[str, str], said: str
) -> None:
    shown = index(ROOT, TICKET_URL="https://t.example.com", **settings)
    assert "DID NOT LOAD" in shown
    assert said in shown


# ------------------------------------------------------------------------------------------------ the package


def accepted_by_core_tools(path: str) -> bool:
    """`.funcignore` as Core Tools reads it: every pattern is a prefix, and an allowed prefix beats any ignored one.

    https://github.com/Azure/azure-functions-core-tools/blob/main/src/Azure.Functions.Cli/Common/GitIgnoreParser.cs
    """
    lines = [line.strip() for line in (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines() if line.strip()]
    kept = [re.escape(line[1:].removeprefix("/")) for line in lines if line.startswith("!")]
    dropped = [re.escape(line.removeprefix("/")).replace(r"\*", r"([^\/]+)") for line in lines if not line.startswith("!")]
    return any(re.match(pattern, path) for pattern in kept) or not any(re.match(pattern, path) for pattern in dropped)


@pytest.mark.server
def test_both_readings_of_funcignore_allow_the_same_files() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    files = [name for name in tracked if name and (ROOT / name).is_file()]
    ours = {path.as_posix() for path in allowed(ROOT)}
    assert {name for name in files if accepted_by_core_tools(name)} == {name for name in files if name in ours}


@pytest.mark.server
def test_the_package_holds_the_app_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(tmp_path / "package.zip")) as package:
        names = package.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"function_app.py", "host.json", "requirements.txt", "handlers", "templates"}
    assert any(name.startswith("templates/compiled/") for name in names)
    modules = [name for name in names if name.endswith(".py") and "/" in name]
    assert len([name for name in names if name.endswith(".cpython-313.pyc")]) == len(modules)


def test_what_is_deployed_does_not_ask_for_what_only_a_terminal_needs() -> None:
    def names(file: str) -> set[str]:
        return set(re.findall(r"(?m)^([\w-]+)==", (ROOT / file).read_text(encoding="utf-8")))

    assert names("requirements-terminal.txt") == {"rich", "mcp"}
    assert not names("requirements-terminal.txt") & names("requirements.txt")
    assert "requirements-terminal.txt" not in {path.as_posix() for path in allowed(ROOT)}


def test_what_only_a_terminal_needs_is_imported_there_only() -> None:
    imports = {path.relative_to(HANDLERS): imports_of(path) for path in HANDLERS.rglob("*.py")}
    assert {path.parts[0] for path, names in imports.items() if "rich" in names} == {"cli"}
    assert {path.as_posix() for path, names in imports.items() if names & {"mcp", "anyio"}} == {"cli/mcp_server.py"}


@pytest.mark.server
def test_byte_code_stays_valid_after_a_zip_round_trip_and_the_package_is_small(tmp_path: Path) -> None:
    """Flags of a .pyc: 0b01 is hash-based and unchecked, whatever times a zip keeps. https://peps.python.org/pep-0552/"""
    built = build(tmp_path / "package.zip")
    assert built.stat().st_size < 40 * 1024 * 1024
    with zipfile.ZipFile(built) as package:
        package.extractall(tmp_path / "app")
    compiled = list((tmp_path / "app").rglob("*.pyc"))
    assert compiled
    assert {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled} == {0b01}
    for path in (tmp_path / "app" / "handlers").rglob("*.py"):
        path.write_text("raise SystemExit('the source was read')")
    code = "import handlers.settings, handlers.dispatch; print('from byte code')"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "app", env={}, capture_output=True, text=True, check=False
    )
    assert shown.stdout.strip() == "from byte code", shown.stderr
