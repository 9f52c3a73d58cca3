"""A refund's life: asked for, agreed to (or silence runs out), paid part by part, and what stays undecided meanwhile.

Sum: by the order's own price over the hours confirmed, worked out again at the moment of agreement.
Never twice: one open refund per order, and the escrow is held before a bank is asked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from offcampus_rules import RefundRequest, RefundTerms
from sqlalchemy import RowMapping, select

from offcampus_server.courses import service as courses
from offcampus_server.funds import service as funds
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.service import Order
from offcampus_server.refunds import decisions
from offcampus_server.refunds.decisions import Line
from offcampus_server.refunds.tables import OPEN, refunds

CLOCK_TOLERANCE = timedelta(minutes=5)


def quote(call: Call, work: Work) -> Answer:
    """What a refund would come to now."""
    order = orders.find(work, call.path["order_id"])
    amount, lines = _work_out(work, order, full=False)
    body = {"order_id": order.id, "as_of": rfc3339(work.now), "amount_fen": amount}
    return Answer(200, {**body, "working": [line.to_json() for line in lines]})


def request(call: Call, work: Work) -> Answer:
    """Ask for a refund (M-18.2). Raises `refund.in_progress` for a second one, `refund.nothing_left` for nothing."""
    assert work.party is not None
    sent = call.body
    if (row := resources.known(work, refunds, sent)) is not None:
        return Answer(200, present(work, row), row["version"])
    order = orders.find(work, sent["order_id"])
    extensions.check(work, sent)
    _check_order(work, order)
    requested_at = _check_moment(work, parse(sent["requested_at"]))
    terms = _terms(work, order, sent["reason"], requested_at)
    amount, lines = _work_out(work, order, full=terms.full)
    if amount == 0:
        raise Problem("refund.nothing_left")
    row = resources.create(
        work, refunds, "rfd", sent, institution_id=order.institution_id, region_code=order.region_code,
        state="requested", order_id=order.id, requested_at=requested_at,
        silence_due_at=terms.silence_due_at or requested_at, due_at=terms.due_at, amount_fen=amount,
        working=_shown(lines, terms), agreed_by=None,
    )  # fmt: skip
    orders.set_state(work, order, "refunding", "refund_requested", "paid", refund_requested_at=requested_at)
    _emit(work, "requestRefund", "requested", row)
    return resources.created(row, "refunds", present(work, row))


def approve(call: Call, work: Work) -> Answer:
    """The institution agrees; the bank is told in the same transaction."""
    row = resources.find(work, refunds, call.path["refund_id"])
    row = _agree(work, row, "institution", call.if_match)
    return Answer(200, present(work, row), row["version"])


def object_to(call: Call, work: Work) -> Answer:
    """The institution objects, with a reason, before its silence counts as consent."""
    row = resources.find(work, refunds, call.path["refund_id"])
    if row["silence_due_at"] <= work.now:
        given = violation("resource.state", "/silence_due_at", allowed=f"before {rfc3339(row['silence_due_at'])}")
        raise Problem("resource.state", "the time to object has run out: silence was consent", [given])
    objection = {"reason": call.body["reason"], "at": rfc3339(work.now)}
    row = resources.transition(work, refunds, row, call.if_match, "objected", "requested", objection=objection)
    _emit(work, "objectToRefund", "objected", row)
    return Answer(200, present(work, row), row["version"])


def agree_silent(work: Work, limit: int) -> int:
    """Agree to refunds on which the institution was silent until the deadline; returns how many."""
    query = select(refunds).where(refunds.c.state == "requested", refunds.c.silence_due_at <= work.now)
    rows = work.connection.execute(query.order_by(refunds.c.silence_due_at).limit(limit)).mappings().all()
    for row in rows:
        _agree(work, row, "silence", None)
    return len(rows)


@funds.listen
def on_instruction(work: Work, instruction: RowMapping) -> None:
    """An instruction has ended: a refund is paid when all of its instructions are executed."""
    if instruction["refund_id"] is None:
        return
    row = resources.by_ids(work, refunds, [instruction["refund_id"]])[instruction["refund_id"]]
    states = {part["state"] for part in funds.instructions_of_refund(work, row["id"])}
    if "failed" in states:
        row = resources.transition(work, refunds, row, None, "failed", "paying", "failed")
        _emit(work, "refund.failed", "failed", row)
    elif states == {"executed"} and row["state"] == "paying":
        row = resources.transition(work, refunds, row, None, "paid", "paying")
        _emit(work, "refund.paid", "paid", row)


def settle_undecided(work: Work, order_id: str) -> None:
    """Hours that were reported when a refund was agreed have become void: what was held back for them goes back too."""
    query = select(refunds).where(refunds.c.order_id == order_id, refunds.c.state.in_(("agreed", "paying", "paid")))
    row = work.connection.execute(query.order_by(refunds.c.id.desc()).limit(1)).mappings().first()
    order = orders.load(work, order_id)
    if row is None or order.state != "refunding":
        return
    amount, _ = _work_out(work, order, full=False)
    if amount > 0:
        text_en, text_zh = "Held back before, not taught after all", "此前暂缓部分，经裁定未授课"
        extra = Line("in_flight_returned", amount, text_en, text_zh).to_json()
        total = row["amount_fen"] + amount
        row = resources.change(
            work, refunds, row, None, state="paying", amount_fen=total, working=[*row["working"], extra]
        )
        _instruct(work, row, order, amount)
        _emit(work, "refund.extended", "extended", row)
    orders.close_when_settled(work, order_id)


def present(work: Work, row: RowMapping) -> dict[str, Any]:
    """A refund with its working and the state of each part."""
    return resources.presented(
        row,
        amount_fen=row["amount_fen"],
        silence_due_at=rfc3339(row["silence_due_at"]),
        due_at=rfc3339(row["due_at"]) if row["due_at"] else None,
        working=row["working"],
        parts=funds.instructions_of_refund(work, row["id"]),
        objection=row["objection"],
    )


def accepts_consumption_until(work: Work, order_id: str) -> datetime | None:
    """While a refund is asked for and not agreed, lessons taught before the request may still be reported."""
    query = select(refunds.c.requested_at).where(
        refunds.c.order_id == order_id, refunds.c.state.in_(("requested", "objected"))
    )
    return work.connection.execute(query).scalar()


def _agree(work: Work, row: RowMapping, by: str, if_match: int | None) -> RowMapping:
    order = orders.load(work, row["order_id"])
    terms = _terms(work, order, row["document"]["reason"], row["requested_at"])
    amount, lines = _work_out(work, order, full=terms.full)
    row = resources.transition(
        work, refunds, row, if_match, "paying" if amount else "paid", "requested", "objected", agreed_by=by,
        amount_fen=amount, working=_shown(lines, terms),
    )  # fmt: skip
    _emit(work, "approveRefund", "agreed", row)
    _instruct(work, row, order, amount)
    orders.close_when_settled(work, order.id)
    return row


def _instruct(work: Work, row: RowMapping, order: Order, amount: int) -> None:
    account = funds.require_custody(work, order.institution_id)
    paid, back = payments.parts_of_order(work, order.id), ledger.refunded_by_part(work, order.id)
    for part, share in decisions.parts(amount, paid, back):
        funds.instruct(work, "refund", order, account, share, refund_id=row["id"], part=part)


def _work_out(work: Work, order: Order, *, full: bool) -> tuple[int, list[Line]]:
    sums = ledger.sums(work, [order.id])[order.id]
    return decisions.work_out(
        decisions.Account(
            paid=sums.paid,
            refunded=sums.refunded + sums.pending_refund,
            escrow=sums.escrow,
            earned_confirmed=order.earned_fen(order.confirmed_centi),
            earned_with_reported=order.earned_fen(order.reported_centi),
            confirmed_centi=order.confirmed_centi,
            reported_centi=order.reported_centi,
            hours_centi=order.hours_centi,
            full=full,
        )
    )


def _terms(work: Work, order: Order, reason: Any, requested_at: datetime) -> RefundTerms:
    sums = ledger.sums(work, [order.id])[order.id]
    return work.rules.refund_terms(
        RefundRequest(
            scope=courses.require(work, order.course_id).scope,
            requested_at=requested_at,
            before_start=order.reported_centi == 0,
            total_fen=order.total_fen,
            released_fen=sums.released,
            consumed_centi=order.reported_centi,
            signed_on=order.signed_on,
            paid_at=payments.settled_at(work, order.id),
            reason=reason,
        )
    )


def _check_order(work: Work, order: Order) -> None:
    query = select(refunds.c.id).where(refunds.c.order_id == order.id, refunds.c.state.in_(OPEN))
    if (first := work.connection.execute(query).scalar()) is not None:
        entry = violation("refund.in_progress", "/order_id", given=first)
        raise Problem("refund.in_progress", f"{first} is open", [entry])
    if order.state in ("closed", "refunding"):
        raise Problem("refund.nothing_left", f"the order is {order.state}")
    if order.state != "paid":
        raise Problem("resource.state", f"the order is {order.state}; only a paid order is refunded")


def _check_moment(work: Work, requested_at: datetime) -> datetime:
    if requested_at > work.now + CLOCK_TOLERANCE:
        entry = violation("schema.future", "/requested_at")
        raise Problem("schema.invalid", "requested_at lies in the future", [entry])
    return requested_at


def _shown(lines: list[Line], terms: RefundTerms) -> list[dict[str, Any]]:
    rules = [
        {"line": "rule", "amount_fen": 0, "text_en": en[:300], "text_zh": zh[:300], "rule": None}
        for en, zh in zip(terms.working, terms.working_zh or terms.working, strict=False)
    ]
    return [*(line.to_json() for line in lines), *rules]


def _emit(work: Work, action: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        "refund", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
