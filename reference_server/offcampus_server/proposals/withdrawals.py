"""Paying out of a reserve: never what is not free, never below the minimum of the rules in force.

Where no rule names a minimum, the reserve may be paid out whole: that nothing is regulated stands in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from offcampus_rules import ReserveCase
from sqlalchemy import RowMapping

from offcampus_server.funds import accounts, instructions
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel.problems import Problem, missing_reference, violation, wrong_state
from offcampus_server.kernel.rulings import heard
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import service as orders
from offcampus_server.proposals.facts import need


def institution(work: Work, sent: Mapping[str, Any]) -> tuple[str, str]:
    """Judge the facts. Raises `reserve.below_minimum`, `resource.state` for a frozen account or what is not there."""
    account_id, amount = need(sent, "account_id", "amount_fen")
    row = _account(work, account_id)
    held = ledger.reserves(work, row["institution_id"])
    _check(work, row, amount, held, sum(held.values()) - amount)
    return row["institution_id"], row["region_code"]


def hold(work: Work, row: RowMapping) -> None:
    """Hold the sum until somebody decides or the proposal lapses."""
    leg = flows.reserve_withdrawn(row["institution_id"], row["document"]["account_id"], row["document"]["amount_fen"])
    ledger.hold_legs(work, [replace(leg, event=row["id"], expires_at=row["expires_at"])])


def carry_out(work: Work, row: RowMapping) -> dict[str, Any]:
    """Tell the bank; what was held for the proposal is held for the instruction now."""
    ledger.void_event(work, row["id"])
    account = _account(work, row["document"]["account_id"])
    amount = row["document"]["amount_fen"]
    held = ledger.reserves(work, account["institution_id"])
    _check(work, account, amount, held, sum(held.values()) - amount)
    return {"instruction_id": instructions.withdraw(work, account, amount)}


def drop(work: Work, row: RowMapping) -> None:
    """Free the sum, where the ledger has not done so already."""
    ledger.void_event(work, row["id"])


def minimum(work: Work, institution_id: str) -> tuple[int | None, list[str]]:
    """What must stay in an institution's reserve by the rules in force today, and why; None where none says so."""
    found = orders.open_of_institution(work, institution_id)
    sums = ledger.sums(work, [each.id for each in found])
    paid = sum(sums[each.id].paid for each in found)
    unconsumed = sum(
        max(sums[each.id].paid - sums[each.id].refunded - each.earned_fen(each.confirmed_centi), 0) for each in found
    )
    least: int | None = None
    working: list[str] = []
    for scope in institutions.scopes(work, institution_id):
        case = ReserveCase(scope, work.now.date(), paid, unconsumed)
        figure = heard(work.rules.reserve_required(case), scope.region)
        if figure.alarms:
            raise Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60)
        if figure.result is not None and (least is None or figure.result["amount_fen"] > least):
            least, working = int(figure.result["amount_fen"]), list(figure.working)
        elif least is None:
            working = list(figure.working)
    return least, working


def _account(work: Work, account_id: str) -> RowMapping:
    try:
        row = accounts.seen(work, account_id)
    except Problem:
        raise missing_reference("/account_id", account_id) from None
    if row["purpose"] != "reserve":
        raise missing_reference("/account_id", account_id)
    if row["state"] != "open":
        raise wrong_state(row["state"], "open")
    return row


def _check(work: Work, row: RowMapping, amount: int, held: Mapping[str, int], left: int) -> None:
    least, working = minimum(work, row["institution_id"])
    detail = {"minimum_fen": least, "working": working[:5]}
    work.audit("reserveMinimum", row["id"], row["institution_id"], detail=detail)
    if held.get(row["id"], 0) < amount:
        entry = violation("resource.state", "/amount_fen", given=amount, allowed=held.get(row["id"], 0), unit="fen")
        raise Problem("resource.state", "the reserve does not hold this free", [entry])
    if least is not None and left < least:
        entry = violation("reserve.below_minimum", "/amount_fen", given=left, allowed=least, unit="fen")
        said = f"{least} fen must stay, {max(left, 0)} would be left: {'; '.join(working)}"
        raise Problem("reserve.below_minimum", said, [entry])
