"""A subscription's deliveries: which are due, who works on them, how far they came, when they are given up.

A lease lasts for one delivery and is renewed with each: a worker whose lease has run out meanwhile neither moves the
position nor sends another event, since somebody else does by now.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, or_, select, update

from offcampus_server.events.tables import subscriptions
from offcampus_server.kernel import outbox
from offcampus_server.kernel.unit_of_work import Work

LEASE = timedelta(seconds=60)
BACK_OFF_S = (5, 30, 120, 600, 3600, 10800, 21600, 43200, 86400)
GIVE_UP_AFTER = timedelta(days=5)


@dataclass(frozen=True)
class Outcome:
    """What came of one delivery; `reason` is None when the receiver took it."""

    reason: str | None
    gone: bool = False


def due(work: Work) -> list[str]:
    """Active subscriptions that nobody works on and that need not wait any longer."""
    free = or_(subscriptions.c.leased_until.is_(None), subscriptions.c.leased_until < work.now)
    ripe = or_(subscriptions.c.next_attempt_at.is_(None), subscriptions.c.next_attempt_at <= work.now)
    query = select(subscriptions.c.id).where(subscriptions.c.state == "active", free, ripe)
    return list(work.connection.execute(query.order_by(subscriptions.c.id)).scalars())


def lease(work: Work, subscription_id: str) -> RowMapping | None:
    """Take a subscription for a minute; None when another worker has it."""
    free = or_(subscriptions.c.leased_until.is_(None), subscriptions.c.leased_until < work.now)
    query = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.state == "active", free)
        .values(leased_until=work.now + LEASE)
        .returning(*subscriptions.c)
    )
    return work.connection.execute(query).mappings().first()


def note(
    work: Work, subscription_id: str, held_until: datetime, outcome: Outcome, position: outbox.Position
) -> datetime | None:
    """Remember what came of a delivery: the new position, or when to try again, or that it is given up.

    Returns until when the lease is held now; None when it was lost, or nobody subscribes any more.
    """
    table = subscriptions
    mine = (table.c.id == subscription_id) & (table.c.leased_until == held_until)
    row = work.connection.execute(select(table).where(mine)).mappings().first()
    if row is None:
        return None
    changes = _taken(position) if outcome.reason is None else _failed(row, outcome, work.now)
    changes["leased_until"] = work.now + LEASE
    work.connection.execute(update(table).where(mine).values(changes))
    if changes.get("state") == "disabled":
        work.audit("subscription.disabled", subscription_id, None, detail={"reason": outcome.reason})
    return work.now + LEASE


def _taken(position: outbox.Position) -> dict[str, object]:
    return {
        "position_xid": position[0], "position_seq": position[1], "failures": 0, "first_failed_at": None,
        "next_attempt_at": None, "last_failure": None,
    }  # fmt: skip


def _failed(row: RowMapping, outcome: Outcome, now: datetime) -> dict[str, object]:
    since = row["first_failed_at"] or now
    wait = BACK_OFF_S[min(row["failures"], len(BACK_OFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    changes: dict[str, object] = {
        "failures": row["failures"] + 1, "first_failed_at": since, "last_failure": outcome.reason,
        "next_attempt_at": now + timedelta(seconds=wait),
    }  # fmt: skip
    if outcome.gone or now - since > GIVE_UP_AFTER:
        changes |= {"state": "disabled", "version": row["version"] + 1}
    return changes


def release(work: Work, subscription_id: str, held_until: datetime) -> None:
    """Let others work on it."""
    mine = (subscriptions.c.id == subscription_id) & (subscriptions.c.leased_until == held_until)
    work.connection.execute(update(subscriptions).where(mine).values(leased_until=None))
