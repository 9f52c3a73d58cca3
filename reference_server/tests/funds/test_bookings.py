"""Lines of a bank that move our books by themselves, and lines that two persons book: to the fen, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    agreed,
    balanced,
    differences,
    execute,
    fail,
    movement,
    moving,
    refund,
    settle,
    surely_failed,
    sweep,
    take,
)
from offcampus_server.funds.releases import release_waiting
from offcampus_server.refunds.service import pay_again
from world import Document, World, problem


@pytest.fixture
def paid(world: World) -> World:
    """An order of 40 hours for 4,800.00 yuan, paid by wallet (3,000.00) and card (1,800.00)."""
    return world.ready()


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return sqlite_world.ready()


def bank_line(world: World, kind: str, fen: int, **named: Any) -> Document:
    return {
        "external_id": world.fresh("line"), "account_id": world.ids["account"], "kind": kind,
        "direction": "debit" if kind == "chargeback" else "credit", "amount_fen": fen,
        "booked_at": world.now.isoformat(), "value_on": world.day(0), "bank_reference": world.fresh("B"),
        "balance_after_fen": 0, **named,
    }  # fmt: skip


def part(world: World, number: int = 1) -> Document:
    return {"payment_id": world.ids["payment"], "part_no": number}


def whole(world: World) -> Document:
    """What the order's money adds up to, charge-backs and what others owe included."""
    body = world.order()
    gone = sum(body[f"{name}_fen"] for name in ("released", "refunded", "charged_back", "carried_out"))
    pending = body["pending_release_fen"] + body["pending_refund_fen"]
    assert body["paid_fen"] + body["topped_up_fen"] == gone + pending + body["escrow_fen"]
    with world.platform.storage.reading() as work:
        from offcampus_server.funds.verification import verify

        assert verify(work) == []
    return body


def decide(world: World, entry: Document, action: str, **more: Any) -> Document:
    """Two persons settle a difference."""
    body = {"action": action, "officer": "OFF-1", "note": "核实", **more}
    proposed = world.ok(settle(world, "settlement", entry, body))
    return dict(world.ok(settle(world, "settlement-approval", proposed, {"officer": "OFF-2", "note": "同意"})))


def test_a_charge_back_leaves_the_order_short(paid: World) -> None:
    """The payer's bank took the wallet's money back: the order has less, custody too, nobody owes anything yet."""
    assert take(paid, bank_line(paid, "chargeback", 300_000, **part(paid))) == [("matched", None)]
    body = whole(paid)
    assert (body["escrow_fen"], body["charged_back_fen"], body["claims_open_fen"]) == (180_000, 300_000, 0)
    done = agreed(paid)
    assert done["amount_fen"] == 180_000
    assert [entry["amount_fen"] for entry in done["working"] if entry["line"] == "charged_back"] == [-300_000]
    paid.execute_all()
    assert whole(paid)["escrow_fen"] == 0


def test_a_charge_back_of_what_was_released_is_the_institutions_debt(paid: World) -> None:
    """Two lessons released, all of the payment taken back: 480.00 are owed, and paid into custody."""
    paid.confirm(*paid.report(1))
    paid.execute_all()
    other = paid.ids["order"]
    take(paid, bank_line(paid, "chargeback", 180_000, **part(paid, 2)))
    assert whole(paid)["claims_open_fen"] == 0
    # The institution's other families have their money in the same account.
    paid.open_family()
    paid.buy()
    paid.ids |= {"order": other}
    first = next(p for p in payments(paid) if p["order_id"] == other)
    line_back = bank_line(paid, "chargeback", 300_000, payment_id=first["id"], part_no=1)
    assert take(paid, line_back) == [("matched", None)]
    body = whole(paid)
    assert (body["escrow_fen"], body["charged_back_fen"], body["claims_open_fen"]) == (0, 480_000, 24_000)
    owed = paid.ok(paid.authority.get(f"/v1/institutions/{paid.ids['institution']}/ledger"))["balances"]
    assert [entry["balance_fen"] for entry in owed if entry["kind"] == "claim"] == [24_000]
    assert take(paid, bank_line(paid, "claim_paid", 24_001, order_id=other)) == [("unmatched", "wrong_sum")]
    assert take(paid, bank_line(paid, "claim_paid", 24_000, order_id=other)) == [("matched", None)]
    assert whole(paid)["claims_open_fen"] == 0


def payments(world: World) -> list[Document]:
    return list(world.ok(world.vendor.get("/v1/payments"))["items"])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"amount_fen": 300_001}, "wrong_sum"), ({"direction": "credit"}, "wrong_direction"),
        ({"part_no": 3}, "unknown_reference"),
    ],
)  # fmt: skip
def test_a_charge_back_fits_to_the_fen(lite: World, changes: Document, found: str) -> None:
    """Else it is a difference, and no order's money has moved."""
    sent = {**bank_line(lite, "chargeback", 300_000, **part(lite)), **changes}
    assert take(lite, sent) == [("unmatched", found)]
    assert balanced(lite)["escrow"] == 480_000


def test_what_went_back_cannot_be_charged_back_too(paid: World) -> None:
    """A refund through the part leaves no room, failed for certain or not."""
    done = agreed(paid)
    card = next(entry for entry in done["parts"] if entry["channel"] == "bank_card")
    paid.ok(fail(paid, card["instruction_id"]))
    surely_failed(paid)
    assert balanced(paid)["escrow"] == 180_000
    assert take(paid, bank_line(paid, "chargeback", 180_000, **part(paid, 2))) == [("unmatched", "wrong_sum")]


def test_a_channels_fee_is_paid_back(world: World) -> None:
    """4,970.00 of 5,000.00 arrive; the institution pays the 30.00 in, not a fen more."""
    world.open_class()
    world.open_family()
    world.open_account()
    price = {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 500_000}], "total_fen": 500_000}
    world.buy(paid=False, **price)
    payment = {
        "external_id": "p", "order_id": world.ids["order"], "payer": {"guardian_id": world.ids["guardian"]},
        "parts": [{"channel": "wechat", "amount_fen": 500_000, "payer_reference": "w"}],
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    take(world, world.receipt_document(1, 497_000, fee_fen=3_000))
    assert take(world, bank_line(world, "fee_paid", 3_001, channel="wechat")) == [("unmatched", "wrong_sum")]
    assert take(world, bank_line(world, "fee_paid", 3_000, channel="alipay")) == [("unmatched", "wrong_sum")]
    assert take(world, bank_line(world, "fee_paid", 3_000, channel="wechat")) == [("matched", None)]
    world.confirm(*world.report(1))
    assert [item["amount_fen"] for item in moving(world)] == [25_000], "nothing is kept from the release any more"


def test_a_fee_that_the_bank_took_is_booked_and_paid_back(paid: World) -> None:
    """Two persons book it: custody has less, the institution owes it, the families' orders are whole."""
    fee = {**bank_line(paid, "fee", 30), "direction": "debit"}
    take(paid, fee)
    (entry,) = differences(paid)
    decide(paid, entry, "book_fee")
    assert movement(paid, entry["movement_id"])["state"] == "matched"
    assert balanced(paid)["escrow"] == 480_000
    assert paid.ok(paid.bank.get(f"/v1/custody-accounts/{paid.ids['account']}"))["balance_fen"] == 479_970
    assert take(paid, bank_line(paid, "fee_paid", 30)) == [("matched", None)]
    assert paid.ok(paid.bank.get(f"/v1/custody-accounts/{paid.ids['account']}"))["balance_fen"] == 480_000


def test_a_refund_that_came_back_is_booked_back_and_paid_again(paid: World) -> None:
    """Executed, then returned by the payee's bank: in escrow again, the order open again, and paid by a new one."""
    done = agreed(paid)
    paid.execute_all()
    assert paid.order()["state"] == "closed"
    card = next(item for item in moving(paid) if item["channel"] == "bank_card")
    back = {**bank_line(paid, "reversal", card["amount_fen"]), "direction": "credit"}
    assert take(paid, back) == [("unmatched", "late_reversal")]
    (entry,) = differences(paid)
    wrong = settle(paid, "settlement", entry, {"action": "book_reversal", "officer": "O", "note": "n"})
    problem(wrong, 409, "settlement.not_applicable")
    decide(paid, entry, "book_reversal", instruction_id=card["id"])
    found = balanced(paid)
    assert (found["refunded"], found["escrow"]) == (300_000, 180_000)
    assert (refund(paid, done["id"])["state"], paid.order()["state"]) == ("failed", "refunding")
    again = settle(paid, "settlement", second(paid, card), {
        "action": "book_reversal", "officer": "O", "note": "n", "instruction_id": card["id"],
    })  # fmt: skip
    problem(again, 409, "settlement.not_applicable")
    paid.shift(days=1)
    assert sweep(paid, pay_again) == 1
    paid.execute_all()
    assert balanced(paid)["refunded"] == 480_000
    assert (refund(paid, done["id"])["state"], paid.order()["state"]) == ("paid", "closed")


def second(world: World, card: Document) -> Document:
    """Another line that says the same."""
    take(world, {**bank_line(world, "reversal", card["amount_fen"]), "direction": "credit"})
    return next(entry for entry in differences(world) if entry["state"] == "open")


def test_a_release_that_came_back_is_asked_for_again(paid: World) -> None:
    """The institution's account was closed: what was released is in escrow, and released once more."""
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    paid.ok(execute(paid, release["id"]))
    take(paid, {**bank_line(paid, "reversal", 24_000), "direction": "credit"})
    (entry,) = differences(paid)
    decide(paid, entry, "book_reversal", instruction_id=release["id"])
    assert balanced(paid)["released"] == 0
    assert sweep(paid, release_waiting) == 1
    paid.execute_all()
    assert balanced(paid)["released"] == 24_000


def test_a_receipt_that_the_bank_took_back_is_booked_as_a_charge_back(paid: World) -> None:
    """A line of another kind, decided by two persons."""
    take(paid, {**bank_line(paid, "reversal", 300_000), "direction": "debit"})
    (entry,) = differences(paid)
    decide(paid, entry, "book_chargeback", **part(paid))
    assert whole(paid)["charged_back_fen"] == 300_000


def reserve(world: World, fen: int) -> str:
    """A reserve account with money in it."""
    account = {
        "external_id": world.fresh("cac"), "institution_id": world.ids["institution"],
        "account_digest": "sha-256:" + "1" * 64, "account_tail": "0009", "agreement_number": "2",
        "opened_on": world.day(-30), "purpose": "reserve",
    }  # fmt: skip
    id = world.ok(world.bank.post("/v1/custody-accounts", account))["id"]
    if fen:
        assert take(world, bank_line(world, "reserve_deposit", fen, account_id=id)) == [("matched", None)]
    return str(id)


def window(world: World) -> None:
    """An order under a contract that gives everything back within days, of which a lesson was released."""
    world.open_class()
    world.open_family()
    world.open_account()
    contract = {
        "external_id": "ctr-terms", "institution_id": world.ids["institution"], "pupil_id": world.ids["pupil"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": "9", "signed_on": world.day(-10), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "0" * 64, "supervision": "custody", "full_refund_window_days": 15,
    }  # fmt: skip
    world.ids["contract"] = world.ok(world.vendor.post("/v1/contracts", contract), 201)["id"]
    world.buy()
    world.confirm(*world.report(1))
    world.execute_all()


def test_a_shortfall_comes_from_the_reserve_then_from_the_institution(world: World) -> None:
    """Scenario 15: 4,800.00 owed, 4,560.00 in escrow, 100.00 in the reserve: the rest is claimed, paid in, refunded."""
    window(world)
    held = reserve(world, 10_000)
    done = agreed(world)
    assert done["amount_fen"] == 480_000
    (told,) = (entry for entry in done["working"] if entry["line"] == "sources")
    assert "4560.00" in told["text_en"]
    assert "100.00" in told["text_en"]
    assert "140.00" in told["text_en"]
    body = whole(world)
    assert (body["topped_up_fen"], body["claims_open_fen"]) == (24_000, 14_000)
    assert (body["pending_refund_fen"], done["state"]) == (466_000, "paying")
    world.execute_all()
    assert refund(world, done["id"])["state"] == "paying", "what the institution owes is awaited"
    assert {item["account_id"] for item in moving(world)} == {held, world.ids["account"]}
    assert take(world, bank_line(world, "claim_paid", 14_000, order_id=world.ids["order"])) == [("matched", None)]
    world.execute_all()
    assert whole(world)["refunded_fen"] == 480_000
    assert (refund(world, done["id"])["state"], world.order()["state"]) == ("paid", "closed")


def test_deposits_go_into_reserve_accounts(sqlite_world: World) -> None:
    """Not into custody, and receipts not into the reserve."""
    sqlite_world.ready()
    held = reserve(sqlite_world, 0)
    results = take(
        sqlite_world, bank_line(sqlite_world, "reserve_deposit", 5),
        bank_line(sqlite_world, "fee_paid", 5, account_id=held),
    )  # fmt: skip
    assert results == [("unmatched", "wrong_account"), ("unmatched", "wrong_account")]
