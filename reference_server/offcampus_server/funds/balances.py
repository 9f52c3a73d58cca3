"""Balances that a bank submits, of its own accord or because it was asked: compared with the lines that it reported."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case, func, select

from offcampus_server.funds import accounts, decisions, differences, service
from offcampus_server.funds.differences import Found
from offcampus_server.funds.tables import account_balances, custody_instructions, custody_movements
from offcampus_server.funds.tables import differences as differences_table
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, mismatch, not_found, violation
from offcampus_server.kernel.unit_of_work import Work

REPORTED_WITHIN = timedelta(days=1)
"""How much earlier than its report a line may be booked and still be looked at for the moment of a balance."""


def submit(call: Call, work: Work) -> Answer:
    """Take the balance of an account at a moment; a difference goes on the work list."""
    account = _account(work, call.path["account_id"])
    sent = call.body
    if (row := resources.known(work, account_balances, sent)) is not None:
        if row["account_id"] != account["id"]:
            raise Problem("resource.exists", f"{sent['external_id']!r} is a balance of another account")
        return Answer(200, present(work, row), row["version"])
    moment = parse(sent["measured_at"])
    if moment > work.now + service.CLOCK_TOLERANCE:
        entry = violation("schema.future", "/measured_at", given=sent["measured_at"])
        raise Problem("schema.invalid", "measured_at lies in the future", [entry])
    expected = expected_fen(work, account["id"], moment)
    row = resources.create(
        work, account_balances, "bal", sent, institution_id=account["institution_id"],
        region_code=account["region_code"], bank_id=account["bank_id"], account_id=account["id"],
        instruction_id=sent.get("instruction_id"), measured_at=moment, balance_fen=sent["balance_fen"],
        expected_fen=expected,
    )  # fmt: skip
    work.audit("submitBalance", row["id"], row["institution_id"])
    if expected != sent["balance_fen"]:
        differences.add(work, account, Found(_mark(row), "balance_mismatch", None, expected_fen=expected,
                                             got_fen=sent["balance_fen"]))  # fmt: skip
    if (asked := sent.get("instruction_id")) is not None:
        _answers(work, account, asked, row["external_id"], moment)
    return Answer(201, present(work, row), row["version"],
                  {"Location": f"/v1/custody-accounts/{account['id']}/balances"})  # fmt: skip


def present(work: Work, row: RowMapping) -> dict[str, Any]:
    """A balance as it is answered."""
    query = select(differences_table.c.id).where(differences_table.c.mark == _mark(row))
    found = work.connection.execute(query.limit(1)).scalar()
    return resources.presented(row, account_id=row["account_id"], expected_fen=row["expected_fen"], difference_id=found)


def expected_fen(work: Work, account_id: str, moment: datetime) -> int:
    """What the lines that the bank reported come to at a moment; those booked later are left out."""
    sums = func.sum(
        case(
            (custody_movements.c.direction == "credit", custody_movements.c.amount_fen),
            else_=-custody_movements.c.amount_fen,
        )
    )
    mine = custody_movements.c.account_id == account_id
    total = int(work.connection.execute(select(func.coalesce(sums, 0)).where(mine)).scalar_one())
    recent = select(custody_movements.c.document).where(mine, custody_movements.c.created_at > moment - REPORTED_WITHIN)
    later = (line for line in work.connection.execute(recent).scalars() if parse(line["booked_at"]) > moment)
    return total - sum(decisions.signed(line) for line in later)


def _answers(work: Work, account: RowMapping, instruction_id: str, reference: str, moment: datetime) -> None:
    """The balance instruction that it answers is executed by it."""
    row = resources.by_ids(work, custody_instructions, [instruction_id]).get(instruction_id)
    if row is None or row["account_id"] != account["id"] or row["kind"] != "balance":
        raise mismatch("/instruction_id", "this is no balance instruction of this account")
    service.execute_order(work, row, reference, moment)


def _mark(row: RowMapping) -> str:
    return f"balance {row['id']}"


def _account(work: Work, account_id: str) -> RowMapping:
    try:
        return accounts.of_bank(work, account_id)
    except Problem:
        raise not_found() from None
