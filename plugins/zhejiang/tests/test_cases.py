"""Zhejiang's case files, run on top of the nation's rules, and what makes Zhejiang differ."""

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


def test_zhejiang_loosens_nothing(ruleset):
    """No value of Zhejiang's is looser than the nation's."""
    assert ruleset.reports() == ()
    assert ruleset.rejected == ()


@pytest.mark.parametrize(
    ("parameter", "zhejiang", "nation"),
    [
        ("supervision.modes", ("custody",), ("custody", "reserve")),
        ("confirmation.auto_confirm", 15, 15),
        ("refund.deadline_after_start", None, None),
    ],
)
def test_where_zhejiang_differs_and_where_it_does_not(ruleset, parameter, zhejiang, nation):
    """The same question in Zhejiang and elsewhere; what stands in the draft changes nothing."""
    day = date(2026, 3, 1)
    assert ruleset.value(parameter, Scope("330102", "academic", "compulsory", "offline"), day).value == zhejiang
    assert ruleset.value(parameter, Scope("320102", "academic", "compulsory", "offline"), day).value == nation
