"""Scenarios of the field: fees taken on the way, money that is late, three channels, a card that is closed."""

from __future__ import annotations

from typing import Any

import pytest
from money import agreed, ask, balanced, execute, fail, refund, surely_failed, sweep, take
from offcampus_server.refunds.service import pay_again
from world import Document, World, problem


@pytest.fixture
def ordered(world: World) -> World:
    """An order of 5,000.00 yuan that awaits its payment."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False, **priced(500_000))
    return world


def priced(fen: int) -> Document:
    return {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": fen}], "total_fen": fen}


def promise(world: World, *parts: tuple[str, int], **payer: Any) -> None:
    payment = {
        "external_id": world.fresh("pay"), "order_id": world.ids["order"],
        "parts": [{"channel": c, "amount_fen": fen, "payer_reference": c} for c, fen in parts],
        "payer": payer or {"guardian_id": world.ids["guardian"]},
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]


def test_a_refund_after_one_of_three_lessons(world: World) -> None:
    """Scenario 11: 1,000.00 yuan in three; after one lesson 333.33 were released and 666.67 go back."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(class_hours_centi=600, **priced(100_000))
    world.confirm(*world.report(1))
    world.execute_all()
    assert agreed(world)["amount_fen"] == 66_667
    world.execute_all()
    found = balanced(world)
    assert (found["released"], found["refunded"], found["escrow"]) == (33_333, 66_667, 0)


def test_a_channels_fee_is_no_missing_money(ordered: World) -> None:
    """Scenario 18: 5,000.00 arrive and 30.00 are taken as a fee: paid in full, the fee a difference, refunded in full."""
    promise(ordered, ("wechat", 500_000))
    fee = {**ordered.receipt_document(1, 3_000), "kind": "fee", "direction": "debit"}
    assert take(ordered, ordered.receipt_document(1, 500_000), fee) == [("matched", None), ("unmatched", "fee")]
    assert agreed(ordered)["amount_fen"] == 500_000
    ordered.execute_all()
    assert balanced(ordered)["refunded"] == 500_000


def test_a_receipt_net_of_its_fee_pays_nothing_until_the_rest_is_there(ordered: World) -> None:
    """Scenario 18 otherwise: 4,970.00 booked is a wrong sum with a name; nobody guesses the 30.00."""
    promise(ordered, ("wechat", 500_000))
    assert take(ordered, ordered.receipt_document(1, 497_000)) == [("unmatched", "wrong_sum")]
    assert (ordered.order()["state"], balanced(ordered)["paid"]) == ("awaiting_payment", 0)
    assert take(ordered, ordered.receipt_document(1, 500_000)) == [("matched", None)]
    assert ordered.order()["state"] == "paid"


def test_lessons_before_the_money_is_in_custody_are_not_lost(ordered: World) -> None:
    """Scenario 19: taught on T+1, in custody on T+7. Nothing is released before; then the lesson counts as any other."""
    promise(ordered, ("wechat", 500_000))
    early = ordered.vendor.post("/v1/consumption-records/batch", {"items": [ordered.record_document(1)]})
    (result,) = ordered.ok(early)["results"]
    assert result["problem"]["code"] == "consumption.order_not_payable"
    problem(ask(ordered), 409, "resource.state")
    take(ordered, ordered.receipt_document(1, 500_000, value_on=ordered.day(-2)))
    ordered.confirm(*ordered.report(1))
    assert balanced(ordered)["pending_release"] == 25_000
    ordered.execute_all()
    assert agreed(ordered)["amount_fen"] == 475_000


def test_grandmother_pays_by_three_ways(ordered: World) -> None:
    """Scenario 33: wallet, e-CNY and cash by a grandparent: each gets its share back, and its own sum at the most."""
    promise(ordered, ("wechat", 250_000), ("ecny", 150_000), ("cash", 100_000), relation="grandparent")
    take(ordered, *(ordered.receipt_document(n, fen) for n, fen in ((1, 250_000), (2, 150_000), (3, 100_000))))
    ordered.confirm(*ordered.report(1))
    ordered.execute_all()
    done = agreed(ordered)
    assert {part["channel"]: part["amount_fen"] for part in done["parts"]} == {
        "wechat": 237_500, "ecny": 142_500, "cash": 95_000,
    }  # fmt: skip
    ordered.execute_all()
    assert balanced(ordered)["refunded"] == 475_000
    assert ordered.order()["state"] == "closed"


def test_a_closed_card_keeps_its_money_safe_and_its_part_visible(ordered: World) -> None:
    """Scenario 33: the card is closed. The wallet is paid; the card's part fails day after day and is never lost."""
    promise(ordered, ("wechat", 300_000), ("bank_card", 200_000))
    take(ordered, ordered.receipt_document(1, 300_000), ordered.receipt_document(2, 200_000))
    done = agreed(ordered)
    for _ in range(3):
        for part in refund(ordered, done["id"])["parts"]:
            if part["state"] == "issued":
                act = execute if part["channel"] == "wechat" else fail
                ordered.ok(act(ordered, part["instruction_id"]))
        found = refund(ordered, done["id"])
        assert found["state"] == "failed"
        assert len(found["parts"]) == 2
        assert balanced(ordered)["pending_refund"] == 200_000
        surely_failed(ordered)
        assert balanced(ordered)["escrow"] == 200_000
        assert sweep(ordered, pay_again) == 1
    ordered.execute_all()
    assert (refund(ordered, done["id"])["state"], ordered.order()["state"]) == ("paid", "closed")
    assert balanced(ordered)["refunded"] == 500_000


def test_a_price_of_one_fen(world: World) -> None:
    """The smallest order: two lessons, the second earns the fen."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False, class_hours_centi=400, **priced(1))
    promise(world, ("wechat", 1))
    take(world, world.receipt_document(1, 1))
    first, second = world.report(1, 2)
    world.confirm(first)
    assert world.execute_all() == []
    world.confirm(second)
    assert [done["amount_fen"] for done in world.execute_all()] == [1]
    assert balanced(world)["released"] == 1
