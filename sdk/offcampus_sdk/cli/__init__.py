"""The command `offcampus` (also `offcampus-sdk`): from nothing to a first call, and what an operator needs afterwards.

Exit codes: 0 done, 1 something was refused or is wrong, 2 the command cannot be carried out as given, 3 the platform
could not be reached or refused the party.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from offcampus_sdk.cli import doctor, settings, starting, transferring
from offcampus_sdk.errors import OffcampusError
from offcampus_sdk.importing import mapping
from offcampus_sdk.importing.mapping import MappingError
from offcampus_sdk.importing.rows import NoHeader
from offcampus_sdk.importing.sheets import UnreadableFile
from offcampus_sdk.spool import SpoolBusy

CANNOT = (
    settings.SettingsError, MappingError, NoHeader, UnreadableFile, FileExistsError, FileNotFoundError, ValueError,
)  # fmt: skip
"""The command cannot be carried out as it was given."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        text, fine = _run(given)
    except CANNOT as error:
        print(f"offcampus: {error}", file=sys.stderr)
        return 2
    except SpoolBusy as error:
        print(f"offcampus: {error}", file=sys.stderr)
        return 1
    except OffcampusError as error:
        print(f"offcampus: {error}", file=sys.stderr)
        return 3
    print(text)
    return 0 if fine else 1


def _run(given: argparse.Namespace) -> tuple[str, bool]:
    if given.command == "init":
        return starting.init(given.folder, given.platform, given.name), True
    if given.command == "first-call":
        return starting.first_call(given.config), True
    if given.command == "doctor":
        found = list(doctor.examine(given.config))
        return "\n".join(map(str, found)), all(item.outcome != "wrong" for item in found)
    if given.command == "status":
        if not given.spool.is_file():
            raise FileNotFoundError(f"{given.spool} is no spool")
        return transferring.status(given.spool), True
    if given.command == "drain":
        return transferring.drain(given.spool, given.config)
    context = dict(_pair(text) for text in given.set)
    return transferring.import_file(
        given.file, given.mapping, context, config=given.config, spool=given.spool, dry_run=given.dry_run,
        report_to=given.report,
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="offcampus", description="Connect a product to a platform of the standard.")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make a key, a registration request and settings")
    init.add_argument("folder", type=Path, nargs="?", default=Path())
    init.add_argument("--platform", required=True, metavar="URL")
    init.add_argument("--name", default="", help="what the product is called, for the registration")
    for name, text in (
        ("first-call", "what the platform implements, and for whom this party may act"),
        ("doctor", "find what stands between this machine and the platform"),
        ("drain", "send what waits in a spool"),
        ("import", "report a CSV or XLSX export"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", type=Path, default=Path(settings.NAME))
        if name == "drain":
            command.add_argument("spool", type=Path)
        if name == "import":
            _import_arguments(command)
    status = commands.add_parser("status", help="how many records of a spool wait, are done, were refused and why")
    status.add_argument("spool", type=Path)
    return parser


def _import_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path)
    shipped = ", ".join(mapping.shipped())
    command.add_argument("--mapping", required=True, help=f"a mapping file, or one that comes along: {shipped}")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a value for the whole file")
    command.add_argument("--dry-run", action="store_true", help="judge every row and send nothing")
    command.add_argument("--report", type=Path, metavar="FILE", help="every row's fate, as CSV or JSON")
    command.add_argument("--spool", type=Path, default=Path("spool.db"))


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise ValueError(f"--set {text}: write NAME=VALUE")
    return name, value
