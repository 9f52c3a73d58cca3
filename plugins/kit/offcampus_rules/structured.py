"""Reads the values that are more than a word or number: tables (rows here or in a CSV), schedules, calendars.

Their shape is checked by the schema; what only their content can tell is checked here, with the line it stands on:
ends of bands, columns and numbers of a CSV, steps that fall back, days that end before they begin.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

from offcampus_rules.daysets import DaySet
from offcampus_rules.decision import Raw
from offcampus_rules.errors import FileProblem, Position
from offcampus_rules.schedules import WHOLE, Schedule
from offcampus_rules.tables import Band, Box, Coordinate, Row, Table
from offcampus_rules.yaml12 import Document, Path12, readable_text

_ENDS = ("at_least", "above", "at_most", "below")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_COLUMN = re.compile(rf"([a-z_]{{1,40}})(?:\.({'|'.join(_ENDS)}))?\Z")


def value(content: Any, document: Document, path: Path12, problems: list[FileProblem]) -> Raw:
    """A value as it stands in a parameter file that has the shape the schema demands."""
    if isinstance(content, list):
        return tuple(content)
    if not isinstance(content, dict):
        return cast("Raw", content)
    found: list[FileProblem] = []
    read: Raw
    if "rows" in content:
        read = _table(content["rows"], document, (*path, "rows"), found)
    elif "steps" in content:
        read = _schedule(content["steps"], document, (*path, "steps"), found)
    else:
        read = _calendar(content["days"], document, (*path, "days"), found)
    problems.extend(found)
    return read


def _table(rows: Any, document: Document, path: Path12, problems: list[FileProblem]) -> Table | None:
    if isinstance(rows, dict):
        read = tuple(_csv_rows(document.file.parent / rows["csv"], document, (*path, "csv"), problems))
    else:
        read = tuple(_yaml_rows(rows, document, path, problems))
    if not read or problems:
        return None
    axes = tuple(name for name, _ in read[0][0])
    for places, _, file, position in read:
        if {name for name, _ in places} != set(axes):
            names, wanted = ", ".join(name for name, _ in places), ", ".join(axes)
            en, zh = f"this row states {names}; the first row states {wanted}", f"本行维度为 {names}，首行为 {wanted}"
            problems.append(FileProblem(file, position, "R-UNIT", en, zh))
    if problems:
        return None
    ordered = tuple(sorted(axes))
    return Table(ordered, tuple(Row(_box(dict(places), ordered), cell, file, at) for places, cell, file, at in read))


_Read = tuple[tuple[tuple[str, Coordinate], ...], int | None, Path, Position]
"""A row before the order of the axes is known."""


def _box(places: dict[str, Coordinate], axes: tuple[str, ...]) -> Box:
    return tuple(places[axis] for axis in axes)


def _yaml_rows(rows: Any, document: Document, path: Path12, problems: list[FileProblem]) -> Iterator[_Read]:
    for index, row in enumerate(rows):
        places: list[tuple[str, Coordinate]] = []
        for name, item in row.items():
            if name == "value":
                continue
            at = document.position((*path, index, name))
            band = _band(item, document.file, at, problems) if isinstance(item, dict) else item
            places.append((name, band))
        yield tuple(places), row["value"], document.file, document.position((*path, index))


def _band(ends: dict[str, int], file: Path, position: Position, problems: list[FileProblem]) -> Band:
    low = ends["above"] + 1 if "above" in ends else ends.get("at_least")
    high = ends["below"] - 1 if "below" in ends else ends.get("at_most")
    if low is not None and high is not None and low > high:
        said = ", ".join(f"{name} {end}" for name, end in ends.items())
        en, zh = f"no whole number is {said}", f"没有整数满足 {said}"
        problems.append(FileProblem(file, position, "R-UNIT", en, zh))
    return Band(low, high)


def _csv_rows(file: Path, document: Document, path: Path12, problems: list[FileProblem]) -> Iterator[_Read]:
    """One row a line; the heading names the axes: `area`, `class_size.at_least`, `class_size.at_most`, `value`."""
    if not file.is_file():
        problems.append(document.problem(path, "R-FILE", f"there is no {file.name} beside this file", "同目录无此文件"))
        return
    lines = csv.reader(io.StringIO(readable_text(file).removeprefix("\ufeff")), strict=True)
    try:
        heading = next(lines, [])
        columns = [_COLUMN.match(name) for name in heading]
        if "value" not in heading or len(set(heading)) != len(heading) or None in columns:
            ends = ", ".join(f"<axis>.{end}" for end in _ENDS)
            en = f"the heading is {','.join(heading)}; allowed are value, <axis>, {ends}, each once"
            problems.append(
                FileProblem(file, Position(1, 1), "R-SCHEMA", en, "表头须为 value、维度名及其端点，且不重复")
            )
            return
        for cells in lines:
            position = Position(lines.line_num, 1)
            if len(cells) != len(heading):
                en, zh = f"{len(cells)} cells, the heading has {len(heading)}", "列数与表头不符"
                problems.append(FileProblem(file, position, "R-SCHEMA", en, zh))
                continue
            yield _csv_row(dict(zip(heading, cells, strict=True)), file, position, problems)
    except csv.Error as error:
        problems.append(
            FileProblem(file, Position(lines.line_num, 1), "R-SCHEMA", f"not CSV: {error}", "不是合法的 CSV")
        )


def _csv_row(cells: dict[str, str], file: Path, position: Position, problems: list[FileProblem]) -> _Read:
    def number(name: str, text: str) -> int:
        if not _NUMBER.match(text):
            en, zh = (
                f"{name} is {text!r}, allowed are plain digits (fen, no point)",
                f"{name} 须为纯数字，现为 {text!r}",
            )
            problems.append(FileProblem(file, position, "R-UNIT", en, zh))
            return 0
        return int(text)

    bands: dict[str, dict[str, int]] = {}
    places: list[tuple[str, Coordinate]] = []
    for name, text in cells.items():
        axis, _, end = name.partition(".")
        if end:
            bands.setdefault(axis, {}).update({end: number(name, text)} if text else {})
        elif axis != "value":
            places.append((axis, text))
            if not text:
                problems.append(FileProblem(file, position, "R-UNIT", f"{axis} is empty", f"{axis} 为空"))
    for axis, ends in bands.items():
        if len(ends) > 2 or {"at_least", "above"} <= ends.keys() or {"at_most", "below"} <= ends.keys():
            en, zh = f"{axis} has two ends on one side", f"{axis} 同侧有两个端点"
            problems.append(FileProblem(file, position, "R-UNIT", en, zh))
        places.append((axis, _band(ends, file, position, problems)))
    text = cells["value"]
    return tuple(places), number("value", text) if text else None, file, position


def _schedule(steps: Any, document: Document, path: Path12, problems: list[FileProblem]) -> Schedule | None:
    before: dict[str, int] = {"after_ppm": -1, "released_ppm": -1}
    for index, step in enumerate(steps):
        for name in ("after_ppm", "released_ppm"):
            if step[name] <= before[name]:
                en = f"{name} {step[name]} does not rise above {before[name]} of the step before; steps are cumulative"
                zh = f"{name} {step[name]} 未高于前一节点的 {before[name]}；各节点为累计值"
                problems.append(document.problem((*path, index, name), "R-UNIT", en, zh))
        before = step
    if before["released_ppm"] != WHOLE:
        en = f"the last step releases {before['released_ppm']} of {WHOLE} ppm: the rest would never leave custody"
        zh = f"末节点仅划拨 {before['released_ppm']} / {WHOLE}，余款将永远无法划拨"
        problems.append(document.problem((*path, len(steps) - 1, "released_ppm"), "R-DEAD", en, zh))
    return None if problems else Schedule.of(*((step["after_ppm"], step["released_ppm"]) for step in steps))


def _calendar(days: Any, document: Document, path: Path12, problems: list[FileProblem]) -> DaySet | None:
    spans: list[tuple[date, date]] = []
    for index, item in enumerate(days):
        first, last = (item, item) if isinstance(item, str) else (item["first"], item["last"])
        span = date.fromisoformat(first), date.fromisoformat(last)
        if span[1] < span[0]:
            en, zh = f"last {last} is before first {first}", f"末日 {last} 早于首日 {first}"
            problems.append(document.problem((*path, index), "R-DATE", en, zh))
        elif any(one <= span[1] and span[0] <= two for one, two in spans):
            en, zh = f"{first} to {last} meets days that stand above", f"{first} 至 {last} 与上文日期重复"
            problems.append(document.problem((*path, index), "R-OVERLAP", en, zh))
        spans.append(span)
    return None if problems else DaySet.of(spans)
