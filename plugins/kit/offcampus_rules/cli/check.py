"""`offcampus-rules check PATH`: is a plugin's folder lawful, complete, bilingual, pure, and do its cases come out?"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from offcampus_rules import checking, reporting
from offcampus_rules.calendar import SHANGHAI
from offcampus_rules.errors import RuleSetError
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import load_ruleset

_FILE = click.Path(dir_okay=False, path_type=Path)


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
    type=_FILE,
    help="With --mutate: write cases that would notice what survived. Read each against the text before you keep it.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--junit", type=_FILE, help="Also write the report as JUnit XML.")
@click.option("--sarif", type=_FILE, help="Also write the report as SARIF 2.1.0.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="The day that R-STALE and R-CAL count from; default: today."
)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
def check(
    path: Path,
    above: tuple[Path, ...],
    coverage: bool,
    mutate: bool,
    suggest: Path | None,
    as_json: bool,
    junit: Path | None,
    sarif: Path | None,
    on: datetime | None,
    strict: bool,
) -> None:
    """Check the plugin in PATH; every finding with file and line. Exit status 1 when there is an error."""
    today = on.date() if on else datetime.now(SHANGHAI).date()
    superiors, broken = checking.superiors(above) if above else (_installed(), ())
    if broken:
        report = checking.Report(broken)
    else:
        report = checking.check(path.resolve(), superiors, coverage=coverage, mutate=mutate, today=today)
    base = Path.cwd()
    shown = json.dumps(reporting.to_json(report, base), ensure_ascii=False, indent=2)
    click.echo(shown if as_json else reporting.text(report, path, base))
    if suggest is not None and report.mutation is not None and (cases := report.mutation.suggested()):
        suggest.write_text(cases, encoding="utf-8")
    if junit is not None:
        junit.write_text(reporting.junit(report, base), encoding="utf-8")
    if sarif is not None:
        sarif.write_text(reporting.sarif(report, base), encoding="utf-8")
    if not report.passed or (strict and report.problems):
        raise SystemExit(1)


def _installed() -> tuple[Plugin, ...]:
    """The installed plugins; none when the nation's own files cannot be read (the check of them says where)."""
    try:
        return load_ruleset().assembly.plugins
    except RuleSetError:
        return ()
