"""`offcampus-rules list`: the installed plugins, and what they carry."""

from __future__ import annotations

from pathlib import Path

import click

from offcampus_rules import lockfile
from offcampus_rules.registry import load_ruleset


@click.command("list")
@click.option("--parameters/--plugins-only", default=True, help="List every parameter below the plugins.")
@click.option(
    "--lock", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The operator's lock: show its modes."
)
def list_rules(parameters: bool, lock: Path | None) -> None:
    """List the installed plugins, the ones left out and why, and the parameters they define.

    Exit status 1: a plugin is left out that should be in force. What the lock leaves out on purpose is only told.
    """
    known = lockfile.read(lock) if lock is not None else None
    ruleset = load_ruleset(lock=known)
    click.echo(f"ruleset {ruleset.digest}")
    for plugin in (ruleset.advisory or ruleset).assembly.plugins:
        info = plugin.info
        walls = f"  Python in a worker ({', '.join(plugin.code.walls)})" if plugin.code is not None else ""
        how = "" if known is None else f"  {known.mode(info.jurisdiction, info.distribution)}"
        title = f"{plugin.title_zh} / {plugin.title_en}"
        click.echo(f"{info.jurisdiction}  {info.distribution} {info.version}{how}  {title}{walls}")
    for item in ruleset.rejected:
        click.echo(f"{item.jurisdiction or '??????'}  {item.name}  LEFT OUT: {item.reason}", err=True)
    if parameters:
        for name, definition in sorted(ruleset.parameters.items()):
            count = len(ruleset.assembly.entries.get(name, ()))
            click.echo(
                f"  {name:36} {definition.binding:9} {count:2} values  {definition.title_zh} / {definition.title_en}"
            )
    for problem in ruleset.reports():
        click.echo(str(problem), err=True)
    if not all(item.by_choice for item in ruleset.rejected):
        raise SystemExit(1)
