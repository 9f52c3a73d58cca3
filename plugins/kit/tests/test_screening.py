"""The quick way of judging answers exactly as judging every rule of every level one by one would."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules import Charge, Scope, digests, load_ruleset, messages, plain, units
from offcampus_rules.asking import QUESTIONS
from offcampus_rules.decision import LEVELS, Violation
from offcampus_rules.judge import compile_plan
from offcampus_rules.rules import Gate
from offcampus_rules.ruleset import build
from offcampus_rules.screening import judge
from offcampus_rules.testing import load_cases

AT = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
CHARGE = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=AT,
    class_hours_centi=6000,
    gift_hours_centi=0,
    total_fen=500000,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)
DATES = dict.fromkeys(("contract_date", "event_date", "report_date"), date(2026, 3, 1))

RULES = {
    "hours": ("class_hours", "lower", "subject_hours_centi", "at_most", ("60", "45", "50"), ""),
    "least": ("class_hours", "higher", "charge_hours_centi", "at_least", ("1", "2", "3"), ""),
    "method": ("options", "subset", "charge_method", "one_of", ("[by_hours, both]", "[both]", "[by_hours]"), ""),
    "banned": ("options", "superset", "charge_method", "none_of", ("[by_period]", "[by_period, both]", "[both]"), ""),
    "loan": ("flag", "exact", "training_loan", "is_false", ("true", "true", "false"), "when: {renewal: false}"),
    "span": (
        "months", "lower", "service_until", "at_most", ("3", "2", "1"),
        "measured_from: service_from, counted: forward, when: {charge_method: [both, by_hours]}",
    ),
    "lead": ("months", "lower", "ordered_on", "at_least", ("1", "2", "1"), "measured_from: service_from, counted: back"),
    "lease": ("flag", "exact", "last_service_on", "at_most", ("true", "true", "true"), "limit_fact: venue_lease_until"),
}  # fmt: skip


def files(level: int) -> dict[str, str]:
    """Every kind of comparison; the nation also brings definitions, rules and words."""
    found = {}
    for name, (unit, stricter, _, _, values, _) in RULES.items():
        head = (
            f"id: sale.{name}\ntitle: {{zh: 例, en: Example}}\nunit: {unit}\nbinding: floor\nstricter: {stricter}\n"
            "protects: payer\ngoverned_by: contract_date\njudgement: {confidence: reported}\n"
            if level == 0
            else f"parameter: sale.{name}\nregion: '{('', '110000', '110105')[level]}'\n"
        )
        value = f"{{from: 2020-01-01, value: {values[level]}, confidence: reported, source: {{document: 示例}}}}"
        found[f"parameters/sale/{name}_{level}.yaml"] = f"{head}values: [{value}]\n"
    if level == 0:
        found["rules/sale.yaml"] = "rules:\n" + "".join(
            f"  - {{id: EX-SAL-{number:03}, gates: [charge], fact: {fact}, must_be: {must}, parameter: sale.{name}, "
            f"code: sale.{name}, requirement: M-07.3{', ' + more if more else ''}}}\n"
            for number, (name, (_, _, fact, must, _, more)) in enumerate(RULES.items(), 1)
        )
        text = '{message: {zh: "为 {given}，{allowed}", en: "{given} is not {allowed}"}, remedy: {zh: 改, en: Change}}'
        found["messages/sale.yaml"] = "messages:\n" + "".join(f"  sale.{name}: {text}\n" for name in RULES)
    return found


@pytest.fixture
def plan(read):
    nation = read("000000", files(0), name="nation")
    province = read("110000", {**files(1), **files(2)}, name="province")
    ruleset = build([nation, province])
    assert ruleset.rejected == ()
    return compile_plan(ruleset.assembly, "charge", CHARGE.scope, DATES)


_PLAN = {}


@pytest.fixture(autouse=True)
def _once(plan):
    _PLAN["plan"] = plan


@given(
    hours=st.sampled_from([0, 100, 199, 200, 300, 4500, 4501, 5000, 5001, 6000, 6001]),
    method=st.sampled_from(["by_period", "by_hours", "both"]),
    loan=st.booleans(),
    renewal=st.booleans(),
    lead=st.integers(-5, 70),
    span=st.integers(1, 100),
    lease=st.none() | st.integers(1, 100),
)
def test_screening_finds_what_judging_one_by_one_finds(hours, method, loan, renewal, lead, span, lease):
    """Same violations, word for word and in one order, and the values of exactly the rules that applied."""
    starts = date(2026, 3, 1) + timedelta(days=lead)
    case = replace(
        CHARGE,
        class_hours_centi=hours,
        charge_method=method,
        training_loan=loan,
        renewal=renewal,
        service_from=starts,
        service_until=starts + timedelta(days=span),
        venue_lease_until=None if lease is None else starts + timedelta(days=lease),
    )
    same(_PLAN["plan"], case)


def test_the_cases_of_every_plugin_are_judged_alike():
    """Exceptions, tables, doubts and deadlines as the installed provinces use them."""
    ruleset = load_ruleset()
    judged = 0
    for plugin in ruleset.assembly.plugins:
        for written in load_cases(plugin.root):
            if written.question in get_args(Gate):
                case = plain.context(QUESTIONS[written.question], written.facts)
                judged += same(ruleset.plan(written.question, case), case)
                decision = getattr(ruleset, f"check_{written.question}")(case)
                document, facts = decision.stored(id="dec_1")
                assert json.loads(document) == {**decision.to_json(), "id": "dec_1"}
                assert digests.of_bytes(facts) == decision.facts_digest
    assert judged > 200


def same(plan, case):
    """Judging quickly finds what judging one by one finds; how many limits are broken."""
    found = judge(plan, case)
    broken, used = one_by_one(plan, case)
    assert list(found.violations) == broken
    assert [value.parameter for value in found.values if value.parameter in used] == used
    return len(broken)


def one_by_one(plan, case):
    """Every limit of every level that is broken, in the order of levels, each worded anew; the parameters used."""
    broken, used = [], []
    for item in plan.rules:
        gone = {region for lift in item.lifts if lift.holds(case) for region in lift.regions}
        checks = [check for check in item.checks if check.value.region not in gone]
        told = item.fact.read(case)
        if not checks or (item.applies is not None and not item.applies(case)) or told is None:
            continue
        used.append(item.rule.parameter)
        for check in checks:
            limit = check.limit(case)
            if limit is not None and not item.passes(told, limit):
                broken.append(worded(item, check, told, limit))
    broken.sort(key=lambda item: (LEVELS[item.level], item.region, item.rule))
    return broken, list(dict.fromkeys(used))


def worded(item, check, told, limit):
    """A violation spelt out without any of the shortcuts."""
    unit, words, breach = item.fact.unit, item.text.words, item.breach
    text = {}
    for language, span in (("zh", check.span_zh), ("en", check.span_en)):
        allowed = messages.allowed_text(item.rule.must_be, limit, unit, language, span, words)
        for part in ("message", "remedy"):
            name = f"{part}_{language}"
            text[name] = messages.fill(getattr(item.text, name), messages.spoken(told, unit, language, words), allowed)
    return Violation(
        code=breach.code, rule=breach.rule, requirement=breach.requirement, fact=breach.fact,
        given=units.readable(told, unit, "en"),
        allowed=messages.allowed_text(item.rule.must_be, limit, unit, "en", check.span_en),
        citation=check.value.source, level=check.value.level, region=check.value.region, pointer=breach.pointer, **text,
    )  # fmt: skip
