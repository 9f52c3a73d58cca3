"""The work list: every difference with a type, a state and an owner; two persons settle what moves money."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    agreed,
    balanced,
    differences,
    event_types,
    execute,
    fail,
    in_contract,
    line,
    movement,
    moving,
    report_lines,
    run,
    settle,
    sweep,
    take,
)
from offcampus_server.refunds.service import pay_again
from world import Document, World, problem

PROPOSED_BY, APPROVED_BY = "OFF-1", "OFF-2"


@pytest.fixture
def paid(world: World) -> World:
    return world.ready()


@pytest.fixture
def promised(world: World) -> World:
    """A promised payment of two parts; a line came that names another payment."""
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(paid=False)
    parts = [{"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w"},
             {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "b"}]  # fmt: skip
    payment = {"external_id": world.fresh("pay"), "order_id": world.ids["order"], "parts": parts,
               "payer": {"guardian_id": world.ids["guardian"]}}  # fmt: skip
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    lost = world.receipt_document(1, 300_000, payment_id="pay_" + "0" * 26)
    assert take(world, lost) == [("unmatched", "unknown_reference")]
    return world


def proposal(world: World, action: str = "book_receipt", part_no: int = 1, **changes: Any) -> Document:
    of_part = {"payment_id": world.ids["payment"], "part_no": part_no} if action == "book_receipt" else {}
    return {"action": action, "officer": PROPOSED_BY, "note": "回单已核对", **of_part, **changes}


def decision(officer: str = APPROVED_BY) -> Document:
    return {"officer": officer, "note": "同意"}


def settled(world: World, entry: Document, body: Document) -> Document:
    proposed = world.ok(settle(world, "settlement", entry, body))
    return dict(world.ok(settle(world, "settlement-approval", proposed, decision())))


def test_a_receipt_that_named_nothing_is_booked_by_two_persons(promised: World) -> None:
    """Proposed: nothing moves. Approved by the same person: refused. By another: booked, matched, the part arrived."""
    (entry,) = differences(promised, state="open")
    assert (entry["type"], entry["owner"], entry["got_fen"]) == ("unknown_reference", "bank", 300_000)
    proposed = promised.ok(settle(promised, "settlement", entry, proposal(promised)))
    assert (proposed["state"], proposed["settlement"]["decided_by"]) == ("proposed", None)
    assert balanced(promised)["paid"] == 0
    same = settle(promised, "settlement-approval", proposed, decision(PROPOSED_BY))
    problem(in_contract(same, "approveSettlement"), 409, "settlement.same_person", "/officer")
    assert balanced(promised)["paid"] == 0
    done = promised.ok(settle(promised, "settlement-approval", proposed, decision()))
    assert (done["state"], done["settlement"]["decided_by"]) == ("settled", APPROVED_BY)
    assert balanced(promised)["paid"] == 300_000
    found = movement(promised, entry["movement_id"])
    assert (found["state"], found["break_type"]) == ("matched", None)
    assert take(promised, promised.receipt_document(1, 300_000)) == [("unmatched", "duplicate")]
    problem(settle(promised, "settlement-approval", done, decision()), 409, "resource.state")
    assert event_types(promised, entry["id"]) == [f"difference.{v}" for v in ("opened", "proposed", "settled")]
    assert event_types(promised, entry["movement_id"])[-1] == "custody_movement.matched"


def test_the_facts_agree_to_the_fen_or_nothing_is_booked(promised: World) -> None:
    """Another part's sum, a part that is not there, a part that has arrived meanwhile: refused, nothing moves."""
    (entry,) = differences(promised)
    for part_no in (2, 3):
        answer = settle(promised, "settlement", entry, proposal(promised, part_no=part_no))
        problem(in_contract(answer, "proposeSettlement"), 409, "settlement.not_applicable", "/action")
    problem(settle(promised, "settlement", entry, proposal(promised, "book_execution")), 409,
            "settlement.not_applicable")  # fmt: skip
    proposed = promised.ok(settle(promised, "settlement", entry, proposal(promised)))
    take(promised, promised.receipt_document(1, 300_000))
    late = settle(promised, "settlement-approval", proposed, decision())
    problem(in_contract(late, "approveSettlement"), 409, "settlement.not_applicable")
    assert differences(promised)[0]["state"] == "proposed"
    assert balanced(promised)["paid"] == 300_000


def test_a_rejected_proposal_opens_the_difference_again(promised: World) -> None:
    """With the note in the trail; another proposal may follow."""
    (entry,) = differences(promised)
    proposed = promised.ok(settle(promised, "settlement", entry, proposal(promised)))
    again = promised.ok(settle(promised, "settlement-rejection", proposed, decision()))
    twice = settle(promised, "settlement-rejection", again, decision())
    problem(in_contract(twice, "rejectSettlement"), 409, "resource.state")
    assert (again["state"], again["settlement"]) == ("open", None)
    noted = run(promised, "SELECT count(*) AS n FROM audit WHERE action = 'rejectSettlement.note'")
    assert noted[0].n == 1
    settled(promised, again, proposal(promised))
    assert balanced(promised)["paid"] == 300_000


def test_an_explanation_moves_nothing(paid: World) -> None:
    """A fee is explained: settled, still unmatched, no order's money has changed."""
    fee = {**paid.receipt_document(1, 30), "kind": "fee", "direction": "debit"}
    take(paid, fee)
    (entry,) = differences(paid)
    assert (entry["type"], entry["owner"]) == ("fee", "institution")
    assert settled(paid, entry, proposal(paid, "explained"))["state"] == "settled"
    assert movement(paid, entry["movement_id"])["state"] == "unmatched"
    assert balanced(paid)["escrow"] == 480_000


def test_a_late_success_is_booked_once_and_never_paid_again(paid: World) -> None:
    """Scenario 20: failed, then moved after all. One entry however it is told; approved, the refund is paid."""
    refund = agreed(paid)
    card = next(item for item in moving(paid) if item["channel"] == "bank_card")
    paid.ok(fail(paid, card["id"]))
    problem(execute(paid, card["id"], "X9"), 409, "instruction.resolved")
    (entry,) = differences(paid)
    assert (entry["type"], entry["instruction_id"], entry["movement_id"]) == ("late_success", card["id"], None)
    paid.shift(days=2)
    assert sweep(paid, pay_again) == 0, "what the bank says it did is not instructed anew, line or not"
    answer = settle(paid, "settlement", entry, proposal(paid, "book_execution"))
    problem(answer, 409, "settlement.not_applicable")
    assert take(paid, line(paid, card)) == [("unmatched", "late_success")]
    (entry,) = differences(paid)
    assert entry["movement_id"] is not None
    settled(paid, entry, proposal(paid, "book_execution"))
    assert balanced(paid)["refunded"] == 180_000
    assert sweep(paid, pay_again) == 0
    paid.execute_all()
    found = balanced(paid)
    assert (found["refunded"], found["escrow"]) == (480_000, 0)
    assert paid.ok(paid.vendor.get(f"/v1/refunds/{refund['id']}"))["state"] == "paid"


def test_a_late_release_is_booked(paid: World) -> None:
    """The same for a release: booked, and what is released next starts from it."""
    first, second = paid.report(1, 2)
    paid.confirm(first)
    (release,) = moving(paid)
    paid.ok(fail(paid, release["id"]))
    take(paid, line(paid, release))
    (entry,) = differences(paid)
    settled(paid, entry, proposal(paid, "book_execution"))
    assert balanced(paid)["released"] == 24_000
    paid.confirm(second)
    assert [item["amount_fen"] for item in moving(paid, state="issued")] == [24_000]


def submit(world: World, *lines: Document, closing: int | None = None) -> Any:
    moved = sum(entry["amount_fen"] for entry in lines)
    body = {"opening_balance_fen": 0, "closing_balance_fen": moved if closing is None else closing,
            "lines": list(lines)}  # fmt: skip
    return world.ok(world.bank.write("PUT", f"/v1/statements/{world.ids['account']}/{world.day(-10)}", body))


def test_what_a_statement_shows_stays_until_it_agrees(paid: World) -> None:
    """Opened once however often it is sent, cleared by a statement that agrees, opened anew when it comes back."""
    sent = ("external_id", "account_id", "kind", "direction", "amount_fen", "booked_at", "value_on", "bank_reference",
            "payment_id", "part_no", "balance_after_fen")  # fmt: skip
    items = paid.ok(paid.bank.get("/v1/custody-movements"))["items"]
    first, second = [{name: item[name] for name in sent} for item in items]
    submit(paid, first)
    submit(paid, first)
    (entry,) = differences(paid)
    assert (entry["type"], entry["state"], entry["statement_on"]) == ("missing_line", "open", paid.day(-10))
    assert entry["movement_id"] == items[1]["id"]
    submit(paid, first, second)
    assert [item["state"] for item in differences(paid)] == ["cleared"]
    submit(paid, first, second, second)
    assert [(item["type"], item["state"]) for item in differences(paid)] == [
        ("missing_line", "cleared"), ("duplicate_line", "open"),
    ]  # fmt: skip
    submit(paid, first)
    assert [(item["type"], item["state"]) for item in differences(paid)] == [
        ("missing_line", "cleared"), ("duplicate_line", "cleared"), ("missing_line", "open"),
    ]  # fmt: skip


def test_what_two_persons_have_explained_is_not_opened_again(paid: World) -> None:
    """The same difference in the same statement stays settled."""
    submit(paid)
    for entry in differences(paid):
        settled(paid, entry, proposal(paid, "explained"))
    submit(paid)
    assert [item["state"] for item in differences(paid)] == ["settled"] * 2


def test_the_same_money_under_another_reference_is_one_difference(paid: World) -> None:
    """The bank's own line id and sum agree, its reference does not: one entry with both sides."""
    items = paid.ok(paid.bank.get("/v1/custody-movements"))["items"]
    lines = [{name: item[name] for name in item if name not in ("id", "version", "created_at", "updated_at", "state",
              "break_type", "institution_id")} for item in items]  # fmt: skip
    submit(paid, lines[0], {**lines[1], "bank_reference": "OTHER"})
    (entry,) = differences(paid)
    assert (entry["type"], entry["movement_id"], entry["bank_reference"]) == (
        "reference_differs", items[1]["id"], "OTHER",
    )  # fmt: skip


def test_the_list_is_filtered_and_assigned(paid: World) -> None:
    """By owner, state and type; another owner by order of the department, told as an event."""
    take(paid, {**paid.receipt_document(1, 30), "kind": "fee", "direction": "debit"},
         {**paid.receipt_document(1, 30), "kind": "sweep", "direction": "debit"})  # fmt: skip
    (fee,) = differences(paid, owner="institution")
    (sweep_,) = differences(paid, type="sweep")
    assert sweep_["owner"] == "authority"
    body = {"owner": "bank", "officer": PROPOSED_BY, "note": "请银行说明"}
    moved = paid.ok(settle(paid, "assignment", fee, body))
    assert (moved["owner"], moved["state"]) == ("bank", "open")
    assert differences(paid, owner="institution") == []
    stale = settle(paid, "assignment", fee, body)
    problem(in_contract(stale, "assignDifference"), 412, "concurrency.stale")
    assert event_types(paid, fee["id"])[-1] == "difference.assigned"


def test_whose_differences_one_sees(promised: World) -> None:
    """The bank its own, the department its region's; nobody else; only the department settles."""
    (entry,) = differences(promised)
    assert promised.ok(promised.bank.get("/v1/differences"))["items"] == [entry]
    assert promised.ok(promised.bank.get(f"/v1/differences/{entry['id']}")) == entry
    problem(settle(promised, "settlement", entry, proposal(promised), by="bank"), 403, "auth.scope")
    problem(promised.vendor.get("/v1/differences"), 403, "auth.scope")
    run(promised, "UPDATE differences SET bank_id = 'pty_other', region_code = '330100'")
    for name in ("bank", "authority"):
        problem(promised.parties[name].get(f"/v1/differences/{entry['id']}"), 404, "resource.not_found")
    problem(settle(promised, "settlement", entry, proposal(promised)), 404, "resource.not_found")


def test_lines_reported_in_one_batch_are_all_on_the_list(promised: World) -> None:
    """Ten strays are ten entries; reported again, still ten."""
    strays = [{**promised.receipt_document(1, fen), "kind": "other"} for fen in range(1, 11)]
    report_lines(promised, *strays)
    report_lines(promised, *strays)
    assert len(differences(promised, type="unlinked")) == 10
