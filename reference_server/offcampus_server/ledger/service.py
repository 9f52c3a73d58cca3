"""Postings: money comes into custody, is held for a bank's instruction, and leaves when the bank has confirmed.

Accounts: `custody` per bank account (an asset), `escrow` per order (what the custody holds for it).
receipt: debit custody, credit escrow. release and refund: debit escrow, credit custody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger.tables import accounts, transfers
from offcampus_server.ledger.verification import Finding as Finding
from offcampus_server.ledger.verification import verify as verify


@dataclass(frozen=True)
class Sums:
    """The money of one order, in fen."""

    paid: int = 0
    released: int = 0
    refunded: int = 0
    pending_release: int = 0
    pending_refund: int = 0

    @property
    def escrow(self) -> int:
        """What is left in escrow and free: paid less what left and what is about to leave."""
        return self.paid - self.released - self.refunded - self.pending_release - self.pending_refund


@dataclass(frozen=True)
class Transfer:
    """What is posted or held."""

    kind: str
    order_id: str
    custody_account_id: str
    amount_fen: int
    payment_id: str | None = None
    part_no: int | None = None
    instruction_id: str | None = None
    movement_id: str | None = None


def open_account(work: Work, kind: str, owner_id: str, institution_id: str) -> None:
    """Open the account of an order (`escrow`) or of a bank account (`custody`), once."""
    empty = {"debits_pending": 0, "debits_posted": 0, "credits_pending": 0, "credits_posted": 0}
    row = {"id": _account(kind, owner_id), "kind": kind, "owner_id": owner_id, "institution_id": institution_id}
    work.connection.execute(insert(accounts), row | empty)


def receive(work: Work, transfer: Transfer, value_on: date) -> str:
    """Post money that has arrived; returns the transfer's identifier."""
    custody, escrow = _account("custody", transfer.custody_account_id), _account("escrow", transfer.order_id)
    _move(work, custody, debits_posted=transfer.amount_fen)
    _move(work, escrow, credits_posted=transfer.amount_fen)
    return _insert(work, transfer, custody, escrow, "posted", value_on)


def hold(work: Work, transfer: Transfer) -> str:
    """Hold money that a bank is asked to move. Raises `resource.state` when the escrow does not cover it."""
    custody, escrow = _account("custody", transfer.custody_account_id), _account("escrow", transfer.order_id)
    _move(work, escrow, debits_pending=transfer.amount_fen)
    _move(work, custody, credits_pending=transfer.amount_fen)
    return _insert(work, transfer, escrow, custody, "pending", None)


def post(work: Work, instruction_id: str, value_on: date) -> None:
    """The bank has moved what was held: post it. Raises `instruction.resolved` when it is no longer pending."""
    row = _resolve(work, instruction_id, "posted", value_on)
    _move(work, row.debit_account_id, debits_pending=-row.amount_fen, debits_posted=row.amount_fen)
    _move(work, row.credit_account_id, credits_pending=-row.amount_fen, credits_posted=row.amount_fen)


def void(work: Work, instruction_id: str) -> None:
    """The bank has not moved what was held and will not: free it. Raises `instruction.resolved`."""
    row = _resolve(work, instruction_id, "voided", None)
    _move(work, row.debit_account_id, debits_pending=-row.amount_fen)
    _move(work, row.credit_account_id, credits_pending=-row.amount_fen)


def sums(work: Work, order_ids: Sequence[str]) -> dict[str, Sums]:
    """The money of orders."""
    found: dict[str, Sums] = {}
    for start in range(0, len(order_ids), 500):
        found |= _sums(work, transfers.c.order_id.in_(order_ids[start : start + 500]))
    return {order_id: found.get(order_id, Sums()) for order_id in order_ids}


def all_sums(work: Work) -> dict[str, Sums]:
    """The money of every order that has any."""
    return _sums(work, true())


def by_instruction(work: Work) -> dict[tuple[str, str], int]:
    """What was held for instructions, by instruction and by what has become of it."""
    query = select(transfers).where(transfers.c.instruction_id.is_not(None))
    return {(row.instruction_id, row.state): row.amount_fen for row in work.connection.execute(query)}


def by_movement(work: Work) -> dict[str, int]:
    """What was booked for the movements of banks."""
    query = select(transfers).where(transfers.c.movement_id.is_not(None), transfers.c.state == "posted")
    return {row.movement_id: row.amount_fen for row in work.connection.execute(query)}


def refunded_by_part(work: Work, order_id: str) -> dict[tuple[str, int], int]:
    """What went or is going back of each part of a payment."""
    query = (
        select(transfers.c.payment_id, transfers.c.part_no, func.sum(transfers.c.amount_fen).label("fen"))
        .where(transfers.c.order_id == order_id, transfers.c.kind == "refund", transfers.c.state != "voided")
        .group_by(transfers.c.payment_id, transfers.c.part_no)
    )
    return {(row.payment_id, row.part_no): int(row.fen) for row in work.connection.execute(query)}


def held(work: Work, order_id: str) -> dict[str, int]:
    """What each bank account holds for an order and nothing is about to move; the first to receive stands first."""
    found: dict[str, int] = {}
    query = select(transfers).where(transfers.c.order_id == order_id, transfers.c.state != "voided")
    for row in work.connection.execute(query.order_by(transfers.c.seq)):
        arrives = row.debit_account_id.startswith("custody:")
        account = (row.debit_account_id if arrives else row.credit_account_id).removeprefix("custody:")
        found[account] = found.get(account, 0) + (row.amount_fen if arrives else -row.amount_fen)
    return {account: amount for account, amount in found.items() if amount > 0}


def lines(work: Work, order_id: str) -> list[dict[str, Any]]:
    """Every line of an order, oldest first (schema `order-statement`)."""
    query = select(transfers).where(transfers.c.order_id == order_id).order_by(transfers.c.seq)
    return [
        {
            "id": row["id"], "kind": row["kind"], "state": row["state"], "amount_fen": row["amount_fen"],
            "payment_id": row["payment_id"], "part_no": row["part_no"], "instruction_id": row["instruction_id"],
            "created_at": rfc3339(row["created_at"]),
            "value_on": row["value_on"].isoformat() if row["value_on"] else None,
        }
        for row in work.connection.execute(query).mappings()
    ]  # fmt: skip


def custody_balances(work: Work, account_ids: Sequence[str]) -> dict[str, int]:
    """The posted balance of bank accounts by our books."""
    query = select(accounts.c.owner_id, accounts.c.debits_posted, accounts.c.credits_posted).where(
        accounts.c.kind == "custody", accounts.c.owner_id.in_(account_ids)
    )
    return {row.owner_id: row.debits_posted - row.credits_posted for row in work.connection.execute(query)}


def _sums(work: Work, which: ColumnElement[bool]) -> dict[str, Sums]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    names = {
        ("receipt", "posted"): "paid", ("release", "posted"): "released", ("refund", "posted"): "refunded",
        ("release", "pending"): "pending_release", ("refund", "pending"): "pending_refund",
    }  # fmt: skip
    query = select(
        transfers.c.order_id, transfers.c.kind, transfers.c.state, func.sum(transfers.c.amount_fen).label("fen")
    ).group_by(transfers.c.order_id, transfers.c.kind, transfers.c.state)
    for row in work.connection.execute(query.where(which)):
        if (name := names.get((row.kind, row.state))) is not None:
            found[row.order_id][name] = int(row.fen)
    return {order_id: Sums(**parts) for order_id, parts in found.items()}


def _account(kind: str, owner_id: str) -> str:
    return f"{kind}:{owner_id}"


def _move(work: Work, account_id: str, **deltas: int) -> None:
    changes = {name: accounts.c[name] + delta for name, delta in deltas.items()}
    try:
        done = work.connection.execute(update(accounts).where(accounts.c.id == account_id).values(changes))
    except IntegrityError as error:
        if "covered" not in str(error.orig):
            raise
        raise Problem("resource.state", "the escrow does not cover this") from None
    if done.rowcount != 1:
        raise Problem("custody.account_missing")


def _insert(work: Work, transfer: Transfer, debit: str, credit: str, state: str, value_on: date | None) -> str:
    row = {
        "id": new_id("trf"), "kind": transfer.kind, "state": state, "debit_account_id": debit,
        "credit_account_id": credit, "amount_fen": transfer.amount_fen, "order_id": transfer.order_id,
        "payment_id": transfer.payment_id, "part_no": transfer.part_no, "instruction_id": transfer.instruction_id,
        "movement_id": transfer.movement_id, "created_at": work.now,
        "resolved_at": work.now if state == "posted" else None, "value_on": value_on,
    }  # fmt: skip
    work.connection.execute(insert(transfers), row)
    return str(row["id"])


def _resolve(work: Work, instruction_id: str, state: str, value_on: date | None) -> Row[Any]:
    change = update(transfers).where(transfers.c.instruction_id == instruction_id, transfers.c.state == "pending")
    found = work.connection.execute(
        change.values(state=state, resolved_at=work.now, value_on=value_on).returning(
            transfers.c.debit_account_id, transfers.c.credit_account_id, transfers.c.amount_fen
        )
    ).first()
    if found is None:
        raise Problem("instruction.resolved", "the transfer is no longer pending")
    return found
