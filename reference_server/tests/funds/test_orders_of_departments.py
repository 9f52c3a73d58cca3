"""A department freezes an account, unfreezes it, asks for its balance; the bank changes and closes accounts."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    ORDER,
    accept,
    account,
    agreed,
    balanced,
    differences,
    event_types,
    execute,
    fail,
    freeze,
    in_contract,
    instructions,
    line,
    moving,
    surely_failed,
    take,
    unfreeze,
)
from world import World, problem


@pytest.fixture
def paid(world: World) -> World:
    return world.ready()


@pytest.fixture
def lite(sqlite_world: World) -> World:
    return sqlite_world.ready()


def path(world: World, step: str = "") -> str:
    return f"/v1/custody-accounts/{world.ids['account']}{step}"


def test_a_freeze_counts_at_once_and_ends_when_the_bank_says_so(paid: World) -> None:
    """Frozen by the order, not by the bank's answer; open again only when the bank has carried the unfreezing out."""
    assert freeze(paid)["state"] == "frozen"
    (order,) = instructions(paid, state="issued")
    assert (order["kind"], order["amount_fen"], order["order_id"]) == ("freeze", 0, None)
    assert order["authority_order"]["document_number"] == ORDER["document_number"]
    paid.ok(accept(paid, order["id"]))
    paid.ok(execute(paid, order["id"]))
    problem(paid.authority.post(path(paid, "/freeze"), ORDER, if_match=account(paid)["version"]), 409, "resource.state")
    asked = paid.ok(paid.authority.post(path(paid, "/unfreeze"), ORDER, if_match=account(paid)["version"]))
    assert asked["state"] == "frozen"
    twice = paid.authority.post(path(paid, "/unfreeze"), ORDER, if_match=asked["version"])
    problem(in_contract(twice, "unfreezeCustodyAccount"), 409, "resource.state")
    (order,) = instructions(paid, state="issued")
    paid.ok(execute(paid, order["id"]))
    assert account(paid)["state"] == "open"
    told = [kind for kind in event_types(paid, paid.ids["account"]) if "balance" not in kind]
    assert told == [f"custody_account.{verb}" for verb in ("opened", "frozen", "unfreezing", "unfrozen")]


def test_a_release_that_the_bank_has_not_taken_on_stops_with_the_freeze(paid: World) -> None:
    """Acceptance is refused, the bank fails it, the money stays held until its day is closed, and the freeze ends."""
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    freeze(paid)
    problem(in_contract(accept(paid, release["id"]), "acceptCustodyInstruction"), 409, "custody.frozen")
    paid.ok(fail(paid, release["id"], "account_frozen"))
    assert balanced(paid)["pending_release"] == 24_000
    surely_failed(paid)
    assert balanced(paid)["escrow"] == 480_000
    unfreeze(paid)
    assert take(paid, line(paid, release, direction="credit")) == [("unmatched", "wrong_direction")]
    refund = agreed(paid)
    assert refund["amount_fen"] == 456_000


def test_a_release_that_moved_while_frozen_is_a_difference(paid: World) -> None:
    """The line is kept and named; what the bank had accepted before the freeze is no difference."""
    first, second = paid.report(1, 2)
    paid.confirm(first)
    (before,) = moving(paid)
    paid.ok(accept(paid, before["id"]))
    paid.confirm(second)
    late = next(item for item in moving(paid) if item["id"] != before["id"])
    freeze(paid)
    assert take(paid, line(paid, before), line(paid, late)) == [("matched", None), ("unmatched", "moved_while_frozen")]
    (entry,) = differences(paid)
    assert (entry["type"], entry["owner"], entry["instruction_id"]) == ("moved_while_frozen", "bank", late["id"])


def test_an_order_that_the_bank_cannot_carry_out_is_on_the_list(paid: World) -> None:
    """The account stays frozen in our books, and the department has it on its list."""
    freeze(paid)
    (order,) = instructions(paid, state="issued")
    paid.ok(fail(paid, order["id"], "unknown_account"))
    assert account(paid)["state"] == "frozen"
    (entry,) = differences(paid)
    assert (entry["type"], entry["owner"], entry["instruction_id"]) == ("order_failed", "authority", order["id"])


def test_freezing_is_the_departments(lite: World) -> None:
    """Nobody else has the scope; an order of another region finds no account; a stale version is refused."""
    for name in ("bank", "vendor", "guardian_app"):
        problem(lite.parties[name].post(path(lite, "/freeze"), ORDER, if_match=1), 403, "auth.scope")
    missing = f"/v1/custody-accounts/cac_{'0' * 26}/freeze"
    problem(lite.authority.post(missing, ORDER, if_match=1), 404, "resource.not_found")
    stale = lite.authority.post(path(lite, "/freeze"), ORDER, if_match=99)
    problem(in_contract(stale, "freezeCustodyAccount"), 412, "concurrency.stale")
    stale = lite.authority.post(path(lite, "/balance-query"), ORDER, if_match=99)
    problem(in_contract(stale, "askForBalance"), 412, "concurrency.stale")
    problem(lite.authority.post(path(lite, "/freeze"), ORDER), 428, "concurrency.if_match_missing")
    assert account(lite)["state"] == "open"


def balance(world: World, fen: int, **changes: Any) -> Any:
    body = {"external_id": world.fresh("bal"), "balance_fen": fen, "measured_at": world.now.isoformat(), **changes}
    return world.bank.post(path(world, "/balances"), body)


def test_a_balance_is_asked_for_and_answered(paid: World) -> None:
    """The bank's answer executes the instruction; it cannot be executed without one, nor twice."""
    asked = paid.ok(paid.authority.post(path(paid, "/balance-query"), ORDER, if_match=account(paid)["version"]))
    assert (asked["kind"], asked["state"]) == ("balance", "issued")
    problem(execute(paid, asked["id"]), 409, "instruction.resolved")
    answer = balance(paid, 480_000, instruction_id=asked["id"], external_id="b-1")
    assert (answer.status_code, answer.json["expected_fen"], answer.json["difference_id"]) == (201, 480_000, None)
    done = paid.ok(paid.bank.get(f"/v1/custody-instructions/{asked['id']}"))
    assert (done["state"], done["bank_reference"]) == ("executed", "b-1")
    problem(in_contract(balance(paid, 1, instruction_id=asked["id"]), "submitBalance"), 409, "instruction.resolved")
    problem(in_contract(paid.vendor.get(path(paid, "/balances"), cursor="x"), "listBalances"), 400, "cursor.invalid")
    listed = paid.ok(paid.authority.get(path(paid, "/balances")))["items"]
    assert [item["external_id"] for item in listed] == ["b-1"]
    assert differences(paid) == []


def test_a_balance_that_the_lines_do_not_make_is_a_difference(paid: World) -> None:
    """To the fen; a line booked after the moment does not count; the same report again changes nothing."""
    body = {"external_id": "b-1", "balance_fen": 480_001, "measured_at": paid.now.isoformat()}
    first = paid.ok(paid.bank.post(path(paid, "/balances"), body), 201)
    assert paid.ok(paid.bank.post(path(paid, "/balances"), body), 200) == first
    (entry,) = differences(paid)
    assert entry["id"] == first["difference_id"]
    assert (entry["type"], entry["owner"], entry["expected_fen"], entry["got_fen"]) == (
        "balance_mismatch", "platform", 480_000, 480_001,
    )  # fmt: skip
    earlier = paid.now.isoformat()
    paid.shift(minutes=10)
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    take(paid, line(paid, release))
    assert balance(paid, 480_000, measured_at=earlier).json["difference_id"] is None
    assert balance(paid, 456_000).json["difference_id"] is None
    problem(balance(paid, 1, measured_at=paid.at(1, 0)), 422, "schema.invalid", "/measured_at")
    foreign = balance(paid, 456_000, instruction_id=release["id"])
    problem(in_contract(foreign, "submitBalance"), 422, "reference.mismatch", "/instruction_id")


def test_a_bank_changes_an_account(lite: World) -> None:
    """Number and agreement may change; whose account it is may not; opening it again gives the same account."""
    version = account(lite)["version"]
    changed = lite.ok(lite.bank.write("PATCH", path(lite), {"account_tail": "4410"}, if_match=version, key=None,
                                      headers={"Content-Type": "application/merge-patch+json"}))  # fmt: skip
    assert (changed["account_tail"], changed["version"]) == ("4410", version + 1)
    for patch in ({"purpose": "reserve"}, {"institution_id": "ins_" + "0" * 26}, {"account_tail": None}):
        answer = lite.bank.write("PATCH", path(lite), patch, if_match=version + 1, key=None,
                                 headers={"Content-Type": "application/merge-patch+json"})  # fmt: skip
        problem(in_contract(answer, "changeCustodyAccount"), 422, "schema.invalid")
    assert event_types(lite, lite.ids["account"])[-1] == "custody_account.changed"


def test_only_an_empty_account_is_closed(paid: World) -> None:
    """Money or an open instruction forbids it; on a closed account every line is a difference and nothing is frozen."""
    closure = {"closed_on": paid.day(0), "reason": "托管协议终止"}
    answer = paid.bank.post(path(paid, "/closure"), closure, if_match=account(paid)["version"])
    problem(in_contract(answer, "closeCustodyAccount"), 409, "custody.not_empty", "/account_id")
    agreed(paid)
    answer = paid.bank.post(path(paid, "/closure"), closure, if_match=account(paid)["version"])
    problem(answer, 409, "custody.not_empty")
    paid.execute_all()
    closed = paid.ok(paid.bank.post(path(paid, "/closure"), closure, if_match=account(paid)["version"]))
    assert (closed["state"], closed["balance_fen"]) == ("closed", 0)
    problem(paid.bank.post(path(paid, "/closure"), closure, if_match=closed["version"]), 409, "resource.state")
    problem(paid.authority.post(path(paid, "/freeze"), ORDER, if_match=closed["version"]), 409, "resource.state")
    problem(paid.authority.post(path(paid, "/balance-query"), ORDER, if_match=closed["version"]), 409, "resource.state")
    stray = {**paid.receipt_document(1, 5), "kind": "other"}
    assert take(paid, stray) == [("unmatched", "closed_account")]
