"""How well a bank serves (M-09.2): computed from what it reported and when, over a period, in the asker's region.

Nothing is graded: no rule says what is too slow. Whoever publishes the report sees counts and times as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, select

from offcampus_server.funds.tables import (
    custody_accounts,
    custody_instructions,
    custody_movements,
    differences,
    statements,
)
from offcampus_server.kernel.access import visible
from offcampus_server.kernel.clock import SHANGHAI, parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, not_found, violation
from offcampus_server.kernel.unit_of_work import Work

LONGEST, USUAL = timedelta(days=366), timedelta(days=30)


def read(call: Call, work: Work) -> Answer:
    """The report on one bank. Raises the one 404 for a bank that keeps no account in the asker's region."""
    bank_id, today = call.path["bank_id"], work.now.date()
    until = date.fromisoformat(call.query.get("until_on", (today + timedelta(days=1)).isoformat()))
    since = date.fromisoformat(call.query.get("since_on", (until - USUAL).isoformat()))
    if not timedelta(0) < until - since <= LONGEST:
        entry = violation("request.query", "until_on", given=until.isoformat(), allowed="1 to 366 days after since_on")
        raise Problem("request.query", "the period is empty or too long", [entry])
    if not _rows(work, custody_accounts, custody_accounts.c.bank_id == bank_id):
        raise not_found()
    start, end = _start(since), _start(until)
    moved = _rows(work, custody_movements, *_of(custody_movements, bank_id, "created_at", start, end))
    told = _rows(work, custody_instructions, *_of(custody_instructions, bank_id, "issued_at", start, end))
    opened = _rows(work, differences, *_of(differences, bank_id, "created_at", start, end))
    days = (statements.c.bank_id == bank_id, statements.c.statement_on >= since, statements.c.statement_on < until)
    return Answer(200, {
        "bank_id": bank_id, "since_on": since.isoformat(), "until_on": until.isoformat(),
        "movements": movements(moved), "instructions": instructions(told),
        "statements": statement_days(_days(work, bank_id, since, until), _rows(work, statements, *days)),
        "differences": difference_counts(opened),
    })  # fmt: skip


def movements(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """How long after booking lines were reported, and how many matched nothing."""
    waits = (row["created_at"] - parse(row["document"]["booked_at"]) for row in rows)
    unmatched = sum(row["state"] == "unmatched" for row in rows)
    return {"count": len(rows), "unmatched": unmatched, "reported_after": timing(waits)}


def instructions(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """What became of what the platform asked for, and how long it took."""
    states = Counter(row["state"] for row in rows)
    took = (row["executed_at"] - row["issued_at"] for row in rows if row["executed_at"] is not None)
    return {
        "count": len(rows), "executed": states["executed"], "failed": states["failed"],
        "unresolved": states["issued"] + states["accepted"], "executed_after": timing(took),
    }  # fmt: skip


def statement_days(moved: Iterable[tuple[str, date]], rows: Sequence[RowMapping]) -> dict[str, Any]:
    """Of the days on which something moved: how many have a statement, and how long after the day's end it came."""
    expected = set(moved)
    submitted = {(row["account_id"], row["statement_on"]) for row in rows}
    late = (row["created_at"] - _start(row["statement_on"] + timedelta(days=1)) for row in rows)
    return {
        "days_with_movements": len(expected), "submitted": len(submitted), "missing": len(expected - submitted),
        "with_differences": sum(row["state"] == "broken" for row in rows), "submitted_after": timing(late),
    }  # fmt: skip


def difference_counts(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """Differences that were opened, by type and by what became of them."""
    types, states = Counter(row["type"] for row in rows), Counter(row["state"] for row in rows)
    return {
        "count": len(rows), "unsettled": states["open"] + states["proposed"], "settled": states["settled"],
        "cleared": states["cleared"],
        "by_type": [{"type": name, "count": types[name]} for name in sorted(types)],
    }  # fmt: skip


def timing(waits: Iterable[timedelta]) -> dict[str, int | None]:
    """Half of them within, 95 of 100 within, and the longest, in whole seconds; a clock that was ahead counts as 0."""
    seconds = sorted(max(int(wait.total_seconds()), 0) for wait in waits)
    if not seconds:
        return {"half_s": None, "most_s": None, "longest_s": None}
    return {"half_s": _rank(seconds, 50), "most_s": _rank(seconds, 95), "longest_s": seconds[-1]}


def _rank(ordered: Sequence[int], share: int) -> int:
    return ordered[ceil(len(ordered) * share / 100) - 1]


def _days(work: Work, bank_id: str, since: date, until: date) -> set[tuple[str, date]]:
    mine = (custody_movements.c.bank_id == bank_id, custody_movements.c.value_on >= since,
            custody_movements.c.value_on < until)  # fmt: skip
    return {(row["account_id"], row["value_on"]) for row in _rows(work, custody_movements, *mine)}


def _of(table: Table, bank_id: str, name: str, start: datetime, end: datetime) -> Sequence[ColumnElement[bool]]:
    return table.c.bank_id == bank_id, table.c[name] >= start, table.c[name] < end


def _rows(work: Work, table: Table, *which: ColumnElement[bool]) -> Sequence[RowMapping]:
    assert work.party is not None
    return work.connection.execute(select(table).where(visible(work.party, table), *which)).mappings().all()


def _start(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), SHANGHAI)
