"""Payments: promised for an order, settled by the bank's receipts, and given up when the order is."""

from __future__ import annotations

from typing import Any

import pytest
from money import balanced, event_types, in_contract, take
from world import Document, World, problem


@pytest.fixture
def ordered(world: World) -> World:
    """An order of 4,800.00 yuan that awaits its payment."""
    return placed(world)


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return placed(sqlite_world)


def placed(world: World) -> World:
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    return world


def payment_document(world: World, *amounts: int, **changes: Any) -> Document:
    channels = ("wechat", "bank_card", "cash", "alipay", "ecny")
    parts = [
        {"channel": channels[n], "amount_fen": fen, "payer_reference": f"尾号{n}"} for n, fen in enumerate(amounts)
    ]
    return {
        "external_id": world.fresh("pay"), "order_id": world.ids["order"], "parts": parts,
        "payer": {"guardian_id": world.ids["guardian"]}, **changes,
    }  # fmt: skip


def promise(world: World, *amounts: int) -> Document:
    made = world.ok(world.guardian_app.post("/v1/payments", payment_document(world, *amounts)), 201)
    world.ids["payment"] = made["id"]
    return dict(made)


def test_a_payment_is_settled_part_by_part(ordered: World) -> None:
    """The order is paid with the last part, and not before."""
    made = promise(ordered, 300_000, 100_000, 80_000)
    assert (made["state"], [part["settled"] for part in made["parts"]]) == ("pending", [False] * 3)
    for number, fen in ((3, 80_000), (1, 300_000)):
        assert take(ordered, ordered.receipt_document(number, fen)) == [("matched", None)]
        assert ordered.order()["state"] == "awaiting_payment"
    assert balanced(ordered)["escrow"] == 380_000
    take(ordered, ordered.receipt_document(2, 100_000))
    read = ordered.ok(ordered.guardian_app.get(f"/v1/payments/{made['id']}"))
    assert (read["state"], [part["settled"] for part in read["parts"]]) == ("settled", [True] * 3)
    assert read["settled_at"] is not None
    assert ordered.order()["state"] == "paid"
    assert balanced(ordered)["escrow"] == 480_000
    assert event_types(ordered, made["id"]) == ["payment.created", "payment.settled"]
    assert "order.paid" in event_types(ordered, ordered.ids["order"])


def test_the_payers_account_is_never_answered(ordered: World) -> None:
    """Not even masked as it came, to nobody."""
    made = promise(ordered, 480_000)
    for name in ("vendor", "guardian_app", "authority"):
        read = ordered.parties[name].get(f"/v1/payments/{made['id']}")
        listed = ordered.parties[name].get("/v1/payments", order_id=ordered.ids["order"])
        assert "尾号" not in read.get_data(as_text=True) + listed.get_data(as_text=True)
        assert [item["id"] for item in ordered.ok(listed)["items"]] == [made["id"]]
    problem(ordered.rival.get(f"/v1/payments/{made['id']}"), 404, "resource.not_found")


@pytest.mark.parametrize("amounts", [(479_999,), (300_000, 180_001), (480_000, 1)])
def test_the_parts_are_the_price(lite: World, amounts: tuple[int, ...]) -> None:
    """A fen less or more is refused, with the sum that is expected."""
    answer = lite.guardian_app.post("/v1/payments", payment_document(lite, *amounts))
    refused = problem(in_contract(answer, "createPayment"), 422, "money.sum_mismatch", "/parts")
    assert (refused["violations"][0]["given"], refused["violations"][0]["allowed"]) == (sum(amounts), 480_000)
    assert lite.count("payments") == 0


def test_an_order_has_one_live_payment(ordered: World) -> None:
    """A second promise is refused while the first lives; the same one again is the same payment."""
    sent = payment_document(ordered, 480_000)
    made = ordered.ok(ordered.guardian_app.post("/v1/payments", sent), 201)
    assert ordered.ok(ordered.guardian_app.post("/v1/payments", sent), 200)["id"] == made["id"]
    answer = ordered.guardian_app.post("/v1/payments", payment_document(ordered, 480_000))
    problem(in_contract(answer, "createPayment"), 409, "resource.state")
    answer = ordered.guardian_app.post("/v1/payments", {**sent, "payer": {"relation": "grandparent"}})
    problem(in_contract(answer, "createPayment"), 409, "resource.exists")
    assert ordered.count("payments") == 1


def test_a_paid_order_is_not_paid_again(ordered: World) -> None:
    """Nor a cancelled one."""
    ordered.pay(480_000)
    answer = ordered.guardian_app.post("/v1/payments", payment_document(ordered, 480_000))
    problem(in_contract(answer, "createPayment"), 409, "resource.state")


def test_a_payment_names_an_order_and_a_guardian_of_its_pupil(lite: World) -> None:
    """What the document names is pointed at, never answered as a missing page."""
    answer = lite.guardian_app.post("/v1/payments", payment_document(lite, 480_000, order_id="ord_" + "0" * 26))
    problem(in_contract(answer, "createPayment"), 422, "reference.not_found", "/order_id")
    stranger = {"guardian_id": "grd_" + "0" * 26}
    answer = lite.guardian_app.post("/v1/payments", payment_document(lite, 480_000, payer=stranger))
    problem(in_contract(answer, "createPayment"), 422, "reference.not_found", "/payer/guardian_id")
    grandparent = payment_document(lite, 480_000, payer={"relation": "grandparent"})
    lite.ok(lite.guardian_app.post("/v1/payments", grandparent), 201)


def test_only_the_parent_terminal_pays(lite: World) -> None:
    """An institution's system does not say that a family has paid."""
    problem(lite.vendor.post("/v1/payments", payment_document(lite, 480_000)), 403, "auth.scope")


def test_no_money_is_taken_without_custody(lite: World) -> None:
    """Before a bank has opened the account, an order cannot be paid (M-07.3)."""
    lite.open_institution()
    institution = lite.ids["institution"]
    lite.ids["staff"] = lite.ok(lite.vendor.post("/v1/staff", lite.staff_document()))["id"]
    course = lite.ok(lite.vendor.post("/v1/courses", lite.course_document()))
    lite.ok(lite.authority.post(f"/v1/courses/{course['id']}/approval", {}, if_match=course["version"]))
    lite.ids["course"] = course["id"]
    lite.open_family()
    lite.buy(paid=False)
    answer = lite.guardian_app.post("/v1/payments", payment_document(lite, 480_000))
    problem(in_contract(answer, "createPayment"), 422, "custody.account_missing")
    reserve = {
        "external_id": lite.fresh("cac"), "institution_id": institution, "account_digest": "sha-256:" + "0" * 64,
        "account_tail": "0002", "agreement_number": "2", "opened_on": lite.day(-30), "purpose": "reserve",
    }  # fmt: skip
    lite.ok(lite.bank.post("/v1/custody-accounts", reserve), 201)
    answer = lite.guardian_app.post("/v1/payments", payment_document(lite, 480_000))
    problem(answer, 422, "custody.account_missing")


def test_what_comes_for_a_cancelled_order_stays_out(ordered: World) -> None:
    """Its payment is given up with it: the money is a difference with a name, and no order's money."""
    made = promise(ordered, 300_000, 180_000)
    path = f"/v1/orders/{ordered.ids['order']}/cancellation"
    ordered.ok(ordered.vendor.post(path, {}, if_match=1))
    assert ordered.ok(ordered.vendor.get(f"/v1/payments/{made['id']}"))["state"] == "failed"
    assert take(ordered, ordered.receipt_document(1, 300_000)) == [("unmatched", "unlinked")]
    assert balanced(ordered) == dict.fromkeys(balanced(ordered), 0)
    assert ordered.order()["state"] == "cancelled"


def test_an_order_with_money_in_custody_is_not_cancelled(ordered: World) -> None:
    """One part of two has arrived: cancelling would leave it without an owner."""
    promise(ordered, 300_000, 180_000)
    take(ordered, ordered.receipt_document(1, 300_000))
    path = f"/v1/orders/{ordered.ids['order']}/cancellation"
    answer = ordered.vendor.post(path, {}, if_match=ordered.order()["version"])
    problem(in_contract(answer, "cancelOrder"), 409, "resource.state")
    assert balanced(ordered)["escrow"] == 300_000
