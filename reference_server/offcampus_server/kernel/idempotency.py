"""One key, one effect, one answer: the claim is a row in the effect's own transaction.

A crash between claim and commit leaves nothing; a refusal changed nothing and binds nothing. Keys are kept as long
as money can move: for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Text, bindparam, insert, select, text

from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.db import Instant, Json, table
from offcampus_server.kernel.problems import Problem

if TYPE_CHECKING:
    from offcampus_server.kernel.unit_of_work import Work

keys = table(
    "idempotency_keys",
    Column("party_id", Text, nullable=False),
    Column("operation_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("version", Integer),
    Column("headers", Json, nullable=False),
    Column("body", Text),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("party_id", "operation_id", "key"),
)

CLAIM = ("party_id", "operation_id", "key")
_FIND = select(keys).where(*(keys.c[name] == bindparam(name) for name in CLAIM))
_KEEP = insert(keys)
_LOCK = text("SELECT pg_try_advisory_xact_lock(:number)")


def once(call: Call, work: Work, handler: Callable[[Call, Work], Answer]) -> Answer:
    """The handler's answer, or the stored one of the first request with this key.

    Raises `idempotency.key_reused` for another request under the key, `idempotency.in_progress` while it still runs.
    """
    if call.idempotency_key is None or work.party is None:
        return handler(call, work)
    claim = (work.party.id, call.operation.operation_id, call.idempotency_key)
    _take_turn(work, claim)
    fingerprint = _fingerprint(call)
    stored = work.connection.execute(_FIND, dict(zip(CLAIM, claim, strict=True))).first()
    if stored is None:
        answer = handler(call, work)
        work.connection.execute(_KEEP, [_row(claim, fingerprint, answer, work)])
        return answer
    if stored.fingerprint != fingerprint:
        raise Problem("idempotency.key_reused")
    body = orjson.loads(stored.body) if stored.body is not None else None
    return Answer(stored.status, body, stored.version, {**stored.headers, "Idempotency-Replayed": "true"})


def _take_turn(work: Work, claim: tuple[str, str, str]) -> None:
    """On PostgreSQL a second request sees at once that the first still runs; SQLite has one writer anyway."""
    if work.connection.dialect.name == "sqlite":
        return
    number = int.from_bytes(hashlib.sha256("\0".join(claim).encode()).digest()[:8], "big", signed=True)
    if not work.connection.execute(_LOCK, {"number": number}).scalar_one():
        raise Problem("idempotency.in_progress", headers={"Retry-After": "1"}, retry_after_s=1)


def _fingerprint(call: Call) -> str:
    # Sorted members, so that a retry that serialises the same document in another order is the same request.
    meaning: list[Any] = [dict(call.path), call.body, call.if_match]
    return hashlib.sha256(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _row(claim: tuple[str, str, str], fingerprint: str, answer: Answer, work: Work) -> dict[str, Any]:
    return {
        **dict(zip(CLAIM, claim, strict=True)),
        "fingerprint": fingerprint,
        "status": answer.status,
        "version": answer.version,
        "headers": dict(answer.headers),
        "body": orjson.dumps(answer.body).decode() if answer.body is not None else None,
        "created_at": work.now,
    }
