"""`python -m offcampus_spec.lint [folder]`: the findings on standard output; exit code 1 when there are any."""

from __future__ import annotations

import sys
from pathlib import Path

from offcampus_spec._root import data_root
from offcampus_spec.lint import Sources, lint


def main(arguments: list[str]) -> int:
    """Judge a folder, or the standard that is installed."""
    root = Path(arguments[0]) if arguments else data_root()
    if not (root / "openapi").is_dir():
        print(f"{root} holds no openapi/", file=sys.stderr)
        return 2
    sources = Sources.read(root)
    findings = lint(sources)
    for finding in findings:
        print(finding)
    print(f"{len(sources.files) + len(sources.tables)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
