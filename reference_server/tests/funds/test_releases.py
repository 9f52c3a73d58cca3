"""Releases by the plan that an order was sold under: settlement days, schedules, the last lesson, batches. Both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from money import (
    agreed,
    balanced,
    dispute,
    fail,
    in_contract,
    instructions,
    line,
    open_family,
    resolve,
    run,
    sweep,
    take,
)
from offcampus_rules import ReleasePlanRequest, RuleSet, Value
from offcampus_rules.decision import Figure
from offcampus_server.funds.releases import release_waiting
from world import Document, World, problem

Sold = Callable[..., World]


@pytest.fixture
def sold(world: World, monkeypatch: pytest.MonkeyPatch) -> Sold:
    """A paid order of 40 hours for 4,800.00 yuan, sold under a plan that only this order's date knows."""

    def sell(mode: str, *steps: tuple[int, int], follows: bool = True) -> World:
        found = {"mode": mode, "steps": [{"day": world.day(day), "share_ppm": share} for day, share in steps]}
        told, value = RuleSet.release_plan, RuleSet.value

        def plan(self: RuleSet, case: ReleasePlanRequest) -> Figure:
            return Figure("release_plan", found, ("a city's rule",), ("某市规定",), ())

        def looked_up(self: RuleSet, parameter: str, scope: Any, on: Any) -> Value:
            if parameter == "release.proportional" and not follows:
                raise KeyError(parameter)
            return value(self, parameter, scope, on)

        monkeypatch.setattr(RuleSet, "release_plan", plan)
        monkeypatch.setattr(RuleSet, "value", looked_up)
        world.ready()
        monkeypatch.setattr(RuleSet, "release_plan", told)
        monkeypatch.setattr(RuleSet, "value", value)
        return world

    return sell


def lesson(world: World, *numbers: int) -> None:
    """Lessons are taught, reported and confirmed."""
    for record in world.report(*numbers):
        world.ok(world.confirm(record))


def releases(world: World) -> list[int]:
    return [item["amount_fen"] for item in instructions(world) if item["kind"] == "release"]


@pytest.mark.parametrize(("mode", "day"), [("weekly", 5), ("per_month", 20)])
def test_between_settlement_days_nothing_leaves(sold: Sold, mode: str, day: int) -> None:
    """Three lessons are confirmed; on the settlement day one instruction has all of them; the next waits again."""
    steps = [(20, 400_000), (70, 1_000_000)] if mode == "per_month" else []
    world = sold(mode, *steps)
    lesson(world, 1, 2)
    lesson(world, 3)
    assert (releases(world), sweep(world, release_waiting)) == ([], 0)
    run(world, "UPDATE releases_waiting SET not_before = '2000-01-01T00:00:00.000000+00:00'")
    assert (sweep(world, release_waiting), releases(world)) == (1, []), "an unfreeze brings no settlement forward"
    world.shift(days=day)
    assert [sweep(world, release_waiting), sweep(world, release_waiting)] == [1, 0]
    assert releases(world) == [72_000]
    world.execute_all()
    lesson(world, 4)
    assert releases(world) == [72_000]
    assert balanced(world)["released"] == 72_000


def test_a_refund_settles_at_once(sold: Sold) -> None:
    """No lesson follows: what was earned since the last settlement leaves with the refund, and the order closes."""
    world = sold("weekly")
    lesson(world, 1, 2)
    agreed(world)
    assert releases(world) == [48_000]
    world.execute_all()
    found = balanced(world)
    assert (found["released"], found["refunded"], found["escrow"]) == (48_000, 432_000, 0)
    assert world.order()["state"] == "closed"


def test_nothing_leaves_before_the_last_lesson(sold: Sold) -> None:
    """Seven lessons of twenty are confirmed and nothing has left; when the period is over, it all does, once."""
    world = sold("after_last_lesson", (70, 1_000_000))
    lesson(world, 1, 2, 3)
    world.shift(days=69)
    assert (sweep(world, release_waiting), releases(world)) == (0, [])
    world.shift(days=1)
    assert (sweep(world, release_waiting), releases(world)) == (1, [72_000])


def test_a_dispute_moves_the_last_lesson(sold: Sold) -> None:
    """An hour is undecided when the period ends: nothing leaves until it is ruled on."""
    world = sold("after_last_lesson", (70, 1_000_000))
    lesson(world, 1)
    (record,) = world.report(2)
    disputed = dispute(world, record)
    world.shift(days=70)
    assert (sweep(world, release_waiting), releases(world)) == (1, [])
    resolve(world, disputed, "uphold_institution")
    assert releases(world) == [48_000]


def test_a_schedule_of_the_past_runs_ahead_of_the_teaching(sold: Sold, monkeypatch: pytest.MonkeyPatch) -> None:
    """3:3:4 under a contract that no principle of proportion reaches: its share leaves on its day, taught or not."""
    check = RuleSet.check_release
    monkeypatch.setattr(RuleSet, "check_release", lambda self, case: _allowing(check(self, case)))
    world = sold("schedule", (-9, 300_000), (5, 600_000), (35, 1_000_000), follows=False)
    assert releases(world) == [144_000]
    assert sweep(world, release_waiting) == 0
    (record,) = world.report(1)
    dispute(world, record)
    world.shift(days=5)
    assert (sweep(world, release_waiting), releases(world)) == (1, [144_000, 144_000])
    world.shift(days=30)
    sweep(world, release_waiting)
    assert releases(world)[2:] == [168_000], "the disputed lesson's own money waits"
    assert balanced(world)["escrow"] == 24_000


def test_the_nation_s_principle_caps_a_schedule(sold: Sold) -> None:
    """The same schedule today: 30 % is due by its day, two lessons of twenty are earned, and no fen more leaves."""
    world = sold("schedule", (-9, 300_000), (5, 600_000), (35, 1_000_000))
    assert releases(world) == []
    lesson(world, 1, 2)
    assert releases(world) == [24_000, 24_000]
    assert balanced(world)["pending_release"] == 48_000


def _allowing(decision: Any) -> Any:
    assert [entry.rule for entry in decision.violations] in ([], ["CN-PRE-010"])
    return msgspec.structs.replace(decision, outcome="allow", violations=())


def test_a_batch_keeps_what_all_families_have_unconsumed(sold: Sold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jiangsu: the rules are told both totals once the release is booked, over all orders of the institution."""
    seen: list[Any] = []
    check = RuleSet.check_release

    def watched(self: RuleSet, case: Any) -> Any:
        seen.append(case)
        return check(self, case)

    world = sold("batch_above_unconsumed")
    first = world.ids["order"]
    open_family(world)
    world.buy()
    world.ids["order"] = first
    monkeypatch.setattr(RuleSet, "check_release", watched)
    lesson(world, 1)
    (case,) = seen
    assert (case.custody_after_fen, case.unconsumed_after_fen) == (936_000, 936_000)
    assert (case.mode, releases(world)) == ("batch_above_unconsumed", [24_000])


def test_the_plan_is_fixed_when_the_order_is_sold(world: World) -> None:
    """Beijing, science: by lesson or by month, the contract chooses; what is not on offer is no contract to sell under."""
    course: Document = {"sector": "sci_tech", "subject": "robotics", "title": "机器人"}
    world.open_institution(sectors=["sci_tech"])
    made = world.ok(world.vendor.post("/v1/courses", world.course_document(**course)))
    world.ok(world.authority.post(f"/v1/courses/{made['id']}/approval", {}, if_match=made["version"]))
    world.ids["course"] = made["id"]
    open_family(world)
    assert _order(world).json["release_plan"]["mode"] is None
    _contract(world, release_mode="per_month")
    plan = world.ok(_order(world), 201)["release_plan"]
    assert (plan["mode"], plan["follows_teaching"], plan["steps"][-1]) == (
        "per_month", True, {"starts_on": world.day(70), "share_ppm": 1_000_000},
    )  # fmt: skip
    assert "北京市科技类校外培训预收费管理办法" in plan["working"][0]["text_zh"]
    _contract(world, release_mode="weekly")
    refused = problem(in_contract(_order(world), "createOrder"), 422, "reference.mismatch", "/contract_id")
    assert "per_lesson, per_month" in refused["detail"]


def _contract(world: World, **changes: Any) -> None:
    body = {
        "external_id": world.fresh("ctr"), "institution_id": world.ids["institution"], "pupil_id": world.ids["pupil"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": "1", "signed_on": world.day(-10), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody", **changes,
    }  # fmt: skip
    world.ids["contract"] = world.ok(world.vendor.post("/v1/contracts", body), 201)["id"]


def _order(world: World) -> Any:
    price = {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 120_000}], "total_fen": 120_000}
    return world.vendor.post("/v1/orders", world.order_document(class_hours_centi=1000, **price))


def test_what_a_bank_may_have_released_already_is_not_free(world: World) -> None:
    """A failed release is reported as moved after all; another lesson's share would be paid from others' money."""
    world.ready()
    lesson(world, 1)
    (first,) = instructions(world)
    world.ok(fail(world, first["id"]))
    assert take(world, line(world, first)) == [("unmatched", "late_success")]
    agreed(world)
    lesson(world, 2)
    assert [item["id"] for item in instructions(world) if item["kind"] == "release"] == [first["id"]]
    world.shift(days=2)
    sweep(world, release_waiting)
    assert [item["id"] for item in instructions(world) if item["kind"] == "release"] == [first["id"]]
    balanced(world)


def test_in_step_with_teaching_is_by_the_orders_own_prices(world: World) -> None:
    """Ten dear hours, thirty cheap ones: a lesson of the dear ones releases its own price, and no rule holds it back."""
    world.open_class()
    open_family(world)
    world.open_account()
    tuition = {"kind": "tuition", "title": "学费"}
    dear, cheap = ({**tuition, "amount_fen": fen, "class_hours_centi": hours}
                   for fen, hours in ((300_000, 1_000), (180_000, 3_000)))  # fmt: skip
    world.buy(price_lines=[dear, cheap])
    lesson(world, 1)
    assert releases(world) == [60_000]
    balanced(world)
