"""A record's life after it was reported: confirmed, disputed, resolved, reversed. Exactly one outcome wins.

Confirmation: by the guardian, or by silence when the deadline has passed undisputed, or by the authority's ruling.
Each confirmation asks for the release that it has earned, in the same transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, select

from offcampus_server.consumption.tables import consumption_records as records
from offcampus_server.funds import releases
from offcampus_server.kernel import resources
from offcampus_server.kernel.batch import Item
from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, missing_reference, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders import service as orders
from offcampus_server.refunds import service as refunds

_SILENT = (
    select(records)
    .where(records.c.state == "reported", records.c.due_at <= bindparam("now"))
    .order_by(records.c.due_at, records.c.id)
    .limit(bindparam("limit"))
)


def confirm(call: Call, work: Work) -> Answer:
    """The guardian confirms."""
    row = resources.find(work, records, call.path["consumption_record_id"])
    row = _confirm(work, row, call.if_match, "guardian", "reported")
    releases.release_due(work, row["order_id"])
    orders.close_when_settled(work, row["order_id"])
    return Answer(200, present(row), row["version"])


def dispute(call: Call, work: Work) -> Answer:
    """The guardian disputes, in time: at the deadline itself silence has run out."""
    row = resources.find(work, records, call.path["consumption_record_id"])
    if row["state"] == "reported" and row["due_at"] <= work.now:
        allowed = f"before {rfc3339(row['due_at'])}"
        entry = violation("resource.state", "/confirmation_due_at", given=rfc3339(work.now), allowed=allowed)
        raise Problem("resource.state", "the time to dispute has run out: silence was confirmation", [entry])
    text = call.body.get("text")
    row = resources.transition(
        work, records, row, call.if_match, "disputed", "reported", dispute_reason=call.body["reason"],
        disputed_at=work.now, dispute_sealed=work.vault.seal(text) if text else None,
    )  # fmt: skip
    _emit(work, "disputeConsumption", "disputed", row)
    return Answer(200, present(row), row["version"])


def resolve(call: Call, work: Work) -> Answer:
    """The authority rules: for the family the record is void, for the institution it is confirmed."""
    row = resources.find(work, records, call.path["consumption_record_id"])
    if call.body["ruling"] == "uphold_institution":
        row = _confirm(work, row, call.if_match, "ruling", "disputed")
        releases.release_due(work, row["order_id"])
        orders.close_when_settled(work, row["order_id"])
    else:
        row = _void(work, row, call.if_match, "disputed")
    return Answer(200, present(row), row["version"])


def confirm_silent(work: Work, limit: int) -> int:
    """Confirm what nobody disputed until its deadline; returns how many.

    One order at a time asks for its release, so that many lessons of one order make one instruction.
    """
    rows = work.connection.execute(_SILENT, {"now": work.now, "limit": limit}).mappings().all()
    for row in rows:
        _confirm(work, row, None, "silence", "reported")
    for order_id in dict.fromkeys(row["order_id"] for row in rows):
        releases.release_due(work, order_id)
        orders.close_when_settled(work, order_id)
    return len(rows)


def reverse(work: Work, item: Item) -> None:
    """Take back a record that is not yet confirmed: it becomes void, its hours go back, the reversal is kept.

    Raises `consumption.released` for a confirmed one: its money is earned, and only a ruling could undo that.
    """
    assert work.party is not None
    sent = item.document
    row = resources.by_ids(work, records, [sent["reverses"]]).get(sent["reverses"])
    if row is None or row["institution_id"] not in work.party.institution_ids or row["type"] == "reversal":
        raise missing_reference("/reverses", sent["reverses"])
    if row["order_id"] != sent["order_id"] or row["class_hours_centi"] != sent["class_hours_centi"]:
        detail = "a reversal names the order and the hours of the record that it takes back"
        raise Problem("reference.mismatch", detail, [violation("reference.mismatch", "/reverses")])
    if row["state"] == "confirmed":
        raise Problem("consumption.released")
    if row["state"] != "reported":
        raise wrong_state(row["state"], "reported")
    _void(work, row, None, "reported")
    reversal = {
        "id": new_id("con"), "external_id": sent["external_id"], "party_id": work.party.id,
        "institution_id": row["institution_id"], "region_code": row["region_code"], "version": 1, "state": "void",
        "created_at": work.now, "updated_at": work.now, "digest": item.digest, "document": sent,
        "order_id": row["order_id"], "lesson_id": None, "type": "reversal",
        "class_hours_centi": sent["class_hours_centi"], "occurred_until": parse(sent["occurred_until"]),
        "due_at": work.now, "due_provisional": 0, "reverses": row["id"], "decision_id": row["decision_id"],
    }  # fmt: skip
    stored = resources.store(work, records, reversal)
    item.accept(stored["id"])
    _emit(work, "reverseConsumption", "reversed", stored)


def present(row: RowMapping) -> dict[str, Any]:
    """A record as it is answered; the text of a dispute stays sealed."""
    confirmed = {"by": row["confirmed_by"], "at": rfc3339(row["confirmed_at"])} if row["confirmed_by"] else None
    disputed = {"reason": row["dispute_reason"], "at": rfc3339(row["disputed_at"])} if row["disputed_at"] else None
    return resources.presented(
        row, confirmation_due_at=rfc3339(row["due_at"]), confirmation_due_provisional=bool(row["due_provisional"]),
        confirmation=confirmed, dispute=disputed, decision_id=row["decision_id"],
    )  # fmt: skip


def _confirm(work: Work, row: RowMapping, if_match: int | None, by: str, source: str) -> RowMapping:
    row = resources.transition(
        work, records, row, if_match, "confirmed", source, confirmed_by=by, confirmed_at=work.now
    )
    orders.add_hours(work, {row["order_id"]: (0, row["class_hours_centi"])})
    _emit(work, f"confirmConsumption.{by}", "confirmed", row)
    return row


def _void(work: Work, row: RowMapping, if_match: int | None, source: str) -> RowMapping:
    row = resources.transition(work, records, row, if_match, "void", source)
    orders.add_hours(work, {row["order_id"]: (-row["class_hours_centi"], 0)})
    _emit(work, "voidConsumption", "voided", row)
    refunds.settle_undecided(work, row["order_id"])
    return row


def _emit(work: Work, action: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        "consumption_record", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
