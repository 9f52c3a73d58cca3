"""How levels combine: a floor is a lattice, and no level can loosen what stands above it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_rules import Citation, Scope, effective, lattice, looser, units
from offcampus_rules.errors import Position
from offcampus_rules.parameters import Entry, Parameter, cells_of, level_of

REGIONS = ("000000", "110000", "110100", "110105")
ON = date(2026, 3, 2)
HERE = Scope("110105", "sport", "compulsory", "offline")
OPTIONS = ("a", "b", "c", "d")


def parameter(unit="class_hours", stricter="lower", binding="floor"):
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
    )


def entry(value, region="000000", unit="", **changes):
    base = Entry(
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
        position=Position(1, 1),
    )
    return replace(base, **changes)


DURATIONS = st.one_of(
    st.tuples(st.integers(1, 40), st.sampled_from(["days", "working_days"])),
    st.tuples(st.integers(1, 4), st.just("months")),
)
SETS = st.sets(st.sampled_from(OPTIONS), min_size=1).map(lambda chosen: tuple(sorted(chosen)))


@st.composite
def families(draw):
    """A parameter and entries of it at any levels, of every kind of value a floor can have."""
    kind = draw(st.sampled_from(["number", "duration", "set"]))
    regions = draw(st.lists(st.sampled_from(REGIONS), min_size=1, max_size=4, unique=True))
    if kind == "set":
        stricter = draw(st.sampled_from(["subset", "superset"]))
        values = [(draw(st.none() | SETS), "options") for _ in regions]
        return parameter("options", stricter), [entry(v, r, u) for (v, u), r in zip(values, regions, strict=True)]
    stricter = draw(st.sampled_from(["lower", "higher"]))
    if kind == "duration":
        spans = [draw(DURATIONS) for _ in regions]
        return parameter("days", stricter), [entry(v, r, u) for (v, u), r in zip(spans, regions, strict=True)]
    numbers = [draw(st.none() | st.integers(0, 100)) for _ in regions]
    return parameter("class_hours", stricter), [entry(v, r) for v, r in zip(numbers, regions, strict=True)]


def demand(p, item, day):
    """What an entry comes to, so that two of them can be compared."""
    if item.value is None:
        return None
    return (
        frozenset(item.value)
        if isinstance(item.value, tuple)
        else effective._ends(p, item, day)
        if p.unit in units.DURATIONS
        else lattice.rank(item.value, p.unit)
    )


DAYS = st.dates(date(2023, 1, 1), date(2026, 12, 1))


@given(families(), DAYS)
def test_meet_is_commutative(family, day):
    """Which level is read first does not matter."""
    p, items = family
    for one in items:
        for other in items:
            assert demand(p, effective.meet(p, one, other, day), day) == demand(
                p, effective.meet(p, other, one, day), day
            )


@given(families(), DAYS)
def test_meet_is_associative(family, day):
    """Nor how they are grouped."""
    p, items = family
    one, other, third = (items * 3)[:3]
    left = effective.meet(p, effective.meet(p, one, other, day), third, day)
    right = effective.meet(p, one, effective.meet(p, other, third, day), day)
    assert demand(p, left, day) == demand(p, right, day)


@given(families(), DAYS)
def test_meet_is_idempotent(family, day):
    """Saying a thing twice adds nothing."""
    p, items = family
    assert effective.meet(p, items[0], items[0], day) == items[0]


@given(families(), DAYS)
def test_the_effective_value_is_at_least_as_strict_as_every_level(family, day):
    """Never looser than any floor, whatever the levels say and in whichever order they are listed."""
    p, items = family
    for listed in (items, items[::-1]):
        value = effective.effective(p, listed, HERE, day)
        for item in items:
            if item.value is None:
                continue
            assert value.value is not None
            assert at_least_as_strict(p, value, item, day)


def at_least_as_strict(p, value, item, day):
    got = demand(p, entry(value.value, unit=value.unit), day)
    floor = demand(p, item, day)
    if p.stricter in ("lower", "subset"):
        return got <= floor
    return got >= floor


@settings(max_examples=40, deadline=None)
@given(families(), DAYS)
def test_looser_reports_exactly_what_has_no_effect(family, day):
    """A local value is reported on the days it would loosen; one that tightens is not."""
    p, items = family
    reported = {problem.file for problem in looser.find(p, items)}
    for item in items:
        if item.region == "000000" or item.value is None:
            continue
        above = [other for other in items if effective_rank(other) < effective_rank(item) and other.value is not None]
        without = all(at_least_as_strict(p, effective.to_value(p, item), other, day) for other in above)
        if not without:
            assert item.file in reported
        elif len({other.unit for other in items}) == 1 and p.unit != "days":
            assert item.file not in reported  # one unit: what holds on one day holds on every day


def effective_rank(item):
    return REGIONS.index(item.region)


def test_ten_working_days_and_fifteen_days_are_compared_by_where_they_end():
    """The stricter of the two differs from start date to start date."""
    p = parameter("days", "lower")
    nation, province = entry(15, "000000", "days"), entry(10, "110000", "working_days")
    winners = {
        effective.effective(p, [nation, province], HERE, day).unit for day in (date(2026, 3, 2), date(2026, 9, 28))
    }
    assert winners == {"days", "working_days"}
    [problem] = looser.find(p, [nation, province])
    assert problem.code == "R-LOOSE"
    assert "start dates" in problem.message_en


def test_of_equals_the_higher_level_is_cited():
    """Repeating the nation's number does not make it the province's."""
    value = effective.effective(parameter(), [entry(60, "110000"), entry(60)], HERE, ON)
    assert (value.value, value.level) == (60, "nation")


def test_sets_meet_in_what_all_demand():
    """Forbidden days add up; permitted ways shrink."""
    forbidden = parameter("options", "superset")
    union = effective.effective(forbidden, [entry(("a", "b")), entry(("b", "c"), "110000")], HERE, ON)
    assert set(union.value) == {"a", "b", "c"}
    permitted = parameter("options", "subset")
    both = effective.effective(permitted, [entry(("a", "b")), entry(("b", "c"), "110000")], HERE, ON)
    assert both.value == ("b",)


def test_exact_is_the_nations():
    """A length that must be equal everywhere is not a local matter."""
    p = parameter("minutes", "exact")
    assert effective.effective(p, [entry(45), entry(40, "110000")], HERE, ON).value == 45
    assert [problem.code for problem in looser.find(p, [entry(45), entry(40, "110000")])] == ["R-LOOSE"]


@pytest.mark.parametrize(("binding", "expected"), [("default", 7), ("delegated", 7), ("floor", 15)])
def test_seven_or_fifteen_working_days_is_one_word(binding, expected):
    """Both readings of a shorter local silence are expressible: nearest level, or never looser for the payer."""
    p = parameter("working_days", "higher", binding)
    items = [entry(15, unit="working_days"), entry(7, "330000", "working_days")]
    there = Scope("330102", "sport", "compulsory", "offline")
    assert effective.effective(p, items, there, ON).value == expected
    assert effective.effective(p, items, HERE, ON).value == 15
    assert bool(looser.find(p, items)) == (binding == "floor")


@pytest.mark.parametrize(
    ("local", "expected", "reported"), [(5, 5, False), (10, 10, False), (12, 10, True), (0, 0, False)]
)
def test_a_range_is_not_left(local, expected, reported):
    """A local value outside the interval is brought back to its nearest bound and reported."""
    p = parameter("ppm", "lower", "range")
    items = [entry(10, interval=(0, 10)), entry(local, "110000")]
    assert effective.effective(p, items, HERE, ON).value == expected
    assert [problem.code for problem in looser.find(p, items)] == (["R-DELEG"] if reported else [])


@pytest.mark.parametrize(
    ("local", "expected", "reported"),
    [(("a",), ("a",), False), (("a", "d"), ("a", "b"), True), (("d",), ("a", "b"), True)],
)
def test_a_choice_is_among_the_options(local, expected, reported):
    """What is not on the list is not chosen: the level above goes on ruling."""
    p = parameter("options", "exact", "choice")
    items = [entry(("a", "b"), options=("a", "b")), entry(local, "110000")]
    assert effective.effective(p, items, HERE, ON).value == expected
    assert [problem.code for problem in looser.find(p, items)] == (["R-DELEG"] if reported else [])


def test_a_city_that_chooses_binds_its_counties_only():
    """The lowest level that ruled is the one; the neighbour city is not touched."""
    p = parameter("options", "exact", "choice")
    items = [entry(("a", "b"), options=("a", "b")), entry(("b",), "110000"), entry(("a",), "110100")]
    assert effective.effective(p, items, HERE, ON).value == ("a",)
    assert effective.effective(p, items, replace(HERE, region="110200"), ON).value == ("b",)


@pytest.mark.parametrize("confidence", ["draft", "memory"])
def test_drafts_and_memories_never_bind(confidence):
    """A note is stricter and still has no effect."""
    p = parameter()
    assert effective.effective(p, [entry(60), entry(1, "110000", confidence=confidence)], HERE, ON).value == 60


def test_silence_has_a_reason():
    """Where nothing is regulated, the value says why, in both languages."""
    value = effective.effective(parameter(), [entry(None)], HERE, ON)
    assert (value.value, value.reason_if_none, value.reason_if_none_zh) == (None, "none", "无")
    nobody = effective.effective(parameter(), [], HERE, ON)
    assert nobody.value is None
    assert nobody.reason_if_none
    assert nobody.reason_if_none_zh


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2021, 12, 31), None), (date(2022, 1, 1), 60), (date(2022, 12, 31), 60), (date(2023, 1, 1), 50)],
)
def test_from_is_inclusive_until_is_exclusive(day, expected):
    """The day before, the day of, the last day, the next value."""
    items = [entry(60, until=date(2023, 1, 1)), entry(50, since=date(2023, 1, 1))]
    assert effective.effective(parameter(), items, HERE, day).value == expected


def test_scope_selects():
    """A value for sport says nothing about academic training."""
    items = [entry(60, cells=cells_of({"sector": ["sport"]}))]
    assert effective.effective(parameter(), items, HERE, ON).value == 60
    assert effective.effective(parameter(), items, replace(HERE, sector="academic"), ON).value is None
