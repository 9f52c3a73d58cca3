"""Money that moves when two persons agree: a reserve that is paid out, and one that is not."""

from __future__ import annotations

from offcampus_conformance.platform_scenario.custody import execute_all
from offcampus_conformance.platform_scenario.day import Day
from offcampus_conformance.synthetic import Document

DECISION: Document = {"officer": "OFF-2", "note": "已核对"}


def pay_out_reserve(day: Day) -> None:
    """Paid in by a line of the bank; paid out when a second person agrees, and not when that person refuses."""
    line = {
        "external_id": f"reserve-{day.make.tag}", "account_id": day.ids["account.2"], "kind": "reserve_deposit",
        "direction": "credit", "amount_fen": 500, "booked_at": day.now(), "value_on": day.make.day(0),
        "balance_after_fen": 500, "bank_reference": f"R{day.make.tag}",
    }  # fmt: skip
    day.act("reportCustodyMovements", "bank", {"items": [line]}, label="reserve.deposit")
    day.act("createMoneyProposal", "authority", _proposal(day, 1, 300), keep="money_proposal")
    day.act("createMoneyProposal", "authority", _proposal(day, 2, 200), label="proposal.second", keep="proposal.2")
    day.act("listMoneyProposals", "authority", query={"limit": "200"})
    day.act("getMoneyProposal", "authority")
    day.act("rejectMoneyProposal", "authority", DECISION, where={"money_proposal_id": day.ids["proposal.2"]})
    own = day.request("approveMoneyProposal", "authority", {**DECISION, "officer": "OFF-1"})
    day.probe(own, "proposal.approve_own", codes=["settlement.same_person"])
    day.act("approveMoneyProposal", "authority", DECISION)
    day.act("createMoneyProposal", "authority", _proposal(day, 3, 200), label="proposal.third", keep="proposal.3")
    where = {"money_proposal_id": day.ids["proposal.3"]}
    day.act("approveMoneyProposal", "authority", DECISION, where=where, label="proposal.approve_third")
    execute_all(day, "reserve", account="account.2")


def _proposal(day: Day, number: int, amount_fen: int) -> Document:
    return {
        "external_id": f"mpr-{day.make.tag}-{number}", "kind": "reserve_withdrawal", "officer": "OFF-1",
        "note": "学期末返还", "account_id": day.ids["account.2"], "amount_fen": amount_fen,
    }  # fmt: skip
