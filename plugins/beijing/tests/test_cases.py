"""Beijing's case files, run on top of the nation's rules, and what makes Beijing differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from offcampus_rules import Scope, checking
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.testing import load_cases, run_case
from offcampus_spec.schemas import compile_schema

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"


@pytest.fixture(scope="module")
def ruleset():
    return build([read_folder(NATION), read_folder(ROOT)])


@pytest.mark.parametrize("case", load_cases(ROOT), ids=str)
def test_case(ruleset, case):
    """Facts in, expected answer out."""
    mismatch = run_case(ruleset, case)
    assert mismatch is None, f"\n{mismatch}"


def test_check_has_nothing_to_report():
    """Lawful against the floor, cited, bilingual, pure, cases green."""
    assert checking.check(ROOT, [read_folder(NATION)]).problems == ()


def test_beijing_loosens_nothing(ruleset):
    """No value of Beijing's is looser than the nation's."""
    assert ruleset.reports() == ()
    assert ruleset.rejected == ()


def test_the_nations_own_cases_hold_outside_beijing(ruleset):
    """Installing a province changes nothing for the others."""
    cases = load_cases(NATION)
    assert [str(mismatch) for case in cases if (mismatch := run_case(ruleset, case))] == []


@pytest.mark.parametrize(
    ("parameter", "sector", "beijing", "nation"),
    [
        ("refund.deadline_after_start", "academic", 15, None),
        ("refund.deadline_before_start", "academic", 5, None),
        ("precharge.term_within_lease", "sci_tech", True, None),
        ("precharge.cash_deposit", "sci_tech", 5, None),
        ("release.modes", "sci_tech", ("per_lesson", "per_month"), None),
        ("supervision.modes", "sport", ("custody",), ("custody", "reserve")),
    ],
)
def test_where_beijing_differs(ruleset, parameter, sector, beijing, nation):
    """The same question in Beijing and elsewhere."""
    day = date(2026, 3, 1)
    assert ruleset.value(parameter, Scope("110105", sector, "compulsory", "offline"), day).value == beijing
    assert ruleset.value(parameter, Scope("370102", sector, "compulsory", "offline"), day).value == nation


@pytest.mark.parametrize(
    ("content", "valid"),
    [({"release_mode": "per_month"}, True), ({"release_mode": "per_term"}, False), ({}, False), ({"mode": 1}, False)],
)
def test_the_extension_that_beijing_registers(ruleset, content, valid):
    """`x-beijing` takes the way of release and nothing else."""
    assert compile_schema({"allOf": [ruleset.extension_schemas["x-beijing"]]}).is_valid(content) is valid
