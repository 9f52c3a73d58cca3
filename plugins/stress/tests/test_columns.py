"""Calendars and ordered options in columns: the same answers as case by case, whatever the day and the place."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from offcampus_rules import Charge, LessonPlan, Scope
from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

batch = pytest.importorskip("offcampus_rules.batch")

PLUGINS = Path(__file__).parents[2]
REGIONS = ("990101", "990102", "990200")
DAYS = [date(2026, 6, 17) + timedelta(days=n) for n in range(6)] + [
    date(2026, 7, 10),
    date(2026, 8, 31),
    date(2026, 9, 1),
]
PLACES = (None, "reserve_only", "institution_custody", "contract_wallet", "payer_locked")


@pytest.fixture(scope="module")
def ruleset():
    """The nation and the synthetic province; what its Python adds (SYN-HK…) is no matter of columns."""
    return build([read_folder(PLUGINS / name) for name in ("national", "stress")])


def lesson(region, day):
    start = datetime(day.year, day.month, day.day, 10, tzinfo=SHANGHAI)
    return LessonPlan(Scope(region, "sport", "compulsory", "offline"), "football", start, start + timedelta(hours=1))


def charge(region, place):
    return Charge(
        scope=Scope(region, "sport", "compulsory", "offline"),
        subject="football",
        signed_on=date(2026, 3, 2),
        ordered_at=datetime(2026, 3, 2, 10, tzinfo=SHANGHAI),
        class_hours_centi=1000,
        gift_hours_centi=0,
        total_fen=100_000,
        service_from=date(2026, 3, 9),
        service_until=date(2026, 4, 9),
        charge_method="both",
        fund_location=place,
    )


@pytest.mark.parametrize(
    ("gate", "cases", "rule"),
    [
        ("lesson", [lesson(*at) for at in product(REGIONS, DAYS)], "SYN-LES-003"),
        ("charge", [charge(*at) for at in product(REGIONS, PLACES)], "SYN-CHG-007"),
    ],
)
def test_columns_answer_as_single_cases_do(ruleset, gate, cases, rule):
    """Row by row the same rules are broken and left unjudged; the rule in question is both kept and broken."""
    verdict = batch.judge(ruleset, batch.columns(gate, cases, [ruleset]))
    broken = [rule in verdict.rules_of(row) for row in range(len(cases))]
    assert {*broken} == {True, False}
    for row, decision in enumerate(ruleset.check_many(gate, cases)):
        own = {item.rule for item in decision.violations if not item.rule.startswith("SYN-HK")}
        assert verdict.rules_of(row) == own, cases[row]
        assert (rule in verdict.unjudged_of(row)) == (rule in {item.rule for item in decision.not_evaluated})
