"""Consumption records that somebody names as proof: whose they are and whether they stand. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from offcampus_server.consumption.tables import consumption_records as records
from offcampus_server.kernel.unit_of_work import Work


def standing(work: Work, order_id: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of the named records that are of the order and not void."""
    query = select(records.c.id).where(records.c.id.in_(ids), records.c.order_id == order_id, records.c.state != "void")
    return frozenset(work.connection.execute(query).scalars())
