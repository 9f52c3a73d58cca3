"""`offcampus-conformance`: profiles, init, run, explain, judge."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path

import click
from offcampus_spec.requirements import requirements

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.check import PROFILES, all_checks, checks_of
from offcampus_conformance.config import ConfigError, load
from offcampus_conformance.reports.as_html import html_page
from offcampus_conformance.reports.as_json import evidence, read_evidence, report_json
from offcampus_conformance.reports.as_junit import junit_xml
from offcampus_conformance.reports.as_text import report_text
from offcampus_conformance.run import Report, rejudge
from offcampus_conformance.run import run as run_profile
from offcampus_conformance.verdict import Exit

FILE = click.Path(path_type=Path)


@click.group()
@click.version_option(SUITE_VERSION)
def main() -> None:
    """Run it before you connect: it tells which requirement, what was expected, what came, and how to mend it."""


@main.command()
def profiles() -> None:
    """List what can be tested, with the number of checks by level."""
    for profile in PROFILES:
        levels = [check.level for check in checks_of(profile)]
        counts = ", ".join(f"{levels.count(level)} {level}" for level in ("MUST", "SHOULD", "MAY") if level in levels)
        click.echo(f"{profile:<20} {len(levels):>3} checks ({counts})")


@main.command()
@click.argument("profile", type=click.Choice(PROFILES))
@click.option("--out", type=FILE, default=Path("conformance.toml"), show_default=True)
def init(profile: str, out: Path) -> None:
    """Write a commented conformance.toml for a profile."""
    if out.exists():
        raise click.ClickException(f"{out} exists; remove it or name another with --out")
    text = resources.files(__package__).joinpath("init", f"{profile}.toml").read_text(encoding="utf-8")
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out} written: fill in your target, then `offcampus-conformance run`")


@main.command()
@click.option("--config", "path", type=click.Path(path_type=Path), default=Path("conformance.toml"), show_default=True)
@click.option("--only", metavar="ID|GLOB", help="judge these checks and those that they need")
@click.option(
    "--report", "folder", type=click.Path(path_type=Path), default=Path("offcampus-report"), show_default=True
)
@click.option("--quiet", is_flag=True, help="no progress on standard error")
def run(path: Path, only: str | None, folder: Path, quiet: bool) -> None:
    """Test the target; write report.json, report.html, junit.xml and evidence.har."""
    try:
        config = load(path)
        report = run_profile(config, only=only, progress=lambda text: None if quiet else click.echo(text, err=True))
    except ConfigError as error:
        click.echo(f"conformance.toml: {error}", err=True)
        sys.exit(Exit.NOTHING_JUDGED)
    _write(report, folder)
    click.echo(report_text(report))
    click.echo(f"report: {folder / 'report.html'}")
    sys.exit(report.exit)


@main.command()
@click.argument("check_id")
def explain(check_id: str) -> None:
    """Show a check: requirement, article, what is sent, what is expected, how to mend."""
    check = next((item for item in all_checks() if item.id == check_id), None)
    if check is None:
        raise click.ClickException(f"no check {check_id!r}; `offcampus-conformance profiles` lists the profiles")
    click.echo(f"{check.id}  {check.level}  profile {check.profile}\n{check.title}")
    for name in check.requirements:
        requirement = requirements()[name]
        click.echo(f"  requirement  {name} (article {requirement.article}): {requirement.text_en}")
        click.echo(f"               {requirement.text_zh}")
    if check.sends:
        click.echo(f"  sends        {check.sends}")
    if check.needs:
        click.echo(f"  needs        {', '.join(check.needs)}")
    click.echo(f"  mend         {check.remedy_en}\n  整改         {check.remedy_zh}")


@main.command()
@click.argument("evidence_file", type=click.Path(path_type=Path, exists=True))
@click.option("--only", metavar="ID|GLOB")
def judge(evidence_file: Path, only: str | None) -> None:
    """Judge recorded traffic again, offline: the same verdicts, no target."""
    try:
        profile, target, claims, record = read_evidence(json.loads(evidence_file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise click.ClickException(f"{evidence_file}: {error}") from None
    report = rejudge(profile, target, claims, record, only)
    click.echo(report_text(report))
    sys.exit(report.exit)


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    har = evidence(report.record, profile=report.profile, target=report.target, claims=report.claims)
    _dump(folder / "report.json", report_json(report))
    _dump(folder / "evidence.har", har)
    (folder / "junit.xml").write_text(junit_xml(report), encoding="utf-8")
    (folder / "report.html").write_text(html_page(report), encoding="utf-8")


def _dump(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
