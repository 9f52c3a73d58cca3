"""Payments: told by the parent terminal, captured where a channel has confirmed, settled as the bank reports receipts.

Invariants
- An order is paid when each part of its payment is captured or received; what is captured is in transit until then.
- What is captured stays expected, whatever becomes of the order: the channel has the family's money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, select, update

from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.db import Instant
from offcampus_server.kernel.problems import Problem, missing_reference, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.flows import PaidPart
from offcampus_server.orders import decisions, service
from offcampus_server.orders.service import Order
from offcampus_server.orders.tables import orders, payment_parts, payments
from offcampus_server.pupils import service as pupils

_SETTLE = update(payment_parts).where(
    payment_parts.c.payment_id == bindparam("payment"), payment_parts.c.part_no == bindparam("part")
)
_UNSETTLED = select(payment_parts.c.part_no).where(
    payment_parts.c.payment_id == bindparam("payment"), payment_parts.c.settled_at.is_(None)
)
_AWAITED = _UNSETTLED.where(payment_parts.c.captured_at.is_(None))
_OF_PAYMENTS = (
    select(payment_parts)
    .where(payment_parts.c.payment_id.in_(bindparam("payments", expanding=True)))
    .order_by(payment_parts.c.part_no)
)
_PARTS = (
    select(payment_parts, payments.c.order_id, payments.c.institution_id, payments.c.state, orders.c.state.label("of"))
    .join(payments, payments.c.id == payment_parts.c.payment_id)
    .join(orders, orders.c.id == payments.c.order_id)
    .order_by(payments.c.id, payment_parts.c.part_no)
)
_PARTS_OF_PAYMENTS = _PARTS.where(payments.c.id.in_(bindparam("payments", expanding=True)))
_PARTS_OF_ORDER = _PARTS.where(payments.c.order_id == bindparam("order"))
_LIVE = select(payments.c.id).where(payments.c.order_id == bindparam("order"), payments.c.state != "failed")
_INSERT_PARTS = insert(payment_parts)


@dataclass(frozen=True)
class Part:
    """One part of a payment, as the bank's report is matched with it."""

    payment_id: str
    part_no: int
    channel: str
    amount_fen: int
    order_id: str
    institution_id: str
    settled: bool
    expected: bool
    """Its payment is pending, and the channel has the money or the order awaits it."""
    origin: Mapping[str, Any] | None = None
    """The part that first paid it, of money that was carried over from another order."""
    captured: bool = False
    """The channel has confirmed that it has the money."""

    @property
    def ledger_part(self) -> PaidPart:
        """As the ledger books it."""
        return PaidPart(self.institution_id, self.order_id, self.payment_id, self.part_no, self.channel)


def pay(call: Call, work: Work) -> Answer:
    """Take a payment for an order: what a channel has confirmed counts at once, the rest when the bank reports it."""
    sent = call.body
    if (row := resources.known(work, payments, sent)) is not None:
        return Answer(200, present(work, [row])[0], row["version"])
    order = service.named(work, sent["order_id"])
    if order.state != "awaiting_payment":
        raise wrong_state(order.state, "awaiting_payment")
    _check_payer(work, order, sent["payer"])
    decisions.check_parts(sent["parts"], order.total_fen)
    captured = decisions.captured_at(sent["parts"], order.ordered_at, work.now)
    if (first := work.connection.execute(_LIVE, {"order": order.id}).scalar()) is not None:
        raise Problem("resource.state", f"{first} is a live payment of this order")
    stored = {name: value for name, value in sent.items() if name != "parts"}
    row = resources.create(
        work, payments, "pay", sent, institution_id=order.institution_id, region_code=order.region_code,
        state="pending", stored=stored, order_id=order.id,
    )  # fmt: skip
    rows = [
        {
            "payment_id": row["id"], "part_no": number, "channel": part["channel"],
            "amount_fen": part["amount_fen"], "captured_at": captured[number - 1],
        }
        for number, part in enumerate(sent["parts"], 1)
    ]  # fmt: skip
    work.connection.execute(_INSERT_PARTS, rows)
    _emit(work, "createPayment", "created", row)
    _capture(work, row["id"])
    return resources.created(row, "payments", present(work, [row])[0])


def present(work: Work, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Payments with the state of each part."""
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    refunded: dict[tuple[str, int], int] = {}
    for row in rows:
        refunded |= ledger.refunded_by_part(work, row["order_id"])
    ids = {"payments": [row["id"] for row in rows]}
    for part in work.connection.execute(_OF_PAYMENTS, ids).mappings():
        parts[part["payment_id"]].append(
            {
                "part_no": part["part_no"], "channel": part["channel"], "amount_fen": part["amount_fen"],
                "captured_at": rfc3339(part["captured_at"]) if part["captured_at"] else None,
                "settled": part["settled_at"] is not None, "fee_fen": part["fee_fen"], "payer_reference": "***",
                "refunded_fen": refunded.get((part["payment_id"], part["part_no"]), 0), "origin": part["origin"],
            }
        )  # fmt: skip
    return [
        resources.presented(
            row, parts=parts[row["id"]], settled_at=rfc3339(row["settled_at"]) if row["settled_at"] else None
        )
        for row in rows
    ]


def parts(work: Work, payment_ids: Sequence[str]) -> dict[tuple[str, int], Part]:
    """Parts of payments by (payment, number)."""
    return {(part.payment_id, part.part_no): part for part in _of_payments(work, payment_ids)}


def parts_of_order(work: Work, order_id: str) -> list[Part]:
    """The parts of an order that were paid, arrived or in transit, in order of payment."""
    found = work.connection.execute(_PARTS_OF_ORDER, {"order": order_id}).mappings()
    return [part for part in map(_part, found) if part.settled or part.captured]


def carried_in(
    work: Work, order: Order, sent: Mapping[str, Any], shares: Sequence[tuple[Part, int]]
) -> str:  # fmt: skip
    """A settled payment of an order by what another order had left, a part for each share; returns it."""
    first = resources.by_ids(work, payments, [shares[0][0].payment_id])[shares[0][0].payment_id]
    document = {"external_id": sent["external_id"], "order_id": order.id, "payer": first["document"]["payer"]}
    row = resources.create(
        work, payments, "pay", document, institution_id=order.institution_id, region_code=order.region_code,
        state="settled", order_id=order.id, settled_at=work.now,
    )  # fmt: skip
    rows = [
        {
            "payment_id": row["id"], "part_no": number, "channel": part.channel, "amount_fen": fen,
            "captured_at": None, "settled_at": work.now,
            "origin": part.origin or {"payment_id": part.payment_id, "part_no": part.part_no},
        }
        for number, (part, fen) in enumerate(shares, 1)
    ]  # fmt: skip
    work.connection.execute(insert(payment_parts), rows)
    _emit(work, "carryOverOrder.payment", "created", row)
    return str(row["id"])


def cancel_order(call: Call, work: Work) -> Answer:
    """Cancel an order that nobody has paid; what was promised for it is no longer expected.

    Raises `resource.state` when money has arrived for it: that goes back by a refund.
    """
    row = resources.find(work, orders, call.path["order_id"])
    if call.if_match in (None, row["version"]) and ledger.sums(work, [row["id"]])[row["id"]].paid:
        raise Problem("resource.state", "money has arrived for this order: ask for a refund (requestRefund)")
    row = resources.transition(work, orders, row, call.if_match, "cancelled", "awaiting_payment")
    service.tell(work, "cancelOrder", "cancelled", row)
    give_up(work, row["id"])
    return Answer(200, service.present(work, [row])[0], row["version"])


def give_up(work: Work, order_id: str) -> None:
    """What was promised for an order and nobody has is no longer expected: it stays out when it comes."""
    captured = select(payment_parts.c.payment_id).where(payment_parts.c.captured_at.is_not(None))
    query = select(payments).where(
        payments.c.order_id == order_id, payments.c.state == "pending", payments.c.id.not_in(captured)
    )
    for row in work.connection.execute(query).mappings().all():
        _emit(work, "giveUpPayment", "failed", resources.transition(work, payments, row, None, "failed", "pending"))


def settled_at(work: Work, order_id: str) -> datetime | None:
    """When an order was paid in full, by its channels or into custody; None while it is not."""
    when = func.coalesce(payment_parts.c.captured_at, payment_parts.c.settled_at, type_=Instant())
    query = (
        select(when)
        .join(payments, payments.c.id == payment_parts.c.payment_id)
        .where(payments.c.order_id == order_id, payments.c.state != "failed")
    )
    moments = list(work.connection.execute(query).scalars())
    return max(moments) if moments and all(moments) else None


def refund_moved(work: Work, payment_id: str) -> None:
    """Money of a payment is going or has gone back: a new version of it."""
    _emit(work, "payment.refund_moved", "refund_moved", resources.touch(work, payments, payment_id))


def settle(work: Work, part: Part, fee_fen: int) -> None:
    """A part has arrived; with the last one the payment is settled, and the order is paid at the latest."""
    arrived = {"payment": part.payment_id, "part": part.part_no, "settled_at": work.now, "fee_fen": fee_fen}
    work.connection.execute(_SETTLE, arrived)
    _pay_order(work, part.payment_id, part.order_id)
    if work.connection.execute(_UNSETTLED, {"payment": part.payment_id}).first() is not None:
        return
    row = resources.by_ids(work, payments, [part.payment_id])[part.payment_id]
    row = resources.transition(work, payments, row, None, "settled", "pending", settled_at=work.now)
    _emit(work, "settlePayment", "settled", row)


def _capture(work: Work, payment_id: str) -> None:
    """Book what channels have confirmed: it is the order's, in transit."""
    captured = [part for part in _of_payments(work, [payment_id]) if part.captured]
    if not captured:
        return
    legs = [flows.captured(part.ledger_part, part.amount_fen, work.now.date()) for part in captured]
    ledger.book_event(work, legs)
    service.money_moved(work, captured[0].order_id)
    _pay_order(work, payment_id, captured[0].order_id)


def _pay_order(work: Work, payment_id: str, order_id: str) -> None:
    """The order is paid when nobody has to wait any longer for a part of its payment."""
    if work.connection.execute(_AWAITED, {"payment": payment_id}).first() is not None:
        return
    order = service.load(work, order_id)
    if order.state == "awaiting_payment":
        service.set_state(work, order, "paid", "paid", "awaiting_payment")


def _of_payments(work: Work, ids: Sequence[str]) -> list[Part]:
    if not ids:
        return []
    return [_part(row) for row in work.connection.execute(_PARTS_OF_PAYMENTS, {"payments": list(ids)}).mappings()]


def _part(row: RowMapping) -> Part:
    return Part(
        row["payment_id"], row["part_no"], row["channel"], row["amount_fen"], row["order_id"],
        row["institution_id"], settled=row["settled_at"] is not None, captured=row["captured_at"] is not None,
        expected=row["state"] == "pending" and (row["captured_at"] is not None or row["of"] == "awaiting_payment"),
        origin=row["origin"],
    )  # fmt: skip


def _check_payer(work: Work, order: Order, payer: Mapping[str, Any]) -> None:
    """Who pays as a guardian is one of the pupil; another payer is named by relation only."""
    guardian_id = payer.get("guardian_id")
    pupil = pupils.require(work, order.pupil_id)
    if guardian_id is not None and (pupil is None or guardian_id not in pupil.guardian_ids):
        raise missing_reference("/payer/guardian_id", guardian_id)


def _emit(work: Work, action: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        "payment", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
