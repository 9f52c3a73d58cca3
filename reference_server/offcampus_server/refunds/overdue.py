"""Refunds that should be back by now: found once, told once, and listed as work until the money is back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.refunds import service
from offcampus_server.refunds.tables import OPEN, refunds


def page(call: Call, work: Work) -> Answer:
    """Refunds, with `deadline=overdue` those that are late at this moment, whether or not a sweep has found them."""
    late = [_late(work.now)] if "deadline" in call.query else []
    special = frozenset({"deadline"})
    return resources.page(call, work, refunds, lambda row: service.present(work, row), *late, special=special)


def find_overdue(work: Work, limit: int) -> int:
    """Note and tell refunds whose deadline has passed; returns how many."""
    rows = work.connection.execute(_FOUND_LATE, {"now": work.now, "limit": limit}).mappings().all()
    for row in rows:
        service.tell(work, "refund.overdue", "overdue", resources.change(work, refunds, row, None, overdue_at=work.now))
    return len(rows)


def _late(now: Any) -> ColumnElement[bool]:
    return and_(refunds.c.state.in_(OPEN), refunds.c.due_at <= now)


_FOUND_LATE = (
    select(refunds)
    .where(_late(bindparam("now")), refunds.c.overdue_at.is_(None))
    .order_by(refunds.c.due_at)
    .limit(bindparam("limit"))
)
