"""The nation's case files, run against the nation's rules alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from offcampus_rules import catalogue, checking
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.testing import load_cases, run_case

ROOT = Path(__file__).parents[1]
CASES = load_cases(ROOT)


@pytest.fixture(scope="module")
def ruleset():
    return build([read_folder(ROOT)])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(ruleset, case):
    """Facts in, expected answer out."""
    mismatch = run_case(ruleset, case)
    assert mismatch is None, f"\n{mismatch}"


def test_check_has_nothing_to_report():
    """The command a province runs is content with the nation."""
    assert checking.check(ROOT, []).problems == ()


def test_the_readme_tells_what_the_files_say():
    """A parameter, value or source that is not in the table is missed."""
    assert not catalogue.stale(ROOT), "run python -m offcampus_rules.catalogue plugins/national"


def test_every_rule_is_broken_by_some_case(ruleset):
    """A rule no case can break is not tested."""
    broken = {rule for case in CASES for rule in case.expect.get("violated", [])}
    codes = {code for case in CASES for code in case.expect.get("codes", [])}
    untested = {
        rule.id
        for rule in ruleset.assembly.rules
        if rule.id not in broken and rule.code not in codes and rule.parameter not in SILENT
    }
    assert untested == set()


SILENT = {
    "course.class_size_max",
    "lists.sale_blocked_when",
    "precharge.payee_gives_lessons",
    "precharge.term_within_lease",
    "price.standard_hour_fen_max",
    "refund.refusal_by_custody_forbidden",
    "refund.refusal_needs_hours_proof",
    "release.guardian_confirmed",
    "release.keeps_unconsumed",
    "release.modes",
    "release.waits_for_last_lesson",
    "site.building_area_min",
    "site.floor_max",
    "site.teaching_share_ppm",
    "staff.overseas_foreigners_forbidden",
    "supervision.account_in_own_county",
    "warning.balance_fen_min",
    "warning.movement_fen_max",
}
"""The nation sets no value: these rules are tested where a province does."""
