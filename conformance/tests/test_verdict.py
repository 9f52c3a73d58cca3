"""The rules by which a record becomes verdicts: the false green is what they are there to prevent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from offcampus_conformance.check import Check, Level
from offcampus_conformance.finding import Verdict, deviate
from offcampus_conformance.record import Exchange, Record, View
from offcampus_conformance.verdict import Exit, exit_code, judge


def exchange(label: str, status: int | None = 200) -> Exchange:
    return Exchange(label, "GET", "http://target/x", {}, None, status, {}, "{}", "2026-01-01T00:00:00Z", 1.0)


def check(
    judge: Callable[[View], None], *, id: str = "P-X-001", level: Level = "MUST", needs: tuple[str, ...] = (),
    claims: str | None = None,
) -> Check:  # fmt: skip
    return Check(id, "platform", level, "title", ("M-14.1",), "mend", "整改", judge, needs, claims)


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


@pytest.mark.parametrize(
    ("function", "level", "verdict"),
    [
        (passes, "MUST", Verdict.PASS),
        (deviates, "MUST", Verdict.FAIL),
        (deviates, "SHOULD", Verdict.WARN),
        (looks_at_nothing, "MUST", Verdict.NOT_EXERCISED),
        (breaks, "MUST", Verdict.ERROR),
        (wants_missing_step, "MUST", Verdict.BLOCKED),
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
        ([deviates, breaks], Exit.SUITE_ERROR),
        ([], Exit.NOTHING_JUDGED),
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
