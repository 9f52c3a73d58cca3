"""Sums, plans and standings from data alone; what Python proposes can only go the way that protects the payer."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from offcampus_rules import Confirmation, Scope
from offcampus_rules.asking import ask
from offcampus_rules.context import InstitutionWindow
from offcampus_rules.explaining import tree
from offcampus_rules.ruleset import build

WHERE = {"region": "110105", "sector": "sport", "stage": "compulsory", "delivery": "offline"}
SOURCE = "{document: 全国示例办法, number: 示例1号}"


def parameter(name, unit, value, extra="", stricter="exact"):
    return (
        f"id: {name}\ntitle: {{zh: 示例, en: Example}}\nunit: {unit}\nbinding: floor\nstricter: {stricter}\n"
        f"protects: payer\ngoverned_by: contract_date\n{extra}judgement: {{confidence: reported}}\n"
        f"values:\n  - from: 2021-01-01\n    value: {value}\n    confidence: reported\n    source: {SOURCE}\n"
    )


def file(name):
    area, last = name.split(".")
    return f"parameters/{area}/{last}.yaml"


def table(axes, rows):
    listed = "\n".join(f"        - {row}" for row in rows)
    return f"of: count\naxes:\n{axes}", f"\n      rows:\n{listed}"


PRICE_AXES = "  - {name: class_size, bands: count, least: 1}\n  - {name: area, options: [all, urban, rural]}\n"
PRICE_ROWS = [
    "{class_size: {at_most: 10}, area: all, value: 4000}",
    "{class_size: {above: 10}, area: all, value: 2000}",
    "{class_size: {at_least: 1}, area: rural, value: 1000}",
]


@pytest.fixture
def rules(nation_files, read):
    """A miniature nation with the parameters that are given."""

    def rules(*parameters, above=()):
        files = dict(nation_files)
        for name, unit, value, *extra in parameters:
            head = extra[0] if extra else ""
            files[file(name)] = parameter(name, unit, value, head)
        return build([read("000000", files, name="nation"), *above])

    return rules


def price(axes=PRICE_AXES, rows=PRICE_ROWS):
    head, value = table(axes, rows)
    return "price.standard_hour_fen_max", "table", value, head.replace("of: count", "of: fen")


@pytest.mark.parametrize(
    ("minutes", "size", "area", "fen"),
    [
        (45, 10, None, 40_000),
        (90, 10, None, 80_000),  # scenario 12: 90 minutes are two standard hours
        (60, 10, None, 53_333),  # a third of an hour more, cut to whole fen
        (45, 11, None, 20_000),
        (45, 11, "urban", 20_000),
        (45, 11, "rural", 10_000),
    ],
)
def test_what_hours_may_cost(rules, minutes, size, area, fen):
    """Ten hours by class size, area and length of the hour."""
    ruleset = rules(price(), ("course.standard_hour_minutes", "minutes", 45))
    facts = {"scope": WHERE, "asked_on": "2026-03-01", "class_hours_centi": 1000, "minutes_per_class_hour": minutes}
    answer = ask(ruleset, "price", {**facts, "class_size": size, "area": area})
    assert answer.result == {"amount_fen": fen}
    assert "全国示例办法" in tree(answer, "zh")


def test_a_float_above_the_guided_price(rules):
    """Ten per cent more."""
    ruleset = rules(price(), ("course.standard_hour_minutes", "minutes", 45), ("price.up_max_ppm", "ppm", 100000))
    facts = {"scope": WHERE, "asked_on": "2026-03-01", "class_hours_centi": 1000, "minutes_per_class_hour": 45}
    assert ask(ruleset, "price", {**facts, "class_size": 3}).result == {"amount_fen": 44_000}


def test_what_is_not_regulated_is_said(rules):
    """No figure is made up; the working names what is missing."""
    questions = {
        "price": {"asked_on": "2026-03-01", "class_hours_centi": 1, "minutes_per_class_hour": 45, "class_size": 1},
        "reserve": {"asked_on": "2026-03-01", "period_fees_fen": 1, "unconsumed_fen": 1},
        "credit": {"year_end": "2026-03-01", "scores": []},
        "release_plan": {
            "signed_on": "2026-03-01", "paid_fen": 1, "total_centi": 100,
            "service_from": "2026-03-01", "service_until": "2026-06-01",
        },
    }  # fmt: skip
    for question, facts in questions.items():
        answer = ask(rules(), question, {"scope": WHERE, **facts})
        assert answer.result in (None, {"points": None, "grade": None})
        assert "not regulated here" in tree(answer, "en")
        assert "未作规定" in tree(answer, "zh")


PLAN = {
    "scope": WHERE, "signed_on": "2026-03-01", "paid_fen": 90_000, "total_centi": 900,
    "service_from": "2026-03-01", "service_until": "2026-06-01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "mode", "result"),
    [
        ([("release.proportional", "flag", "true")], None, ("proportional", [])),
        ([("release.modes", "options", "[per_lesson]")], None, ("per_lesson", [])),
        ([("release.modes", "options", "[per_lesson, per_month]")], "per_lesson", ("per_lesson", [])),
        (
            [("release.modes", "options", "[per_lesson, per_month]")],
            "per_month",
            ("per_month", [("2026-04-01", 336_956), ("2026-05-01", 663_043), ("2026-06-01", 1_000_000)]),
        ),
        ([("release.modes", "options", "[per_lesson, per_month]")], None, None),
        ([("release.waits_for_last_lesson", "flag", "true")], None, ("after_last_lesson", [("2026-06-01", 1_000_000)])),
        (
            [("release.schedule", "schedule",
              "\n      steps:\n        - {after_ppm: 0, released_ppm: 300000}"
              "\n        - {after_ppm: 333334, released_ppm: 600000}"
              "\n        - {after_ppm: 666667, released_ppm: 1000000}", "measured_by: elapsed\n")],
            None,
            ("schedule", [("2026-03-01", 300_000), ("2026-04-01", 600_000), ("2026-05-02", 1_000_000)]),
        ),
    ],
)  # fmt: skip
def test_how_money_leaves_custody(rules, parameters, mode, result):
    """By lesson, by month, by schedule, at the end; a choice nobody made is not made here."""
    answer = ask(rules(*parameters), "release_plan", {**PLAN, "mode": mode})
    if result is None:
        assert answer.result is None
        assert "has to be chosen" in tree(answer, "en")
        return
    named, steps = result
    listed = [{"day": day, "share_ppm": share} for day, share in steps]
    assert answer.result == {"mode": named, "steps": listed}


TAUGHT = ("release.schedule", "schedule",
          "\n      steps:\n        - {after_ppm: 0, released_ppm: 300000}"
          "\n        - {after_ppm: 500000, released_ppm: 1000000}", "measured_by: taught\n")  # fmt: skip


def test_a_schedule_over_the_teaching_has_no_days(rules, read):
    """Half of the lessons, not half of the time; a plan of days that Python proposes holds beside it."""
    steps = [{"after_ppm": 0, "share_ppm": 300_000}, {"after_ppm": 500_000, "share_ppm": 1_000_000}]
    answer = ask(rules(TAUGHT), "release_plan", PLAN)
    assert answer.result == {"mode": "schedule", "steps": [], "taught_steps": steps}
    assert "a schedule over what is taught" in tree(answer, "en")
    both = ask(hooked(rules, read, TAUGHT), "release_plan", PLAN).result
    assert both["taught_steps"] == steps
    assert both["steps"] == [{"day": "2026-04-10", "share_ppm": 1_000_000}]


@pytest.mark.parametrize(
    ("parameters", "fen"),
    [
        ([("reserve.share_ppm", "ppm", 200_001)], 20_001),
        ([("reserve.floor_formula", "option", "one_charging_period_of_all_pupils")], 30_000),
        (
            [("reserve.share_ppm", "ppm", 200_000),
             ("reserve.floor_formula", "option", "one_charging_period_of_all_pupils")],
            30_000,
        ),
    ],
)  # fmt: skip
def test_what_must_be_kept_aside(rules, parameters, fen):
    """A share of what is unconsumed (a begun fen counts), a period's fees, or the more of both."""
    facts = {"scope": WHERE, "asked_on": "2026-03-01", "period_fees_fen": 30_000, "unconsumed_fen": 90_000}
    answer = ask(rules(*parameters), "reserve", {**facts, "legacy_unconsumed_fen": 10_000})
    assert answer.result == {"amount_fen": fen}


CREDIT = [
    ("credit.weights", "table", *table(
        "  - {name: factor, options: [staff, complaints]}\n",
        ["{factor: staff, value: 600}", "{factor: complaints, value: 400}"])[::-1]),
    ("credit.grades", "options", "[A, B, C]"),
    ("credit.grade_by_points", "table", *table(
        "  - {name: points, bands: count, least: 0}\n",
        ["{points: {at_most: 599}, value: 3}", "{points: {at_least: 600, at_most: 899}, value: 2}",
         "{points: {at_least: 900}, value: 1}"])[::-1]),
    ("credit.vetoes", "options", "[major_accident]"),
    ("credit.grade_with_veto", "count", 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("staff", "complaints", "vetoes", "points", "grade"),
    [
        (1_000_000, 1_000_000, [], 1000, "A"),
        (1_000_000, 750_000, [], 900, "A"),
        (1_000_000, 747_499, [], 898, "B"),
        (0, 1_000_000, [], 400, "C"),
        (1_000_000, 1_000_000, ["major_accident"], 1000, "B"),
        (0, 1_000_000, ["major_accident"], 400, "C"),
        (1_000_000, 1_000_000, ["late_report"], 1000, "A"),
    ],
)
def test_credit(rules, staff, complaints, vetoes, points, grade):
    """Weighted points, bands, and a veto that bars the best grade."""
    scores = [{"factor": "staff", "score_ppm": staff}, {"factor": "complaints", "score_ppm": complaints}]
    facts = {"scope": WHERE, "year_end": "2026-12-31", "scores": scores, "vetoes": vetoes}
    assert ask(rules(*CREDIT), "credit", facts).result == {"points": points, "grade": grade}


@pytest.mark.parametrize(
    ("status", "on", "rectified", "result"),
    [
        ("white", "2026-06-01", False, []),
        ("removed", "2026-06-01", False, []),
        ("removed", "2026-06-02", False, ["black"]),
        ("removed", "2026-06-02", True, ["white"]),
    ],
)
def test_leaving_the_white_list_is_not_the_black_list(rules, status, on, rectified, result):
    """Three months to rectify; what follows is the locality's to say. Nothing changes by itself."""
    ruleset = rules(("lists.rectified_within", "months", 3), ("lists.after_overdue", "option", "black"))
    facts = {"scope": WHERE, "status": status, "asked_on": on, "removed_on": "2026-03-01", "rectified": rectified}
    assert ask(ruleset, "list_transitions", facts).result == {"to": result}


RISK_RULE = """\
rules:
  - id: EX-RSK-001
    gates: [risk]
    fact: custody_balance_fen
    must_be: at_least
    parameter: warning.balance_fen_min
    code: sale.hours_exceeded
    requirement: M-07.3
"""

HOOKS = """
    from datetime import date
    from offcampus_rules.hookspecs import (
        CreditFactor, Indicator, LastDay, ListProposal, PlanProposal, PlanStep, RefundProposal, Sum, hookimpl
    )
    BY = "sale.hours_max"

    @hookimpl
    def price_limit(case):
        return (Sum({price}, BY),)

    @hookimpl
    def reserve_required(case):
        return (Sum({reserve}, BY),)

    @hookimpl
    def release_plan(case):
        return (PlanProposal((PlanStep(date(2026, 4, 10), 1000000),), BY),)

    @hookimpl
    def refund_terms(case):
        return (RefundProposal(BY, {refund}, date(2026, 3, {day})),)

    @hookimpl
    def confirmation_due(case):
        return (LastDay(date(2026, 3, {day}), BY),)

    @hookimpl
    def risk_indicators(case):
        return (Indicator("EX-RSK-002", "complaints", 9, 3, "count", 4, BY), Indicator("EX-RSK-001", "a", 1, 1, "fen", 5, BY))

    @hookimpl
    def credit_factors(case):
        return (CreditFactor("staff", 0, BY),)

    @hookimpl
    def list_transitions(case):
        return (ListProposal("black", BY),)
"""


def hooked(rules, read, *parameters, **figures):
    defaults = {"price": 1, "reserve": 10**9, "refund": 10**9, "day": 5}
    text = HOOKS.format(**{**defaults, **figures})
    return rules(*parameters, above=[read("110000", {}, hooks=text)])


@pytest.mark.parametrize(("proposed", "lowest", "highest"), [(10, 10, 20_000), (10**9, 40_000, 10**9)])
def test_a_proposal_goes_one_way_only(rules, read, proposed, lowest, highest):
    """A price falls and a reserve rises; the other way round nothing happens."""
    ruleset = hooked(
        rules, read, price(), ("course.standard_hour_minutes", "minutes", 45),
        ("reserve.share_ppm", "ppm", 200_000), price=proposed, reserve=proposed,
    )  # fmt: skip
    facts = {"scope": WHERE, "asked_on": "2026-03-01", "class_hours_centi": 1000, "minutes_per_class_hour": 45}
    assert ask(ruleset, "price", {**facts, "class_size": 3}).result == {"amount_fen": lowest}
    kept = {"scope": WHERE, "asked_on": "2026-03-01", "period_fees_fen": 0, "unconsumed_fen": 100_000}
    answer = ask(ruleset, "reserve", kept)
    assert answer.result == {"amount_fen": highest}
    assert "a plugin's own working" in tree(answer, "en")


def test_a_plan_is_only_slowed(rules, read):
    """Point by point the less of both."""
    ruleset = hooked(rules, read, ("release.modes", "options", "[per_month]"))
    steps = ask(ruleset, "release_plan", PLAN).result["steps"]
    assert [(step["day"], step["share_ppm"]) for step in steps] == [
        ("2026-04-10", 336_956), ("2026-05-01", 663_043), ("2026-06-01", 1_000_000),
    ]  # fmt: skip


SILENCE = ("confirmation.auto_confirm", "days", 10)
REFUND = [("refund.silence", "days", 5), ("refund.deadline_before_start", "days", 5),
          ("refund.deadline_after_start", "days", 15)]  # fmt: skip


@pytest.mark.parametrize(("day", "due"), [(5, "2026-03-12"), (11, "2026-03-12"), (20, "2026-03-21")])
def test_a_confirmation_is_only_postponed(rules, read, day, due):
    """Silence never confirms earlier than data says."""
    ruleset = hooked(rules, read, SILENCE, day=day)
    told = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
    answer = ruleset.confirmation_due(Confirmation(Scope(**WHERE), told))
    assert answer.due_at == datetime.fromisoformat(f"{due}T00:00:00+08:00")


@pytest.mark.parametrize(
    ("refund", "day", "amount", "due"),
    [(1, 30, 66_667, "2026-03-17"), (80_000, 5, 80_000, "2026-03-06")],
)
def test_a_refund_is_only_bettered(rules, read, refund, day, amount, due):
    """Scenario 11: 1,000 yuan, three lessons, one taught. More money or an earlier day, never less or later."""
    ruleset = hooked(rules, read, *REFUND, refund=refund, day=day)
    facts = {
        "scope": WHERE, "requested_at": "2026-03-01T10:00:00+08:00", "before_start": False, "total_fen": 100_000,
        "consumed_centi": 100, "class_hours_centi": 300,
    }  # fmt: skip
    answer = ask(ruleset, "refund", facts)
    assert answer.amount_fen == amount
    assert answer.due_at == datetime.fromisoformat(f"{due}T00:00:00+08:00")


@pytest.mark.parametrize(
    ("changes", "basis", "amount"),
    [
        ({}, None, 66_667),
        ({"filed_price_fen": 150_000}, None, None),
        ({"filed_price_fen": 150_000}, ("refund.unit_price_basis", "deal_price"), 66_667),
        ({"filed_price_fen": 150_000}, ("refund.unit_price_basis", "list_price"), 50_000),
        ({"filed_price_fen": 150_000, "reason": "institution_fault"},
         ("refund.unit_price_basis_at_fault", "deal_price"), 66_667),
        ({"gift_hours_centi": 100}, None, None),
        ({"before_start": True, "gift_hours_centi": 100}, None, 100_000),
        ({"consumed_centi": 400}, None, 0),
        ({"class_hours_centi": None}, None, None),
    ],
)  # fmt: skip
def test_what_a_refund_comes_to(rules, changes, basis, amount):
    """Scenario 36: the price of taught hours is the law's to name; where it does not, no sum is made up."""
    extra = [(basis[0], "option", basis[1])] if basis else []
    facts = {
        "scope": WHERE, "requested_at": "2026-03-01T10:00:00+08:00", "before_start": False, "total_fen": 100_000,
        "consumed_centi": 100, "class_hours_centi": 300, **changes,
    }  # fmt: skip
    assert ask(rules(*REFUND, *extra), "refund", facts).amount_fen == amount


def test_signs_of_risk_and_their_level(nation_files, read):
    """A rule's sign and Python's, the gravest of one id; the level comes from the locality's table."""
    files = {
        **nation_files,
        file("warning.balance_fen_min"): parameter("warning.balance_fen_min", "fen", 1000, stricter="higher"),
        file("warning.levels"): parameter("warning.levels", "options", "[yellow, red]"),
        file("warning.level_by_indicators"): parameter(
            "warning.level_by_indicators", "table",
            "\n      rows:\n        - {indicators: {at_most: 1}, value: 1}\n        - {indicators: {at_least: 2}, value: 2}",
            "of: count\naxes:\n  - {name: indicators, bands: count, least: 1}\n",
        ),
        "rules/risk.yaml": RISK_RULE,
    }  # fmt: skip
    nation = read("000000", files, name="nation")
    window = InstitutionWindow(Scope(**WHERE), date(2026, 2, 1), date(2026, 3, 1), custody_balance_fen=999)
    alone = build([nation]).warning(window)
    assert alone.result == {"level": "yellow", "indicators": [{"id": "EX-RSK-001", "severity": 1}]}
    text = HOOKS.format(price=1, reserve=1, refund=1, day=5)
    both = build([nation, read("110000", {}, hooks=text)]).warning(window)
    assert both.result["level"] == "red"
    assert both.result["indicators"] == [{"id": "EX-RSK-001", "severity": 5}, {"id": "EX-RSK-002", "severity": 4}]
    quiet = build([nation]).warning(InstitutionWindow(window.scope, window.since, window.until))
    assert quiet.result == {"level": None, "indicators": []}
    assert "was not told" in tree(quiet, "en")


def test_what_a_failing_plugin_does_to_values(rules, read):
    """By its hook's policy: the plan is withheld, silence does not confirm, sums and refunds stand as data has them."""
    text = HOOKS.format(price=1, reserve=1, refund=1, day=5)
    broken = text.replace("return (", "raise RuntimeError\n        return (")
    ruleset = rules(
        SILENCE, *REFUND, ("release.modes", "options", "[per_lesson]"), ("reserve.share_ppm", "ppm", 200_000),
        ("lists.rectified_within", "months", 3), above=[read("110000", {}, hooks=broken)],
    )  # fmt: skip
    plan = ask(ruleset, "release_plan", PLAN)
    assert (plan.result, len(plan.alarms)) == (None, 1)
    told = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
    assert ruleset.confirmation_due(Confirmation(Scope(**WHERE), told)).due_at is None
    reserve = ask(
        ruleset, "reserve", {"scope": WHERE, "asked_on": "2026-03-01", "period_fees_fen": 0, "unconsumed_fen": 5}
    )
    assert (reserve.result, len(reserve.alarms)) == ({"amount_fen": 1}, 1)
    refund = ask(
        ruleset, "refund",
        {"scope": WHERE, "requested_at": told.isoformat(), "before_start": True, "total_fen": 5, "class_hours_centi": 1},
    )  # fmt: skip
    assert (refund.amount_fen, len(refund.alarms)) == (5, 1)
    assert refund.due_at is not None
