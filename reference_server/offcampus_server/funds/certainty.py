"""When it is certain that a failed instruction moved nothing: only then is its money free, and may be instructed anew.

A bank that reports a failure can be wrong, and owns up late. Until its end is certain the money stays held, whatever
kind of instruction asked for it. What a department orders (freeze, unfreeze, balance) moves none, and may be ordered
again.

Certain is
- a closed day of the bank, not before the failure: its closing balance is what its reported lines come to, and none of
  them can be this money (`statement`);
- what two officers have decided, where no line says that the money moved (`settlement`).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, RowMapping, and_, case, exists, func, not_, or_, select, update

from offcampus_server.funds import accounts, differences, instructions
from offcampus_server.funds.differences import Found
from offcampus_server.funds.tables import custody_instructions, custody_movements
from offcampus_server.funds.tables import differences as differences_table
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger

DOUBTED_AFTER = timedelta(days=1)
"""A bank closes its day in the night; what is uncertain for longer is somebody's work."""

UNCERTAIN = and_(
    custody_instructions.c.state == "failed", custody_instructions.c.amount_fen > 0,
    custody_instructions.c.certain_by.is_(None),
)  # fmt: skip


def closed_by(work: Work, account: RowMapping, day: date, closing_fen: int) -> list[RowMapping]:
    """The failed instructions of an account whose end the bank's closed day makes certain."""
    if day >= work.now.date():
        return []
    failed_until = datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)
    query = select(custody_instructions).where(
        UNCERTAIN, custody_instructions.c.account_id == account["id"], custody_instructions.c.updated_at < failed_until
    )
    rows = work.connection.execute(query.order_by(custody_instructions.c.id)).mappings().all()
    if not rows or closing_fen != _reported(work, account["id"], day):
        return []
    return [row for row in rows if why_not(work, row) is None and not _nameless(work, row)]


def why_not(work: Work, row: RowMapping) -> str | None:
    """Why nobody can say that an instruction moved nothing: the line or the reference by which the bank says it did."""
    return instructions.line_of(work, row) or row["late_reference"]


def make(work: Work, row: RowMapping, by: str) -> RowMapping:
    """It is certain: free what was held, and take it from the list of what is in doubt."""
    query = (
        update(custody_instructions)
        .where(custody_instructions.c.id == row["id"], custody_instructions.c.version == row["version"])
        .values(certain_by=by, certain_at=work.now, updated_at=work.now, version=row["version"] + 1)
        .returning(*custody_instructions.c)
    )
    changed = work.connection.execute(query).mappings().one()
    ledger.void(work, row["id"])
    work.audit("instruction.failure_certain", row["id"], row["institution_id"], detail={"by": by})
    instructions.tell(work, "failure_certain", changed)
    differences.clear(work, _mark(row["id"]))
    return changed


def find_doubtful(work: Work, limit: int) -> int:
    """Put on the list what is uncertain for a day; returns how many."""
    listed = exists().where(
        differences_table.c.instruction_id == custody_instructions.c.id, differences_table.c.type == "end_uncertain"
    )
    query = select(custody_instructions).where(
        UNCERTAIN, custody_instructions.c.updated_at <= work.now - DOUBTED_AFTER, not_(listed),
        custody_instructions.c.late_reference.is_(None), not_(exists().where(instructions.says_that_it_moved())),
    )  # fmt: skip
    rows = work.connection.execute(query.order_by(custody_instructions.c.id).limit(limit)).mappings().all()
    for row in rows:
        account = accounts.by_id(work, [row["account_id"]])[row["account_id"]]
        found = Found(_mark(row["id"]), "end_uncertain", instruction_id=row["id"], expected_fen=row["amount_fen"])
        differences.add(work, account, found)
    return len(rows)


def _mark(instruction_id: str) -> str:
    return f"end_uncertain {instruction_id}"


def _reported(work: Work, account_id: str, day: date) -> int:
    """What the bank's lines come to at the end of a day."""
    moved = custody_movements.c
    signed = case((moved.direction == "credit", moved.amount_fen), else_=-moved.amount_fen)
    query = select(func.coalesce(func.sum(signed), 0)).where(moved.account_id == account_id, moved.value_on <= day)
    return int(work.connection.execute(query).scalar_one())


def _nameless(work: Work, row: RowMapping) -> bool:
    """Is there a line of the same sum that names no instruction, and that nobody has explained?"""
    moved, other = custody_movements.c, custody_instructions.alias()
    named: ColumnElement[bool] = exists().where(other.c.id == moved.instruction_id)
    explained = exists().where(
        differences_table.c.movement_id == moved.id, differences_table.c.state.not_in(differences.STANDING)
    )
    query = select(moved.id).where(
        moved.account_id == row["account_id"], moved.direction == "debit", moved.state == "unmatched",
        moved.amount_fen == row["amount_fen"], moved.value_on >= row["issued_at"].astimezone(SHANGHAI).date(),
        or_(moved.instruction_id.is_(None), not_(named)), not_(explained),
    )  # fmt: skip
    return work.connection.execute(query.limit(1)).first() is not None
