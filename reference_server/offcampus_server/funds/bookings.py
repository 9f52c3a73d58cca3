"""Lines of a bank that move our books by themselves: taken back by a payer's bank, paid in by the institution.

Each is judged by the facts to the fen before anything is written; what does not fit is a difference. A charge-back that
an order can no longer cover is the institution's debt (`claim`), opened in the same event: escrow is never below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from offcampus_server.funds import instructions, service
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart, flows
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part

KINDS = {"chargeback": "debit", "fee_paid": "credit", "claim_paid": "credit", "reserve_deposit": "credit"}
"""By the kind of a line, which way the money goes."""


def why_not(work: Work, line: Mapping[str, Any], account: RowMapping, part: Part | None) -> str | None:
    """Why a line cannot be booked: the type of its difference, or None when it can."""
    if line["direction"] != KINDS[line["kind"]]:
        return "wrong_direction"
    if account["purpose"] != ("reserve" if line["kind"] == "reserve_deposit" else "custody"):
        return "wrong_account"
    if line["kind"] == "chargeback":
        return _why_not_charged_back(work, line, account, part)
    if line["kind"] == "fee_paid":
        owed = ledger.balance(work, _fee(line, account))
        return None if line["amount_fen"] <= owed else "wrong_sum"
    if line["kind"] == "claim_paid":
        return _why_not_claim(work, line, account)
    return None


def book(work: Work, line: Mapping[str, Any], account: RowMapping, part: Part | None, movement_id: str) -> None:
    """Book a line that fits."""
    fen, value_on = line["amount_fen"], date.fromisoformat(line["value_on"])
    institution_id, account_id = account["institution_id"], account["id"]
    if line["kind"] == "chargeback":
        assert part is not None  # checked
        _charge_back(work, part, account_id, fen, value_on, movement_id)
    elif line["kind"] == "fee_paid":
        channel = line.get("channel", chart.BANK)
        ledger.book(work, [flows.fee_paid(institution_id, channel, account_id, fen, value_on, movement_id)])
    elif line["kind"] == "claim_paid":
        order_id = line["order_id"]
        ledger.book(work, [flows.claim_paid(institution_id, order_id, account_id, fen, value_on, movement_id)])
        work.audit("payClaim", order_id, institution_id, detail={"amount_fen": fen})
        orders.money_moved(work, order_id)
        service.arrived(work, order_id)
    else:
        ledger.book(work, [flows.reserve_deposited(institution_id, account_id, fen, value_on, movement_id)])


def _why_not_charged_back(
    work: Work, line: Mapping[str, Any], account: RowMapping, part: Part | None
) -> str | None:  # fmt: skip
    if part is None:
        return "unknown_reference"
    if part.institution_id != account["institution_id"]:
        return "wrong_account"
    if not part.settled:
        return "unlinked"
    key = (part.payment_id, part.part_no)
    left = part.amount_fen - ledger.refunded_by_part(work, part.order_id).get(key, 0)
    if line["amount_fen"] > left - instructions.owed_back(work, part.order_id, part):
        return "wrong_sum"
    covered = ledger.free_balances(work, [account["id"]])[account["id"]] >= line["amount_fen"]
    return None if covered else "not_covered"


def _charge_back(work: Work, part: Part, account_id: str, fen: int, value_on: date, movement_id: str) -> None:
    escrow = ledger.sums(work, [part.order_id])[part.order_id].escrow
    legs = [flows.charged_back(part.ledger_part, account_id, fen, value_on, movement_id)]
    if (short := fen - max(escrow, 0)) > 0:
        legs.insert(0, flows.claimed(part.institution_id, part.order_id, short, value_on))
        work.audit("openClaim", part.order_id, part.institution_id, detail={"amount_fen": short})
    ledger.book_event(work, legs)
    work.audit("chargeBack", part.order_id, part.institution_id, detail={"amount_fen": fen})
    orders.money_moved(work, part.order_id)
    payments.refund_moved(work, part.payment_id)


def _why_not_claim(work: Work, line: Mapping[str, Any], account: RowMapping) -> str | None:
    order = orders.load_many(work, [line.get("order_id", "")]).get(line.get("order_id", ""))
    if order is None or order.institution_id != account["institution_id"]:
        return "unknown_reference"
    owed = ledger.sums(work, [order.id])[order.id].claims_open
    return None if line["amount_fen"] <= owed else "wrong_sum"


def _fee(line: Mapping[str, Any], account: RowMapping) -> str:
    return chart.channel("fee", account["institution_id"], line.get("channel", chart.BANK))
