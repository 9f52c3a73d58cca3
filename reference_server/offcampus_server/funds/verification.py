"""Bank, ledger, orders and payments compared: what each says of the same money must agree. Reads only.

Invariants, each a finding when it does not hold:
- an instruction that runs has a pending transfer of its sum, an executed one a posted, a failed one a pending one until
  its end is certain, then a voided;
- a matched line that names no instruction has one posted transfer of its sum, and nothing else has one;
- released and about to be released is at most what confirmed hours have earned, or what a schedule that may run ahead
  of the teaching gives by today.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from offcampus_server.funds.tables import custody_instructions, custody_movements
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.verification import Finding
from offcampus_server.orders import release_plans
from offcampus_server.orders import service as orders

STANDS_FOR = {"issued": "pending", "accepted": "pending", "executed": "posted", "failed": "voided"}


def verify(work: Work) -> list[Finding]:
    """Everything that the ledger finds in itself, and what others say of the same money."""
    return [*ledger.verify(work), *_instructions(work), *_receipts(work), *_releases(work)]


def _instructions(work: Work) -> Iterator[Finding]:
    found = ledger.by_instruction(work)
    moving = select(custody_instructions).where(custody_instructions.c.amount_fen > 0)
    for row in work.connection.execute(moving).mappings():
        uncertain = row["state"] == "failed" and row["certain_by"] is None
        amount = found.pop((row["id"], "pending" if uncertain else STANDS_FOR[row["state"]]), 0)
        if amount != row["amount_fen"]:
            yield Finding(f"an instruction that is {row['state']} moves its sum", row["id"], row["amount_fen"], amount)
    for (instruction_id, _), amount in found.items():
        yield Finding("a transfer stands for its instruction", instruction_id, 0, amount)


def _receipts(work: Work) -> Iterator[Finding]:
    found = ledger.by_movement(work)
    query = select(custody_movements).where(
        custody_movements.c.state == "matched", custody_movements.c.instruction_id.is_(None)
    )
    for row in work.connection.execute(query).mappings():
        amount = found.pop(row["id"], 0)
        if amount != row["amount_fen"]:
            yield Finding("a matched line is booked", row["id"], row["amount_fen"], amount)
    for movement_id, amount in found.items():
        yield Finding("a booking stands for its movement", movement_id, 0, amount)


def _releases(work: Work) -> Iterator[Finding]:
    for order_id, sums in ledger.all_sums(work).items():
        if gone := sums.released + sums.pending_release:
            order = orders.load(work, order_id)
            earned = order.earned_fen(order.confirmed_centi)
            taught = release_plans.taught_ppm(order.confirmed_centi, order.hours_centi)
            most = release_plans.ceiling(order.plan, order.total_fen, earned, taught, work.now.date())
            if gone > most:
                yield Finding("released is at most what is earned, or what the schedule gives", order_id, most, gone)
