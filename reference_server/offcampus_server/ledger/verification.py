"""The ledger replayed: what the stored balances, the accounts and the parts must add up to. Reads only the ledger.

Invariants, each a finding when it does not hold:
- a balance is the sum of its transfers;
- what all orders have in escrow is what all bank accounts hold for them;
- a part of a payment gets back at most what arrived through it;
- money moves between the escrow of the transfer's own order and a bank account, in the direction of its kind;
- what arrived names the bank's movement, what leaves names the instruction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, literal, or_, select

from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger.tables import accounts, transfers

BALANCES = ("debits_posted", "debits_pending", "credits_posted", "credits_pending")


@dataclass(frozen=True)
class Finding:
    """An invariant that does not hold, and where."""

    invariant: str
    subject: str
    expected: int
    got: int


def verify(work: Work) -> list[Finding]:
    """Replay every transfer and compare; empty when every fen is where it should be."""
    return [*_balances(work), *_both_sides(work), *_parts(work), *_directions(work)]


def _balances(work: Work) -> Iterator[Finding]:
    replayed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for side in ("debit", "credit"):
        account = transfers.c[f"{side}_account_id"]
        sums = (
            func.sum(case((transfers.c.state == state, transfers.c.amount_fen), else_=0)).label(state)
            for state in ("posted", "pending")
        )
        for row in work.connection.execute(select(account.label("account"), *sums).group_by(account)):
            replayed[row.account][f"{side}s_posted"] = int(row.posted)
            replayed[row.account][f"{side}s_pending"] = int(row.pending)
    for stored in work.connection.execute(select(accounts)).mappings():
        for name in BALANCES:
            expected, got = replayed[stored["id"]][name], stored[name]
            if expected != got:
                yield Finding(f"{name} is the sum of its transfers", stored["id"], expected, got)


def _both_sides(work: Work) -> Iterator[Finding]:
    net = func.sum(accounts.c.debits_posted - accounts.c.credits_posted)
    query = select(accounts.c.kind, net.label("fen")).group_by(accounts.c.kind)
    fen = {row.kind: int(row.fen) for row in work.connection.execute(query)}
    expected, got = -fen.get("escrow", 0), fen.get("custody", 0)
    if expected != got:
        yield Finding("bank accounts hold what orders have in escrow", "all", expected, got)


def _parts(work: Work) -> Iterator[Finding]:
    def total(kind: str) -> ColumnElement[int]:
        counted = (transfers.c.kind == kind) & (transfers.c.state != "voided")
        return case((counted, transfers.c.amount_fen), else_=0)

    query = (
        select(
            transfers.c.payment_id, transfers.c.part_no,
            func.sum(total("receipt")).label("arrived"), func.sum(total("refund")).label("back"),
        )
        .where(transfers.c.payment_id.is_not(None))
        .group_by(transfers.c.payment_id, transfers.c.part_no)
    )  # fmt: skip
    for row in work.connection.execute(query):
        if row.back > row.arrived:
            subject = f"{row.payment_id}/{row.part_no}"
            yield Finding("a part gets back at most what arrived", subject, int(row.arrived), int(row.back))


def _directions(work: Work) -> Iterator[Finding]:
    escrow = literal("escrow:") + transfers.c.order_id
    arrives = transfers.c.debit_account_id.startswith("custody:") & (transfers.c.credit_account_id == escrow)
    leaves = transfers.c.credit_account_id.startswith("custody:") & (transfers.c.debit_account_id == escrow)
    lawful = or_(
        (transfers.c.kind == "receipt") & arrives & transfers.c.movement_id.is_not(None),
        transfers.c.kind.in_(("release", "refund")) & leaves & transfers.c.instruction_id.is_not(None),
    )
    for row in work.connection.execute(select(transfers.c.id, transfers.c.amount_fen).where(~lawful)):
        yield Finding("a transfer has the direction of its kind and names its cause", row.id, 0, row.amount_fen)
