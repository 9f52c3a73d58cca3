"""How a difference is settled: one person proposes, another approves, and only then a line is booked.

Invariants
- The facts agree to the fen at the moment of approval, or nothing is booked: a person decides, never a guess.
- What is booked goes through the same postings as if it had matched at once; an instruction is replaced at most once.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import RowMapping, select, update

from offcampus_server.funds import accounts, bookings, decisions, differences, instructions, movements, service
from offcampus_server.funds.tables import custody_instructions, custody_movements
from offcampus_server.funds.tables import differences as table
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import parse, rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.orders import payments
from offcampus_server.orders.payments import Part


def assign(call: Call, work: Work) -> Answer:
    """Say who is to settle a difference."""
    row = _standing(call, work, "open", "proposed")
    detail = {"owner": call.body["owner"], "officer": call.body["officer"], "note": call.body["note"]}
    work.audit("assignDifference.note", row["id"], row["institution_id"], detail=detail)
    return _answer(
        differences.change(work, row, "assignDifference", "assigned", call.if_match, owner=call.body["owner"])
    )


def propose(call: Call, work: Work) -> Answer:
    """Propose how to settle a difference; what cannot be booked is refused at once."""
    row, sent = _standing(call, work, "open"), call.body
    _check(work, row, sent)
    settlement = {
        **sent, "proposed_at": rfc3339(work.now), "decided_by": None, "decided_at": None, "decision_note": None,
    }  # fmt: skip
    return _answer(
        differences.change(
            work, row, "proposeSettlement", "proposed", call.if_match, state="proposed", settlement=settlement
        )
    )


def approve(call: Call, work: Work) -> Answer:
    """A second person agrees: book what the proposal says and settle the difference, in one transaction."""
    row = _standing(call, work, "proposed")
    proposed = row["settlement"]
    _check_second(proposed["officer"], call.body["officer"])
    settled = differences.change(
        work, row, "approveSettlement", "settled", call.if_match, state="settled", settlement=_decided(call, work, row)
    )
    _check(work, row, proposed)
    if proposed["action"] == "book_receipt":
        _book_receipt(work, _movement(work, row), _part(work, proposed))
    elif proposed["action"] == "book_execution":
        _book_execution(work, _movement(work, row))
    elif proposed["action"] in ("book_reversal", "book_chargeback", "book_fee"):
        _book_line(work, _movement(work, row), proposed)
    elif proposed["action"] == "confirm_failure":
        service.failed_for_certain(work, _failed(work, row), "settlement")
    return _answer(settled)


def reject(call: Call, work: Work) -> Answer:
    """The difference is open again; who proposed and who rejected stays in the audit trail."""
    row = _standing(call, work, "proposed")
    work.audit("rejectSettlement.note", row["id"], row["institution_id"], detail=_decided(call, work, row))
    return _answer(
        differences.change(work, row, "rejectSettlement", "rejected", call.if_match, state="open", settlement=None)
    )


def _check_second(proposed_by: str, officer: str) -> None:
    """Raises `settlement.same_person`: nobody approves what he has proposed."""
    if proposed_by == officer:
        entry = violation("settlement.same_person", "/officer", given=officer)
        raise Problem("settlement.same_person", f"{officer} proposed this settlement", [entry])


def _check(work: Work, row: RowMapping, proposed: dict[str, Any]) -> None:
    """Raises `settlement.not_applicable` when the facts do not fit the action."""
    if proposed["action"] == "explained":
        return
    if proposed["action"] == "confirm_failure":
        failed = _failed(work, row)
        if (moved := instructions.line_of(work, failed)) is not None:
            raise _refused(proposed["action"], f"{moved} says that the money moved: book its execution")
        return
    movement = _movement(work, row)
    if proposed["action"] == "book_receipt":
        account = accounts.by_id(work, [movement["account_id"]])[movement["account_id"]]
        part, line = _part(work, proposed), {**movement["document"], "kind": "receipt"}
        reason = decisions.break_of_receipt(line, part, account["institution_id"], account["purpose"])
    elif proposed["action"] in ("book_reversal", "book_chargeback", "book_fee"):
        reason = _why_not_line(work, movement, proposed)
    else:
        reason = _why_not_late(work, movement)
    if reason is not None:
        raise _refused(proposed["action"], f"the line does not fit: {reason}")


def _why_not_late(work: Work, movement: RowMapping) -> str | None:
    """Why a line is not the execution of a failed instruction, or None when it is."""
    if movement["break_type"] != "late_success" or movement["instruction_id"] is None:
        return movement["break_type"] or "matched"
    anew = select(custody_instructions.c.id).where(custody_instructions.c.retries == movement["instruction_id"])
    found = work.connection.execute(anew).scalar()
    return f"instructed anew as {found}" if found else None


def _why_not_line(work: Work, movement: RowMapping, proposed: dict[str, Any]) -> str | None:
    """Why a line is not what a proposal says: the taking back of an instruction, a charge-back, a fee of the bank."""
    account, action = accounts.by_id(work, [movement["account_id"]])[movement["account_id"]], proposed["action"]
    if action == "book_chargeback":
        line = {**movement["document"], "kind": "chargeback"}
        return bookings.why_not(work, line, account, _part(work, proposed))
    if action == "book_fee":
        covered = ledger.free_balances(work, [account["id"]]).get(account["id"], 0) >= movement["amount_fen"]
        right = movement["direction"] == "debit" and account["purpose"] == "custody"
        return "wrong_direction" if not right else None if covered else "not_covered"
    named = proposed.get("instruction_id", "")
    row = resources.by_ids(work, custody_instructions, [named]).get(named)
    if row is None or row["account_id"] != movement["account_id"]:
        return "unknown_reference"
    if row["state"] != "executed" or row["taken_back_by"] is not None or row["amount_fen"] == 0:
        return f"{row['id']} is {row['state']}" + (", taken back before" if row["taken_back_by"] else "")
    if movement["direction"] != "credit":
        return "wrong_direction"
    return None if row["amount_fen"] == movement["amount_fen"] else "wrong_sum"


def _book_line(work: Work, movement: RowMapping, proposed: dict[str, Any]) -> None:
    account, action = accounts.by_id(work, [movement["account_id"]])[movement["account_id"]], proposed["action"]
    _matched(work, movement, None)
    if action == "book_chargeback":
        line = {**movement["document"], "kind": "chargeback"}
        bookings.book(work, line, account, _part(work, proposed), movement["id"])
    elif action == "book_fee":
        fen, value_on = movement["amount_fen"], _value_on(movement)
        leg = flows.fee_taken(account["institution_id"], account["id"], fen, value_on, movement["id"])
        ledger.book(work, [leg])
        work.audit("bookFee", account["id"], account["institution_id"], detail={"amount_fen": fen})
    else:
        row = resources.by_ids(work, custody_instructions, [proposed["instruction_id"]])[proposed["instruction_id"]]
        service.taken_back(work, row, movement["id"], _value_on(movement))
    accounts.touch(work, account["id"])


def _book_receipt(work: Work, movement: RowMapping, part: Part | None) -> None:
    assert part is not None  # checked
    _matched(work, movement, movement["instruction_id"])
    movements.receive(work, part, movement["account_id"], movement["id"], movement["document"])
    accounts.touch(work, movement["account_id"])


def _book_execution(work: Work, movement: RowMapping) -> None:
    """The failed instruction has moved after all: one in its place stands executed by the bank's own line."""
    failed = resources.by_ids(work, custody_instructions, [movement["instruction_id"]])[movement["instruction_id"]]
    row = instructions.in_place_of(work, failed)
    booked_at = parse(movement["document"]["booked_at"])
    service.executed(work, row, movement["bank_reference"], booked_at, _value_on(movement))
    _matched(work, movement, row["id"])


def _failed(work: Work, row: RowMapping) -> RowMapping:
    """The failed instruction that a difference is about, while its end is uncertain."""
    found = resources.by_ids(work, custody_instructions, [row["instruction_id"] or ""]).get(row["instruction_id"])
    if row["type"] not in ("late_success", "end_uncertain") or found is None or not found["amount_fen"]:
        raise _refused("confirm_failure", "this difference is not about an instruction that moves money")
    if found["state"] != "failed" or found["certain_by"] is not None:
        raise _refused("confirm_failure", f"{found['id']} is {found['state']}, and its end is certain")
    return found


def _matched(work: Work, movement: RowMapping, instruction_id: str | None) -> None:
    query = update(custody_movements).where(
        custody_movements.c.id == movement["id"], custody_movements.c.state == "unmatched"
    )
    changed = query.values(
        state="matched", break_type=None, instruction_id=instruction_id, version=movement["version"] + 1,
        updated_at=work.now,
    ).returning(*custody_movements.c)  # fmt: skip
    movements.tell(work, "matched", work.connection.execute(changed).mappings().one())


def open_again(work: Work, movement_id: str) -> None:
    """A line was booked as what it is not, and that is undone: it matches nothing, until two persons book it anew."""
    movement = resources.by_ids(work, custody_movements, [movement_id])[movement_id]
    changed = resources.change(
        work, custody_movements, movement, None, state="unmatched", break_type="unlinked"
    )  # fmt: skip
    movements.tell(work, "unmatched", changed)
    account = accounts.by_id(work, [movement["account_id"]])[movement["account_id"]]
    differences.add(work, account, differences.of_movement(movement["document"], movement_id, "unlinked"))
    accounts.touch(work, movement["account_id"])


def _movement(work: Work, row: RowMapping) -> RowMapping:
    if row["movement_id"] is None:
        raise _refused("/action", "the bank has reported no line that could be booked")
    movement = resources.by_ids(work, custody_movements, [row["movement_id"]])[row["movement_id"]]
    if movement["state"] != "unmatched":
        raise _refused("/action", f"{movement['id']} is booked already")
    return movement


def _part(work: Work, proposed: dict[str, Any]) -> Part | None:
    key = (proposed.get("payment_id", ""), proposed.get("part_no", 0))
    return payments.parts(work, [key[0]]).get(key)


def _value_on(movement: RowMapping) -> date:
    day: date = movement["value_on"]
    return day


def _decided(call: Call, work: Work, row: RowMapping) -> dict[str, Any]:
    decision = {"decided_by": call.body["officer"], "decided_at": rfc3339(work.now), "decision_note": call.body["note"]}
    return {**row["settlement"], **decision}


def _standing(call: Call, work: Work, *states: str) -> RowMapping:
    row = resources.find(work, table, call.path["difference_id"])
    if call.if_match is not None and call.if_match != row["version"]:
        raise resources.stale(row["version"])
    if row["state"] not in states:
        raise wrong_state(row["state"], *states)
    return row


def _refused(given: str, detail: str) -> Problem:
    entry = violation("settlement.not_applicable", "/action", given=given)
    return Problem("settlement.not_applicable", detail, [entry])


def _answer(row: Any) -> Answer:
    return Answer(200, differences.present(row), row["version"])
