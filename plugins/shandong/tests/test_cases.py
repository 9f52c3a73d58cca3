"""Shandong's case files, run on top of the nation's rules, and what makes Shandong differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from offcampus_rules import Scope, checking
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.testing import load_cases, run_case

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


def test_shandong_loosens_nothing(ruleset):
    """No value of Shandong's is looser than the nation's."""
    assert ruleset.reports() == ()
    assert ruleset.rejected == ()


@pytest.mark.parametrize(
    ("parameter", "shandong", "nation"),
    [
        ("refund.deadline_before_start", 5, None),
        ("refund.deadline_after_start", 15, None),
        ("precharge.amount_max", 500000, None),
        ("supervision.modes", ("custody",), ("custody", "reserve")),
    ],
)
def test_where_shandong_differs(ruleset, parameter, shandong, nation):
    """The same question for academic training in Shandong and elsewhere."""
    day = date(2026, 3, 1)
    assert ruleset.value(parameter, Scope("370102", "academic", "compulsory", "offline"), day).value == shandong
    assert ruleset.value(parameter, Scope("320102", "academic", "compulsory", "offline"), day).value == nation
