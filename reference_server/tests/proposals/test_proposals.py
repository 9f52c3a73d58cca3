"""What moves only when two officers agree: out of a reserve, a wrong booking undone, a refund to another account."""

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
    instructions,
    line,
    moving,
    refund,
    run,
    surely_failed,
    sweep,
    take,
)
from offcampus_server.proposals.service import lapse
from offcampus_server.refunds.service import pay_again
from world import Document, World, problem


@pytest.fixture
def reserved(world: World) -> World:
    """An order of 4,800.00 yuan in custody, and a reserve of 6,000.00."""
    world.ready()
    hold_reserve(world, 600_000)
    return world


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    sqlite_world.ready()
    hold_reserve(sqlite_world, 600_000)
    return sqlite_world


def hold_reserve(world: World, fen: int) -> None:
    account = {
        "external_id": world.fresh("cac"), "institution_id": world.ids["institution"],
        "account_digest": "sha-256:" + "1" * 64, "account_tail": "0009", "agreement_number": "2",
        "opened_on": world.day(-30), "purpose": "reserve",
    }  # fmt: skip
    world.ids["reserve"] = world.ok(world.bank.post("/v1/custody-accounts", account))["id"]
    assert take(world, bank_line(world, "reserve_deposit", fen, account_id=world.ids["reserve"])) == [("matched", None)]


def bank_line(world: World, kind: str, fen: int, **named: Any) -> Document:
    return {
        "external_id": world.fresh("line"), "account_id": world.ids["account"], "kind": kind,
        "direction": "debit" if kind == "chargeback" else "credit", "amount_fen": fen,
        "booked_at": world.now.isoformat(), "value_on": world.day(0), "bank_reference": world.fresh("B"),
        "balance_after_fen": 0, **named,
    }  # fmt: skip


def propose(world: World, kind: str, **members: Any) -> Any:
    body = {"external_id": world.fresh("mpr"), "kind": kind, "officer": "OFF-1", "note": "已核对", **members}
    return world.authority.post("/v1/money-proposals", body)


def withdraw(world: World, fen: int) -> Any:
    return propose(world, "reserve_withdrawal", account_id=world.ids["reserve"], amount_fen=fen)


def decide(world: World, proposal: Document, step: str = "approval", officer: str = "OFF-2", **how: Any) -> Any:
    path = f"/v1/money-proposals/{proposal['id']}/{step}"
    return world.authority.post(path, {"officer": officer, "note": "同意"}, if_match=proposal["version"], **how)


def reserve(world: World) -> int:
    body = world.ok(world.authority.get(f"/v1/institutions/{world.ids['institution']}/ledger"))
    return next(entry["balance_fen"] for entry in body["balances"] if entry["kind"] == "reserve")


def test_the_reserve_is_paid_out_when_two_officers_agree(reserved: World) -> None:
    """Held at the proposal, told to the bank at the approval, gone when the bank has moved it; one officer is not two."""
    asked = reserved.ok(withdraw(reserved, 500_000), 201)
    assert asked["state"] == "proposed"
    problem(in_contract(withdraw(reserved, 100_001), "createMoneyProposal"), 409, "resource.state", "/amount_fen")
    same = decide(reserved, asked, officer="OFF-1")
    problem(in_contract(same, "approveMoneyProposal"), 409, "settlement.same_person", "/officer")
    assert instructions(reserved) == []
    done = reserved.ok(decide(reserved, asked))
    (told,) = instructions(reserved)
    assert (done["state"], done["instruction_id"]) == ("approved", told["id"])
    assert (told["kind"], told["amount_fen"], told["order_id"]) == ("reserve_withdrawal", 500_000, None)
    problem(in_contract(decide(reserved, done), "approveMoneyProposal"), 409, "resource.state")
    assert reserve(reserved) == 600_000
    reserved.ok(execute(reserved, told["id"]))
    assert take(reserved, line(reserved, told)) == [("matched", None)]
    assert reserve(reserved) == 100_000
    assert balanced(reserved)["escrow"] == 480_000
    assert event_types(reserved, asked["id"]) == ["money_proposal.proposed", "money_proposal.approved"]


def test_a_withdrawal_that_the_bank_fails_is_free_when_that_is_certain(reserved: World) -> None:
    """As any other instruction: not before its day is closed; what moved after all is booked by two persons."""
    reserved.ok(decide(reserved, reserved.ok(withdraw(reserved, 600_000))))
    (told,) = instructions(reserved)
    reserved.ok(fail(reserved, told["id"]))
    problem(withdraw(reserved, 1), 409, "resource.state")
    custody, reserved.ids["account"] = reserved.ids["account"], reserved.ids["reserve"]
    surely_failed(reserved)
    reserved.ids["account"] = custody
    assert reserved.ok(withdraw(reserved, 600_000), 201)["state"] == "proposed"
    assert balanced(reserved)["escrow"] == 480_000


def test_a_proposal_that_nobody_approves_lapses_and_its_money_is_free(reserved: World) -> None:
    """Ten days: told as an event, the hold voided, no approval any more, swept or not (getMoneyProposal tells)."""
    asked = reserved.ok(withdraw(reserved, 600_000))
    assert sweep(reserved, lapse) == 0
    reserved.shift(days=10)
    problem(in_contract(decide(reserved, asked), "approveMoneyProposal"), 409, "resource.state")
    assert sweep(reserved, lapse) == 1
    assert sweep(reserved, lapse) == 0
    assert event_types(reserved, asked["id"]) == ["money_proposal.proposed", "money_proposal.expired"]
    found = reserved.ok(reserved.authority.get(f"/v1/money-proposals/{asked['id']}"))
    assert (found["state"], found["decided_by"]) == ("expired", None)
    assert run(reserved, "SELECT state FROM ledger_transfers WHERE kind = 'reserve_withdrawal'") == [("voided",)]
    assert reserved.ok(withdraw(reserved, 600_000), 201)


def test_a_rejected_withdrawal_frees_the_reserve(lite: World) -> None:
    """Nobody has to wait for it to lapse (rejectMoneyProposal); it stays on the list (listMoneyProposals)."""
    asked = lite.ok(withdraw(lite, 600_000))
    assert lite.ok(decide(lite, asked, "rejection"))["state"] == "rejected"
    page = lite.ok(lite.authority.get("/v1/money-proposals", state="rejected"))
    assert [item["id"] for item in page["items"]] == [asked["id"]]
    assert lite.ok(withdraw(lite, 600_000), 201)
    assert instructions(lite) == []


def test_a_frozen_reserve_is_not_paid_out(lite: World) -> None:
    """Neither proposed nor approved nor accepted."""
    asked = lite.ok(withdraw(lite, 10))
    path = f"/v1/custody-accounts/{lite.ids['reserve']}"
    version = lite.ok(lite.bank.get(path))["version"]
    order = {"document_number": "京校培冻〔2026〕7号", "reason": "机构失联", "officer": "OFF-1"}
    lite.ok(lite.authority.post(f"{path}/freeze", order, if_match=version))
    problem(withdraw(lite, 10), 409, "resource.state")
    problem(decide(lite, asked), 409, "resource.state")


def test_never_below_the_minimum_of_the_rules_in_force(lite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rules name one (Guangdong: the fees of one charging period); Beijing names none, and that is on record."""
    lite.ok(withdraw(lite, 1))
    (noted,) = run(lite, "SELECT detail FROM audit WHERE action = 'reserveMinimum'")
    assert '"minimum_fen":null' in str(noted.detail).replace(" ", "").replace("'", '"').replace("None", "null")
    from offcampus_server.proposals import withdrawals

    monkeypatch.setattr(withdrawals, "minimum", lambda work, institution_id: (480_000, ["one charging period"]))
    refused = problem(in_contract(withdraw(lite, 120_001), "createMoneyProposal"), 409, "reserve.below_minimum")
    assert (refused["violations"][0]["given"], refused["violations"][0]["allowed"]) == (479_998, 480_000)
    assert lite.ok(withdraw(lite, 119_999), 201)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [({"kind": "reserve_withdrawal"}, "/account_id"), ({"kind": "reversal"}, "/transfer_id"),
     ({"kind": "refund_redirect", "refund_id": "rfd_" + "0" * 26}, "/payment_id")],
)  # fmt: skip
def test_a_proposal_says_what_it_is_about(lite: World, members: Document, pointer: str) -> None:
    """What a kind needs is named."""
    problem(in_contract(propose(lite, **members), "createMoneyProposal"), 422, "schema.invalid", pointer)


def test_what_is_not_there_is_not_proposed(lite: World) -> None:
    """No such account, booking or refund of the region; and nobody else proposes."""
    for members, pointer in (
        ({"kind": "reserve_withdrawal", "account_id": lite.ids["account"], "amount_fen": 1}, "/account_id"),
        ({"kind": "reversal", "transfer_id": "trf_" + "0" * 26}, "/transfer_id"),
    ):
        problem(propose(lite, **members), 422, "reference.not_found", pointer)
    body = {"external_id": "x", "kind": "reversal", "officer": "O", "note": "n", "transfer_id": "trf_" + "0" * 26}
    problem(lite.vendor.post("/v1/money-proposals", body), 403, "auth.scope")


def booking(world: World, kind: str) -> str:
    rows = run(world, "SELECT id FROM ledger_transfers WHERE kind = :kind ORDER BY seq DESC", kind=kind)
    return str(rows[0].id)


def test_a_charge_back_booked_to_the_wrong_part_is_undone(reserved: World) -> None:
    """Typed, mirrored, once; the bank's line is open again and on the list."""
    sent = bank_line(reserved, "chargeback", 180_000, payment_id=reserved.ids["payment"], part_no=1)
    assert take(reserved, sent) == [("matched", None)]
    wrong = booking(reserved, "chargeback")
    asked = reserved.ok(propose(reserved, "reversal", transfer_id=wrong), 201)
    done = reserved.ok(decide(reserved, asked))
    (row,) = run(
        reserved, "SELECT kind, reverses, reverses_kind FROM ledger_transfers WHERE id = :i", i=done["booked_as"]
    )
    assert tuple(row) == ("reversal", wrong, "chargeback")
    assert balanced(reserved)["escrow"] == 480_000
    (entry,) = differences(reserved)
    assert (entry["type"], entry["state"]) == ("unlinked", "open")
    again = propose(reserved, "reversal", transfer_id=wrong)
    problem(in_contract(again, "createMoneyProposal"), 409, "proposal.not_applicable")


@pytest.mark.parametrize("kind", ["receipt", "reserve_deposit"])
def test_what_families_paid_is_not_undone(lite: World, kind: str) -> None:
    """A receipt is not; a deposit into the reserve may be."""
    answer = propose(lite, "reversal", transfer_id=booking(lite, kind))
    if kind == "receipt":
        problem(answer, 409, "proposal.not_applicable")
    else:
        lite.ok(decide(lite, lite.ok(answer)))
        assert reserve(lite) == 0


def failed_card(world: World) -> tuple[Document, Document]:
    """A refund whose card is closed."""
    done = agreed(world)
    card = next(item for item in moving(world) if item["channel"] == "bank_card")
    world.ok(fail(world, card["id"]))
    return refund(world, done["id"]), card


def name_account(world: World, found: Document, **changes: Any) -> Any:
    body = {
        "payment_id": world.ids["payment"], "part_no": 2, "account_digest": "sha-256:" + "3" * 64,
        "account_tail": "0123", **changes,
    }  # fmt: skip
    return world.guardian_app.post(f"/v1/refunds/{found['id']}/payee", body, if_match=found["version"])


def redirect(world: World, found: Document) -> Any:
    members = {"refund_id": found["id"], "payment_id": world.ids["payment"], "part_no": 2, "verification": "YZ-1"}
    return propose(world, "refund_redirect", **members)


def test_a_closed_card_is_refunded_to_another_account_of_the_payer(reserved: World) -> None:
    """Named by the guardian when the failure is certain, verified, approved by two, paid once; the wallet as ever."""
    found, card = failed_card(reserved)
    early = name_account(reserved, found)
    problem(in_contract(early, "nameRefundAccount"), 409, "proposal.not_applicable")
    surely_failed(reserved)
    problem(redirect(reserved, found), 409, "proposal.not_applicable")
    named = reserved.ok(name_account(reserved, refund(reserved, found["id"])))
    assert named["payees"] == [
        {"payment_id": reserved.ids["payment"], "part_no": 2, "account_tail": "0123", "approved": False}
    ]
    assert sweep(reserved, pay_again) == 0, "the closed card is not tried again while officers decide"
    asked = reserved.ok(redirect(reserved, found), 201)
    done = reserved.ok(decide(reserved, asked))
    told = reserved.ok(reserved.bank.get(f"/v1/custody-instructions/{done['instruction_id']}"))
    assert told["payee"] == {"account_digest": "sha-256:" + "3" * 64, "account_tail": "0123"}
    assert (told["amount_fen"], told["channel"]) == (card["amount_fen"], "bank_card")
    reserved.execute_all()
    assert balanced(reserved)["refunded"] == 480_000
    assert (refund(reserved, found["id"])["state"], reserved.order()["state"]) == ("paid", "closed")
    problem(redirect(reserved, found), 409, "proposal.not_applicable")


def test_an_account_that_officers_refuse_is_forgotten(lite: World) -> None:
    """The part goes back through its channel again, and another account may be named."""
    found, _ = failed_card(lite)
    surely_failed(lite)
    lite.ok(name_account(lite, refund(lite, found["id"])))
    asked = lite.ok(redirect(lite, found))
    lite.ok(decide(lite, asked, "rejection"))
    assert refund(lite, found["id"])["payees"] == []
    assert sweep(lite, pay_again) == 1
    assert next(item for item in moving(lite, state="issued") if item["channel"] == "bank_card")["payee"] is None


def test_only_a_failed_part_has_another_account(lite: World) -> None:
    """The wallet was paid; a paid refund names nothing."""
    found, _ = failed_card(lite)
    surely_failed(lite)
    body = refund(lite, found["id"])
    problem(in_contract(name_account(lite, body, part_no=1), "nameRefundAccount"), 409, "proposal.not_applicable")
    problem(name_account(lite, body, account_tail="62220"), 422, "schema.invalid", "/account_tail")
