"""Orders: sold under the rules, counted in hours and in fen, closed when every fen is where it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from offcampus_rules import OpenOrder, ReleasePlanRequest, documents
from offcampus_spec import coherence
from sqlalchemy import RowMapping, Select, bindparam, select, update

from offcampus_server.courses import service as courses
from offcampus_server.courses.service import Course
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import (
    Problem,
    mismatch,
    missing_reference,
    require_coherent,
    violation,
    wrong_state,
)
from offcampus_server.kernel.rulings import require_allowed
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import reading
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.shares import PriceLine
from offcampus_server.orders import contracts, decisions, release_plans
from offcampus_server.orders.release_plans import Plan
from offcampus_server.orders.tables import orders

OPEN_STATES = ("awaiting_payment", "paid", "refunding")
_OPEN_OF_PUPIL = select(
    orders.c.id, orders.c.subject, orders.c.class_hours_centi, orders.c.gift_hours_centi, orders.c.reported_centi
).where(
    orders.c.pupil_id == bindparam("pupil"), orders.c.subject == bindparam("subject"),
    orders.c.institution_id == bindparam("institution"), orders.c.state.in_(OPEN_STATES),
)  # fmt: skip
_COUNT_HOURS = (
    update(orders)
    .where(orders.c.id == bindparam("order"))
    .values(
        reported_centi=orders.c.reported_centi + bindparam("reported"),
        confirmed_centi=orders.c.confirmed_centi + bindparam("confirmed"),
        version=orders.c.version + 1,
        updated_at=bindparam("now"),
    )
)
_COUNT_HOURS_OF_ONE = _COUNT_HOURS.returning(*orders.c)


@dataclass(frozen=True)
class Order:
    """What other capabilities need of an order."""

    id: str
    institution_id: str
    region_code: str
    version: int
    state: str
    pupil_id: str
    guardian_id: str
    course_id: str
    contract_id: str
    signed_on: date
    ordered_at: datetime
    service_from: date
    service_until: date
    total_fen: int
    class_hours_centi: int
    gift_hours_centi: int
    gift_hours_policy: str
    reported_centi: int
    confirmed_centi: int
    refund_requested_at: datetime | None
    release_plan: Mapping[str, Any] | None
    price_lines: tuple[PriceLine, ...]
    discount_fen: int
    has_materials: bool = False

    @property
    def plan(self) -> Plan:
        """How its money leaves custody."""
        return release_plans.plan_of(self.release_plan, self.service_from, self.service_until)

    @property
    def hours_centi(self) -> int:
        """All hours, gifts included."""
        return self.class_hours_centi + self.gift_hours_centi

    @property
    def carrying_centi(self) -> int:
        """The hours over which the price is earned."""
        return decisions.hours_that_carry_price(self.class_hours_centi, self.gift_hours_centi, self.gift_hours_policy)

    def earned_fen(self, consumed_centi: int) -> int:
        """What is earned after so many hours."""
        return decisions.earned_fen(self.price_lines, self.discount_fen, consumed_centi, self.carrying_centi)


def place(call: Call, work: Work) -> Answer:
    """Place an order: references, sums, then the pre-charge rules (M-07.3). Raises `rules.refused` with each reason."""
    sent = call.body
    if (row := resources.known(work, orders, sent)) is not None:
        return Answer(200, present(work, [row])[0], row["version"])
    row = create(work, sent)
    return resources.created(row, "orders", present(work, [row])[0])


def known(work: Work, sent: Mapping[str, Any]) -> RowMapping | None:
    """The order that was placed under this external_id with the same content."""
    return resources.known(work, orders, sent)


def create(work: Work, sent: Mapping[str, Any], in_place_of: str | None = None) -> RowMapping:
    """A new order, judged by the rules in force for its contract.

    Args:
        in_place_of: an order that closes with it, whose hours do not count beside it.
    """
    institution = institutions.require(work, sent["institution_id"])
    contracts.check_people(work, sent, institution.id)
    course = courses.require(work, sent["course_id"])
    if course.institution_id != institution.id:
        raise missing_reference("/course_id", course.id)
    if course.state != "on_sale":
        raise wrong_state(course.state, "on_sale")
    contract = contracts.fitting(work, sent)
    if "class_id" in sent:
        courses.require_class(work, sent["class_id"], course.id)
    require_coherent(coherence.order_sum(sent))
    decisions.check_line_hours(sent, contract["document"]["gift_hours_policy"])
    require_coherent(coherence.order_period(sent))
    extensions.check(work, sent)
    if parse(sent["ordered_at"]) > work.now:
        raise Problem("schema.invalid", "ordered_at lies in the future", [violation("schema.future", "/ordered_at")])
    signed_on = date.fromisoformat(contract["document"]["signed_on"])
    if parse(sent["ordered_at"]).date() < signed_on:
        raise mismatch("/contract_id", f"the contract was signed on {signed_on}, after the order")
    lease = institutions.lease_until(work, course.document.get("campus_id"))
    others = [
        each
        for each in open_orders(work, sent["pupil_id"], course.subject, institution.id)
        if each.order != in_place_of
    ]
    decision = work.rules.check_charge(
        documents.charge(sent, course.document, course.region_code, signed_on, others, lease)
    )
    require_allowed(work, decision, institution.id)
    plan = release_plans.fixed(work.rules, _plan_request(sent, contract["document"], course, signed_on), "/contract_id")
    row = resources.create(
        work, orders, "ord", sent, institution_id=institution.id, region_code=institution.region_code,
        state="awaiting_payment", pupil_id=sent["pupil_id"], guardian_id=sent["guardian_id"], course_id=course.id,
        contract_id=sent["contract_id"], subject=course.subject, signed_on=signed_on,
        ordered_at=parse(sent["ordered_at"]), gift_hours_policy=contract["document"]["gift_hours_policy"],
        total_fen=sent["total_fen"], class_hours_centi=sent["class_hours_centi"],
        gift_hours_centi=sent["gift_hours_centi"], reported_centi=0, confirmed_centi=0, decision_id="",
        release_plan=plan,
    )  # fmt: skip
    decision_id = work.record(decision, row["id"], institution.id)
    row = resources.change(work, orders, row, None, decision_id=decision_id, version=1)
    ledger.open_account(work, "escrow", row["id"], institution.id)
    tell(work, "createOrder", "created", row)
    return row


def statement(call: Call, work: Work) -> Answer:
    """Every ledger line of an order, and the sums that they make, now or as of a time (M-14.1)."""
    row, as_of = resources.find(work, orders, call.path["order_id"]), reading.asked(call.query)
    sums = ledger.sums(work, [row["id"]], as_of)[row["id"]]
    body = {"order_id": row["id"], **reading.shown(as_of, work.now), **_money(sums)}
    return Answer(200, {**body, "lines": ledger.lines(work, row["id"], as_of)})


def present(work: Work, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Orders with their money and hours."""
    sums = ledger.sums(work, [row["id"] for row in rows])
    return [
        resources.presented(
            row,
            **_money(sums[row["id"]]),
            consumed_class_hours_centi=row["reported_centi"],
            unconsumed_class_hours_centi=row["class_hours_centi"] + row["gift_hours_centi"] - row["reported_centi"],
            decision_id=row["decision_id"],
            release_plan=row["release_plan"],
        )
        for row in rows
    ]


def open_orders(work: Work, pupil_id: str, subject: str, institution_id: str) -> list[OpenOrder]:
    """The pupil's other orders of a subject at the institution that still have hours to teach."""
    whose = {"pupil": pupil_id, "subject": subject, "institution": institution_id}
    return [OpenOrder(*row) for row in work.connection.execute(_OPEN_OF_PUPIL, whose)]


def open_of_institution(work: Work, institution_id: str) -> list[Order]:
    """An institution's orders that are not over."""
    query = select(orders).where(orders.c.institution_id == institution_id, orders.c.state.in_(OPEN_STATES))
    return [_facts(row) for row in work.connection.execute(query).mappings()]


def row(work: Work, order_id: str) -> RowMapping:
    """An order as it is stored, for the platform's own use."""
    return resources.by_ids(work, orders, [order_id])[order_id]


def load(work: Work, order_id: str) -> Order:
    """An order by identifier, for the platform's own use."""
    return load_many(work, [order_id])[order_id]


def load_many(work: Work, ids: Sequence[str]) -> dict[str, Order]:
    """Orders by identifier, whoever's."""
    return {id: _facts(row) for id, row in resources.by_ids(work, orders, list(ids)).items()}


def of_institution(institution_id: str) -> Select[tuple[str]]:
    """The identifiers of an institution's orders, to be used within a query."""
    return select(orders.c.id).where(orders.c.institution_id == institution_id)


def find(work: Work, order_id: str) -> Order:
    """An order that the caller may see. Raises the one 404."""
    return _facts(resources.find(work, orders, order_id))


def named(work: Work, order_id: str) -> Order:
    """An order that a document names, where the caller may see it. Raises `reference.not_found`."""
    try:
        return find(work, order_id)
    except Problem:
        raise missing_reference("/order_id", order_id) from None


def add_hours(work: Work, deltas: Mapping[str, tuple[int, int]]) -> None:
    """Count hours on orders: order -> (reported, confirmed) in hundredths; a new version of each order.

    The database refuses what would exceed the order's hours; callers have checked before.
    """
    if not deltas:
        return
    counted = [{"order": id, "reported": r, "confirmed": c, "now": work.now} for id, (r, c) in sorted(deltas.items())]
    if len(counted) == 1:
        rows = work.connection.execute(_COUNT_HOURS_OF_ONE, counted[0]).mappings().all()
    else:
        work.connection.execute(_COUNT_HOURS, counted)
        rows = list(resources.by_ids(work, orders, sorted(deltas)).values())
    for row in rows:
        tell(work, "order.hours_counted", "hours_counted", row)


def money_moved(work: Work, order_id: str) -> None:
    """An order's money has changed: a new version, so that no reader keeps the old sums, and an event."""
    row = resources.touch(work, orders, order_id)
    tell(work, "order.money_moved", "money_moved", row)


def set_state(work: Work, order: Order, to: str, verb: str, *sources: str, **columns: Any) -> Order:
    """Move an order to another state and tell. Raises `resource.state`."""
    row = resources.by_ids(work, orders, [order.id])[order.id]
    row = resources.transition(work, orders, row, None, to, *sources, **columns)
    tell(work, f"order.{verb}", verb, row)
    return _facts(row)


def resume(work: Work, order_id: str) -> None:
    """A refund was rejected: the order goes on. It was paid whole, else its refund was agreed at once."""
    set_state(work, load(work, order_id), "paid", "resumed", "refunding", refund_requested_at=None)
    close_when_settled(work, order_id)


def reopen(work: Work, order_id: str) -> None:
    """Money of a closed order has come back: it is open until that has its place again."""
    order = load(work, order_id)
    if order.state == "closed":
        set_state(work, order, "refunding", "reopened", "closed")


def close_when_settled(work: Work, order_id: str) -> None:
    """Close an order whose money has all gone where it belongs and whose hours are all decided."""
    order = load(work, order_id)
    finished = order.state == "refunding" or order.reported_centi == order.hours_centi
    if order.state not in ("paid", "refunding") or not finished or order.reported_centi != order.confirmed_centi:
        return
    sums = ledger.sums(work, [order_id])[order_id]
    moving = sums.pending_release + sums.pending_refund
    if not moving and not sums.escrow:
        set_state(work, order, "closed", "closed", "paid", "refunding", refund_requested_at=None)


def _plan_request(
    sent: Mapping[str, Any], contract: Mapping[str, Any], course: Course, signed_on: date
) -> ReleasePlanRequest:  # fmt: skip
    policy = contract["gift_hours_policy"]
    return ReleasePlanRequest(
        scope=course.scope,
        signed_on=signed_on,
        paid_fen=sent["total_fen"],
        total_centi=decisions.hours_that_carry_price(sent["class_hours_centi"], sent["gift_hours_centi"], policy),
        service_from=date.fromisoformat(sent["service_from"]),
        service_until=date.fromisoformat(sent["service_until"]),
        mode=contract.get("release_mode"),
    )


def _money(sums: ledger.Sums) -> dict[str, Any]:
    return {
        "paid_fen": sums.paid, "released_fen": sums.released, "refunded_fen": sums.refunded,
        "escrow_fen": sums.escrow, "pending_release_fen": sums.pending_release,
        "pending_refund_fen": sums.pending_refund, "in_transit_fen": sums.in_transit,
        "topped_up_fen": sums.topped_up, "charged_back_fen": sums.charged_back, "carried_out_fen": sums.carried_out,
        "claims_open_fen": sums.claims_open,
    }  # fmt: skip


def _facts(row: RowMapping) -> Order:
    columns = {name: row[name] for name in Order.__dataclass_fields__ if name in row}
    document = row["document"]
    starts, ends = (date.fromisoformat(document[name]) for name in ("service_from", "service_until"))
    return Order(
        **columns, service_from=starts, service_until=ends, price_lines=decisions.price_lines(document),
        discount_fen=document["discount_fen"],
        has_materials=any(line["kind"] == "material" for line in document["price_lines"]),
    )  # fmt: skip


def tell(work: Work, action: str, verb: str, row: RowMapping) -> None:
    """Note and tell what happened to an order."""
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        "order", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
