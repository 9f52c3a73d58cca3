"""A plugin's parameters as a Markdown table for its README: `python -m offcampus_rules.catalogue plugins/national`.

The table is written between two marker lines from the parameter files, so that it cannot say anything else; a test of
the plugin compares it (`stale`). Behind how a parameter binds stands the confidence of that judgement; the last column
tells every value that binds, is noted or is left open, in order of its date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from offcampus_rules import display
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES
from offcampus_rules.parameters import Cell, Entry, Parameter, ParameterFile
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import read_folder

BEGIN, END = "<!-- parameters: begin -->", "<!-- parameters: end -->"
_AXES = (SECTORS, STAGES, DELIVERIES)


def stale(root: Path) -> bool:
    """Whether the README's table says something else than the files."""
    text = (root / "README.md").read_text(encoding="utf-8")
    return text != _replaced(text, read_folder(root))


def write(root: Path) -> None:
    """Write the table into the README. Raises ValueError when the two markers are not there."""
    readme = root / "README.md"
    readme.write_text(_replaced(readme.read_text(encoding="utf-8"), read_folder(root)), encoding="utf-8")


def _replaced(text: str, plugin: Plugin) -> str:
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not (begin and end):
        raise ValueError(f"the README needs the lines {BEGIN} and {END}")
    return f"{before}{begin}{table(plugin)}{end}{after}"


def table(plugin: Plugin) -> str:
    """One section an area, one line a parameter."""
    files = sorted((file for file in plugin.parameter_files if file.definition), key=lambda file: file.id)
    sections = (_section(area, group) for area, group in groupby(files, key=lambda file: file.id.split(".")[0]))
    return "\n".join(sections)


def _section(area: str, files: Iterable[ParameterFile]) -> str:
    lines = [f"### {area}", "", "| parameter | meaning | unit | binds | values |", "|---|---|---|---|---|"]
    lines += [_line(file.definition, file) for file in files if file.definition is not None]
    return "\n".join(lines) + "\n"


def _line(parameter: Parameter, file: ParameterFile) -> str:
    ordered = sorted(file.entries, key=lambda entry: (entry.since, _where(entry.cells)))
    values = "<br>".join(_value(parameter, entry) for entry in ordered)
    judged = file.document.content["judgement"]["confidence"]
    how = f"{parameter.binding}, {parameter.stricter} ({judged})"
    meaning = f"{parameter.title_zh} / {parameter.title_en}"
    return f"| `{parameter.id}` | {meaning} | {parameter.unit} | {how} | {values} |"


def _value(parameter: Parameter, entry: Entry) -> str:
    unit = entry.unit or parameter.unit
    said = "open" if entry.value is None else display.raw(entry.value, unit, parameter.of, "en")
    when = f"{entry.since}" + (f" to before {entry.until}" if entry.until else "")
    return f"{when}{_where(entry.cells)}: {said}{_cited(entry)}"


def _cited(entry: Entry) -> str:
    if entry.source is None:
        return ""
    named = " ".join(filter(None, (entry.source.number or entry.source.document, entry.source.article)))
    return f" ({entry.confidence}: {named})"


def _where(cells: frozenset[Cell]) -> str:
    """The scope in words: each axis that does not cover everything."""
    return "".join(f", {part}" for part in _axes(cells))


def _axes(cells: frozenset[Cell]) -> Iterator[str]:
    for index, known in enumerate(_AXES):
        present = [name for name in known if any(cell[index] == name for cell in cells)]
        if len(present) < len(known):
            yield "/".join(present)


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        write(Path(folder))
