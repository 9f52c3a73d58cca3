"""Who sees which event, and what a subscription is.

An event is seen by whoever may see its resource: the same policy as everywhere (kernel.access).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, select, update

from offcampus_server.events.tables import subscriptions
from offcampus_server.kernel import outbox, resources
from offcampus_server.kernel.access import Party, visible
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.cursors import Cursors
from offcampus_server.kernel.problems import not_found
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.kernel.webhook_targets import check_url

DEFAULT_LIMIT = 100


def feed(call: Call, work: Work) -> Answer:
    """The next events that the caller may see, in commit order; the cursor is always given."""
    assert work.party is not None
    cursors, bound_to = Cursors(work.cursor_secret), {"party": work.party.id, "operation": "listEvents"}
    position = outbox.START
    if "after" in call.query:
        xid, seq = cursors.read(call.query["after"], **bound_to)
        position = (xid, seq)
    types = [name for name in call.query.get("types", "").split(",") if name]
    limit = int(call.query.get("limit", DEFAULT_LIMIT))
    rows = outbox.after(work.connection, position, limit, visible(work.party, outbox.events), types=types)
    last = (rows[-1]["xid"], rows[-1]["seq"]) if rows else position
    body = {"items": [row["document"] for row in rows], "next_cursor": cursors.make(list(last), **bound_to)}
    return Answer(200, body)


def subscribe(call: Call, work: Work, *, development: bool) -> Answer:
    """Store a subscription; it starts at the newest event."""
    assert work.party is not None
    if (row := resources.known(work, subscriptions, call.body)) is not None:
        return Answer(200, present(row), row["version"])
    check_url(call.body["url"], development=development)
    xid, seq = outbox.newest(work.connection)
    row = resources.create(
        work, subscriptions, "sub", call.body, institution_id=work.party.id, region_code=work.party.region_code,
        state="active", url=call.body["url"], position_xid=xid, position_seq=seq,
    )  # fmt: skip
    work.audit("createSubscription", row["id"], None)
    return resources.created(row, "subscriptions", present(row))


def mine(work: Work, subscription_id: str) -> RowMapping:
    """A subscription of the caller. Raises the one 404 otherwise."""
    assert work.party is not None
    query = select(subscriptions).where(
        subscriptions.c.id == subscription_id, subscriptions.c.party_id == work.party.id
    )
    row = work.connection.execute(query).mappings().first()
    if row is None:
        raise not_found()
    return row


def unsubscribe(call: Call, work: Work) -> Answer:
    """End a subscription; its row goes, the audit trail keeps that it was there."""
    row = mine(work, call.path["subscription_id"])
    if call.if_match is not None and call.if_match != row["version"]:
        raise resources.stale(row["version"])
    work.connection.execute(subscriptions.delete().where(subscriptions.c.id == row["id"]))
    work.audit("deleteSubscription", row["id"], None)
    return Answer(204)


def redeliver(call: Call, work: Work) -> Answer:
    """Set a subscription back to an event: it and all after it are delivered again, under the same ids."""
    assert work.party is not None
    row = mine(work, call.path["subscription_id"])
    events = outbox.events
    query = select(events.c.xid, events.c.seq).where(
        events.c.id == call.body["from_event_id"], visible(work.party, events)
    )
    found = work.connection.execute(query).first()
    if found is None:
        raise not_found()
    position = (found.xid, found.seq - 1)
    again = outbox.after(work.connection, position, 100_000, visible(work.party, events))
    work.connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == row["id"])
        .values(position_xid=position[0], position_seq=position[1], state="active", failures=0, next_attempt_at=None)
    )
    work.audit("redeliverEvents", row["id"], None, detail={"events": len(again)})
    return Answer(202, {"events": len(again)})


def present(row: RowMapping) -> dict[str, Any]:
    """A subscription as it is answered."""
    return resources.presented(row, institution=False, last_failure=row["last_failure"])


def owner(party_id: str, role: str, region_code: str, institution_ids: frozenset[str]) -> Party:
    """A subscriber, for what it may see; scopes do not matter here."""
    return Party(party_id, "", role, region_code, frozenset(), institution_ids)
