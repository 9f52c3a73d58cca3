"""Postings: money comes in, is held for a bank's instruction, and leaves when the bank has confirmed.

Accounts and kinds: `chart.py`; what each event moves: `flows.py`; an auditor's account: `docs/ledger.md`.

Invariants
- What is booked in one call is booked whole or not at all; accounts are moved before rows are written.
- A pending transfer counts against the balance already; it ends once, and never at or after its expiry.
- A reversal mirrors one posted transfer, at most once, and no reversal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, RowMapping, bindparam, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import IntegrityError

from offcampus_server.kernel.db import Instant
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart, flows
from offcampus_server.ledger.flows import Leg
from offcampus_server.ledger.flows import Transfer as Transfer
from offcampus_server.ledger.reading import Sums as Sums
from offcampus_server.ledger.reading import all_sums as all_sums
from offcampus_server.ledger.reading import balance as balance
from offcampus_server.ledger.reading import by_instruction as by_instruction
from offcampus_server.ledger.reading import by_movement as by_movement
from offcampus_server.ledger.reading import custody_balances as custody_balances
from offcampus_server.ledger.reading import custody_of_institution as custody_of_institution
from offcampus_server.ledger.reading import fees_owed as fees_owed
from offcampus_server.ledger.reading import free_balances as free_balances
from offcampus_server.ledger.reading import held as held
from offcampus_server.ledger.reading import lines as lines
from offcampus_server.ledger.reading import locked as locked
from offcampus_server.ledger.reading import refunded_by_part as refunded_by_part
from offcampus_server.ledger.reading import reserves as reserves
from offcampus_server.ledger.reading import sums as sums
from offcampus_server.ledger.tables import accounts, parts, transfers
from offcampus_server.ledger.verification import Finding as Finding
from offcampus_server.ledger.verification import verify as verify

EMPTY = {"debits_pending": 0, "debits_posted": 0, "credits_pending": 0, "credits_posted": 0}
FEW = 4
"""So many accounts are moved one by one, and a refusal can say which one it was."""
_OPEN, _BOOK, _COUNT = insert(accounts), insert(transfers), insert(parts)
_MOVE = (
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values({name: accounts.c[name] + bindparam(f"more_{name}") for name in EMPTY})
)
_GIVE_BACK = (
    update(parts)
    .where(parts.c.payment_id == bindparam("payment"), parts.c.part_no == bindparam("part"))
    .values(paid_fen=parts.c.paid_fen + bindparam("paid"), back_fen=parts.c.back_fen + bindparam("back"))
)
_ENDED = (
    transfers.c.kind, transfers.c.debit_account_id, transfers.c.credit_account_id, transfers.c.amount_fen,
    transfers.c.payment_id, transfers.c.part_no, transfers.c.instruction_id, transfers.c.event,
)  # fmt: skip
_NOW = bindparam("now", type_=Instant)
_END = (
    update(transfers)
    .where(transfers.c.instruction_id == bindparam("instruction"), transfers.c.state == "pending")
    .values(state=bindparam("end"), resolved_at=_NOW, value_on=bindparam("day"))
    .returning(*_ENDED)
)
_POST = _END.where(or_(transfers.c.expires_at.is_(None), transfers.c.expires_at > _NOW))
_EXPIRE = (
    update(transfers)
    .where(
        transfers.c.seq.in_(
            select(transfers.c.seq)
            .where(transfers.c.state == "pending", transfers.c.expires_at <= _NOW)
            .order_by(transfers.c.expires_at)
            .limit(bindparam("limit"))
        ),
        transfers.c.state == "pending",
    )
    .values(state="voided", resolved_at=_NOW)
    .returning(*_ENDED)
)


def open_account(work: Work, kind: str, owner_id: str, institution_id: str) -> None:
    """Open the account of an order (`escrow`, `wallet`…) or of a bank account (`custody`, `reserve_held`), once."""
    work.connection.execute(_OPEN, _opened(chart.account(kind, owner_id), institution_id))


def lock(work: Work, transfer: Transfer, institution_id: str, value_on: date) -> str:
    """Post money that the payer's own account or wallet has locked for an order; returns the transfer's identifier."""
    name = chart.account(transfer.held_by, transfer.order_id)
    if work.connection.execute(select(accounts.c.id).where(accounts.c.id == name)).first() is None:
        open_account(work, transfer.held_by, transfer.order_id, institution_id)
    return receive(work, transfer, value_on)


def receive(work: Work, transfer: Transfer, value_on: date) -> str:
    """Post money that has arrived for an order; returns the transfer's identifier."""
    return book(work, [transfer.arriving(value_on)])[0]


def hold(work: Work, transfer: Transfer) -> str:
    """Hold money that a bank is asked to move. Raises `resource.state` when the escrow does not cover it."""
    return hold_legs(work, [transfer.leaving()])[0]


def book(work: Work, legs: Sequence[Leg]) -> list[str]:
    """Post legs, all or none; returns the transfers' identifiers. Raises `resource.state` when an account lacks it."""
    return _write(work, legs, "posted")


def book_event(work: Work, legs: Sequence[Leg]) -> list[str]:
    """Post the legs of one event, bound together."""
    return book(work, flows.as_one_event(legs, new_id("evn")))


def hold_legs(work: Work, legs: Sequence[Leg]) -> list[str]:
    """Hold legs until a bank has confirmed, all or none."""
    return _write(work, legs, "pending")


def post(work: Work, instruction_id: str, value_on: date) -> None:
    """The bank has moved what was held: post it.

    Raises `instruction.resolved` when it is no longer pending or has expired by now, sweeper or not.
    """
    row = _resolve(work, instruction_id, "posted", value_on)
    _move(work, _deltas("posted", row.debit_account_id, row.credit_account_id, row.amount_fen, resolved=True))


def void(work: Work, instruction_id: str) -> None:
    """The bank has not moved what was held and will not: free it. Raises `instruction.resolved`."""
    _free(work, [_resolve(work, instruction_id, "voided", None)])


def void_event(work: Work, event: str) -> None:
    """Free what is held for an event; nothing where it is free already."""
    change = update(transfers).where(transfers.c.event == event, transfers.c.state == "pending")
    ended = change.values(state="voided", resolved_at=work.now).returning(*_ENDED)
    _free(work, list(work.connection.execute(ended)))


def expire(work: Work, limit: int) -> list[str]:
    """Free what was held only until now; returns the instructions or events that it was held for."""
    rows = list(work.connection.execute(_EXPIRE, {"now": work.now, "limit": limit}))
    _free(work, rows)
    return [row.instruction_id or row.event for row in rows]


def take_back(work: Work, instruction_id: str, value_on: date, movement_id: str) -> str:
    """The bank has taken back what it moved for an instruction: book it back, once."""
    query = select(transfers.c.id).where(transfers.c.instruction_id == instruction_id)
    return reverse(work, work.connection.execute(query).scalar_one(), value_on, movement_id)


def transfer(work: Work, transfer_id: str) -> RowMapping | None:
    """A transfer by its identifier."""
    return work.connection.execute(select(transfers).where(transfers.c.id == transfer_id)).mappings().first()


def institution_of(work: Work, row: RowMapping) -> str:
    """Whose account a transfer debits; both of its accounts are the same institution's."""
    query = select(accounts.c.institution_id).where(accounts.c.id == row["debit_account_id"])
    return str(work.connection.execute(query).scalar_one())


def reversed_by(work: Work, transfer_id: str) -> str | None:
    """The reversal of a transfer."""
    return work.connection.execute(select(transfers.c.id).where(transfers.c.reverses == transfer_id)).scalar()


def reverse(work: Work, transfer_id: str, value_on: date, movement_id: str | None = None) -> str:
    """Book a posted transfer back, once; returns the reversal's identifier.

    Raises `resource.state` for what is not posted, is a reversal, has one, or whose money is gone since.
    """
    row = work.connection.execute(select(transfers).where(transfers.c.id == transfer_id)).mappings().one()
    if row["state"] != "posted":
        raise wrong_state(row["state"], "posted")
    if row["kind"] == "reversal":
        raise Problem("resource.state", f"{transfer_id} is a reversal: what it undid is booked anew, not reversed")
    if work.connection.execute(select(transfers.c.id).where(transfers.c.reverses == transfer_id)).first() is not None:
        raise Problem("resource.state", f"{transfer_id} is reversed already")
    try:
        return book(work, [flows.mirrored(row, value_on, movement_id)])[0]
    except IntegrityError as error:  # another process was first
        raise Problem("resource.state", f"{transfer_id} is reversed already") from error


def _write(work: Work, legs: Sequence[Leg], state: str) -> list[str]:
    moved: dict[str, dict[str, int]] = defaultdict(lambda: dict(EMPTY))
    for leg in legs:
        for account_id, deltas in _deltas(state, leg.debit, leg.credit, leg.amount_fen).items():
            for name, delta in deltas.items():
                moved[account_id][name] += delta
    _move(work, moved)
    rows = [_row(work, leg, state) for leg in legs]
    work.connection.execute(_BOOK, rows)
    _count_parts(work, legs)
    return [str(row["id"]) for row in rows]


def _row(work: Work, leg: Leg, state: str) -> dict[str, Any]:
    posted = state == "posted"
    return {
        "id": new_id("trf"), "kind": leg.kind, "state": state, "debit_account_id": leg.debit,
        "credit_account_id": leg.credit, "amount_fen": leg.amount_fen, "order_id": leg.order_id,
        "payment_id": leg.payment_id, "part_no": leg.part_no, "instruction_id": leg.instruction_id,
        "movement_id": leg.movement_id, "reverses": leg.reverses, "reverses_kind": leg.reverses_kind,
        "created_at": work.now, "resolved_at": work.now if posted else None,
        "value_on": leg.value_on if posted else None, "event": leg.event, "held_in": leg.held_in,
        "expires_at": leg.expires_at,
    }  # fmt: skip


def _deltas(state: str, debit: str, credit: str, fen: int, *, resolved: bool = False) -> dict[str, dict[str, int]]:
    found = {debit: {f"debits_{state}": fen}, credit: {f"credits_{state}": fen}}
    if resolved:
        found[debit]["debits_pending"] = -fen
        found[credit]["credits_pending"] = -fen
    return found


def _move(work: Work, moved: dict[str, dict[str, int]]) -> None:
    """Accounts in the order of their names, so that no two writers wait for each other; many of them in one go."""
    rows: list[dict[str, Any]] = [
        {"account": id, **{f"more_{name}": deltas.get(name, 0) for name in EMPTY}}
        for id, deltas in sorted(moved.items())
    ]
    if len(rows) <= FEW:
        for row in rows:
            _move_one(work, row)
        return
    for row in [row for row in rows if chart.kind_of(row["account"]) in chart.OPENED_ON_DEMAND]:
        rows.remove(row)
        _move_one(work, row)
    try:
        done = work.connection.execute(_MOVE, rows).rowcount
    except IntegrityError as error:
        raise _not_covered(error, "accounts do") from None
    if done != len(rows):
        raise Problem("custody.account_missing")


def _move_one(work: Work, row: dict[str, Any]) -> None:
    kind = chart.kind_of(row["account"])
    try:
        done = work.connection.execute(_MOVE, row).rowcount
        if not done and kind in chart.OPENED_ON_DEMAND:
            _open_on_demand(work, row["account"])
            done = work.connection.execute(_MOVE, row).rowcount
    except IntegrityError as error:
        raise _not_covered(error, f"{kind} does") from None
    if done != 1:
        raise Problem("custody.account_missing")


def _not_covered(error: IntegrityError, what: str) -> Exception:
    if "covered" not in str(error.orig):
        return error
    return Problem("resource.state", f"the {what} not cover this")


def _opened(account_id: str, institution_id: str) -> dict[str, Any]:
    owner = {"kind": chart.kind_of(account_id), "owner_id": chart.owner_of(account_id)}
    return {"id": account_id, **owner, "institution_id": institution_id, **EMPTY}


def _open_on_demand(work: Work, account_id: str) -> None:
    insert_or_leave = insert_sqlite if work.connection.dialect.name == "sqlite" else insert_postgresql
    row = _opened(account_id, chart.institution_of(account_id))
    work.connection.execute(insert_or_leave(accounts).values(row).on_conflict_do_nothing())


def _count_parts(work: Work, legs: Iterable[Leg]) -> None:
    new, changed = [], []
    for leg in legs:
        if leg.payment_id is None:
            continue
        if leg.kind in chart.PAYS_IN:
            new.append(_part(leg.payment_id, leg.part_no, leg.order_id, leg.amount_fen))
        elif leg.kind in chart.GOES_BACK:
            changed.append(_change(leg.payment_id, leg.part_no, 0, leg.amount_fen))
        elif leg.reverses_kind in chart.PAYS_IN:
            changed.append(_change(leg.payment_id, leg.part_no, -leg.amount_fen, 0))
        elif leg.reverses_kind in chart.GOES_BACK:
            changed.append(_change(leg.payment_id, leg.part_no, 0, -leg.amount_fen))
    if new:
        work.connection.execute(_COUNT, new)
    _change_parts(work, changed)


def _part(payment_id: str, part_no: int | None, order_id: str | None, fen: int) -> dict[str, Any]:
    return {"payment_id": payment_id, "part_no": part_no, "order_id": order_id, "paid_fen": fen, "back_fen": 0}


def _change(payment_id: str, part_no: int | None, paid: int, back: int) -> dict[str, Any]:
    return {"payment": payment_id, "part": part_no, "paid": paid, "back": back}


def _change_parts(work: Work, changed: list[dict[str, Any]]) -> None:
    for change in sorted(changed, key=lambda each: (each["payment"], each["part"])):
        try:
            done = work.connection.execute(_GIVE_BACK, change).rowcount
        except IntegrityError as error:
            if "covered" not in str(error.orig):
                raise
            detail = f"part {change['part']} of {change['payment']} would get back more than it paid"
            raise Problem("resource.state", detail) from None
        if done != 1:
            raise Problem("resource.state", f"nothing was paid through part {change['part']} of {change['payment']}")


def _resolve(work: Work, instruction_id: str, state: str, value_on: date | None) -> Row[Any]:
    end = {"instruction": instruction_id, "now": work.now, "end": state, "day": value_on}
    found = work.connection.execute(_POST if state == "posted" else _END, end).first()
    if found is None:
        raise Problem("instruction.resolved", "the transfer is no longer pending")
    return found


def _free(work: Work, rows: Iterable[Row[Any]]) -> None:
    moved: dict[str, dict[str, int]] = defaultdict(lambda: dict(EMPTY))
    back = []
    for row in rows:
        moved[row.debit_account_id]["debits_pending"] -= row.amount_fen
        moved[row.credit_account_id]["credits_pending"] -= row.amount_fen
        if row.kind in chart.GOES_BACK and row.payment_id is not None:
            back.append(_change(row.payment_id, row.part_no, 0, -row.amount_fen))
    _move(work, moved)
    _change_parts(work, back)
