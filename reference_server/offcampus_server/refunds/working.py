"""What binds a refund of an order now: its sum with the working, its deadlines, and why all of it goes back.

The sum is worked out by the rules in force and the contract's terms on the moment of the request, and its working is
fixed then. What changes until the refund is agreed to is added as lines of its own; the lines always add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offcampus_rules import RefundRequest, RefundTerms

from offcampus_server.courses import service as courses
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.rulings import heard
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import contracts, payments
from offcampus_server.orders.service import Order
from offcampus_server.refunds import decisions, unregulated
from offcampus_server.refunds.decisions import Line

AT_ONCE = Line(
    "at_once", 0, "No lesson was due yet: paid at once, nobody's consent is waited for",
    "尚无应授课次：即时退款，无须等待机构同意",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """When a refund was asked for, and why."""

    at: datetime
    reason: Any


@dataclass(frozen=True)
class Working:
    """A sum in fen with the lines that lead to it and the rules behind them."""

    amount_fen: int
    lines: tuple[Line, ...]
    terms: RefundTerms
    at_once: bool
    """Nothing can have been taught: nobody's consent is waited for (M-QA.6)."""

    def shown(self) -> list[dict[str, Any]]:
        """As in the schema `refund-resource`."""
        zh = self.terms.working_zh or self.terms.working
        rules = [Line("rule", 0, en[:300], cn[:300]) for en, cn in zip(self.terms.working, zh, strict=False)]
        return [line.to_json() for line in (*self.lines, *rules)]


def work_out(work: Work, order: Order, asked: Asked) -> Working:
    """What a refund that was asked for comes to now."""
    terms = _terms(work, order, asked)
    amount, lines = _sum(work, order, _why_whole(work, order, asked, terms))
    at_once = amount > 0 and not _may_have_been_taught(work, order)
    more = unregulated.lines(
        _value_at(work, order, asked), asked.reason, discounted=order.discount_fen > 0, materials=order.has_materials
    )
    return Working(amount, (*lines, *([AT_ONCE] if at_once else []), *more), terms, at_once)


def _value_at(work: Work, order: Order, asked: Asked) -> Callable[[str], Any]:
    scope = courses.require(work, order.course_id).scope

    def value(name: str) -> Any:
        try:
            return work.rules.value(name, scope, asked.at.date()).value
        except KeyError:  # nobody defines it
            return None

    return value


def fixed(asked: Asked) -> Line:
    """The line that says so."""
    text_en = f"Fixed as of {asked.at:%Y-%m-%d %H:%M}: what changes later is added below, no line above changes"
    text_zh = f"以 {asked.at:%Y-%m-%d %H:%M} 申请时点固定：其后变化另列于下，以上各行不变"
    return Line("fixed", 0, text_en, text_zh)


def as_agreed(work: Work, order: Order, before: Sequence[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
    """The sum that is agreed to now, and the working that was fixed at the request with what has changed since."""
    whole = next((entry["line"] for entry in before if entry["line"] in decisions.WHOLE), None)
    if whole == "before_start" and order.reported_centi:
        whole = None  # that nothing was taught turned out to be wrong
    amount, now = _sum(work, order, whole)
    return amount, [*before, *(line.to_json() for line in decisions.since(before, now, amount))]


def unearned(work: Work, order: Order) -> int:
    """What belongs to the family in all, by the hours that are decided by now, whatever went back already; in fen."""
    sums = ledger.sums(work, [order.id])[order.id]
    return sums.paid - sums.charged_back - order.earned_fen(order.reported_centi)


def silence_due_at(work: Work, order: Order, asked: Asked, terms: RefundTerms) -> tuple[datetime, list[Line]]:
    """When the institution's silence is consent: counted from when it could know, however early it was asked.

    Raises `rules.unavailable` when no rule says how long: silence without a term is no consent.
    """
    due, lines = terms.silence_due_at, []
    if asked.at.date() != work.now.date():
        due = _terms(work, order, Asked(work.now, asked.reason)).silence_due_at
        text_en = f"received {work.now.date()}: the institution's silence counts from then"
        text_zh = f"{work.now.date()} 收到申请，机构沉默期自当日起算"
        lines.append(Line("received", 0, text_en, text_zh, "refund.silence"))
    if due is None:
        raise Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60)
    return due, lines


def quoted(work: Work, order: Order) -> dict[str, Any]:
    """A refund as it would be if the guardian asked for it now, with the rules behind it (schema `refund-quote`)."""
    found = work_out(work, order, Asked(work.now, "guardian_choice"))
    body = {"order_id": order.id, "as_of": rfc3339(work.now), "amount_fen": found.amount_fen}
    return {**body, "working": found.shown()}


def _may_have_been_taught(work: Work, order: Order) -> bool:
    """Hours were reported, or a lesson of the course has begun since the purchase and may yet be reported.

    An order that is not paid takes no consumption: nothing of it can be taught.
    """
    if order.reported_centi:
        return True
    if payments.settled_at(work, order.id) is None:
        return False
    return courses.lesson_began(work, order.course_id, order.ordered_at, work.now)


def _terms(work: Work, order: Order, asked: Asked) -> RefundTerms:
    sums = ledger.sums(work, [order.id])[order.id]
    scope = courses.require(work, order.course_id).scope
    terms = work.rules.refund_terms(
        RefundRequest(
            scope=scope,
            requested_at=asked.at,
            before_start=order.reported_centi == 0,
            total_fen=order.total_fen,
            released_fen=sums.released,
            consumed_centi=order.reported_centi,
            signed_on=order.signed_on,
            paid_at=payments.settled_at(work, order.id),
            reason=asked.reason,
        )
    )
    return heard(terms, scope.region)


def _why_whole(work: Work, order: Order, asked: Asked, terms: RefundTerms) -> str | None:
    if terms.full:
        return "cooling_off" if order.reported_centi else "before_start"
    until = contracts.full_refund_until(work, order.contract_id, order.service_from)
    return "contract_window" if until is not None and asked.at < until else None


def _sum(work: Work, order: Order, why_whole: str | None) -> tuple[int, list[Line]]:
    sums = ledger.sums(work, [order.id])[order.id]
    return decisions.work_out(
        decisions.Account(
            paid=sums.paid,
            refunded=sums.refunded + sums.pending_refund,
            charged_back=sums.charged_back,
            escrow=sums.escrow - sums.claims_open,
            reserve=sum(ledger.reserves(work, order.institution_id).values()),
            earned_confirmed=order.earned_fen(order.confirmed_centi),
            earned_with_reported=order.earned_fen(order.reported_centi),
            confirmed_centi=order.confirmed_centi,
            reported_centi=order.reported_centi,
            hours_centi=order.hours_centi,
            full=why_whole,
        )
    )
