"""`offcampus-rules replay`: what would have been decided otherwise, over a recorded history."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import cast

import click

from offcampus_rules import rule_sources
from offcampus_rules.archive import ArchiveError
from offcampus_rules.cli.sources import SOURCE
from offcampus_rules.errors import RuleFileError
from offcampus_rules.messages import Language
from offcampus_rules.rule_sources import SourceError
from offcampus_rules.ruleset import RuleSet

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_BY = ("rule", "region", "institution")


@click.command()
@click.option(
    "--history",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One case a line (NDJSON, schema rule-history).",
)
@click.option(
    "--rules", multiple=True, type=SOURCE, help="Folders, or an archived digest; default: the installed ones."
)
@click.option("--against", multiple=True, type=SOURCE, help="What is tried out: folders, or an archived digest.")
@click.option("--set", "tried", multiple=True, help="A value to try: PARAMETER@REGION=VALUE:DAY.")
@click.option(
    "--archive",
    type=_FOLDER,
    help="Archived rule sets: where digests are found; reproduce decides each row by the one its digest names.",
)
@click.option(
    "--mode",
    type=click.Choice(["reproduce", "counterfactual", "as-known"]),
    default="counterfactual",
    show_default=True,
)
@click.option("--by", default=",".join(_BY), show_default=True, help="What the changes are grouped by.")
@click.option("--sample", default=20, show_default=True, help="Examples of each kind of change, explained.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A report: .json, .html, or .csv with every change."
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def replay(
    history: Path, rules: tuple[Path | str, ...], against: tuple[Path | str, ...], tried: tuple[str, ...],
    archive: Path | None, mode: str, by: str, sample: int, jobs: int, out: Path | None, lang: str,
) -> None:  # fmt: skip
    """Judge a history again.

    reproduce: the stored facts must give the stored answer, bit for bit. counterfactual: other rules on the same facts.
    as-known: what had been published when it was decided, beside what is known now. A fact that a rule needs and a row
    lacks leaves that rule unjudged, and is counted. Exit status 1: an answer was not reproduced, or a line is no case.
    """
    groups = tuple(part for part in by.split(",") if part)
    if unknown := [part for part in groups if part not in _BY]:
        raise click.BadParameter(f"{unknown[0]} is none of {', '.join(_BY)}", param_hint="--by")
    if out is not None and out.suffix not in (".json", ".html", ".csv"):
        raise click.BadParameter("a report ends in .json, .html or .csv", param_hint="--out")
    if mode == "counterfactual" and not against and not tried:
        raise click.UsageError("say what is tried out: --against FOLDER, or --set PARAMETER@REGION=VALUE:DAY")
    named = any(rule_sources.is_archived(source) for source in (*rules, *against))
    if archive is not None and mode != "reproduce" and not named:
        raise click.UsageError("--archive serves --mode reproduce, and digests: --rules or --against sha-256:…")
    try:
        from offcampus_rules import replay_report, replay_run
    except ImportError as error:
        raise click.ClickException(f"{error.name} is missing: pip install 'offcampus-rules[batch]'") from error
    try:
        before = rule_sources.load(rules, archive=archive)
        after = _after(before, against, tried, archive)
    except (SourceError, RuleFileError, ArchiveError) as error:
        raise click.ClickException(str(error)) from error
    began = time.perf_counter()
    keep_all = out is not None and out.suffix == ".csv"
    job = replay_run.Job(history, cast("replay_run.Mode", mode), before, after, groups, sample, keep_all, archive)
    try:
        tally = replay_run.run(job, jobs)
    except ArchiveError as error:
        raise click.ClickException(str(error)) from error
    for line in replay_report.lines(job, tally, cast("Language", lang)):
        click.echo(line)
    if out is not None:
        if out.suffix == ".csv":
            out.write_text(replay_report.table(tally), encoding="utf-8-sig")
        elif out.suffix == ".html":
            out.write_text(replay_report.page(job, tally), encoding="utf-8")
        else:
            report = replay_report.document(job, tally)
            out.write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")
    click.echo(_spent(tally.rows, time.perf_counter() - began, jobs), err=True)
    if tally.unreadable_rows:
        raise SystemExit(1)


def _spent(rows: int, seconds: float, jobs: int) -> str:
    """What the replay took. Memory is the most that one process held; those of `--jobs` share what they began with."""
    told = f"{rows:,} rows in {seconds:.1f} s"
    if sys.platform == "win32":
        return told
    import resource

    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1 if sys.platform == "darwin" else 1024
    peak = max(one.ru_maxrss for one in spent) * unit
    return f"{told}, {peak / 2**20:,.0f} MiB at most in a process (--jobs {jobs})"


def _after(before: RuleSet, against: tuple[Path | str, ...], tried: tuple[str, ...], archive: Path | None) -> RuleSet:
    after = rule_sources.load(against, archive=archive) if against else before
    for text in tried:
        after = rule_sources.trying(after, rule_sources.parse(text))
    return after
