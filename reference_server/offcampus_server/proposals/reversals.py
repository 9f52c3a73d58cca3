"""Undoing a wrong booking: what our books alone did wrong, and lines of a bank that were booked as what they are not.

A line whose booking is undone is unmatched again and stands on the work list: two officers book it as what it is. What
a bank has moved is not undone here but by the bank's own line (`book_reversal`); what a family paid is never undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from offcampus_server.funds import settlements
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel.access import owns_region
from offcampus_server.kernel.problems import missing_reference
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import service as orders
from offcampus_server.proposals.facts import need, unfit

UNDONE = ("claim", "reserve_use", "fee_netted", "chargeback", "fee_paid", "claim_paid", "reserve_deposit")
"""What may be undone: nothing that a bank was asked to move, nothing that brought a family's money in."""


def institution(work: Work, sent: Mapping[str, Any]) -> tuple[str, str]:
    """Judge the facts. Raises `proposal.not_applicable` for a booking that cannot be undone."""
    (transfer_id,) = need(sent, "transfer_id")
    found = ledger.transfer(work, transfer_id)
    assert work.party is not None
    whose = ledger.institution_of(work, found) if found is not None else None
    if found is None or whose is None:
        raise missing_reference("/transfer_id", transfer_id)
    region_code = institutions.row(work, whose)["region_code"]
    if not owns_region(work.party, region_code):
        raise missing_reference("/transfer_id", transfer_id)
    _check(work, found)
    return whose, region_code


def hold(work: Work, row: RowMapping) -> None:
    """Nothing leaves."""


def carry_out(work: Work, row: RowMapping) -> dict[str, Any]:
    """Book it back, typed, once; the bank's line that it stood for is open again."""
    found = ledger.transfer(work, row["document"]["transfer_id"])
    assert found is not None
    _check(work, found)
    reversal = ledger.reverse(work, found["id"], work.now.date())
    if found["movement_id"] is not None:
        settlements.open_again(work, found["movement_id"])
    if found["order_id"] is not None:
        orders.money_moved(work, found["order_id"])
    return {"booked_as": reversal}


def drop(work: Work, row: RowMapping) -> None:
    """Nothing was held."""


def _check(work: Work, found: RowMapping) -> None:
    if found["kind"] not in UNDONE:
        raise unfit("reversal", f"a {found['kind']} is not undone by officers alone")
    if found["state"] != "posted":
        raise unfit("reversal", f"{found['id']} is {found['state']}")
    if ledger.reversed_by(work, found["id"]) is not None:
        raise unfit("reversal", f"{found['id']} is undone already")
