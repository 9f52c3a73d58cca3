"""Finds local nulls that can never apply (R-UNREACH): they look like a rule and are none.

A null says that nothing is regulated. Where a level above regulates for as long, and for everything the null speaks of,
it lifts nothing, whatever its author thinks. A value that merely repeats what stands above is another matter (restating
the law is good practice), and so is one from before the nation regulated: history is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offcampus_rules.assembly import Assembly
from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Entry, Parameter, chain


def find(assembly: Assembly) -> tuple[FileProblem, ...]:
    """Every local null that is overruled for all it speaks of."""
    return tuple(
        problem
        for name, parameter in sorted(assembly.definitions.items())
        for problem in _find(parameter, assembly.entries.get(name, ()))
    )


def _find(parameter: Parameter, entries: Sequence[Entry]) -> Iterator[FileProblem]:
    for entry in entries:
        above = _standing_above(entries, entry) if entry.value is None else None
        if above is not None:
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
