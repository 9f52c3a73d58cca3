"""`python -m benchmarks.rules [--cases N] [--rows N]`: rules a second, ours beside other engines, in one run.

Every engine's answers are compared with the rule written out before anything is timed. Read each figure with what the
engine gives for it: a boolean is not a cited decision. Best of a few runs; processor time beside the wall clock, since
a machine may be shared. Processor time counts the workers' too.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from offcampus_rules import Charge, RuleSet, batch, load_ruleset

from benchmarks import rules_peers, rules_world
from benchmarks.measure import timed
from benchmarks.rules_peers import Peer

_RUNS = 5


@dataclass(frozen=True)
class Rate:
    """How many a second of processor time (of all processes at work) and by the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    rate: Rate
    gives: str


def main() -> int:
    """Measure and print."""
    given = _arguments()
    cases = rules_world.charges(given.cases)
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_ours(Path(folder), cases, given.rows), *_theirs(cases)]
    if given.served:
        rows += _share(cases)
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.machine()}, ", end=""
    )
    print(f"{os.cpu_count()} cores, load average {load}; {given.cases:,} cases\n")
    print("| what | a second of CPU | a second by the clock | gives |\n|---|---:|---:|---|")
    for row in rows:
        cpu, wall = (f"{figure:,.0f}" if figure else "—" for figure in (row.rate.cpu, row.rate.wall))
        print(f"| {row.what} | {cpu} | {wall} | {row.gives} |")
    return 0


def _ours(folder: Path, cases: list[Charge], rows: int) -> list[Row]:
    three = rules_world.three_rules(folder / "plain")
    _same([three.check_charge(case).outcome == "allow" for case in cases], cases)
    found = _scalar("ours, the rule", three, len(cases))
    found += _isolated(rules_world.three_rules(folder / "isolated", hook=True), cases)
    found += _columns("ours, the rule", three, cases, rows)
    many = rules_world.ruleset(folder / "many")
    speaking = len(many.check_charge(cases[0]).values)
    name = f"ours, {speaking} rules at nation, province, city, county"
    return [*found, *_scalar(name, many, len(cases)), *_columns(name, many, cases, rows)]


def _scalar(name: str, ruleset: RuleSet, count: int) -> list[Row]:
    """Charges that were never seen before, in every run others: nothing that is remembered of a case can help."""
    fresh = [rules_world.charges(count, seed) for seed in range(2, 3 + _RUNS)]

    def decide(cases: list[Charge]) -> None:
        for case in cases:
            ruleset.check_charge(case)

    def store(cases: list[Charge]) -> None:
        for case in cases:
            ruleset.check_charge(case).stored()

    decisions = [ruleset.check_charge(case) for case in rules_world.charges(2000)]
    refused = [len(item.violations) for item in decisions if item.violations]
    mix = f"{len(refused) / len(decisions):.0%} refused, by {sum(refused) / len(refused):.1f} limits each"
    cited = f"decision: every broken limit by level, figures, source, both languages; values used ({mix})"
    return [
        Row(name, _rate(decide, count, fresh), cited),
        Row(
            f"{name}, as JSON",
            _rate(store, count, fresh),
            "the same as stored: document and facts in UTF-8, with their digest",
        ),
    ]


def _isolated(ruleset: RuleSet, cases: list[Charge]) -> list[Row]:
    """With a province's Python in its worker: two processes share the work, and both are counted."""
    _same([item.outcome == "allow" for item in ruleset.check_many("charge", cases)], cases)

    def one_by_one() -> None:
        for case in cases[:2000]:
            ruleset.check_charge(case)

    def together() -> None:
        for start in range(0, len(cases), 500):
            ruleset.check_many("charge", cases[start : start + 500])

    gives = "decision; a province's Python asked in a process that can be killed"
    return [
        Row("ours, the rule, isolated hook", _rate(one_by_one, len(cases[:2000])), gives),
        Row("ours, the rule, isolated hook, 500 at once", _rate(together, len(cases)), gives),
    ]


def _columns(name: str, ruleset: RuleSet, cases: list[Charge], rows: int) -> list[Row]:
    columns = batch.columns("charge", cases, [ruleset])
    wanted = [ruleset.check_charge(case).outcome == "refuse" for case in cases]
    if batch.judge(ruleset, columns).refused.tolist() != wanted:
        raise AssertionError("columns answer otherwise than single cases")
    large = _repeated(columns, rows)
    return [
        Row(
            f"{name}, {rows:,} rows in columns",
            _rate(lambda: batch.judge(ruleset, large), len(large)),
            "for each row a bit for every rule it breaks, by the limits of its place and dates",
        ),
        Row(
            f"{name}, columns made from cases",
            _rate(lambda: batch.judge(ruleset, batch.columns("charge", cases, [ruleset])), len(cases)),
            "the same, with reading the facts",
        ),
    ]


def _repeated(columns: batch.Columns, rows: int) -> batch.Columns:
    """The same cases over and over, shuffled so that no order helps."""
    order = np.random.default_rng(1).integers(0, len(columns), rows)
    return batch.Columns(
        columns.gate,
        columns.scopes,
        columns.scope[order],
        {clock: days[order] for clock, days in columns.days.items()},
        {
            name: batch.Column(item.values[order], None if item.present is None else item.present[order], item.labels)
            for name, item in columns.facts.items()
        },
        lambda row: columns.case(int(order[row])),
    )


def _theirs(cases: list[Charge]) -> list[Row]:
    found = []
    for peer in rules_peers.peers(cases):
        if isinstance(peer, str):
            found.append(Row(f"{peer}", Rate(0.0, 0.0), "left out"))
            continue
        found.extend(_peer(peer, cases))
    return found


def _peer(peer: Peer, cases: list[Charge]) -> list[Row]:
    found = []
    if peer.ask is not None:
        ask, many = peer.ask, min(2000, len(cases))
        _same(ask(0, many), cases[:many])
        found.append(Row(f"{peer.name}, the rule", _rate(lambda: ask(0, many), many), peer.gives))
    if peer.batch is not None:
        _same([bool(item) for item in peer.batch()], cases)
        found.append(Row(f"{peer.name}, in columns", _rate(peer.batch, len(cases)), peer.gives))
    return found


def _share(cases: list[Charge]) -> list[Row]:
    """How much of a request is the rules: deciding, and writing decision and facts as they are stored."""
    from benchmarks import served

    lines = {line.what.removesuffix(", on sqlite"): line.figure for line in served.lines("sqlite", 2000, 200)}
    ruleset = load_ruleset()
    asked = [replace(case, scope=replace(case.scope, region=served.REGION)) for case in cases]
    records = [rules_world.lesson_taken(case) for case in asked]

    order = _rate(lambda: [ruleset.check_charge(case).stored() for case in asked], len(asked))
    record = _rate(lambda: [ruleset.check_consumption(case).stored() for case in records], len(records))
    p50 = lines["single order over HTTP, p50"]
    spent = lines["processor time of the server for an order with its people"]
    each = lines["processor time of the server for a record of a batch"]
    return [
        Row(
            "installed rules, an order's decision as stored", order,
            f"{1000 / order.cpu / p50:.2%} of a single order over HTTP ({p50:.1f} ms p50, SQLite); "
            f"{1000 / order.cpu / spent:.2%} of the server's processor time for it and its people ({spent:.1f} ms)",
        ),
        Row(
            "installed rules, a lesson record's decision as stored", record,
            f"{1000 / record.cpu / each:.1%} of the server's processor time for a record of a batch ({each:.2f} ms)",
        ),
    ]  # fmt: skip


def _same(answers: Sequence[bool], cases: list[Charge]) -> None:
    if list(answers) != rules_peers.expected(cases):
        raise AssertionError("an engine answers otherwise than the rule written out")


def _rate(work: Callable[..., object], count: int, inputs: Sequence[object] = ()) -> Rate:
    """The best of some runs after one that warms up; with `inputs`, each run has its own."""
    given = [(item,) for item in inputs] or [()] * (_RUNS + 1)
    work(*given[0])
    runs = [timed(partial(work, *one)) for one in given[1:]]
    return Rate(count / min(cpu for cpu, _ in runs), count / min(wall for _, wall in runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="cases asked one by one")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows judged in columns")
    parser.add_argument("--served", action="store_true", help="also the rules' share of an order over HTTP")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
