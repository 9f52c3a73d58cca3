"""Operations of refunds."""

from __future__ import annotations

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.refunds import disagreement, overdue, payees, service
from offcampus_server.refunds.tables import refunds

handlers = Handlers()


@handlers("quoteRefund")
def quote_refund(call: Call, work: Work) -> Answer:
    """Work out a refund without asking for it (M-QA.6)."""
    return service.quote(call, work)


@handlers("requestRefund")
def request_refund(call: Call, work: Work) -> Answer:
    """Ask for a refund (M-18.2)."""
    return service.request(call, work)


@handlers("listRefunds")
def list_refunds(call: Call, work: Work) -> Answer:
    """Refunds."""
    return overdue.page(call, work)


@handlers("getRefund")
def get_refund(call: Call, work: Work) -> Answer:
    """One refund."""
    return resources.read(call, work, refunds, call.path["refund_id"], lambda row: service.present(work, row))


@handlers("approveRefund")
def approve_refund(call: Call, work: Work) -> Answer:
    """Agree to a refund."""
    return service.approve(call, work)


@handlers("nameRefundAccount")
def name_refund_account(call: Call, work: Work) -> Answer:
    """Name another account of the payer (M-18.2)."""
    return payees.name(call, work)


@handlers("objectToRefund")
def object_to_refund(call: Call, work: Work) -> Answer:
    """Object to a refund."""
    return disagreement.object_to(call, work)


@handlers("ruleOnRefund")
def rule_on_refund(call: Call, work: Work) -> Answer:
    """The authority decides a refund."""
    return disagreement.rule_on(call, work)
