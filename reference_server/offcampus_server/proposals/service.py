"""A proposal's life: proposed by one officer, approved or rejected by another, or lapsed.

Invariants
- The facts are judged when it is proposed and again when it is approved; nothing moves before.
- A sum that is to leave a reserve is held from the proposal on, and is free again when it is rejected or lapses.
- Nobody approves what he has proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import RowMapping, select

from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.proposals import redirects, reversals, withdrawals
from offcampus_server.proposals.tables import proposals

LAPSES_AFTER = timedelta(days=10)
"""Our own figure: no rule says how long a second officer may take. Money that is held for nobody must come free."""


class Kind(Protocol):
    """What a kind of proposal does; a module each."""

    def institution(self, work: Work, sent: Mapping[str, Any]) -> tuple[str, str]:
        """Whose money it is about (institution, region), after judging the facts. Raises why not."""

    def hold(self, work: Work, row: RowMapping) -> None:
        """Hold what is to leave, while nobody has approved."""

    def carry_out(self, work: Work, row: RowMapping) -> dict[str, Any]:
        """Do it, after judging the facts again; returns the columns that say what was done."""

    def drop(self, work: Work, row: RowMapping) -> None:
        """It will not be done."""


KINDS: Mapping[str, Kind] = {
    "reserve_withdrawal": withdrawals, "reversal": reversals, "refund_redirect": redirects,
}  # fmt: skip


def propose(call: Call, work: Work) -> Answer:
    """The first officer proposes; what does not fit is refused at once."""
    sent = call.body
    if (row := resources.known(work, proposals, sent)) is not None:
        return Answer(200, present(row), row["version"])
    institution_id, region_code = KINDS[sent["kind"]].institution(work, sent)
    row = resources.create(
        work, proposals, "mpr", sent, institution_id=institution_id, region_code=region_code, state="proposed",
        kind=sent["kind"], expires_at=work.now + LAPSES_AFTER,
    )  # fmt: skip
    KINDS[row["kind"]].hold(work, row)
    _tell(work, "createMoneyProposal", "proposed", row)
    return resources.created(row, "money-proposals", present(row))


def approve(call: Call, work: Work) -> Answer:
    """The second officer agrees: it is done, in one transaction. Raises `settlement.same_person`."""
    row = resources.find(work, proposals, call.path["money_proposal_id"])
    resources.require_state(row, call.if_match, "proposed")
    if row["expires_at"] <= work.now:
        raise Problem("resource.state", "the proposal has lapsed: propose it anew")
    if row["document"]["officer"] == call.body["officer"]:
        entry = violation("settlement.same_person", "/officer", given=call.body["officer"])
        raise Problem("settlement.same_person", f"{call.body['officer']} proposed this", [entry])
    done = KINDS[row["kind"]].carry_out(work, row)
    return _decided(call, work, row, "approved", **done)


def reject(call: Call, work: Work) -> Answer:
    """The second officer disagrees: what was held is free."""
    row = resources.find(work, proposals, call.path["money_proposal_id"])
    resources.require_state(row, call.if_match, "proposed")
    KINDS[row["kind"]].drop(work, row)
    return _decided(call, work, row, "rejected")


def lapse(work: Work, limit: int) -> int:
    """Proposals that nobody has approved in time: told, and what was held for them is free; returns how many."""
    due = select(proposals).where(proposals.c.state == "proposed", proposals.c.expires_at <= work.now)
    rows = work.connection.execute(due.order_by(proposals.c.expires_at).limit(limit)).mappings().all()
    freed = ledger.expire(work, limit)
    for row in rows:
        KINDS[row["kind"]].drop(work, row)
        _tell(work, "money_proposal.expired", "expired", resources.change(work, proposals, row, None, state="expired"))
    return max(len(rows), len(freed))


def present(row: RowMapping) -> dict[str, Any]:
    """A proposal as it is answered (schema `money-proposal-resource`)."""
    names = ("decided_by", "decision_note", "instruction_id", "booked_as")
    return resources.presented(
        row, expires_at=rfc3339(row["expires_at"]),
        decided_at=rfc3339(row["decided_at"]) if row["decided_at"] else None, **{name: row[name] for name in names},
    )  # fmt: skip


def _decided(call: Call, work: Work, row: RowMapping, state: str, **done: Any) -> Answer:
    row = resources.change(
        work, proposals, row, call.if_match, state=state, decided_by=call.body["officer"], decided_at=work.now,
        decision_note=call.body["note"], **done,
    )  # fmt: skip
    _tell(work, f"money_proposal.{state}", state, row)
    return Answer(200, present(row), row["version"])


def _tell(work: Work, action: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"], detail={"kind": row["kind"]})
    work.emit(
        "money_proposal", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip
