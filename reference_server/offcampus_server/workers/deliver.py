"""Webhook delivery: at least once, in commit order per subscription, signed anew at each attempt, ids constant.

A subscription is leased before it is worked on, so that two workers do not deliver at once; a worker that dies lets
the lease run out. Delivery happens outside any transaction; the position moves after the receiver's 2xx.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx2
import orjson
from sqlalchemy import RowMapping, or_, select, update

from offcampus_server.events import service as events
from offcampus_server.events.tables import subscriptions
from offcampus_server.kernel import outbox
from offcampus_server.kernel.access import visible
from offcampus_server.kernel.clock import security_now
from offcampus_server.kernel.observe import log
from offcampus_server.kernel.signatures import sign_event
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.kernel.webhook_targets import resolve
from offcampus_server.parties import service as parties
from offcampus_server.pipeline import Platform

LEASE = timedelta(seconds=60)
AT_A_TIME = 50
BACK_OFF_S = (5, 30, 120, 600, 3600, 10800, 21600, 43200, 86400)
GIVE_UP_AFTER = timedelta(days=5)
GONE = 410
TIMEOUT = httpx2.Timeout(15.0, connect=5.0)


@dataclass(frozen=True)
class Outcome:
    """What came of one delivery; `reason` is None when the receiver took it."""

    reason: str | None
    gone: bool = False


def run(platform: Platform) -> int:
    """Deliver what is due; returns how many deliveries were taken."""
    total = 0
    for subscription_id in _due(platform):
        row = platform.storage.write(partial(_lease, subscription_id=subscription_id))
        if row is not None:
            total += _deliver_some(platform, row)
    return total


def _due(platform: Platform) -> list[str]:
    with platform.storage.reading() as work:
        free = or_(subscriptions.c.leased_until.is_(None), subscriptions.c.leased_until < work.now)
        ripe = or_(subscriptions.c.next_attempt_at.is_(None), subscriptions.c.next_attempt_at <= work.now)
        query = select(subscriptions.c.id).where(subscriptions.c.state == "active", free, ripe)
        return list(work.connection.execute(query.order_by(subscriptions.c.id)).scalars())


def _lease(work: Work, subscription_id: str) -> RowMapping | None:
    free = or_(subscriptions.c.leased_until.is_(None), subscriptions.c.leased_until < work.now)
    query = (
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id, subscriptions.c.state == "active", free)
        .values(leased_until=work.now + LEASE)
        .returning(*subscriptions.c)
    )
    return work.connection.execute(query).mappings().first()


def _deliver_some(platform: Platform, row: RowMapping) -> int:
    taken = 0
    for event in _next_events(platform, row):
        outcome = send(platform, row["url"], event["document"])
        position = (event["xid"], event["seq"])
        platform.storage.write(partial(_note, subscription_id=row["id"], outcome=outcome, position=position))
        if outcome.reason is not None:
            log().info("webhook_failed", subscription=row["id"], event_id=event["id"], reason=outcome.reason)
            break
        taken += 1
    platform.storage.write(lambda work: _release(work, row["id"]))
    return taken


def _next_events(platform: Platform, row: RowMapping) -> list[RowMapping]:
    with platform.storage.reading() as work:
        scopes: frozenset[str] = frozenset({"event:read"})
        owner = parties.load(work.connection, row["party_id"], scopes)
        subscriber = events.owner(owner.id, owner.role, owner.region_code, owner.institution_ids)
        position = (row["position_xid"], row["position_seq"])
        types = row["document"]["event_types"]
        return outbox.after(work.connection, position, AT_A_TIME, visible(subscriber, outbox.events), types=types)


def send(platform: Platform, url: str, document: object) -> Outcome:
    """Deliver one event: to the checked address, without redirects, signed for this attempt."""
    body, parts = orjson.dumps(document), urlsplit(url)
    event_id = str(document["id"])  # type: ignore[index]
    headers = sign_event(platform.keyring.current, url, body, event_id, security_now())
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = resolve(parts.hostname or "", port, development=platform.settings.development)
        # Connecting to the address that was checked: a name that resolves differently a moment later gains nothing.
        target = parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}").geturl()
        extensions = {"sni_hostname": parts.hostname} if parts.scheme == "https" else {}
        with httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
            response = client.post(
                target, content=body, headers={**headers, "Host": parts.netloc}, extensions=extensions
            )
    except (OSError, httpx2.HTTPError) as error:
        return Outcome(type(error).__name__)
    if response.is_success:
        return Outcome(None)
    return Outcome(f"status {response.status_code}", gone=response.status_code == GONE)


def _note(work: Work, subscription_id: str, outcome: Outcome, position: outbox.Position) -> None:
    table = subscriptions
    row = work.connection.execute(select(table).where(table.c.id == subscription_id)).mappings().first()
    if row is None:
        return  # unsubscribed meanwhile
    changes = _taken(position) if outcome.reason is None else _failed(row, outcome, work.now)
    work.connection.execute(update(table).where(table.c.id == subscription_id).values(changes))
    if changes.get("state") == "disabled":
        work.audit("subscription.disabled", subscription_id, None, detail={"reason": outcome.reason})


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


def _release(work: Work, subscription_id: str) -> None:
    work.connection.execute(
        update(subscriptions).where(subscriptions.c.id == subscription_id).values(leased_until=None)
    )
