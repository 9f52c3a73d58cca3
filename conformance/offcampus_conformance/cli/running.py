"""The commands that make a configuration and run it: profiles, init, explain, smoke, run, token."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import replace
from importlib import resources
from pathlib import Path

import click
from offcampus_spec.requirements import requirements

from offcampus_conformance import baseline, output
from offcampus_conformance.check import PROFILES, Check, all_checks, checks_of
from offcampus_conformance.cli.group import FILE, config_errors, main, with_config
from offcampus_conformance.config import Config, ConfigError, load
from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.as_text import one_line, report_text
from offcampus_conformance.run import Plan, Report, Watcher, planned
from offcampus_conformance.run import run as run_profile
from offcampus_conformance.scenario.cards import scenario_text
from offcampus_conformance.scenario.language import PROFILES as SCENARIOS
from offcampus_conformance.scenario.language import load as load_scenario
from offcampus_conformance.sets import frozen_set
from offcampus_conformance.signature import Key
from offcampus_conformance.smoke import smoke as smoke_target
from offcampus_conformance.targets import configured
from offcampus_conformance.verdict import GREEN, Exit, Result


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
    text = resources.files("offcampus_conformance").joinpath("init", f"{profile}.toml").read_text(encoding="utf-8")
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out} written: fill in your target, then `offcampus-conformance run`")


@main.command()
@click.argument("check_id", required=False)
@click.option("--plan", is_flag=True, help="show which checks a run would judge, and which it would skip and why")
@click.option("--scenario", type=click.Choice(SCENARIOS), help="show every step of a scenario as a card")
@with_config
def explain(check_id: str | None, plan: bool, scenario: str | None, path: Path) -> None:
    """Show a check (requirement, article, what is sent, how to mend), what a run would judge, or a scenario's steps."""
    if scenario is not None:
        click.echo(scenario_text(load_scenario(scenario)), nl=False)
        return
    if plan:
        with config_errors():
            _explain_plan(load(path))
        return
    check = next((item for item in all_checks() if item.id == check_id), None)
    if check is None:
        raise click.ClickException(f"no check {check_id!r}; `offcampus-conformance profiles` lists the profiles")
    click.echo(f"{check.id}  {check.level}  profile {check.profile}  {check.lifecycle}\n{check.title}")
    if check.title_zh:
        click.echo(check.title_zh)
    for name in check.requirements:
        requirement = requirements()[name]
        click.echo(f"  requirement  {name} (article {requirement.article}): {requirement.text_en}")
        click.echo(f"               {requirement.text_zh}")
    if check.sends:
        click.echo(f"  sends        {check.sends}")
    if check.needs:
        click.echo(f"  needs        {', '.join(check.needs)}")
    click.echo(f"  mend         {check.remedy_en}\n  整改         {check.remedy_zh}")


def _explain_plan(config: Config) -> None:
    frozen = frozen_set()
    click.echo(f"profile {config.profile}, requirement set {frozen.standard} ({frozen.status}), {frozen.digest}")
    for check in planned(config):
        click.echo(f"{_fate(check, config):<28} {check.id:<14} {check.level:<6} {check.title}")


def _fate(check: Check, config: Config) -> str:
    if check.claims is not None and check.claims not in config.claims:
        return f"skip: no claim {check.claims!r}"
    return "judge" if check.lifecycle == "scored" else f"judge, not scored ({check.lifecycle})"


@main.command()
@with_config
def smoke(path: Path) -> None:
    """Is the harness right? Reach the target, sign in, ask the driver, before anything is judged."""
    with config_errors():
        troubles = smoke_target(load(path))
    for trouble in troubles:
        click.echo(trouble, err=True)
    if troubles:
        sys.exit(Exit.UNREACHABLE)
    click.echo("ready: `offcampus-conformance run`")


@main.command()
@click.argument("party")
@with_config
def token(party: str, path: Path) -> None:
    """Print an access token of a party, for the curl commands of a report."""
    from offcampus_conformance.smoke import access_token

    with config_errors():
        click.echo(access_token(load(path), party))


@main.command()
@with_config
@click.option("--only", metavar="ID|GLOB", multiple=True, help="judge these checks and those that they need")
@click.option("--failed", is_flag=True, help="judge again what was not green in the last report, and say what changed")
@click.option("--fail-fast", is_flag=True, help="end at the first failure")
@click.option("--target", metavar="standin:NAME", help="a stand-in instead of the configuration's target")
@click.option("--seed", type=click.IntRange(0), help="what the scenario chooses at random follows from it")
@click.option("--nonce", help="what the authority gave for this run")
@click.option("--report", "folder", type=FILE, default=Path("offcampus-report"), show_default=True)
@click.option("--update-baseline", is_flag=True, help="write every failure of this run into the baseline")
@click.option("--quiet", is_flag=True, help="no progress on standard error")
def run(
    path: Path, only: tuple[str, ...], failed: bool, fail_fast: bool, target: str | None, seed: int | None,
    nonce: str | None, folder: Path, update_baseline: bool, quiet: bool,
) -> None:  # fmt: skip
    """Test the target; write the report folder (report.html first)."""
    with config_errors(), configured(path, target) as given:
        config, wanted = _adjusted(given, seed, nonce, update_baseline), list(only)
        before = _last(folder) if failed else {}
        if failed:
            wanted += [id for id, verdict in before.items() if verdict not in GREEN]
            if not wanted:
                raise ConfigError(f"--failed: nothing was red in {folder / 'report.json'}")
        watcher = _Console(folder, quiet)
        with closing(watcher.stream):
            report = run_profile(config, only=wanted or None, watcher=watcher, fail_fast=fail_fast)
            watcher.ended(report)
        key = Key.load(config.sign_with) if config.sign_with is not None else None
    output.write(report, folder, key)
    click.echo(report_text(report))
    _tell_changes(before, report)
    if update_baseline and config.baseline is None:
        written = path.parent / "baseline.toml"
        written.write_text(baseline.render(report.results), encoding="utf-8")
        click.echo(f"{written} written: give each entry a reason, and name the file in [report] as baseline")
    click.echo(f"report: {folder / 'report.html'}")
    sys.exit(report.exit)


def _adjusted(config: Config, seed: int | None, nonce: str | None, update_baseline: bool) -> Config:
    if seed is not None:
        config = replace(config, seed=seed)
    if nonce is not None:
        config = replace(config, nonce=nonce)
    return replace(config, baseline=None) if update_baseline else config


def _last(folder: Path) -> dict[str, str]:
    """The verdicts of the report in a folder. Raises ConfigError."""
    try:
        document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return {result["check"]: result["verdict"] for result in document["results"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"--failed: {folder} holds no report of an earlier run") from None


def _tell_changes(before: dict[str, str], report: Report) -> None:
    for result in report.results:
        was = before.get(result.check.id)
        if was is not None and was not in GREEN:
            now = "FIXED" if result.verdict in GREEN else "ERROR" if result.verdict is Verdict.ERROR else "STILL"
            click.echo(f"{now}  {result.check.id}: {was} -> {result.verdict.value}")


class _Console(Watcher):
    """Progress on standard error, each verdict as soon as it is final, and the stream beside it."""

    def __init__(self, folder: Path, quiet: bool) -> None:
        self.stream, self._quiet = output.Stream(folder), quiet
        self._told, self._all = 0, 0

    def begun(self, plan: Plan) -> None:
        """The header of the stream."""
        self._all = len(plan.checks)
        self.stream.begun(plan)

    def step(self, text: str) -> None:
        """A part of the scenario."""
        if not self._quiet:
            click.echo(f"[{self._told}/{self._all}] {text}", err=True)

    def told(self, result: Result) -> None:
        """A verdict: what is red is shown at once."""
        self._told += 1
        self.stream.told(result)
        if not self._quiet and result.verdict not in GREEN:
            click.echo(f"  {one_line(result)}", err=True)

    def ended(self, report: Report) -> None:
        """The footer."""
        self.stream.ended(report)
