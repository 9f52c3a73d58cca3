"""Carrying over: what an order has left becomes the payment of a new order under a new contract, in one event.

Invariants
- Custody is untouched; what the old order carries out the new one takes in, part by part, and the old order closes.
- The new order is judged as any other: an extension counts as new. Its price is exactly what is carried.
- Each share keeps the channel that first paid it: a refund of the new order goes back there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offcampus_server.funds import accounts, releases
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, mismatch, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.flows import Leg
from offcampus_server.ledger.shares import split
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part
from offcampus_server.orders.service import Order


def carry_over(call: Call, work: Work) -> Answer:
    """Close an order and open one with its money. Raises `carry_over.not_settled`, and what refuses an order."""
    sent = call.body
    if (row := orders.known(work, sent["order"])) is not None:
        return Answer(200, orders.present(work, [row])[0], row["version"])
    old = orders.find(work, call.path["order_id"])
    if call.if_match not in (None, old.version):
        raise resources.stale(old.version)
    _check(work, old, sent["order"])
    new = orders.create(work, sent["order"], in_place_of=old.id)
    order = orders.load(work, new["id"])
    held = ledger.held(work, old.id)
    shares = list(_shares(_by_part(work, old, order.total_fen), list(held.items())))
    payment_id = payments.carried_in(work, order, sent, [(part, fen) for part, _, fen in shares])
    ledger.book_event(work, list(_legs(work, old, order, payment_id, shares)))
    work.audit("carryOverOrder", old.id, old.institution_id, detail={"to": order.id, "amount_fen": order.total_fen})
    orders.set_state(work, old, "closed", "carried_over", "paid")
    orders.set_state(work, order, "paid", "paid", "awaiting_payment")
    for old_payment in dict.fromkeys(part.payment_id for part, _, _ in shares):
        payments.refund_moved(work, old_payment)
    releases.begin(work, order.id)
    (shown,) = orders.present(work, [orders.row(work, order.id)])
    return Answer(201, shown, shown["version"], {"Location": f"/v1/orders/{order.id}"})


def _check(work: Work, old: Order, new: dict[str, object]) -> None:
    """Every lesson decided, every fen in its place; the same institution and guardian; the price what is left."""
    if old.state != "paid":
        raise wrong_state(old.state, "paid")
    if new["institution_id"] != old.institution_id or new["guardian_id"] != old.guardian_id:
        raise mismatch("/order/guardian_id", "money is carried over within one institution and for one guardian")
    sums = ledger.sums(work, [old.id])[old.id]
    unsettled = {
        "class hours (hundredths) are reported and not decided": old.reported_centi - old.confirmed_centi,
        "fen are about to move": sums.pending_release + sums.pending_refund,
        "fen are in transit": sums.in_transit,
        "fen are owed by the institution": sums.claims_open + sums.fees,
        "fen are earned and not released": max(old.earned_fen(old.confirmed_centi) - sums.released, 0),
        "fen are not in custody": sums.escrow - sum(ledger.held(work, old.id).values()),
    }
    for what, amount in unsettled.items():
        if amount:
            entry = violation("carry_over.not_settled", "/order_id", given=amount, allowed=0)
            raise Problem("carry_over.not_settled", f"{amount} {what}", [entry])
    kept = accounts.by_id(work, list(ledger.held(work, old.id))).values()
    if any(account["purpose"] != "custody" for account in kept):
        detail = "money that is locked at the payer's is unlocked by a refund and locked anew"
        raise Problem("carry_over.not_settled", detail, [violation("carry_over.not_settled", "/order_id")])
    if sums.escrow == 0:
        raise Problem("carry_over.not_settled", "nothing is left", [violation("carry_over.not_settled", "/order_id")])
    if new["total_fen"] != sums.escrow:
        entry = violation(
            "money.sum_mismatch", "/order/total_fen", given=new["total_fen"], allowed=sums.escrow, unit="fen"
        )
        raise Problem("money.sum_mismatch", f"exactly {sums.escrow} fen are carried over", [entry])


def _by_part(work: Work, old: Order, amount: int) -> list[tuple[Part, int]]:
    """How much leaves each part of the old order's payments: by what each could still take back."""
    paid, back = payments.parts_of_order(work, old.id), ledger.refunded_by_part(work, old.id)
    room = [part.amount_fen - back.get((part.payment_id, part.part_no), 0) for part in paid]
    return [(part, fen) for part, fen in zip(paid, split(amount, room), strict=True) if fen]


def _shares(parts: Sequence[tuple[Part, int]], held: list[tuple[str, int]]) -> Iterator[tuple[Part, str, int]]:
    """Each part's money with the bank account that has it, the first account first."""
    accounts = iter(held)
    account_id, left = next(accounts)
    for part, fen in parts:
        while fen:
            if not left:
                account_id, left = next(accounts)
            share = min(fen, left)
            yield part, account_id, share
            fen, left = fen - share, left - share


def _legs(
    work: Work, old: Order, new: Order, payment_id: str, shares: Sequence[tuple[Part, str, int]]
) -> Iterator[Leg]:  # fmt: skip
    for number, (part, account_id, fen) in enumerate(shares, 1):
        share = ((part.payment_id, part.part_no), account_id, fen)
        into = (payment_id, number)
        yield from flows.carried_over(old.institution_id, old.id, [share], new.id, into, work.now.date())
