"""Webhook delivery: at least once, in commit order per subscription, signed anew at each attempt, ids constant.

A subscription is leased before it is worked on, so that two workers do not deliver at once; a worker that dies lets
the lease run out. Delivery happens outside any transaction; the position moves after the receiver's 2xx. A slow
receiver has its share of a round and no more; what an answer says beyond its status is not read.
"""

from __future__ import annotations

import ssl
import time
from functools import cache, partial
from urllib.parse import urlsplit

import httpx2
import orjson
from sqlalchemy import RowMapping

from offcampus_server.events import deliveries
from offcampus_server.events import service as events
from offcampus_server.events.deliveries import Outcome
from offcampus_server.kernel import outbox
from offcampus_server.kernel.access import visible
from offcampus_server.kernel.clock import security_now
from offcampus_server.kernel.observe import log
from offcampus_server.kernel.signatures import sign_event
from offcampus_server.kernel.webhook_targets import resolve
from offcampus_server.parties import service as parties
from offcampus_server.pipeline import Platform

AT_A_TIME = 50
ROUND_S = 20.0
"""No new delivery to a subscription is begun after so long: others wait, and so do the deadlines."""
NO_CONTENT, GONE = 204, 410
TIMEOUT = httpx2.Timeout(15.0, connect=5.0)


def run(platform: Platform) -> int:
    """Deliver what is due; returns how many deliveries were taken."""
    total = 0
    with platform.storage.reading() as work:
        due = deliveries.due(work)
    for subscription_id in due:
        row = platform.storage.write(partial(deliveries.lease, subscription_id=subscription_id))
        if row is not None:
            total += _deliver_some(platform, row)
    return total


def _deliver_some(platform: Platform, row: RowMapping) -> int:
    taken, held_until, began = 0, row["leased_until"], time.monotonic()
    with client() as connections:
        for event in _next_events(platform, row):
            outcome = send(platform, connections, row["url"], event["document"])
            position = (event["xid"], event["seq"])
            held_until = platform.storage.write(
                partial(
                    deliveries.note, subscription_id=row["id"], held_until=held_until, outcome=outcome,
                    position=position,
                )
            )  # fmt: skip
            if outcome.reason is not None:
                log().info("webhook_failed", subscription=row["id"], event_id=event["id"], reason=outcome.reason)
            else:
                taken += 1
            if held_until is None:
                log().warning("lease_lost", subscription=row["id"])
                return taken
            if outcome.reason is not None or time.monotonic() - began > ROUND_S:
                break
    platform.storage.write(partial(deliveries.release, subscription_id=row["id"], held_until=held_until))
    return taken


def client() -> httpx2.Client:
    """Connections to receivers: kept for the events of one round, followed nowhere else."""
    return httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that we trust, read once: reading them costs more than a delivery."""
    return httpx2.create_ssl_context(trust_env=False)


def _next_events(platform: Platform, row: RowMapping) -> list[RowMapping]:
    with platform.storage.reading() as work:
        scopes: frozenset[str] = frozenset({"event:read"})
        owner = parties.load(work.connection, row["party_id"], scopes)
        subscriber = events.owner(owner.id, owner.role, owner.region_code, owner.institution_ids)
        position = (row["position_xid"], row["position_seq"])
        types = row["document"]["event_types"]
        return outbox.after(work.connection, position, AT_A_TIME, visible(subscriber, outbox.events), types=types)


def send(platform: Platform, connections: httpx2.Client, url: str, document: object) -> Outcome:
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
        with connections.stream(
            "POST", target, content=body, headers={**headers, "Host": parts.netloc}, extensions=extensions
        ) as response:
            if response.status_code == NO_CONTENT or response.headers.get("Content-Length") == "0":
                response.read()  # there is nothing to wait for, and the connection serves the next event
    except (OSError, httpx2.HTTPError) as error:
        return Outcome(type(error).__name__)
    if response.is_success:
        return Outcome(None)
    return Outcome(f"status {response.status_code}", gone=response.status_code == GONE)
