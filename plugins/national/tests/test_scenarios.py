"""Scenarios that need more than facts and one answer: other provinces, the edge of a day, dates of change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from offcampus_rules import Charge, Confirmation, OpenOrder, RefundRefusal, RefundRequest, Release, Scope
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


LOCAL = {
    "release.modes": "[batch_above_unconsumed, after_last_lesson]",
    "release.keeps_unconsumed": "true",
    "release.waits_for_last_lesson": "true",
    "lists.sale_blocked_when": "[removed, black]",
    "refund.refusal_by_custody_forbidden": "true",
    "refund.refusal_needs_hours_proof": "true",
    "supervision.account_in_own_county": "true",
    "precharge.payee_gives_lessons": "true",
    "release.guardian_confirmed": "true",
}
"""What a locality may add where the nation is silent: each value switches on a national rule."""


@pytest.fixture(scope="module")
def with_local_values(nation, tmp_path_factory):
    """A province that sets every value above."""
    root = tmp_path_factory.mktemp("province")
    (root / "parameters").mkdir()
    (root / "plugin.yaml").write_text(MANIFEST, encoding="utf-8")
    for parameter, value in LOCAL.items():
        text = SEVEN_WORKING_DAYS.replace("confirmation.auto_confirm", parameter).replace("value: 7", f"value: {value}")
        (root / "parameters" / f"{parameter}.yaml").write_text(text, encoding="utf-8")
    return build([nation, read_folder(root)])


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


ACTIVATED = """\
exception: pay_after_class
region: "330000"
activations:
  - from: 2022-01-01
    confidence: reported
    source: {document: 某省先学后付通知}
"""


def test_scenario_29_one_prepaid_order_and_the_exemption_is_gone(nation, ruleset, tmp_path):
    """Paid after the lessons by an exempt institution: any account. Prepaid, no longer exempt, elsewhere: the special one."""
    (tmp_path / "exceptions").mkdir()
    (tmp_path / "plugin.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "exceptions" / "pay_after_class.yaml").write_text(ACTIVATED, encoding="utf-8")
    exempting = build([nation, read_folder(tmp_path)])
    after = replace(
        CHARGE, scope=THERE, pay_after_class=True, holds_postpay_exemption=True, payee_is_custody_account=False
    )
    decision = exempting.check_charge(after)
    assert decision.outcome == "allow"
    assert [(item.id, item.rules) for item in decision.exceptions_applied] == [("pay_after_class", ("CN-PRE-008",))]
    for lost in (
        replace(after, pay_after_class=False),
        replace(after, holds_postpay_exemption=False),
        replace(after, holds_postpay_exemption=None),
        replace(after, signed_on=date(2021, 12, 31)),
        replace(after, scope=HERE),
    ):
        assert broken(exempting.check_charge(lost)) == ["CN-PRE-008"]
    assert broken(ruleset.check_charge(after)) == ["CN-PRE-008"]


RELEASE = Release(
    scope=THERE,
    signed_on=date(2026, 3, 1),
    requested_at=at("2026-04-01T10:00:00"),
    paid_fen=100000,
    released_fen=0,
    amount_fen=30000,
    confirmed_centi=1000,
    total_centi=3000,
    confirmed_by_guardian=True,
    pay_to_basic_account=True,
)


def broken(decision):
    return sorted(item.rule for item in decision.violations)


def test_scenario_16_nothing_before_the_last_lesson_where_a_locality_says_so(with_local_values, ruleset):
    """Release after the last lesson: refused before, let through after, judged by the locality's value only."""
    early = replace(RELEASE, mode="after_last_lesson", last_lesson_done=False)
    decision = with_local_values.check_release(early)
    assert (broken(decision), decision.violations[0].level) == (["CN-PRE-024"], "province")
    done = replace(early, last_lesson_done=True, confirmed_centi=3000, amount_fen=100000)
    assert with_local_values.check_release(done).outcome == "allow"
    assert ruleset.check_release(replace(early, scope=HERE)).outcome == "allow"


def test_scenario_17_a_batch_leaves_what_is_not_consumed(with_local_values):
    """The account may hold exactly the unconsumed total after the release, and not a fen less."""
    batch = replace(RELEASE, mode="batch_above_unconsumed", custody_after_fen=5_000_000, unconsumed_after_fen=5_000_000)
    assert with_local_values.check_release(batch).outcome == "allow"
    assert broken(with_local_values.check_release(replace(batch, custody_after_fen=4_999_999))) == ["CN-PRE-023"]


def test_scenario_30_off_the_white_list_sale_stops_and_release_goes_on(with_local_values):
    """Removed to put things right is not blacklisted, sells nothing, and its taught lessons are still paid."""
    sale = replace(CHARGE, scope=THERE)
    for status, rules in (("white", []), ("removed", ["CN-LST-001"]), ("black", ["CN-LST-001"])):
        assert broken(with_local_values.check_charge(replace(sale, list_status=status))) == rules
    lesson_by_lesson = replace(RELEASE, mode="batch_above_unconsumed", custody_after_fen=2, unconsumed_after_fen=1)
    assert with_local_values.check_release(lesson_by_lesson).outcome == "allow"


def test_a_release_needs_the_guardian_where_a_locality_says_so(with_local_values):
    """The nation leaves it to the platform's confirmation of lessons."""
    release = replace(RELEASE, mode="after_last_lesson", last_lesson_done=True, confirmed_by_guardian=False)
    assert broken(with_local_values.check_release(release)) == ["CN-PRE-028"]


def test_scenario_35_a_refusal_for_hours_taught_shows_them_where_a_locality_says_so(with_local_values, ruleset):
    """On day 5, with records: heard; without: not. Custody is no ground while something is left."""
    refusal = RefundRefusal(
        scope=THERE,
        requested_at=at("2026-03-02T10:00:00"),
        refused_at=at("2026-03-09T23:59:59"),
        ground="hours_taught",
        hours_proof=True,
        before_start=False,
        unconsumed_centi=1000,
    )
    assert with_local_values.check_refund_refusal(refusal).outcome == "allow"
    bare = replace(refusal, hours_proof=False)
    assert broken(with_local_values.check_refund_refusal(bare)) == ["CN-REF-002"]
    assert ruleset.check_refund_refusal(replace(bare, scope=HERE)).outcome == "allow"
    custody = replace(refusal, ground="custody")
    assert broken(with_local_values.check_refund_refusal(custody)) == ["CN-REF-001"]
    assert with_local_values.check_refund_refusal(replace(custody, unconsumed_centi=0)).outcome == "allow"


def test_who_charges_and_where_the_account_lies_are_for_localities(with_local_values, ruleset):
    """Both are judged where a locality set the value, and nowhere else."""
    charge = replace(CHARGE, scope=THERE, account_region="330103", payee_gives_the_lessons=False)
    assert broken(with_local_values.check_charge(charge)) == ["CN-PRE-025", "CN-PRE-026"]
    at_home = replace(charge, account_region=THERE.region, payee_gives_the_lessons=True)
    assert with_local_values.check_charge(at_home).outcome == "allow"
    assert ruleset.check_charge(replace(charge, scope=HERE)).outcome == "allow"


def test_scenario_36_at_the_institutions_fault_the_price_paid_counts(ruleset):
    """The price of consumed hours is what was paid; for the payer's own reason the text was not seen."""
    on = date(2026, 3, 1)
    assert ruleset.value("refund.unit_price_basis_at_fault", HERE, on).value == "deal_price"
    assert ruleset.value("refund.interest", HERE, on).value is True
    own_reason = ruleset.value("refund.unit_price_basis", HERE, on)
    assert (own_reason.value, own_reason.reason_if_none) == (None, "the clause was not seen in its own text")


def test_every_value_that_binds_has_a_source(nation):
    """No binding number without a document; no number from memory that binds."""
    entries = [entry for file in nation.parameter_files for entry in file.entries]
    assert all(entry.source and entry.source.document for entry in entries if entry.value is not None)
    assert {entry.confidence for entry in entries if entry.binds and entry.value is not None} <= {
        "official",
        "reported",
    }
    assert any(entry.confidence == "memory" for entry in entries)
