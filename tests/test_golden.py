"""The rendered runbooks are those that somebody has read: `make golden` writes them anew, the diff is looked at."""

import pytest

from tests.golden import FIRST_SCREENS, FOLDER, first_screens, runbooks

pytestmark = pytest.mark.server


def test_the_runbooks_are_the_golden_ones() -> None:
    found = runbooks()
    golden = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert sorted(found) == sorted(golden)
    assert [name for name, text in found.items() if golden[name] != text] == [], "run `make golden` and read the diff"
    assert FIRST_SCREENS.read_text(encoding="utf-8") == first_screens(found)
