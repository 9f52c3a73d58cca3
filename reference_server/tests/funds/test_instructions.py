"""What the platform asks a bank to do, and what came of it: once, whatever is repeated, lost or late."""

from __future__ import annotations

import pytest
from money import (
    accept,
    agreed,
    balanced,
    event_types,
    execute,
    fail,
    freeze,
    in_contract,
    instructions,
    moving,
    run,
    surely_failed,
    sweep,
    unfreeze,
)
from offcampus_server.funds.releases import release_waiting
from world import World, problem


@pytest.fixture
def asked(world: World) -> World:
    """A paid order with one confirmed lesson: a release of 240.00 yuan is asked for."""
    world.ready()
    world.confirm(*world.report(1))
    return world


def only(world: World, **query: str) -> str:
    (found,) = instructions(world, **query)
    return str(found["id"])


def test_a_release_is_accepted_and_executed(asked: World) -> None:
    """Pending until the bank has moved it, then posted; each step is told."""
    (issued,) = instructions(asked, state="issued")
    assert (issued["kind"], issued["amount_fen"], issued["account_id"]) == ("release", 24_000, asked.ids["account"])
    assert balanced(asked)["pending_release"] == 24_000
    assert asked.ok(accept(asked, issued["id"]))["state"] == "accepted"
    done = asked.ok(execute(asked, issued["id"], "X1"))
    assert (done["state"], done["bank_reference"]) == ("executed", "X1")
    found = balanced(asked)
    assert (found["released"], found["pending_release"], found["escrow"]) == (24_000, 0, 456_000)
    assert event_types(asked, issued["id"]) == [
        "custody_instruction.issued", "custody_instruction.accepted", "custody_instruction.executed",
    ]  # fmt: skip


def test_repeating_a_report_changes_nothing(asked: World) -> None:
    """The same acceptance, the same execution: the same answer. Another reference or a failure: 409, nothing moves."""
    id = only(asked)
    assert asked.ok(accept(asked, id)) == asked.ok(accept(asked, id))
    first = asked.ok(execute(asked, id, "X1"))
    assert asked.ok(execute(asked, id, "X1")) == first
    assert asked.ok(accept(asked, id)) == first
    problem(in_contract(execute(asked, id, "X2"), "executeCustodyInstruction"), 409, "instruction.resolved")
    problem(in_contract(fail(asked, id), "failCustodyInstruction"), 409, "instruction.resolved")
    assert asked.ok(asked.bank.get(f"/v1/custody-instructions/{id}")) == first
    assert balanced(asked)["released"] == 24_000
    assert asked.count("ledger_transfers") == 3


def test_an_execution_needs_no_acceptance_before_it(asked: World) -> None:
    """Out of order: the execution comes first, the acceptance after it changes nothing."""
    id = only(asked)
    asked.ok(execute(asked, id))
    assert asked.ok(accept(asked, id))["state"] == "executed"
    assert balanced(asked)["released"] == 24_000


def test_a_failure_frees_the_money_when_it_is_certain(asked: World) -> None:
    """Told as an alarm, held until the bank's day is closed; the same failure again is answered alike, another refused."""
    id = only(asked)
    failed = asked.ok(fail(asked, id))
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "account_closed")
    assert asked.ok(fail(asked, id)) == failed
    problem(fail(asked, id, "other_reason"), 409, "instruction.resolved")
    problem(accept(asked, id), 409, "instruction.resolved")
    assert balanced(asked)["pending_release"] == 24_000
    assert event_types(asked, id)[-1] == "custody_instruction.failed"
    surely_failed(asked)
    assert balanced(asked)["escrow"] == 480_000
    problem(execute(asked, id), 409, "instruction.resolved")


def test_a_failed_release_is_asked_for_again(asked: World) -> None:
    """Not at once: a day later, and then until the bank has done it. Nothing of it is lost with the last lesson."""
    first = only(asked)
    asked.ok(fail(asked, first))
    assert sweep(asked, release_waiting) == 0
    surely_failed(asked)
    assert sweep(asked, release_waiting) == 1
    assert sweep(asked, release_waiting) == 0
    again = only(asked, state="issued")
    assert again != first
    asked.ok(fail(asked, again))
    surely_failed(asked)
    assert sweep(asked, release_waiting) == 1
    asked.ok(execute(asked, only(asked, state="issued")))
    assert balanced(asked)["released"] == 24_000
    asked.shift(days=9)
    assert sweep(asked, release_waiting) == 0


def test_the_next_lesson_takes_a_failed_release_with_it(asked: World) -> None:
    """Released is cumulative: what failed is in the next release, and the sweep finds nothing left."""
    asked.ok(fail(asked, only(asked)))
    surely_failed(asked)
    asked.confirm(*asked.report(2))
    (issued,) = instructions(asked, state="issued")
    assert issued["amount_fen"] == 48_000
    asked.shift(days=2)
    assert sweep(asked, release_waiting) == 0
    assert balanced(asked)["pending_release"] == 48_000


def test_a_frozen_account_releases_nothing_and_refunds(world: World) -> None:
    """A freeze holds releases and never a family's refund; what was held is released when the freeze ends."""
    world.ready()
    first, second = world.report(1, 2)
    freeze(world)
    world.confirm(first)
    assert moving(world) == []
    world.shift(days=1)
    assert sweep(world, release_waiting) == 1
    assert moving(world) == []
    unfreeze(world)
    assert sweep(world, release_waiting) == 1
    assert [item["amount_fen"] for item in moving(world, state="issued")] == [24_000]
    freeze(world)
    world.confirm(second)
    refund = agreed(world)
    assert refund["amount_fen"] == 432_000
    assert sorted(part["amount_fen"] for part in refund["parts"]) == [162_000, 270_000]
    for part in refund["parts"]:
        world.ok(execute(world, part["instruction_id"]))
    found = balanced(world)
    assert (found["refunded"], found["pending_release"], found["escrow"]) == (432_000, 24_000, 24_000)


def test_releases_are_the_price_to_the_fen(world: World) -> None:
    """Scenario 11: 1,000.00 yuan in three lessons: 333.33, 333.33, 333.34; the order closes with the last fen."""
    world.open_class()
    world.open_family()
    world.open_account()
    price = {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 100_000}], "total_fen": 100_000}
    world.buy(class_hours_centi=600, **price)
    released = []
    for number in (1, 2, 3):
        world.confirm(*world.report(number))
        released += [done["amount_fen"] for done in world.execute_all()]
    assert released == [33_333, 33_333, 33_334]
    assert balanced(world) == {**dict.fromkeys(balanced(world), 0), "paid": 100_000, "released": 100_000}
    assert world.order()["state"] == "closed"


def test_only_the_bank_that_holds_it_sees_an_instruction(asked: World) -> None:
    """Other roles have no scope for it; another bank finds nothing there."""
    id = only(asked)
    run(asked, "UPDATE custody_instructions SET bank_id = 'pty_other'")
    for answer in (asked.bank.get(f"/v1/custody-instructions/{id}"), execute(asked, id), fail(asked, id)):
        problem(answer, 404, "resource.not_found")
    problem(asked.vendor.get(f"/v1/custody-instructions/{id}"), 403, "auth.scope")
    assert instructions(asked) == []
    assert balanced(asked)["pending_release"] == 24_000


def test_nothing_was_executed_tomorrow(asked: World) -> None:
    """executed_at lies behind us; nothing is posted for a day that has not come."""
    id = only(asked)
    answer = execute(asked, id, executed_at=asked.at(1, 9))
    problem(in_contract(answer, "executeCustodyInstruction"), 422, "schema.invalid", "/executed_at")
    assert balanced(asked)["pending_release"] == 24_000


def test_an_instruction_is_read_by_its_version(asked: World) -> None:
    """A bank that lost the answer asks again; 304 while nothing has changed."""
    path = f"/v1/custody-instructions/{only(asked)}"
    etag = asked.bank.get(path).headers["ETag"]
    assert asked.bank.get(path, headers={"If-None-Match": etag}).status_code == 304
    asked.ok(execute(asked, only(asked)))
    assert asked.bank.get(path, headers={"If-None-Match": etag}).json["state"] == "executed"


def test_money_is_paid_from_the_account_that_holds_it(world: World) -> None:
    """A family's two parts arrived in two accounts of the institution: each gives back what it holds."""
    world.open_class()
    world.open_family()
    first = world.open_account()
    world.buy(paid=False)
    second = world.open_account()
    parts = [
        {"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w"},
        {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "b"},
    ]
    payment = {
        "external_id": "p", "order_id": world.ids["order"], "parts": parts,
        "payer": {"guardian_id": world.ids["guardian"]},
    }  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    lines = [
        world.receipt_document(1, 300_000, account_id=second), world.receipt_document(2, 180_000, account_id=first),
    ]  # fmt: skip
    world.ok(world.bank.post("/v1/custody-movements/batch", {"items": lines}))
    world.confirm(*world.report(1))
    assert [(i["account_id"], i["amount_fen"]) for i in instructions(world)] == [(second, 24_000)]
    world.execute_all()
    refund = agreed(world)
    assert refund["amount_fen"] == 456_000
    by_account: dict[str, int] = {}
    for item in instructions(world, state="issued"):
        by_account[item["account_id"]] = by_account.get(item["account_id"], 0) + item["amount_fen"]
    assert by_account == {first: 180_000, second: 276_000}
    by_part = {n: sum(p["amount_fen"] for p in refund["parts"] if p["part_no"] == n) for n in (1, 2)}
    assert by_part == {1: 285_000, 2: 171_000}
    world.execute_all()
    assert balanced(world)["refunded"] == 456_000
    assert world.order()["state"] == "closed"
    for account in (first, second):
        assert world.ok(world.bank.get(f"/v1/custody-accounts/{account}"))["balance_fen"] == 0
