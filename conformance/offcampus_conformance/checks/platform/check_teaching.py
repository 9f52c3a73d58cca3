"""Consumption item by item: each way in which a report can be untrue is refused under its own name."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.platform.check_supply import item_refused
from offcampus_conformance.expect import equal, member, problem, status
from offcampus_conformance.record import View

P = "platform"
LESSON_CENTI = 200


@check(
    "P-CONS-003", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-CONS-001",),
    sends="records of another day than the lesson's, and with an end before their beginning",
    remedy_en="In POST /v1/consumption-records/batch hold the times against the lesson's day and each other: consumption.time_mismatch.",
    remedy_zh="POST /v1/consumption-records/batch 核对记录时间与课次日期及先后顺序：consumption.time_mismatch。",
)  # fmt: skip
def a_record_is_of_its_lesson_s_time(view: View) -> None:
    """What was taught on another day, or backwards, was not this lesson."""
    item_refused(view.step("consumption.other_day"), "consumption.time_mismatch")
    item_refused(view.step("consumption.backwards"), "consumption.time_mismatch")


@check(
    "P-CONS-004", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-CONS-001",),
    sends="a record of more hours than the lesson has, and one of more than the order has left",
    remedy_en="Take at most the lesson's hours (consumption.exceeds_lesson) and at most what is left (consumption.exceeds_balance).",
    remedy_zh="消课不得超过课次课时（consumption.exceeds_lesson）与剩余课时（consumption.exceeds_balance）。",
)  # fmt: skip
def no_more_is_consumed_than_there_is(view: View) -> None:
    """Neither more than the lesson nor more than the order holds."""
    item_refused(view.step("consumption.exceeds_lesson"), "consumption.exceeds_lesson")
    item_refused(view.step("consumption.exceeds_balance"), "consumption.exceeds_balance")


@check(
    "P-CONS-005", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-CONS-001",),
    sends="a record of two days before the order was placed",
    remedy_en="Refuse what lies before the purchase: consumption.before_purchase.",
    remedy_zh="购买之前的消课返回 consumption.before_purchase。",
)  # fmt: skip
def nothing_is_consumed_before_it_is_bought(view: View) -> None:
    """Hours of before the purchase are not of this order."""
    item_refused(view.step("consumption.before_purchase"), "consumption.before_purchase")


@check(
    "P-CONS-006", profile=P, level="MUST", requirements=("M-07.3", "M-14.1"), needs=("P-CONS-001",),
    sends="a record for an order that nobody has paid and that was cancelled",
    remedy_en="Take records of paid orders only: consumption.order_not_payable.",
    remedy_zh="仅接受已付款订单的消课，否则返回 consumption.order_not_payable。",
)  # fmt: skip
def only_paid_orders_are_consumed(view: View) -> None:
    """A cancelled order has nothing to consume."""
    item_refused(view.step("consumption.unpaid_order"), "consumption.order_not_payable")


@check(
    "P-CONS-007", profile=P, level="MUST", requirements=("M-07.2",), needs=("P-CONS-001",),
    sends="a record for a lesson that was cancelled",
    remedy_en="Take records of lessons that took place: resource.state at /lesson_id for a cancelled one.",
    remedy_zh="已取消课次的消课返回 resource.state 并指向 /lesson_id。",
)  # fmt: skip
def a_cancelled_lesson_was_not_taught(view: View) -> None:
    """What was called off cannot be reported."""
    item_refused(view.step("consumption.cancelled_lesson"), "resource.state")


@check(
    "P-CONS-008", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-CONS-001",),
    sends="a record of minus two hours, and one with a time without an offset",
    remedy_en="Hours are positive (reversals have a type of their own); every instant has an offset: refuse others by schema.",
    remedy_zh="课时必须为正（冲正有专门类型），时间必须带时区偏移，否则按模式拒绝。",
)  # fmt: skip
def hours_are_positive_and_times_have_an_offset(view: View) -> None:
    """Neither negative hours nor naive times are taken."""
    item_refused(view.step("consumption.negative"), "schema.invalid")
    told = item_refused(view.step("consumption.naive_time"), "schema.invalid")
    places = [entry.get("pointer") for entry in told.get("violations", [])]
    equal(
        True,
        "/occurred_from" in places,
        f"a violation at /occurred_from ({places})",
        view.step("consumption.naive_time"),
    )


@check(
    "P-DISP-001", profile=P, level="MUST", requirements=("M-16.1", "M-14.1"), needs=("P-ANSWER-resolveDispute",),
    sends="the authority upholds the guardian; the order before and after",
    remedy_en="In POST /v1/consumption-records/{id}/dispute-resolution void the record for the family and give its hours back.",
    remedy_zh="裁定支持家长时作废该记录并退还课时。",
)  # fmt: skip
def a_dispute_upheld_gives_the_hours_back(view: View) -> None:
    """The record is void, and the order has the lesson's hours again."""
    ruled = status(view.step("op.resolveDispute"), 200)
    equal("void", member(ruled.json(), "state", ruled), "state", ruled)
    before, after = status(view.step("order.disputed"), 200), status(view.step("order.consumed"), 200)
    name = "consumed_class_hours_centi"
    difference = member(before.json(), name, before) - member(after.json(), name, after)
    equal(LESSON_CENTI, difference, "hours given back", before, after)


@check(
    "P-DISP-002", profile=P, level="MUST", requirements=("M-08.2", "M-14.1"), needs=("P-CONS-002",),
    sends="a confirmation of a record that is disputed",
    remedy_en="A disputed record waits for the ruling: refuse its confirmation with 409 resource.state.",
    remedy_zh="有异议的记录在裁定前不得确认，返回409 resource.state。",
)  # fmt: skip
def a_disputed_record_is_not_confirmed(view: View) -> None:
    """Nothing but a ruling ends a dispute."""
    problem(view.step("consumption.confirm_disputed"), 409, "resource.state")
