"""What a bank reports is booked once, or kept as a difference with its name: no guess moves money."""

from __future__ import annotations

from typing import Any

import pytest
from money import accept, balanced, event_types, execute, fail, instructions, line, movement, report_lines, run, take
from world import Document, World, problem


@pytest.fixture
def promised(world: World) -> World:
    """An order with a promised payment of 3,000.00 and 1,800.00 yuan; nothing has arrived."""
    return opened(world)


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return opened(sqlite_world)


def opened(world: World) -> World:
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    parts = [
        {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w"},
        {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "b"},
    ]
    payment = {
        "external_id": world.fresh("pay"), "order_id": world.ids["order"], "parts": parts,
        "payer": {"guardian_id": world.ids["guardian"]},
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    return world


def receipt(world: World, part_no: int = 1, fen: int = 300_000, **changes: Any) -> Document:
    return {**world.receipt_document(part_no, fen), **changes}


def test_the_same_line_is_booked_once(promised: World) -> None:
    """Reported three times, alone and in a batch: one receipt, one movement, and the same identifier each time."""
    sent = receipt(promised)
    first = report_lines(promised, sent)
    again = report_lines(promised, sent)
    batch = report_lines(promised, receipt(promised, 2, 180_000), sent)
    assert [result["outcome"] for result in (*first, *again, *batch)] == [
        "accepted", "duplicate", "accepted", "duplicate",
    ]  # fmt: skip
    assert {first[0]["id"], again[0]["id"], batch[1]["id"]} == {first[0]["id"]}
    assert promised.count("custody_movements") == 2
    assert balanced(promised)["paid"] == 480_000


def test_a_line_is_not_changed_by_reporting_it_otherwise(promised: World) -> None:
    """The bank's line id stands for one content."""
    sent = receipt(promised)
    report_lines(promised, sent)
    (result,) = report_lines(promised, {**sent, "amount_fen": 300_001})
    assert (result["outcome"], result["problem"]["code"]) == ("refused", "resource.exists")
    assert balanced(promised)["paid"] == 300_000


def test_a_line_under_another_id_is_a_duplicate(promised: World) -> None:
    """The part has arrived: a second line for it is a difference, in the same batch and in a later one."""
    assert take(promised, receipt(promised), receipt(promised)) == [("matched", None), ("unmatched", "duplicate")]
    assert take(promised, receipt(promised)) == [("unmatched", "duplicate")]
    assert balanced(promised)["paid"] == 300_000


DIFFERENCES: dict[str, tuple[Document, str]] = {
    "a fen less": ({"amount_fen": 299_999}, "wrong_sum"),
    "the other part's sum": ({"part_no": 2}, "wrong_sum"),
    "an unknown payment": ({"payment_id": "pay_" + "0" * 26}, "unknown_reference"),
    "a part that is not there": ({"part_no": 3}, "unknown_reference"),
    "a debit that calls itself a receipt": ({"direction": "debit"}, "wrong_direction"),
    "a fee": ({"kind": "fee", "direction": "debit", "amount_fen": 30}, "fee"),
    "a transfer by hand": ({"kind": "other", "direction": "debit", "amount_fen": 1_000}, "manual_transfer"),
    "money that nobody announced": ({"kind": "other"}, "unlinked"),
    "a reversal by the bank": ({"kind": "reversal", "direction": "debit"}, "late_reversal"),
    "a sweep to headquarters": ({"kind": "sweep", "direction": "debit"}, "sweep"),
    "a release that names nothing": ({"kind": "release", "direction": "debit"}, "unknown_reference"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_does_not_match_moves_nothing(lite: World, name: str) -> None:
    """It is stored with the type of its difference, told as an event, and no order's money changes."""
    changes, break_type = DIFFERENCES[name]
    (result,) = report_lines(lite, receipt(lite, **changes))
    found = movement(lite, result["id"])
    assert (result["outcome"], found["state"], found["break_type"]) == ("accepted", "unmatched", break_type)
    assert event_types(lite, result["id"]) == ["custody_movement.unmatched"]
    assert balanced(lite) == dict.fromkeys(balanced(lite), 0)
    assert lite.order()["state"] == "awaiting_payment"


def test_the_right_line_after_a_wrong_one_pays_the_order(promised: World) -> None:
    """A wrong sum does not use the part up."""
    take(promised, receipt(promised, fen=299_999))
    assert take(promised, receipt(promised), receipt(promised, 2, 180_000)) == [("matched", None)] * 2
    assert promised.order()["state"] == "paid"
    assert balanced(promised)["paid"] == 480_000


def test_pre_charges_go_into_custody_of_their_own_institution(promised: World) -> None:
    """Neither the reserve account nor another institution's account takes them."""
    ids = dict(promised.ids)
    promised.open_institution()
    foreign = promised.open_account()
    reserve = {
        "external_id": promised.fresh("cac"), "institution_id": ids["institution"], "agreement_number": "2",
        "account_digest": "sha-256:" + "2" * 64, "account_tail": "0002", "opened_on": promised.day(-3),
        "purpose": "reserve",
    }  # fmt: skip
    reserved = promised.ok(promised.bank.post("/v1/custody-accounts", reserve), 201)["id"]
    promised.ids |= ids
    lines = [receipt(promised, account_id=account) for account in (foreign, reserved)]
    assert take(promised, *lines) == [("unmatched", "wrong_account")] * 2
    assert balanced(promised)["paid"] == 0


def test_a_bank_reports_its_own_accounts(lite: World) -> None:
    """A line for an account that is not the bank's is refused by itself; the good one beside it is taken."""
    good, bad = receipt(lite), receipt(lite, 2, 180_000, account_id="cac_" + "0" * 26)
    results = report_lines(lite, bad, good)
    assert [result["outcome"] for result in results] == ["refused", "accepted"]
    assert results[0]["problem"]["code"] == "reference.not_found"
    assert results[0]["problem"]["violations"][0]["pointer"] == "/account_id"
    assert balanced(lite)["paid"] == 300_000


def test_all_or_nothing(lite: World) -> None:
    """`Prefer: handling=strict`: one bad line, and nothing of the batch is kept."""
    bad = receipt(lite, 2, 180_000, account_id="cac_" + "0" * 26)
    answer = lite.bank.post(
        "/v1/custody-movements/batch", {"items": [receipt(lite), bad]}, headers={"Prefer": "handling=strict"}
    )
    problem(answer, 422, "batch.strict", "/items/1")
    assert lite.count("custody_movements") == 0
    assert balanced(lite)["paid"] == 0


def test_the_banks_own_line_of_an_instruction(promised: World) -> None:
    """It is matched before or after the execution is reported, once, and moves nothing by itself."""
    take(promised, receipt(promised), receipt(promised, 2, 180_000))
    promised.confirm(*promised.report(1))
    (asked,) = instructions(promised)
    assert take(promised, line(promised, asked)) == [("matched", None)]
    assert balanced(promised)["pending_release"] == 24_000
    promised.ok(execute(promised, asked["id"]))
    assert take(promised, line(promised, asked)) == [("unmatched", "duplicate")]
    wrong = line(promised, asked, amount_fen=1)
    assert take(promised, wrong) == [("unmatched", "duplicate")]
    assert balanced(promised)["released"] == 24_000


def test_a_line_that_differs_from_its_instruction(promised: World) -> None:
    """Another sum, another account, another kind: each is named, and the instruction stays as it was."""
    take(promised, receipt(promised), receipt(promised, 2, 180_000))
    promised.confirm(*promised.report(1))
    (asked,) = instructions(promised)
    ids = dict(promised.ids)
    promised.open_institution()
    other = promised.open_account()
    promised.ids |= ids
    found = take(
        promised, line(promised, asked, amount_fen=23_999), line(promised, asked, account_id=other),
        line(promised, asked, kind="refund"), line(promised, asked, instruction_id="cin_" + "0" * 26),
    )  # fmt: skip
    assert found == [
        ("unmatched", "wrong_sum"), ("unmatched", "wrong_account"), ("unmatched", "wrong_kind"),
        ("unmatched", "unknown_reference"),
    ]  # fmt: skip
    assert [item["state"] for item in instructions(promised)] == ["issued"]


def test_a_bank_cannot_fail_what_its_own_line_says_it_did(promised: World) -> None:
    """The line says that the money has moved: a failure would free money that is gone."""
    take(promised, receipt(promised), receipt(promised, 2, 180_000))
    promised.confirm(*promised.report(1))
    (asked,) = instructions(promised)
    promised.ok(accept(promised, asked["id"]))
    take(promised, line(promised, asked))
    problem(fail(promised, asked["id"]), 409, "instruction.resolved")
    assert balanced(promised)["pending_release"] == 24_000
    promised.ok(execute(promised, asked["id"]))
    assert balanced(promised)["released"] == 24_000


def test_late_success_after_failure_pays_nobody_twice(promised: World) -> None:
    """Scenario 20: failed, then moved after all. An exception for people; the next lessons are released, this is not."""
    take(promised, receipt(promised), receipt(promised, 2, 180_000))
    first, second = promised.report(1, 2)
    promised.confirm(first)
    (asked,) = instructions(promised)
    promised.ok(fail(promised, asked["id"]))
    problem(execute(promised, asked["id"]), 409, "instruction.resolved")
    assert take(promised, line(promised, asked)) == [("unmatched", "late_success")]
    promised.confirm(second)
    assert [item["amount_fen"] for item in instructions(promised, state="issued")] == [24_000]
    promised.shift(days=30)
    found = balanced(promised)
    assert (found["released"], found["pending_release"], found["escrow"]) == (0, 48_000, 432_000)
    refused = run(promised, "SELECT count(*) AS n FROM audit WHERE action = 'executeCustodyInstruction'")
    assert refused[0].n == 1, "that the bank claimed it is on record"
