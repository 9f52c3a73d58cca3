"""`offcampus-rules check PATH`: is a plugin's folder lawful, complete, bilingual, pure, and do its cases come out?"""

from __future__ import annotations

from pathlib import Path

import click

from offcampus_rules import checking
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import load_ruleset, read_folder


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--above",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folders of the plugins above this one; default: the installed ones.",
)
def check(path: Path, above: tuple[Path, ...]) -> None:
    """Check the plugin in PATH; every finding with file and line. Exit status 1 when there is one."""
    superiors: tuple[Plugin, ...]
    superiors = tuple(read_folder(folder) for folder in above) if above else load_ruleset().assembly.plugins
    report = checking.check(path.resolve(), superiors)
    for problem in report.problems:
        click.echo(str(problem))
    if not report.passed:
        click.echo(f"{len(report.problems)} problems", err=True)
        raise SystemExit(1)
    click.echo(f"{path}: {report.parameters} parameters, {report.rules} rules, {report.cases} cases: nothing to report")
