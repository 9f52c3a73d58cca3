"""Custody accounts and instructions: what the platform asks a bank to do, exactly once, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offcampus_rules import Release
from sqlalchemy import RowMapping, insert, select, update

from offcampus_server.courses import service as courses
from offcampus_server.funds.tables import custody_accounts, custody_instructions
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, missing_reference, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.service import Transfer
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part

Listener = Callable[[Work, RowMapping], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Listener:
    """Be told, in the same transaction, when an instruction was executed or failed: refunds are built on this."""
    _listeners.append(listener)
    return listener


def open_account(call: Call, work: Work) -> Answer:
    """A bank reports that it opened an account for an institution (M-09.1, M-11.5)."""
    assert work.party is not None
    sent = call.body
    if (row := resources.known(work, custody_accounts, sent)) is not None:
        return Answer(200, present_account(work, row), row["version"])
    institution = institutions.any_approved(work, sent["institution_id"])
    row = resources.create(
        work, custody_accounts, "cac", sent, institution_id=institution.id, region_code=institution.region_code,
        state="open", bank_id=work.party.id, purpose=sent["purpose"],
    )  # fmt: skip
    ledger.open_account(work, "custody", row["id"], institution.id)
    work.audit("openCustodyAccount", row["id"], institution.id)
    _tell(work, "custody_account", "opened", row)
    return resources.created(row, "custody-accounts", present_account(work, row))


def present_account(work: Work, row: RowMapping) -> dict[str, Any]:
    """An account with its balance by our books."""
    return resources.presented(row, balance_fen=ledger.custody_balances(work, [row["id"]]).get(row["id"], 0))


def custody_account(work: Work, institution_id: str) -> RowMapping | None:
    """The institution's custody account that is not closed: the oldest, where there are several."""
    query = select(custody_accounts).where(
        custody_accounts.c.institution_id == institution_id, custody_accounts.c.purpose == "custody",
        custody_accounts.c.state != "closed",
    )  # fmt: skip
    return work.connection.execute(query.order_by(custody_accounts.c.id)).mappings().first()


def require_custody(work: Work, institution_id: str) -> RowMapping:
    """The institution's account that takes pre-charges. Raises `custody.account_missing` (M-07.3)."""
    row = custody_account(work, institution_id)
    if row is None:
        raise Problem("custody.account_missing", "all pre-charges go into custody; no bank has opened an account yet")
    return row


def release_due(work: Work, order_id: str) -> None:
    """Ask the bank for what the confirmed hours have earned and nobody has asked for yet.

    Released follows consumption: floor(price * confirmed / hours), cumulative, so that the whole is exactly the whole.
    A frozen account or a rule that holds stops releases; they are asked for again with the next confirmation.
    """
    order = orders.load(work, order_id)
    sums = ledger.sums(work, [order_id])[order_id]
    amount = order.earned_fen(order.confirmed_centi) - sums.released - sums.pending_release
    account = custody_account(work, order.institution_id)
    if amount <= 0 or account is None or account["state"] != "open" or not _rules_allow(work, order, sums, amount):
        return
    instruct(work, "release", order, account, min(amount, sums.escrow))


def instruct(
    work: Work, kind: str, order: orders.Order, account: RowMapping, amount_fen: int, *, refund_id: str | None = None,
    part: Part | None = None,
) -> str | None:  # fmt: skip
    """Hold the money and tell the bank to move it; returns the instruction's identifier, None for nothing to move."""
    if amount_fen <= 0:
        return None
    row = {
        "id": new_id("cin"), "bank_id": account["bank_id"], "institution_id": order.institution_id,
        "region_code": order.region_code, "version": 1, "kind": kind, "state": "issued", "account_id": account["id"],
        "order_id": order.id, "refund_id": refund_id, "payment_id": part.payment_id if part else None,
        "part_no": part.part_no if part else None, "channel": part.channel if part else None,
        "amount_fen": amount_fen, "issued_at": work.now, "updated_at": work.now,
    }  # fmt: skip
    work.connection.execute(insert(custody_instructions), row)
    ledger.hold(work, Transfer(kind, order.id, account["id"], amount_fen, row["payment_id"], row["part_no"], row["id"]))
    work.audit("issueInstruction", row["id"], order.institution_id, detail={"kind": kind, "amount_fen": amount_fen})
    _tell_instruction(work, "issued", row)
    orders.money_moved(work, order.id)
    return str(row["id"])


def accept(call: Call, work: Work) -> Answer:
    """The bank has taken the instruction on; saying so again changes nothing."""
    row = _mine(call, work)
    if row["state"] == "issued":
        row = _step(work, row, "accepted")
    elif row["state"] not in ("accepted", "executed"):
        raise _resolved(row)
    return Answer(200, present_instruction(row), row["version"])


def execute(call: Call, work: Work) -> Answer:
    """The bank has moved the money: post it, once. The same report again gets the same answer; another is refused."""
    row, sent = _mine(call, work), call.body
    if row["state"] == "executed" and row["bank_reference"] == sent["bank_reference"]:
        return Answer(200, present_instruction(row), row["version"])
    if row["state"] not in ("issued", "accepted"):
        raise _resolved(row)
    executed_at = parse(sent["executed_at"])
    row = _step(work, row, "executed", bank_reference=sent["bank_reference"], executed_at=executed_at)
    ledger.post(work, row["id"], executed_at.date())
    _after(work, row)
    return Answer(200, present_instruction(row), row["version"])


def fail(call: Call, work: Work) -> Answer:
    """The bank has not moved the money and will not: free it."""
    row, sent = _mine(call, work), call.body
    failure = {"code": sent["code"], "text": sent["text"]}
    if row["state"] == "failed" and row["failure"] == failure:
        return Answer(200, present_instruction(row), row["version"])
    if row["state"] not in ("issued", "accepted"):
        raise _resolved(row)
    row = _step(work, row, "failed", failure=failure)
    ledger.void(work, row["id"])
    _after(work, row)
    return Answer(200, present_instruction(row), row["version"])


def present_instruction(row: RowMapping) -> dict[str, Any]:
    """An instruction as it is answered (schema `custody-instruction-resource`)."""
    names = (
        "id", "version", "kind", "institution_id", "account_id", "order_id", "refund_id", "payment_id", "part_no",
        "channel", "amount_fen", "state", "bank_reference", "failure",
    )  # fmt: skip
    issued, updated = rfc3339(row["issued_at"]), rfc3339(row["updated_at"])
    return {**{name: row[name] for name in names}, "issued_at": issued, "created_at": issued, "updated_at": updated}


def instructions_of_refund(work: Work, refund_id: str) -> list[dict[str, Any]]:
    """A refund's parts as they are answered (schema `refund-resource`)."""
    query = select(custody_instructions).where(custody_instructions.c.refund_id == refund_id)
    return [
        {
            "payment_id": row["payment_id"], "part_no": row["part_no"], "channel": row["channel"],
            "amount_fen": row["amount_fen"], "instruction_id": row["id"], "state": row["state"],
        }
        for row in work.connection.execute(query.order_by(custody_instructions.c.id)).mappings()
    ]  # fmt: skip


def _rules_allow(work: Work, order: orders.Order, sums: ledger.Sums, amount: int) -> bool:
    course = courses.require(work, order.course_id)
    case = Release(
        scope=course.scope, signed_on=order.signed_on, requested_at=work.now, paid_fen=sums.paid,
        released_fen=sums.released + sums.pending_release, amount_fen=amount, confirmed_centi=order.confirmed_centi,
        total_centi=order.carrying_centi,
    )  # fmt: skip
    decision = work.rules.check_release(case)
    if decision.outcome != "allow":
        work.record(decision, order.id, order.institution_id, order.region_code)
    return decision.outcome == "allow"


def _after(work: Work, row: RowMapping) -> None:
    """What an instruction's end means for the order and, for a refund, for the refund."""
    orders.money_moved(work, row["order_id"])
    touch_account(work, row["account_id"])
    if row["kind"] == "refund":
        payments.refund_moved(work, row["payment_id"])
    for listener in _listeners:
        listener(work, row)
    orders.close_when_settled(work, row["order_id"])


def touch_account(work: Work, account_id: str) -> None:
    """An account's balance has changed: a new version."""
    row = resources.by_ids(work, custody_accounts, [account_id])[account_id]
    _tell(work, "custody_account", "balance_changed", resources.change(work, custody_accounts, row, None))


def _mine(call: Call, work: Work) -> RowMapping:
    return resources.find(work, custody_instructions, call.path["instruction_id"])


def _step(work: Work, row: RowMapping, state: str, **columns: Any) -> RowMapping:
    changes = {**columns, "state": state, "version": row["version"] + 1, "updated_at": work.now}
    query = (
        update(custody_instructions)
        .where(custody_instructions.c.id == row["id"], custody_instructions.c.version == row["version"])
        .values(changes)
        .returning(*custody_instructions.c)
    )
    changed = work.connection.execute(query).mappings().one()
    work.audit(f"instruction.{state}", row["id"], row["institution_id"])
    _tell_instruction(work, state, changed)
    return changed


def _resolved(row: RowMapping) -> Problem:
    allowed = ["issued", "accepted"]
    entry = violation("instruction.resolved", "/state", given=row["state"], allowed=allowed)
    return Problem("instruction.resolved", f"the instruction is {row['state']}", [entry])


def _tell_instruction(work: Work, verb: str, row: Any) -> None:
    work.emit(
        "custody_instruction", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip


def _tell(work: Work, resource: str, verb: str, row: RowMapping) -> None:
    work.emit(
        resource, verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip


def require_account(work: Work, account_id: str) -> RowMapping:
    """An account of the calling bank. Raises `reference.not_found`."""
    assert work.party is not None
    row = resources.by_ids(work, custody_accounts, [account_id]).get(account_id)
    if row is None or row["bank_id"] != work.party.id:
        raise missing_reference("/account_id", account_id)
    return row
