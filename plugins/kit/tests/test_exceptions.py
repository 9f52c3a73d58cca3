"""Nothing but a national exception lifts a national rule, and the decision says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from offcampus_rules import Charge, Scope, checking, statuses
from offcampus_rules.explaining import tree
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_spec import SCHEMA_BASE, schemas

DECLARED = """\
id: pay_after_class
title: {zh: 先上课后收费, en: Paying after class}
lifts: [EX-HRS-001]
when: {pay_after_class: true, holds_postpay_exemption: true}
governed_by: contract_date
from: 2021-01-01
confidence: reported
basis: {document: 全国示例办法, number: 示例1号}
judgement: {confidence: memory}
"""
ACTIVATED = """\
exception: pay_after_class
region: "440000"
activations:
  - from: 2022-06-01
    until: 2026-06-01
    scope: {sector: [sport]}
    confidence: reported
    source: {document: 省示例通知}
"""
TOO_MANY = Charge(
    scope=Scope("440305", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
    class_hours_centi=9_000,
    gift_hours_centi=0,
    total_fen=1,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 5, 10),
    charge_method="both",
    pay_after_class=True,
    holds_postpay_exemption=True,
)


@pytest.fixture
def ruleset(read, nation_files):
    """The nation with its declaration, Guangdong with its activation, each as given."""

    def make(declared=DECLARED, activated=ACTIVATED, province=None, official_only=False):
        nation = read("000000", {**nation_files, "exceptions/pay_after_class.yaml": declared}, name="nation")
        files = {**(province or {}), **({"exceptions/pay_after_class.yaml": activated} if activated else {})}
        return build([nation, read("440000", files, name="province")], official_only=official_only)

    return make


def test_the_exception_lifts_the_rule_and_is_counted(ruleset):
    """90 hours are allowed where the exemption is held; the decision names exception, basis, local text and rule."""
    decision = ruleset().check_charge(TOO_MANY)
    assert (decision.outcome, decision.violations) == ("allow", ())
    [applied] = decision.exceptions_applied
    assert (applied.id, applied.rules, applied.region) == ("pay_after_class", ("EX-HRS-001",), "440000")
    assert (str(applied.basis), str(applied.source)) == ("全国示例办法 示例1号", "省示例通知")
    assert schemas.compile_schema({"$ref": SCHEMA_BASE + "decision.json"}).is_valid(
        json.loads(json.dumps(decision.to_json()))
    )
    assert all(text in tree(decision, "zh") for text in ("适用例外", "先上课后收费", "省示例通知"))


@pytest.mark.parametrize(
    "change",
    [
        {"pay_after_class": False},
        {"holds_postpay_exemption": False},
        {"holds_postpay_exemption": None},
        {"signed_on": date(2022, 5, 31)},
        {"signed_on": date(2026, 6, 1)},
        {"scope": replace(TOO_MANY.scope, region="450102")},
        {"scope": replace(TOO_MANY.scope, sector="academic")},
    ],
    ids=str,
)
def test_outside_its_conditions_dates_and_region_the_rule_stands(ruleset, change):
    """Scenario 29: one prepaid order, or an exemption lost, unknown, not yet or no more active: the rule is back."""
    decision = ruleset().check_charge(replace(TOO_MANY, **change))
    assert [item.rule for item in decision.violations] == ["EX-HRS-001"]
    assert decision.exceptions_applied == ()


AGAIN = """\
  - from: {since}
    until: {until}
    scope: {{sector: [{sector}]}}
    confidence: reported
    source: {{document: 另一通知}}
"""


@pytest.mark.parametrize(
    ("since", "until", "sector", "line"),
    [
        ("2026-05-31", "2027-01-01", "sport", 9),
        ("2020-01-01", "2022-06-02", "sport", 9),
        ("2026-06-01", "2027-01-01", "sport", None),
        ("2020-01-01", "2022-06-01", "sport", None),
        ("2024-01-01", "2025-01-01", "academic", None),
    ],
)
def test_an_exception_is_not_activated_twice(ruleset, since, until, sector, line):
    """For one place, time and kind of training: nobody could say which text holds. Told at the second, with the first."""
    rules = ruleset(activated=ACTIVATED + AGAIN.format(since=since, until=until, sector=sector))
    found = [problem for item in rules.rejected for problem in item.problems]
    assert [(item.code, item.position.line) for item in found] == ([("R-OVERLAP", line)] if line else [])
    assert not line or "by pay_after_class.yaml:4" in found[0].message_en


@pytest.mark.parametrize("day", [date(2022, 6, 1), date(2026, 5, 31)])
def test_the_first_and_the_last_day(ruleset, day):
    """From is inclusive, until exclusive."""
    assert ruleset().check_charge(replace(TOO_MANY, signed_on=day)).exceptions_applied


def test_what_breaks_nothing_needs_no_exception(ruleset):
    """An exception that made no difference is not counted."""
    decision = ruleset().check_charge(replace(TOO_MANY, class_hours_centi=6_000))
    assert (decision.outcome, decision.exceptions_applied) == ("allow", ())


def test_the_same_rule_set_tells_cases_apart(ruleset):
    """Judging a case with the exemption does not lend it to the next."""
    rules = ruleset()
    outcomes = [
        rules.check_charge(replace(TOO_MANY, holds_postpay_exemption=held)).outcome
        for held in (True, False, True, None, True)
    ]
    assert outcomes == ["allow", "refuse", "allow", "refuse", "allow"]


def test_what_a_city_demands_by_itself_stays(ruleset, local_hours):
    """The province's activation lifts the nation's and the province's limits, not Shenzhen's."""
    province = {
        "parameters/a/province.yaml": local_hours("440000", 50),
        "parameters/a/city.yaml": local_hours("440300", 40),
    }
    decision = ruleset(province=province).check_charge(TOO_MANY)
    assert [(item.level, item.region) for item in decision.violations] == [("city", "440300")]
    assert [item.rules for item in decision.exceptions_applied] == [("EX-HRS-001",)]
    elsewhere = replace(TOO_MANY, scope=replace(TOO_MANY.scope, region="440106"))
    assert ruleset(province=province).check_charge(elsewhere).outcome == "allow"


@pytest.mark.parametrize(
    ("declared", "activated"),
    [
        (DECLARED, None),
        (DECLARED.replace("confidence: reported\nbasis", "confidence: draft\nbasis"), ACTIVATED),
        (DECLARED, ACTIVATED.replace("reported", "memory")),
    ],
)
def test_drafts_and_memories_lift_nothing(ruleset, declared, activated):
    """Neither a declaration alone, nor a note of either."""
    assert ruleset(declared, activated).check_charge(TOO_MANY).outcome == "refuse"


def test_where_only_texts_that_were_read_bind(ruleset):
    """An exemption as reported is not heeded by an operator who demands official texts."""
    official = [text.replace("reported", "official") for text in (DECLARED, ACTIVATED)]
    assert ruleset(official_only=True).check_charge(TOO_MANY).exceptions_applied == ()
    assert ruleset(*official, official_only=True).check_charge(TOO_MANY).exceptions_applied == ()


@pytest.mark.parametrize(
    ("activated", "line", "code"),
    [
        (DECLARED, 1, "R-EXC"),
        (ACTIVATED.replace("pay_after_class", "pay_never"), 1, "R-EXC"),
        (ACTIVATED.replace('"440000"', '"450000"'), 2, "R-SCOPE"),
        (ACTIVATED.replace('"440000"', '"000000"'), 2, "R-SCOPE"),
        (ACTIVATED.replace("until: 2026-06-01", "until: 2022-06-01"), 5, "R-DATE"),
        (ACTIVATED.replace("2022-06-01", "2019-06-01").replace("2026-06-01", "2020-06-01"), 4, "R-UNREACH"),
        (ACTIVATED.replace("    until", "    published: 2022-06-02\n    until"), 4, "R-DATE"),
        (ACTIVATED.replace("    source: {document: 省示例通知}\n", ""), 4, "R-SOURCE"),
        (ACTIVATED + "lifts: [EX-HRS-001]\n", 9, "R-SCHEMA"),
    ],
)
def test_a_locality_lifts_nothing_by_itself(write, nation_files, activated, line, code):
    """It cannot declare, invent, reach beyond its region, or add to what is lifted; each at its line."""
    nation = write("000000", {**nation_files, "exceptions/pay_after_class.yaml": DECLARED}, name="nation")
    province = write("440000", {"exceptions/mine.yaml": activated}, name="province")
    found = checking.check(province, [read_folder(nation)]).problems
    assert (line, code) in {(item.position.line, item.code) for item in found}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("[EX-HRS-001]", "[EX-HRS-009]", 3), ("pay_after_class: true", "pays_later: true", 4)],
)
def test_what_the_nation_names_exists(write, nation_files, old, new, line):
    """A misspelt rule or fact would lift nothing, silently."""
    files = {**nation_files, "exceptions/pay_after_class.yaml": DECLARED.replace(old, new)}
    [problem] = [item for item in checking.check(write("000000", files), []).problems if item.code == "R-NAME"]
    assert problem.position.line == line


def test_the_status_of_a_lifted_rule(ruleset):
    """An explanation does not call broken what an exception lifts."""
    rules = ruleset()
    [lifted] = statuses.assess(rules, "charge", TOO_MANY)
    assert (lifted.status, "pay_after_class" in (lifted.reason_en or "")) == ("not_applicable", True)
    [broken] = statuses.assess(rules, "charge", replace(TOO_MANY, pay_after_class=False))
    assert broken.status == "violated"
