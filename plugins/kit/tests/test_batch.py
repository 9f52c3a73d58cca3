"""Judging a million rows in columns answers exactly as judging them one by one."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from itertools import product

import pytest
from offcampus_rules import (
    Charge,
    Consumption,
    CourseFiling,
    LessonPlan,
    OpenOrder,
    Release,
    Scope,
    batch,
    column_groups,
    load_ruleset,
    statuses,
)
from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.context import SECTORS, STAGES
from offcampus_rules.ruleset import build
from offcampus_rules.screening import screen

REGIONS = ("110105", "330106", "440305", "370102", "420106", "990106", "320505", "422801")
UNTOLD = tuple(item.name for item in fields(Charge) if item.type == "bool | None")
PRICED = ("110105", "330106", "330122", "440305", "422801")


def charge(dice: random.Random) -> Charge:
    """Near the limits, at dates on both sides of every change of the law."""
    signed = date(2018, 6, 1) + timedelta(days=dice.randrange(3400))
    starts = signed + timedelta(days=dice.randrange(-10, 60))
    orders = tuple(
        OpenOrder(str(n), dice.choice("ab"), dice.randrange(0, 4000, 50), 0, dice.choice((0, 100)))
        for n in range(dice.choice((0, 0, 1, 2)))
    )
    return Charge(
        scope=scope(dice),
        subject="a",
        signed_on=signed,
        ordered_at=datetime.combine(signed, datetime.min.time(), SHANGHAI) + timedelta(hours=dice.randrange(-30, 30)),
        class_hours_centi=dice.choice((3000, 4000, 4800, 5900, 6000, 6050)),
        gift_hours_centi=dice.choice((0, 0, 50, 100)),
        total_fen=dice.choice((100000, 399999, 400000, 499999, 500000, 500001)),
        service_from=starts,
        service_until=starts + timedelta(days=dice.choice((28, 30, 31, 88, 89, 90, 91, 92, 93, 184))),
        charge_method=dice.choice(("by_period", "by_hours", "both")),
        renewal=dice.random() < 0.3,
        training_loan=dice.random() < 0.05,
        paid_in_cash=dice.random() < 0.2,
        open_orders=orders,
        venue_lease_until=dice.choice((None, starts + timedelta(days=60))),
        list_status=dice.choice((None, "white", "black")),
        pay_after_class=dice.random() < 0.3,
        class_size=dice.choice((None, 9, 10, 11, 35, 36)),
        minutes_per_class_hour=dice.choice((None, 30, 45, 90)),
        area=dice.choice((None, "urban", "rural")),
        **{name: dice.choice((None, True, False)) for name in UNTOLD},
    )


def lesson(dice: random.Random) -> LessonPlan:
    starts = datetime(2019, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=dice.randrange(60 * 24 * 3000))
    return LessonPlan(
        scope(dice), "a", starts, starts + timedelta(minutes=dice.randrange(20, 200)), dice.choice((None, 5, 10, 15))
    )


def consumption(dice: random.Random) -> Consumption:
    begins = datetime(2019, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=dice.randrange(60 * 24 * 3000))
    ends = begins + timedelta(minutes=dice.randrange(-10, 200))
    return Consumption(
        scope=scope(dice),
        subject="a",
        type=dice.choice(("lesson", "make_up", "absence", "forfeit", "reversal")),
        signed_on=begins.date() - timedelta(days=3),
        purchased_at=dice.choice((None, begins - timedelta(days=1), begins + timedelta(days=1))),
        occurred_from=begins,
        occurred_until=ends,
        reported_at=ends + timedelta(hours=dice.randrange(-5, 100)),
        class_hours_centi=dice.choice((-100, 0, 50, 100, 200, 400)),
        balance_centi=dice.choice((0, 100, 300)),
        minutes_per_class_hour=45,
        proof_kind=dice.choice(("roll_call", "card", "face_hash", "platform_log", "guardian_consent")),
        has_teacher=dice.random() < 0.9,
        has_lesson=dice.random() < 0.9,
    )


def release(dice: random.Random) -> Release:
    signed = date(2020, 1, 1) + timedelta(days=dice.randrange(2400))
    return Release(
        scope(dice), signed, datetime.combine(signed, datetime.min.time(), SHANGHAI), 100000, dice.choice((0, 50000)),
        dice.choice((10000, 50000, 50001)), dice.choice((0, 1000, 2000)), 2000, mode=dice.choice((None, "per_lesson")),
    )  # fmt: skip


def course(dice: random.Random) -> CourseFiling:
    """Prices near what the tables of four places allow, before and after they came."""
    filed = date(2021, 12, 1) + timedelta(days=dice.randrange(900))
    place = Scope(dice.choice(PRICED), "academic", "compulsory", "offline")  # type: ignore[arg-type]
    return CourseFiling(
        place, "a", filed, filed, filed, dice.choice((3000, 6000)), dice.choice((0, 500)), dice.choice((45, 90)), 45,
        dice.choice((105600, 158400, 211200, 264000, 264001, 396000, 396001, 462000, 528000, 528001)), "by_hours",
        dice.choice((1, 9, 10, 11, 20, 35, 36, 200)), area=dice.choice((None, "urban", "rural")),
    )  # fmt: skip


def scope(dice: random.Random) -> Scope:
    kind = (dice.choice(REGIONS), dice.choice(SECTORS), dice.choice(STAGES), dice.choice(("offline", "online")))
    return Scope(*kind)  # type: ignore[arg-type]


def compare(gate, cases, ruleset):
    """Every row's broken rules, untold rules and values, both ways."""
    verdict = batch.judge(ruleset, batch.columns(gate, cases, [ruleset]))
    refused = verdict.refused
    check = getattr(ruleset, f"check_{gate}")
    for row, case in enumerate(cases):
        decision = check(case)
        assert verdict.rules_of(row) == {item.rule for item in decision.violations}, case
        assert bool(refused[row]) == (decision.outcome == "refuse")
        untold = {item.rule for item in decision.not_evaluated if "was not told" in item.reason_en}
        assert verdict.unjudged_of(row) == untold, case
        assert verdict.values[verdict.group[row]] == screen(ruleset.plan(gate, case), case).rests_on


@pytest.mark.parametrize(
    ("gate", "make"),
    [("charge", charge), ("course", course), ("lesson", lesson), ("consumption", consumption), ("release", release)],
)
def test_columns_answer_as_single_cases_do(gate, make):
    """Random cases around every limit and date, in every province that is installed."""
    dice = random.Random(7)
    compare(gate, [make(dice) for _ in range(200)], load_ruleset())


def test_pieces_and_renumbering_cannot_be_seen(monkeypatch):
    """Rows are judged in blocks, and groups renumbered when their keys grow too large: no answer depends on it."""
    monkeypatch.setattr(column_groups, "BLOCK", 7)
    monkeypatch.setattr(column_groups, "_DENSE", 20)
    dice = random.Random(5)
    compare("charge", [charge(dice) for _ in range(60)], load_ruleset())


def test_a_rule_that_is_lifted_whole_wants_no_fact():
    """Under an exception nothing is asked of the fact that the lifted rule looks at, be it told, untold or bad."""
    ruleset, dice = load_ruleset(), random.Random(3)
    paid_after = {"pay_after_class": True, "holds_postpay_exemption": True, "payee_is_custody_account": False}
    place = Scope("440305", "academic", "compulsory", "offline")
    made = [replace(charge(dice), scope=place, **paid_after) for _ in range(60)]
    met = [case for case in made if ruleset.check_charge(case).exceptions_applied]
    assert met
    untold = [replace(case, payee_is_custody_account=None) for case in met]
    for case in untold:
        assert "CN-PRE-008" not in {item.rule for item in ruleset.check_charge(case).not_evaluated}
        [status] = [item for item in statuses.assess(ruleset, "charge", case) if item.rule == "CN-PRE-008"]
        assert status.status == "not_applicable"
        assert "pay_after_class" in (status.reason_en or "")
    compare("charge", [*met, *untold], ruleset)


@pytest.mark.long
def test_a_million_charges():
    """The same for a million."""
    dice = random.Random(11)
    for _ in range(20):
        compare("charge", [charge(dice) for _ in range(50_000)], load_ruleset())


def test_every_day_around_a_change(nation, read, local_hours):
    """The limit of the row's own date binds, on the day before, on the day, and in another county."""
    province = read("110000", {"parameters/sale/h.yaml": local_hours("110105", 50)}, name="county")
    ruleset = build([nation, province])
    base = replace(charge(random.Random(1)), class_hours_centi=5500, gift_hours_centi=0, open_orders=())
    days = (date(2020, 12, 31), date(2021, 1, 1), date(2021, 12, 31), date(2022, 1, 1))
    regions = (Scope("110105", "sport", "compulsory", "offline"), Scope("110106", "sport", "compulsory", "offline"))
    cases = [replace(base, signed_on=day, scope=scope) for day, scope in product(days, regions)]
    refused = batch.judge(ruleset, batch.columns("charge", cases, [ruleset])).refused
    assert refused.tolist() == [False, False, False, False, False, False, True, False]
    compare("charge", cases, ruleset)


def test_no_rows(nation):
    """Nothing in, nothing out."""
    ruleset = build([nation])
    assert len(batch.judge(ruleset, batch.columns("charge", [], [ruleset])).refused) == 0
