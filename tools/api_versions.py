"""Which API versions in infra/ have a newer stable one: `python3 tools/api_versions.py INDEX [--strict]`.

Bicep's rule `use-recent-api-versions` refuses a version that is over 730 days old and has a newer one, so what is named here fails one day.
INDEX lists the versions of each resource type: the offline checker's `types/index.json`. Standard library only.
https://learn.microsoft.com/azure/azure-resource-manager/bicep/linter-rule-use-recent-api-versions
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

INFRA = Path(__file__).parent.parent / "infra"
PIN = re.compile(r"'(?P<kind>[\w.]+(?:/\w+)+)@(?P<version>\d{4}-\d\d-\d\d[\w-]*)'")
SILENCED = ("#disable-next-line use-recent-api-versions", "#disable-next-line BCP081")
Versions = Mapping[str, Sequence[str]]


def pins(text: str) -> Iterator[tuple[str, str]]:
    """Each resource type with its version, but those for which the rule is switched off or which the index does not know, with a reason above."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if (match := PIN.search(line)) and lines[at - 1].strip() not in SILENCED:
            yield match["kind"], match["version"]


def newest_stable(kind: str, known: Versions) -> str:
    """The newest version of a type that is no preview; empty when there is none."""
    versions = {name.lower(): versions for name, versions in known.items()}.get(kind.lower(), ())
    return max((version for version in versions if re.fullmatch(r"[\d-]+", version)), default="")


def outdated(folder: Path, known: Versions, today: date) -> list[str]:
    """A line for each pin that has a newer stable version, with its age."""
    found = []
    for file in sorted(folder.rglob("*.bicep")):
        for kind, version in pins(file.read_text(encoding="utf-8")):
            if (newest := newest_stable(kind, known)) > version:
                days = (today - date.fromisoformat(version[:10])).days
                found.append(f"{file.relative_to(folder)}: {kind}@{version} is {days} days old; the newest is {newest}")
    return found


def main(arguments: Sequence[str]) -> int:
    known = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["types"]
    old = outdated(INFRA, known, datetime.now(UTC).date())
    print("\n".join(old) if old else "API versions: each is the newest stable one")
    return 1 if old and "--strict" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
