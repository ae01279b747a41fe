"""Whoever adds something touches the files that CONTRIBUTING.md names for it, and no other.

Each addition is made in a copy of the project; `make docs` and `make golden` write what follows from it, and the tests that concern it pass.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from handlers.settings import LANGUAGES
from tests.conftest import ROOT

pytestmark = pytest.mark.server

FOLDERS = ("docs", "handlers", "infra", "sandbox", "templates", "tests", "tools")
FILES = (
    "function_app.py",
    "host.json",
    "pyproject.toml",
    "azure.yaml",
    "Makefile",
    "README.md",
    "requirements.txt",
    "requirements-dev.txt",
)
CODES = "handlers/diagnosis/error_codes.toml"


@dataclass(frozen=True)
class Copy:
    """A copy of the project that is put back to what it was after each test."""

    root: Path
    original: dict[str, bytes] = field(default_factory=dict)

    def take(self) -> None:
        left_out = shutil.ignore_patterns("__pycache__", "compiled", "images")
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, self.root / folder, ignore=left_out)
        for name in FILES:
            shutil.copy(ROOT / name, self.root / name)
        self.original.update(self.files())

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    def changed(self) -> set[str]:
        now = self.files()
        return {name for name in now | self.original if now.get(name) != self.original.get(name)}

    def put_back(self) -> None:
        for name in self.changed():
            if name in self.original:
                (self.root / name).write_bytes(self.original[name])
            else:
                (self.root / name).unlink()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new))

    def run(self, *arguments: str) -> None:
        """A Python command in the copy, which must end well."""
        env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
        ran = subprocess.run([sys.executable, *arguments], cwd=self.root, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    made = Copy(tmp_path_factory.mktemp("copy"))
    made.take()
    return made


@pytest.fixture
def copy(copied: Copy) -> Iterator[Copy]:
    yield copied
    copied.put_back()


def places_of(what: str) -> list[re.Pattern[str]]:
    """The files that CONTRIBUTING.md names for an addition. `<…>` stands for any name, `/` at the end for all files below."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {what} \| (.*) \|$", text, re.MULTILINE)
    names = re.findall(r"`([\w.-]+/[^`\s]*)`", row)
    return [re.compile(re.sub(r"<\w+>", "[^/]+", name) + (".*" if name.endswith("/") else "")) for name in names]


# ------------------------------------------------------------------------------------------------ what is added


def an_error_code(copy: Copy) -> None:
    titles = ", ".join(f'{language} = "The disk sulks"' for language in LANGUAGES)
    table = f"""
[UserErrorDiskSulks]
title = {{ {titles} }}
means = {{ {titles} }}
category = "disk"
transient = "no"
doc = "https://learn.microsoft.com/azure/backup/backup-azure-vms-troubleshoot#sulks"
causes = ["disk_too_large"]
"""
    copy.replace(CODES, "\n[unknown]\n", f"{table}\n[unknown]\n")


def a_cause(copy: Copy) -> None:
    copy.run("-m", "tools.new_cause", "disk_sulks")
    for name in copy.changed():
        copy.replace(name, "TODO", f"Done in {name}")
    copy.replace(CODES, '    "restore_point_group_locked",\n', '    "restore_point_group_locked",\n    "disk_sulks",\n')


FACT = '''"""Availability sets. https://learn.microsoft.com/rest/api/compute/availability-sets/get"""

from __future__ import annotations

from handlers.facts import Reads, fact
from handlers.model import Failure


@fact("Microsoft.Compute/availabilitySets/read", source="Microsoft.Compute/availabilitySets")
def availability_set(failure: Failure, reads: Reads) -> str:
    """The name of the VM's availability set."""
    return str(reads.get(f"{failure.vm}/availabilitySets/a", "2025-04-01")["name"])
'''
FACT_TEST = """from handlers.facts.availability import availability_set


class OneSet:
    vm = "/vm"

    def get(self, path: str, api_version: str) -> dict[str, str]:
        return {"name": path}


def test_it_is_read_by_its_vm() -> None:
    assert availability_set(OneSet(), OneSet()) == "/vm/availabilitySets/a"
"""


def a_fact(copy: Copy) -> None:
    copy.write("handlers/facts/availability.py", FACT)
    copy.write("tests/facts/test_availability.py", FACT_TEST)
    for language in LANGUAGES:
        copy.replace(f"templates/{language}/words.toml", "[facts]\n", '[facts]\navailability_set = "Set"\n')


SYSTEM = """name = "Pigeon Post"
docs = "https://pigeon.example.com/api"

[auth]
kind = "header"

[text]
markup = "plain"
most = 5_000
title = 120

[ticket]
id = "= key"
known_by_key = true

[[open]]
path = "/pigeons"
json = { key = "= key", title = "= title", text = "= text" }

[[update]]
path = "/pigeons/{key}"
json = { text = "= text" }

[[resolve]]
path = "/pigeons/{key}/home"
json = { text = "= text" }

[[check]]
method = "GET"
path = "/pigeons"
"""
SYSTEM_PAGE = "# Pigeon Post\n\n| setting | value |\n|---|---|\n| `TICKET_TARGET` | `pigeon_post` |\n"


def a_ticketing_system(copy: Copy) -> None:
    copy.write("handlers/tickets/pigeon_post.toml", SYSTEM)
    copy.write("docs/tickets/pigeon_post.md", SYSTEM_PAGE)
    imitation = '    "pigeon_post": Happy(_hook(200), exactly_once="", names_no_ticket=True),\n'
    copy.replace("tests/tickets/targets/happy.py", '    "redmine": REDMINE,\n', f'{imitation}    "redmine": REDMINE,\n')


def a_language(copy: Copy) -> None:
    shutil.copytree(copy.root / "templates" / "en", copy.root / "templates" / "de")
    for path in (copy.root / "templates" / "de" / "causes").glob("*.j2"):
        copy.replace(f"templates/de/causes/{path.name}", "{% block title %}", "{% block title %}Deutsch: ")
    for key in ("title", "means"):
        copy.replace(CODES, f'\n{key} = {{ en = "', f'\n{key} = {{ de = "Ein Fehler", en = "')


SOURCE = '''"""Alerts of the pigeon post. About backup is what a pigeon named Backup brings: https://learn.microsoft.com/azure/backup/."""

from __future__ import annotations

from handlers.alerts.fields import ignored, text
from handlers.model import Alert, Ignored

ORDER = 55


def claims(body: object) -> bool:
    return bool(text(body, "pigeon"))


def parse(body: object) -> list[Alert | Ignored]:
    if text(body, "pigeon") != "Backup":
        return [ignored("This pigeon brings something else.")]
    return [Alert(source="pigeon_post", id=text(body, "ring"))]
'''


def an_alert_source(copy: Copy) -> None:
    copy.write("handlers/alerts/pigeon_post.py", SOURCE)
    copy.write("tests/samples/alerts/pigeon_post.json", json.dumps({"pigeon": "Backup", "ring": "BE-1"}))


def a_setting(copy: Copy) -> None:
    field, read = '    canary: str = "quiet"\n', "            canary=_one_of("
    copy.replace("handlers/settings.py", field, f'    pigeon_hours: str = "day"\n{field}')
    copy.replace("handlers/settings.py", read, f'            pigeon_hours=values["PIGEON_HOURS"] or cls.pigeon_hours,\n{read}')
    copy.replace("docs/settings.md", "| `CANARY` |", "| `PIGEON_HOURS` | `day` | when pigeons may fly |\n| `CANARY` |")


# ------------------------------------------------------------------------------------------------ what must still pass

WHOLE, IMPORTS, BICEP = "tests/test_wholeness.py", "tests/test_architecture.py", "tests/infra/test_same_as_code.py"
TEXTS, CATALOGUE = "tests/test_languages.py", "tests/diagnosis/test_catalogue.py"
ADDITIONS: dict[str, tuple[Callable[[Copy], None], tuple[str, ...], str]] = {
    "an error code": (an_error_code, (WHOLE, CATALOGUE), "not hostile"),
    "a cause": (
        a_cause,
        (WHOLE, IMPORTS, TEXTS, "tests/diagnosis", "tests/causes/test_disk_sulks.py"),
        "wholeness or diagnose or disk_sulks",
    ),
    "a fact": (
        a_fact,
        (WHOLE, IMPORTS, BICEP, TEXTS, "tests/facts/test_gather.py", "tests/facts/test_availability.py"),
        "wholeness or availability or role or words or permissions",
    ),
    "a ticketing system": (
        a_ticketing_system,
        (WHOLE, "tests/tickets/targets/test_all.py"),
        "wholeness or (pigeon_post and not hostile and not odd and not refusal)",
    ),
    "a language": (
        a_language,
        (WHOLE, BICEP, TEXTS, CATALOGUE, "tests/test_settings.py", "tests/runbook/test_parts.py"),
        "not hostile and not quoted and not labelled and not shell_line and not affected_vm and not bare",
    ),
    "an alert source": (
        an_alert_source,
        (WHOLE, IMPORTS, "tests/alerts/test_read.py", "tests/alerts/test_alert_catalogue.py"),
        "wholeness or pigeon_post or catalogue",
    ),
    "a setting": (a_setting, (WHOLE, BICEP, "tests/infra/test_wording.py", "tests/test_settings.py"), ""),
}
"""By its row in CONTRIBUTING.md: how it is made, the files of tests that concern it, and which of their tests (`pytest -k`)."""
WRITE_AND_TEST = """
import runpy, sys, pytest
for module in sys.argv[1].split():
    runpy.run_module(module, run_name="__main__")
sys.exit(pytest.main(sys.argv[2:]))
"""
"""One process for all of it: most of the time goes into imports."""


@pytest.mark.timeout(300)  # a second of work takes ten on a machine that is shared
@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_takes_the_files_that_are_named_for_it_and_no_other(what: str, copy: Copy) -> None:
    add, tests, chosen = ADDITIONS[what]
    add(copy)
    named, touched = places_of(what), copy.changed()
    assert [name for name in touched if not any(place.fullmatch(name) for place in named)] == []
    assert [place.pattern for place in named if not any(place.fullmatch(name) for name in touched)] == []
    written = "tools.docs tests.golden" if what == "a language" else "tools.docs"
    copy.run("-c", WRITE_AND_TEST, written, "-q", "-x", "-p", "no:cacheprovider", "-k", chosen, *tests)


def test_a_file_that_is_not_named_for_an_addition_would_be_noticed() -> None:
    named = places_of("a language")
    assert any(place.fullmatch("templates/de/causes/disk_too_large.md.j2") for place in named)
    assert not any(
        place.fullmatch(name) for place in named for name in ("handlers/settings.py", "templates/de", "docs/settings.md")
    )


def test_nothing_but_the_texts_and_the_titles_names_a_language() -> None:
    """What needs the names of the languages reads the folders of `templates/`, or is written by `make docs`."""
    sources = [
        path
        for folder in ("handlers", "tools", "infra")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".toml", ".bicep")
    ]
    naming = {path.relative_to(ROOT).as_posix() for path in sources if "pt-BR" in path.read_text(encoding="utf-8")}
    assert naming == {CODES, "infra/modules/types.bicep"}
