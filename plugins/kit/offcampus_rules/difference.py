"""How two rule sets, or two places, differ: parameter by parameter, for whom, from when to when, and which is stricter.

Effective values are compared, not files: what a locality wrote without effect is no difference, and what it inherits is
told once, at the level that says it. Values are piecewise constant, so every period between two changes is compared;
durations in unlike units are compared by where they end when they begin on the period's first day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise, product
from typing import Any, Literal

from offcampus_rules import lattice, units
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES, Scope
from offcampus_rules.decision import Raw, Value
from offcampus_rules.parameters import Cell, Parameter, chain
from offcampus_rules.ruleset import RuleSet

Verdict = Literal["stricter", "looser", "newly_regulated", "no_longer_regulated", "changed", "same_from_elsewhere"]
_CELLS: tuple[Cell, ...] = tuple(product(SECTORS, STAGES, DELIVERIES))


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: rules, and the region they are asked for."""

    ruleset: RuleSet
    region: str

    def value(self, parameter: str, cell: Cell, on: date) -> Value | None:
        """The effective value; None where these rules have no such parameter."""
        if parameter not in self.ruleset.parameters:
            return None
        return self.ruleset.value(parameter, Scope(self.region, *cell), on)  # type: ignore[arg-type]  # known cells

    def changes(self, parameter: str) -> set[date]:
        """The days on which anything that is said of a parameter here begins or ends."""
        regions = chain(self.region)
        return {
            day
            for entry in self.ruleset.assembly.entries.get(parameter, ())
            if entry.region in regions
            for day in (entry.since, entry.until)
            if day is not None
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter for some kinds of training over one period (`until` exclusive; None: open)."""

    parameter: str
    region_before: str
    region_after: str
    cells: frozenset[Cell]
    since: date
    until: date | None
    before: Value | None
    after: Value | None
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        return {
            "parameter": self.parameter,
            "regions": [self.region_before, self.region_after],
            "for": scopes(self.cells),
            "since": self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "verdict": self.verdict,
            "before": self.before and self.before.to_json(),
            "after": self.after and self.after.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules that stand on one side only, and parameters that are defined in another way."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    redefined: tuple[str, ...]


def between(before: RuleSet, after: RuleSet) -> tuple[Difference, ...]:
    """Every difference of two versions, at each region that either says something about."""
    found: list[Difference] = []
    for name in sorted({*before.parameters, *after.parameters}):
        regions = {entry.region for ruleset in (before, after) for entry in ruleset.assembly.entries.get(name, ())}
        above: dict[str, set[tuple[Any, ...]]] = {}
        for region in sorted(regions, key=lambda region: (len(chain(region)), region)):
            here = list(_over_time(name, Side(before, region), Side(after, region)))
            inherited = set[tuple[Any, ...]]().union(*(above.get(level, set()) for level in chain(region)[:-1]))
            above[region] = {_told(item) for item in here}
            found.extend(item for item in here if _told(item) not in inherited)
    return tuple(found)


def of_places(before: Side, after: Side, on: date | None = None) -> tuple[Difference, ...]:
    """How the law of one place differs from another's: on one day, or over all periods."""
    names = sorted({*before.ruleset.parameters, *after.ruleset.parameters})
    if on is None:
        return tuple(item for name in names for item in _over_time(name, before, after))
    return tuple(item for name in names for item in _within(name, before, after, on, None))


def rules(before: RuleSet, after: RuleSet) -> Rules:
    """What is judged by the one and not by the other."""
    old, new = ({rule.id: rule for rule in _all(ruleset)} for ruleset in (before, after))
    both = old.keys() & new.keys()
    defined = before.parameters.keys() & after.parameters.keys()
    return Rules(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in both if old[name] != new[name])),
        redefined=tuple(
            sorted(name for name in defined if _defined(before.parameters[name]) != _defined(after.parameters[name]))
        ),
    )


def compare(parameter: Parameter, before: Value | None, after: Value | None, on: date) -> Verdict | None:
    """What the second demands beside the first; None: the same, from the same text."""
    old = None if before is None else before.value
    new = None if after is None else after.value
    if before is None or after is None or old is None or new is None:
        if old is None and new is None:
            return None
        return "newly_regulated" if old is None else "no_longer_regulated"
    if lattice.same(old, new) and before.unit == after.unit:
        return None if (before.source, before.level) == (after.source, after.level) else "same_from_elsewhere"
    if parameter.stricter == "exact":
        return "changed"
    return _stricter(parameter, before, after, on)


def scopes(cells: Iterable[Cell]) -> str:
    """ "sport|sci_tech, online": an axis is named where it is narrowed; "all" where none is."""
    left = set(cells)
    if _is_product(left):
        return _product(left)
    return "; ".join(
        _product(part) if _is_product(part) else "; ".join("/".join(cell) for cell in sorted(part))
        for sector in SECTORS
        if (part := {cell for cell in left if cell[0] == sector})
    )


def _over_time(name: str, before: Side, after: Side) -> Iterator[Difference]:
    days = sorted(before.changes(name) | after.changes(name))
    held: dict[tuple[Any, ...], Difference] = {}
    for since, until in pairwise([*days, None]):
        assert since is not None
        now = {_content(item): item for item in _within(name, before, after, since, until)}
        for content in [content for content in held if content not in now]:
            yield held.pop(content)
        for content, item in now.items():
            held[content] = replace(held[content], until=until) if content in held else item
    yield from held.values()


def _within(name: str, before: Side, after: Side, since: date, until: date | None) -> Iterator[Difference]:
    """The differences on a day, kinds of training that differ alike together."""
    parameter = after.ruleset.parameters.get(name) or before.ruleset.parameters[name]
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in _CELLS:
        sides = before.value(name, cell, since), after.value(name, cell, since)
        verdict = compare(parameter, *sides, since)
        if verdict is not None:
            groups.setdefault((*sides, verdict), []).append(cell)
    for (old, new, verdict), cells in groups.items():
        yield Difference(name, before.region, after.region, frozenset(cells), since, until, old, new, verdict)


def _stricter(parameter: Parameter, before: Value, after: Value, on: date) -> Verdict:
    if parameter.unit in units.DURATIONS:
        assert isinstance(before.value, int)
        assert isinstance(after.value, int)
        ends = [units.last_day(on, item, unit).day for item, unit in
                ((before.value, before.unit), (after.value, after.unit))]  # fmt: skip
        if ends[0] == ends[1]:
            return "changed"
        return "stricter" if (ends[1] < ends[0]) == (parameter.stricter == "lower") else "looser"
    old: Raw = before.value
    met = lattice.meet(parameter.stricter, parameter.order, parameter.unit, old, after.value)
    if lattice.same(met, after.value):
        return "stricter"
    return "looser" if lattice.same(met, old) else "changed"


def _content(item: Difference) -> tuple[Any, ...]:
    return item.before, item.after, item.cells, item.verdict


def _told(item: Difference) -> tuple[Any, ...]:
    return item.before, item.after, item.cells, item.since, item.until


def _all(ruleset: RuleSet) -> Iterator[Any]:
    known = ruleset.assembly
    yield from (*known.rules, *known.obligations, *known.undecided)


def _defined(parameter: Parameter) -> Mapping[str, Any]:
    names = ("unit", "binding", "stricter", "protects", "governed_by", "month_end", "order", "axes", "of")
    return {name: getattr(parameter, name) for name in names}


def _is_product(cells: set[Cell]) -> bool:
    return len(cells) == len({cell[0] for cell in cells}) * len({cell[1] for cell in cells}) * len(
        {cell[2] for cell in cells}
    )


def _product(cells: set[Cell]) -> str:
    parts = []
    for index, known in enumerate((SECTORS, STAGES, DELIVERIES)):
        present = {cell[index] for cell in cells}
        if present != set(known):
            parts.append("|".join(name for name in known if name in present))
    return ", ".join(parts) or "all"
