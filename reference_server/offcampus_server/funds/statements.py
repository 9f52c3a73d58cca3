"""Statements: a bank's lines of a day compared with the movements of that day, and again whenever one of them changes.

A difference stays with its statement until the bank's lines and the movements agree: no guess removes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, RowMapping, bindparam, insert, select, update

from offcampus_server.funds import accounts, decisions, differences, service, statement_files
from offcampus_server.funds.decisions import Booked
from offcampus_server.funds.tables import custody_movements, statements
from offcampus_server.kernel import resources
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
        service.day_closed(work, account, day, sent["closing_balance_fen"])
        return known
    columns = {
        "state": "broken" if breaks else "reconciled", "updated_at": work.now, "document": dict(sent),
        "opening_balance_fen": sent["opening_balance_fen"], "closing_balance_fen": sent["closing_balance_fen"],
        "breaks": breaks,
    }  # fmt: skip
    row = _insert(work, account, day, columns) if known is None else _update(work, known, columns)
    differences.compare(work, account, day, found)
    service.day_closed(work, account, day, sent["closing_balance_fen"])
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
    return resources.seen(work, statements, row["id"]) is not None


def _booked(work: Work, account_id: str, day: date) -> list[Booked]:
    return [Booked(*row) for row in work.connection.execute(_BOOKED, {"account": account_id, "day": day})]


def _elsewhere(work: Work, account_id: str, day: date, sent: Mapping[str, Any]) -> set[str]:
    """Which of the lines' references are booked on another day of the account."""
    references, found = sorted({line["bank_reference"] for line in sent["lines"]}), set[str]()
    for start in range(0, len(references), 500):
        some = {"account": account_id, "day": day, "references": references[start : start + 500]}
        found |= set(work.connection.execute(_ELSEWHERE, some).scalars())
    return found


def _previous_closing(work: Work, account_id: str, day: date) -> int | None:
    return work.connection.execute(_PREVIOUS_CLOSING, {"account": account_id, "day": day}).scalar()


def _following(work: Work, account_id: str, day: date) -> date | None:
    return work.connection.execute(_FOLLOWING, {"account": account_id, "day": day}).scalar()


def _find(work: Work, account_id: str, day: date) -> RowMapping | None:
    return work.connection.execute(_OF_DAY, {"account": account_id, "day": day}).mappings().first()


_ACCOUNT: BindParameter[str] = bindparam("account")
_DAY: BindParameter[date] = bindparam("day")
_OF_DAY = select(statements).where(statements.c.account_id == _ACCOUNT, statements.c.statement_on == _DAY)
_PREVIOUS_CLOSING = (
    select(statements.c.closing_balance_fen)
    .where(statements.c.account_id == _ACCOUNT, statements.c.statement_on < _DAY)
    .order_by(statements.c.statement_on.desc())
    .limit(1)
)
_FOLLOWING = (
    select(statements.c.statement_on)
    .where(statements.c.account_id == _ACCOUNT, statements.c.statement_on > _DAY)
    .order_by(statements.c.statement_on)
    .limit(1)
)
_BOOKED = (
    select(
        custody_movements.c.id, custody_movements.c.external_id, custody_movements.c.bank_reference,
        custody_movements.c.amount_fen, custody_movements.c.direction,
    )
    .where(custody_movements.c.account_id == _ACCOUNT, custody_movements.c.value_on == _DAY)
    .order_by(custody_movements.c.id)
)  # fmt: skip
_ELSEWHERE = select(custody_movements.c.bank_reference).where(
    custody_movements.c.account_id == _ACCOUNT, custody_movements.c.value_on != _DAY,
    custody_movements.c.bank_reference.in_(bindparam("references", expanding=True)),
)  # fmt: skip
