"""What the provable log learns of the ledger: that a transfer was made, and later what became of it.

A creation holds every column that can never change; its end holds the rest. A receipt has both at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, select

from offcampus_server.kernel.facts import Fact, plain
from offcampus_server.ledger.tables import transfers

TABLE = transfers.name
END = ("state", "resolved_at", "value_on")
AT_ONCE = 500


def newest(connection: Connection) -> int:
    """The highest number of a visible row; 0 when there is none."""
    return connection.execute(select(func.max(transfers.c.seq))).scalar() or 0


def created(connection: Connection, after: int, up_to: int, limit: int) -> list[Fact]:
    """The creations of the next rows, in their order."""
    span = transfers.c.seq.between(after + 1, up_to)
    query = select(transfers).where(span).order_by(transfers.c.seq).limit(limit)
    return [_created(row) for row in connection.execute(query).mappings()]


def resolved(connection: Connection, numbers: Sequence[int]) -> list[Fact]:
    """The ends of those of these rows that are posted or voided, in their order."""
    rows = (row for row in _rows(connection, numbers) if row["state"] != "pending")
    return [_resolved(row) for row in sorted(rows, key=lambda row: (row["resolved_at"], row["seq"]))]


def told(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str], Fact]:
    """Everything that these rows tell today, by number and name of the fact."""
    found: dict[tuple[int, str], Fact] = {}
    for row in _rows(connection, numbers):
        found[row["seq"], "created"] = _created(row)
        if row["state"] != "pending":
            found[row["seq"], "resolved"] = _resolved(row)
    return found


def of_order(connection: Connection, order_id: str) -> dict[tuple[int, str], Fact]:
    """Everything that the transfers of an order tell today."""
    query = select(transfers.c.seq).where(transfers.c.order_id == order_id)
    return told(connection, list(connection.execute(query).scalars()))


def of_instruction(connection: Connection, instruction_id: str) -> int | None:
    """The number of the transfer that an instruction moves."""
    return connection.execute(select(transfers.c.seq).where(transfers.c.instruction_id == instruction_id)).scalar()


def ids(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The identifiers of transfers by their numbers."""
    return {row["seq"]: row["id"] for row in _rows(connection, numbers)}


def numbers(connection: Connection, after: int, up_to: int, limit: int) -> list[int]:
    """The numbers of the next rows, whatever they are; negative ones too."""
    span = (transfers.c.seq > after) & (transfers.c.seq <= up_to)
    return list(
        connection.execute(select(transfers.c.seq).where(span).order_by(transfers.c.seq).limit(limit)).scalars()
    )


def _rows(connection: Connection, numbers: Sequence[int]) -> list[RowMapping]:
    rows: list[RowMapping] = []
    for start in range(0, len(numbers), AT_ONCE):
        query = select(transfers).where(transfers.c.seq.in_(numbers[start : start + AT_ONCE]))
        rows += connection.execute(query).mappings()
    return rows


def _created(row: RowMapping) -> Fact:
    return Fact("transfer", row["seq"], "created", plain(row, *END), subject=row["order_id"])


def _resolved(row: RowMapping) -> Fact:
    own = {name: row[name] for name in ("seq", "id", *END)}
    return Fact("transfer", row["seq"], "resolved", plain(own), subject=row["order_id"])
