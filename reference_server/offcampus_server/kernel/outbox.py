"""The outbox: every state change leaves an event in the same transaction; feed and webhooks read it from here.

Order: (xid, seq). A reader that walks sequence numbers alone skips rows whose transaction commits late; on PostgreSQL
it therefore stops below the oldest transaction still running. On SQLite there is one writer, and xid is always 0.

PostgreSQL counts transactions per server, and a backup that is restored in another one comes to a lower count: events
would look unsettled for ever and new ones older than the old. `offcampus_first_xid()` is added to the server's count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.db import BigInt, Instant, Json, table
from offcampus_server.kernel.ids import new_id

Position = tuple[int, int]
START: Position = (-1, -1)
LOST_AT_MOST = 2**32
"""So many transactions may have followed a backup: whoever has read of them still sees what comes after a restore."""


class current_xid(FunctionElement[int]):  # noqa: N801 - an SQL function
    """The number of the transaction that writes: PostgreSQL's xid8 from the first one on, and 0 on SQLite."""

    type = BigInteger()
    inherit_cache = True


@compiles(current_xid, "postgresql")
def _xid_postgresql(*_: Any, **__: Any) -> str:
    return "(pg_current_xact_id()::text::bigint)"  # as it was made; migration 0015 counts from the first one


@compiles(current_xid, "sqlite")
def _xid_sqlite(*_: Any, **__: Any) -> str:
    return "(0)"


events = table(
    "events",
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("xid", BigInt, nullable=False, server_default=current_xid()),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("institution_id", Text),
    Column("region_code", Text, nullable=False),
    Column("bank_id", Text),
    Column("at", Instant, nullable=False),
    Column("document", Json, nullable=False),
    Index("ix_events_xid_seq", "xid", "seq"),
)
protect(events)

COLLECTIONS = {
    "institution": "institutions", "campus": "campuses", "staff": "staff", "material": "materials",
    "course": "courses", "class": "classes", "lesson": "lessons", "pupil": "pupils", "contract": "contracts",
    "order": "orders", "payment": "payments", "consumption_record": "consumption-records", "refund": "refunds",
    "custody_account": "custody-accounts", "custody_instruction": "custody-instructions",
    "custody_movement": "custody-movements", "statement": "statements", "subscription": "subscriptions",
    "difference": "differences", "warning": "warnings", "risk_assessment": "risk-assessments",
    "money_proposal": "money-proposals",
}  # fmt: skip


def row(  # the members of the envelope
    at: datetime, source: str, resource: str, verb: str, subject: str, institution_id: str | None, version: int, *,
    state: str | None, external_id: str | None, region_code: str, bank_id: str | None,
) -> dict[str, Any]:  # fmt: skip
    """One event as a row: a CloudEvents 1.0 envelope, thin, without personal data (schema `event`)."""
    event_id, kind = new_id("evt"), f"cn.offcampus.{resource}.{verb}.v1"
    data = {
        "id": subject, "version": version, "external_id": external_id, "state": state,
        "link": f"/v1/{COLLECTIONS[resource]}/{subject}",
    }  # fmt: skip
    document = {
        "specversion": "1.0", "id": event_id, "source": source, "type": kind, "subject": subject,
        "time": rfc3339(at), "datacontenttype": "application/json", "sequence": str(version), "data": data,
    }  # fmt: skip
    if institution_id is not None:
        document["institutionid"] = institution_id
    return {
        "id": event_id, "type": kind, "subject": subject, "sequence": version, "institution_id": institution_id,
        "region_code": region_code, "bank_id": bank_id, "at": at, "document": document,
    }  # fmt: skip


def after(
    connection: Connection, position: Position, limit: int, *conditions: ColumnElement[bool], types: Sequence[str] = ()
) -> list[RowMapping]:
    """The next events in commit order, none skipped whatever the other writers are doing."""
    later = or_(events.c.xid > position[0], and_(events.c.xid == position[0], events.c.seq > position[1]))
    wanted = events.c.type.in_(types) if types else true()
    query = (
        select(events.c.xid, events.c.seq, events.c.id, events.c.subject, events.c.type, events.c.document)
        .where(later, settled(connection), wanted, *conditions)
        .order_by(events.c.xid, events.c.seq)
        .limit(limit)
    )
    return list(connection.execute(query).mappings())


def settled(connection: Connection) -> ColumnElement[bool]:
    """Rows that no transaction still running could yet precede."""
    if connection.dialect.name == "sqlite":
        return true()
    return events.c.xid < literal_column(
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint + offcampus_first_xid()"
    )


def newest(connection: Connection) -> Position:
    """The position after the newest settled event."""
    query = select(events.c.xid, events.c.seq).where(settled(connection))
    found = connection.execute(query.order_by(events.c.xid.desc(), events.c.seq.desc()).limit(1)).first()
    return (found.xid, found.seq) if found else START


def set_first_xid(connection: Connection, first: int) -> None:
    """Count the transactions of this PostgreSQL from `first` on."""
    connection.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION offcampus_first_xid() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        f" RETURN {int(first)}::bigint"
    )


def go_on(connection: Connection) -> int:
    """After a restore in another server: let new events come after every old one. Returns the new first number."""
    newest_xid = connection.execute(select(func.coalesce(func.max(events.c.xid), -1))).scalar_one()
    first = int(newest_xid) + LOST_AT_MOST
    if connection.dialect.name == "postgresql":
        set_first_xid(connection, first)
    return first


def count(connection: Connection) -> int:
    """How many events there are."""
    return connection.execute(select(func.count()).select_from(events)).scalar_one()
