"""Backup and restore: one consistent state of the database in one file, taken while the server serves.

- SQLite: its online backup; writers go on, the copy is checked and appears whole or not at all.
- PostgreSQL: `pg_dump` in a transaction that no serialisation anomaly can reach, and `pg_restore` in one transaction.
- What is restored is judged before anybody serves from it: `offcampus-server ledger verify --checkpoint FILE`.

Keys and secrets are no part of it: they are kept where the database is not.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from offcampus_server.kernel import outbox
from offcampus_server.kernel.db import make_engine

PAGES_AT_A_TIME = -1
"""All in one read transaction: a copy in steps begins anew whenever somebody writes, and under load never ends."""


class BackupError(ValueError):
    """A backup or a restore did not take place; the message says why."""


def back_up(database_url: str, out: Path) -> None:
    """Write one state of the database to a file, whole or not at all. Raises BackupError."""
    url, beside = make_url(database_url), out.with_name(f"{out.name}.part")
    try:
        if url.get_backend_name() == "sqlite":
            _copy(Path(_file(url)), beside)
        else:
            _run("pg_dump", url, "--format=custom", "--no-owner", "--serializable-deferrable", f"--file={beside}")
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def restore(database_url: str, source: Path) -> None:
    """Bring a backup into an empty database. Raises BackupError."""
    url = make_url(database_url)
    if not source.is_file():
        raise BackupError(f"{source} does not exist")
    if url.get_backend_name() == "sqlite":
        path = Path(_file(url))
        if path.exists() and path.stat().st_size:
            raise BackupError(f"{path} exists: restore beside it, verify, and only then put it in its place")
        _copy(source, path)
    else:
        _require_empty(database_url)
        name = url.database or ""
        _run(
            "pg_restore", url, "--exit-on-error", "--no-owner", "--single-transaction", f"--dbname={name}", str(source)
        )
    engine = make_engine(database_url)
    with engine.begin() as connection:
        outbox.go_on(connection)
    engine.dispose()


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BackupError(f"{source} does not exist")
    target.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new
    ):  # fmt: skip
        old.backup(new, pages=PAGES_AT_A_TIME)
        (found,) = new.execute("PRAGMA quick_check").fetchone()
    if found != "ok":
        raise BackupError(f"the copy is damaged: {found}")


def _file(url: URL) -> str:
    if not url.database or url.database == ":memory:":
        raise BackupError("a database in memory cannot be backed up")
    return url.database


def _require_empty(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.connect() as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        count = connection.exec_driver_sql(tables).scalar_one()
    engine.dispose()
    if count:
        raise BackupError(f"the database has {count} table(s): restore into an empty one")


def _run(program: str, url: URL, *options: str) -> None:
    """A program of PostgreSQL's, with the address where no list of processes shows its password."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"{program} is not on the PATH: install PostgreSQL's client programs, not older than the server"
        )
    host = url.host or url.query.get("host")
    given = {
        "PGHOST": str(host) if host else None, "PGPORT": str(url.port) if url.port else None, "PGUSER": url.username,
        "PGPASSWORD": url.password, "PGDATABASE": url.database,
    }  # fmt: skip
    environment = {**os.environ, **{name: value for name, value in given.items() if value}}
    done = subprocess.run([found, *options], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-500:]}")
