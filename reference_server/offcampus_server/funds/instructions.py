"""Custody instructions as they are issued and read: what the platform asks a bank to move.

Invariants
- What a bank is asked to move is held in the ledger first, in the account that holds it for the order.
- A failed instruction is instructed anew at most once, and only when it is certain that it moved nothing (`certainty`);
  until then what it holds stays held.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, exists, func, insert, or_, select, update

from offcampus_server.funds import accounts, decisions
from offcampus_server.funds.tables import custody_instructions, custody_movements
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.service import Transfer
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part
from offcampus_server.orders.service import Order

CAME_TO_NOTHING = or_(
    and_(custody_instructions.c.state == "failed", custody_instructions.c.certain_by.is_not(None)),
    custody_instructions.c.taken_back_by.is_not(None),
)
"""It surely moved nothing, or what it moved was taken back."""


def instruct(
    work: Work, kind: str, order: Order, amount_fen: int, *, refund_id: str | None = None, part: Part | None = None,
    retries: str | None = None, from_open_only: bool = False, payee: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Hold money and tell the bank that has it to move it; returns what was instructed, in fen.

    Money that several accounts hold for the order is drawn from them in the order in which they received it.

    Args:
        retries: the failed instruction that this one takes the place of.
        payee: another account of the payer than the one that the channel paid from.
        from_open_only: leave alone what lies in a frozen account or in the reserve: releases wait, refunds do not.
    """
    held = ledger.held(work, order.id)
    rows = accounts.by_id(work, list(held))
    if from_open_only:
        held = {id: fen for id, fen in held.items() if rows[id]["state"] == "open" and rows[id]["purpose"] != "reserve"}
    drawn = decisions.draw(amount_fen, held)
    for account_id, fen in drawn:
        _issue(work, kind, order, rows[account_id], fen, refund_id, part, retries, payee)
        retries = None
    if drawn:
        orders.money_moved(work, order.id)
    return sum(fen for _, fen in drawn)


def withdraw(work: Work, account: RowMapping, amount_fen: int, retries: str | None = None) -> str:
    """Hold a part of the reserve and tell the bank to pay it out to the institution; returns the instruction."""
    row = {
        "id": new_id("cin"), "bank_id": account["bank_id"], "institution_id": account["institution_id"],
        "region_code": account["region_code"], "version": 1, "kind": "reserve_withdrawal", "state": "issued",
        "account_id": account["id"], "amount_fen": amount_fen, "issued_at": work.now, "updated_at": work.now,
        "retries": retries,
    }  # fmt: skip
    made = work.connection.execute(insert(custody_instructions).returning(*custody_instructions.c), row)
    leg = flows.reserve_withdrawn(account["institution_id"], account["id"], amount_fen, instruction_id=str(row["id"]))
    ledger.hold_legs(work, [leg])
    detail = {"kind": "reserve_withdrawal", "amount_fen": amount_fen}
    work.audit("issueInstruction", str(row["id"]), account["institution_id"], detail=detail)
    tell(work, "issued", made.mappings().one())
    return str(row["id"])


def in_place(work: Work, failed_id: str) -> str:
    """The instruction that took the place of a failed one."""
    query = select(custody_instructions.c.id).where(custody_instructions.c.retries == failed_id)
    return str(work.connection.execute(query).scalar_one())


def present(row: RowMapping) -> dict[str, Any]:
    """An instruction as it is answered (schema `custody-instruction-resource`)."""
    names = (
        "id", "version", "kind", "institution_id", "account_id", "order_id", "refund_id", "payment_id", "part_no",
        "channel", "amount_fen", "state", "bank_reference", "failure", "authority_order", "taken_back_by",
        "payee", "origin",
    )  # fmt: skip
    certain = {"by": row["certain_by"], "at": rfc3339(row["certain_at"])} if row["certain_by"] else None
    issued, updated = rfc3339(row["issued_at"]), rfc3339(row["updated_at"])
    times = {"issued_at": issued, "created_at": issued, "updated_at": updated}
    return {**{name: row[name] for name in names}, "failure_certain": certain, **times}


def issue_order(work: Work, kind: str, account: RowMapping, document: dict[str, Any]) -> RowMapping:
    """Tell a bank what a department orders about one of its accounts; no money is held for it."""
    row = {
        "id": new_id("cin"), "bank_id": account["bank_id"], "institution_id": account["institution_id"],
        "region_code": account["region_code"], "version": 1, "kind": kind, "state": "issued",
        "account_id": account["id"], "amount_fen": 0, "issued_at": work.now, "updated_at": work.now,
        "authority_order": document,
    }  # fmt: skip
    query = insert(custody_instructions).returning(*custody_instructions.c)
    made = work.connection.execute(query, row).mappings().one()
    work.audit("issueInstruction", made["id"], made["institution_id"], detail={"kind": kind})
    tell(work, "issued", made)
    return made


def in_place_of(work: Work, failed: RowMapping) -> RowMapping:
    """An instruction in the place of a failed one that the bank has carried out after all; it holds the sum again."""
    account = accounts.by_id(work, [failed["account_id"]])[failed["account_id"]]
    part = None
    if failed["payment_id"] is not None:
        key = (failed["payment_id"], failed["part_no"])
        part = payments.parts(work, [failed["payment_id"]])[key]
    if failed["certain_by"] is None:  # its hold makes room for the one that takes its place
        ledger.void(work, failed["id"])
        mine = custody_instructions.c.id == failed["id"]
        change = update(custody_instructions).where(mine).values(
            certain_by="settlement", certain_at=work.now, updated_at=work.now, version=failed["version"] + 1
        ).returning(*custody_instructions.c)  # fmt: skip
        tell(work, "failure_certain", work.connection.execute(change).mappings().one())
    if failed["order_id"] is None:
        id = withdraw(work, account, failed["amount_fen"], failed["id"])
        return resources.by_ids(work, custody_instructions, [id])[id]
    order = orders.load(work, failed["order_id"])
    id = _issue(work, failed["kind"], order, account, failed["amount_fen"], failed["refund_id"], part, failed["id"])
    orders.money_moved(work, order.id)
    return resources.by_ids(work, custody_instructions, [id])[id]


def said_late(work: Work, instruction_id: str, reference: str) -> None:
    """Keep that a bank says of a failed instruction that it was carried out: it is not instructed anew from now on."""
    mine = (custody_instructions.c.id == instruction_id) & custody_instructions.c.late_reference.is_(None)
    work.connection.execute(update(custody_instructions).where(mine).values(late_reference=reference))


def of_refund(work: Work, refund_id: str) -> list[dict[str, Any]]:
    """A refund's parts as they are answered (schema `refund-resource`); a failed one until it is instructed anew."""
    return [
        {
            "payment_id": row["payment_id"], "part_no": row["part_no"], "channel": row["channel"],
            "amount_fen": row["amount_fen"], "instruction_id": row["id"],
            "state": "failed" if row["taken_back_by"] else row["state"],
        }
        for row in _standing(work, refund_id)
    ]  # fmt: skip


def failed_of_refund(work: Work, refund_id: str) -> list[RowMapping]:
    """A refund's failed instructions in whose place no other one stands."""
    return [row for row in _standing(work, refund_id) if row["state"] == "failed" or row["taken_back_by"]]


def may_be_given_anew(work: Work, row: RowMapping) -> bool:
    """Is it certain that an instruction came to nothing, and does no later line say otherwise?"""
    if row["taken_back_by"] is not None:
        return True
    if row["certain_by"] == "settlement":
        return line_of(work, row) is None
    return row["certain_by"] is not None and row["late_reference"] is None and line_of(work, row) is None


def refunds_to_pay_again(work: Work, issued_before: datetime, limit: int) -> list[str]:
    """Refunds of which an instruction given before a moment surely came to nothing and was not given anew."""
    return list(work.connection.execute(_TO_PAY_AGAIN, {"before": issued_before, "limit": limit}).scalars())


def in_doubt(work: Work, order_id: str, kind: str) -> int:
    """What was free again by a bank's closed day and yet is reported as moved, in fen: settled, never paid again."""
    return int(work.connection.execute(_IN_DOUBT, {"order": order_id, "kind": kind}).scalar_one())


def owed_back(work: Work, order_id: str, part: Part | None = None) -> int:
    """What a bank surely failed to refund and has not been instructed anew, in fen: it keeps its room in escrow."""
    if part is None:
        return int(work.connection.execute(_OWED_BACK, {"order": order_id}).scalar_one())
    named = {"order": order_id, "payment": part.payment_id, "part": part.part_no}
    return int(work.connection.execute(_OWED_BACK_OF_PART, named).scalar_one())


def line_of(work: Work, instruction: RowMapping) -> str | None:
    """The bank's own line, matched or not, that says that money was moved under an instruction."""
    query = select(custody_movements.c.id).where(_moved_by(instruction))
    return work.connection.execute(query.limit(1)).scalar()


def tell(work: Work, verb: str, row: Any) -> None:
    """Tell of an instruction's new state."""
    work.emit(
        "custody_instruction", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip


def _issue(
    work: Work, kind: str, order: Order, account: RowMapping, amount_fen: int, refund_id: str | None,
    part: Part | None, retries: str | None, payee: dict[str, Any] | None = None,
) -> str:  # fmt: skip
    row = {
        "id": new_id("cin"), "bank_id": account["bank_id"], "institution_id": order.institution_id,
        "region_code": order.region_code, "version": 1, "kind": kind, "state": "issued", "account_id": account["id"],
        "order_id": order.id, "refund_id": refund_id, "payment_id": part.payment_id if part else None,
        "part_no": part.part_no if part else None, "channel": part.channel if part else None, "retries": retries,
        "amount_fen": amount_fen, "issued_at": work.now, "updated_at": work.now, "payee": payee,
        "origin": part.origin if part else None,
    }  # fmt: skip
    work.connection.execute(_INSERT, row)
    locked = account["purpose"] in accounts.LOCKED
    about = Transfer(
        kind, order.id, order.id if locked else account["id"], amount_fen, row["payment_id"], row["part_no"],
        row["id"], held_by=accounts.HELD_BY[account["purpose"]], held_in=account["id"] if locked else None,
    )  # fmt: skip
    ledger.hold(work, about)
    work.audit("issueInstruction", row["id"], order.institution_id, detail={"kind": kind, "amount_fen": amount_fen})
    tell(work, "issued", row)
    return str(row["id"])


def says_that_it_moved() -> ColumnElement[bool]:
    """A line of the bank that says so of the instruction of the query around it."""
    return _moved_by(custody_instructions.c)


def _moved_by(instruction: Any) -> ColumnElement[bool]:
    return and_(
        custody_movements.c.instruction_id == instruction["id"],
        custody_movements.c.account_id == instruction["account_id"],
        custody_movements.c.direction == "debit",
    )


_INSERT = insert(custody_instructions)
_OF_REFUND = (
    select(custody_instructions)
    .where(custody_instructions.c.refund_id == bindparam("refund"))
    .order_by(custody_instructions.c.id)
)
_anew = custody_instructions.alias()
_LAST_WORD = ~exists().where(_anew.c.retries == custody_instructions.c.id)
_SUM = select(func.coalesce(func.sum(custody_instructions.c.amount_fen), 0))
_OWED_BACK = _SUM.where(
    custody_instructions.c.order_id == bindparam("order"), custody_instructions.c.kind == "refund", CAME_TO_NOTHING,
    _LAST_WORD,
)  # fmt: skip
_OWED_BACK_OF_PART = _OWED_BACK.where(
    custody_instructions.c.payment_id == bindparam("payment"), custody_instructions.c.part_no == bindparam("part")
)
_IN_DOUBT = _SUM.where(
    custody_instructions.c.order_id == bindparam("order"), custody_instructions.c.kind == bindparam("kind"),
    custody_instructions.c.state == "failed", _LAST_WORD,
    or_(
        and_(custody_instructions.c.late_reference.is_not(None), custody_instructions.c.certain_by == "statement"),
        and_(custody_instructions.c.certain_by.is_not(None), exists().where(says_that_it_moved())),
    ),
)  # fmt: skip
_SAID_TO_HAVE_MOVED = or_(
    and_(custody_instructions.c.late_reference.is_not(None), custody_instructions.c.certain_by != "settlement"),
    exists().where(says_that_it_moved()),
)
_TO_PAY_AGAIN = (
    select(custody_instructions.c.refund_id)
    .where(
        CAME_TO_NOTHING, custody_instructions.c.refund_id.is_not(None), _LAST_WORD,
        custody_instructions.c.issued_at <= bindparam("before"),
        or_(custody_instructions.c.taken_back_by.is_not(None), ~_SAID_TO_HAVE_MOVED),
    )
    .distinct()
    .order_by("refund_id")
    .limit(bindparam("limit"))
)  # fmt: skip


def _standing(work: Work, refund_id: str) -> list[RowMapping]:
    """A refund's instructions without those in whose place another one stands."""
    rows = work.connection.execute(_OF_REFUND, {"refund": refund_id}).mappings().all()
    replaced = {row["retries"] for row in rows}
    return [row for row in rows if row["id"] not in replaced]
