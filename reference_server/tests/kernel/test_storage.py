"""What the engines promise, asserted: immediate transactions, foreign keys, durability, exact money, silent parameters."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from offcampus_server.kernel.db import LARGEST_INTEGER, Instant, Json, fen, make_engine, metadata, table
from offcampus_server.ledger.tables import accounts
from sqlalchemy import Column, Engine, Text, insert, select
from sqlalchemy.exc import IntegrityError
from world import World


@pytest.fixture
def engine(database_url: str) -> Any:
    made = make_engine(database_url)
    probe = table("probe", Column("id", Text, primary_key=True), Column("at", Instant), Column("document", Json),
                  *fen("amount_fen", server_default="0"))  # fmt: skip
    with made.begin() as connection:
        probe.create(connection)
    yield made, probe
    metadata.remove(probe)
    made.dispose()


def test_sqlite_keeps_its_promises(tmp_path: Path) -> None:
    """WAL, full synchronisation, foreign keys, strict tables."""
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with made.connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                   for name in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    made.dispose()


def test_a_writer_that_reads_first_is_alone(engine: tuple[Engine, Any]) -> None:
    """Read the remainder, then take it: of eight at once exactly one succeeds, on both engines."""
    made, probe = engine
    with made.begin() as connection:
        connection.execute(insert(probe), {"id": "x", "amount_fen": 100})
    taken: list[int] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        for _ in range(20):
            try:
                with made.begin() as connection:
                    left = connection.execute(select(probe.c.amount_fen).where(probe.c.id == "x")).scalar_one()
                    if left == 0:
                        return
                    connection.execute(probe.update().values(amount_fen=0))
                taken.append(left)
                return
            except Exception as error:
                if getattr(getattr(error, "orig", None), "sqlstate", None) not in ("40001", "40P01"):
                    raise

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [100]


@pytest.mark.parametrize("amount", [0, 1, 9_007_199_254_740_991, 123_456_789_012])
def test_money_comes_back_as_it_went_in(engine: tuple[Engine, Any], amount: int) -> None:
    """Every fen up to the largest integer of JSON."""
    made, probe = engine
    with made.begin() as connection:
        connection.execute(insert(probe), {"id": "x", "amount_fen": amount})
        assert connection.execute(select(probe.c.amount_fen)).scalar_one() == amount


@pytest.mark.parametrize("amount", [-1, LARGEST_INTEGER + 1])
def test_money_has_bounds(engine: tuple[Engine, Any], amount: int) -> None:
    """The engine refuses what no amount can be."""
    made, probe = engine
    with pytest.raises(IntegrityError), made.begin() as connection:
        connection.execute(insert(probe), {"id": "x", "amount_fen": amount})


def test_instants_are_aware(engine: tuple[Engine, Any]) -> None:
    """The same instant comes back, with its offset; a naive one is refused; None is SQL NULL."""
    made, probe = engine
    moment = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    with made.begin() as connection:
        connection.execute(insert(probe), {"id": "x", "at": moment, "document": None, "amount_fen": 0})
        row = connection.execute(select(probe)).one()
        assert row.at == moment
        assert row.at.isoformat() == "2026-03-01T09:30:00+08:00"
        assert connection.execute(select(probe.c.id).where(probe.c.document.is_(None))).scalar() == "x"
    with pytest.raises(Exception, match="naive"), made.begin() as connection:
        connection.execute(insert(probe), {"id": "y", "at": datetime(2026, 3, 1), "amount_fen": 0})


def test_a_savepoint_that_was_released_does_not_survive_a_rollback(engine: tuple[Engine, Any]) -> None:
    """What the default driver keeps, we do not."""
    made, probe = engine
    with pytest.raises(RuntimeError), made.begin() as connection:  # noqa: PT012
        with connection.begin_nested():
            connection.execute(insert(probe), {"id": "x", "amount_fen": 1})
        raise RuntimeError
    with made.connect() as connection:
        assert connection.execute(select(probe)).all() == []


def test_parameters_stay_out_of_errors(engine: tuple[Engine, Any]) -> None:
    """A duplicate is told without what was in it."""
    made, probe = engine
    with pytest.raises(IntegrityError) as caught, made.begin() as connection:
        connection.execute(insert(probe), [{"id": "CANARY", "amount_fen": 0}, {"id": "CANARY", "amount_fen": 0}])
    assert "CANARY" not in str(caught.value).partition("DETAIL")[0]


def test_orphans_are_refused(world: World) -> None:
    """A row that refers to nothing cannot be written."""
    with pytest.raises(IntegrityError), world.platform.storage.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO guardians (id, pupil_id, external_id, position, document) VALUES ('g', 'none', 'x', 0, '{}')"
        )
    with world.platform.storage.reading() as work:
        assert work.connection.execute(select(accounts)).all() == []
