"""What every command does alike: open the storage, and say what is wrong in one line."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from offcampus_rules.errors import RuleKitError

from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.unit_of_work import Storage
from offcampus_server.parties.service import PartyError
from offcampus_server.settings import Secrets, Settings, SettingsError


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """Say what is wrong in one line and exit 1; a stack trace helps nobody at a prompt."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (SettingsError, PartyError, RuleKitError, FileNotFoundError, ValueError) as error:
            raise click.ClickException(str(error)) from None

    return run


def open_storage() -> Storage:
    """The storage of the environment's settings."""
    from offcampus_rules import load_ruleset

    settings = Settings.from_environment()
    secret = Secrets.load(settings.secrets_file)
    engine = make_engine(settings.database_url)
    return Storage(engine, settings.clock(), load_ruleset, secret.vault(), settings.issuer, secret.cursor_key)
