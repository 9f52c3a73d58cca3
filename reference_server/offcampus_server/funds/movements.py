"""Movements that a bank reports, matched one by one, and statements that are compared with them day by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from offcampus_server.funds import decisions, service
from offcampus_server.funds.decisions import Booked, Instructed
from offcampus_server.funds.tables import custody_instructions, custody_movements, statements
from offcampus_server.kernel import batch, resources
from offcampus_server.kernel.access import visible
from offcampus_server.kernel.batch import Batch, Item
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, not_found
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.service import Transfer
from offcampus_server.orders import payments
from offcampus_server.orders import service as orders
from offcampus_server.orders.payments import Part


def report(call: Call, work: Work) -> Answer:
    """Take up to 1,000 movements: what matches is booked, what does not is kept as a difference with its type."""
    return batch.run(call, work, custody_movements, _judge)


def _judge(items: Batch) -> None:
    work = items.work
    documents = batch.documents(items.open)
    parts = payments.parts(work, sorted({d["payment_id"] for d in documents if "payment_id" in d}))
    instructed = _instructed(work, sorted({d["instruction_id"] for d in documents if "instruction_id" in d}))
    accounts: dict[str, RowMapping] = {}
    for item in items.open:
        try:
            account_id = item.document["account_id"]
            account = accounts.get(account_id) or service.require_account(work, account_id)
            accounts[account_id] = account
            _take(work, item, account, parts, instructed)
        except Problem as problem:
            item.refuse(problem)
    for account_id in accounts:
        service.touch_account(work, account_id)


def _take(
    work: Work, item: Item, account: RowMapping, parts: dict[tuple[str, int], Part], instructed: dict[str, Instructed]
) -> None:
    line = item.document
    key = (line.get("payment_id", ""), line.get("part_no", 0))
    if line["kind"] == "receipt":
        break_type = decisions.break_of_receipt(line, parts.get(key), account["institution_id"])
    elif line["kind"] in ("release", "refund"):
        break_type = decisions.break_of_instruction(line, instructed.get(line.get("instruction_id", "")))
    else:
        break_type = "unlinked"
    movement_id = _store(work, item, account, break_type)
    if break_type is None and line["kind"] == "receipt":
        part = parts[key]
        parts[key] = Part(*_settled(part))
        _receive(work, part, account["id"], movement_id, date.fromisoformat(line["value_on"]))
    elif break_type is None:
        found = instructed[line["instruction_id"]]
        instructed[found.id] = Instructed(found.id, found.account_id, found.amount_fen, found.kind, claimed=True)


def _receive(work: Work, part: Part, account_id: str, movement_id: str, value_on: date) -> None:
    transfer = Transfer(
        "receipt", part.order_id, account_id, part.amount_fen, part.payment_id, part.part_no, movement_id=movement_id
    )
    ledger.receive(work, transfer, value_on)
    payments.settle(work, part)
    orders.money_moved(work, part.order_id)


def _settled(part: Part) -> tuple[Any, ...]:
    return (*(getattr(part, name) for name in ("payment_id", "part_no", "channel", "amount_fen", "order_id")),
            part.institution_id, True)  # fmt: skip


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
    work.connection.execute(insert(custody_movements), row)
    item.accept(movement_id)
    verb = "unmatched" if break_type else "recorded"
    work.audit("reportCustodyMovements", movement_id, account["institution_id"], detail={"break_type": break_type})
    work.emit(
        "custody_movement", verb, movement_id, account["institution_id"], 1, state=row["state"],
        external_id=line["external_id"], region_code=account["region_code"], bank_id=work.party.id,
    )  # fmt: skip
    return movement_id


def _instructed(work: Work, ids: list[str]) -> dict[str, Instructed]:
    claimed_query = select(custody_movements.c.instruction_id).where(
        custody_movements.c.instruction_id.in_(ids), custody_movements.c.state == "matched"
    )
    claimed = set(work.connection.execute(claimed_query).scalars())
    return {
        id: Instructed(id, row["account_id"], row["amount_fen"], row["kind"], id in claimed)
        for id, row in resources.by_ids(work, custody_instructions, ids).items()
    }


def present(row: RowMapping) -> dict[str, Any]:
    """A movement as it is answered."""
    return resources.presented(row, break_type=row["break_type"])


def submit(call: Call, work: Work) -> Answer:
    """Take the statement of a day and compare it; submitting a corrected one replaces it as a new version."""
    account = _account(work, call.path["account_id"])
    day, sent = _day(call.path["statement_on"]), call.body
    foreign = [n for n, line in enumerate(sent["lines"]) if line["account_id"] != account["id"]]
    if foreign:
        raise Problem("reference.mismatch", f"line {foreign[0]} is of another account")
    breaks = decisions.reconcile(sent, _booked(work, account["id"], day), _previous_closing(work, account["id"], day))
    row = _save(work, account, day, sent, [entry.to_json() for entry in breaks])
    work.audit("submitStatement", row["id"], account["institution_id"], detail={"breaks": len(breaks)})
    work.emit(
        "statement", row["state"], row["id"], account["institution_id"], row["version"], state=row["state"],
        region_code=account["region_code"], bank_id=account["bank_id"],
    )  # fmt: skip
    return Answer(200, present_statement(row), row["version"])


def read_statement(call: Call, work: Work) -> Answer:
    """A statement with its differences."""
    day = _day(call.path["statement_on"])
    found = _find_statement(work, call.path["account_id"], day)
    if found is None or work.party is None or not _may_see(work, found):
        raise not_found()
    if call.if_none_match == found["version"]:
        return Answer(304, None, found["version"])
    return Answer(200, present_statement(found), found["version"])


def present_statement(row: RowMapping) -> dict[str, Any]:
    """A statement as it is answered."""
    return {
        **row["document"], "id": row["id"], "version": row["version"], "account_id": row["account_id"],
        "statement_on": row["statement_on"].isoformat(), "institution_id": row["institution_id"],
        "state": row["state"], "breaks": row["breaks"], "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
    }  # fmt: skip


def _account(work: Work, account_id: str) -> RowMapping:
    """The calling bank's account, or the one 404."""
    try:
        return service.require_account(work, account_id)
    except Problem:
        raise not_found() from None


def _may_see(work: Work, row: RowMapping) -> bool:
    assert work.party is not None
    query = select(statements.c.id).where(statements.c.id == row["id"], visible(work.party, statements))
    return work.connection.execute(query).first() is not None


def _booked(work: Work, account_id: str, day: date) -> list[Booked]:
    query = select(custody_movements).where(
        custody_movements.c.account_id == account_id, custody_movements.c.value_on == day
    )
    return [
        Booked(row["id"], row["external_id"], row["bank_reference"], row["amount_fen"], row["direction"])
        for row in work.connection.execute(query).mappings()
    ]


def _previous_closing(work: Work, account_id: str, day: date) -> int | None:
    query = (
        select(statements.c.closing_balance_fen)
        .where(statements.c.account_id == account_id, statements.c.statement_on <= day - timedelta(days=1))
        .order_by(statements.c.statement_on.desc())
        .limit(1)
    )
    return work.connection.execute(query).scalar()


def _save(
    work: Work, account: RowMapping, day: date, sent: Mapping[str, Any], breaks: list[dict[str, Any]]
) -> RowMapping:
    columns = {
        "state": "broken" if breaks else "reconciled", "updated_at": work.now, "document": dict(sent),
        "opening_balance_fen": sent["opening_balance_fen"], "closing_balance_fen": sent["closing_balance_fen"],
        "breaks": breaks,
    }  # fmt: skip
    known = _find_statement(work, account["id"], day)
    if known is not None:
        query = update(statements).where(statements.c.id == known["id"])
        changed = query.values({**columns, "version": known["version"] + 1}).returning(*statements.c)
        return work.connection.execute(changed).mappings().one()
    row = {
        **columns, "id": new_id("stm"), "account_id": account["id"], "statement_on": day,
        "bank_id": account["bank_id"], "institution_id": account["institution_id"],
        "region_code": account["region_code"], "version": 1, "created_at": work.now,
    }  # fmt: skip
    return work.connection.execute(insert(statements).returning(*statements.c), row).mappings().one()


def _find_statement(work: Work, account_id: str, day: date) -> RowMapping | None:
    query = select(statements).where(statements.c.account_id == account_id, statements.c.statement_on == day)
    return work.connection.execute(query).mappings().first()


def _day(text: str) -> date:
    return date.fromisoformat(text)
