"""`make cause ID=some_wrong_condition`: write the stubs of a new cause, and say what is left to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

CHECK = '''"""TODO: one sentence that states the wrong condition."""

from handlers.model import Agent, Opinion, Reason, unknown


def check(agent: Agent | None) -> Opinion:
    return unknown(Reason.GUEST_ONLY, agent=agent)
'''
TEXT = """{{% block title %}}{title}{{% endblock %}}
{{% block why %}}TODO{{% endblock %}}
{{% block steps %}}
{{% call step() %}}TODO {{{{ run("show_agent") }}}}{{% endcall %}}
{{% endblock %}}
"""
TEST = """from handlers.causes.{id} import check
from handlers.model import Verdict


def test_it_is_unknown_without_a_look_inside_the_vm() -> None:
    assert check(agent=None).verdict is Verdict.UNKNOWN
"""


def stubs(cause: str, root: Path = ROOT) -> dict[Path, str]:
    """The files of a new cause, by path. ValueError when the id is no identifier or the cause is there already."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", cause):
        raise ValueError(f"ID={cause!r}: an id states the wrong condition in lower case, such as restore_point_group_locked")
    if (root / f"handlers/causes/{cause}.py").exists():
        raise ValueError(f"ID={cause!r}: this cause is there already")
    title = cause.replace("_", " ").capitalize()
    languages = sorted(path.parent.parent.name for path in (root / "templates").glob("*/causes/agent_not_installed.md.j2"))
    texts = {root / f"templates/{language}/causes/{cause}.md.j2": TEXT.format(title=title) for language in languages}
    return {
        root / f"handlers/causes/{cause}.py": CHECK,
        **texts,
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
    print(
        f'Now: add "{cause}" to `causes` of its code in handlers/diagnosis/error_codes.toml, fill in the TODOs, run `make docs test`.'
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
