"""The fate of every row, before anything is sent. Pure but for the lookups that it is given.

A row is ready (with its record), skipped (an empty row, a total), or wrong (with the column, what is allowed and what
to do); a row that repeats an own reference of this file with other content is wrong, with the same content skipped.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from offcampus_sdk.checking import Verdict
from offcampus_sdk.importing import values
from offcampus_sdk.importing.mapping import Mapping as Layout
from offcampus_sdk.importing.mapping import Member
from offcampus_sdk.importing.sheets import Cell, Row

Document = dict[str, Any]
Lookup = Callable[[str, str], str | None]
"""(collection, own reference) -> the platform's identifier, or None."""
Judge = Callable[[str, Document], Verdict]
"""(operation, record) -> what the platform would say of it."""
HEADER_WITHIN_ROWS = 30
READERS: Mapping[str, Callable[[Cell], Any]] = {
    "text": values.text, "fen": values.fen, "class_hours_centi": values.class_hours_centi, "minutes": values.minutes,
    "integer": values.integer, "date": lambda cell: values.day(cell).isoformat(), "yes": values.yes,
}  # fmt: skip


class NoHeader(Exception):
    """No row has the columns by which the header is found; the message says which were looked for."""


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a row, for the person who mends the export."""

    column: str
    """The header of the column, or the member where no column is to blame."""
    code: str
    message: str


@dataclass(frozen=True)
class Fate:
    """What becomes of a row. `number` is the row's number as a spreadsheet shows it."""

    number: int
    kind: Literal["ready", "skipped", "wrong"]
    reason: str = ""
    external_id: str = ""
    record: Document | None = None
    wrong: tuple[Wrong, ...] = field(default=())


def judge(
    layout: Layout, rows: Sequence[Row], *, context: Mapping[str, str], lookup: Lookup, check: Judge
) -> Iterator[Fate]:
    """The fate of every row below the header. Raises NoHeader, ValueError for a missing context value."""
    if missing := [name for name in layout.contexts if name not in context]:
        raise ValueError(f"give {', '.join(f'--set {name}=…' for name in missing)}")
    start, header = _header(layout, rows)
    above: dict[str, Cell] = {}
    seen: dict[str, Document] = {}
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        cells = {name: row[place] if place < len(row) else None for name, place in header.items()}
        if all(cell is None for cell in cells.values()):
            yield Fate(number, "skipped", "empty")
            continue
        if (reason := _skipped(layout, cells, row)) is not None:
            yield Fate(number, "skipped", reason)
            continue
        for name in layout.fill_down:
            above[name] = cells[name] = cells.get(name) if cells.get(name) is not None else above.get(name)
        yield _judged(layout, number, _Row(cells, context, lookup), check, seen)


@dataclass(frozen=True)
class _Row:
    cells: Mapping[str, Cell]
    context: Mapping[str, str]
    lookup: Lookup


def _header(layout: Layout, rows: Sequence[Row]) -> tuple[int, dict[str, int]]:
    for number, row in enumerate(rows[:HEADER_WITHIN_ROWS]):
        cells = [(str(cell).replace("\n", ""), place) for place, cell in enumerate(row) if cell is not None]
        named = dict(reversed(cells))  # a header that stands twice is its first column
        if all(name in named for name in layout.header):
            return number, named
    raise NoHeader(f"no row among the first {HEADER_WITHIN_ROWS} has all of: {', '.join(layout.header)}")


def _skipped(layout: Layout, cells: Mapping[str, Cell], row: Row) -> str | None:
    for skip in layout.skip:
        cell = cells.get(skip.column)
        if cell is not None and re.search(skip.matches, str(cell)):
            return f"{skip.column}: {skip.matches}"
    first = next((cell for cell in row if cell is not None), None)
    if isinstance(first, str) and re.match(r"(合\s*计|小\s*计|总\s*计|本页合计)", first):
        return "a total"
    return None


def _judged(layout: Layout, number: int, row: _Row, check: Judge, seen: dict[str, Document]) -> Fate:
    record: Document = {}
    wrong: list[Wrong] = []
    for path, member in layout.members.items():
        try:
            value = _value(member, row)
        except values.WrongValue as error:
            wrong.append(Wrong(_column(path, member, row), "import.value", f"allowed: {error.allowed}"))
            continue
        if value is not None:
            _put(record, path.split("."), value)
    external_id = str(record.get("external_id", ""))
    if not wrong:
        places = {"/" + path.replace(".", "/"): _column(path, member, row) for path, member in layout.members.items()}
        for found in check(layout.operation, record).violations:
            place = str(found.pointer)
            wrong.append(Wrong(places.get(place, place), found.code, str(found.message_zh or found.message_en)))
    if wrong:
        return Fate(number, "wrong", external_id=external_id, wrong=tuple(wrong))
    if (first := seen.setdefault(external_id, record)) is not record:
        if first == record:
            return Fate(number, "skipped", "the same record stands above", external_id)
        message = "another row of this file has the same own reference and another content"
        return Fate(number, "wrong", external_id=external_id, wrong=(Wrong("external_id", "import.repeated", message),))
    return Fate(number, "ready", external_id=external_id, record=record)


def _value(member: Member, row: _Row) -> Any:
    if member.constant is not None:
        return member.constant
    if member.context is not None:
        return row.context[member.context]
    if member.template is not None:
        return re.sub(r"\{([^{}]+)\}", lambda found: _plain(row.cells.get(found[1])), member.template)
    cell = next((row.cells[name] for name in member.columns if row.cells.get(name) is not None), None)
    if cell is None:
        if member.optional:
            return None
        raise values.WrongValue("not empty")
    read = _read(member, cell, row)
    if member.lookup is None:
        return read
    found = row.lookup(member.lookup, str(read))
    if found is None:
        raise values.WrongValue(f"an own reference that the platform knows among {member.lookup}: report that first")
    return found


def _read(member: Member, cell: Cell, row: _Row) -> Any:
    if member.kind == "choice":
        return values.choice(cell, member.options or {})
    if member.kind in READERS:
        return READERS[member.kind](cell)
    day = row.cells.get(member.date) if member.date is not None else cell
    if day is None:
        raise values.WrongValue("a day in the column of the date")
    if member.kind == "moment":
        return values.moment(day, cell)
    ends = values.span(cell)
    return values.moment(day, ends[0] if member.kind == "span_from" else ends[1])


def _column(path: str, member: Member, row: _Row) -> str:
    return next((name for name in member.columns if name in row.cells), member.columns[0] if member.columns else path)


def _plain(cell: Cell) -> str:
    if cell is None:
        raise values.WrongValue("not empty where an own reference is made of it")
    return re.sub(r"[^A-Za-z0-9._:-]", "", values.text(cell))


def _put(record: Document, path: Sequence[str], value: Any) -> None:
    node: Any = record
    for step, following in itertools.pairwise(path):
        fresh: Any = [] if following.isdigit() else {}
        if isinstance(node, list):
            while len(node) <= int(step):
                node.append(fresh)
            node = node[int(step)]
        else:
            node = node.setdefault(step, fresh)
    if isinstance(node, list):
        node.append(value)
    else:
        node[path[-1]] = value
