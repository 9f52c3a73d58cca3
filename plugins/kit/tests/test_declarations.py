"""What plugins declare once: fields and levels are put together; a conflict keeps the later one out, with both places."""

from __future__ import annotations

import json
from datetime import date

import pytest
from offcampus_rules import InstitutionWindow, Scope
from offcampus_rules.explaining import tree
from offcampus_rules.ruleset import build

WHERE = Scope("110105", "sport", "compulsory", "offline")
DAY = date(2026, 3, 1)
POLICY = {"type": "string", "title": "Policy"}
FILE = {"type": "object", "additionalProperties": False, "properties": {"mode": {"enum": ["a", "b"]}}}
FIELDS = """
from offcampus_rules.hookspecs import FieldSpec, hookimpl

@hookimpl
def disclosure_fields():
    return ({fields},)
"""
LEVELS = """
from offcampus_rules.hookspecs import Indicator, WarningLevel, hookimpl

@hookimpl
def warning_levels():
    return ({levels},)

@hookimpl
def risk_indicators(case):
    return tuple(
        Indicator(f"EX-RSK-{{n}}", "complaints", 9, 3, "count", 2, "sale.hours_max") for n in range(case.facts.complaints)
    )
"""
DEFINED = """\
id: warning.levels
title: {zh: 预警等级, en: Levels}
unit: options
binding: delegated
stricter: exact
protects: public
governed_by: event_date
delegation: {document: 示例办法}
judgement: {confidence: memory}
values:
  - {from: 2020-01-01, value: null, reason: {zh: 未规定, en: silent}}
"""


def field(namespace="x-capital", name="policy", schema=POLICY):
    return f"FieldSpec({namespace!r}, {name!r}, {schema!r})"


def level(name, order, points, parameter="sale.hours_max"):
    return f"WarningLevel({name!r}, {order}, {points}, '{name}级', '{name} level', {parameter!r})"


def named(region, *levels):
    said = ", ".join(levels)
    return {
        f"parameters/levels_{region}.yaml": f"""\
parameter: warning.levels
region: "{region}"
values:
  - {{from: 2020-01-01, value: [{said}], confidence: reported, source: {{document: 示例}}}}
"""
    }


def test_a_field_joins_the_namespace_of_its_file(nation, read):
    """The file's fields and Python's make one schema: what either does not know is refused."""
    extension = {"extensions/x-capital.json": json.dumps(FILE, indent=1)}
    ruleset = build([nation, read("110000", extension, hooks=FIELDS.format(fields=field()))])
    assert set(ruleset.extension_schemas["x-capital"]["properties"]) == {"mode", "policy"}
    assert ruleset.extension_schemas["x-capital"]["additionalProperties"] is False
    assert [(item.name, item.file.name, item.position.line) for item in ruleset.extension_fields] == [
        ("mode", "x-capital.json", 5),
        ("policy", "hooks.py", 5),
    ]


def test_a_field_without_a_file_makes_the_namespace(nation, read):
    """Nothing else may be sent under it."""
    ruleset = build([nation, read("110000", {}, hooks=FIELDS.format(fields=field()))])
    assert ruleset.extension_schemas["x-capital"]["properties"] == {"policy": POLICY}


OTHERWISE = {"type": "integer"}


@pytest.mark.parametrize(
    ("city", "told"),
    [
        (field(schema=OTHERWISE), "x-capital policy is said otherwise at hooks.py:5 of plugin_110000"),
        (field(name="mode", schema=OTHERWISE), "x-capital mode is said otherwise at x-capital.json:5 of plugin_110000"),
        (field(namespace="capital"), "capital is not x-<province>"),
        (field(name="new", schema={"type": "no type"}), "new is no JSON Schema"),
    ],
)
def test_a_field_told_otherwise_keeps_the_city_out(nation, read, city, told):
    """Both places are named; the province stands."""
    extension = {"extensions/x-capital.json": json.dumps(FILE, indent=1)}
    province = read("110000", extension, hooks=FIELDS.format(fields=field()))
    ruleset = build([nation, province, read("110100", {}, hooks=FIELDS.format(fields=city))])
    [rejected] = ruleset.rejected
    [problem] = rejected.problems
    assert (problem.file.name, problem.position.line, rejected.jurisdiction) == ("hooks.py", 5, "110100")
    assert told in problem.message_en
    assert set(ruleset.extension_schemas["x-capital"]["properties"]) == {"mode", "policy"}


def test_a_field_told_alike_is_one(nation, read):
    """A union: who repeats, adds nothing."""
    province = read("110000", {}, hooks=FIELDS.format(fields=field()))
    city = read("110100", {}, hooks=FIELDS.format(fields=field()))
    assert not build([nation, province, city]).rejected


def test_another_provinces_namespace_is_taken(nation, read):
    """Nobody asks for anything in a neighbour's name."""
    one = read("110000", {}, hooks=FIELDS.format(fields=field()))
    other = read("120000", {}, hooks=FIELDS.format(fields=field()))
    [rejected] = build([nation, one, other]).rejected
    assert "the namespace x-capital belongs to plugin_110000" in rejected.reason


@pytest.mark.parametrize(("signs", "wanted"), [(0, None), (1, None), (2, "yellow"), (3, "yellow"), (4, "red")])
def test_the_points_of_the_signs_reach_a_level(nation, read, signs, wanted):
    """Two points a sign: yellow from four, red from eight; the working says by which text."""
    levels = ", ".join((level("red", 2, 8), level("yellow", 1, 4)))
    ruleset = build([nation, read("110000", {}, hooks=LEVELS.format(levels=levels))])
    assert [item.id for item in ruleset.warning_levels(WHERE, DAY)] == ["yellow", "red"]
    case = InstitutionWindow(WHERE, date(2026, 2, 1), DAY, complaints=signs)
    figure = ruleset.warning(case)
    assert figure.result["level"] == wanted
    assert wanted is None or f"are {wanted}, {wanted} level (全国示例办法 示例1号)" in tree(figure, "en")


def test_a_level_that_rests_on_nothing_is_none(nation, read):
    """Before the parameter's first day nobody has set a level."""
    ruleset = build([nation, read("110000", {}, hooks=LEVELS.format(levels=level("yellow", 1, 4)))])
    assert ruleset.warning_levels(WHERE, date(2020, 12, 31)) == ()
    assert ruleset.warning_levels(Scope("120105", "sport", "compulsory", "offline"), DAY) == ()


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ([level("a", 1, 5), level("b", 2, 5)], "do not rise in order and points alike"),
        ([level("a", 1, 5), level("b", 1, 9)], "do not rise in order and points alike"),
        ([level("a", 1, 5), level("a", 2, 9)], "the level a is said otherwise at hooks.py:5"),
        ([level("a", 1, 5, "sale.none")], "sale.none is no parameter"),
    ],
)
def test_levels_that_contradict_each_other_are_refused(nation, read, levels, told):
    """With the line of the hook."""
    [rejected] = build([nation, read("110000", {}, hooks=LEVELS.format(levels=", ".join(levels)))]).rejected
    assert told in rejected.reason
    assert "hooks.py:5" in rejected.reason


def test_a_city_cannot_rename_the_provinces_levels(nation, read):
    """The same id with other points: the city is kept out, both places are told."""
    province = read("110000", {}, hooks=LEVELS.format(levels=level("yellow", 1, 4)))
    city = read("110100", {}, hooks=LEVELS.format(levels=level("yellow", 1, 40)))
    [rejected] = build([nation, province, city]).rejected
    assert "the level yellow is said otherwise at hooks.py:5 of plugin_110000" in rejected.reason


@pytest.mark.parametrize(
    ("place", "data", "accepted"),
    [
        ("110100", ("yellow", "red"), True),
        ("110100", ("red", "yellow"), False),
        ("110100", ("orange",), False),
        ("000000", ("blue",), False),
        ("120000", ("orange",), True),
    ],
)
def test_levels_of_a_file_stand_among_the_declared_ones(read, nation_files, place, data, accepted):
    """By the nation, by a city below: in the same order, or the later plugin is left out."""
    files = {**nation_files, "parameters/warning/levels.yaml": DEFINED}
    if place == "000000":
        said = f"value: [{', '.join(data)}], confidence: reported, source: {{document: 示例}}"
        files["parameters/warning/levels.yaml"] = DEFINED.replace("value: null, reason: {zh: 未规定, en: silent}", said)
    plugins = [read("000000", files, name="nation")]
    levels = ", ".join((level("yellow", 1, 4), level("red", 2, 8)))
    plugins.append(read("110000", {}, hooks=LEVELS.format(levels=levels)))
    if place != "000000":
        plugins.append(read(place, named(place, *data)))
    ruleset = build(plugins)
    assert not ruleset.rejected if accepted else "levels" in ruleset.rejected[0].reason
    if not accepted:
        [problem] = ruleset.rejected[0].problems
        assert "plugin_110000" in problem.message_en
        assert "levels" in problem.message_en
