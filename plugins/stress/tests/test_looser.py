"""A county that writes something looser than what stands above it: reported with file and line, and without effect."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from offcampus_rules import Scope
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"
DAY = date(2026, 3, 2)
COUNTY = """\
parameter: {parameter}
region: "990102"
values:
  - from: 2024-01-01
    value: {value}
    confidence: reported
    source: {{document: 合成文件：放宽（synthetic）}}
"""


@pytest.fixture(scope="module")
def nation():
    return read_folder(NATION)


def with_county(nation, folder, parameter, value):
    """The synthetic rules and one more county file."""
    shutil.copytree(ROOT / "parameters", folder / "parameters")
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copytree(ROOT / "messages", folder / "messages")
    shutil.copy(ROOT / "plugin.yaml", folder)
    (folder / "parameters" / "county.yaml").write_text(COUNTY.format(parameter=parameter, value=value), "utf-8")
    return build([nation, read_folder(folder)])


def steps(*pairs):
    listed = ", ".join(f"{{after_ppm: {done}, released_ppm: {share}}}" for done, share in pairs)
    return f"{{steps: [{listed}]}}"


@pytest.mark.parametrize(
    ("parameter", "looser", "code", "city"),
    [
        ("kinds.fee_max", "400001", "R-LOOSE", 400000),
        ("kinds.hours_max", "51", "R-LOOSE", 50),
        ("kinds.ends_by", '"20:21"', "R-LOOSE", "20:20"),
        ("kinds.cash_forbidden", "false", "R-LOOSE", True),
        ("kinds.methods", "[by_hours, both, by_period]", "R-LOOSE", ("by_hours", "both")),
        ("kinds.fund_location", "reserve_only", "R-LOOSE", "institution_custody"),
        ("kinds.closed_days", "{days: [2026-06-19]}", "R-LOOSE", None),
        ("kinds.plan", steps((0, 500000), (1000000, 1000000)), "R-LOOSE", None),
        ("kinds.pupils_max", "21", "R-DELEG", 20),
        ("kinds.pupils_max", "9", "R-DELEG", 10),
        ("kinds.agreement", "own_text", "R-DELEG", "sample_b"),
    ],
)
def test_a_looser_value_never_takes_effect(nation, tmp_path, parameter, looser, code, city):
    """Every kind: the effective value stays what the city has, and the report names the county's file and line."""
    ruleset = with_county(nation, tmp_path, parameter, looser)
    assert ruleset.rejected == ()
    reported = [problem for problem in ruleset.reports() if problem.file.name == "county.yaml"]
    assert {problem.code for problem in reported} == {code}
    assert {problem.position.line for problem in reported} == {4}
    scope = ("academic", "senior_high", "offline")
    here, above = (ruleset.value(parameter, Scope(region, *scope), DAY).value for region in ("990102", "990100"))
    if city is None:
        assert here.same(above)
    else:
        assert here == city


@pytest.mark.parametrize(("parameter", "value"), [("kinds.break_min", "1"), ("kinds.step_share", "1000000")])
def test_where_localities_are_free_nothing_is_looser(nation, tmp_path, parameter, value):
    """`default` and `delegated`: the nearest level rules, whichever way it goes."""
    ruleset = with_county(nation, tmp_path, parameter, value)
    assert ruleset.reports() == ()
    assert ruleset.value(parameter, Scope("990102", "sport", "compulsory", "offline"), DAY).value == int(value)


def test_sets_that_overlap_meet_in_what_both_permit(nation, tmp_path):
    """The city offers two ways, the county two others: one is left, and the county's surplus is reported."""
    ruleset = with_county(nation, tmp_path, "kinds.methods", "[both, by_period]")
    scope = Scope("990102", "academic", "senior_high", "offline")
    assert ruleset.value("kinds.methods", scope, DAY).value == ("both",)
    assert [problem.code for problem in ruleset.reports()] == ["R-LOOSE"]
