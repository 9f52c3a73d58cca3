"""Where a rule set on the command line comes from: the installed plugins, folders, an archive, and tried values.

An archived rule set is whole, so that it stands alone: it is named by its digest, or as the file it is kept in.

A tried value (`precharge.amount_max@110000=400000:2026-01-01`) stands in place of what that region says from that day
on. It is a question, not a rule: nothing is written, and the rule set's digest says that it was tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from offcampus_rules import archive as archive_module
from offcampus_rules import digests, units
from offcampus_rules.decision import Citation, Raw
from offcampus_rules.errors import Position, RuleKitError
from offcampus_rules.parameters import NATION, Entry, Parameter, level_of
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import load_ruleset, read_folder
from offcampus_rules.ruleset import RuleSet

INSTALLED = "installed"
"""The word for the installed plugins, where a source has to be named."""
_DIGEST = re.compile(r"sha-256:[0-9a-f]{64}")
_TRIED = re.compile(r"(?P<name>[a-z_.]+)@(?P<region>[0-9]{6})=(?P<value>.+):(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\Z")


class SourceError(RuleKitError):
    """What was given on the command line is no rule set."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A value to try out, as written."""

    parameter: str
    region: str
    value: str
    since: date


def load(
    sources: Iterable[Path | str],
    tried: Iterable[str] = (),
    *,
    beside: Plugin | None = None,
    official_only: bool = False,
    archive: Path | None = None,
) -> RuleSet:
    """The rules of the sources (of the installed plugins where none is given), with the values to be tried out.

    A source is a plugin's folder, an archived rule set's digest (kept in `archive`) or its file, or `installed`. The
    nation's plugin is `beside`, or the installed one, where no folder is the nation's. Raises SourceError for a source
    that is none, ArchiveError for an archive that cannot be read, SourceError for a value its parameter cannot have.
    """
    given = list(sources)
    found = [source for source in given if isinstance(source, Path) and not is_archived(source)]
    if len(found) < len(given):
        if len(given) > 1:
            raise SourceError("an archived rule set, and what is installed, is whole: give no other source beside it")
        ruleset = load_ruleset() if given[0] == INSTALLED else _archived(given[0], archive)
        for text in tried:
            ruleset = trying(ruleset, parse(text))
        return ruleset
    for folder in found:
        if not (folder / "plugin.yaml").is_file():
            raise SourceError(f"{folder} holds no plugin.yaml")
    plugins = [read_folder(folder.resolve()) for folder in found]
    if plugins and not any(plugin.jurisdiction == NATION for plugin in plugins):
        installed = load_ruleset().assembly.plugins if beside is None else (beside,)
        plugins += [plugin for plugin in installed if plugin.jurisdiction == NATION]
    ruleset = load_ruleset(plugins or None, official_only=official_only)
    for text in tried:
        ruleset = trying(ruleset, parse(text))
    return ruleset


def is_archived(source: Path | str) -> bool:
    """Whether a source is a whole rule set from an archive: a digest, or the file of one."""
    return _DIGEST.fullmatch(source) is not None if isinstance(source, str) else source.suffix == ".json"


def _archived(source: Path | str, folder: Path | None) -> RuleSet:
    if isinstance(source, Path):
        return archive_module.read(source.parent, f"sha-256:{source.stem.removeprefix('sha-256-')}")
    if folder is None:
        raise SourceError(f"{source} is kept in an archive: say which, --archive FOLDER")
    return archive_module.read(folder, source)


def parse(text: str) -> Tried:
    """Read `PARAMETER@REGION=VALUE:DAY`."""
    match = _TRIED.match(text)
    if match is None:
        raise SourceError(f"{text!r} is not written PARAMETER@REGION=VALUE:YYYY-MM-DD")
    try:
        day = date.fromisoformat(match["day"])
    except ValueError as error:
        raise SourceError(f"{match['day']} is no day") from error
    return Tried(match["name"], match["region"], match["value"], day)


def trying(ruleset: RuleSet, tried: Tried) -> RuleSet:
    """The rule set with one value in place of what its region says from a day on."""
    parameter = ruleset.parameters.get(tried.parameter)
    if parameter is None:
        raise SourceError(f"{tried.parameter} is no parameter of these rules")
    value = _value(parameter, tried.value)
    known = ruleset.assembly.entries.get(parameter.id, ())
    others = [entry for entry in known if entry.region != tried.region or entry.since < tried.since]
    kept = [_ending(entry, tried) for entry in others]
    every = frozenset(cell for entry in known for cell in entry.cells)
    entry = Entry(
        parameter=parameter.id, region=tried.region, level=level_of(tried.region), cells=every, since=tried.since,
        until=None, value=value, unit=parameter.unit, confidence="reported",
        source=Citation("试算取值 / value tried out"), reason=None, file=Path("--set"), position=Position(1, 1),
    )  # fmt: skip
    entries = {**ruleset.assembly.entries, parameter.id: (*kept, entry)}
    digest = digests.digest({"ruleset": ruleset.digest, "tried": [tried.parameter, tried.region, value, tried.since]})
    return RuleSet(replace(ruleset.assembly, entries=entries), ruleset.rejected, digest=digest)


def _ending(entry: Entry, tried: Tried) -> Entry:
    if entry.region != tried.region or (entry.until is not None and entry.until <= tried.since):
        return entry
    return replace(entry, until=tried.since)


def _value(parameter: Parameter, text: str) -> Raw:
    value: Raw = text
    if parameter.unit in units.INTEGER_UNITS:
        value = int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    elif parameter.unit == "flag":
        value = {"true": True, "false": False}.get(text, text)
    elif parameter.unit == "options":
        value = tuple(part.strip() for part in text.split(","))
    if units.is_structured(value) or not units.fits(value, parameter.unit):
        raise SourceError(f"{text!r} is not a value of {parameter.id}, whose unit is {parameter.unit}")
    return value
