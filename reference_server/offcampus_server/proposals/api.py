"""Operations of money proposals."""

from __future__ import annotations

from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.proposals import service
from offcampus_server.proposals.tables import proposals

handlers = Handlers()


@handlers("createMoneyProposal")
def create_money_proposal(call: Call, work: Work) -> Answer:
    """The first officer (M-14.1, M-18.1)."""
    return service.propose(call, work)


@handlers("listMoneyProposals")
def list_money_proposals(call: Call, work: Work) -> Answer:
    """Proposals."""
    return resources.page(call, work, proposals, service.present)


@handlers("getMoneyProposal")
def get_money_proposal(call: Call, work: Work) -> Answer:
    """One proposal."""
    return resources.read(call, work, proposals, call.path["money_proposal_id"], service.present)


@handlers("approveMoneyProposal")
def approve_money_proposal(call: Call, work: Work) -> Answer:
    """The second officer."""
    return service.approve(call, work)


@handlers("rejectMoneyProposal")
def reject_money_proposal(call: Call, work: Work) -> Answer:
    """The second officer says no."""
    return service.reject(call, work)
