"""Paid, not yet in custody: lessons and refunds work, releases wait; what a channel keeps is not the family's loss."""

from __future__ import annotations

from typing import Any

import pytest
from money import agreed, approve, ask, balanced, dispute, execute, instructions, refund, resolve, take
from world import Document, World, problem


@pytest.fixture
def captured(world: World) -> World:
    """An order of 4,800.00 that was paid by WeChat and in cash; custody has nothing of it."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    pay(world, captured_at=world.at(-10, 10))
    return world


def pay(world: World, **part: Any) -> Any:
    parts = [
        {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w", **part},
        {"channel": "cash", "amount_fen": 180_000, "payer_reference": "c", **part},
    ]
    payment = {"external_id": world.fresh("pay"), "order_id": world.ids["order"], "parts": parts,
               "payer": {"guardian_id": world.ids["guardian"]}}  # fmt: skip
    answer = world.guardian_app.post("/v1/payments", payment)
    if answer.status_code == 201:
        world.ids["payment"] = answer.json["id"]
    return answer


def arrive(world: World, part_no: int, fen: int, fee: int = 0) -> tuple[str, str | None]:
    more = {"fee_fen": fee} if fee else {}
    return take(world, world.receipt_document(part_no, fen, **more))[0]


def payment(world: World) -> Document:
    return dict(world.ok(world.vendor.get(f"/v1/payments/{world.ids['payment']}")))


def test_an_order_is_paid_when_its_channels_have_the_money(captured: World) -> None:
    """Every part is captured: paid, all of it in transit; the payment settles when the bank has reported both."""
    order = captured.order()
    assert (order["state"], order["paid_fen"], order["in_transit_fen"]) == ("paid", 480_000, 480_000)
    assert payment(captured)["state"] == "pending"
    assert arrive(captured, 1, 300_000) == ("matched", None)
    assert (captured.order()["in_transit_fen"], payment(captured)["state"]) == (180_000, "pending")
    assert arrive(captured, 2, 180_000) == ("matched", None)
    assert (captured.order()["in_transit_fen"], payment(captured)["state"]) == (0, "settled")
    assert arrive(captured, 2, 180_000) == ("unmatched", "duplicate")
    balanced(captured)


def test_a_release_waits_for_what_is_in_transit(captured: World) -> None:
    """A lesson is taught and confirmed at once; the bank is asked on arrival, for what has arrived (scenario 19)."""
    [record] = captured.report(1)
    captured.ok(captured.confirm(record))
    assert instructions(captured) == []
    arrive(captured, 2, 180_000)
    assert [i["amount_fen"] for i in instructions(captured)] == [24_000]
    captured.execute_all()
    assert balanced(captured)["released"] == 24_000


def test_a_refund_is_instructed_as_its_money_arrives(captured: World) -> None:
    """Agreed while in transit; each part goes back when it is there, and the refund is paid when all of it is."""
    asked = agreed(captured)
    assert (asked["state"], asked["amount_fen"], asked["parts"]) == ("paying", 480_000, [])
    arrive(captured, 1, 300_000)
    [first] = instructions(captured)
    captured.ok(execute(captured, first["id"]))
    assert refund(captured, asked["id"])["state"] == "paying"
    arrive(captured, 2, 180_000)
    captured.execute_all()
    done = refund(captured, asked["id"])
    assert done["state"] == "paid"
    assert sum(part["amount_fen"] for part in done["parts"]) == 480_000
    assert captured.order()["state"] == "closed"
    assert balanced(captured)["refunded"] == 480_000


def test_a_channels_fee_is_not_missing_money(captured: World) -> None:
    """3,000.00 paid, 2,982.00 booked: matched; the order has 4,800.00, and the fee is kept from the first release."""
    assert arrive(captured, 1, 298_200, 1_800) == ("matched", None)
    arrive(captured, 2, 180_000)
    assert payment(captured)["parts"][0]["fee_fen"] == 1_800
    assert balanced(captured)["escrow"] == 480_000
    [record] = captured.report(1)
    captured.ok(captured.confirm(record))
    assert [i["amount_fen"] for i in instructions(captured)] == [24_000 - 1_800]
    found = balanced(captured)
    assert (found["released"], found["pending_release"]) == (1_800, 22_200)
    [second] = captured.report(2)
    captured.ok(captured.confirm(second))
    assert sum(i["amount_fen"] for i in instructions(captured)) == 48_000 - 1_800, "the fee is kept once"
    balanced(captured)


def test_a_refund_is_what_was_paid_whatever_a_channel_kept(captured: World) -> None:
    """Before any release: another order's money in the account covers the fee until the institution has paid it."""
    arrive(captured, 1, 298_200, 1_800)
    arrive(captured, 2, 180_000)
    asked = captured.ok(ask(captured))
    assert asked["amount_fen"] == 480_000
    captured.ok(approve(captured, asked))
    assert sum(i["amount_fen"] for i in instructions(captured)) == 478_200, "the account has no more"
    balanced(captured)


def test_what_a_family_is_promised_in_transit_is_nobody_elses(captured: World) -> None:
    """All of it is agreed to; a lesson that is told afterwards frees nothing for a release or for a channel's fee."""
    agreed(captured)
    [record] = captured.report(1)
    captured.ok(captured.confirm(record))
    arrive(captured, 1, 298_200, 1_800)
    arrive(captured, 2, 180_000)
    captured.execute_all()
    found = balanced(captured)
    assert (found["released"], found["refunded"], found["escrow"]) == (0, 478_200, 1_800), "the rest is kept for it"
    assert captured.order()["state"] == "refunding"


def test_a_lesson_that_turns_out_not_taught_is_added_once_to_what_is_in_transit(captured: World) -> None:
    """4,560.00 are agreed and have not arrived; the ruling adds 240.00, and not all that no bank was asked for yet."""
    [record] = captured.report(1)
    asked = agreed(captured)
    assert asked["amount_fen"] == 456_000
    resolve(captured, dispute(captured, record), "uphold_parent")
    assert refund(captured, asked["id"])["amount_fen"] == 480_000
    arrive(captured, 1, 300_000)
    arrive(captured, 2, 180_000)
    captured.execute_all()
    assert refund(captured, asked["id"])["state"] == "paid"
    assert balanced(captured)["refunded"] == 480_000


@pytest.mark.parametrize(("fen", "fee", "why"), [(298_200, 0, "wrong_sum"), (298_200, 1_799, "wrong_sum")])
def test_a_receipt_and_its_fee_are_the_part(captured: World, fen: int, fee: int, why: str) -> None:
    """Less than the part without a fee, or with another one, is a difference."""
    assert arrive(captured, 1, fen, fee) == ("unmatched", why)
    balanced(captured)


def test_a_fee_without_a_capture(world: World) -> None:
    """The bank is the first to tell: the whole part is paid, the fee is owed."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    pay(world)
    assert world.order()["state"] == "awaiting_payment"
    arrive(world, 1, 298_200, 1_800)
    assert (world.order()["state"], world.order()["paid_fen"]) == ("awaiting_payment", 300_000)
    arrive(world, 2, 180_000)
    assert world.order()["state"] == "paid"
    assert balanced(world)["escrow"] == 480_000


@pytest.mark.parametrize(("day", "code"), [(-11, "schema.period"), (1, "schema.future")])
def test_a_channel_captures_after_the_order_and_before_now(world: World, day: int, code: str) -> None:
    """Any other moment is refused, at its place."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    found = problem(pay(world, captured_at=world.at(day, 10)), 422, "schema.invalid", "/parts/1/captured_at")
    assert {entry["code"] for entry in found["violations"]} == {code}
    assert world.count("payments") == 0


def test_what_is_captured_is_not_cancelled(captured: World) -> None:
    """The channel has the family's money: it goes back by a refund."""
    order = captured.order()
    problem(
        captured.vendor.post(f"/v1/orders/{order['id']}/cancellation", {}, if_match=order["version"]),
        409,
        "resource.state",
    )
