"""The audit trail: who did what, to which resource, when, with which outcome. Append-only; no personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, Text

from offcampus_server.kernel.append_only import protect
from offcampus_server.kernel.db import BigInt, Instant, Json, table

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
