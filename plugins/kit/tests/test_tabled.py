"""A price that depends on class size and area: judged exactly, by every level, and open where the table is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules import CourseFiling, Scope
from offcampus_rules.facts import VOCABULARY
from offcampus_rules.ruleset import build
from offcampus_rules.tabled import TableLimit
from offcampus_rules.tables import Table

HEAD = """\
id: {id}
title: {{zh: 例, en: Example}}
unit: {unit}
binding: {binding}
stricter: {stricter}
protects: payer
governed_by: event_date
{more}judgement: {{confidence: reported}}
"""
PRICE = HEAD.format(
    id="price.hour",
    unit="table",
    binding="floor",
    stricter="lower",
    more="axes: [{name: class_size, bands: count, least: 1}, {name: area, options: [all, urban, rural]}]\nof: fen\n",
)
FLOAT = HEAD.format(id="price.up", unit="ppm", binding="floor", stricter="lower", more="")
HOUR = HEAD.format(id="price.minutes", unit="minutes", binding="floor", stricter="exact", more="")
RULE = """\
rules:
  - id: EX-PRC-001
    gates: [course]
    fact: amount_fen
    must_be: at_most
    parameter: price.hour
    raised_by: price.up
    for_each: {fact: minutes_centi, of: price.minutes}
    code: price.above
    requirement: M-07.3
"""
WORDS = """\
messages:
  price.above:
    message: {zh: "为 {given}，{allowed}", en: "{given} is not {allowed}"}
    remedy: {zh: 改, en: Change}
"""


def values(value, head=""):
    return f"{head}values:\n  - from: 2021-01-01\n    value: {value}\n    confidence: reported\n    source: {{document: 例}}\n"


def rows(*cells):
    return "{rows: [" + ", ".join(cells) + "]}"


def nation(*cells, minutes="45", up="100000", rule=RULE):
    return {
        "parameters/price/hour.yaml": values(rows(*cells), PRICE),
        "parameters/price/up.yaml": values(up, FLOAT),
        "parameters/price/minutes.yaml": values(minutes, HOUR),
        "rules/price.yaml": rule,
        "messages/price.yaml": WORDS,
    }


SMALL, LARGE = (
    "{class_size: {at_most: 10}, area: all, value: 8000}",
    "{class_size: {above: 10}, area: all, value: 4000}",
)
COURSE = CourseFiling(
    scope=Scope("110105", "academic", "compulsory", "offline"),
    subject="mathematics",
    filed_on=date(2026, 3, 1),
    starts_on=date(2026, 3, 10),
    ends_on=date(2026, 6, 9),
    class_hours_centi=1000,
    gift_hours_centi=0,
    minutes_per_class_hour=45,
    lesson_minutes=45,
    total_fen=88000,
    charge_method="by_hours",
    class_size_max=10,
)


@pytest.fixture
def price_rules(read):
    return build([read("000000", nation(SMALL, LARGE))])


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "allow"),
        ({"total_fen": 88001}, "refuse"),
        ({"class_size_max": 11, "total_fen": 44000}, "allow"),
        ({"class_size_max": 11, "total_fen": 44001}, "refuse"),
        ({"minutes_per_class_hour": 90, "total_fen": 176000}, "allow"),
        ({"minutes_per_class_hour": 90, "total_fen": 176001}, "refuse"),
        ({"gift_hours_centi": 500, "total_fen": 88001}, "refuse"),
        ({"class_hours_centi": 1, "total_fen": 88}, "allow"),
        ({"class_hours_centi": 1, "total_fen": 89}, "refuse"),
    ],
)
def test_a_price_is_judged_for_the_hours_and_the_class(price_rules, change, outcome):
    """80 yuan a standard hour up to ten pupils, 40 above, and a tenth more."""
    assert price_rules.check_course(replace(COURSE, **change)).outcome == outcome


def test_every_level_judges_by_its_own_table(read):
    """The province's lower table refuses alone between both limits; beyond both, each tells its own."""
    lower = values(
        rows("{class_size: {at_least: 1}, area: all, value: 6000}"), "parameter: price.hour\nregion: '110000'\n"
    )
    ruleset = build([read("000000", nation(SMALL, LARGE)), read("110000", {"parameters/price/hour.yaml": lower})])
    assert ruleset.check_course(replace(COURSE, total_fen=66000)).outcome == "allow"
    between = ruleset.check_course(replace(COURSE, total_fen=66001)).violations
    assert [item.level for item in between] == ["province"]
    beyond = ruleset.check_course(replace(COURSE, total_fen=88001)).violations
    assert sorted((item.level, item.allowed) for item in beyond) == [
        ("nation", "at most CNY 880.00 (by the table, pro rata)"),
        ("province", "at most CNY 660.00 (by the table, pro rata)"),
    ]


def test_town_and_country_are_told_apart_where_the_table_does(read):
    """An area that decides and was not told is named; what the table leaves open limits nothing."""
    cells = (
        "{class_size: {at_most: 10}, area: urban, value: 3200}",
        "{class_size: {at_most: 10}, area: rural, value: 2700}",
        "{class_size: {above: 10}, area: urban, value: null}",
        "{class_size: {above: 10}, area: rural, value: 1700}",
    )
    ruleset = build([read("000000", nation(*cells))])
    assert ruleset.check_course(replace(COURSE, area="urban", total_fen=35200)).outcome == "allow"
    assert ruleset.check_course(replace(COURSE, area="rural", total_fen=35200)).outcome == "refuse"
    untold = ruleset.check_course(replace(COURSE, total_fen=35201))
    assert untold.outcome == "allow"
    assert [(item.rule, "area" in item.reason_en) for item in untold.not_evaluated] == [("EX-PRC-001", True)]
    open_cell = ruleset.check_course(replace(COURSE, class_size_max=11, area="urban", total_fen=99999999))
    assert (open_cell.outcome, open_cell.not_evaluated) == ("allow", ())


@pytest.mark.parametrize(("minutes", "up", "refused"), [("null", "100000", False), ("45", "null", True)])
def test_what_is_not_regulated_beside_the_table(read, minutes, up, refused):
    """Without a standard hour no price can be compared; without a float the base is the limit."""
    files = nation(SMALL, LARGE, minutes=minutes, up=up)
    for name in ("up", "minutes"):
        path = f"parameters/price/{name}.yaml"
        silent = "value: null\n    reason: {zh: 未见, en: not seen}\n"
        files[path] = files[path].replace("value: null\n    confidence: reported\n    source: {document: 例}\n", silent)
    ruleset = build([read("000000", files)])
    assert ruleset.check_course(replace(COURSE, total_fen=80000)).outcome == "allow"
    assert (ruleset.check_course(replace(COURSE, total_fen=80001)).outcome == "refuse") is refused


@pytest.mark.parametrize(
    "change",
    [
        ("fact: amount_fen", "fact: class_size"),
        ("must_be: at_most", "must_be: one_of"),
        ("raised_by: price.up", "raised_by: price.minutes"),
        ("of: price.minutes", "of: price.up"),
        ("fact: minutes_centi", "fact: lesson_minutes"),
        ("gates: [course]", "gates: [release]"),
    ],
)
def test_a_rule_that_cannot_read_its_table_fails_at_load(read, change):
    """Wrong unit, wrong comparison, a gate that does not know the axes: told with file and line, nothing is judged."""
    rejected = build_problems(read, nation(SMALL, LARGE, rule=RULE.replace(*change)))
    assert rejected & {"R-UNIT", "R-NAME"}


def test_only_a_table_is_raised_and_multiplied(read):
    """A plain limit with `raised_by` says nothing."""
    plain = RULE.replace("parameter: price.hour", "parameter: price.up").replace(
        "fact: amount_fen", "fact: teaching_area_ppm"
    )
    assert build_problems(read, nation(SMALL, LARGE, rule=plain)) == {"R-UNIT"}


def build_problems(read, files):
    from offcampus_rules.assembly import Assembly

    _, problems = Assembly().with_plugin(read("000000", files))
    return {problem.code for problem in problems}


@given(
    st.integers(1, 20_000), st.integers(0, 200_000), st.integers(1, 12_000), st.integers(1, 240), st.integers(20, 60)
)
def test_no_fen_passes_that_the_exact_limit_forbids(cell, up, hours, minutes, per):
    """Against fractions: the whole limit is the largest whole sum the exact one allows."""
    from fractions import Fraction

    from offcampus_rules.errors import Position
    from offcampus_rules.tables import Band, Row

    table = Table(("class_size",), (Row((Band(None, None),), cell, __file__, Position(1, 1)),))
    facts = VOCABULARY["course"]
    limit = TableLimit(table, {"class_size": facts["class_size"]}, up, facts["minutes_centi"], per)
    got = limit(replace(COURSE, class_hours_centi=hours, minutes_per_class_hour=minutes))
    exact = cell * Fraction(1_000_000 + up, 1_000_000) * Fraction(hours * minutes, 100) / per
    assert got <= exact < got + 1
