"""`python -m benchmarks [--records N] [--orders N] [--postings N] [--json FILE]`: measure and print the table.

Figures move from run to run and from machine to machine; the ratio to the baseline of the same run is what counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

from benchmarks import ledger, prooflog, sdk, served, validation
from benchmarks.measure import Line


def main() -> int:
    """Measure everything and print the table."""
    given = _arguments()
    lines: list[Line] = [*validation.lines(), *sdk.lines(given.records)]
    for engine in ("sqlite", "postgresql"):
        print(f"measuring on {engine} …", file=sys.stderr, flush=True)
        lines += served.lines(engine, given.records, given.orders)
        lines += ledger.lines(engine, given.postings)
        lines += prooflog.lines(engine, given.postings)
    print(f"\nPython {platform.python_version()}, {platform.machine()}\n")
    for text in table(lines):
        print(text)
    if given.json:
        given.json.write_text(json.dumps([vars(line) for line in lines], indent=2), encoding="utf-8")
    return 0


def table(lines: list[Line]) -> list[str]:
    """The table as lines of Markdown."""
    head = ["| what | figure | unit | baseline | its figure | ratio |", "|---|---:|---|---|---:|---:|"]
    rows = [
        f"| {line.what} | {line.figure:,.4g} | {line.unit} | {line.baseline or '—'} | "
        + (f"{line.baseline_figure:,.4g} | {line.ratio:.2f} |" if line.baseline_figure else "— | — |")
        for line in lines
    ]
    return [*head, *rows]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--records", type=int, default=4000, help="consumption records to report")
    parser.add_argument("--orders", type=int, default=200, help="single orders to time")
    parser.add_argument("--postings", type=int, default=2000, help="postings to make, log, prove and judge")
    parser.add_argument("--json", type=Path, help="write the figures to a file too")
    return parser.parse_args()


sys.exit(main())
