"""The audit trail: who did what, to which resource, when, with which outcome. Append-only; no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Integer, RowMapping, Text, func, select

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.db import BigInt, Instant, Json, table
from offcampus_server.kernel.facts import Fact, plain

if TYPE_CHECKING:
    from offcampus_server.kernel.unit_of_work import Work

audit = table(
    "audit",
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("party_id", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("institution_id", Text),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),
    Column("detail", Json),
)
protect(audit)


def row(work: Work, action: str, subject: str, institution_id: str | None, outcome: str, detail: Any) -> dict[str, Any]:
    """One line of the trail."""
    return {
        "at": work.now,
        "party_id": work.party.id if work.party else None,
        "action": action,
        "subject": subject,
        "institution_id": institution_id,
        "outcome": outcome,
        "request_id": work.request_id,
        "detail": detail,
    }


TABLE = audit.name


def newest(connection: Connection) -> int:
    """The highest number of a visible line; 0 when there is none."""
    return connection.execute(select(func.max(audit.c.seq))).scalar() or 0


def written(connection: Connection, after: int, up_to: int, limit: int) -> list[Fact]:
    """The next lines as facts, in their order. `detail` may come to point at a person: it is the personal part."""
    query = select(audit).where(audit.c.seq.between(after + 1, up_to)).order_by(audit.c.seq).limit(limit)
    return [_fact(row) for row in connection.execute(query).mappings()]


def told(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str], Fact]:
    """What these lines say today."""
    rows = connection.execute(select(audit).where(audit.c.seq.in_(numbers))).mappings()
    return {(row["seq"], "written"): _fact(row) for row in rows}


def numbers(connection: Connection, after: int, up_to: int, limit: int) -> list[int]:
    """The numbers of the next lines, whatever they are; negative ones too."""
    span = (audit.c.seq > after) & (audit.c.seq <= up_to)
    query = select(audit.c.seq).where(span).order_by(audit.c.seq).limit(limit)
    return list(connection.execute(query).scalars())


def _fact(row: RowMapping) -> Fact:
    return Fact("audit", row["seq"], "written", plain(row, "detail"), personal=row["detail"])
