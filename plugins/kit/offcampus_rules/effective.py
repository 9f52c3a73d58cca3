"""The effective value of a parameter at a place and date: nation -> province -> city -> county.

How levels combine is declared once, by the parameter's binding mode:
- `floor`      localities may be stricter: the strictest OUTCOME wins, a looser local value never takes effect;
- `range`      the nearest value, brought back into the interval of the level that opened it;
- `choice`     the nearest value that is among the options of the level that opened them;
- `default`    the nearest level that rules;
- `delegated`  the same, and the nation itself is silent.

`stricter` is a meet on a lattice whose top is "not regulated" (None): commutative, associative, idempotent. Durations
in different units are compared by where they end when they begin on the day asked about, never by their numbers:
10 working days and 15 natural days order differently from day to day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Literal

from offcampus_rules import lattice, units
from offcampus_rules.context import Scope
from offcampus_rules.decision import Value
from offcampus_rules.errors import Position
from offcampus_rules.parameters import Entry, Parameter, chain
from offcampus_rules.tables import Table

_SILENT_EN = "no level regulates this here on this date"
_SILENT_ZH = "各级在此日期对此均未作规定"


def undefined(name: str) -> Value:
    """What is to be said of a parameter that no plugin defines."""
    en, zh = f"no plugin defines {name}", f"没有插件定义 {name}"
    return Value(name, None, "count", None, None, None, None, None, None, en, zh)


def in_force(entries: Sequence[Entry], scope: Scope, on: date) -> tuple[Entry, ...]:
    """The entries that speak at a place and date, from the nation down; notes are left out."""
    regions = chain(scope.region)
    speaking = [
        entry
        for entry in entries
        if entry.binds and entry.region in regions and entry.in_force(on) and entry.covers(scope)
    ]
    return tuple(sorted(speaking, key=lambda entry: regions.index(entry.region)))


def binding(parameter: Parameter, entries: Sequence[Entry], scope: Scope, on: date) -> tuple[Entry, ...]:
    """The entries a rule is judged by: every level of a `floor` (each keeps its own source), one entry otherwise."""
    speaking = in_force(entries, scope, on)
    if parameter.binding == "floor":
        return tuple(entry for entry in speaking if entry.value is not None)
    nearest = _nearest(parameter, speaking)
    return (nearest,) if nearest is not None and nearest.value is not None else ()


def effective(parameter: Parameter, entries: Sequence[Entry], scope: Scope, on: date) -> Value:
    """The one value that holds. Its value is None, with the reason, where nothing is regulated."""
    speaking = in_force(entries, scope, on)
    if parameter.binding == "floor":
        ruling = [entry for entry in speaking if entry.value is not None]
        winner = reduce(lambda a, b: meet(parameter, a, b, on), ruling) if ruling else None
    else:
        winner = _nearest(parameter, speaking)
    if winner is None or winner.value is None:
        return _silence(parameter, speaking)
    return to_value(parameter, winner)


def meet(parameter: Parameter, one: Entry, other: Entry, on: date) -> Entry:
    """The stricter of two entries; of equals the higher level's. Sets meet in the set both demand."""
    first, second = sorted((one, other), key=_rank)
    if second.value is None:
        return first
    if first.value is None:
        return second
    if parameter.unit in units.DURATIONS and parameter.stricter != "exact":
        left, right = _ends(parameter, first, on), _ends(parameter, second, on)
        if left == right:
            return first
        return second if (right < left) == (parameter.stricter == "lower") else first
    met = lattice.meet(parameter.stricter, parameter.order, parameter.unit, first.value, second.value)
    if lattice.same(met, first.value):
        return first
    return second if lattice.same(met, second.value) else replace(second, value=met)


def as_strict(parameter: Parameter, above: Entry, below: Entry, on: date) -> bool:
    """Whether what stands below is at least as strict as what stands above, on a day; null demands nothing."""
    if above.value is None:
        return True
    if below.value is None:
        return False
    if parameter.unit in units.DURATIONS and parameter.stricter != "exact":
        high, low = _ends(parameter, above, on), _ends(parameter, below, on)
        return low <= high if parameter.stricter == "lower" else low >= high
    if isinstance(above.value, Table) and isinstance(below.value, Table):
        way: Literal["lower", "higher"] | None
        way = "lower" if parameter.stricter == "lower" else "higher" if parameter.stricter == "higher" else None
        return above.value.allows_beside(below.value, way, {axis.name: axis.least for axis in parameter.axes})
    met = lattice.meet(parameter.stricter, parameter.order, parameter.unit, above.value, below.value)
    return lattice.same(met, below.value)


def _ends(parameter: Parameter, entry: Entry, on: date) -> date:
    """The last day of a duration that begins on a day, so that durations in whatever unit can be compared."""
    assert isinstance(entry.value, int)
    return units.last_day(on, entry.value, entry.unit or parameter.unit).day


def _rank(entry: Entry) -> tuple[int, str, int, str, Position]:
    order = ("nation", "province", "city", "county")
    return order.index(entry.level), entry.region, entry.since.toordinal(), str(entry.file), entry.position


def _nearest(parameter: Parameter, speaking: Iterable[Entry]) -> Entry | None:
    """The lowest level that rules within what the levels above left open."""
    chosen: Entry | None = None
    for entry in speaking:
        admitted = entry if chosen is None else _admitted(parameter, chosen, entry)
        chosen = admitted if admitted is not None else chosen
    return chosen


def _admitted(parameter: Parameter, above: Entry, entry: Entry) -> Entry | None:
    if entry.value is None:
        return None
    if parameter.binding == "range" and above.interval and isinstance(entry.value, int):
        low, high = above.interval
        return replace(entry, value=min(max(entry.value, low), high), interval=entry.interval or above.interval)
    if parameter.binding == "choice" and above.options:
        chosen = entry.value if isinstance(entry.value, tuple) else (entry.value,)
        if not set(chosen) <= set(above.options):
            return None
        return replace(entry, options=entry.options or above.options)
    return entry


def to_value(parameter: Parameter, entry: Entry) -> Value:
    return Value(
        parameter=parameter.id,
        value=entry.value,
        unit=entry.unit or parameter.unit,
        level=entry.level,
        region=entry.region,
        since=entry.since,
        until=entry.until,
        source=entry.source,
        confidence=entry.confidence,
        of=parameter.of,
        measured_by=parameter.measured_by,
    )


def _silence(parameter: Parameter, speaking: Sequence[Entry]) -> Value:
    """Not regulated: the reason the nearest level gives, or that nobody says anything."""
    last = speaking[-1] if speaking else None
    zh, en = last.reason if last is not None and last.reason else (_SILENT_ZH, _SILENT_EN)
    return Value(
        parameter=parameter.id,
        value=None,
        unit=parameter.unit,
        level=last.level if last else None,
        region=last.region if last else None,
        since=last.since if last else None,
        until=last.until if last else None,
        source=last.source if last else None,
        confidence=last.confidence if last else None,
        reason_if_none=en,
        reason_if_none_zh=zh,
    )
