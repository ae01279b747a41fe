"""`make cause ID=some_wrong_condition`: write the files of a new cause, and say which one is left."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODES = "handlers/diagnosis/error_codes.toml"

CHECK = '''"""TODO: one sentence that states the wrong condition."""

from handlers.model import Agent, Opinion, Reason, unknown


def check(agent: Agent | None) -> Opinion:
    # TODO: the parameters are the facts that it needs; what it answers with holds the evidence
    return unknown(Reason.GUEST_ONLY, agent=agent)
'''
TEXT = """{% block title %}TODO: the wrong condition, without a full stop{% endblock %}
{% block why %}TODO: why it makes the backup fail, in one or two sentences.{% endblock %}
{% block steps %}
{% call step() %}TODO: look first. {{ run("show_agent") }}{% endcall %}
{% call step() %}TODO: then mend it, and start a backup. {{ run("backup_now") }}{% endcall %}
{% endblock %}
"""
TEST = """import pytest

from handlers.causes.{id} import check
from handlers.model import Agent, Verdict


@pytest.mark.parametrize(("agent", "verdict"), [(None, Verdict.UNKNOWN)])  # TODO: each line of its decision table
def test_what_the_facts_say_of_it(agent: Agent | None, verdict: Verdict) -> None:
    assert check(agent).verdict is verdict
"""


def stubs(cause: str, root: Path = ROOT) -> dict[Path, str]:
    """The files of a new cause, by path. ValueError when the id is no identifier or the cause is there already."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", cause):
        raise ValueError(f"ID={cause!r}: an id states the wrong condition in lower case, such as restore_point_group_locked")
    if (root / f"handlers/causes/{cause}.py").exists():
        raise ValueError(f"ID={cause!r}: this cause is there already")
    languages = sorted(path.parent for path in (root / "templates").glob("*/words.toml"))
    return {
        root / f"handlers/causes/{cause}.py": CHECK,
        **{language / f"causes/{cause}.md.j2": TEXT for language in languages},
        root / f"tests/causes/test_{cause}.py": TEST.format(id=cause),
    }


def main(cause: str) -> int:
    try:
        files = stubs(cause)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    print(f'Left: {CODES}: add "{cause}" to the `causes` of its code, where Microsoft\'s page puts it.')
    print("Then fill in each TODO, and run `make docs golden test`.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
