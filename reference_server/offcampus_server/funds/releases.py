"""Releases: the bank is asked for what an order's plan lets leave custody; the rest waits.

Invariants
- Cumulative, so that the whole is exactly the whole, and never more than the plan gives by today.
- Between settlement days nothing leaves by month or by week; a row in `releases_waiting` remembers the next one.
- What a family is promised, what a bank failed to refund, what a bank may have released already: none of it is free.
- A frozen account, a rule that holds, a bank that failed: the release waits and is asked for again; refunds never wait.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from offcampus_rules import Release
from sqlalchemy import bindparam, delete, insert, select

from offcampus_server.consumption import reading as consumption
from offcampus_server.courses import service as courses
from offcampus_server.funds import accounts, instructions
from offcampus_server.funds.tables import releases_waiting
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import release_plans
from offcampus_server.orders import service as orders
from offcampus_server.orders.release_plans import Standing
from offcampus_server.orders.service import Order

ASKED_AGAIN_AFTER = timedelta(days=1)
"""A bank's failure or a freeze is rarely over sooner, and a bank is not flooded with what it cannot do."""
_DUE = (
    select(releases_waiting.c.order_id)
    .where(releases_waiting.c.not_before <= bindparam("now"))
    .order_by(releases_waiting.c.not_before)
    .limit(bindparam("limit"))
)
_WAIT = insert(releases_waiting)
_FORGET = (
    delete(releases_waiting)
    .where(releases_waiting.c.order_id == bindparam("order"))
    .returning(releases_waiting.c.settles_at)
)


Kept = Callable[[Work, str], int]
_kept_back: list[Kept] = []


def keep_back(kept: Kept) -> Kept:
    """Be asked what of a leaving order's free money is not the institution's, in fen: refunds are built on this."""
    _kept_back.append(kept)
    return kept


def begin(work: Work, order_id: str) -> None:
    """An order has been paid: remember the day on which its plan first lets money leave by the calendar."""
    order = orders.load(work, order_id)
    if order.state == "paid" and (order.plan.steps or release_plans.next_day(order.plan, work.now)):
        release_due(work, order_id)


def release_due(work: Work, order_id: str) -> None:
    """Ask the bank for what may leave by now and nobody has asked for yet."""
    settles_at = _forget(work, order_id)
    order = orders.load(work, order_id)
    if order.state not in ("paid", "refunding"):
        return
    sums = ledger.sums(work, [order_id])[order_id]
    where, following = standing(work, order, sums), release_plans.next_day(order.plan, work.now)
    settled = settles_at is not None and settles_at <= work.now
    if not settled and following is not None and release_plans.waits_for_settlement(order.plan, where):
        _wait(work, order_id, settles_at or following, settles_at or following)
        return
    doubted = instructions.in_doubt(work, order_id, "release")
    gone = sums.released + sums.pending_release + doubted
    free = sums.escrow - sums.claims_open - doubted - instructions.owed_back(work, order_id)
    if order.state == "refunding":
        free -= sum(kept(work, order_id) for kept in _kept_back)
    amount = min(release_plans.most(order.plan, where, work.now.date()) - gone, free)
    asked = 0
    if amount > 0 and _rules_allow(work, order, sums, where, amount):
        kept = _net_fees(work, order, amount) if sums.fees else 0
        asked = kept + instructions.instruct(work, "release", order, amount - kept, from_open_only=True)
    if asked < amount:
        wait_again(work, order_id)
    elif following is not None:
        _wait(work, order_id, following, following)


def settle_ended(work: Work, order_id: str) -> None:
    """A refund has ended an order: what its plan kept for another day leaves. What failed keeps waiting for its day."""
    if orders.load(work, order_id).plan.mode in release_plans.BY_THE_CALENDAR:
        release_due(work, order_id)


def release_waiting(work: Work, limit: int) -> int:
    """Settle what has its day, and ask again for what could not be released; returns for how many orders."""
    due = list(work.connection.execute(_DUE, {"now": work.now, "limit": limit}).scalars())
    for order_id in due:
        release_due(work, order_id)
        orders.close_when_settled(work, order_id)
    return len(due)


def wait_again(work: Work, order_id: str) -> None:
    """What could not be released is asked for again later."""
    _forget(work, order_id)
    _wait(work, order_id, work.now + ASKED_AGAIN_AFTER, work.now)


def wait_for_next_round(work: Work, order_id: str) -> None:
    """What a bank failed to release is free: it is asked for with the next round."""
    _forget(work, order_id)
    _wait(work, order_id, work.now, work.now)


def standing(work: Work, order: Order, sums: ledger.Sums) -> Standing:
    """What a release of an order is measured by now."""
    undisputed = order.reported_centi - consumption.disputed_centi(work, order.id)
    return Standing(
        price_fen=order.total_fen,
        earned_fen=order.earned_fen(order.confirmed_centi),
        disputed_fen=order.earned_fen(order.reported_centi) - order.earned_fen(undisputed),
        undecided=order.reported_centi > order.confirmed_centi,
        all_taught=order.confirmed_centi == order.hours_centi,
        leaving=order.state == "refunding",
        ended=order.state == "refunding" and bool(sums.refunded + sums.pending_refund),
        taught_ppm=release_plans.taught_ppm(order.confirmed_centi, order.hours_centi),
    )


def _net_fees(work: Work, order: Order, earned_fen: int) -> int:
    """Keep what the institution owes of this order's channel fees from what it has earned; returns how much."""
    legs, left = [], earned_fen
    for channel, account_id, owed in ledger.fees_owed(work, order.id):
        if fen := min(owed, left):
            left -= fen
            legs.append(
                flows.fee_netted(order.id, order.institution_id, channel, account_id, fen, work.now.date())
            )  # fmt: skip
    if legs:
        ledger.book_event(work, legs)
        work.audit("netFee", order.id, order.institution_id, detail={"amount_fen": earned_fen - left})
        orders.money_moved(work, order.id)
    return earned_fen - left


def _rules_allow(work: Work, order: Order, sums: ledger.Sums, where: Standing, amount: int) -> bool:
    course, plan, today = courses.require(work, order.course_id), order.plan, work.now.date()
    case = Release(
        scope=course.scope, signed_on=order.signed_on, requested_at=work.now, paid_fen=sums.paid,
        released_fen=sums.released + sums.pending_release, amount_fen=amount, confirmed_centi=order.confirmed_centi,
        total_centi=order.carrying_centi, priced_fen=where.earned_fen, mode=plan.mode,
        dispute_open=where.disputed_fen > 0,
        last_lesson_done=release_plans.last_lesson_done(plan, where, today),
        elapsed_months=(today.year - plan.service_from.year) * 12 + today.month - plan.service_from.month
        + (today.day >= plan.service_from.day),
        **(_of_institution(work, order, amount) if plan.mode == "batch_above_unconsumed" else {}),
    )  # fmt: skip
    decision = work.rules.check_release(case)
    work.record(decision, order.id, order.institution_id)
    return decision.outcome == "allow"


def _of_institution(work: Work, order: Order, amount: int) -> dict[str, Any]:
    """The institution's custody and what is unconsumed of all its orders, once this release is booked."""
    found = {each.id: each for each in orders.open_of_institution(work, order.institution_id)}
    sums = ledger.sums(work, list(found))
    leaving = sum(each.pending_release + each.pending_refund for each in sums.values())
    unconsumed = sum(
        max(sums[id].paid - sums[id].refunded - sums[id].pending_refund - each.earned_fen(each.confirmed_centi), 0)
        for id, each in found.items()
    )
    custody = accounts.held_by_institution(work, order.institution_id) - leaving - amount
    return {"custody_after_fen": custody, "unconsumed_after_fen": unconsumed}


def _forget(work: Work, order_id: str) -> datetime | None:
    return work.connection.execute(_FORGET, {"order": order_id}).scalar()


def _wait(work: Work, order_id: str, not_before: datetime, settles_at: datetime) -> None:
    row = {"order_id": order_id, "not_before": not_before, "settles_at": settles_at}
    work.connection.execute(_WAIT, row)
