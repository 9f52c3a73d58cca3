"""What the ledger says: sums of orders, what bank accounts hold for them, lines; now, or as of any moment or day.

Two times: a transfer is booked when it is written (`created_at`, and `resolved_at` when it is posted or voided), and
it counts for the bank from its value date (`value_on`). `AsOf` names one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    true,
)

from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart
from offcampus_server.ledger.tables import accounts, parts, transfers


@dataclass(frozen=True)
class AsOf:
    """As it was booked at a moment, as the bank counts it at the end of a day, or both: what was known of the day."""

    booked_at: datetime | None = None
    value_on: date | None = None

    def state(self) -> ColumnElement[str | None]:
        """What a transfer was then; NULL when it was not yet there."""
        booked: ColumnElement[str | None] = transfers.c.state
        if self.booked_at is not None:
            ended = transfers.c.resolved_at <= self.booked_at
            there = transfers.c.created_at <= self.booked_at
            booked = case((ended, transfers.c.state), (there, literal("pending")))
        if self.value_on is not None:
            booked = case(((booked == "posted") & (transfers.c.value_on <= self.value_on), literal("posted")))
        return booked


NOW = AsOf()


def asked(query: Mapping[str, Any]) -> AsOf:
    """As a request's parameters say (`booked_at`, `value_on`)."""
    booked_at, value_on = query.get("booked_at"), query.get("value_on")
    return AsOf(parse(booked_at) if booked_at else None, date.fromisoformat(value_on) if value_on else None)


def shown(as_of: AsOf, now: datetime) -> dict[str, Any]:
    """The times of a statement as they are answered."""
    day = as_of.value_on.isoformat() if as_of.value_on else None
    return {"as_of": rfc3339(as_of.booked_at or now), "value_on": day}


@dataclass(frozen=True)
class Sums:
    """The money of one order, in fen."""

    paid: int = 0
    released: int = 0
    refunded: int = 0
    pending_release: int = 0
    pending_refund: int = 0
    charged_back: int = 0
    """Taken back by the payer's bank."""
    carried_out: int = 0
    """Gone over to another order."""
    topped_up: int = 0
    """What reserve and institution owe or gave, because what was released had to go back."""
    in_transit: int = 0
    """Part of what was paid: not yet in custody."""
    claims_open: int = 0
    """Part of what was topped up: the institution owes it still."""
    fees: int = 0
    """What channels kept of it and no release has made up for."""

    @property
    def escrow(self) -> int:
        """What is left in escrow and free: what came in less what left and what is about to leave."""
        gone = self.released + self.refunded + self.charged_back + self.carried_out
        return self.paid + self.topped_up - gone - self.pending_release - self.pending_refund


_COUNTS_AS = {
    **dict.fromkeys(chart.PAYS_IN, "paid"), **dict.fromkeys(chart.RELEASES, "released"), "refund": "refunded",
    "chargeback": "charged_back", "carry_out": "carried_out", **dict.fromkeys(chart.TOPS_UP, "topped_up"),
}  # fmt: skip
_PENDING = {"release": "pending_release", "refund": "pending_refund"}
_FEES = {"fee": 1, "fee_netted": -1}
_CLAIMS = {"claim": 1, "claim_paid": -1}
_BRINGS = ("receipt", "lock", "settlement", "fee", "carry_in", "claim_paid", "reserve_use")
_TAKES = ("release", "refund", "chargeback", "carry_out", "fee_netted")


def sums(work: Work, order_ids: Sequence[str], as_of: AsOf = NOW) -> dict[str, Sums]:
    """The money of orders."""
    found: dict[str, Sums] = {}
    query = _SUMS if as_of == NOW else _grouped(as_of, _OF_ORDERS)
    for start in range(0, len(order_ids), 500):
        found |= _sums(work.connection.execute(query, {"orders": order_ids[start : start + 500]}))
    return {order_id: found.get(order_id, Sums()) for order_id in order_ids}


def all_sums(work: Work) -> dict[str, Sums]:
    """The money of every order that has any."""
    return _sums(work.connection.execute(_grouped(NOW, true())))


def by_instruction(work: Work) -> dict[tuple[str, str], int]:
    """What was held for instructions, by instruction and by what has become of it."""
    query = select(transfers).where(transfers.c.instruction_id.is_not(None))
    return {(row.instruction_id, row.state): row.amount_fen for row in work.connection.execute(query)}


def by_movement(work: Work) -> dict[str, int]:
    """What was booked for the movements of banks, and not undone."""
    undone = transfers.alias()
    query = select(transfers).where(
        transfers.c.movement_id.is_not(None), transfers.c.state == "posted",
        ~exists().where(undone.c.reverses == transfers.c.id),
    )  # fmt: skip
    return {row.movement_id: row.amount_fen for row in work.connection.execute(query)}


def refunded_by_part(work: Work, order_id: str) -> dict[tuple[str, int], int]:
    """What went or is going back of each part of an order's payments."""
    rows = work.connection.execute(_BACK, {"order": order_id})
    return {(row.payment_id, row.part_no): row.back_fen for row in rows}


def held(work: Work, order_id: str) -> dict[str, int]:
    """What bank accounts can give for an order: what they hold of its money, as far as they have it free.

    The first to receive stands first. An account has less than its orders when a channel's fee is still owed to it.
    """
    found: dict[str, int] = {}
    for row in work.connection.execute(_STANDING, {"order": order_id}):
        if (account_id := _bank_account(row)) is not None:
            found[account_id] = found.get(account_id, 0) + _sign(row) * row.amount_fen
    found = {account_id: fen for account_id, fen in found.items() if fen > 0}
    free = free_balances(work, list(found))
    # What is locked at the payer's has no account at a bank: what the order has locked is all that there is.
    return {id: min(fen, free.get(id, fen)) for id, fen in found.items() if free.get(id, fen) > 0}


def fees_owed(work: Work, order_id: str) -> list[tuple[str, str, int]]:
    """What the institution still owes of the fees of an order's channels: (channel, bank account, fen).

    At most what it owes of all fees of the channel: it may have paid some without saying for which order.
    """
    found: dict[tuple[str, str], int] = {}
    query = select(transfers).where(
        transfers.c.order_id == order_id, transfers.c.state == "posted", transfers.c.held_in.is_not(None)
    )
    for row in work.connection.execute(query.order_by(transfers.c.seq)):
        what = row.reverses_kind or row.kind
        if what in ("fee", "fee_netted"):
            owed = next(id for id in (row.debit_account_id, row.credit_account_id) if id.startswith("fee:"))
            key = owed, row.held_in
            sign = (1 if what == "fee" else -1) * (-1 if row.reverses_kind else 1)
            found[key] = found.get(key, 0) + sign * row.amount_fen
    left = {account_id: balance(work, account_id) for account_id, _ in found}
    owing = []
    for (account_id, held_in), fen in found.items():
        if (share := min(fen, left[account_id])) > 0:
            left[account_id] -= share
            owing.append((account_id.rpartition("/")[2], held_in, share))
    return owing


def reserves(work: Work, institution_id: str) -> dict[str, int]:
    """What the bank accounts of an institution's reserve can give: account -> fen, the oldest first."""
    free = accounts.c.debits_posted - accounts.c.credits_posted - accounts.c.credits_pending
    query = select(accounts.c.owner_id, free.label("fen")).where(
        accounts.c.kind == "reserve_held", accounts.c.institution_id == institution_id
    )
    found = {row.owner_id: row.fen for row in work.connection.execute(query.order_by(accounts.c.owner_id))}
    mine = accounts.c.credits_posted - accounts.c.debits_posted - accounts.c.debits_pending
    left = work.connection.execute(select(mine).where(accounts.c.id == f"reserve:{institution_id}")).scalar() or 0
    for account_id, fen in found.items():  # an account may hold what a refund is about to take from it
        found[account_id] = min(fen, left)
        left -= found[account_id]
    return {account_id: fen for account_id, fen in found.items() if fen > 0}


def lines(work: Work, order_id: str, as_of: AsOf = NOW) -> list[dict[str, Any]]:
    """Every line of an order that was there, oldest first (schema `order-statement`)."""
    state = as_of.state()
    query = select(transfers, state.label("was")).where(transfers.c.order_id == order_id, state.is_not(None))
    return [
        {
            **_line(row), "payment_id": row["payment_id"], "part_no": row["part_no"],
            "instruction_id": row["instruction_id"],
        }
        for row in work.connection.execute(query.order_by(transfers.c.seq)).mappings()
    ]  # fmt: skip


def account_lines(work: Work, account_id: str, as_of: AsOf, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """The next lines of an account with their numbers, oldest first (schema `account-ledger`)."""
    state = as_of.state()
    query = (
        select(transfers, state.label("was"))
        .where(_touches(account_id), state.is_not(None), transfers.c.seq > after)
        .order_by(transfers.c.seq)
        .limit(limit)
    )
    return [
        (
            row["seq"],
            {
                **_line(row), "direction": "debit" if row["debit_account_id"] == account_id else "credit",
                "order_id": row["order_id"], "instruction_id": row["instruction_id"],
                "movement_id": row["movement_id"],
            },
        )
        for row in work.connection.execute(query).mappings()
    ]  # fmt: skip


def institution_balances(work: Work, institution_id: str, as_of: AsOf) -> list[dict[str, Any]]:
    """What each kind of account of an institution held, from its transfers; channels and bank accounts apart."""
    found: dict[tuple[str, str | None], int] = {}
    for side, sign in (("debit", 1), ("credit", -1)):
        total = func.sum(transfers.c.amount_fen).label("fen")
        query = (
            select(accounts.c.id, accounts.c.kind, accounts.c.owner_id, total)
            .join(transfers, transfers.c[f"{side}_account_id"] == accounts.c.id)
            .where(accounts.c.institution_id == institution_id, as_of.state() == "posted")
            .group_by(accounts.c.id, accounts.c.kind, accounts.c.owner_id)
        )
        for row in work.connection.execute(query):
            of = row.owner_id.partition("/")[2] or (row.owner_id if row.kind in chart.BANK_ACCOUNTS else None)
            normal = sign if row.kind in chart.ASSETS else -sign
            found[row.kind, of] = found.get((row.kind, of), 0) + normal * int(row.fen)
    order = sorted(found, key=lambda key: (chart.KINDS.index(key[0]), key[1] or ""))
    return [{"kind": kind, "of": of, "balance_fen": found[kind, of]} for kind, of in order]


def _line(row: RowMapping) -> dict[str, Any]:
    posted = row["was"] == "posted" and row["value_on"] is not None
    return {
        "id": row["id"], "kind": row["kind"], "state": row["was"], "amount_fen": row["amount_fen"],
        "created_at": rfc3339(row["created_at"]), "value_on": row["value_on"].isoformat() if posted else None,
    }  # fmt: skip


def custody_balances(work: Work, account_ids: Sequence[str]) -> dict[str, int]:
    """The posted balance of bank accounts by our books."""
    rows = work.connection.execute(_AT_BANKS, {"owners": list(account_ids)})
    return {row.owner_id: row.debits_posted - row.credits_posted for row in rows}


def locked(work: Work, account_id: str) -> int:
    """What the keeper of locked money has locked in all, under one name."""
    undone = case((transfers.c.reverses_kind.is_not(None), -1), else_=1)
    signed = case((transfers.c.kind == "lock", transfers.c.amount_fen), else_=-transfers.c.amount_fen) * undone
    mine = transfers.c.held_in == account_id, transfers.c.kind.in_(("lock", "release", "refund"))
    query = select(func.coalesce(func.sum(signed), 0)).where(*mine, transfers.c.state == "posted")
    return int(work.connection.execute(query).scalar_one())


def custody_of_institution(work: Work, institution_id: str) -> int:
    """What all custody accounts of an institution hold by our books."""
    return int(work.connection.execute(_CUSTODY, {"institution": institution_id}).scalar_one())


def balance(work: Work, account_id: str, as_of: AsOf = NOW) -> int:
    """The posted balance of an account, from its transfers: debits less credits of an asset, and the other way."""
    state = as_of.state()
    signed = case((transfers.c.debit_account_id == account_id, transfers.c.amount_fen), else_=-transfers.c.amount_fen)
    query = select(func.coalesce(func.sum(signed), 0)).where(_touches(account_id), state == "posted")
    debits = int(work.connection.execute(query).scalar_one())
    return debits if chart.kind_of(account_id) in chart.ASSETS else -debits


def _touches(account_id: str) -> ColumnElement[bool]:
    return or_(transfers.c.debit_account_id == account_id, transfers.c.credit_account_id == account_id)


def _grouped(as_of: AsOf, which: ColumnElement[bool]) -> Select[Any]:
    state = as_of.state().label("was")
    of = (transfers.c.order_id, transfers.c.kind, transfers.c.reverses_kind)
    total = func.sum(transfers.c.amount_fen).label("fen")
    query = select(*of, state, total, func.sum(_in_transit()).label("transit")).group_by(*of, text("was"))
    return query.where(transfers.c.order_id.is_not(None), which)


def _sums(rows: Iterable[Row[Any]]) -> dict[str, Sums]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        sign = -1 if row.reverses_kind else 1
        name = (_COUNTS_AS if row.was == "posted" else _PENDING if row.was == "pending" else {}).get(
            row.reverses_kind or row.kind
        )
        if name is not None:
            found[row.order_id][name] += sign * int(row.fen)
        if row.was == "posted" and (row.reverses_kind or row.kind) in _FEES:
            found[row.order_id]["fees"] += sign * _FEES[row.reverses_kind or row.kind] * int(row.fen)
        if row.was == "posted" and (row.reverses_kind or row.kind) in _CLAIMS:
            found[row.order_id]["claims_open"] += sign * _CLAIMS[row.reverses_kind or row.kind] * int(row.fen)
        if row.was == "posted" or (row.was == "pending" and row.transit < 0):
            found[row.order_id]["in_transit"] += int(row.transit)
    return {order_id: Sums(**counted) for order_id, counted in found.items()}


def _in_transit() -> ColumnElement[int]:
    return case(
        (transfers.c.debit_account_id.startswith("in_transit:"), transfers.c.amount_fen),
        (transfers.c.credit_account_id.startswith("in_transit:"), -transfers.c.amount_fen),
        else_=0,
    )


def _bank_account(row: Any) -> str | None:
    for account_id in (row.debit_account_id, row.credit_account_id):
        if chart.kind_of(account_id) in chart.BANK_ACCOUNTS:
            return chart.owner_of(account_id)
    return None if row.held_in is None else str(row.held_in)


def _sign(row: Any) -> int:
    sign = {**dict.fromkeys(_BRINGS, 1), **dict.fromkeys(_TAKES, -1)}[row.reverses_kind or row.kind]
    return -sign if row.reverses_kind else sign


def free_balances(work: Work, account_ids: Sequence[str]) -> dict[str, int]:
    """What bank accounts have and nothing is about to move."""
    if not account_ids:
        return {}
    rows = work.connection.execute(_AT_BANKS, {"owners": list(account_ids)})
    return {row.owner_id: row.debits_posted - row.credits_posted - row.credits_pending for row in rows}


_OF_ORDERS = transfers.c.order_id.in_(bindparam("orders", expanding=True))
_SUMS = _grouped(NOW, _OF_ORDERS)
_BACK = select(parts).where(parts.c.order_id == bindparam("order"), parts.c.back_fen > 0)
_STANDING = (
    select(transfers)
    .where(transfers.c.order_id == bindparam("order"), transfers.c.state != "voided")
    .order_by(transfers.c.seq)
)
_CUSTODY = select(func.coalesce(func.sum(accounts.c.debits_posted - accounts.c.credits_posted), 0)).where(
    accounts.c.institution_id == bindparam("institution"), accounts.c.kind == "custody"
)
_AT_BANKS = select(
    accounts.c.owner_id, accounts.c.debits_posted, accounts.c.credits_posted, accounts.c.credits_pending
).where(accounts.c.kind.in_(chart.BANK_ACCOUNTS), accounts.c.owner_id.in_(bindparam("owners", expanding=True)))
