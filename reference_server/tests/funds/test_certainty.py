"""A bank says that it failed. Until that is certain the money stays held, and nobody is paid a second time."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    ORDER,
    account,
    agreed,
    approve,
    ask,
    balanced,
    close_day,
    differences,
    event_types,
    execute,
    fail,
    freeze,
    in_contract,
    instructions,
    line,
    moving,
    refund,
    settle,
    sweep,
    take,
)
from offcampus_server.funds.certainty import find_doubtful
from offcampus_server.funds.releases import release_waiting
from offcampus_server.refunds.service import pay_again
from world import Document, World, problem


@pytest.fixture
def paid(world: World) -> World:
    """An order of 40 hours for 4,800.00 yuan, paid by wallet (3,000.00) and card (1,800.00)."""
    return world.ready()


def failed_card(world: World) -> tuple[Document, Document]:
    """A refund of which the card's part has failed, and the card's instruction."""
    done = agreed(world)
    card = next(item for item in moving(world) if item["channel"] == "bank_card")
    world.ok(fail(world, card["id"]))
    return refund(world, done["id"]), card


def read(world: World, id: str) -> Document:
    return dict(world.ok(world.bank.get(f"/v1/custody-instructions/{id}")))


def test_a_failed_refund_is_not_paid_again_before_its_end_is_certain(paid: World) -> None:
    """The bank owns up late to what it reported as failed: approved in between, the family is paid once."""
    failed, card = failed_card(paid)
    refused = problem(in_contract(approve(paid, failed), "approveRefund"), 409, "instruction.end_uncertain")
    assert refused["violations"][0]["given"] == card["id"]
    paid.shift(days=5)
    assert sweep(paid, pay_again) == 0
    assert balanced(paid)["pending_refund"] == 480_000, "what may have left is not free"
    assert take(paid, line(paid, card)) == [("unmatched", "late_success")]
    close_day(paid)
    assert read(paid, card["id"])["failure_certain"] is None, "a closed day does not overrule the bank's own line"
    assert sweep(paid, pay_again) == 0
    assert [item["id"] for item in moving(paid, state="issued") if item["channel"] == "bank_card"] == []


def test_the_banks_closed_day_makes_it_certain(paid: World) -> None:
    """Its closing balance is what its lines come to, and none of them is this money: freed, and paid by another one."""
    failed, card = failed_card(paid)
    paid.execute_all()
    lines = [line(paid, item) for item in moving(paid, state="executed")]
    take(paid, *lines)
    close_day(paid)
    assert read(paid, card["id"])["failure_certain"] is None, "the day is not over"
    paid.shift(days=1)
    close_day(paid, offset=-1)
    assert read(paid, card["id"])["failure_certain"]["by"] == "statement"
    assert balanced(paid)["escrow"] == 180_000
    assert event_types(paid, card["id"])[-2:] == [
        "custody_instruction.failed", "custody_instruction.failure_certain",
    ]  # fmt: skip
    again = paid.ok(approve(paid, refund(paid, failed["id"])))
    assert again["state"] == "paying"
    paid.execute_all()
    assert balanced(paid)["refunded"] == 480_000


def test_a_closing_balance_that_does_not_fit_makes_nothing_certain(paid: World) -> None:
    """The card's sum is missing at the bank and on no line: that is the money, until somebody shows otherwise."""
    _, card = failed_card(paid)
    paid.shift(days=1)
    close_day(paid, offset=-1, missing=card["amount_fen"])
    assert read(paid, card["id"])["failure_certain"] is None
    close_day(paid, offset=-1)
    assert read(paid, card["id"])["failure_certain"]["by"] == "statement"


def test_a_nameless_line_of_the_same_sum_keeps_it_in_doubt(paid: World) -> None:
    """It may be this money: until two persons have said what it is."""
    _, card = failed_card(paid)
    sent = line(paid, card, kind="other")
    del sent["instruction_id"]
    take(paid, sent)
    paid.shift(days=1)
    close_day(paid, offset=-1)
    assert read(paid, card["id"])["failure_certain"] is None
    (entry,) = (item for item in differences(paid) if item["type"] == "manual_transfer")
    decided(paid, entry, "explained")
    close_day(paid, offset=-1)
    assert read(paid, card["id"])["failure_certain"]["by"] == "statement"


def decided(world: World, entry: Document, action: str) -> Document:
    """Two persons settle a difference."""
    proposed = world.ok(settle(world, "settlement", entry, {"action": action, "officer": "OFF-1", "note": "核实"}))
    body = {"officer": "OFF-2", "note": "同意"}
    return dict(world.ok(settle(world, "settlement-approval", proposed, body)))


def test_two_persons_make_it_certain_where_the_bank_is_silent(paid: World) -> None:
    """A day without a closed day: on the list, settled by two, and the family has its money by another instruction."""
    failed, card = failed_card(paid)
    assert sweep(paid, find_doubtful) == 0
    paid.shift(days=1)
    assert sweep(paid, find_doubtful) == 1
    assert sweep(paid, find_doubtful) == 0
    (entry,) = differences(paid)
    assert (entry["type"], entry["owner"], entry["instruction_id"]) == ("end_uncertain", "bank", card["id"])
    problem(
        in_contract(
            settle(paid, "settlement", entry, {"action": "book_execution", "officer": "OFF-1", "note": "x"}),
            "proposeSettlement",
        ),
        409, "settlement.not_applicable",
    )  # fmt: skip
    decided(paid, entry, "confirm_failure")
    assert read(paid, card["id"])["failure_certain"]["by"] == "settlement"
    assert sweep(paid, pay_again) == 1
    paid.execute_all()
    assert balanced(paid)["refunded"] == 480_000
    assert refund(paid, failed["id"])["state"] == "paid"


def test_the_list_is_cleared_when_the_day_is_closed_after_all(paid: World) -> None:
    """Nobody has to settle what the bank has shown."""
    failed_card(paid)
    paid.shift(days=1)
    sweep(paid, find_doubtful)
    close_day(paid, offset=-1)
    assert [entry["state"] for entry in differences(paid)] == ["cleared"]


def test_two_persons_may_say_that_a_bank_was_wrong_about_a_late_success(paid: World) -> None:
    """It said failed, then moved, then that it had erred: no line came, two persons decide."""
    _, card = failed_card(paid)
    problem(execute(paid, card["id"], "X9"), 409, "instruction.resolved")
    (entry,) = differences(paid)
    assert entry["type"] == "late_success"
    decided(paid, entry, "confirm_failure")
    assert balanced(paid)["escrow"] == 180_000
    paid.shift(days=1)
    assert sweep(paid, pay_again) == 1


def test_a_line_that_says_it_moved_is_not_decided_away(paid: World) -> None:
    """Where the bank has booked it, only its execution can be booked."""
    _, card = failed_card(paid)
    take(paid, line(paid, card))
    (entry,) = differences(paid)
    body = {"action": "confirm_failure", "officer": "OFF-1", "note": "x"}
    problem(settle(paid, "settlement", entry, body), 409, "settlement.not_applicable")


def test_a_failed_release_is_not_asked_for_again_before_its_end_is_certain(paid: World) -> None:
    """The same for a release: neither by the sweep nor with the next lesson; then with the next round."""
    first, second = paid.report(1, 2)
    paid.confirm(first)
    (release,) = moving(paid)
    paid.ok(fail(paid, release["id"]))
    paid.shift(days=1)
    sweep(paid, release_waiting)
    paid.confirm(second)
    assert [item["amount_fen"] for item in moving(paid, state="issued")] == [24_000], "the second lesson, not the first"
    close_day(paid, offset=-1)
    assert sweep(paid, release_waiting) == 1
    assert sum(item["amount_fen"] for item in moving(paid, state="issued")) == 48_000
    paid.execute_all()
    assert balanced(paid)["released"] == 48_000


def test_a_release_that_may_have_left_is_not_refunded(paid: World) -> None:
    """While nobody knows, a family that is owed everything gets what is surely there."""
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    paid.ok(fail(paid, release["id"]))
    found = paid.ok(ask(paid))
    assert found["amount_fen"] == 456_000
    assert balanced(paid)["pending_release"] == 24_000


@pytest.mark.parametrize("kind", ["freeze", "unfreeze"])
def test_an_order_of_a_department_moves_nothing_and_may_be_given_again(paid: World, kind: str) -> None:
    """Frozen twice is frozen once: no certainty is waited for; what the bank owns up to late is kept on the list."""
    freeze(paid)
    (order,) = instructions(paid, state="issued")
    if kind == "unfreeze":
        paid.ok(execute(paid, order["id"]))
        paid.ok(command(paid, "unfreeze"))
        (order,) = instructions(paid, state="issued")
    paid.ok(fail(paid, order["id"], "system_down"))
    paid.ok(command(paid, kind))
    (again,) = instructions(paid, state="issued")
    assert (again["kind"], account(paid)["state"]) == (kind, "frozen")
    problem(execute(paid, order["id"]), 409, "instruction.resolved")
    types = sorted((entry["type"], entry["instruction_id"]) for entry in differences(paid))
    assert types == [("late_success", order["id"]), ("order_failed", order["id"])]
    paid.ok(execute(paid, again["id"]))
    assert account(paid)["state"] == ("frozen" if kind == "freeze" else "open")


def command(world: World, kind: str) -> Any:
    path = f"/v1/custody-accounts/{world.ids['account']}/{kind}"
    return world.authority.post(path, ORDER, if_match=account(world)["version"])
