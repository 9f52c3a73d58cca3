"""Platforms that lose money, or let it move when it must not."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.standins.platform_faults.fault import (
    Answer,
    Memory,
    Seen,
    edited,
    fault,
    item_taken,
    rule_forgotten,
    taken,
    taken_if_refused,
)

PROMISED, PAID = "awaiting_payment", 480_000


def _order(seen: Seen, edit: Any) -> Answer | None:
    return edited(seen, edit) if seen.name == "getOrder" and seen.accepted else None


@fault("P-ORDER-001")
def holds_every_order_for_paid(seen: Seen, memory: Memory) -> Answer | None:
    """An order is paid when it is placed."""
    return edited(seen, lambda body: body | {"state": "paid"}) if seen.name == "createOrder" and seen.accepted else None


@fault("P-ORDER-002")
def sells_sixty_one_hours(seen: Seen, memory: Memory) -> Answer | None:
    """The limit of hours is not looked at."""
    return rule_forgotten(seen, "precharge.hours_exceeded")


@fault("P-ORDER-002")
def refuses_without_citing(seen: Seen, memory: Memory) -> Answer | None:
    """A refusal by rule does not say where the rule stands."""

    def strip(body: dict[str, list[dict[str, Any]]]) -> None:
        for entry in body.get("violations", []):
            entry.pop("citation", None)

    return edited(seen, strip) if seen.refused("rules.refused") else None


@fault("P-ORDER-003")
def trusts_the_total(seen: Seen, memory: Memory) -> Answer | None:
    """The total is what the vendor says."""
    return taken_if_refused(seen, "money.sum_mismatch") if seen.name == "createOrder" else None


@fault("P-ORDER-004")
def charges_months_ahead(seen: Seen, memory: Memory) -> Answer | None:
    """Fees may be taken at any time before the service."""
    return rule_forgotten(seen, "precharge.too_early")


@fault("P-ORDER-005")
def mixes_contracts(seen: Seen, memory: Memory) -> Answer | None:
    """Any contract goes with any order."""
    return taken_if_refused(seen, "reference.mismatch")


@fault("P-ORDER-006")
def reads_yuan(seen: Seen, memory: Memory) -> Answer | None:
    """An amount may be a text in yuan."""
    return taken(seen) if b'"total_fen":"4800.00"' in seen.raw else None


@fault("P-ORDER-007")
def keeps_cancelled_orders_open(seen: Seen, memory: Memory) -> Answer | None:
    """A cancelled order still awaits its payment."""
    return (
        edited(seen, lambda body: body | {"state": PROMISED}) if seen.name == "cancelOrder" and seen.accepted else None
    )


@fault("P-PAY-001")
def books_receipts_twice(seen: Seen, memory: Memory) -> Answer | None:
    """A repeated line is booked again."""
    return _order(seen, lambda body: body | {"paid_fen": 2 * PAID} if body["paid_fen"] == PAID else None)


@fault("P-PAY-002")
def lets_payments_pass_custody(seen: Seen, memory: Memory) -> Answer | None:
    """An institution without a custody account is paid directly."""
    return taken_if_refused(seen, "custody.account_missing")


@fault("P-PAY-003")
def takes_a_fen_less(seen: Seen, memory: Memory) -> Answer | None:
    """Parts of a payment are not added up."""
    return taken_if_refused(seen, "money.sum_mismatch") if seen.name == "createPayment" else None


@fault("P-PAY-004")
def takes_promises_for_money(seen: Seen, memory: Memory) -> Answer | None:
    """What was announced is held for paid."""
    promised = {"state": "paid", "paid_fen": PAID, "escrow_fen": PAID}
    return _order(seen, lambda body: body | promised if body["state"] == PROMISED else None)


@fault("P-CONS-001")
def takes_lessons_of_the_future(seen: Seen, memory: Memory) -> Answer | None:
    """What is not over yet may be reported."""
    return item_taken(seen, "consumption.in_future")


@fault("P-CONS-002")
def confirms_twice(seen: Seen, memory: Memory) -> Answer | None:
    """A confirmed record may be confirmed again."""
    return taken_if_refused(seen, "resource.state") if seen.name == "confirmConsumption" else None


@fault("P-CONS-003")
def does_not_look_at_the_clock(seen: Seen, memory: Memory) -> Answer | None:
    """Any time is the lesson's time."""
    return item_taken(seen, "consumption.time_mismatch")


@fault("P-CONS-004")
def consumes_more_than_there_is(seen: Seen, memory: Memory) -> Answer | None:
    """Hours go below zero."""
    return item_taken(seen, "consumption.exceeds_balance", "consumption.exceeds_lesson")


@fault("P-CONS-005")
def consumes_before_the_purchase(seen: Seen, memory: Memory) -> Answer | None:
    """Hours of before the order count."""
    return item_taken(seen, "consumption.before_purchase")


@fault("P-CONS-006")
def consumes_what_nobody_paid(seen: Seen, memory: Memory) -> Answer | None:
    """An order's state does not matter."""
    return item_taken(seen, "consumption.order_not_payable")


@fault("P-CONS-007")
def teaches_cancelled_lessons(seen: Seen, memory: Memory) -> Answer | None:
    """A lesson's state does not matter."""
    return item_taken(seen, "resource.state")


@fault("P-CONS-008")
def takes_negative_hours(seen: Seen, memory: Memory) -> Answer | None:
    """Hours may be negative."""
    return item_taken(seen, "schema.minimum") if b'"class_hours_centi":-' in seen.raw else None


@fault("P-DISP-001")
def keeps_the_hours_of_a_lost_dispute(seen: Seen, memory: Memory) -> Answer | None:
    """The record is void, and its hours are gone all the same."""
    if seen.name == "resolveDispute" and seen.accepted:
        memory["ruled"] = True
    late = seen.name == "getOrder" and memory.get("ruled")
    return (
        _order(seen, lambda body: body | {"consumed_class_hours_centi": body["consumed_class_hours_centi"] + 200})
        if late
        else None
    )


@fault("P-DISP-002")
def confirms_what_is_disputed(seen: Seen, memory: Memory) -> Answer | None:
    """A dispute does not stop the confirmation."""
    if seen.name == "disputeConsumption" and seen.accepted:
        memory["record"] = seen.values.get("consumption_record_id")
    same = seen.values.get("consumption_record_id") == memory.get("record")
    return taken_if_refused(seen, "resource.state") if seen.name == "confirmConsumption" and same else None


@fault("P-REL-001")
def releases_twice_as_much(seen: Seen, memory: Memory) -> Answer | None:
    """Two lessons are released for one."""
    return _order(seen, lambda body: _moved(body, "escrow_fen", "released_fen", body["released_fen"]))


@fault("P-REL-002")
def executes_again_under_another_reference(seen: Seen, memory: Memory) -> Answer | None:
    """A second execution replaces the first."""
    return taken_if_refused(seen, "instruction.resolved") if seen.name == "executeCustodyInstruction" else None


@fault("P-REL-003")
def fails_what_was_executed(seen: Seen, memory: Memory) -> Answer | None:
    """An executed instruction may fail afterwards."""
    return taken_if_refused(seen, "instruction.resolved") if seen.name == "failCustodyInstruction" else None


@fault("P-REL-004")
def releases_what_failed(seen: Seen, memory: Memory) -> Answer | None:
    """A failed release is booked as though it had been paid."""
    if seen.name == "failCustodyInstruction" and seen.accepted:
        memory["failed"] = True
    return (
        _order(seen, lambda body: _moved(body, "escrow_fen", "released_fen", 24_000)) if memory.get("failed") else None
    )


@fault("P-REF-001")
def hides_a_line_of_the_working(seen: Seen, memory: Memory) -> Answer | None:
    """The working of a refund does not make its sum."""
    return (
        edited(seen, lambda body: body | {"working": body["working"][:1]})
        if seen.name == "quoteRefund" and seen.accepted
        else None
    )


@fault("P-REF-002")
def refunds_twice(seen: Seen, memory: Memory) -> Answer | None:
    """A second refund of the same order is taken."""
    return taken_if_refused(seen, "refund.in_progress")


@fault("P-REF-003")
def refunds_through_one_channel(seen: Seen, memory: Memory) -> Answer | None:
    """The first channel gets all of it."""

    def one(body: dict[str, Any]) -> None:
        if body.get("parts"):
            body["parts"] = [{**body["parts"][0], "amount_fen": body["amount_fen"]}]

    return edited(seen, one) if seen.name == "getRefund" and seen.accepted else None


@fault("P-REF-004")
def refunds_what_is_gone(seen: Seen, memory: Memory) -> Answer | None:
    """An order that was paid back may be paid back again."""
    late = seen.name == "requestRefund" and seen.refused("refund.nothing_left", "resource.state")
    return taken(seen) if late else None


@fault("P-REF-005")
def takes_void_terms(seen: Seen, memory: Memory) -> Answer | None:
    """A contract may exclude refunds."""
    return rule_forgotten(seen, "refund.refused_by_void_term")


@fault("P-REF-006")
def rules_before_anybody_objects(seen: Seen, memory: Memory) -> Answer | None:
    """An authority may rule on any refund at any time."""
    return taken_if_refused(seen, "resource.state") if seen.name == "ruleOnRefund" else None


@fault("P-REF-007")
def believes_any_record(seen: Seen, memory: Memory) -> Answer | None:
    """Records that prove taught hours are not looked up."""
    return taken_if_refused(seen, "reference.not_found") if seen.name == "objectToRefund" else None


@fault("P-LEDG-001")
def loses_a_line_of_the_ledger(seen: Seen, memory: Memory) -> Answer | None:
    """The statement of an order lacks its last line."""
    return (
        edited(seen, lambda body: body | {"lines": body["lines"][:-1]})
        if seen.name == "getOrderStatement" and seen.accepted
        else None
    )


@fault("P-EVENT-001")
def forgets_an_event(seen: Seen, memory: Memory) -> Answer | None:
    """A change in the same second as another has no event."""

    def forget(body: dict[str, Any]) -> None:
        body["items"] = [entry for entry in body["items"] if "order.paid" not in entry["type"]]

    return edited(seen, forget) if seen.name == "listEvents" and seen.accepted else None


def _moved(body: dict[str, Any], source: str, to: str, amount: int) -> dict[str, Any]:
    return body | {source: body[source] - amount, to: body[to] + amount}
