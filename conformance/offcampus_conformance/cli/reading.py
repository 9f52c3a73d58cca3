"""The commands that read what a run left: judge, compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from offcampus_conformance import output
from offcampus_conformance.cli.group import EXISTING, FILE, config_errors, main
from offcampus_conformance.comparison import compare as compare_reports
from offcampus_conformance.comparison import comparison_text
from offcampus_conformance.config import ConfigError, Product
from offcampus_conformance.evidence import broken_links, stored
from offcampus_conformance.reports.as_json import read_lines
from offcampus_conformance.reports.as_text import report_text
from offcampus_conformance.run import rejudge
from offcampus_conformance.signature import Key


@main.command()
@click.argument("evidence_file", type=EXISTING)
@click.option("--only", metavar="ID|GLOB", multiple=True)
@click.option("--report", "folder", type=FILE, help="write a report of the judgement into this folder")
@click.option("--of", "original", type=EXISTING, help="the report of the run: its product and nonce are taken over")
@click.option("--sign-with", type=EXISTING, help="sign the report with this private key (JWK); an authority is level C")
def judge(
    evidence_file: Path, only: tuple[str, ...], folder: Path | None, original: Path | None, sign_with: Path | None
) -> None:
    """Judge recorded traffic again, offline: the same verdicts, no target."""
    try:
        har = json.loads(evidence_file.read_text(encoding="utf-8"))
        run = stored(har)
        broken = broken_links(har)
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{evidence_file}: {error}") from None
    if broken:
        raise click.ClickException(f"{evidence_file}: edited, moved or spliced at {', '.join(broken[:5])}")
    more = _told(original)
    report = rejudge(
        run.profile, run.target, run.claims, run.record, only or None, run_id=run.run_id, seed=run.seed, **more
    )
    if folder is not None:
        output.write(report, folder, Key.load(sign_with) if sign_with is not None else None)
    click.echo(report_text(report))
    sys.exit(report.exit)


def _told(original: Path | None) -> dict[str, Any]:
    if original is None:
        return {}
    with config_errors():
        head = read_report(original)["header"]
    return {"nonce": head["nonce"], "product": Product(**head["product"])}


@main.command()
@click.argument("before", type=EXISTING)
@click.argument("after", type=EXISTING)
def compare(before: Path, after: Path) -> None:
    """Compare two reports: better, worse, no longer exercised. Exits 1 when something got worse or unexercised."""
    with config_errors():
        old, new = read_report(before), read_report(after)
        try:
            found = compare_reports(old, new)
        except ValueError as error:
            raise ConfigError(str(error)) from None
    click.echo(comparison_text(found))
    sys.exit(1 if found.worse or found.unexercised else 0)


def read_report(path: Path) -> dict[str, Any]:
    """A report from `report.json`, `report.ndjson` or its folder. Raises ConfigError."""
    file = path / "report.json" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
        document: dict[str, Any] = read_lines(text) if file.suffix == ".ndjson" else json.loads(text)
        if not {"header", "results", "footer"} <= document.keys():
            raise ValueError("header, results or footer is missing")
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{file} is no report: {error}") from None
    return document
