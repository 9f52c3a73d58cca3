"""`offcampus-rules`: read the rules in force, check a province's package, explain a decision."""

from __future__ import annotations

from typing import Any

import click

from offcampus_rules.cli.check import check
from offcampus_rules.cli.diff import diff
from offcampus_rules.cli.explain import explain
from offcampus_rules.cli.list import list_rules
from offcampus_rules.cli.lock import lock
from offcampus_rules.cli.new import new
from offcampus_rules.cli.replay import replay
from offcampus_rules.cli.show import show
from offcampus_rules.errors import RuleKitError


class _Group(click.Group):
    """What the kit raises about files and rules is told like a wrong argument: no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RuleKitError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="offcampus-rules")
def main() -> None:
    """Rules of off-campus training: dated, sourced, explained."""


for command in (new, list_rules, show, check, explain, replay, diff, lock):
    main.add_command(command)
