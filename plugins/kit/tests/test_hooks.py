"""A plugin's Python may add findings; whatever else it does stays with it, and no other finding is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import permutations

import pytest
from offcampus_rules import Charge, Confirmation, LessonPlan, Release, Scope
from offcampus_rules.hook_loading import HookRefused
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

AT = datetime.fromisoformat("2026-03-01T10:00:00+08:00")

ADDS = """
    from offcampus_rules.hookspecs import Finding, hookimpl

    @hookimpl
    def check_charge(case):
        if case.facts.total_fen <= 100000:
            return ()
        cap = case.value("sale.hours_max")
        return (Finding(
            rule="EX-LOC-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
            given=case.facts.total_fen, allowed=cap.value * 100, unit="fen", must_be="at_most",
            parameter="sale.hours_max",
        ),)
"""

RAISES = """
    from offcampus_rules.hookspecs import hookimpl

    @hookimpl
    def check_charge(case):
        {body}
"""


def charge(**changes):
    base = Charge(
        scope=Scope("110105", "sport", "compulsory", "offline"),
        subject="football",
        signed_on=date(2026, 3, 1),
        ordered_at=AT,
        class_hours_centi=7000,
        gift_hours_centi=0,
        total_fen=500000,
        service_from=date(2026, 3, 10),
        service_until=date(2026, 6, 10),
        charge_method="both",
    )
    return replace(base, **changes)


LAWFUL = charge(class_hours_centi=4000, total_fen=1)


def test_a_hook_adds_a_finding_in_the_kits_words(nation, read):
    """Figures come from the plugin, sentences and source from the kit."""
    ruleset = build([nation, read("110000", {}, hooks=ADDS)])
    decision = ruleset.check_charge(charge())
    assert {item.rule for item in decision.violations} == {"EX-HRS-001", "EX-LOC-001"}
    added = next(item for item in decision.violations if item.rule == "EX-LOC-001")
    assert added.citation.document == "全国示例办法"
    assert "5000.00 元" in added.message_zh
    assert ruleset.check_charge(LAWFUL).outcome == "allow"


def test_a_hook_speaks_in_its_own_region_only(nation, read):
    """The neighbour province does not hear it."""
    ruleset = build([nation, read("110000", {}, hooks=ADDS)])
    there = Scope("120101", "sport", "compulsory", "offline")
    assert {item.rule for item in ruleset.check_charge(charge(scope=there)).violations} == {"EX-HRS-001"}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("raise RuntimeError('card 6222…')", "raised RuntimeError"),
        ("raise SystemExit(3)", "raised SystemExit"),
        ("raise GeneratorExit", "raised GeneratorExit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise MemoryError", "raised MemoryError"),
        ("return check_charge(case)", "raised RecursionError"),
        ("pass", "returned NoneType"),
        ("return []", "returned list"),
        ("return True", "returned bool"),
        ("return ('precharge.loan',)", "returned str among the answers"),
        ("return ({},) ", "returned dict among the answers"),
        ("return tuple(range(201))", "returned 201 items"),
        ("case.facts.total_fen = 0", "raised FrozenInstanceError"),
        ("case.value('no.such')", "raised KeyError"),
    ],
)
def test_what_a_hook_breaks_stays_with_it(nation, read, body, problem):
    """The gate does not open, the alarm names the plugin, the nation's finding is still there; no text leaks."""
    ruleset = build([nation, read("110000", {}, hooks=RAISES.format(body=body), name="province")])
    decision = ruleset.check_charge(charge())
    assert decision.outcome == "refuse"
    assert [item.rule for item in decision.violations] == ["EX-HRS-001"]
    [alarm] = decision.alarms
    assert (alarm.plugin, alarm.hook) == ("province", "check_charge")
    assert alarm.problem.startswith(problem)
    assert "6222" not in str(decision.to_json())
    lawful = ruleset.check_charge(LAWFUL)
    assert (lawful.outcome, lawful.violations, lawful.alarms) == ("error", (), (alarm,))


UNEXPLAINED = """
    from offcampus_rules.hookspecs import Finding, hookimpl

    @hookimpl
    def check_charge(case):
        return (Finding(
            rule="EX-LOC-001", code={code!r}, requirement="M-07.3", fact="amount_fen",
            given=1, allowed=0, unit="fen", must_be={must_be!r}, parameter={parameter!r},
        ),)
"""


@pytest.mark.parametrize(
    ("code", "must_be", "parameter"),
    [
        ("sale.no_such_words", "at_most", "sale.hours_max"),
        ("sale.hours_exceeded", "at_most", "sale.no_such_value"),
        ("sale.no_such_words", "at_least", "sale.no_such_value"),
    ],
)
def test_a_finding_nobody_can_explain_is_no_refusal(nation, read, code, must_be, parameter):
    """Without words or a source the finding becomes an alarm: an unexplained refusal cannot come out."""
    hooks = UNEXPLAINED.format(code=code, must_be=must_be, parameter=parameter)
    decision = build([nation, read("110000", {}, hooks=hooks)]).check_charge(LAWFUL)
    assert decision.outcome == "error"
    assert "without explanation" in decision.alarms[0].problem


UNFOUNDED = """
    from offcampus_rules.hookspecs import Finding, hookimpl

    @hookimpl
    def check_charge(case):
        found = dict(
            rule="EX-LOC-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
            given=case.facts.total_fen, allowed=0, unit="fen", must_be="at_most", parameter="sale.hours_max",
        )
        return (Finding(**{{**found, **{changes!r}}}),)
"""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rule": "EX-HRS-001"}, "in the name of another's rule"),
        ({"fact": "shoe_size"}, "about no fact of this gate"),
        ({"unit": "count"}, "about no fact of this gate"),
        ({"given": None}, "without explanation (TypeError)"),
        ({"allowed": 1}, "of a limit that is not broken"),
        ({"must_be": "at_least"}, "of a limit that is not broken"),
        ({"must_be": "greater"}, "malformed: Finding.must_be"),
        ({"given": 1.0}, "holds float"),
        ({"rule": 7}, "malformed: Finding.rule"),
        ({"allowed": "much"}, "without explanation (TypeError)"),
    ],
)
def test_a_finding_that_does_not_stand_up_is_no_refusal(nation, read, changes, problem):
    """The kernel knows the facts and the owners of rules itself."""
    decision = build([nation, read("110000", {}, hooks=UNFOUNDED.format(changes=changes))]).check_charge(LAWFUL)
    assert decision.outcome == "error"
    assert problem in decision.alarms[0].problem


def test_many_at_once_are_the_same_decisions(nation, read):
    """A batch crosses once and changes nothing; neighbours in it are judged by their own plugins."""
    ruleset = build([nation, read("110000", {}, hooks=ADDS)])
    there = Scope("120101", "sport", "compulsory", "offline")
    cases = [
        charge(),
        LAWFUL,
        charge(scope=there),
        replace(LAWFUL, total_fen=200000),
        charge(signed_on=date(2020, 1, 1)),
    ]
    assert ruleset.check_many("charge", cases) == [ruleset.check_charge(case) for case in cases]
    assert ruleset.check_many("charge", []) == []


def test_a_case_that_breaks_a_batch_does_not_take_the_others_along(nation, read):
    """The batch is asked again one by one: the culprit alone is an alarm."""
    hooks = RAISES.format(body="while case.facts.total_fen == 13: pass\n        return ()")
    ruleset = build([nation, read("110000", {}, hooks=hooks)])
    cases = [LAWFUL, replace(LAWFUL, total_fen=13), replace(LAWFUL, total_fen=2)]
    assert [item.outcome for item in ruleset.check_many("charge", cases)] == ["allow", "error", "allow"]


def test_a_finding_resting_on_what_is_not_regulated_is_no_refusal(nation, read):
    """Before the value began there is nothing to cite."""
    ruleset = build([nation, read("110000", {}, hooks=ADDS)])
    early = charge(signed_on=date(2020, 12, 31))
    assert ruleset.check_charge(early).outcome == "error"


def test_each_gate_has_its_own_failure_policy(nation, read):
    """A dead plugin answers a lesson with an error and holds a release."""
    hooks = RAISES.format(body="raise RuntimeError").replace("check_charge", "check_release") + textwrap_lesson()
    ruleset = build([nation, read("110000", {}, hooks=hooks)])
    here = charge().scope
    release = Release(here, date(2026, 3, 1), AT, 100, 0, 1, 1, 1)
    assert ruleset.check_release(release).outcome == "hold"
    assert ruleset.check_lesson(LessonPlan(here, "football", AT, AT)).outcome == "error"


def textwrap_lesson():
    return """
    @hookimpl
    def check_lesson(case):
        return None
"""


@pytest.mark.parametrize(
    ("hooks", "reason"),
    [
        ("@hookimpl(wrapper=True)\ndef check_charge(case):\n    return (yield)", "wrapper"),
        ("@hookimpl(hookwrapper=True)\ndef check_charge(case):\n    yield", "hookwrapper"),
        ("@hookimpl(tryfirst=True)\ndef check_charge(case):\n    return ()", "tryfirst"),
        ("@hookimpl(trylast=True)\ndef check_charge(case):\n    return ()", "trylast"),
        ("@hookimpl(optionalhook=True)\ndef check_chrage(case):\n    return ()", "optionalhook"),
        ("@hookimpl(specname='check_charge')\ndef other(case):\n    return ()", "specname"),
        ("@hookimpl\ndef check_chrage(case):\n    return ()", "check_chrage"),
        ("def check_charge(case):\n    return ()", "marker"),
        ("@hookimpl\ndef check_charge(facts):\n    return ()", "facts"),
        ("@hookimpl\ndef check_charge():\n    return ()", "one argument"),
        ("@hookimpl\nasync def check_charge(case):\n    return ()", "plain function"),
        ("@hookimpl\ndef check_charge(case):\n    yield ()", "plain function"),
    ],
)
def test_hooks_that_are_refused_at_load(write, hooks, reason):
    """What pluggy lets through and a gate cannot bear: options that overrule others, silent misspellings."""
    text = "from offcampus_rules.hookspecs import hookimpl\n" + hooks + "\n"
    root = write("110000", {})
    (root / "package").mkdir()
    (root / "package" / "hooks.py").write_text(text)
    with pytest.raises(HookRefused, match=reason):
        read_folder(root)


def test_the_order_of_plugins_cannot_be_seen(nation, read, local_hours):
    """Whatever order plugins are found in: same digest, same decision."""
    plugins = [
        nation,
        read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50)}, hooks=ADDS),
        read("110105", {"parameters/sale/hours_max.yaml": local_hours("110105", 40)}),
    ]
    answers = {
        (ruleset.digest, ruleset.check_charge(charge()))
        for ruleset in (build(list(order)) for order in permutations(plugins))
    }
    assert len(answers) == 1
    [(_, decision)] = answers
    assert [(item.level, item.rule) for item in decision.violations] == [
        ("nation", "EX-HRS-001"),
        ("province", "EX-HRS-001"),
        ("county", "EX-HRS-001"),
        ("county", "EX-LOC-001"),  # it rests on the effective value, which is the county's
    ]


def test_a_silent_confirmation_stands_still_while_a_plugin_is_out(nation, read, local_hours):
    """The region's plugin did not load: nothing is confirmed by silence there, elsewhere it is."""
    broken = read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50).replace("sale.", "sole.")})
    ruleset = build([nation, broken])
    assert [item.jurisdiction for item in ruleset.rejected] == ["110000"]
    assert ruleset.check_charge(LAWFUL).outcome == "error"
    there = replace(LAWFUL, scope=Scope("120101", "sport", "compulsory", "offline"))
    assert ruleset.check_charge(there).outcome == "allow"
    with pytest.raises(KeyError):  # this miniature nation defines no silence: the question itself is open
        ruleset.confirmation_due(Confirmation(there.scope, AT))
