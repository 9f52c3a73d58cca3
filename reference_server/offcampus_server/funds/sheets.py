"""Tables in files: CSV and XLSX to rows of text and back, and nothing that a file could do to the reader.

- CSV is read as UTF-8 (with or without BOM) or GB18030, and written as UTF-8 with BOM, which every Excel opens rightly.
- Long numbers are text: a number that a program has made of a reference has lost digits, and is refused, not guessed.
- A formula is never kept and never written: text that begins like one is written behind an apostrophe, which is taken
  off again, or as a text cell.
- Size is judged before anything is opened: an XLSX of 500 KiB can be 500 MiB of memory.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

MOST_BYTES = 1_500_000
MOST_UNPACKED = 40_000_000
MOST_MEMBERS = 60
MOST_RATIO = 120
MOST_ROWS = 5_003
MOST_COLUMNS = 40
MOST_CHARACTERS = 500
LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Number:
    """A cell that a program holds as a number; its text is how it is spelled, digits beyond the fifteenth are lost."""

    text: str


Cell = str | Number | date | datetime


@dataclass
class FileFault(Exception):
    """What is wrong with a file, and where: row and column count from one, as a person sees them."""

    code: str
    detail: str
    row: int | None = None
    column: str | None = None
    given: str | None = None
    allowed: str | None = None


def read(form: str, content: bytes) -> list[list[Cell]]:
    """The rows of a file; empty rows at its end are left out. Raises FileFault."""
    if len(content) > MOST_BYTES:
        raise FileFault("file.size", f"{len(content)} bytes", given=str(len(content)), allowed=f"{MOST_BYTES} bytes")
    if not content.strip():
        raise FileFault("file.format", "the file is empty")
    rows = list(_csv(content) if form == "csv" else _xlsx(content))
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def write(form: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A file with these rows, every cell a text."""
    return _write_csv(rows) if form == "csv" else _write_xlsx(rows)


def _csv(content: bytes) -> Iterator[list[Cell]]:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileFault("file.format", "this is a spreadsheet, not CSV", allowed="csv")
    text = _decoded(content)
    if "\0" in text:
        raise FileFault("file.format", "the file holds NUL: it is no text")
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            yield _bounded(number, [_bare(cell, number) for cell in row])
    except csv.Error as error:
        raise FileFault("file.format", f"this is no CSV: {error}") from None


def _decoded(content: bytes) -> str:
    try:
        return content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} is neither UTF-8 nor GB18030"
        raise FileFault("file.encoding", detail, allowed="UTF-8, GB18030") from None


def _bare(cell: str, row: int) -> str:
    """A text without the apostrophe that kept it from being a formula."""
    if cell.startswith("'") and cell[1:].startswith((*LIKE_A_FORMULA, "'")):
        return cell[1:]
    if cell.startswith(("=", "@")):
        allowed = "text; '= for a text that looks like one"
        raise FileFault("file.formula", "a cell holds a formula", row, given=cell[:40], allowed=allowed)
    return cell


def _xlsx(content: bytes) -> Iterator[list[Cell]]:
    _judge_archive(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # noqa: BLE001 - a broken workbook fails in many ways inside the library
        raise FileFault("file.format", f"this is no workbook: {type(error).__name__}", allowed="xlsx") from None
    try:
        if len(book.worksheets) != 1:
            raise FileFault("file.format", f"{len(book.worksheets)} sheets", allowed="one sheet")
        sheet = book.worksheets[0]
        for number, row in enumerate(sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS + 1), 1):
            cells = [_cell(number, cell) for cell in row]
            while cells and cells[-1] == "":
                cells.pop()
            yield _bounded(number, cells)
    except (KeyError, ValueError, SyntaxError) as error:
        raise FileFault("file.format", f"the sheet cannot be read: {type(error).__name__}", allowed="xlsx") from None
    finally:
        book.close()


def _judge_archive(content: bytes) -> None:
    """Number, size and ratio of the members, before any is unpacked. Raises FileFault."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise FileFault("file.format", "this is no workbook", allowed="xlsx") from None
    unpacked = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(len(content), 10_000):
        detail = f"{len(members)} parts of {unpacked} bytes when unpacked"
        raise FileFault("file.size", detail, given=str(unpacked), allowed=f"{MOST_UNPACKED} bytes")
    if any(member.filename.startswith("xl/vbaProject") or "externalLink" in member.filename for member in members):
        raise FileFault("file.formula", "the workbook holds macros or links to other files", allowed="values only")


def _cell(row: int, cell: Any) -> Cell:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f" or (kind != "s" and isinstance(value, str) and value.startswith("=")):
        raise FileFault("file.formula", "a cell holds a formula", row, given=str(value)[:40], allowed="values only")
    if kind == "e":
        raise FileFault("file.value", "a cell holds an error", row, given=str(value))
    if isinstance(value, bool):
        raise FileFault("file.value", "a cell holds a truth value", row, given=str(value), allowed="text")
    if isinstance(value, int | float):
        return Number(repr(value))
    return value if isinstance(value, date) else str(value)


def _bounded(number: int, cells: Sequence[Cell]) -> list[Cell]:
    if number > MOST_ROWS:
        raise FileFault("file.size", "too many rows", number, allowed=f"{MOST_ROWS} rows")
    if len(cells) > MOST_COLUMNS:
        raise FileFault("file.columns", f"{len(cells)} columns", number, allowed=f"{MOST_COLUMNS} columns")
    if any(isinstance(cell, str) and len(cell) > MOST_CHARACTERS for cell in cells):
        raise FileFault("file.value", "a cell is too long", number, allowed=f"{MOST_CHARACTERS} characters")
    return list(cells)


def _write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([_behind_apostrophe(cell) for cell in row] for row in rows)
    return BOM + out.getvalue().encode("utf-8")


def _behind_apostrophe(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*LIKE_A_FORMULA, "'")) else cell


def _write_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("对账单")
    for row in rows:
        sheet.append([_text_cell(sheet, cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
    cell.data_type = "s"  # the library makes a formula of a text that begins with =
    cell.number_format = "@"
    return cell
