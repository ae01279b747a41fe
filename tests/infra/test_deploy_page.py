"""docs/deploy.md names what Bicep has: every variable that is read, and no parameter that is not there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BICEP = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
READ = (ROOT / "infra" / "main.bicepparam").read_text(encoding="utf-8")


def test_every_variable_that_the_parameters_read_is_explained() -> None:
    assert [name for name in re.findall(r"readEnvironmentVariable\('(\w+)'", READ) if f"`{name}`" not in PAGE] == []


def test_every_parameter_that_the_page_names_is_there() -> None:
    known = set(re.findall(r"^param (\w+)", BICEP, re.MULTILINE))
    table = PAGE[PAGE.index("| variable | parameter |") : PAGE.index("Any of them on the command line")]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[2] if "|" in row else "")}
    named |= set(re.findall(r"`?(\w+)=(?:true|false)`", PAGE))
    assert {"tickets", "isPrivate", "assignReaderRole"} <= named
    assert named - known == set()


def test_the_page_shows_an_address_that_the_app_has() -> None:
    paths = set(re.findall(r"/api/(\w+)", PAGE))
    routes = set(re.findall(r'@app\.route\("(\w+)', (ROOT / "function_app.py").read_text(encoding="utf-8")))
    assert paths <= routes
