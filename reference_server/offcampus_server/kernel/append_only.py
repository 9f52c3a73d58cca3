"""Append-only tables: the engine itself refuses to change or delete a row. DDL for both engines, one place."""

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


def statements(table: str, dialect: str, *, update_when: str | None = None) -> list[str]:
    """The DDL that makes a table append-only.

    Args:
        update_when: an SQL condition over OLD and NEW under which an update is refused; None refuses every update.
    """
    template, first = (_SQLITE, []) if dialect == "sqlite" else (_POSTGRES, [_POSTGRES_FUNCTION])
    condition = f"WHEN ({update_when})" if update_when else ""
    update = template.format(table=table, verb="UPDATE", condition=condition)
    delete = template.format(table=table, verb="DELETE", condition="")
    return [*first, update, delete]


def protect(table: Table, *, update_when: str | None = None) -> None:
    """Make a table append-only whenever it is created from the metadata."""
    table.info["append_only"] = {"update_when": update_when}
    for dialect in ("sqlite", "postgresql"):
        for statement in statements(table.name, dialect, update_when=update_when):
            ddl = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
