"""The ledger replayed: what the stored balances, the accounts and the parts must add up to. Reads only the ledger.

Invariants, each a finding when it does not hold:
- a balance is the sum of its transfers, and a part's sums are those of its transfers;
- in every institution, what bank accounts hold and others owe is what orders have in escrow and reserves have;
- a part of a payment gets back at most what it paid;
- money moves between accounts that its kind moves between, the escrow being that of the transfer's own order;
- what a bank moved names the bank's movement or the instruction;
- a reversal mirrors one posted transfer, which is none itself;
- what one order carried out, another one took in, in the same event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, literal_column, not_, or_, select, text

from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart
from offcampus_server.ledger.tables import accounts, parts, transfers

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
    looks = (_balances, _both_sides, _parts, _directions, _causes, _reversals, _carried)
    return [finding for look in looks for finding in look(work)]


def replayed(work: Work) -> dict[str, dict[str, int]]:
    """The balances of every account, from its transfers alone."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(BALANCES, 0))
    for side in ("debit", "credit"):
        account = transfers.c[f"{side}_account_id"]
        sums = (
            func.sum(case((transfers.c.state == state, transfers.c.amount_fen), else_=0)).label(state)
            for state in ("posted", "pending")
        )
        for row in work.connection.execute(select(account.label("account"), *sums).group_by(account)):
            found[row.account][f"{side}s_posted"] = int(row.posted)
            found[row.account][f"{side}s_pending"] = int(row.pending)
    return found


def _balances(work: Work) -> Iterator[Finding]:
    expected = replayed(work)
    for stored in work.connection.execute(select(accounts)).mappings():
        for name in BALANCES:
            if expected[stored["id"]][name] != stored[name]:
                invariant = f"{name} is the sum of its transfers"
                yield Finding(invariant, stored["id"], expected[stored["id"]][name], stored[name])


def _both_sides(work: Work) -> Iterator[Finding]:
    net = accounts.c.debits_posted - accounts.c.credits_posted
    assets = func.sum(case((accounts.c.kind.in_(chart.ASSETS), net), else_=0))
    query = select(accounts.c.institution_id, assets.label("assets"), func.sum(net).label("net")).group_by(
        accounts.c.institution_id
    )
    for row in work.connection.execute(query):
        if row.net != 0:
            invariant = "bank accounts hold, and others owe, what orders and reserves have"
            yield Finding(invariant, row.institution_id, int(row.assets - row.net), int(row.assets))


def _parts(work: Work) -> Iterator[Finding]:
    def total(kinds: tuple[str, ...]) -> ColumnElement[int]:
        counted = transfers.c.state != "voided"
        return func.sum(
            case(
                (transfers.c.kind.in_(kinds) & counted, transfers.c.amount_fen),
                (transfers.c.reverses_kind.in_(kinds) & counted, -transfers.c.amount_fen),
                else_=0,
            )
        )

    query = (
        select(
            transfers.c.payment_id, transfers.c.part_no, total(chart.PAYS_IN).label("paid"),
            total(chart.GOES_BACK).label("back"),
        )
        .where(transfers.c.payment_id.is_not(None))
        .group_by(transfers.c.payment_id, transfers.c.part_no)
    )  # fmt: skip
    stored = {(row.payment_id, row.part_no): row for row in work.connection.execute(select(parts))}
    for row in work.connection.execute(query):
        subject, kept = f"{row.payment_id}/{row.part_no}", stored.pop((row.payment_id, row.part_no), None)
        if row.back > row.paid:
            yield Finding("a part gets back at most what arrived", subject, int(row.paid), int(row.back))
        for name, expected in (("paid", int(row.paid)), ("back", int(row.back))):
            got = getattr(kept, f"{name}_fen", 0)
            if got != expected:
                yield Finding(f"a part's {name}_fen is the sum of its transfers", subject, expected, got)
    for (payment_id, part_no), kept in stored.items():
        if kept.paid_fen or kept.back_fen:
            invariant = "a part's paid_fen is the sum of its transfers"
            yield Finding(invariant, f"{payment_id}/{part_no}", 0, int(kept.paid_fen))


def _directions(work: Work) -> Iterator[Finding]:
    lawful = or_(transfers.c.kind == "reversal", literal_column(f"({chart.lawful_legs_sql('')})").is_(text("TRUE")))
    for row in work.connection.execute(select(transfers.c.id, transfers.c.amount_fen).where(not_(lawful))):
        yield Finding("a transfer has the direction of its kind and names its cause", row.id, 0, row.amount_fen)


def _causes(work: Work) -> Iterator[Finding]:
    from_bank = transfers.c.credit_account_id.startswith("custody:")
    nameless = or_(
        transfers.c.kind.in_(("lock",)) & (transfers.c.movement_id.is_(None) | transfers.c.held_in.is_(None)),
        transfers.c.kind.in_(("receipt", "settlement", "fee_paid", "claim_paid", "chargeback"))
        & transfers.c.movement_id.is_(None),
        transfers.c.kind.in_(("release", "refund")) & from_bank & transfers.c.instruction_id.is_(None),
    )
    for row in work.connection.execute(select(transfers.c.id, transfers.c.amount_fen).where(nameless)):
        yield Finding("a transfer has the direction of its kind and names its cause", row.id, 0, row.amount_fen)


def _reversals(work: Work) -> Iterator[Finding]:
    was = transfers.alias("was")
    mirrors = and_(
        was.c.id == transfers.c.reverses, was.c.kind == transfers.c.reverses_kind, was.c.kind != "reversal",
        was.c.state == "posted", was.c.amount_fen == transfers.c.amount_fen,
        was.c.debit_account_id == transfers.c.credit_account_id,
        was.c.credit_account_id == transfers.c.debit_account_id,
    )  # fmt: skip
    query = (
        select(transfers.c.id, transfers.c.amount_fen)
        .outerjoin(was, mirrors)
        .where(transfers.c.kind == "reversal", was.c.id.is_(None))
    )
    for row in work.connection.execute(query):
        yield Finding("a reversal mirrors one posted transfer", row.id, 0, row.amount_fen)


def _carried(work: Work) -> Iterator[Finding]:
    def total(kind: str) -> ColumnElement[int]:
        return func.sum(
            case(
                (transfers.c.kind == kind, transfers.c.amount_fen),
                (transfers.c.reverses_kind == kind, -transfers.c.amount_fen),
                else_=0,
            )
        )

    which = or_(
        transfers.c.kind.in_(("carry_out", "carry_in")), transfers.c.reverses_kind.in_(("carry_out", "carry_in"))
    )
    query = select(transfers.c.event, total("carry_out").label("out"), total("carry_in").label("into"))
    for row in work.connection.execute(query.where(which).group_by(transfers.c.event)):
        if row.out != row.into:
            yield Finding("what an order carried out another took in", str(row.event), int(row.out), int(row.into))
