"""What a department orders about an account: freeze it, unfreeze it, ask for its balance.

Invariants
- A freeze counts from the moment of the order: releases stop here, whether or not the bank has heard of it yet.
- Releases go on only when the bank has carried out the unfreezing; refunds to families never stop.
- An order is an instruction as any other: the bank fetches it, accepts it, and says once what came of it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, select

from offcampus_server.funds import accounts, differences, instructions
from offcampus_server.funds.differences import Found
from offcampus_server.funds.tables import custody_accounts, custody_instructions
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, wrong_state
from offcampus_server.kernel.unit_of_work import Work

UNRESOLVED = ("issued", "accepted")


def freeze(call: Call, work: Work) -> Answer:
    """Stop releases at once and have the bank freeze the account."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    again = ("frozen",) if row["state"] == "frozen" and _freeze_failed(work, row["id"]) else ()
    frozen = resources.transition(work, custody_accounts, row, call.if_match, "frozen", "open", *again)
    work.audit("freezeCustodyAccount", row["id"], row["institution_id"], detail=call.body)
    accounts.tell(work, "frozen", frozen)
    instructions.issue_order(work, "freeze", frozen, _document(call))
    return Answer(200, accounts.present(work, frozen), frozen["version"])


def unfreeze(call: Call, work: Work) -> Answer:
    """Have the bank unfreeze the account; it stays frozen until the bank has done so."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    if row["state"] != "frozen":
        raise wrong_state(row["state"], "frozen")
    if _under_way(work, row["id"], "unfreeze"):
        raise Problem("resource.state", "the bank is instructed to unfreeze this account already")
    asked = resources.change(work, custody_accounts, row, call.if_match)
    work.audit("unfreezeCustodyAccount", row["id"], row["institution_id"], detail=call.body)
    accounts.tell(work, "unfreezing", asked)
    instructions.issue_order(work, "unfreeze", asked, _document(call))
    return Answer(200, accounts.present(work, asked), asked["version"])


def ask_for_balance(call: Call, work: Work) -> Answer:
    """Have the bank submit the balance of an account."""
    row = resources.find(work, custody_accounts, call.path["account_id"])
    if call.if_match not in (None, row["version"]):
        raise resources.stale(row["version"])
    if row["state"] == "closed":
        raise wrong_state(row["state"], "open", "frozen")
    work.audit("askForBalance", row["id"], row["institution_id"], detail=call.body)
    asked = instructions.issue_order(work, "balance", row, _document(call))
    return Answer(200, instructions.present(asked), asked["version"])


def ended(work: Work, row: RowMapping) -> bool:
    """What the end of an order means for the account; says whether releases may go on."""
    account = accounts.by_id(work, [row["account_id"]])[row["account_id"]]
    if row["state"] == "failed":
        found = Found(f"order {row['id']}", "order_failed", instruction_id=row["id"])
        differences.add(work, account, found)
    elif row["kind"] == "unfreeze" and account["state"] == "frozen":
        accounts.tell(work, "unfrozen", resources.change(work, custody_accounts, account, None, state="open"))
        return True
    return False


def _freeze_failed(work: Work, account_id: str) -> bool:
    """Has the bank failed the last order on an account? Then it may be frozen again: frozen twice is frozen once."""
    query = select(custody_instructions.c.state).where(
        custody_instructions.c.account_id == account_id, custody_instructions.c.kind.in_(("freeze", "unfreeze"))
    )
    last = work.connection.execute(query.order_by(custody_instructions.c.id.desc()).limit(1)).scalar()
    return last == "failed"


def _under_way(work: Work, account_id: str, kind: str) -> bool:
    query = select(custody_instructions.c.id).where(
        custody_instructions.c.account_id == account_id, custody_instructions.c.kind == kind,
        custody_instructions.c.state.in_(UNRESOLVED),
    )  # fmt: skip
    return work.connection.execute(query.limit(1)).first() is not None


def _document(call: Call) -> dict[str, Any]:
    return {"document_number": call.body["document_number"], "reason": call.body["reason"]}
