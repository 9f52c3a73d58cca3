"""Migrations: the database's shape is changed here and nowhere else, by Alembic, before any process serves."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def configuration(engine: Engine) -> Config:
    """Alembic's configuration for an engine; no ini file is needed."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to a revision; from empty too."""
    command.upgrade(configuration(engine), revision)


def at_head(engine: Engine) -> bool:
    """Is the database at the newest revision?"""
    script = ScriptDirectory.from_config(configuration(engine))
    with engine.connect().execution_options(reading=True) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == script.get_current_head()
