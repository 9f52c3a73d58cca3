"""Whatever has happened to the rules of a place, the nation's floor is found by itself, and somebody hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import msgspec
import pytest
from offcampus_rules import Charge, Scope, load_ruleset
from offcampus_rules.hook_answers import HookAnswers
from offcampus_rules.ruleset import RuleSet, build
from offcampus_rules.screening import Screen
from offcampus_rules.witness import Witness

UNLAWFUL = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=datetime.fromisoformat("2026-03-01T10:00:00+08:00"),
    class_hours_centi=7000,
    gift_hours_centi=0,
    total_fen=500,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)
ALARM = "would have hidden what the nation's floor finds: EX-HRS-001"
SILENT = """
from offcampus_rules.hookspecs import hookimpl

@hookimpl
def check_charge(case):
    return ()
"""


def tampered(ruleset, **content):
    """As if a plugin had got past every wall and rewritten what the rule set holds."""
    for name, item in content.items():
        object.__setattr__(ruleset.assembly, name, item)
    return ruleset


def looser(entries):
    return {name: tuple(replace(entry, value=99) for entry in known) for name, known in entries.items()}


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda assembly: {"rules": ()},
        lambda assembly: {"entries": {}},
        lambda assembly: {"entries": looser(assembly.entries)},
        lambda assembly: {"rules": tuple(replace(rule, must_be="at_least") for rule in assembly.rules)},
        lambda assembly: {"rules": tuple(replace(rule, gates=("course",)) for rule in assembly.rules)},
    ],
    ids=["no rule", "no value", "a looser value", "a rule turned round", "a rule moved away"],
)
def test_rules_that_were_rewritten_hide_nothing(nation, read, local_hours, rewrite):
    """The floor's finding is there with its source, and an alarm names the plugin that speaks in that place."""
    province = read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50)})
    clean = build([nation])
    ruleset = build([nation, province])
    tampered(ruleset, **rewrite(ruleset.assembly))
    decision = ruleset.check_charge(UNLAWFUL)
    assert decision.outcome == "refuse"
    assert set(clean.check_charge(UNLAWFUL).violations) <= set(decision.violations)
    assert [(item.plugin, item.problem) for item in decision.alarms] == [("plugin_110000", ALARM)]
    assert not ruleset.check_charge(replace(UNLAWFUL, class_hours_centi=4000)).alarms


def test_a_finding_that_gets_lost_on_the_way_is_found(nation, read, monkeypatch):
    """Where any plugin has Python each decision is compared, not the plan alone."""
    ruleset = build([nation, read("110000", {}, hooks=SILENT)])
    whole = ruleset.check_charge(UNLAWFUL)
    assert not whole.alarms
    monkeypatch.setattr(Screen, "judge", _forgetful(Screen.judge, ruleset))
    decision = ruleset.check_charge(UNLAWFUL)
    assert decision.violations == whole.violations
    assert [item.problem for item in decision.alarms] == [ALARM]


def _forgetful(judge, ruleset):
    """Finds nothing for the place's own plan, and what is there for the floor's."""

    def forgets(screen, case):
        found = judge(screen, case)
        place = ruleset.plan("charge", case)
        return msgspec.structs.replace(found, violations=()) if screen in place.screens.values() else found

    return forgets


def test_what_a_plugin_answers_takes_nothing_away(nation, read, monkeypatch):
    """Not even when the plugins' answers break the judging of the place: the floor's decision stands."""
    ruleset = build([nation, read("110000", {}, hooks=SILENT)])
    monkeypatch.setattr(HookAnswers, "gate", lambda *_: [((), ())])
    assert ruleset.check_charge(UNLAWFUL).outcome == "refuse"


def test_the_installed_rules_keep_the_floor_without_being_asked_each_time():
    """Five provinces of data: the comparison of plans is enough, no decision is judged twice."""
    ruleset = load_ruleset()
    assert ruleset.check_charge(UNLAWFUL).outcome == "refuse"
    assert ruleset.plan("charge", UNLAWFUL).floor is None


def test_what_it_watches_is_the_nations_floor():
    """Caps and bans; nothing that a locality may rule otherwise."""
    assembly = load_ruleset().assembly
    watched = Witness(assembly).rules
    assert {"CN-PRE-001", "CN-PRE-002", "CN-PRE-003", "CN-PRE-007"} <= watched
    for rule in assembly.rules:
        bindings = {assembly.definitions[name].binding for name in rule.parameters}
        assert rule.id not in watched or bindings == {"floor"}


def test_tools_that_try_a_change_out_are_not_watched(nation):
    """A mutant of a national value is no attack on it."""
    ruleset = build([nation])
    tried = ruleset.trying(replace(ruleset.assembly, rules=()))
    assert isinstance(tried, RuleSet)
    assert tried.check_charge(UNLAWFUL).outcome == "allow"
