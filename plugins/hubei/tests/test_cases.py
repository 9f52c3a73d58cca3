"""Hubei's case files, run on top of the nation's rules, and what makes Hubei differ."""

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


def test_hubei_loosens_nothing(ruleset):
    """No value of Hubei's is looser than the nation's."""
    assert ruleset.reports() == ()
    assert ruleset.rejected == ()


def test_all_of_it_is_data():
    """The package holds nothing but its docstring."""
    python = list(ROOT.glob("offcampus_rules_*/**/*.py"))
    assert [path.name for path in python] == ["__init__.py"]
    assert len(python[0].read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("parameter", ["refund.deadline_before_start", "refund.deadline_after_start", "release.modes"])
def test_what_was_not_found_says_so(ruleset, parameter):
    """Hubei's silence carries Hubei's reason, in both languages; next door the nation's own reason stands."""
    day = date(2026, 3, 1)
    here = ruleset.value(parameter, Scope("420106", "academic", "compulsory", "offline"), day)
    there = ruleset.value(parameter, Scope("430102", "academic", "compulsory", "offline"), day)
    assert here.value is None
    assert (here.region, there.region) == ("420000", "000000")
    assert "湖北" in here.reason_if_none_zh
    assert "no provincial text was found" in here.reason_if_none
