"""Finds local values that can never apply (R-UNREACH): they look like a rule and are none.

- A null where a level above regulates for as long and for everything it speaks of: a locality cannot lift a value by
  saying that nothing is regulated.
- A value that lies wholly before the parameter is defined, or after it has ended: nobody asks for it then.
A value that merely repeats what stands above is none of these: restating the law is good practice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from offcampus_rules.assembly import Assembly
from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Entry, Parameter, chain


def find_all(assembly: Assembly) -> tuple[FileProblem, ...]:
    """The same for every parameter."""
    return tuple(
        problem
        for name, parameter in sorted(assembly.definitions.items())
        for problem in find(parameter, assembly.entries.get(name, ()))
    )


def find(parameter: Parameter, entries: Sequence[Entry]) -> tuple[FileProblem, ...]:
    """Everything a locality wrote of a parameter that never applies."""
    life = _life([entry for entry in entries if entry.region == parameter.jurisdiction])
    local = [entry for entry in entries if entry.binds and entry.region != parameter.jurisdiction]
    return tuple(problem for entry in local for problem in _examine(parameter, entries, entry, life))


def _life(defined: Sequence[Entry]) -> tuple[date, date]:
    return min(entry.since for entry in defined), max(entry.until or date.max for entry in defined)


def _examine(
    parameter: Parameter, entries: Sequence[Entry], entry: Entry, life: tuple[date, date]
) -> Iterator[FileProblem]:
    begin, end = life
    if entry.since >= end or (entry.until is not None and entry.until <= begin):
        span = f"{begin} – {end}" if end != date.max else f"{begin} –"
        yield FileProblem(
            entry.file,
            entry.position,
            "R-UNREACH",
            f"{parameter.id} is defined for {span}; this lies wholly outside; extend the history above first",
            f"{parameter.id} 的定义期间为 {span}，此取值全在期间之外；请先补全上级当时的规定及原因",
        )
    elif entry.value is None and (above := _standing_above(entries, entry)):
        yield FileProblem(
            entry.file,
            entry.position,
            "R-UNREACH",
            f"null lifts nothing: {above.region} regulates {parameter.id} for all of it; leave the null out",
            f"null 不能免除上级规定：{above.region} 已就 {parameter.id} 作出规定；请删去此 null",
        )


def _standing_above(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """A value of one level above that covers all a null speaks of, for all its time."""
    above = chain(entry.region)[:-1]
    for other in entries:
        if (
            other.region in above
            and other.binds
            and other.value is not None
            and other.cells >= entry.cells
            and other.since <= entry.since
            and (other.until is None or (entry.until is not None and entry.until <= other.until))
        ):
            return other
    return None
