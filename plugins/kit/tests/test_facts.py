"""The vocabulary of rules agrees with the contexts and with the standard's resources."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date

import pytest
from offcampus_rules import Scope, digests
from offcampus_rules.asking import QUESTIONS
from offcampus_rules.context import StaffRecord
from offcampus_rules.facts import CONTEXTS, VOCABULARY
from offcampus_rules.hook_table import HOOK_TABLE
from offcampus_rules.ruleset import build
from offcampus_spec.schemas import load

COMPUTED = ("account_in_own_county", "minutes_centi")
"""Facts worked out from a member that nobody may have told."""
RESOURCES = {
    "charge": "order",
    "course": "course",
    "lesson": "lesson",
    "consumption": "consumption-record",
    "staff": "staff",
}


YAML_WORDS = {"on", "off", "yes", "no", "y", "n", "true", "false", "null"}


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_no_fact_has_to_be_quoted_in_yaml(question):
    """Nobody who writes a case has to know which words YAML 1.1 takes for true and false."""
    assert not YAML_WORDS & {field.name for field in fields(QUESTIONS[question])}


@pytest.mark.parametrize("gate", sorted(RESOURCES))
def test_pointers_lead_to_members_a_party_sends(gate):
    """Whoever is refused is pointed at a member of what they sent."""
    fields = load(RESOURCES[gate])["$defs"]["fields"]["properties"]
    for fact in VOCABULARY[gate].values():
        if fact.pointer is not None:
            assert fact.pointer.split("/")[1] in fields, fact.name


def test_names_are_the_keys():
    """A fact is found under its own name."""
    for facts in VOCABULARY.values():
        assert all(name == fact.name for name, fact in facts.items())


def test_every_context_of_a_gate_is_a_question():
    """What rules may be written about can be asked about, and the other way round."""
    assert set(CONTEXTS) == set(VOCABULARY)
    gates = {name.removeprefix("check_"): row for name, row in HOOK_TABLE.items() if row.family == "gate"}
    assert {name: row.case for name, row in gates.items()} == {
        name: kind for name, kind in CONTEXTS.items() if name != "risk"
    }
    assert all(QUESTIONS[name] is kind for name, kind in CONTEXTS.items() if name in gates)


def test_a_member_that_may_be_untold_is_named_like_its_fact():
    """`told` reads a member of the context by the fact's name: a misspelt one would fail at a charge only."""
    for gate, facts in VOCABULARY.items():
        members = {field.name for field in fields(CONTEXTS[gate])}
        for fact in facts.values():
            if fact.may_be_untold and fact.name not in COMPUTED:
                assert fact.name in members, f"{gate}: {fact.name}"


STAFF = """\
id: staff.blacklist_forbidden
title: {zh: 黑名单人员不得从业, en: Nobody on the blacklist}
unit: flag
binding: floor
stricter: exact
protects: payer
governed_by: event_date
judgement: {confidence: reported}
values:
  - from: 2021-01-01
    value: true
    confidence: reported
    source: {document: 全国示例办法}
"""

CLEARANCE = """\
id: staff.clearance_within
title: {zh: 准入查询周期, en: Clearance is asked again within}
unit: months
binding: floor
stricter: lower
protects: payer
governed_by: event_date
judgement: {confidence: reported}
values:
  - from: 2021-01-01
    value: 12
    confidence: reported
    source: {document: 全国示例办法}
"""

STAFF_RULES = """\
rules:
  - id: EX-STF-001
    gates: [staff]
    fact: blacklisted
    must_be: is_false
    parameter: staff.blacklist_forbidden
    code: sale.hours_exceeded
    requirement: M-07.3
  - id: EX-STF-002
    gates: [staff]
    when: {in_service_teacher: true, role: [teaching]}
    fact: is_hired
    must_be: is_false
    parameter: staff.blacklist_forbidden
    code: sale.hours_exceeded
    requirement: M-07.3
  - id: EX-STF-003
    gates: [staff]
    fact: asked_on
    must_be: at_most
    parameter: staff.clearance_within
    measured_from: cleared_on
    counted: forward
    code: sale.hours_exceeded
    requirement: M-07.3
"""

PERSON = StaffRecord(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    asked_on=date(2026, 3, 1),
    role="teaching",
    qualification="coach_certificate",
    hired_on=date(2025, 3, 1),
    cleared_on=date(2025, 3, 1),
    blacklisted=False,
    in_service_teacher=False,
)


@pytest.mark.parametrize(
    ("changes", "violated", "undecided"),
    [
        ({}, set(), set()),
        ({"blacklisted": True}, {"EX-STF-001"}, set()),
        ({"blacklisted": None}, set(), {"EX-STF-001"}),
        ({"in_service_teacher": True}, {"EX-STF-002"}, set()),
        ({"in_service_teacher": None}, set(), {"EX-STF-002"}),
        ({"in_service_teacher": None, "role": "other"}, set(), set()),
        ({"asked_on": date(2026, 3, 2)}, {"EX-STF-003"}, set()),
        ({"cleared_on": None}, set(), set()),
    ],
)
def test_what_nobody_told_is_not_passed_in_silence(nation_files, read, changes, violated, undecided):
    """An untold fact makes its rule, or the rule it is a condition of, not evaluated; a told one is judged."""
    files = {
        **nation_files,
        "parameters/staff/blacklist_forbidden.yaml": STAFF,
        "parameters/staff/clearance_within.yaml": CLEARANCE,
        "rules/staff.yaml": STAFF_RULES,
    }
    decision = build([read("000000", files)]).check_staff(replace(PERSON, **changes))
    assert {item.rule for item in decision.violations} == violated
    assert {item.rule for item in decision.not_evaluated} == undecided


def test_a_new_fact_at_its_default_does_not_change_old_digests():
    """Contexts gain optional facts; what was decided before them keeps its digest."""
    document = json.loads(digests.canonical(PERSON))
    assert "made_public" not in document
    assert digests.digest(replace(PERSON, made_public=False)) != digests.digest(PERSON)
