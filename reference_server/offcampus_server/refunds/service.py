"""A refund's life: asked for, agreed to (or silence runs out), paid part by part, and what stays undecided meanwhile.

Sum: by the order's own price over the hours reported, fixed at the request; what changes until the agreement is added.
Never twice: one open refund per order, the escrow is held before a bank is asked, and what a bank failed to pay is
instructed anew once, when it is certain that nothing moved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select

from offcampus_server.funds import instructions, releases
from offcampus_server.funds import service as funds
from offcampus_server.funds.decisions import draw
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.service import Order
from offcampus_server.refunds import decisions, named, working
from offcampus_server.refunds.decisions import Line
from offcampus_server.refunds.tables import OPEN, refunds
from offcampus_server.refunds.working import Asked

CLOCK_TOLERANCE = timedelta(minutes=5)
PAID_AGAIN_AFTER = timedelta(days=1)
AGREED = ("agreed", "paying", "paid", "failed")
_AGREED_TO = select(refunds).where(refunds.c.order_id == bindparam("order"), refunds.c.state.in_(("paying", "failed")))
_SILENT = (
    select(refunds)
    .where(refunds.c.state == "requested", refunds.c.silence_due_at <= bindparam("now"))
    .order_by(refunds.c.silence_due_at)
    .limit(bindparam("limit"))
)


def quote(call: Call, work: Work) -> Answer:
    """What a refund would come to now."""
    return Answer(200, working.quoted(work, orders.find(work, call.path["order_id"])))


def request(call: Call, work: Work) -> Answer:
    """Ask for a refund (M-18.2); where nothing can have been taught, it is agreed at once (M-QA.6).

    Raises `refund.in_progress` for a second one, `refund.nothing_left` for nothing.
    """
    sent = call.body
    if (row := resources.known(work, refunds, sent)) is not None:
        return Answer(200, present(work, row), row["version"])
    order = orders.named(work, sent["order_id"])
    extensions.check(work, sent)
    _check_order(work, order)
    asked = Asked(_check_moment(work, order, parse(sent["requested_at"])), sent["reason"])
    found = working.work_out(work, order, asked)
    if found.amount_fen == 0:
        raise Problem("refund.nothing_left")
    silence_due_at, received = working.silence_due_at(work, order, asked, found.terms)
    row = resources.create(
        work, refunds, "rfd", sent, institution_id=order.institution_id, region_code=order.region_code,
        state="requested", order_id=order.id, requested_at=asked.at, silence_due_at=silence_due_at,
        due_at=found.terms.due_at, amount_fen=found.amount_fen, agreed_by=None,
        working=[*found.shown(), *(line.to_json() for line in (*received, working.fixed(asked)))],
    )  # fmt: skip
    payments.give_up(work, order.id)
    # What was never paid whole could not be taught before, and cannot be now.
    since = asked.at if order.state == "paid" else None
    orders.set_state(
        work, order, "refunding", "refund_requested", "paid", "awaiting_payment", refund_requested_at=since
    )
    tell(work, "requestRefund", "requested", row)
    if found.at_once:
        row = agree(work, row, "entitlement", None)
    return resources.created(row, "refunds", present(work, row))


def approve(call: Call, work: Work) -> Answer:
    """The institution agrees, and the bank is told in the same transaction; or it has a failed payment made again."""
    row = of_institution(call, work)
    if row["state"] == "failed":
        row = _pay_again(work, row, call.if_match)
    else:
        row = agree(work, row, "institution", call.if_match)
    return Answer(200, present(work, row), row["version"])


def agree_silent(work: Work, limit: int) -> int:
    """Agree to refunds on which the institution was silent until the deadline; returns how many."""
    rows = work.connection.execute(_SILENT, {"now": work.now, "limit": limit}).mappings().all()
    for row in rows:
        agree(work, row, "silence", None)
    return len(rows)


def pay_again(work: Work, limit: int) -> int:
    """Instruct anew what banks failed to pay a day ago; returns for how many refunds."""
    due = instructions.refunds_to_pay_again(work, work.now - PAID_AGAIN_AFTER, limit)
    rows = [row for row in resources.by_ids(work, refunds, due).values() if not row["payees"] or not _waits(work, row)]
    for row in rows:
        _pay_again(work, row, None)
    return len(rows)


@funds.listen
def on_instruction(work: Work, instruction: RowMapping) -> None:
    """An instruction has ended: a refund is paid when all of its instructions are executed."""
    if instruction["refund_id"] is not None:
        _advance(work, resources.by_ids(work, refunds, [instruction["refund_id"]])[instruction["refund_id"]])


@funds.on_arrival
def on_arrival(work: Work, order_id: str) -> None:
    """Money that a refund waited for has arrived: instruct what could not be instructed before."""
    for row in work.connection.execute(_AGREED_TO, {"order": order_id}).mappings().all():
        if (missing := row["amount_fen"] - _instructed(work, row)) > 0:
            _instruct(work, row, orders.load(work, order_id), missing)


@releases.keep_back
def promised(work: Work, order_id: str) -> int:
    """What a family is promised and no bank is asked for yet, because it is in transit: nobody else may have it."""
    rows = work.connection.execute(_AGREED_TO, {"order": order_id}).mappings().all()
    return sum(row["amount_fen"] - _instructed(work, row) for row in rows)


def settle_undecided(work: Work, order_id: str) -> None:
    """Hours that were reported when a refund was agreed have become void: what was held back for them goes back too."""
    query = select(refunds).where(refunds.c.order_id == order_id, refunds.c.state.in_(AGREED))
    row = work.connection.execute(query.order_by(refunds.c.id.desc()).limit(1)).mappings().first()
    order = orders.load(work, order_id)
    if row is None or order.state != "refunding":
        return
    agreed_before = select(func.coalesce(func.sum(refunds.c.amount_fen), 0)).where(
        refunds.c.order_id == order_id, refunds.c.state.in_(AGREED)
    )
    amount = working.unearned(work, order) - int(work.connection.execute(agreed_before).scalar_one())
    if amount > 0:
        text_en, text_zh = "Held back before, not taught after all", "此前暂缓部分，经裁定未授课"
        extra = Line("in_flight_returned", amount, text_en, text_zh).to_json()
        total = row["amount_fen"] + amount
        _cover(work, order, amount)
        _instruct(work, row, order, amount)
        state = _reached(work, row)
        row = resources.change(
            work, refunds, row, None, state=state, amount_fen=total, working=[*row["working"], extra]
        )
        tell(work, "refund.extended", "extended", row)
    orders.close_when_settled(work, order_id)


def present(work: Work, row: RowMapping) -> dict[str, Any]:
    """A refund with its working and the state of each part."""
    return resources.presented(
        row,
        amount_fen=row["amount_fen"],
        silence_due_at=rfc3339(row["silence_due_at"]),
        due_at=rfc3339(row["due_at"]) if row["due_at"] else None,
        working=row["working"],
        parts=instructions.of_refund(work, row["id"]),
        objection=row["objection"],
        agreed_by=row["agreed_by"],
        ruling=row["ruling"],
        payees=named.shown(row),
        overdue_at=rfc3339(row["overdue_at"]) if row["overdue_at"] else None,
        **({"decision_id": row["decision_id"]} if row["decision_id"] else {}),
    )


def agree(work: Work, row: RowMapping, by: str, if_match: int | None, **columns: Any) -> RowMapping:
    """A refund is agreed to: the sum as fixed, with what has changed since; the escrow is held, and the bank told."""
    order = orders.load(work, row["order_id"])
    amount, lines = working.as_agreed(work, order, row["working"])
    row = resources.transition(
        work, refunds, row, if_match, "paying" if amount else "paid", "requested", "objected", agreed_by=by,
        amount_fen=amount, working=lines, **columns,
    )  # fmt: skip
    tell(work, "approveRefund", "agreed", row)
    _cover(work, order, amount)
    _instruct(work, row, order, amount)
    releases.settle_ended(work, order.id)
    orders.close_when_settled(work, order.id)
    return row


def _cover(work: Work, order: Order, amount: int) -> None:
    """Where escrow does not hold a refund: the reserve stands in, and the institution owes the rest."""
    sums = ledger.sums(work, [order.id])[order.id]
    reserves = ledger.reserves(work, order.institution_id)
    free = sums.escrow - sums.claims_open - instructions.owed_back(work, order.id)
    found, today = decisions.sources(amount, free, sum(reserves.values())), work.now.date()
    legs = [
        flows.reserve_used(order.institution_id, order.id, account_id, fen, today)
        for account_id, fen in draw(found.reserve, reserves)
    ]
    if found.institution:
        legs.append(flows.claimed(order.institution_id, order.id, found.institution, today))
    if legs:
        ledger.book_event(work, legs)
        detail = {"reserve_fen": found.reserve, "claim_fen": found.institution}
        work.audit("coverRefund", order.id, order.institution_id, detail=detail)
        orders.money_moved(work, order.id)


def _instruct(work: Work, row: RowMapping, order: Order, amount: int) -> None:
    paid, back = payments.parts_of_order(work, order.id), ledger.refunded_by_part(work, order.id)
    for failed in instructions.failed_of_refund(work, row["id"]):
        if failed["certain_by"] or failed["taken_back_by"]:  # it will be instructed anew and keeps its room
            key = failed["payment_id"], failed["part_no"]
            back[key] = back.get(key, 0) + failed["amount_fen"]
    for part, share in decisions.parts(amount, paid, back):
        # What is in transit is instructed when it arrives.
        instructions.instruct(work, "refund", order, share, refund_id=row["id"], part=part)


def _pay_again(work: Work, row: RowMapping, if_match: int | None) -> RowMapping:
    """Each failed part once more, by a new instruction for the same channel."""
    failed = _surely_failed(work, row)
    order = orders.load(work, row["order_id"])
    parts = payments.parts(work, sorted({old["payment_id"] for old in failed}))
    for old in failed:
        instructions.instruct(
            work, "refund", order, old["amount_fen"], refund_id=row["id"], retries=old["id"],
            part=parts[old["payment_id"], old["part_no"]], payee=named.approved(row, old),
        )  # fmt: skip
    return paid_again(work, row, if_match)


def paid_again(work: Work, row: RowMapping, if_match: int | None = None) -> RowMapping:
    """A failed part is instructed anew."""
    row = resources.transition(work, refunds, row, if_match, _reached(work, row), "failed")
    tell(work, "refund.paid_again", "paid_again", row)
    return row


def _surely_failed(work: Work, row: RowMapping) -> list[RowMapping]:
    """What may be instructed anew. Raises `instruction.end_uncertain` while nobody knows that nothing moved."""
    failed = instructions.failed_of_refund(work, row["id"])
    if waiting := [old for old in failed if named.waits(row, old)]:
        entries = [violation("resource.state", "/payees", given=old["id"]) for old in waiting]
        raise Problem("resource.state", "another account is named: two officers decide first", entries)
    if found := [old for old in failed if instructions.may_be_given_anew(work, old)]:
        return found
    entries = [violation("instruction.end_uncertain", "/parts", given=old["id"]) for old in failed]
    raise Problem("instruction.end_uncertain", "the first payment may have left the bank after all", entries)


def _waits(work: Work, row: RowMapping) -> bool:
    return any(named.waits(row, old) for old in instructions.failed_of_refund(work, row["id"]))


def _instructed(work: Work, row: RowMapping) -> int:
    """What banks have been asked to pay back for a refund; what is in transit is asked for when it arrives."""
    return sum(part["amount_fen"] for part in instructions.of_refund(work, row["id"]))


def _reached(work: Work, row: RowMapping) -> str:
    parts = instructions.of_refund(work, row["id"])
    missing = row["amount_fen"] - sum(part["amount_fen"] for part in parts)
    return decisions.state_of([*(part["state"] for part in parts), *(["awaited"] if missing > 0 else [])])


def _advance(work: Work, row: RowMapping) -> None:
    state = _reached(work, row)
    if state != row["state"]:
        row = resources.transition(work, refunds, row, None, state, "paying", "failed", "paid")
        tell(work, f"refund.{state}", state, row)


def of_institution(call: Call, work: Work) -> RowMapping:
    """The refund, where the caller may speak for its institution: whoever asks does not also answer."""
    assert work.party is not None
    row = resources.find(work, refunds, call.path["refund_id"])
    if row["institution_id"] not in work.party.institution_ids:
        detail = f"only the institution answers a refund; the role {work.party.role} does not"
        raise Problem("auth.scope", detail, [violation("auth.scope", given=work.party.role)])
    return row


def _check_order(work: Work, order: Order) -> None:
    query = select(refunds.c.id).where(refunds.c.order_id == order.id, refunds.c.state.in_(OPEN))
    if (first := work.connection.execute(query).scalar()) is not None:
        entry = violation("refund.in_progress", "/order_id", given=first)
        raise Problem("refund.in_progress", f"{first} is open", [entry])
    if order.state in ("closed", "refunding"):
        raise Problem("refund.nothing_left", f"the order is {order.state}")
    arrived = ledger.sums(work, [order.id])[order.id].paid
    if order.state != "paid" and not (order.state == "awaiting_payment" and arrived):
        raise wrong_state(order.state, "paid")


def _check_moment(work: Work, order: Order, requested_at: datetime) -> datetime:
    """A refund is asked for after the purchase and before now. Raises `schema.invalid`."""
    if requested_at > work.now + CLOCK_TOLERANCE:
        entry = violation("schema.future", "/requested_at")
        raise Problem("schema.invalid", "requested_at lies in the future", [entry])
    if requested_at < order.ordered_at:
        entry = violation("schema.period", "/requested_at", allowed=f"from {rfc3339(order.ordered_at)}")
        raise Problem("schema.invalid", "requested_at lies before the order", [entry])
    return requested_at


def tell(work: Work, action: str, verb: str, row: RowMapping) -> None:
    """Note and tell what happened to a refund."""
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        "refund", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
