"""What others ask of consumption records: which stand as proof, how many hours are in open disputes. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from offcampus_server.consumption.tables import consumption_records as records
from offcampus_server.kernel.unit_of_work import Work

_DISPUTED = select(func.coalesce(func.sum(records.c.class_hours_centi), 0)).where(
    records.c.order_id == bindparam("order"), records.c.state == "disputed"
)


def standing(work: Work, order_id: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of the named records that are of the order and not void."""
    query = select(records.c.id).where(records.c.id.in_(ids), records.c.order_id == order_id, records.c.state != "void")
    return frozenset(work.connection.execute(query).scalars())


def disputed_centi(work: Work, order_id: str) -> int:
    """The hours of an order that a family disputes and nobody has ruled on, in hundredths."""
    return int(work.connection.execute(_DISPUTED, {"order": order_id}).scalar_one())
