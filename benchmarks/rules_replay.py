"""`python -m benchmarks.rules_replay [--orders N] [--jobs N]`: a cap that is tried out on a history of random orders.

The history is written first and not timed; then the command runs as its user would call it, in a process of its own,
and tells by itself how long it took and how much memory it held. With more than one `--jobs` the report is compared
with that of one process.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from offcampus_rules import digests

from benchmarks import rules_world

_REGIONS = ("110105", "330106", "330122", "370102", "420106", "440305")
_TRIED = "precharge.amount_max@330100=400000:2026-01-01"


def main() -> int:
    """Write, replay, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules_replay", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        history = write(Path(folder) / "history.ndjson", given.orders)
        reports = [_replayed(history, jobs) for jobs in sorted({1, given.jobs})]
    if len(set(reports)) > 1:
        raise AssertionError("many processes report otherwise than one")
    return 0


def write(file: Path, orders: int) -> Path:
    """A history of orders in six counties and five hundred institutions."""
    dice = random.Random(9)
    with file.open("w", encoding="utf-8") as lines:
        for number, case in enumerate(rules_world.charges(orders, 5)):
            placed = replace(case, scope=replace(case.scope, region=dice.choice(_REGIONS)))
            head = {"question": "charge", "case": f"ord_{number}", "institution": f"ins_{number % 500}"}
            facts = digests.canonical(placed).decode()
            lines.write(f'{json.dumps(head)[:-1]}, "facts": {facts}}}\n')
    return file


def _replayed(history: Path, jobs: int) -> bytes:
    """The report as a page; what the command says goes to the terminal."""
    page = history.with_suffix(".html")
    code = "from offcampus_rules.cli import main; main()"
    options = (
        "--history",
        history,
        "--set",
        _TRIED,
        "--lang",
        "en",
        "--by",
        "rule,region",
        "--out",
        page,
        "--jobs",
        jobs,
    )
    subprocess.run([sys.executable, "-c", code, "replay", *map(str, options)], check=True)
    return page.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
