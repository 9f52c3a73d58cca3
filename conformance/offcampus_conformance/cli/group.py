"""The program, and what its commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.config import ConfigError
from offcampus_conformance.verdict import Exit

FILE = click.Path(path_type=Path)
EXISTING = click.Path(path_type=Path, exists=True)
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
@click.version_option(SUITE_VERSION)
def main() -> None:
    """Run it before you connect: it tells which requirement, what was expected, what came, and how to mend it.

    Exit codes: 0 conformant, 1 not conformant, 2 nothing judged or a wrong configuration, 3 the suite's own error,
    4 the target gave no answer, 5 the baseline lists what is mended.
    """


def with_config(command: Command) -> Command:
    """The option that names the configuration file."""
    option = click.option("--config", "path", type=FILE, default=Path("conformance.toml"), show_default=True)
    return option(command)


@contextmanager
def config_errors() -> Iterator[None]:
    """A wrong configuration ends the program with its message and exit code 2."""
    try:
        yield
    except ConfigError as error:
        click.echo(f"conformance.toml: {error}", err=True)
        sys.exit(Exit.NOTHING_JUDGED)
