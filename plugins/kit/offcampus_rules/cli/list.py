"""`offcampus-rules list`: the installed plugins, and what they carry."""

from __future__ import annotations

import click

from offcampus_rules.registry import load_ruleset


@click.command("list")
@click.option("--parameters/--plugins-only", default=True, help="List every parameter below the plugins.")
def list_rules(parameters: bool) -> None:
    """List the installed plugins, the ones left out and why, and the parameters they define."""
    ruleset = load_ruleset()
    click.echo(f"ruleset {ruleset.digest}")
    for plugin in ruleset.assembly.plugins:
        info = plugin.info
        click.echo(f"{info.jurisdiction}  {info.distribution} {info.version}  {plugin.title_zh} / {plugin.title_en}")
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
    if ruleset.rejected:
        raise SystemExit(1)
