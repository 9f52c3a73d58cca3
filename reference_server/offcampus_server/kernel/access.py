"""Who may see and do what: role (by scope), region and ownership, decided here and nowhere else, denied by default.

- an institution's system sees the institutions that were granted to it;
- a bank sees what lies at that bank;
- a management department and the parent terminal's backend see their region and all below it;
- what a party may not see does not exist for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offcampus_spec.operations import Operation
from sqlalchemy import ColumnElement, Table, bindparam, false, true

from offcampus_server.kernel.problems import Problem, violation

NATION = "000000"


@dataclass(frozen=True)
class Party:
    """Who calls: a registered system, its one role, its region, the institutions that it acts for."""

    id: str
    name: str
    role: str
    region_code: str
    scopes: frozenset[str]
    institution_ids: frozenset[str] = field(default=frozenset())


def require_scope(party: Party, operation: Operation) -> None:
    """Raises 403 when the party's token does not hold the operation's scope."""
    if operation.scope is not None and operation.scope not in party.scopes:
        detail = f"{operation.operation_id} needs the scope {operation.scope}; the role {party.role} has it not"
        raise Problem("auth.scope", detail, [violation("auth.scope", allowed=operation.scope, given=party.role)])


def visible(party: Party, table: Table) -> ColumnElement[bool]:
    """The rows of a table that exist for a party."""
    return _visible(party.role, table, reach(party))


def visible_to(role: str, table: Table) -> ColumnElement[bool]:
    """The same for whichever party of a role a statement is executed with: `reach` tells its values."""
    return _visible(role, table, _REACH)


def reach(party: Party) -> dict[str, Any]:
    """What a party is shown by, as `visible_to` asks for it."""
    if party.role == "institution_system":
        return {"institutions": sorted(party.institution_ids)}
    return {"bank": party.id} if party.role == "bank" else {"region": region_prefix(party.region_code)}


_REACH: dict[str, Any] = {
    "institutions": bindparam("institutions", expanding=True), "bank": bindparam("bank"), "region": bindparam("region"),
}  # fmt: skip


def _visible(role: str, table: Table, shown_by: Mapping[str, Any]) -> ColumnElement[bool]:
    if role == "institution_system" and "institution_id" in table.c:
        return table.c.institution_id.in_(shown_by["institutions"])
    if role == "bank" and "bank_id" in table.c:
        at_the_bank: ColumnElement[bool] = table.c.bank_id == shown_by["bank"]
        return at_the_bank
    if role in ("authority", "guardian_app") and "region_code" in table.c:
        return table.c.region_code.startswith(shown_by["region"])
    return false()


def owns_region(party: Party, region_code: str) -> bool:
    """Does a region lie in the party's own, or below it?"""
    return region_code.startswith(region_prefix(party.region_code))


def region_prefix(region_code: str) -> str:
    """What the codes of all places in a region start with: 110000 -> 11, 330100 -> 3301, 000000 -> nothing."""
    if region_code == NATION:
        return ""
    if region_code.endswith("0000"):
        return region_code[:2]
    return region_code[:4] if region_code.endswith("00") else region_code


def within(column: ColumnElement[str], region_code: str) -> ColumnElement[bool]:
    """The rows whose region is this one or lies below it."""
    prefix = region_prefix(region_code)
    return column.startswith(prefix, autoescape=True) if prefix else true()
