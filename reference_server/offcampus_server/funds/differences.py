"""Differences: the work list of what bank and platform see differently, each with a type, a state and an owner.

Invariants
- A difference stands in the list once, whatever is sent again, until two persons settle it or it is gone by itself.
- Nothing here moves money; `settlements` does, when a second person has approved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from offcampus_spec import codelists
from sqlalchemy import RowMapping, insert, select

from offcampus_server.funds.decisions import Break
from offcampus_server.funds.tables import differences
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.unit_of_work import Work

STANDING = ("open", "proposed")


@dataclass(frozen=True)
class Found:
    """A difference as it is found: `mark` says when two are the same one."""

    mark: str
    type: str
    statement_on: date | None = None
    movement_id: str | None = None
    instruction_id: str | None = None
    bank_reference: str | None = None
    expected_fen: int | None = None
    got_fen: int | None = None


def add(work: Work, account: RowMapping, found: Found) -> str:
    """Put a difference on the list, or complete the one that stands there; returns its identifier."""
    standing = select(differences).where(differences.c.mark == found.mark, differences.c.state.in_(STANDING))
    if (row := work.connection.execute(standing).mappings().first()) is not None:
        if row["movement_id"] is None and found.movement_id is not None:
            more = {"movement_id": found.movement_id, "bank_reference": found.bank_reference}
            _tell(work, "changed", resources.change(work, differences, row, None, **more))
        return str(row["id"])
    new = insert(differences).returning(*differences.c)
    made = work.connection.execute(new, _new(work, account, found)).mappings().one()
    work.audit("openDifference", made["id"], made["institution_id"], detail={"type": made["type"]})
    _tell(work, "opened", made)
    return str(made["id"])


def of_movement(line: Mapping[str, Any], movement_id: str, break_type: str) -> Found:
    """A movement that matches nothing, or not what it names. A late success is one, however often it is told."""
    instruction_id = line.get("instruction_id")
    late = break_type == "late_success"
    mark = f"late_success {instruction_id}" if late else f"movement {movement_id}"
    return Found(
        mark, break_type, movement_id=movement_id, instruction_id=instruction_id,
        bank_reference=line["bank_reference"], got_fen=line["amount_fen"],
    )  # fmt: skip


def compare(work: Work, account: RowMapping, day: date, breaks: Iterable[Break]) -> None:
    """Make the list of a statement's day what the comparison has found: new ones open, those that are gone clear."""
    found = {entry.mark: entry for entry in _of_statement(account["id"], day, breaks)}
    query = select(differences).where(
        differences.c.account_id == account["id"], differences.c.statement_on == day, differences.c.state != "cleared"
    )
    known = {row["mark"]: row for row in work.connection.execute(query).mappings()}
    for mark, row in known.items():
        if mark not in found and row["state"] in STANDING:
            change(work, row, "clearDifference", "cleared", state="cleared")
    for mark, entry in found.items():
        if mark not in known:
            add(work, account, entry)


def clear(work: Work, mark: str) -> None:
    """A difference is gone by itself."""
    standing = select(differences).where(differences.c.mark == mark, differences.c.state.in_(STANDING))
    if (row := work.connection.execute(standing).mappings().first()) is not None:
        change(work, row, "clearDifference", "cleared", state="cleared")


def change(work: Work, row: RowMapping, action: str, verb: str, if_match: int | None = None, **columns: Any) -> Any:
    """Write a new version of a difference, with audit and event."""
    changed = resources.change(work, differences, row, if_match, **columns)
    work.audit(action, changed["id"], changed["institution_id"])
    _tell(work, verb, changed)
    return changed


def page(call: Call, work: Work) -> Answer:
    """The list, as far as the caller sees it."""
    return resources.page(call, work, differences, present)


def read(call: Call, work: Work) -> Answer:
    """One of the list."""
    return resources.read(call, work, differences, call.path["difference_id"], present)


def present(row: RowMapping) -> dict[str, Any]:
    """A difference as it is answered (schema `difference-resource`)."""
    names = (
        "id", "version", "type", "state", "owner", "bank_id", "institution_id", "account_id", "movement_id",
        "instruction_id", "bank_reference", "expected_fen", "got_fen", "settlement",
    )  # fmt: skip
    return {
        **{name: row[name] for name in names},
        "statement_on": row["statement_on"].isoformat() if row["statement_on"] else None,
        "created_at": rfc3339(row["created_at"]), "updated_at": rfc3339(row["updated_at"]),
    }  # fmt: skip


@cache
def first_owner(break_type: str) -> str:
    """Who settles a type of difference unless a department says otherwise (code list `break-types`)."""
    return codelists.load("break-types").codes[break_type].extra["owner"]


def _of_statement(account_id: str, day: date, breaks: Iterable[Break]) -> Iterable[Found]:
    seen: Counter[str] = Counter()
    for entry in breaks:
        sums = f"{entry.expected_fen} {entry.got_fen}"
        mark = f"statement {account_id} {day} {entry.type} {entry.bank_reference} {entry.movement_id} {sums}"
        seen[mark] += 1
        yield Found(
            f"{mark} {seen[mark]}", entry.type, day, entry.movement_id, None, entry.bank_reference,
            entry.expected_fen, entry.got_fen,
        )  # fmt: skip


def _new(work: Work, account: RowMapping, found: Found) -> dict[str, Any]:
    return {
        "id": new_id("dif"), "mark": found.mark, "version": 1, "type": found.type, "state": "open",
        "owner": first_owner(found.type), "bank_id": account["bank_id"], "institution_id": account["institution_id"],
        "region_code": account["region_code"], "account_id": account["id"], "statement_on": found.statement_on,
        "movement_id": found.movement_id, "instruction_id": found.instruction_id,
        "bank_reference": found.bank_reference, "expected_fen": found.expected_fen, "got_fen": found.got_fen,
        "settlement": None, "created_at": work.now, "updated_at": work.now,
    }  # fmt: skip


def _tell(work: Work, verb: str, row: RowMapping) -> None:
    work.emit(
        "difference", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        region_code=row["region_code"], bank_id=row["bank_id"],
    )  # fmt: skip
