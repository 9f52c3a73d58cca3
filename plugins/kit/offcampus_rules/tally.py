"""Counts over a replay: pieces of a history are counted apart and added up in order, whoever counted them.

Adding is associative, and samples are the first of each kind in the order of the history, so that one process and many
give the same report.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from offcampus_rules.history import Row, Unreadable
from offcampus_rules.replaying import KINDS, Change, Judged, Kind

By = str
BY: tuple[By, ...] = ("rule", "region", "institution")


@dataclass(frozen=True, slots=True)
class Sample:
    """A changed row, as little as is needed to explain it again."""

    number: int
    kind: Kind
    case: str
    question: str
    region: str
    institution: str
    before: str
    after: str
    rules: tuple[str, ...]
    fen: int
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, change: Change) -> Sample:
        """The sample of a change."""
        row = change.row
        return cls(
            row.number, change.kind, row.line.case, row.line.question, row.region, row.line.institution,
            change.before.outcome, change.after.outcome, tuple(sorted(change.rules)), row.fen, row.line.facts,
        )  # fmt: skip


@dataclass
class Tally:
    """What was counted. `groups` is keyed by (by, name, kind); `changes` holds every change when all were asked for."""

    wanted: int
    keep_all: bool = False
    by: tuple[By, ...] = BY
    lines: int = 0
    rows: int = 0
    fen: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    kind_fen: Counter[str] = field(default_factory=Counter)
    groups: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    group_fen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    not_evaluated: Counter[str] = field(default_factory=Counter)
    reproduced: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    changes: list[Sample] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    unreadable_rows: int = 0

    def count(self, row: Row, before: Judged, after: Judged, change: Change | None) -> None:
        """One row, judged by both sides."""
        fen = row.fen
        self.rows += 1
        self.fen += fen
        self.before[before.outcome] += 1
        self.after[after.outcome] += 1
        for rule in before.unjudged | after.unjudged:
            self.not_evaluated[rule] += 1
        if change is not None:
            self._changed(change, fen)

    def _changed(self, change: Change, fen: int) -> None:
        row, kind = change.row, change.kind
        self.keep(change)
        self.kinds[kind] += 1
        self.kind_fen[kind] += fen
        names = {"region": (row.region,), "institution": (row.line.institution,), "rule": change.rules}
        for by in self.by:
            for name in names[by]:
                self.groups[by, name, kind] += 1
                self.group_fen[by, name, kind] += fen

    def keep(self, change: Change) -> None:
        """Keep a change as a sample, if it is one of the first of its kind or all are wanted."""
        row, kind = change.row, change.kind
        known = self.samples.setdefault(kind, [])  # the first of the history; rows are not judged in their order
        is_early = len(known) < self.wanted or (known != [] and row.number < known[-1].number)
        if is_early or self.keep_all:
            sample = Sample.of(change)
            if self.keep_all:
                self.changes.append(sample)
            if is_early:
                bisect.insort(known, sample, key=_number)
                del known[self.wanted :]

    def _trim(self, kind: str) -> None:
        """The first of the history stay."""
        self.samples[kind] = sorted(self.samples[kind], key=_number)[: self.wanted]

    def refuse(self, item: Unreadable) -> None:
        """A line that is no case."""
        self.unreadable_rows += 1
        if len(self.unreadable) < self.wanted:
            self.unreadable.append(item)

    def add(self, other: Tally) -> None:
        """Add what was counted over the piece that follows; its line numbers begin anew."""
        shift = self.lines
        self.lines += other.lines
        self.rows += other.rows
        self.fen += other.fen
        for name in ("before", "after", "kinds", "kind_fen", "groups", "group_fen", "not_evaluated", "reproduced"):
            getattr(self, name).update(getattr(other, name))
        for kind, samples in other.samples.items():
            self.samples.setdefault(kind, []).extend(_shifted(samples, shift))
            self._trim(kind)
        self.changes.extend(sorted(_shifted(other.changes, shift), key=_number))
        moved = [Unreadable(item.number + shift, item.reason) for item in other.unreadable]
        self.unreadable = [*self.unreadable, *moved][: self.wanted]
        self.unreadable_rows += other.unreadable_rows

    def top(self, by: By, most: int) -> list[tuple[str, dict[str, int], int]]:
        """The groups with most changes: name, rows by kind, money."""
        rows: dict[str, dict[str, int]] = {}
        money: Counter[str] = Counter()
        for (axis, name, kind), count in self.groups.items():
            if axis == by:
                rows.setdefault(name, {})[kind] = count
                money[name] += self.group_fen[axis, name, kind]
        ranked = sorted(rows.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        return [(name, {kind: kinds.get(kind, 0) for kind in KINDS}, money[name]) for name, kinds in ranked[:most]]


def _number(sample: Sample) -> int:
    return sample.number


def _shifted(samples: Iterable[Sample], shift: int) -> Iterator[Sample]:
    for item in samples:
        names = (name for name in item.__slots__ if name != "number")
        yield Sample(item.number + shift, **{name: getattr(item, name) for name in names})
