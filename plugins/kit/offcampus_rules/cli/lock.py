"""`offcampus-rules lock`: write down which plugins are in force, or check that they still are."""

from __future__ import annotations

from pathlib import Path

import click

from offcampus_rules import lockfile
from offcampus_rules.registry import installed, load_ruleset


@click.command()
@click.option(
    "--file", "path", default=lockfile.NAME, show_default=True, type=click.Path(dir_okay=False, path_type=Path)
)
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 when what is installed is not as locked.")
def lock(path: Path, check: bool) -> None:
    """Lock the installed plugins by version and content; modes that stand in the file are kept."""
    known = lockfile.read(path) if path.is_file() else None
    if check:
        if known is None:
            raise click.ClickException(f"{path} is not there; offcampus-rules lock writes it")
        ruleset = load_ruleset(lock=known)
        for item in ruleset.rejected:
            click.echo(f"{item.jurisdiction or '------'}  {item.name}: {item.reason}")
        if not all(item.by_choice for item in ruleset.rejected):
            raise SystemExit(1)
        click.echo(f"{path}: {len(known.plugins)} plugins, as locked")
        return
    ruleset = installed()
    if ruleset.rejected:
        raise click.ClickException("\n".join(f"{item.name}: {item.reason}" for item in ruleset.rejected))
    fresh = lockfile.of(ruleset.plugins, known)
    path.write_text(lockfile.written(fresh), encoding="utf-8")
    click.echo(f"{path}: {len(fresh.plugins)} plugins locked, ruleset {ruleset.digest}")
