"""Alembic's environment: runs on the engine that the caller gives."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from offcampus_server import pipeline, registry  # noqa: F401 - importing them registers every table
from offcampus_server.kernel import db, outbox


def render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types and defaults by name in a new revision."""
    if kind == "type" and type(item).__module__ == db.__name__:
        autogen.imports.add("from offcampus_server.kernel import db")
        return f"db.{type(item).__name__}()"
    if kind == "server_default" and isinstance(getattr(item, "arg", None), outbox.current_xid):
        autogen.imports.add("from offcampus_server.kernel import outbox")
        return "outbox.current_xid()"
    return False


def run() -> None:
    """Run migrations in one transaction."""
    engine = context.config.attributes["engine"]
    with engine.begin() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, render_item=render, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()


run()
