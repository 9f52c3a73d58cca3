"""What is stricter is a meet, for every kind of value: what it permits is what both permit.

Each kind has its own oracle, `permits(value, probe)`, that knows nothing of the code under test. From
permits(meet(a, b), x) == permits(a, x) and permits(b, x) the lattice laws follow; they are tested for themselves too.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_rules import Citation, Scope, effective, lattice, looser, units
from offcampus_rules.daysets import DaySet
from offcampus_rules.errors import Position
from offcampus_rules.parameters import Axis, Entry, Parameter, cells_of, level_of
from offcampus_rules.schedules import WHOLE, Schedule
from offcampus_rules.tables import Band, Row, Table

ORDER = ("reserve_only", "institution_custody", "contract_wallet", "payer_locked")
WORDS = ("a", "b", "c", "d")
AREAS = ("urban", "rural")
DAY_ZERO = date(2026, 1, 1)
DAYS = st.integers(0, 20).map(lambda n: DAY_ZERO + timedelta(days=n))
HERE = Scope("110105", "sport", "compulsory", "offline")


@st.composite
def tables(draw):
    """Bands over class size without gap, cut anywhere, for one area or both; some cells left open."""
    rows = []
    for area in draw(st.lists(st.sampled_from(AREAS), min_size=1, unique=True)):
        cuts = sorted(draw(st.sets(st.integers(2, 12), max_size=4)))
        for low, high in zip([None, *cuts], [*cuts, None], strict=True):
            cell = draw(st.none() | st.integers(0, 9))
            rows.append(Row((area, Band(low, None if high is None else high - 1)), cell, Path("t"), Position(1, 1)))
    return Table(("area", "class_size"), tuple(draw(st.permutations(rows))))


@st.composite
def schedules(draw):
    afters = sorted(draw(st.sets(st.integers(0, 10), min_size=1, max_size=4)))
    between = draw(st.sets(st.integers(1, 9), min_size=len(afters) - 1, max_size=len(afters) - 1))
    shares = [*sorted(between), 10]
    return Schedule.of(*((a * WHOLE // 10, s * WHOLE // 10) for a, s in zip(afters, shares, strict=True)))


SPANS = st.lists(st.tuples(DAYS, st.integers(0, 4)), max_size=4)
CALENDARS = SPANS.map(lambda spans: DaySet.of((first, first + timedelta(days=n)) for first, n in spans))
SETS = st.sets(st.sampled_from(WORDS)).map(lambda chosen: tuple(sorted(chosen)))
TIMES = st.tuples(st.integers(18, 22), st.sampled_from(["00", "30"])).map(lambda pair: f"{pair[0]}:{pair[1]}")


def cell(table, area, size):
    """What a table says of a class, looked for by hand."""
    cells = [
        row.value
        for row in table.rows
        if row.at[0] == area
        and (row.at[1].low is None or row.at[1].low <= size)
        and (row.at[1].high is None or size <= row.at[1].high)
    ]
    [found] = cells or [None]
    return found


def permits_cell(table, probe, direction):
    area, size, amount = probe
    limit = cell(table, area, size)
    return limit is None or (amount <= limit if direction == "lower" else amount >= limit)


def permits_share(schedule, probe, direction):
    done, share = (part * WHOLE // 10 for part in probe)
    limit = max([0] + [step.released_ppm for step in schedule.steps if step.after_ppm <= done])
    return share <= limit if direction == "lower" else share >= limit


def minutes(text):
    return int(text[:2]) * 60 + int(text[3:])


def is_in(calendar, day):
    return any(first <= day <= last for first, last in calendar.spans)


KINDS = {
    ("class_hours", "lower"): (st.integers(0, 9), st.integers(0, 10), lambda v, x: x <= v),
    ("class_hours", "higher"): (st.integers(0, 9), st.integers(0, 10), lambda v, x: x >= v),
    ("time", "lower"): (TIMES, TIMES, lambda v, x: minutes(x) <= minutes(v)),
    ("flag", "higher"): (st.booleans(), st.booleans(), lambda v, x: x or not v),
    ("option", "later"): (
        st.sampled_from(ORDER), st.sampled_from(ORDER), lambda v, x: ORDER.index(x) >= ORDER.index(v),
    ),
    ("options", "subset"): (SETS, st.sampled_from(WORDS), lambda v, x: x in v),
    ("options", "superset"): (SETS, st.sampled_from(WORDS), lambda v, x: x not in v),
    ("dates", "subset"): (CALENDARS, DAYS, is_in),
    ("dates", "superset"): (CALENDARS, DAYS, lambda v, x: not is_in(v, x)),
    **{
        ("table", way): (
            tables(),
            st.tuples(st.sampled_from(AREAS), st.integers(1, 13), st.integers(0, 9)),
            lambda v, x, way=way: permits_cell(v, x, way),
        )
        for way in ("lower", "higher")
    },
    **{
        ("schedule", way): (
            schedules(),
            st.tuples(st.integers(0, 10), st.integers(0, 10)),
            lambda v, x, way=way: permits_share(v, x, way),
        )
        for way in ("lower", "higher")
    },
}  # fmt: skip
EACH = pytest.mark.parametrize(("unit", "stricter"), KINDS)
FEW = settings(max_examples=40, deadline=None)


def meet(unit, stricter, one, other):
    return lattice.meet(stricter, ORDER, unit, one, other)


@EACH
@FEW
@given(data=st.data())
def test_the_meet_permits_what_both_permit(unit, stricter, data):
    """Never looser than either, and no stricter than it must be; None permits everything."""
    values, probes, permits = KINDS[unit, stricter]
    one, other = data.draw(st.none() | values), data.draw(st.none() | values)
    probe = data.draw(probes)
    both = meet(unit, stricter, one, other)
    allowed = [value is None or permits(value, probe) for value in (both, one, other)]
    assert allowed[0] == (allowed[1] and allowed[2])


@EACH
@FEW
@given(data=st.data())
def test_the_laws(unit, stricter, data):
    """Commutative, associative, idempotent, with None as the top."""
    values = KINDS[unit, stricter][0]
    one, two, three = (data.draw(st.none() | values) for _ in range(3))
    assert lattice.same(meet(unit, stricter, one, two), meet(unit, stricter, two, one))
    left = meet(unit, stricter, meet(unit, stricter, one, two), three)
    right = meet(unit, stricter, one, meet(unit, stricter, two, three))
    assert lattice.same(left, right)
    assert meet(unit, stricter, one, one) == one
    assert meet(unit, stricter, one, None) == one
    assert meet(unit, stricter, None, one) == one


def parameter(unit, stricter, binding="floor"):
    return Parameter(
        id="sale.limit",
        title_zh="限度",
        title_en="Limit",
        unit=unit,
        binding=binding,
        stricter=stricter,
        protects="payer",
        governed_by="contract_date",
        month_end="last_day_included",
        jurisdiction="000000",
        file=Path("nation.yaml"),
        order=ORDER if stricter == "later" else (),
        axes=(Axis("area", None, 0, AREAS), Axis("class_size", "count", 1, ())) if unit == "table" else (),
        of="fen" if unit == "table" else None,
    )


def entry(value, region, unit="", line=1, options=None):
    return Entry(
        parameter="sale.limit",
        region=region,
        level=level_of(region),
        cells=cells_of({}),
        since=date(2022, 1, 1),
        until=None,
        value=value,
        unit=unit,
        confidence="reported",
        source=Citation(f"document of {region}"),
        reason=("无", "none") if value is None else None,
        file=Path(f"{region}.yaml"),
        position=Position(line, 5),
        options=options,
    )


def states(value, probe):
    """Whether a value says anything at a probe: a table that names no such cell leaves it to the level above."""
    return not isinstance(value, Table) or cell(value, *probe[:2]) is not None


def table(*rows):
    """`(area, low, high, value)` each."""
    made = [Row((area, Band(low, high)), value, Path("t"), Position(1, 1)) for area, low, high, value in rows]
    return Table(("area", "class_size"), tuple(made))


NATIONS_PRICES = table(("urban", 1, 10, 80), ("urban", 11, None, 50), ("rural", 1, None, 40))
LOCAL_PRICES = {
    "below the least": (table(("urban", None, 10, 80), ("urban", 11, None, 50)), []),
    "other bands": (table(("urban", 1, 20, 50), ("urban", 21, None, 40)), []),
    "one area": (table(("rural", 1, None, 30)), []),
    "a cell left open": (table(("rural", 1, 5, None), ("rural", 6, None, 40)), []),
    "an area of its own": (table(("suburban", 1, None, 99)), []),
    "a fen more": (table(("rural", 1, None, 41)), ["R-LOOSE"]),
    "one class size": (table(("urban", 1, 11, 60), ("urban", 12, None, 50)), ["R-LOOSE"]),
}


@pytest.mark.parametrize("name", LOCAL_PRICES)
def test_a_table_is_looser_only_where_both_speak(name):
    """From the smallest number that occurs on; the cells that a local table does not name stay the nation's."""
    local, codes = LOCAL_PRICES[name]
    known = [entry(NATIONS_PRICES, "000000"), entry(local, "110000", line=7)]
    p = parameter("table", "lower")
    assert [item.code for item in looser.find(p, known)] == codes
    value = effective.effective(p, known, HERE, date(2026, 3, 2)).value
    assert value.row(area="rural", class_size=3).value in (30, 40)


@EACH
@FEW
@given(data=st.data())
def test_a_floor_is_never_loosened_and_a_looser_value_is_told(unit, stricter, data):
    """Nation and province: the effective value permits nothing the nation forbids; what would is R-LOOSE, at its line."""
    values, probes, permits = KINDS[unit, stricter]
    p = parameter(unit, stricter)
    nation, province = entry(data.draw(values), "000000"), entry(data.draw(values), "110000", line=7)
    probe = data.draw(probes)
    value = effective.effective(p, [province, nation], HERE, date(2026, 3, 2)).value
    assert value is None or permits(nation.value, probe) or not permits(value, probe)
    told = looser.find(p, [nation, province])
    if states(province.value, probe) and permits(province.value, probe) and not permits(nation.value, probe):
        assert [(item.code, item.file.name, item.position.line) for item in told] == [("R-LOOSE", "110000.yaml", 7)]
    if told:
        met = meet(unit, stricter, nation.value, province.value)
        assert not lattice.same(met, province.value)


DURATIONS = st.one_of(
    st.tuples(st.integers(1, 40), st.sampled_from(["days", "working_days"])),
    st.tuples(st.integers(1, 4), st.just("months")),
)


@pytest.mark.parametrize("stricter", ["lower", "higher"])
@FEW
@given(
    spans=st.lists(DURATIONS, min_size=3, max_size=3),
    day=st.dates(date(2024, 1, 1), date(2026, 6, 30)),
    late=st.integers(0, 130),
)
def test_deadlines_in_mixed_units(stricter, spans, day, late):
    """A day is in time for the strictest of three deadlines when it is in time for all; which one that is, the day tells."""
    p = parameter("days", stricter)
    items = [entry(v, r, u) for (v, u), r in zip(spans, ("000000", "110000", "110105"), strict=True)]
    probe = day + timedelta(days=late)

    def permits(value, unit):
        end = units.last_day(day, value, unit).day
        return probe <= end if stricter == "lower" else probe >= end

    value = effective.effective(p, items, HERE, day)
    assert permits(value.value, value.unit) == all(permits(item.value, item.unit) for item in items)


TEN = Table(("area", "class_size"), (Row(("urban", Band(None, None)), 10, Path("n"), Position(1, 1)),))
NINE = Table(("area", "class_size"), (Row(("urban", Band(None, None)), 9, Path("p"), Position(1, 1)),))


@pytest.mark.parametrize(("binding", "expected"), [("floor", 9), ("default", 10), ("delegated", 10)])
def test_a_table_under_each_mode(binding, expected):
    """Nine above, ten below: as a floor the nine stay, else the nearest level's table rules."""
    p = parameter("table", "lower", binding)
    items = [entry(NINE, "000000"), entry(TEN, "110000")]
    value = effective.effective(p, items, HERE, date(2026, 3, 2))
    assert value.at(area="urban", class_size=3).value == expected
    assert [item.code for item in looser.find(p, items)] == (["R-LOOSE"] if binding == "floor" else [])


@pytest.mark.parametrize(
    ("local", "expected", "reported"),
    [("payer_locked", "payer_locked", []), ("reserve_only", "institution_custody", ["R-DELEG"])],
)
def test_a_choice_among_ordered_options(local, expected, reported):
    """What was not left open is not chosen, whatever its place in the order."""
    p = parameter("option", "later", "choice")
    items = [entry("institution_custody", "000000", options=ORDER[1:]), entry(local, "110000")]
    assert effective.effective(p, items, HERE, date(2026, 3, 2)).value == expected
    assert [item.code for item in looser.find(p, items)] == reported
