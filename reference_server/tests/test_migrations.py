"""Migrations: up from empty on both engines, and then exactly what the code expects."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from offcampus_server import pipeline, registry
from offcampus_server.kernel.db import make_engine, metadata
from offcampus_server.migrations import at_head, upgrade
from sqlalchemy import inspect

assert pipeline
assert registry


def test_up_from_empty(database_url: str) -> None:
    """An empty database comes to the newest shape, a second run changes nothing, and the models find what they expect."""
    engine = make_engine(database_url)
    assert not at_head(engine)
    upgrade(engine)
    upgrade(engine)
    assert at_head(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert differences == []
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_append_only_is_part_of_the_shape(database_url: str) -> None:
    """Every table that the code protects is protected in the database."""
    engine = make_engine(database_url)
    upgrade(engine)
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'" if engine.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )  # fmt: skip
    with engine.connect() as connection:
        triggers = {name.lower() for name in connection.exec_driver_sql(query).scalars()}
    protected = {name for name, table in metadata.tables.items() if "append_only" in table.info}
    assert protected == {"audit", "decisions", "events", "ledger_transfers", "log_entries", "log_heads"}
    refused = {f"{name}_{what}" for name, table in metadata.tables.items() for what in table.info.get("refused", [])}
    assert refused == {"ledger_transfers_legs", "ledger_transfers_reversal"}
    assert triggers == {f"{name}_no_{verb}" for name in protected for verb in ("update", "delete")} | refused
    engine.dispose()
