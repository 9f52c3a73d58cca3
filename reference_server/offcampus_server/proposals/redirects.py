"""Refunding to another account of the payer: the channel is closed, the guardian named one, officers verify.

The first payment must have failed for certain; the sum, the part and the limit of what the channel paid stay the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from offcampus_server.kernel.problems import Problem, missing_reference
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.proposals.facts import need, unfit
from offcampus_server.refunds import payees


def institution(work: Work, sent: Mapping[str, Any]) -> tuple[str, str]:
    """Judge the facts. Raises `proposal.not_applicable` while no account is named or the payment may have left."""
    refund_id, payment_id, part_no, _ = need(sent, "refund_id", "payment_id", "part_no", "verification")
    row = _refund(work, refund_id)
    if (why := payees.why_not(work, row, payment_id, part_no, named=True)) is not None:
        raise unfit("refund_redirect", why)
    return row["institution_id"], row["region_code"]


def hold(work: Work, row: RowMapping) -> None:
    """The refund's own money keeps its room in escrow."""


def carry_out(work: Work, row: RowMapping) -> dict[str, Any]:
    """Instruct the bank anew, to the account that was named."""
    sent = row["document"]
    refund = _refund(work, sent["refund_id"])
    if (why := payees.why_not(work, refund, sent["payment_id"], sent["part_no"], named=True)) is not None:
        raise unfit("refund_redirect", why)
    return {"instruction_id": payees.pay(work, refund, sent["payment_id"], sent["part_no"])}


def drop(work: Work, row: RowMapping) -> None:
    """The account was not accepted: the part goes back through its channel again, or another one is named."""
    sent = row["document"]
    payees.forget(work, sent["refund_id"], sent["payment_id"], sent["part_no"])


def _refund(work: Work, refund_id: str) -> RowMapping:
    try:
        return payees.find(work, refund_id)
    except Problem:
        raise missing_reference("/refund_id", refund_id) from None
