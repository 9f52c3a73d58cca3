"""Warnings raised by what moves: thresholds and levels are the rules', null means that nobody has regulated it.

Invariants
- A sign stands once per institution (or per movement) until it is closed; it never blocks or moves money.
- What nobody has set a threshold for raises nothing; what nobody has named a level for has none.
- A warning that is not handled in the rules' time is escalated, once, and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from offcampus_rules import InstitutionWindow, Scope
from offcampus_rules.calendar import nth_working_day, run_out
from sqlalchemy import RowMapping, bindparam, select

from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import resources
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.rulings import heard
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.warnings.tables import warnings

SIGNS_OF_LINES = {"sweep": "sweep", "manual_transfer": "release_without_lessons"}
"""By the type of a line's difference, what it is a sign of. A release that names no instruction is one too."""
GRAVEST = 5
PLAIN = 3
_DUE = (
    select(warnings)
    .where(warnings.c.state == "open", warnings.c.due_at <= bindparam("now"))
    .order_by(warnings.c.due_at)
    .limit(bindparam("limit"))
)
_STANDING = select(warnings).where(warnings.c.mark == bindparam("mark"), warnings.c.state != "closed")


@dataclass(frozen=True)
class Window:
    """What moved on an institution's accounts between two days (the second not included)."""

    institution_id: str
    since: date
    until: date
    balance_fen: int
    outflow_fen: int
    outflow_day_max_fen: int


@dataclass(frozen=True)
class Sign:
    """One sign of risk, before anybody knows whether it stands in the list already."""

    name: str
    institution_id: str
    mark: str
    severity: int
    level: str | None = None
    account_id: str | None = None
    movement_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    working: tuple[str, ...] = ()
    working_zh: tuple[str, ...] = ()


def watch(work: Work, window: Window) -> None:
    """Judge an institution's figures by the rules in force and raise what they warn of."""
    institution = institutions.row(work, window.institution_id)
    for scope in institutions.scopes_of(institution):
        case = InstitutionWindow(
            scope, window.since, window.until, custody_balance_fen=window.balance_fen, outflow_fen=window.outflow_fen,
            outflow_day_max_fen=window.outflow_day_max_fen,
        )  # fmt: skip
        figure = heard(work.rules.warning(case), institution["region_code"])
        result = figure.result or {}
        facts = {"custody_balance_fen": window.balance_fen, "outflow_day_max_fen": window.outflow_day_max_fen}
        for indicator in result.get("indicators", ()):
            mark = f"{window.institution_id} {indicator['id']}"
            severity, level = min(int(indicator["severity"]), GRAVEST), result.get("level")
            _raise(work, institution["region_code"], Sign(
                indicator["id"], window.institution_id, mark, severity, level, facts=facts, working=figure.working,
                working_zh=figure.working_zh,
            ), scope)  # fmt: skip


def line_came(work: Work, account: RowMapping, line: Mapping[str, Any], movement_id: str, break_type: str) -> None:
    """A line that is a sign by itself: a sweep (scenario 27: the gravest level), money out without any lesson."""
    unnamed = break_type == "unknown_reference" and line["kind"] == "release"
    name = "release_without_lessons" if unnamed else SIGNS_OF_LINES.get(break_type)
    if name is None:
        return
    scope = institutions.scopes(work, account["institution_id"])[0]
    gravest = name == "sweep"
    level = _gravest_level(work, scope) if gravest else None
    facts = {"amount_fen": line["amount_fen"], "bank_reference": line["bank_reference"], "break_type": break_type}
    sign = Sign(name, account["institution_id"], f"{movement_id} {name}", GRAVEST if gravest else PLAIN, level,
                account["id"], movement_id, facts)  # fmt: skip
    _raise(work, account["region_code"], sign, scope)


def escalate_overdue(work: Work, limit: int) -> int:
    """Warnings that nobody has handled in time; returns how many."""
    rows = work.connection.execute(_DUE, {"now": work.now, "limit": limit}).mappings().all()
    for row in rows:
        _change(work, row, None, "escalated", state="escalated")
    return len(rows)


def handle(call: Call, work: Work) -> Answer:
    """A department says what it does about a warning."""
    row = resources.find(work, warnings, call.path["warning_id"])
    checked = resources.transition(work, warnings, row, call.if_match, "handled", "open", "escalated",
                                   handling=_noted(call, work))  # fmt: skip
    return _told(work, "handled", checked)


def close(call: Call, work: Work) -> Answer:
    """A department is done with a warning that was handled; the same sign may be raised again."""
    row = resources.find(work, warnings, call.path["warning_id"])
    closed = resources.transition(work, warnings, row, call.if_match, "closed", "handled", closing=_noted(call, work))
    return _told(work, "closed", closed)


def present(row: RowMapping) -> dict[str, Any]:
    """A warning as it is answered (schema `warning-resource`)."""
    names = ("id", "version", "sign", "level", "severity", "state", "institution_id", "account_id", "movement_id",
             "facts", "handling", "closing")  # fmt: skip
    return {
        **{name: row[name] for name in names}, "working": row["working"]["en"], "working_zh": row["working"]["zh"],
        "due_at": rfc3339(row["due_at"]) if row["due_at"] else None,
        "created_at": rfc3339(row["created_at"]), "updated_at": rfc3339(row["updated_at"]),
    }  # fmt: skip


def _raise(work: Work, region_code: str, sign: Sign, scope: Scope) -> None:
    if (row := work.connection.execute(_STANDING, {"mark": sign.mark}).mappings().first()) is not None:
        if sign.severity > row["severity"] or row["level"] != sign.level:
            _change(work, row, None, "changed", severity=max(sign.severity, row["severity"]), level=sign.level,
                    facts=dict(sign.facts))  # fmt: skip
        return
    new = {
        "id": new_id("wrn"), "mark": sign.mark, "version": 1, "sign": sign.name, "level": sign.level,
        "severity": sign.severity, "state": "open", "institution_id": sign.institution_id, "region_code": region_code,
        "account_id": sign.account_id, "movement_id": sign.movement_id, "facts": dict(sign.facts),
        "working": {"en": list(sign.working), "zh": list(sign.working_zh)}, "due_at": _due_at(work, scope),
        "handling": None, "closing": None, "created_at": work.now, "updated_at": work.now,
    }  # fmt: skip
    made = resources.store(work, warnings, new)
    work.audit("raiseWarning", made["id"], made["institution_id"], detail={"sign": sign.name, "level": sign.level})
    _tell(work, "raised", made)


def _due_at(work: Work, scope: Scope) -> datetime | None:
    """Until when a warning must be handled; None where no rule says so."""
    value = work.rules.value("warning.handled_within", scope, work.now.date()).value
    return run_out(nth_working_day(work.now.date(), value).day) if isinstance(value, int) else None


def _gravest_level(work: Work, scope: Scope) -> str | None:
    levels = work.rules.warning_levels(scope, work.now.date())
    return levels[-1].id if levels else None


def _noted(call: Call, work: Work) -> dict[str, Any]:
    return {"officer": call.body["officer"], "note": call.body["note"], "at": rfc3339(work.now)}


def _told(work: Work, verb: str, row: RowMapping) -> Answer:
    work.audit(f"warning.{verb}", row["id"], row["institution_id"])
    _tell(work, verb, row)
    return Answer(200, present(row), row["version"])


def _change(work: Work, row: RowMapping, if_match: int | None, verb: str, **columns: Any) -> None:
    changed = resources.change(work, warnings, row, if_match, **columns)
    work.audit(f"warning.{verb}", row["id"], row["institution_id"])
    _tell(work, verb, changed)


def _tell(work: Work, verb: str, row: RowMapping) -> None:
    work.emit(
        "warning", verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        region_code=row["region_code"],
    )  # fmt: skip
