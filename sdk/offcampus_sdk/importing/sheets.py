"""Reading a table out of a file, whatever made it: CSV in UTF-8 (with or without BOM), UTF-16 or GB18030; XLSX.

Cells come as what they are: text, whole or exact decimal numbers, dates, times, booleans, None. Text is normalised
(NFKC: full-width digits and spaces) and stripped. A merged cell's value stands in each of its cells, as a person reads
it. Sizes are limited before anything is unpacked.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

Cell = str | int | Decimal | bool | datetime | date | time | None
Row = list[Cell]

FILE_BYTES_MAX = 50_000_000
UNPACKED_BYTES_MAX = 500_000_000
ROWS_MAX = 200_000
DELIMITERS = ",;\t"


class UnreadableFile(Exception):
    """The file cannot be read as a table; the message says why and what to do."""


def read(path: Path, sheet: str | None = None) -> list[Row]:
    """The rows of a file, the first of them first. Raises UnreadableFile.

    Args:
        sheet: the worksheet of an XLSX file; the first one when it is not given.
    """
    if not path.is_file():
        raise UnreadableFile(f"{path} is no file")
    if path.stat().st_size > FILE_BYTES_MAX:
        raise UnreadableFile(f"{path.name} is larger than {FILE_BYTES_MAX // 1_000_000} MB: export a shorter period")
    content = path.read_bytes()
    rows = _workbook(content, path.name, sheet) if content[:4] == b"PK\x03\x04" else _text(content, path.name)
    if len(rows) > ROWS_MAX:
        raise UnreadableFile(f"{path.name} has more than {ROWS_MAX} rows: export a shorter period")
    return rows


def _text(content: bytes, name: str) -> list[Row]:
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise UnreadableFile(f"{name} is an old XLS workbook: save it as XLSX or CSV")
    text = _decoded(content, name)
    if "\0" in text:
        raise UnreadableFile(f"{name} is neither CSV nor XLSX")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UnreadableFile(f"{name} is no CSV: {error}") from None
    return [[_clean(cell) for cell in row] for row in rows]


def _decoded(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: Sequence[str] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile(f"{name} is neither UTF-8 nor GB18030: export it again as CSV in UTF-8")


def _workbook(content: bytes, name: str, sheet: str | None) -> list[Row]:
    from openpyxl import load_workbook  # an extra, offcampus-sdk[xlsx]: a product without XLSX does not pay for it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES_MAX:
                raise UnreadableFile(f"{name} unpacks to more than {UNPACKED_BYTES_MAX // 1_000_000} MB")
        # data_only: what the product showed, not the formula that made it.
        workbook = load_workbook(io.BytesIO(content), data_only=True)
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001 - the library raises anything for a damaged file
        raise UnreadableFile(f"{name} is no XLSX workbook ({type(error).__name__}): save it again") from None
    if sheet is not None and sheet not in workbook.sheetnames:
        raise UnreadableFile(f"{name} has no sheet {sheet!r}; it has {', '.join(workbook.sheetnames)}")
    page = workbook[sheet] if sheet is not None else workbook.worksheets[0]
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in page.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    rows = [
        [_clean(page.cell(*merged.get((row, column), (row, column))).value) for column in range(1, page.max_column + 1)]
        for row in range(1, min(page.max_row, ROWS_MAX + 1) + 1)
    ]
    workbook.close()
    return rows


def _clean(value: Any) -> Cell:
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(repr(value))
    if not isinstance(value, str):
        found: Cell = value
        return found
    text = unicodedata.normalize("NFKC", value).strip()
    return text or None
