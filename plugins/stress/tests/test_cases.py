"""The synthetic case files, and that nothing finds these rules unless it is told where they are."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from offcampus_rules import checking
from offcampus_rules.asking import ask
from offcampus_rules.hook_table import HOOK_TABLE
from offcampus_rules.registry import GROUP, read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.testing import load_cases, run_case

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"
GATES = [name.removeprefix("check_") for name, row in HOOK_TABLE.items() if row.family == "gate"]


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


def test_no_server_finds_these_rules():
    """Installed for development, and no entry point leads to them."""
    found = [point for point in entry_points(group=GROUP) if "stress" in point.value or point.name.startswith("99")]
    assert found == []


def test_every_source_says_that_it_is_synthetic(ruleset):
    """Nobody can take these for the rules of a place."""
    own = [entry for entries in ruleset.assembly.entries.values() for entry in entries if entry.region[:2] == "99"]
    assert own
    assert [entry.parameter for entry in own if entry.source and "synthetic" not in entry.source.document] == []


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_has_a_hook_and_a_case_that_it_refuses(ruleset, gate):
    """A hook that finds nothing anywhere would be forgotten here."""
    assert f"check_{gate}" in ruleset.assembly.plugins[-1].hooks
    rules = {
        item.rule
        for case in load_cases(ROOT)
        if case.question == gate
        for item in ask(ruleset, case.question, case.facts).violations
    }
    assert any(rule.startswith("SYN-HK") for rule in rules)


def test_no_hook_speaks_outside_its_city(ruleset):
    """Each is silent where its parameter is not set."""
    for case in load_cases(ROOT):
        if case.question in GATES and case.facts["scope"]["region"] != "991200":
            found = ask(ruleset, case.question, case.facts).violations
            assert [item.rule for item in found if item.rule.startswith("SYN-HK")] == [], str(case)
