"""Another account of the payer for a part of a refund whose channel is closed: named, verified, approved, paid once.

While an account is named and nobody has decided, the part is not paid again through its channel.
"""

from __future__ import annotations

from sqlalchemy import RowMapping

from offcampus_server.funds import instructions
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, missing_reference, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.refunds import service
from offcampus_server.refunds.named import named_account, other_accounts
from offcampus_server.refunds.tables import refunds


def name(call: Call, work: Work) -> Answer:
    """The guardian names an account. Raises `proposal.not_applicable` while the channel may still be paid."""
    row, sent = resources.find(work, refunds, call.path["refund_id"]), call.body
    resources.require_state(row, call.if_match, "failed")
    if (why := why_not(work, row, sent["payment_id"], sent["part_no"])) is not None:
        raise Problem("proposal.not_applicable", why, [violation("proposal.not_applicable", "/part_no")])
    named = {**sent, "named_at": rfc3339(work.now), "approved": False}
    row = resources.change(work, refunds, row, call.if_match, payees=[*other_accounts(row, sent), named])
    service.tell(work, "nameRefundAccount", "payee_named", row)
    return Answer(200, service.present(work, row), row["version"])


def find(work: Work, refund_id: str) -> RowMapping:
    """A refund that the caller may see. Raises the one 404."""
    return resources.find(work, refunds, refund_id)


def why_not(work: Work, row: RowMapping, payment_id: str, part_no: int, *, named: bool = False) -> str | None:
    """Why a part cannot go to another account, or None when it can.

    Args:
        named: the guardian must have named the account already.
    """
    found = _failed(work, row, payment_id, part_no)
    if found is None:
        return "no payment of this refund through this part has failed"
    if not instructions.may_be_given_anew(work, found):
        return f"it is not certain that {found['id']} moved nothing"
    if named and named_account(row, payment_id, part_no) is None:
        return "the guardian has named no account (nameRefundAccount)"
    return None


def pay(work: Work, row: RowMapping, payment_id: str, part_no: int) -> str:
    """Instruct the bank anew, to the account that was named; returns the instruction."""
    failed, named = _failed(work, row, payment_id, part_no), named_account(row, payment_id, part_no)
    if failed is None or named is None:
        raise missing_reference("/part_no")
    part = payments.parts(work, [payment_id])[payment_id, part_no]
    payee = {name: named[name] for name in ("account_digest", "account_tail")}
    order = orders.load(work, row["order_id"])
    instructions.instruct(
        work, "refund", order, failed["amount_fen"], refund_id=row["id"], part=part, retries=failed["id"], payee=payee
    )
    approved = {**named, "approved": True}
    row = resources.change(work, refunds, row, None, payees=[*other_accounts(row, named), approved])
    service.paid_again(work, row)
    return instructions.in_place(work, failed["id"])


def forget(work: Work, refund_id: str, payment_id: str, part_no: int) -> None:
    """The account is not paid to: the part goes back through its channel again."""
    row = resources.by_ids(work, refunds, [refund_id])[refund_id]
    sent = {"payment_id": payment_id, "part_no": part_no}
    row = resources.change(work, refunds, row, None, payees=other_accounts(row, sent))
    service.tell(work, "refund.payee_dropped", "payee_dropped", row)


def _failed(work: Work, row: RowMapping, payment_id: str, part_no: int) -> RowMapping | None:
    mine = (payment_id, part_no)
    failed = instructions.failed_of_refund(work, row["id"])
    return next((each for each in failed if (each["payment_id"], each["part_no"]) == mine), None)
