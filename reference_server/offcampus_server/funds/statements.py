"""Statements: a bank's lines of a day compared with the movements of that day, and again whenever one of them changes.

A difference stays with its statement until the bank's lines and the movements agree: no guess removes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from offcampus_server.funds import accounts, decisions, differences, statement_files
from offcampus_server.funds.decisions import Booked
from offcampus_server.funds.tables import custody_movements, statements
from offcampus_server.kernel.access import visible
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, not_found, violation
from offcampus_server.kernel.unit_of_work import Work


def submit(call: Call, work: Work) -> Answer:
    """Take the statement of a day and compare it; a corrected one replaces it as a new version."""
    return _take(call, work, _account(work, call.path["account_id"]), call.body)


def submit_file(call: Call, work: Work) -> Answer:
    """The same from a CSV or XLSX file."""
    account = _account(work, call.path["account_id"])
    return _take(call, work, account, statement_files.read(call.body, account["id"]))


def read_file(call: Call, work: Work) -> Answer:
    """A statement as a file."""
    day = date.fromisoformat(call.path["statement_on"])
    found = _find(work, call.path["account_id"], day)
    if found is None or not _may_see(work, found):
        raise not_found()
    account = accounts.by_id(work, [found["account_id"]])[found["account_id"]]
    name = f"statement-{account['document']['account_tail']}-{day}"
    return Answer(200, statement_files.write(call.query.get("format", "csv"), found["document"], name, work.language))


def _take(call: Call, work: Work, account: RowMapping, sent: Mapping[str, Any]) -> Answer:
    day = date.fromisoformat(call.path["statement_on"])
    foreign = [n for n, line in enumerate(sent["lines"]) if line["account_id"] != account["id"]]
    if foreign:
        places = [violation("reference.mismatch", f"/lines/{n}/account_id") for n in foreign[:50]]
        raise Problem("reference.mismatch", f"line {foreign[0]} is of another account", places)
    known = _find(work, account["id"], day)
    row = _save(work, account, day, sent, known)
    if (following := _following(work, account["id"], day)) is not None:
        compare_again(work, account, following)
    return Answer(200, present(row), row["version"])


def read(call: Call, work: Work) -> Answer:
    """A statement with its differences."""
    found = _find(work, call.path["account_id"], date.fromisoformat(call.path["statement_on"]))
    if found is None or not _may_see(work, found):
        raise not_found()
    if call.if_none_match == found["version"]:
        return Answer(304, None, found["version"])
    return Answer(200, present(found), found["version"])


def present(row: RowMapping) -> dict[str, Any]:
    """A statement as it is answered."""
    return {
        **row["document"], "id": row["id"], "version": row["version"], "account_id": row["account_id"],
        "statement_on": row["statement_on"].isoformat(), "institution_id": row["institution_id"],
        "state": row["state"], "breaks": row["breaks"], "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
    }  # fmt: skip


def compare_again(work: Work, account: RowMapping, day: date) -> None:
    """A movement of the day came late, or the day before has changed: the statement, where there is one, may agree."""
    if (known := _find(work, account["id"], day)) is not None:
        _save(work, account, day, known["document"], known)


def _save(
    work: Work, account: RowMapping, day: date, sent: Mapping[str, Any], known: RowMapping | None
) -> RowMapping:  # fmt: skip
    previous = _previous_closing(work, account["id"], day)
    elsewhere = _elsewhere(work, account["id"], day, sent)
    found = decisions.reconcile(sent, _booked(work, account["id"], day), previous, elsewhere)
    breaks = [entry.to_json() for entry in found]
    if known is not None and known["document"] == sent and known["breaks"] == breaks:
        return known
    columns = {
        "state": "broken" if breaks else "reconciled", "updated_at": work.now, "document": dict(sent),
        "opening_balance_fen": sent["opening_balance_fen"], "closing_balance_fen": sent["closing_balance_fen"],
        "breaks": breaks,
    }  # fmt: skip
    row = _insert(work, account, day, columns) if known is None else _update(work, known, columns)
    differences.compare(work, account, day, found)
    work.audit("submitStatement", row["id"], account["institution_id"], detail={"breaks": len(breaks)})
    work.emit(
        "statement", row["state"], row["id"], account["institution_id"], row["version"], state=row["state"],
        region_code=account["region_code"], bank_id=account["bank_id"],
    )  # fmt: skip
    return row


def _insert(work: Work, account: RowMapping, day: date, columns: Mapping[str, Any]) -> RowMapping:
    row = {
        **columns, "id": new_id("stm"), "account_id": account["id"], "statement_on": day,
        "bank_id": account["bank_id"], "institution_id": account["institution_id"],
        "region_code": account["region_code"], "version": 1, "created_at": work.now,
    }  # fmt: skip
    return work.connection.execute(insert(statements).returning(*statements.c), row).mappings().one()


def _update(work: Work, known: RowMapping, columns: Mapping[str, Any]) -> RowMapping:
    query = update(statements).where(statements.c.id == known["id"])
    changed = query.values({**columns, "version": known["version"] + 1}).returning(*statements.c)
    return work.connection.execute(changed).mappings().one()


def _account(work: Work, account_id: str) -> RowMapping:
    """The calling bank's account, or the one 404."""
    try:
        return accounts.of_bank(work, account_id)
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
        for row in work.connection.execute(query.order_by(custody_movements.c.id)).mappings()
    ]


def _elsewhere(work: Work, account_id: str, day: date, sent: Mapping[str, Any]) -> set[str]:
    """Which of the lines' references are booked on another day of the account."""
    references, found = sorted({line["bank_reference"] for line in sent["lines"]}), set[str]()
    for start in range(0, len(references), 500):
        query = select(custody_movements.c.bank_reference).where(
            custody_movements.c.account_id == account_id, custody_movements.c.value_on != day,
            custody_movements.c.bank_reference.in_(references[start : start + 500]),
        )  # fmt: skip
        found |= set(work.connection.execute(query).scalars())
    return found


def _previous_closing(work: Work, account_id: str, day: date) -> int | None:
    query = select(statements.c.closing_balance_fen).where(
        statements.c.account_id == account_id, statements.c.statement_on < day
    )
    return work.connection.execute(query.order_by(statements.c.statement_on.desc()).limit(1)).scalar()


def _following(work: Work, account_id: str, day: date) -> date | None:
    query = select(statements.c.statement_on).where(
        statements.c.account_id == account_id, statements.c.statement_on > day
    )
    return work.connection.execute(query.order_by(statements.c.statement_on).limit(1)).scalar()


def _find(work: Work, account_id: str, day: date) -> RowMapping | None:
    query = select(statements).where(statements.c.account_id == account_id, statements.c.statement_on == day)
    return work.connection.execute(query).mappings().first()
