"""Append-only tables: the engine itself refuses to change or delete a row, or to take one that its table cannot hold.

DDL for both engines, one place. Conditions are written for PostgreSQL; SQLite before 3.39 knows `IS NOT DISTINCT FROM`
only as `IS`.
"""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {condition}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$
"""
_POSTGRES = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} FOR EACH ROW {condition}
EXECUTE FUNCTION refuse_change()
"""

_SQLITE_INSERT = """
CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} WHEN ({when}) AND ({condition})
BEGIN SELECT RAISE(ABORT, '{table}: unlawful {name}'); END
"""
_POSTGRES_INSERT_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
IF {condition} THEN RAISE EXCEPTION '{table}: unlawful {name}'; END IF;
RETURN NEW;
END $$
"""
_POSTGRES_INSERT = """
CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when})
EXECUTE FUNCTION {table}_{name}()
"""


def statements(table: str, dialect: str, *, update_when: str | None = None) -> list[str]:
    """The DDL that makes a table append-only.

    Args:
        update_when: an SQL condition over OLD and NEW under which an update is refused; None refuses every update.
    """
    template, first = (_SQLITE, []) if dialect == "sqlite" else (_POSTGRES, [_POSTGRES_FUNCTION])
    condition = f"WHEN ({update_when})" if update_when else ""
    update = _spoken(template.format(table=table, verb="UPDATE", condition=condition), dialect)
    delete = template.format(table=table, verb="DELETE", condition="")
    return [*first, update, delete]


def insert_statements(table: str, dialect: str, name: str, *, when: str, condition: str = "1 = 1") -> list[str]:
    """The DDL that makes the engine refuse rows.

    Args:
        name: what is unlawful about them, in one word; it is in the engine's message.
        when: an SQL condition over NEW; on PostgreSQL without subqueries.
        condition: another one, which may have some; a row is refused when both hold.
    """
    templates = [_SQLITE_INSERT] if dialect == "sqlite" else [_POSTGRES_INSERT_FUNCTION, _POSTGRES_INSERT]
    return [_spoken(each.format(table=table, name=name, when=when, condition=condition), dialect) for each in templates]


def refuse_insert(table: Table, name: str, *, when: str, condition: str = "1 = 1") -> None:
    """Make the engine refuse rows whenever the table is created from the metadata."""
    table.info.setdefault("refused", []).append(name)
    for dialect in ("sqlite", "postgresql"):
        for statement in insert_statements(table.name, dialect, name, when=when, condition=condition):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def protect(table: Table, *, update_when: str | None = None) -> None:
    """Make a table append-only whenever it is created from the metadata."""
    table.info["append_only"] = {"update_when": update_when}
    for dialect in ("sqlite", "postgresql"):
        for statement in statements(table.name, dialect, update_when=update_when):
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def _spoken(statement: str, dialect: str) -> str:
    return statement.replace(" IS NOT DISTINCT FROM ", " IS ") if dialect == "sqlite" else statement
