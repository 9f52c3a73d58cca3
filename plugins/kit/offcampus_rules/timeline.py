"""Values over time: no two at once, no hole between them (openfisca-france#1859: `from` inclusive, `until` exclusive).

Only binding values and declared nulls are laid on the line; notes (draft, memory) may overlap whatever they like.
A parameter may begin late and end for good; a hole BETWEEN two values is an error, since nobody says what held then:
write a null with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Cell, Entry


def check(entries: Iterable[Entry]) -> tuple[FileProblem, ...]:
    """Overlaps and gaps among all values of one parameter, each reported once, at the later value."""
    lines: dict[tuple[str, Cell], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.binds:
            for cell in entry.cells:
                lines[(entry.region, cell)].append(entry)
    found: dict[tuple[str, str], FileProblem] = {}
    for (_, cell), line in sorted(lines.items()):
        for problem in _line(cell, line):
            found.setdefault((problem.code, f"{problem.file}:{problem.position}"), problem)
    return tuple(found.values())


def _line(cell: Cell, line: list[Entry]) -> Iterator[FileProblem]:
    ordered = sorted(line, key=lambda entry: entry.since)
    for earlier, later in pairwise(ordered):
        where = "/".join(cell)
        if earlier.until is None or later.since < earlier.until:
            other = f"{earlier.file.name}:{earlier.position.line}"
            yield FileProblem(
                later.file,
                later.position,
                "R-OVERLAP",
                f"{later.parameter} has two values from {later.since} for {where}; the other stands at {other}",
                f"{later.parameter} 自 {later.since} 起在 {where} 有两个取值；另一处见 {other}",
            )
        elif earlier.until < later.since:
            yield FileProblem(
                later.file,
                later.position,
                "R-GAP",
                f"{later.parameter} has no value from {earlier.until} to {later.since} for {where}; "
                "write null with a reason",
                f"{later.parameter} 在 {where} 自 {earlier.until} 至 {later.since} 无取值；请写 null 并说明原因",
            )
