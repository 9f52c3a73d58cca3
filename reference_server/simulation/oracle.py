"""A look into the database beside the server: raw rows, nobody's code in between."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from offcampus_server.kernel.db import Instant
from sqlalchemy.dialects import sqlite

from simulation.house import House, SqliteDisk

_INSTANT, _SQLITE = Instant(), sqlite.dialect()


class Oracle:
    """Reads what is committed, over a connection of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._connection: Any = None
        self._of: Any = None

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query with `?` for its values."""
        disk = self.house.disk
        current = disk.path if isinstance(disk, SqliteDisk) else disk.database
        if self._of != current:
            self.forget()
            self._connection, self._of = self._connect(), current
        if isinstance(disk, SqliteDisk):
            values = tuple(_INSTANT.process_bind_param(each, _SQLITE) if isinstance(each, datetime) else each
                           for each in values)  # fmt: skip
        else:
            statement = statement.replace("%", "%%").replace("?", "%s")
        return list(self._connection.execute(statement, values).fetchall())

    def one(self, statement: str, *values: Any) -> Any:
        """The only column of the only row."""
        return self.rows(statement, *values)[0][0]

    def forget(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._of = None

    def _connect(self) -> Any:
        disk = self.house.disk
        if isinstance(disk, SqliteDisk):
            return sqlite3.connect(disk.path, isolation_level=None)
        import psycopg

        return psycopg.connect(disk.address(), autocommit=True)
