"""Fold the fragments of changelog.d/ into CHANGELOG.md: `python .ci/changelog.py 0.2.0 2027-01-31`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

KINDS = ("added", "changed", "deprecated", "removed", "fixed", "security")
MARK = "<!-- releases -->\n"


def release(fragments: dict[str, str], version: str, day: date) -> str:
    """The section of a release. Raises ValueError for a fragment of no known kind."""
    lines = [f"## {version} — {day.isoformat()}", ""]
    if wrong := [name for name in fragments if name.split(".")[-2] not in KINDS]:
        raise ValueError(f"{', '.join(wrong)}: the kind is one of {', '.join(KINDS)}")
    for kind in KINDS:
        texts = [" ".join(text.split()) for name, text in sorted(fragments.items()) if name.split(".")[-2] == kind]
        if texts:
            lines += [f"### {kind.capitalize()}", "", *(f"- {text}" for text in texts), ""]
    return "\n".join(lines)


def main(version: str, day: str) -> None:
    """Write the section into CHANGELOG.md and remove the fragments."""
    root = Path(__file__).parents[1]
    paths = sorted((root / "changelog.d").glob("*.*.*.md"))
    section = release({path.name: path.read_text(encoding="utf-8") for path in paths}, version, date.fromisoformat(day))
    changelog = root / "CHANGELOG.md"
    before, mark, after = changelog.read_text(encoding="utf-8").partition(MARK)
    changelog.write_text(f"{before}{mark}\n{section}{after}", encoding="utf-8")
    for path in paths:
        path.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
