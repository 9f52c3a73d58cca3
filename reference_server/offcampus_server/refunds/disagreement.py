"""When institution and family disagree about a refund: the objection, and the authority's ruling.

- An objection comes in time, names its ground, and the rules let the institution refuse on it: else it is none.
- A ruling ends the disagreement: for the family the refund is agreed, for the institution it is rejected and the order
  goes on. Where the institution has closed, nobody waits for its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from offcampus_rules import RefundRefusal
from sqlalchemy import RowMapping

from offcampus_server.consumption import reading
from offcampus_server.courses import service as courses
from offcampus_server.funds import releases
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, missing_reference, violation
from offcampus_server.kernel.rulings import decided
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders import service as orders
from offcampus_server.refunds import service
from offcampus_server.refunds.tables import refunds


def object_to(call: Call, work: Work) -> Answer:
    """The institution objects before its silence counts as consent. Raises `rules.refused` with what forbids it."""
    row, sent = service.of_institution(call, work), call.body
    if row["state"] == "requested" and row["silence_due_at"] <= work.now:
        given = violation("resource.state", "/silence_due_at", allowed=f"before {rfc3339(row['silence_due_at'])}")
        raise Problem("resource.state", "the time to object has run out: silence was consent", [given])
    resources.require_state(row, call.if_match, "requested")
    _check_records(work, row["order_id"], sent.get("records", ()))
    decision = work.rules.check_refund_refusal(_refusal(work, row, sent))
    decision_id = decided(work, decision, row["id"], row["institution_id"])
    objection = {**sent, "at": rfc3339(work.now)}
    row = resources.transition(
        work, refunds, row, call.if_match, "objected", "requested", objection=objection, decision_id=decision_id
    )
    service.tell(work, "objectToRefund", "objected", row)
    return Answer(200, service.present(work, row), row["version"])


def rule_on(call: Call, work: Work) -> Answer:
    """The authority rules on a refund that was objected to, or at once where the institution has closed."""
    row, sent = resources.find(work, refunds, call.path["refund_id"]), call.body
    closed = row["document"]["reason"] == "institution_closed"
    resources.require_state(row, call.if_match, *(("objected", "requested") if closed else ("objected",)))
    ruling = {**sent, "at": rfc3339(work.now)}
    if sent["ruling"] == "uphold_parent":
        row = service.agree(work, row, "ruling", call.if_match, ruling=ruling)
    else:
        row = resources.transition(
            work, refunds, row, call.if_match, "rejected", "objected", "requested", ruling=ruling
        )
        service.tell(work, "ruleOnRefund", "rejected", row)
        orders.resume(work, row["order_id"])
        releases.release_due(work, row["order_id"])
    return Answer(200, service.present(work, row), row["version"])


def _check_records(work: Work, order_id: str, named: Sequence[str]) -> None:
    standing = reading.standing(work, order_id, named)
    for number, id in enumerate(named):
        if id not in standing:
            raise missing_reference(f"/records/{number}", id)


def _refusal(work: Work, row: RowMapping, sent: dict[str, Any]) -> RefundRefusal:
    """The facts that the rules judge a refusal by; the time to refuse begins when the institution could know."""
    order = orders.load(work, row["order_id"])
    return RefundRefusal(
        scope=courses.require(work, order.course_id).scope,
        requested_at=max(row["requested_at"], row["created_at"]),
        refused_at=work.now,
        ground=sent["ground"],
        hours_proof="records" in sent,
        before_start=order.reported_centi == 0,
        unconsumed_centi=order.hours_centi - order.reported_centi,
        institution_at_fault=row["document"]["reason"] in ("institution_fault", "institution_closed") or None,
        signed_on=order.signed_on,
    )
