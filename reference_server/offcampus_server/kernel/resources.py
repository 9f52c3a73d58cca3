"""What every resource does alike: be stored once per own reference, be read by its owner, be listed by pages, change
under a version. What is particular to one resource stays with its capability.

Statements that every request needs are built once a table: building one costs more than SQLite needs to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from offcampus_spec import schemas
from sqlalchemy import ColumnElement, Executable, RowMapping, Table, bindparam, insert, select, update

from offcampus_server.kernel import violations
from offcampus_server.kernel.access import reach, visible, visible_to
from offcampus_server.kernel.clock import rfc3339
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.cursors import Cursors
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, not_found, violation, wrong_state
from offcampus_server.kernel.unit_of_work import Work

Document = dict[str, Any]
Present = Callable[[RowMapping], Document]
DEFAULT_LIMIT = 50


def known(work: Work, table: Table, document: Mapping[str, Any]) -> RowMapping | None:
    """The row that was stored under this external_id with the same content.

    Raises `resource.exists` when the external_id stands for another content.
    """
    assert work.party is not None
    mine = {"party": work.party.id, "reference": document["external_id"]}
    row = work.connection.execute(_by_reference(table), mine).mappings().first()
    if row is not None and row["digest"] != work.vault.digest(document):
        detail = f"external_id {document['external_id']!r} stands for {row['id']}"
        raise Problem("resource.exists", detail, [violation("resource.exists", "/external_id", given=row["id"])])
    return row


def create(
    work: Work, table: Table, prefix: str, sent: Mapping[str, Any], *, institution_id: str, region_code: str,
    state: str | None = None, stored: Mapping[str, Any] | None = None, **columns: Any,
) -> RowMapping:  # fmt: skip
    """Store a new resource and return its row.

    Args:
        sent: the document as it came; its keyed digest tells a repetition later.
        stored: the document as it is kept, when that differs (personal data are never kept in clear).
    """
    assert work.party is not None
    row = {
        "id": new_id(prefix),
        "external_id": sent["external_id"],
        "party_id": work.party.id,
        "institution_id": institution_id,
        "region_code": region_code,
        "version": 1,
        "state": state,
        "created_at": work.now,
        "updated_at": work.now,
        "digest": work.vault.digest(dict(sent)),
        "document": dict(sent if stored is None else stored),
        **columns,
    }
    return store(work, table, row)


def store(work: Work, table: Table, row: Mapping[str, Any]) -> RowMapping:
    """Insert a row and return it as it is stored."""
    return work.connection.execute(_insert(table), row).mappings().one()


def find(work: Work, table: Table, id: str) -> RowMapping:
    """A row that exists for the caller. Raises the one 404 otherwise."""
    if (row := seen(work, table, id)) is None:
        raise not_found()
    return row


def seen(work: Work, table: Table, id: str) -> RowMapping | None:
    """A row that exists for the caller; None otherwise."""
    assert work.party is not None
    sought = {"id": id, **reach(work.party)}
    return work.connection.execute(_seen(table, work.party.role), sought).mappings().first()


def read(call: Call, work: Work, table: Table, id: str, present: Present) -> Answer:
    """Answer one resource, or 304 when the caller has its version."""
    row = find(work, table, id)
    if call.if_none_match == row["version"]:
        return Answer(304, None, row["version"])
    return Answer(200, present(row), row["version"])


def page(
    call: Call, work: Work, table: Table, present: Present, *conditions: ColumnElement[bool],
    scope: ColumnElement[bool] | None = None,
    special: frozenset[str] = frozenset(),
) -> Answer:  # fmt: skip
    """Answer one page of what the caller may see, in order of identifier: stable while rows are added.

    Query parameters are equalities of the table's columns, but for the `special` ones, which the caller has made
    into conditions.
    """
    cursors = Cursors(work.cursor_secret)
    filters = {name: value for name, value in call.query.items() if name not in ("limit", "cursor")}
    bound_to = {"party": work.party.id if work.party else "", "operation": call.operation.operation_id, "by": filters}
    limit = int(call.query.get("limit", DEFAULT_LIMIT))
    where = [*conditions, *(table.c[name] == value for name, value in filters.items() if name not in special)]
    if scope is not None:
        where.append(scope)
    elif work.party is not None:
        where.append(visible(work.party, table))
    if "cursor" in call.query:
        where.append(table.c.id > cursors.read(call.query["cursor"], **bound_to))
    rows = work.connection.execute(select(table).where(*where).order_by(table.c.id).limit(limit + 1)).mappings().all()
    shown, more = rows[:limit], len(rows) > limit
    cursor = cursors.make(shown[-1]["id"], **bound_to) if more else None
    address = _next(call, filters, limit, cursor)
    headers = {"Link": f'<{address}>; rel="next"'} if address else {}
    return Answer(
        200, {"items": [present(row) for row in shown], "next_cursor": cursor, "next": address}, headers=headers
    )


def change(work: Work, table: Table, row: RowMapping, if_match: int | None, **columns: Any) -> RowMapping:
    """Write a new version of a row. Raises `concurrency.stale` when the caller's version is not the current one."""
    current = row["version"]
    if if_match is not None and if_match != current:
        raise stale(current)
    changes = {"version": current + 1, "updated_at": work.now, **columns}
    which = {"which": row["id"], "current": current}
    changed = work.connection.execute(_change(table), {**changes, **which}).mappings().first()
    if changed is None:
        raise stale(current)
    return changed


def touch(work: Work, table: Table, id: str) -> RowMapping:
    """A new version of a row that shows something which is kept elsewhere: its money, its parts."""
    return work.connection.execute(_touch(table), {"which": id, "now": work.now}).mappings().one()


def transition(
    work: Work, table: Table, row: RowMapping, if_match: int | None, to: str, *sources: str, **columns: Any
) -> RowMapping:
    """A state change under a version. Raises `concurrency.stale` first, then `resource.state`."""
    require_state(row, if_match, *sources)
    return change(work, table, row, if_match, state=to, **columns)


def require_state(row: RowMapping, if_match: int | None, *sources: str) -> None:
    """The caller's version is the current one and the state one of these; raises as `transition` does."""
    if if_match is not None and if_match != row["version"]:
        raise stale(row["version"])
    if row["state"] not in sources:
        raise wrong_state(row["state"], *sources)


def stale(current: int) -> Problem:
    """The caller's version is not the current one; the answer carries the current ETag."""
    detail = f"the current version is {current}"
    given = [violation("concurrency.stale", allowed=f'"{current}"')]
    return Problem("concurrency.stale", detail, given, {"ETag": f'"{current}"'})


def merged(document: Mapping[str, Any], patch: Mapping[str, Any], schema: str, *fixed: str) -> Document:
    """A document after a JSON Merge Patch (RFC 7396), checked against its schema.

    Absent stays, null removes. Raises `schema.invalid` when the result is not lawful or a fixed member would change.
    """
    frozen = [name for name in fixed if name in patch and patch[name] != document.get(name)]
    if frozen:
        raise violations.refusal([violation("schema.fixed_member", f"/{name}") for name in frozen])
    result = _merge(dict(document), patch)
    violations.check(schemas.validator(schema), result)
    return result


def presented(row: RowMapping, *, institution: bool = True, **more: Any) -> Document:
    """The document of a row with the members that every resource has."""
    body = {
        **row["document"],
        "id": row["id"],
        "version": row["version"],
        "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
        **more,
    }
    if institution:
        body["institution_id"] = row["institution_id"]
    if row["state"] is not None:
        body["state"] = row["state"]
    return body


def created(row: RowMapping, collection: str, body: Document) -> Answer:
    """201 with where it is read."""
    return Answer(201, body, row["version"], {"Location": f"/v1/{collection}/{row['id']}"})


def by_ids(work: Work, table: Table, ids: Sequence[str]) -> dict[str, RowMapping]:
    """Rows by identifier, whoever owns them; callers check what belongs to whom."""
    if len(ids) == 1:
        row = work.connection.execute(_by_id(table), {"id": ids[0]}).mappings().first()
        return {} if row is None else {row["id"]: row}
    found: dict[str, RowMapping] = {}
    for start in range(0, len(ids), 500):
        rows = work.connection.execute(_by_ids(table), {"ids": ids[start : start + 500]}).mappings()
        found |= {row["id"]: row for row in rows}
    return found


@cache
def _by_reference(table: Table) -> Executable:
    return select(table).where(table.c.party_id == bindparam("party"), table.c.external_id == bindparam("reference"))


@cache
def _by_id(table: Table) -> Executable:
    return select(table).where(table.c.id == bindparam("id"))


@cache
def _by_ids(table: Table) -> Executable:
    return select(table).where(table.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _seen(table: Table, role: str) -> Executable:
    return select(table).where(table.c.id == bindparam("id"), visible_to(role, table))


@cache
def _insert(table: Table) -> Executable:
    return insert(table).returning(*table.c)


@cache
def _change(table: Table) -> Executable:
    """What is set is told by the names of the values that it is executed with."""
    mine = (table.c.id == bindparam("which")) & (table.c.version == bindparam("current"))
    return update(table).where(mine).returning(*table.c)


@cache
def _touch(table: Table) -> Executable:
    changes = {"version": table.c.version + 1, "updated_at": bindparam("now")}
    return update(table).where(table.c.id == bindparam("which")).values(changes).returning(*table.c)


def _merge(target: Document, patch: Mapping[str, Any]) -> Document:
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, Mapping):
            inner = target.get(name)
            target[name] = _merge(dict(inner) if isinstance(inner, Mapping) else {}, value)
        else:
            target[name] = value
    return target


def _next(call: Call, filters: Mapping[str, Any], limit: int, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    path = call.operation.path
    for name, value in call.path.items():
        path = path.replace(f"{{{name}}}", value)
    query = "&".join(f"{name}={value}" for name, value in {**filters, "limit": limit, "cursor": cursor}.items())
    return f"{path}?{query}"
