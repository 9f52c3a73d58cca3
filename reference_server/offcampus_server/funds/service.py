"""What a bank reports of its instructions: taken on, executed, failed.

An instruction ends once: executed (posted) or failed; the same report again changes nothing. What a failed one holds
stays held until it is certain that nothing moved (`certainty`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, update

from offcampus_server.funds import accounts, certainty, differences, instructions, orders_of_departments, releases
from offcampus_server.funds.differences import Found
from offcampus_server.funds.tables import custody_instructions, releases_waiting
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, violation
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders

CLOCK_TOLERANCE = timedelta(minutes=5)

Listener = Callable[[Work, RowMapping], None]
_listeners: list[Listener] = []
Arrival = Callable[[Work, str], None]
_awaiting: list[Arrival] = []


def listen(listener: Listener) -> Listener:
    """Be told, in the same transaction, when an instruction was executed or failed: refunds are built on this."""
    _listeners.append(listener)
    return listener


def on_arrival(listener: Arrival) -> Arrival:
    """Be told, in the same transaction, when money of an order that was in transit has arrived in custody."""
    _awaiting.append(listener)
    return listener


def arrived(work: Work, order_id: str) -> None:
    """Money that was in transit is in custody: who waits for it may have it, families first."""
    for listener in _awaiting:
        listener(work, order_id)
    releases.release_due(work, order_id)


def accept(call: Call, work: Work) -> Answer:
    """The bank has taken the instruction on; saying so again changes nothing."""
    row = _mine(call, work)
    if row["state"] == "issued":
        _require_not_frozen(work, row)
        row = _step(work, row, "accepted")
    elif row["state"] not in ("accepted", "executed"):
        raise _resolved(row)
    return Answer(200, instructions.present(row), row["version"])


def execute(call: Call, work: Work) -> Answer:
    """The bank has moved the money: post it, once. The same report again gets the same answer; another is refused."""
    row, sent = _mine(call, work), call.body
    if row["state"] == "executed" and row["bank_reference"] == sent["bank_reference"]:
        return Answer(200, instructions.present(row), row["version"])
    if row["kind"] == "balance":
        raise Problem("instruction.resolved", "a balance instruction is answered by submitting the balance")
    if row["state"] not in ("issued", "accepted"):
        raise _resolved(row, remember=_late_success(row, sent["bank_reference"]))
    executed_at = parse(sent["executed_at"])
    if executed_at > work.now + CLOCK_TOLERANCE:
        entry = violation("schema.future", "/executed_at", given=sent["executed_at"])
        raise Problem("schema.invalid", "executed_at lies in the future", [entry])
    if not row["amount_fen"]:
        row = execute_order(work, row, sent["bank_reference"], executed_at)
    else:
        row = executed(work, row, sent["bank_reference"], executed_at, executed_at.date())
    return Answer(200, instructions.present(row), row["version"])


def executed(work: Work, row: RowMapping, reference: str, executed_at: datetime, value_on: date) -> RowMapping:
    """The bank has moved what was held: post it, and everything that follows from it."""
    row = _step(work, row, "executed", bank_reference=reference, executed_at=executed_at)
    ledger.post(work, row["id"], value_on)
    _after(work, row)
    return row


def execute_order(work: Work, row: RowMapping, reference: str, executed_at: datetime) -> RowMapping:
    """The bank has carried out what a department ordered about an account."""
    if row["state"] not in ("issued", "accepted"):
        raise _resolved(row)
    row = _step(work, row, "executed", bank_reference=reference, executed_at=executed_at)
    if orders_of_departments.ended(work, row):
        _wake_releases(work, row["account_id"])
    return row


def fail(call: Call, work: Work) -> Answer:
    """The bank says that it has not moved the money and will not. Refused when its own line says that it has."""
    row, sent = _mine(call, work), call.body
    failure = {"code": sent["code"], "text": sent["text"]}
    if row["state"] == "failed" and row["failure"] == failure:
        return Answer(200, instructions.present(row), row["version"])
    if row["state"] not in ("issued", "accepted"):
        raise _resolved(row)
    if (line := instructions.line_of(work, row)) is not None:
        detail = f"{line} reports that the money was moved: report the execution, or settle the difference"
        raise Problem("instruction.resolved", detail, [violation("instruction.resolved", "/state", given=line)])
    row = _step(work, row, "failed", failure=failure)
    if not row["amount_fen"]:
        orders_of_departments.ended(work, row)
    else:
        _after(work, row)
    return Answer(200, instructions.present(row), row["version"])


def failed_for_certain(work: Work, row: RowMapping, by: str) -> None:
    """Nothing moved: the money is free, and what was asked for may be asked for again."""
    row = certainty.make(work, row, by)
    if row["kind"] == "release":
        releases.wait_for_next_round(work, row["order_id"])
    _after(work, row)


def taken_back(work: Work, row: RowMapping, movement_id: str, value_on: date) -> None:
    """The bank has booked back what it had moved for an instruction: it is in escrow again, and is still to be paid."""
    query = (
        update(custody_instructions)
        .where(custody_instructions.c.id == row["id"], custody_instructions.c.version == row["version"])
        .values(taken_back_by=movement_id, updated_at=work.now, version=row["version"] + 1)
        .returning(*custody_instructions.c)
    )
    row = work.connection.execute(query).mappings().one()
    ledger.take_back(work, row["id"], value_on, movement_id)
    work.audit("instruction.taken_back", row["id"], row["institution_id"], detail={"movement_id": movement_id})
    instructions.tell(work, "taken_back", row)
    if row["order_id"] is not None:
        orders.reopen(work, row["order_id"])
        if row["kind"] == "release":
            releases.wait_for_next_round(work, row["order_id"])
    _after(work, row)


def day_closed(work: Work, account: RowMapping, day: date, closing_fen: int) -> None:
    """A bank has closed a day: what it makes certain."""
    for row in certainty.closed_by(work, account, day, closing_fen):
        failed_for_certain(work, row, "statement")


def _after(work: Work, row: RowMapping) -> None:
    """What an instruction's end means for the order, for a refund, for the money that still waits."""
    if row["order_id"] is None:
        accounts.touch(work, row["account_id"])
        return
    orders.money_moved(work, row["order_id"])
    accounts.touch(work, row["account_id"])
    if row["kind"] == "refund":
        payments.refund_moved(work, row["payment_id"])
    for listener in _listeners:
        listener(work, row)
    orders.close_when_settled(work, row["order_id"])


def _require_not_frozen(work: Work, row: RowMapping) -> None:
    """A release that the bank has not taken on stops with the freeze: the bank reports it as failed, and it waits."""
    account = accounts.by_id(work, [row["account_id"]])[row["account_id"]]
    if row["kind"] in ("release", "reserve_withdrawal") and account["state"] == "frozen":
        entry = violation("custody.frozen", "/account_id", given="frozen", allowed="open")
        raise Problem("custody.frozen", "do not carry this release out: report it as failed", [entry])


def _late_success(row: RowMapping, reference: str) -> Callable[[Work], None] | None:
    """A bank says of what it reported as failed that it moved after all: refused, kept, and on the work list."""
    if row["state"] != "failed":
        return None

    def remember(work: Work) -> None:
        instructions.said_late(work, row["id"], reference)
        account = accounts.by_id(work, [row["account_id"]])[row["account_id"]]
        found = Found(
            f"late_success {row['id']}", "late_success", instruction_id=row["id"], bank_reference=reference,
            got_fen=row["amount_fen"],
        )  # fmt: skip
        differences.add(work, account, found)

    return remember


def _wake_releases(work: Work, account_id: str) -> None:
    """An account is open again: what waits of its institution is asked for with the next round."""
    account = accounts.by_id(work, [account_id])[account_id]
    mine = orders.of_institution(account["institution_id"])
    waiting = update(releases_waiting).where(
        releases_waiting.c.order_id.in_(mine), releases_waiting.c.not_before > work.now
    )
    work.connection.execute(waiting.values(not_before=work.now))


def _mine(call: Call, work: Work) -> RowMapping:
    return resources.find(work, custody_instructions, call.path["instruction_id"])


def _step(work: Work, row: RowMapping, state: str, **columns: Any) -> RowMapping:
    changed = resources.change(work, custody_instructions, row, None, state=state, **columns)
    work.audit(f"instruction.{state}", row["id"], row["institution_id"])
    instructions.tell(work, state, changed)
    return changed


def _resolved(row: RowMapping, *, remember: Callable[[Work], None] | None = None) -> Problem:
    allowed = ["issued", "accepted"]
    entry = violation("instruction.resolved", "/state", given=row["state"], allowed=allowed)
    return Problem("instruction.resolved", f"the instruction is {row['state']}", [entry], remember=remember)
