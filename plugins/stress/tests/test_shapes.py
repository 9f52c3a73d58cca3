"""Tables, schedules, calendars and ordered options as a reader asks them: one cell, one share, one day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from offcampus_rules import Scope
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"
DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def ruleset():
    return build([read_folder(NATION), read_folder(ROOT)])


def value(ruleset, parameter, region, day=DAY):
    return ruleset.value(parameter, Scope(region, "academic", "senior_high", "offline"), day)


@pytest.mark.parametrize(
    ("size", "minutes", "area", "teacher", "province", "city"),
    [
        (10, 45, "urban", "native", 8000, 5800),
        (11, 45, "urban", "native", 6000, 5800),
        (15, 60, "urban", "native", 10800, 5800),
        (16, 60, "urban", "native", 10800, 3900),
        (20, 61, "rural", "foreign", 12960, 4680),
        (21, 46, "rural", "foreign", 8640, 4680),
    ],
)
def test_a_table_over_four_axes(ruleset, size, minutes, area, teacher, province, city):
    """The city cuts the sizes elsewhere than the province; each cell is the stricter of both."""
    cell = {"class_size": size, "lesson_minutes": minutes, "area": area, "teacher": teacher}
    assert value(ruleset, "kinds.lesson_price", "990200").at(**cell).value == province
    assert value(ruleset, "kinds.lesson_price", "990101").at(**cell).value == city


@pytest.mark.parametrize(("size", "hours"), [(1, 40), (10, 40), (11, 50), (34, 50), (35, 60), (200, 60)])
def test_scenario_13_a_class_of_exactly_10_or_35(ruleset, size, hours):
    """The ends of a band are stated, so that exactly 10 and exactly 35 have one answer (rows from a CSV)."""
    assert value(ruleset, "kinds.hours_by_size", "990200").at(class_size=size).value == hours


def test_scenario_13_an_eleventh_pupil_does_not_change_an_older_contract(ruleset):
    """The table of the contract's day answers, whoever joins later; before the table nothing is regulated."""
    assert value(ruleset, "kinds.hours_by_size", "990200", date(2022, 1, 1)).at(class_size=10).value == 40
    assert value(ruleset, "kinds.hours_by_size", "990200", date(2021, 12, 31)).value is None


@pytest.mark.parametrize(
    ("region", "allowed"),
    [
        ("990200", {0: 300_000, 333_333: 300_000, 333_334: 600_000, 666_666: 600_000, 666_667: 1_000_000}),
        ("990101", {0: 0, 333_334: 0, 499_999: 0, 500_000: 500_000, 666_667: 500_000, 1_000_000: 1_000_000}),
        ("991000", {0: 0, 999_999: 0, 1_000_000: 1_000_000}),
    ],
)
def test_cumulative_schedules(ruleset, region, allowed):
    """3:3:4 above, two halves in a city, nothing before the last lesson in another (scenario 16): the slower share."""
    plan = value(ruleset, "kinds.plan", region).value
    assert {done: plan.released(done) for done in allowed} == allowed


@pytest.mark.parametrize(
    ("day", "province", "city"),
    [
        (date(2026, 6, 18), False, False),
        (date(2026, 6, 19), True, True),
        (date(2026, 6, 20), False, True),
        (date(2026, 7, 10), False, False),
        (date(2026, 7, 11), True, True),
        (date(2026, 8, 31), True, True),
        (date(2026, 9, 1), False, True),
        (date(2026, 9, 2), False, False),
    ],
)
def test_a_calendar_of_days_and_spans(ruleset, day, province, city):
    """Both ends of a span belong to it; what either level forbids is forbidden."""
    assert (day in value(ruleset, "kinds.closed_days", "990200").value) is province
    assert (day in value(ruleset, "kinds.closed_days", "990101").value) is city


@pytest.mark.parametrize(
    ("region", "where"),
    [("990200", "reserve_only"), ("990100", "institution_custody"), ("990101", "payer_locked")],
)
def test_options_from_loose_to_strict(ruleset, region, where):
    """A lower level may only go further along the order."""
    assert value(ruleset, "kinds.fund_location", region).value == where
