"""The rules by which a record becomes verdicts: the false green is what they are there to prevent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from offcampus_conformance.check import Check, Level
from offcampus_conformance.expect import silence, some
from offcampus_conformance.finding import Verdict, deviate
from offcampus_conformance.record import Exchange, Record, Untestable, View
from offcampus_conformance.verdict import GREEN, SATISFIED, Exit, exit_code, judge, own_faults


def exchange(label: str, status: int | None = 200, sent: Any = None, **more: Any) -> Exchange:
    body = None if sent is None else json.dumps(sent)
    return Exchange(label, "GET", "http://target/x", {}, body, status, {}, "{}", "2026-01-01T00:00:00Z", 1.0, **more)


def check(
    judge: Callable[[View], None], *, id: str = "P-X-001", level: Level = "MUST", needs: tuple[str, ...] = (),
    claims: str | None = None, **more: Any,
) -> Check:  # fmt: skip
    return Check(id, "platform", level, "title", ("M-14.1",), "mend", "整改", judge, needs, claims, **more)


def passes(view: View) -> None:
    view.step("a")


def deviates(view: View) -> None:
    deviate("200", "500", view.step("a"))


def looks_at_nothing(view: View) -> None:
    view.steps("never.")


def breaks(view: View) -> None:
    view.step("a")
    raise KeyError("the suite's own mistake")


def wants_missing_step(view: View) -> None:
    view.step("b")


def meets_an_empty_list(view: View) -> None:
    view.step("a")
    for _ in some([], "lessons"):
        raise AssertionError("there is none")


def gives_up(view: View) -> None:
    view.step("a")
    raise Untestable("the target has no way to be made to do this")


@pytest.mark.parametrize(
    ("function", "level", "verdict"),
    [
        (passes, "MUST", Verdict.PASS),
        (deviates, "MUST", Verdict.FAIL),
        (deviates, "SHOULD", Verdict.WARN),
        (looks_at_nothing, "MUST", Verdict.NOT_EXERCISED),
        (breaks, "MUST", Verdict.ERROR),
        (wants_missing_step, "MUST", Verdict.BLOCKED),
        (meets_an_empty_list, "MUST", Verdict.NOT_EXERCISED),
        (gives_up, "MUST", Verdict.UNTESTABLE),
    ],
)
def test_one_check_one_verdict(function: Callable[[View], None], level: Level, verdict: Verdict) -> None:
    """Each way a check can end has its own verdict; a pass that looked at nothing is none of the green ones."""
    [result] = judge(Record([exchange("a")]), [check(function, level=level)])
    assert result.verdict is verdict


def test_the_reason_of_a_missing_step_is_told() -> None:
    """A blocked check says why its step was not carried out."""
    record = Record([exchange("a")])
    record.omit("b", "the order was refused")
    [result] = judge(record, [check(wants_missing_step)])
    assert "the order was refused" in result.note


def test_what_an_unmet_need_blocks_is_not_failed() -> None:
    """One root cause gives one failure: what builds on it is blocked, in whatever order the checks stand."""
    child = check(deviates, id="P-X-002", needs=("P-X-001",))
    root = check(deviates, id="P-X-001")
    verdicts = {result.check.id: result.verdict for result in judge(Record([exchange("a")]), [child, root])}
    assert verdicts == {"P-X-001": Verdict.FAIL, "P-X-002": Verdict.BLOCKED}


def test_needs_in_a_circle_are_refused() -> None:
    """Checks that need each other could never be judged."""
    checks = [check(passes, id="A", needs=("B",)), check(passes, id="B", needs=("A",))]
    with pytest.raises(ValueError, match="circle"):
        judge(Record(), checks)


def test_skip_only_where_nothing_was_claimed() -> None:
    """An optional capability is skipped until it is claimed, and judged from then on."""
    optional = check(deviates, claims="webhooks")
    assert judge(Record([exchange("a")]), [optional])[0].verdict is Verdict.SKIP
    assert judge(Record([exchange("a")]), [optional], {"webhooks"})[0].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("functions", "code"),
    [
        ([passes], Exit.CONFORMANT),
        ([passes, deviates], Exit.NOT_CONFORMANT),
        ([passes, wants_missing_step], Exit.NOT_CONFORMANT),
        ([passes, looks_at_nothing], Exit.NOT_CONFORMANT),
        ([passes, gives_up], Exit.NOT_CONFORMANT),
        ([deviates, breaks], Exit.SUITE_ERROR),
        ([], Exit.NOTHING_JUDGED),
        ([wants_missing_step, looks_at_nothing], Exit.NOTHING_JUDGED),
    ],
)
def test_exit_code(functions: list[Callable[[View], None]], code: Exit) -> None:
    """The suite's own error dominates; what is blocked or empty is not green; judging nothing is no pass."""
    checks = [check(function, id=f"P-X-{number}") for number, function in enumerate(functions)]
    assert exit_code(judge(Record([exchange("a")]), checks)) is code


def test_a_label_is_used_once() -> None:
    """Two exchanges under one label would let a check judge the wrong one."""
    record = Record([exchange("a")])
    with pytest.raises(ValueError, match="used once"):
        record.add(exchange("a"))


FUNCTIONS = (passes, deviates, looks_at_nothing, breaks, wants_missing_step, meets_an_empty_list, gives_up)
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(FUNCTIONS), st.sampled_from(["MUST", "SHOULD", "MAY"]),
        st.sampled_from(["pending", "advisory", "scored"]), st.sampled_from([None, "webhooks"]), st.booleans(),
    ),
    max_size=7,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=DRAWN, claims=st.sets(st.sampled_from(["webhooks"])), shuffled=st.randoms(use_true_random=False))
def test_the_rules_hold_over_all_runs(drawn: list[Any], claims: set[str], shuffled: Any) -> None:
    """Green needs a pass; an error dominates; only scored MUSTs redden; the order of checks changes nothing."""
    checks = [
        check(
            function, id=f"P-X-{number}", level=level, lifecycle=lifecycle, claims=claim,
            needs=(f"P-X-{number - 1}",) if needs and number else (),
        )
        for number, (function, level, lifecycle, claim, needs) in enumerate(drawn)
    ]  # fmt: skip
    record = Record([exchange("a")])
    results = judge(record, checks, claims)
    code, verdicts = exit_code(results), {result.check.id: result.verdict for result in results}
    roots_of = {result.check.id: result.roots for result in results}
    assert (code is Exit.SUITE_ERROR) == (Verdict.ERROR in verdicts.values())
    if code is Exit.CONFORMANT:
        assert {Verdict.PASS, Verdict.WARN} & set(verdicts.values())
        scored = [r for r in results if r.check.level == "MUST" and r.check.lifecycle == "scored"]
        assert all(result.verdict in GREEN for result in scored)
    for result in results:
        assert (result.verdict is Verdict.SKIP) == (
            result.check.claims is not None and result.check.claims not in claims
        )
        assert result.verdict is not Verdict.PASS or result.met
        assert (result.verdict is Verdict.FAIL) <= (result.check.level == "MUST" and result.check.lifecycle == "scored")
        assert all(verdicts[root] not in SATISFIED and not roots_of[root] for root in result.roots)
    again = list(checks)
    shuffled.shuffle(again)
    assert {result.check.id: result.verdict for result in judge(record, again, claims)} == verdicts


def test_the_root_of_a_chain_is_named() -> None:
    """Whatever hangs on a failure, over however many checks, names that failure and not what lies between."""
    chain = [check(deviates, id="P-X-0"), *(check(passes, id=f"P-X-{n}", needs=(f"P-X-{n - 1}",)) for n in (1, 2, 3))]
    results = judge(Record([exchange("a")]), chain)
    assert [(result.verdict, result.roots) for result in results[1:]] == [(Verdict.BLOCKED, ("P-X-0",))] * 3


def test_what_is_declared_must_be_met() -> None:
    """A check that says what it looks at, and did not, is not exercised however happy it is."""
    [result] = judge(Record([exchange("a"), exchange("b")]), [check(passes, meets=("a", "b"))])
    assert (result.verdict, result.note) == (Verdict.NOT_EXERCISED, "it never met b")


def test_a_claim_that_the_traffic_contradicts_is_told() -> None:
    """What is not claimed is skipped; when it is there nevertheless, the claim is wrong, and no MUST is broken."""
    optional = check(deviates, claims="webhooks", shown_by=("hook.*",))
    seen, refused = Record([exchange("hook.one")]), Record([exchange("hook.one", 404)])
    assert judge(seen, [optional])[0].verdict is Verdict.WARN
    assert judge(refused, [optional])[0].verdict is Verdict.SKIP


def probes(view: View) -> None:
    view.probe("bad", control="good", differs=("/uscc",), fresh=("/external_id",))


GOOD = {"uscc": "1", "external_id": "a", "hours": 1, "contact": {"phone": "010", "name": "x"}}


@pytest.mark.parametrize(
    ("control", "probe", "verdict"),
    [
        (exchange("good", 201, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2", "external_id": "b"}), Verdict.PASS),
        (exchange("good", 201, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2"}), Verdict.PASS),
        (exchange("good", 422, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2"}), Verdict.BLOCKED),
        (exchange("good", 201, GOOD), exchange("bad", 422, GOOD), Verdict.ERROR),
        (exchange("good", 201, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2", "hours": 2}), Verdict.ERROR),
        (exchange("good", 201, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2", "hours": 1.0}), Verdict.ERROR),
        (
            exchange("good", 201, GOOD),
            exchange("bad", 422, {**GOOD, "uscc": "2", "contact": {"phone": "011", "name": "x"}}),
            Verdict.ERROR,
        ),
        (exchange("good", 201, GOOD), exchange("bad", 422, {**GOOD, "uscc": "2"}, actor="other"), Verdict.ERROR),
    ],
    ids=["declared", "fresh is allowed", "control refused", "same", "elsewhere too", "float", "hidden", "other party"],
)
def test_a_probe_differs_from_its_accepted_control_in_the_declared_place(
    control: Exchange, probe: Exchange, verdict: Verdict
) -> None:
    """The suite proves on the bytes it sent, hidden ones too, that a probe is wrong in one way: else it is its fault."""
    [result] = judge(Record([control, probe]), [check(probes)])
    assert result.verdict is verdict, result.note
    if verdict is Verdict.PASS:
        assert result.controls == (("bad", "good"),)
        assert result.uncontrolled == ()


def test_a_refusal_without_its_lawful_twin_is_counted() -> None:
    """A check that rests on a refusal alone says so."""
    [result] = judge(Record([exchange("a", 422)]), [check(passes)])
    assert result.uncontrolled == ("a",)


def test_silence_proves_only_after_its_prerequisite() -> None:
    """That nothing came is a pass only when what should have provoked it was seen to happen."""

    def quiet(view: View) -> None:
        silence(view, "a", [], "second order")

    assert judge(Record([exchange("a")]), [check(quiet)])[0].verdict is Verdict.PASS
    assert judge(Record([exchange("a", 503)]), [check(quiet)])[0].verdict is Verdict.UNTESTABLE


def test_a_message_of_the_suite_that_breaks_the_contract_is_its_own_fault() -> None:
    """Unless it is meant to."""
    meant = exchange("a", breaks_contract=("/: required",), wrong="no name")
    assert own_faults([meant]) == []
    assert own_faults([exchange("b", breaks_contract=("/: required",))]) == ["b: /: required"]


def test_a_verdict_rests_on_its_weakest_evidence() -> None:
    """What a person did or attested is never shown as seen on the wire."""

    def both(view: View) -> None:
        view.step("a")
        view.step("b")

    [result] = judge(Record([exchange("a"), exchange("b", evidence="by_hand")]), [check(both)])
    assert result.evidence == "by_hand"


def test_a_verdict_that_more_traffic_could_change_is_not_told_early() -> None:
    """A look at named steps is final at once; a look at all of a kind only at the end."""

    def looks_at_all(view: View) -> None:
        deviate("two", "one", *view.steps("a"))

    record = Record([exchange("a")])
    assert judge(record, [check(deviates)])[0].final
    assert not judge(record, [check(looks_at_all)])[0].final
    assert not judge(record, [check(wants_missing_step)])[0].final
