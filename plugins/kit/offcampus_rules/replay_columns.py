"""Counts over a history judged in columns: no row is made of what did not change.

What is counted is what judging row by row counts (`replaying`): nobody can see in a report which way a row went.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from offcampus_rules import batch
from offcampus_rules.batch import Bools, Ints, Verdict, Words
from offcampus_rules.history import Skimmed
from offcampus_rules.replaying import KINDS, Change, Judged, values_of
from offcampus_rules.rules import Gate
from offcampus_rules.ruleset import RuleSet
from offcampus_rules.tally import Tally

_NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}


def count(gate: Gate, lines: Sequence[Skimmed], before: RuleSet, after: RuleSet, tally: Tally) -> None:
    """Judge complete cases of one gate by both rule sets, where data alone decides, and add to the tally."""
    columns = batch.columns(gate, [line.case for line in lines], (before, after))
    sides = batch.judge(before, columns), batch.judge(after, columns)
    names = tuple(dict.fromkeys(name for side in sides for name in side.rules))
    fen = _fen(lines)
    tally.rows += len(lines)
    tally.fen += int(fen.sum())
    for counter, side in ((tally.before, sides[0]), (tally.after, sides[1])):
        refused = int(np.count_nonzero(side.refused))
        counter.update({outcome: n for outcome, n in (("refuse", refused), ("allow", len(lines) - refused)) if n})
    unjudged = [_aligned(side.rules, side.unjudged, names) for side in sides]
    for name, rows in _by_rule(names, [one | other for one, other in zip(*unjudged, strict=True)]):
        tally.not_evaluated[name] += int(np.count_nonzero(rows))
    _changes(lines, sides, names, fen, tally)


def _changes(
    lines: Sequence[Skimmed], sides: tuple[Verdict, Verdict], names: tuple[str, ...], fen: Ints, tally: Tally
) -> None:
    broken = [_aligned(side.rules, side.broken, names) for side in sides]
    differing = [one ^ other for one, other in zip(*broken, strict=True)]
    kinds = _kinds(sides, differing)
    by = {
        "region": _numbered([line.case.scope.region for line in lines]) if "region" in tally.by else None,
        "institution": _numbered([line.institution for line in lines]) if "institution" in tally.by else None,
    }
    for kind, number in _NUMBERS.items():
        rows = np.flatnonzero(kinds == number)
        if not len(rows):
            continue
        tally.kinds[kind] += len(rows)
        tally.kind_fen[kind] += int(fen[rows].sum())
        for axis, known in by.items():
            if known is not None:
                _add(tally, axis, kind, known[0], known[1][rows], fen[rows])
        if "rule" in tally.by:
            for name, there in _by_rule(names, [word[rows] for word in differing]):
                tally.groups["rule", name, kind] += int(np.count_nonzero(there))
                tally.group_fen["rule", name, kind] += int(fen[rows[there]].sum())
        for row in rows.tolist() if tally.keep_all else rows[: tally.wanted].tolist():
            before, after = (_judged(side, row) for side in sides)
            tally.keep(Change(lines[row].whole(), kind, before, after))


def _kinds(sides: tuple[Verdict, Verdict], differing: Sequence[Words]) -> NDArray[np.int8]:
    """What changed in each row, the weightiest last; 0: nothing."""
    before, after = sides
    kinds = np.where(_other_values(before, after), _NUMBERS["other_values"], 0).astype(np.int8)
    for word in differing:
        kinds[word != 0] = _NUMBERS["other_reasons"]
    kinds[before.refused & ~after.refused] = _NUMBERS["newly_allowed"]
    kinds[after.refused & ~before.refused] = _NUMBERS["newly_refused"]
    return kinds


def _other_values(before: Verdict, after: Verdict) -> Bools:
    """The rows whose groups rest on other values."""
    pairs, where = np.unique(before.group * len(after.values) + after.group, return_inverse=True)
    told = [[values_of(values) for values in side.values] for side in (before, after)]
    differ = [told[0][pair // len(after.values)] != told[1][pair % len(after.values)] for pair in pairs.tolist()]
    return np.array(differ, np.bool_)[where]


def _aligned(rules: tuple[str, ...], words: tuple[Words, ...], names: tuple[str, ...]) -> list[Words]:
    """The bits of a verdict in the order of `names`."""
    if rules == names[: len(rules)]:
        short = -(-len(names) // 64) - len(words)
        return [*words, *(np.zeros_like(words[0]) for _ in range(short))]
    found = [np.zeros_like(words[0]) for _ in range(max(1, -(-len(names) // 64)))]
    for name, rows in _by_rule(rules, words):
        number = names.index(name)
        np.bitwise_or(found[number // 64], np.uint64(1 << number % 64), out=found[number // 64], where=rows)
    return found


def _by_rule(rules: tuple[str, ...], words: Sequence[Words]) -> Iterator[tuple[str, Bools]]:
    """The rules whose bit is set anywhere, and the rows where it is."""
    anywhere = [int(np.bitwise_or.reduce(word)) for word in words]
    for number, name in enumerate(rules):
        if anywhere[number // 64] >> number % 64 & 1:
            yield name, words[number // 64] & np.uint64(1 << number % 64) != 0


def _judged(side: Verdict, row: int) -> Judged:
    broken = side.rules_of(row)
    return Judged(
        "refuse" if broken else "allow", broken, side.unjudged_of(row), values_of(side.values[side.group[row]])
    )


def _numbered(names: list[str]) -> tuple[list[str], Ints]:
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return list(known), np.fromiter(map(known.__getitem__, names), np.int64, len(names))


def _add(tally: Tally, axis: str, kind: str, names: list[str], numbers: Ints, fen: Ints) -> None:
    rows = np.bincount(numbers, minlength=len(names))
    money = np.zeros(len(names), np.int64)
    np.add.at(money, numbers, fen)
    for number in np.flatnonzero(rows).tolist():
        tally.groups[axis, names[number], kind] += int(rows[number])
        tally.group_fen[axis, names[number], kind] += int(money[number])


def _fen(lines: Sequence[Skimmed]) -> Ints:
    """The money each case is about."""
    members = type(lines[0].case).__struct_fields__
    name = next((name for name in ("total_fen", "amount_fen") if name in members), None)
    if name is None:
        return np.zeros(len(lines), np.int64)
    given = (getattr(line.case, name) for line in lines)
    return np.fromiter((amount if isinstance(amount, int) else 0 for amount in given), np.int64, len(lines))
