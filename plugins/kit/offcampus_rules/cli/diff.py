"""`offcampus-rules diff`: two versions of a plugin, two provinces, or two places on a day."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import cast

import click

from offcampus_rules import difference, rule_sources
from offcampus_rules.archive import ArchiveError
from offcampus_rules.cli.sources import SOURCE
from offcampus_rules.difference import Difference, Rules, Side
from offcampus_rules.difference_text import lines
from offcampus_rules.errors import RuleFileError
from offcampus_rules.messages import Language
from offcampus_rules.parameters import NATION, Parameter
from offcampus_rules.registry import load_ruleset, read_folder
from offcampus_rules.rule_sources import SourceError
from offcampus_rules.ruleset import RuleSet

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, type=SOURCE)
@click.option("--above", type=_FOLDER, help="The nation's plugin; default: the installed one.")
@click.option("--archive", type=_FOLDER, help="Where archived rule sets are found by their digests.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Compare two places on this day.")
@click.option("--region", "regions", multiple=True, help="A place to compare, given twice with --on.")
@click.option("--json", "as_json", is_flag=True, help="The differences for machines.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def diff(
    sources: tuple[Path | str, ...], above: Path | None, archive: Path | None, day: datetime | None,
    regions: tuple[str, ...], as_json: bool, lang: str,
) -> None:  # fmt: skip
    """Tell what changes between two SOURCES, and which of two values is stricter.

    Two versions of one plugin (folders) are compared at every region they speak of; plugins of two provinces as one
    place beside the other. Two whole rule sets, each the digest of an archived one (sha-256:…, with --archive), its
    file, or `installed`, are compared at every region. Without sources, --on DAY --region A --region B compares two
    places under the installed rules.
    """
    try:
        found, definitions, changed = (
            _places(day, regions) if not sources else _sources(sources, above, archive, day is not None)
        )
    except (SourceError, RuleFileError, ArchiveError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        document = {
            "differences": [item.to_json() for item in found],
            "rules": dataclasses.asdict(changed) if changed is not None else None,
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for line in lines(found, definitions, changed, cast("Language", lang)):
        click.echo(line)


Found = tuple[tuple[Difference, ...], dict[str, Parameter], Rules | None]


def _places(day: datetime | None, regions: tuple[str, ...]) -> Found:
    if day is None or len(regions) != 2 or not all(len(region) == 6 and region.isdigit() for region in regions):
        raise click.UsageError("give two sources, or --on DAY with two times --region CODE (six digits)")
    ruleset = load_ruleset()
    sides = [Side(ruleset, region) for region in regions]
    return difference.of_places(sides[0], sides[1], day.date()), dict(ruleset.parameters), None


def _sources(sources: tuple[Path | str, ...], above: Path | None, archive: Path | None, on: bool) -> Found:
    if len(sources) != 2 or on:
        raise click.UsageError("two sources are compared over all their dates; --on compares two places")
    whole = [source for source in sources if isinstance(source, str) or rule_sources.is_archived(source)]
    if len(whole) == 1:
        raise click.UsageError("a whole rule set is compared with another one: a digest, its file, or `installed`")
    if whole:
        before, after = (rule_sources.load([source], archive=archive) for source in sources)
        return (
            difference.between(before, after),
            {**before.parameters, **after.parameters},
            difference.rules(before, after),
        )
    before, after = (_with_nation(Path(source), above) for source in sources)
    regions = [_jurisdiction(ruleset) for ruleset in (before, after)]
    if regions[0] == regions[1]:
        found = difference.between(before, after)
    else:
        found = difference.of_places(Side(before, regions[0]), Side(after, regions[1]))
    return found, {**before.parameters, **after.parameters}, difference.rules(before, after)


def _with_nation(folder: Path, above: Path | None) -> RuleSet:
    ruleset = rule_sources.load([folder], beside=read_folder(above.resolve()) if above is not None else None)
    if ruleset.rejected:
        raise SourceError("\n".join(item.reason for item in ruleset.rejected))
    return ruleset


def _jurisdiction(ruleset: RuleSet) -> str:
    return max((plugin.jurisdiction for plugin in ruleset.assembly.plugins), key=lambda code: (code != NATION, code))
