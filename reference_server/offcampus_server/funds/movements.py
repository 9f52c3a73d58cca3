"""Movements that a bank reports: each is matched with what it names and booked, or kept as a difference.

What a line means is decided before anything of it is written, so that a line is either taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, select

from offcampus_server.funds import accounts, bookings, decisions, differences, releases, service, statements
from offcampus_server.funds.decisions import Instructed
from offcampus_server.funds.tables import custody_instructions, custody_movements
from offcampus_server.kernel import batch, resources
from offcampus_server.kernel.batch import Batch, Item
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import flows
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.service import Transfer
from offcampus_server.orders import contracts, payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part
from offcampus_server.warnings import service as warnings
from offcampus_server.warnings.service import Window

_INSERT = insert(custody_movements)
_CLAIMED = select(custody_movements.c.instruction_id).where(
    custody_movements.c.instruction_id.in_(bindparam("ids", expanding=True)), custody_movements.c.state == "matched"
)
_OUT_BY_DAY = (
    select(func.sum(custody_movements.c.amount_fen))
    .where(
        custody_movements.c.institution_id == bindparam("institution"), custody_movements.c.direction == "debit",
        custody_movements.c.value_on.in_(bindparam("days", expanding=True)),
    )
    .group_by(custody_movements.c.value_on)
)  # fmt: skip


def report(call: Call, work: Work) -> Answer:
    """Take up to 1,000 movements: what matches is booked, what does not is kept as a difference with its type."""
    return batch.run(call, work, custody_movements, _judge)


def present(row: RowMapping) -> dict[str, Any]:
    """A movement as it is answered."""
    return resources.presented(row, break_type=row["break_type"])


def _judge(items: Batch) -> None:
    work = items.work
    documents = batch.documents(items.open)
    parts = payments.parts(work, sorted({d["payment_id"] for d in documents if "payment_id" in d}))
    instructed = _instructed(work, sorted({d["instruction_id"] for d in documents if "instruction_id" in d}))
    known: dict[str, RowMapping] = {}
    days: set[tuple[str, date]] = set()
    for item in items.open:
        account_id = item.document["account_id"]
        try:
            known[account_id] = known.get(account_id) or accounts.of_bank(work, account_id)
        except Problem as problem:
            item.refuse(problem)
            continue
        _take(work, item, known[account_id], parts, instructed)
        days.add((account_id, date.fromisoformat(item.document["value_on"])))
    for account_id in known:
        accounts.touch(work, account_id)
    for account_id, day in sorted(days):
        statements.compare_again(work, known[account_id], day)
    for institution_id in sorted({known[account_id]["institution_id"] for account_id, _ in days}):
        mine = {day for account_id, day in days if known[account_id]["institution_id"] == institution_id}
        warnings.watch(work, _window(work, institution_id, mine))


def _window(work: Work, institution_id: str, days: set[date]) -> Window:
    """What left an institution's accounts on the days that were reported, and what they hold now."""
    whose = {"institution": institution_id, "days": sorted(days)}
    by_day = [int(fen) for fen in work.connection.execute(_OUT_BY_DAY, whose).scalars()]
    held = accounts.held_by_institution(work, institution_id)
    until = max(days) + timedelta(days=1)
    return Window(institution_id, min(days), until, held, sum(by_day), max(by_day, default=0))


def _take(
    work: Work, item: Item, account: RowMapping, parts: dict[tuple[str, int], Part], instructed: dict[str, Instructed]
) -> None:
    line = item.document
    key, named = (line.get("payment_id", ""), line.get("part_no", 0)), line.get("instruction_id", "")
    instruction = instructed.get(named)
    if line["kind"] in ("receipt", "lock"):
        takes = "custody" if line["kind"] == "receipt" else _locks_in(work, parts.get(key))
        break_type = decisions.break_of_receipt(
            line, parts.get(key), account["institution_id"], account["purpose"], takes
        )  # fmt: skip
    elif line["kind"] in bookings.KINDS:
        break_type = bookings.why_not(work, line, account, parts.get(key))
    elif line["kind"] in ("release", "refund", "reserve_withdrawal"):
        break_type = decisions.break_of_instruction(line, instruction)
    else:
        break_type = decisions.break_of_kind(line)
    break_type = decisions.break_of_account(account["state"], break_type, instruction)
    movement_id = _store(work, item, account, break_type)
    if break_type is not None:
        differences.add(work, account, differences.of_movement(line, movement_id, break_type))
        warnings.line_came(work, account, line, movement_id, break_type)
    if break_type is None and line["kind"] in ("receipt", "lock"):
        part, parts[key] = parts[key], replace(parts[key], settled=True)
        receive(work, part, account["id"], movement_id, line)
    elif break_type is None and line["kind"] in bookings.KINDS:
        bookings.book(work, line, account, parts.get(key), movement_id)
    elif break_type is None:
        instructed[named] = replace(instructed[named], claimed=True)


def receive(work: Work, part: Part, account_id: str, movement_id: str, line: Mapping[str, Any]) -> None:
    """Book what arrived and what the channel kept; money that was in transit may be waited for."""
    fee, value_on = line.get("fee_fen", 0), date.fromisoformat(line["value_on"])
    if line["kind"] == "lock":
        _lock(work, part, account_id, movement_id, line)
        return
    arrived = flows.settled(part.ledger_part, account_id, line["amount_fen"], fee, value_on, movement_id)
    if part.captured:
        ledger.book_event(work, arrived)
    elif fee:
        ledger.book_event(work, [flows.captured(part.ledger_part, part.amount_fen, value_on), *arrived])
    else:
        about = (part.order_id, account_id, part.amount_fen, part.payment_id, part.part_no)
        ledger.receive(work, Transfer("receipt", *about, movement_id=movement_id), value_on)
    payments.settle(work, part, fee)
    orders.money_moved(work, part.order_id)
    if part.captured:
        service.arrived(work, part.order_id)
    else:
        releases.begin(work, part.order_id)


def _locks_in(work: Work, part: Part | None) -> str:
    """Where the contract of a part's order has its money locked."""
    return "" if part is None else contracts.supervision(work, orders.load(work, part.order_id).contract_id)


def _lock(work: Work, part: Part, account_id: str, movement_id: str, line: Mapping[str, Any]) -> None:
    """The payer's money is locked for the order where it is."""
    account = accounts.by_id(work, [account_id])[account_id]
    about = Transfer(
        "lock", part.order_id, part.order_id, part.amount_fen, part.payment_id, part.part_no, movement_id=movement_id,
        held_by=accounts.HELD_BY[account["purpose"]], held_in=account_id,
    )  # fmt: skip
    ledger.lock(work, about, part.institution_id, date.fromisoformat(line["value_on"]))
    payments.settle(work, part, 0)
    orders.money_moved(work, part.order_id)
    releases.begin(work, part.order_id)


def _store(work: Work, item: Item, account: RowMapping, break_type: str | None) -> str:
    assert work.party is not None
    line = item.document
    movement_id = new_id("cmv")
    row = {
        "id": movement_id, "external_id": line["external_id"], "party_id": work.party.id,
        "institution_id": account["institution_id"], "region_code": account["region_code"], "version": 1,
        "state": "unmatched" if break_type else "matched", "created_at": work.now, "updated_at": work.now,
        "digest": item.digest, "document": line, "bank_id": work.party.id, "account_id": account["id"],
        "bank_reference": line["bank_reference"], "value_on": date.fromisoformat(line["value_on"]),
        "amount_fen": line["amount_fen"], "direction": line["direction"],
        "instruction_id": line.get("instruction_id"), "break_type": break_type,
    }  # fmt: skip
    work.connection.execute(_INSERT, row)
    item.accept(movement_id)
    work.audit("reportCustodyMovements", movement_id, account["institution_id"], detail={"break_type": break_type})
    tell(work, "unmatched" if break_type else "recorded", row)
    return movement_id


def tell(work: Work, verb: str, row: Any) -> None:
    """Tell of a movement's state."""
    work.emit(
        "custody_movement", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip


def _instructed(work: Work, ids: list[str]) -> dict[str, Instructed]:
    if not ids:
        return {}
    claimed = set(work.connection.execute(_CLAIMED, {"ids": ids}).scalars())
    rows = resources.by_ids(work, custody_instructions, ids)
    return {id: _asked(row, id in claimed) for id, row in rows.items()}


def _asked(row: RowMapping, claimed: bool) -> Instructed:
    stopped = row["kind"] in ("release", "reserve_withdrawal") and row["state"] == "issued"
    failed = row["state"] == "failed"
    return Instructed(row["id"], row["account_id"], row["amount_fen"], row["kind"], failed, claimed, stopped)
