"""The database as our code sees it: one metadata, our own column types, engines that do not lie about transactions.

Invariants:
- money and hours are integers in STRICT tables: no Numeric, no float (SQLite would change them without a word);
- a write on SQLite opens with BEGIN IMMEDIATE: the default driver lets two writers read the same remainder;
- foreign keys are on, WAL with synchronous=FULL: what was acknowledged survives the process;
- parameters never reach an exception's text or a log: they may be personal data.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from offcampus_server.kernel.clock import SHANGHAI

LARGEST_INTEGER = 2**53 - 1
BUSY_TIMEOUT_MS = 5000

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigInt = BigInteger().with_variant(Integer(), "sqlite")
"""64-bit on both engines; SQLite's STRICT tables know it as INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An aware instant. Text in UTC with microseconds on SQLite (so that it sorts), timestamptz on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        if dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(SHANGHAI)


class Day(TypeDecorator[date]):
    """A calendar day, never an instant."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class Json(TypeDecorator[Any]):
    """A JSON document; None is SQL NULL, never the JSON `null`."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return orjson.dumps(value).decode() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value


def fen(name: str, **options: Any) -> list[SchemaItem]:
    """A column of integer fen with its bounds."""
    bounds = CheckConstraint(f"{name} BETWEEN 0 AND {LARGEST_INTEGER}", name=f"{name}_range")
    return [Column(name, BigInt, nullable=False, **options), bounds]


def resource_columns() -> list[SchemaItem]:
    """What every resource's table starts with. `digest` is a keyed digest of the document as it was sent."""
    return [
        Column("id", Text, primary_key=True),
        Column("external_id", Text, nullable=False),
        Column("party_id", Text, nullable=False),
        Column("institution_id", Text, nullable=False, index=True),
        Column("region_code", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("state", Text),
        Column("created_at", Instant, nullable=False),
        Column("updated_at", Instant, nullable=False),
        Column("digest", Text, nullable=False),
        Column("document", Json, nullable=False),
        UniqueConstraint("party_id", "external_id"),
    ]


def table(name: str, *items: SchemaItem) -> Table:
    """A table of ours: STRICT on SQLite."""
    return Table(name, metadata, *items, sqlite_strict=True)


def make_engine(url: str) -> Engine:
    """An engine with the guarantees above. `url` is a SQLAlchemy address: sqlite:///… or postgresql+psycopg://…"""
    if url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        hide_parameters=True,
        isolation_level="SERIALIZABLE",
        pool_pre_ping=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver's own is neither early nor complete
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
