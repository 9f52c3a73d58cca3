"""Finds local values that would loosen what stands above them (R-LOOSE) or leave what was delegated (R-DELEG).

Such a value never takes effect (`effective` sees to that); this module says so with file and line. Values are
piecewise constant, so every interval between two dates at which anything changes is compared, not a sample; durations
in unlike units are compared on every start date of the calendar's known years.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from offcampus_rules import display, effective
from offcampus_rules.context import Scope
from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Cell, Entry, Parameter

_PROBE_FROM, _PROBE_UNTIL = date(2020, 1, 1), date(2027, 1, 1)


def find(parameter: Parameter, entries: Sequence[Entry]) -> tuple[FileProblem, ...]:
    """Everything a locality wrote that cannot take effect."""
    return tuple(
        problem
        for entry in entries
        if entry.binds and entry.value is not None and entry.region != parameter.jurisdiction
        for problem in _examine(parameter, entries, entry)
    )


def _examine(parameter: Parameter, entries: Sequence[Entry], entry: Entry) -> Iterator[FileProblem]:
    """The first clash is reported; pairs that meet in several cells or intervals are compared once."""
    compared: set[tuple[Entry, tuple[date, ...]]] = set()
    for cell in sorted(entry.cells):
        scope = Scope(entry.region, *cell)  # type: ignore[arg-type]  # cells come from the lists Scope checks against
        for pair in _superiors(parameter, entries, entry, scope):
            if pair in compared:
                continue
            compared.add(pair)
            problem = _compare(parameter, pair[0], entry, cell, pair[1])
            if problem is not None:
                yield problem
                return


def _superiors(
    parameter: Parameter, entries: Sequence[Entry], entry: Entry, scope: Scope
) -> Iterator[tuple[Entry, tuple[date, ...]]]:
    """What stands above an entry, with the days on which both are in force that need comparing."""
    others = [other for other in entries if other.region != entry.region]
    for since, until in _intervals(entry, others):
        above = [item for item in effective.in_force(others, scope, since) if item.value is not None]
        for item in above:
            mixed = (item.unit or parameter.unit) != (entry.unit or parameter.unit)
            yield item, _days(since, until) if mixed else (since,)


def _intervals(entry: Entry, others: Iterable[Entry]) -> Iterator[tuple[date, date]]:
    end = entry.until or max(_PROBE_UNTIL, entry.since + timedelta(days=1))
    cuts = {entry.since, end}
    for other in others:
        cuts |= {day for day in (other.since, other.until) if day is not None and entry.since < day < end}
    yield from pairwise(sorted(cuts))


@lru_cache(maxsize=64)
def _days(since: date, until: date) -> tuple[date, ...]:
    start, end = max(since, _PROBE_FROM), min(until, _PROBE_UNTIL)
    return tuple(start + timedelta(days=n) for n in range((end - start).days))


def _compare(
    parameter: Parameter, above: Entry, entry: Entry, cell: Cell, days: tuple[date, ...]
) -> FileProblem | None:
    if parameter.binding != "floor":
        return _outside(parameter, above, entry)
    looser = [day for day in days if not effective.as_strict(parameter, above, entry, day)]
    if not looser:
        return None
    on = f" on {len(looser)} of {len(days)} start dates" if len(days) > 1 else f" from {looser[0]}"
    zh = f"（{len(days)} 个起算日中的 {len(looser)} 个）" if len(days) > 1 else f"（自 {looser[0]} 起）"
    given, floor = _text(parameter, entry), _text(parameter, above)
    return FileProblem(
        entry.file,
        entry.position,
        "R-LOOSE",
        f"{parameter.id} {given} is looser than {floor} of {above.region}{on} for {'/'.join(cell)}; no effect",
        f"{parameter.id} {given} 宽于 {above.region} 的 {floor}{zh}，不生效",
    )


def _outside(parameter: Parameter, above: Entry, entry: Entry) -> FileProblem | None:
    allowed = ""
    if parameter.binding == "range" and above.interval and isinstance(entry.value, int):
        low, high = above.interval
        allowed = "" if low <= entry.value <= high else f"{low} to {high}"
    if parameter.binding == "choice" and above.options:
        chosen = entry.value if isinstance(entry.value, tuple) else (str(entry.value),)
        allowed = "" if set(chosen) <= set(above.options) else ", ".join(above.options)
    if not allowed:
        return None
    return FileProblem(
        entry.file,
        entry.position,
        "R-DELEG",
        f"{parameter.id} {_text(parameter, entry)} lies outside what {above.region} left open: {allowed}",
        f"{parameter.id} {_text(parameter, entry)} 超出 {above.region} 授权范围：{allowed}",
    )


def _text(parameter: Parameter, entry: Entry) -> str:
    return display.raw(entry.value, entry.unit or parameter.unit, parameter.of, "en")
