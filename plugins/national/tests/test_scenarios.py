"""Scenarios that need more than facts and one answer: other provinces, the edge of a day, dates of change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from offcampus_rules import Charge, Confirmation, OpenOrder, RefundRequest, Scope
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

ROOT = Path(__file__).parents[1]
HERE = Scope("370102", "sport", "compulsory", "offline")
THERE = Scope("330102", "sport", "compulsory", "offline")

SEVEN_WORKING_DAYS = """\
parameter: confirmation.auto_confirm
region: "330000"
values:
  - from: 2022-01-01
    value: 7
    confidence: reported
    source: {document: 某省预收费管理暂行办法}
"""
MANIFEST = """\
jurisdiction: "330000"
title: {zh: 某省, en: A province}
requires_api: 1
modelled: []
not_modelled: []
"""


@pytest.fixture(scope="module")
def nation():
    return read_folder(ROOT)


@pytest.fixture(scope="module")
def ruleset(nation):
    return build([nation])


@pytest.fixture
def with_seven_days(nation, tmp_path):
    """A province whose silence confirms after 7 working days."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "plugin.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "parameters" / "confirm.yaml").write_text(SEVEN_WORKING_DAYS, encoding="utf-8")
    return build([nation, read_folder(tmp_path)])


def at(text):
    return datetime.fromisoformat(f"{text}+08:00")


def test_scenario_1_the_clock_runs_from_the_notice_over_a_holiday_with_a_shifted_workday(with_seven_days):
    """Taught on Wednesday 30 September, notified on Friday 9 October 2026; Saturday 10 October is worked."""
    deadline = with_seven_days.confirmation_due(Confirmation(THERE, at("2026-10-09T18:00:00")))
    # 10 (worked Saturday), 12, 13, 14, 15, 16, 19
    assert deadline.due_at == at("2026-10-20T00:00:00")
    assert any("2026-10-10" in line for line in deadline.working)
    from_the_lesson = with_seven_days.confirmation_due(Confirmation(THERE, at("2026-09-30T18:00:00")))
    # 8, 9, 10 (worked Saturday), 12, 13, 14, 15: the eight days of the festival do not count
    assert from_the_lesson.due_at == at("2026-10-16T00:00:00")
    assert with_seven_days.confirmation_due(Confirmation(HERE, at("2026-10-09T18:00:00"))).due_at > deadline.due_at


def test_scenario_2_a_dispute_in_the_last_second_of_day_15_is_in_time(ruleset):
    """The deadline is half-open: 23:59:59 on the fifteenth working day is before it, midnight is not."""
    deadline = ruleset.confirmation_due(Confirmation(HERE, at("2026-03-02T18:00:00")))
    assert at("2026-03-23T23:59:59") < deadline.due_at
    assert at("2026-03-23T23:59:59.999999") < deadline.due_at
    assert deadline.due_at == at("2026-03-24T00:00:00")


def test_scenario_4_without_proof_of_notice_the_clock_never_starts(with_seven_days):
    """Nothing is confirmed, and the working says why in both languages."""
    deadline = with_seven_days.confirmation_due(Confirmation(THERE, None))
    assert deadline.due_at is None
    assert "has not started" in deadline.working[0]
    assert "未起算" in deadline.working_zh[0]


CHARGE = Charge(
    scope=HERE,
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=at("2026-03-01T10:00:00"),
    class_hours_centi=4000,
    gift_hours_centi=0,
    total_fen=400000,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)


def test_scenario_6_another_campus_does_not_reset_the_count(ruleset):
    """The caller names the orders of the legal entity; whichever campus sold them, hours of a subject add up."""
    elsewhere = OpenOrder("at the other campus", "football", class_hours_centi=3000)
    refused = ruleset.check_charge(replace(CHARGE, open_orders=(elsewhere,)))
    assert [item.given for item in refused.violations] == ["70 class hours"]
    taught = replace(elsewhere, consumed_centi=1000)
    assert ruleset.check_charge(replace(CHARGE, open_orders=(taught,))).outcome == "allow"


@pytest.mark.parametrize("start", [date(2025, 11, 30), date(2024, 1, 31), date(2024, 2, 29), date(2025, 12, 1)])
def test_scenario_8_three_months_are_a_calendar_span(ruleset, start):
    """There is exactly one last day that passes, three months on, however many days that is."""
    charge = replace(CHARGE, signed_on=start, ordered_at=datetime.combine(start, at("2026-01-01T09:00:00").timetz()))
    charge = replace(charge, service_from=start)

    def passes(until):
        return ruleset.check_charge(replace(charge, service_until=until)).outcome == "allow"

    ends = [start + timedelta(days=days) for days in range(85, 95)]
    verdicts = [passes(end) for end in ends]
    assert verdicts == sorted(verdicts, reverse=True)
    last = ends[verdicts.index(False) - 1]
    assert {
        date(2025, 11, 30): date(2026, 3, 1),
        date(2024, 1, 31): date(2024, 5, 1),
        date(2024, 2, 29): date(2024, 5, 29),
        date(2025, 12, 1): date(2026, 3, 1),
    }[start] == last


def test_scenario_32_an_extension_is_a_new_charge_with_its_own_date(ruleset):
    """The order of the day before keeps its rule; the extension signed on the day of the cap does not."""
    before = replace(
        CHARGE,
        signed_on=date(2022, 12, 27),
        ordered_at=at("2022-12-27T10:00:00"),
        service_from=date(2023, 1, 1),
        service_until=date(2023, 4, 1),
        total_fen=600000,
    )
    assert ruleset.check_charge(before).outcome == "allow"
    extension = replace(before, signed_on=date(2022, 12, 28), ordered_at=at("2022-12-28T10:00:00"))
    decision = ruleset.check_charge(extension)
    assert [item.code for item in decision.violations] == ["precharge.amount_exceeded"]
    assert decision.governing_date == date(2022, 12, 28)


def test_scenario_35_silence_on_a_refund_runs_out_after_five_working_days(ruleset):
    """An objection on day 5 is in time; after it silence has consented."""
    terms = ruleset.refund_terms(RefundRequest(HERE, at("2026-03-02T10:00:00"), before_start=False, total_fen=1))
    assert at("2026-03-09T23:59:59") < terms.silence_due_at == at("2026-03-10T00:00:00")


def test_every_value_that_binds_has_a_source(nation):
    """No binding number without a document; no number from memory that binds."""
    entries = [entry for file in nation.parameter_files for entry in file.entries]
    assert all(entry.source and entry.source.document for entry in entries if entry.value is not None)
    assert {entry.confidence for entry in entries if entry.binds and entry.value is not None} <= {
        "official",
        "reported",
    }
    assert any(entry.confidence == "memory" for entry in entries)
