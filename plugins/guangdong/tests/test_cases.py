"""Guangdong's case files, run on top of the nation's rules, and what makes Guangdong differ."""

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


def test_guangdong_loosens_nothing(ruleset):
    """No value of Guangdong's is looser than the nation's."""
    assert ruleset.reports() == ()
    assert ruleset.rejected == ()


def test_all_of_it_is_data():
    """The package holds nothing but its docstring."""
    python = list(ROOT.glob("offcampus_rules_*/**/*.py"))
    assert [path.name for path in python] == ["__init__.py"]
    assert len(python[0].read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("parameter", ["refund.deadline_before_start", "refund.deadline_after_start"])
@pytest.mark.parametrize("day", [date(2021, 9, 17), date(2021, 10, 30), date(2021, 11, 18), date(2026, 3, 1)])
def test_a_draft_never_binds(ruleset, parameter, day):
    """Guangzhou's consultation draft is in the files and in nobody's decision."""
    written = [entry for entry in ruleset.assembly.entries[parameter] if entry.confidence == "draft"]
    assert [entry.region for entry in written] == ["440100"]
    assert ruleset.value(parameter, Scope("440106", "academic", "compulsory", "offline"), day).value is None


@pytest.mark.parametrize(
    ("content", "valid"),
    [
        ({"custody_agreement": "annex_1_online"}, True),
        ({"custody_agreement": "own", "charging_model": "pay_after_class"}, True),
        ({"charging_model": "both"}, False),
        ({}, False),
        ({"agreement": "own"}, False),
    ],
)
def test_the_extension_that_guangdong_registers(ruleset, content, valid):
    """`x-guangdong` takes the agreement's text and the one charging model, and nothing else."""
    assert compile_schema({"allOf": [ruleset.extension_schemas["x-guangdong"]]}).is_valid(content) is valid
