"""`offcampus-rules check PATH`: is a plugin's folder lawful, complete, bilingual, pure, and do its cases come out?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
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
@click.option("--coverage", is_flag=True, help="Also: does a case stand on each edge of each value (R-EDGE)?")
@click.option("--mutate", is_flag=True, help="Also: would a case notice each slip in a value (R-SURVIVOR)?")
@click.option(
    "--suggest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --mutate: write cases that would notice what survived. Read each against the text before you keep it.",
)
def check(path: Path, above: tuple[Path, ...], coverage: bool, mutate: bool, suggest: Path | None) -> None:
    """Check the plugin in PATH; every finding with file and line. Exit status 1 when there is one."""
    superiors: tuple[Plugin, ...]
    superiors = tuple(read_folder(folder) for folder in above) if above else load_ruleset().assembly.plugins
    report = checking.check(path.resolve(), superiors, coverage=coverage, mutate=mutate)
    for problem in report.problems:
        click.echo(str(problem))
        if problem.hint:
            click.echo(textwrap.indent(problem.hint, "    "))
    for line in _measures(report):
        click.echo(line)
    if suggest is not None and report.mutation is not None and (cases := report.mutation.suggested()):
        suggest.write_text(cases, encoding="utf-8")
    if not report.passed:
        click.echo(f"{len(report.problems)} problems", err=True)
        raise SystemExit(1)
    click.echo(f"{path}: {report.parameters} parameters, {report.rules} rules, {report.cases} cases: nothing to report")


def _measures(report: checking.Report) -> Iterator[str]:
    if report.coverage is not None:
        yield f"coverage: {report.coverage.percent:.1f} % ({report.coverage.covered} of {report.coverage.edges} edges)"
    if report.mutation is not None:
        found = report.mutation
        yield (
            f"mutation: {found.percent:.1f} % ({found.killed} killed by cases, {found.refused} refused by the check, "
            f"{len(found.survivors)} survived, of {found.total})"
        )
        for reason, count in sorted(found.excluded.items()):
            yield f"  not mutated: {count} ({reason})"
