"""A day's statement as a file, for a bank that has no other way and for people who look at one: rows and their meaning.

First row: the columns, by their Chinese or their English names, in any order. Then `opening` with the balance before
the day, the lines, and `closing` with the balance after it. Amounts are yuan with at most two decimals and become exact
fen; times without offset are Beijing's. What a cell cannot mean is refused with row and column: nothing is guessed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from offcampus_spec import codelists, schemas

from offcampus_server.funds import sheets
from offcampus_server.funds.sheets import Cell, FileFault, Number
from offcampus_server.kernel import violations
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.kernel.problems import Problem, violation

COLUMNS = {
    "external_id": "自有编号", "kind": "类别", "direction": "方向", "amount": "金额（元）", "booked_at": "记账时间",
    "value_on": "起息日", "bank_reference": "银行流水号", "payment_id": "付款", "part_no": "付款分项",
    "instruction_id": "指令", "balance": "余额（元）",
}  # fmt: skip
OPTIONAL = frozenset({"payment_id", "part_no", "instruction_id"})
BALANCES = {"opening": "期初", "closing": "期末"}
MEDIA_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,13})(?:\.([0-9]{1,2}))?")
LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")
EXACT_DIGITS = 15
"""A number of more significant digits is not what was typed: binary floating point has lost the rest."""


def read(sent: Mapping[str, str], account_id: str) -> dict[str, Any]:
    """The statement in a file (schema `statement`). Raises `statement.file_invalid`, and `schema.invalid` as usual."""
    try:
        content = base64.b64decode(sent["content"], validate=True)
        document = _statement(sheets.read(sent["format"], content), account_id)
    except ValueError:
        raise _refused(FileFault("file.format", "content is not base64")) from None
    except FileFault as fault:
        raise _refused(fault) from None
    violations.check(schemas.validator("statement"), document)
    return document


def write(form: str, statement: Mapping[str, Any], name: str, language: str) -> dict[str, Any]:
    """A statement as a file (schema `statement-file-resource`)."""
    chinese = language.startswith("zh")
    head = [COLUMNS[key] if chinese else key for key in COLUMNS]
    opening, closing = (BALANCES[key] if chinese else key for key in BALANCES)
    rows = [
        head,
        _balance_row(opening, statement["opening_balance_fen"]),
        *(_row(line) for line in statement["lines"]),
        _balance_row(closing, statement["closing_balance_fen"]),
    ]
    content = sheets.write(form, rows)
    return {
        "file_name": f"{name}.{form}", "media_type": MEDIA_TYPES[form], "format": form,
        "content": base64.b64encode(content).decode(), "digest": f"sha-256:{hashlib.sha256(content).hexdigest()}",
    }  # fmt: skip


def _statement(rows: Sequence[Sequence[Cell]], account_id: str) -> dict[str, Any]:
    if not rows:
        raise FileFault("file.format", "the file has no row")
    columns = _columns(rows[0])
    body = [(number, _by_column(number, row, columns)) for number, row in enumerate(rows[1:], 2) if any(row)]
    kinds = [_kind(number, row) for number, row in body]
    for name, place, which in (("opening", 0, "first"), ("closing", -1, "last")):
        if kinds.count(name) != 1 or kinds[place] != name:
            found = f"{kinds.count(name)} times" if kinds.count(name) != 1 else "elsewhere"
            detail = f"the row {name} ({BALANCES[name]}) stands once, as the {which} row; found {found}"
            raise FileFault("file.balance_row", detail, column="kind")
    return {
        "opening_balance_fen": _fen(*body[0], "balance"), "closing_balance_fen": _fen(*body[-1], "balance"),
        "lines": [_line(number, row, account_id) for number, row in body[1:-1]],
    }  # fmt: skip


def _columns(row: Sequence[Cell]) -> list[str]:
    names = {**{zh: key for key, zh in COLUMNS.items()}, **{key: key for key in COLUMNS}}
    found = []
    for cell in row:
        given = str(cell).strip()
        if given not in names:
            raise FileFault("file.columns", "an unknown column", 1, given=given[:40], allowed=", ".join(COLUMNS))
        if names[given] in found:
            raise FileFault("file.columns", "a column stands twice", 1, given=given)
        found.append(names[given])
    if missing := [key for key in COLUMNS if key not in found and key not in OPTIONAL]:
        detail = f"columns are missing: {', '.join(missing)}"
        raise FileFault("file.columns", detail, 1, allowed=", ".join(COLUMNS))
    return found


def _by_column(number: int, row: Sequence[Cell], columns: Sequence[str]) -> dict[str, Cell]:
    if len(row) > len(columns):
        raise FileFault("file.row", f"{len(row)} cells under {len(columns)} columns", number)
    return dict(zip(columns, row, strict=False))


def _kind(number: int, row: Mapping[str, Cell]) -> str:
    given = _text(number, row, "kind")
    known = {zh: key for key, zh in BALANCES.items()} | {key: key for key in BALANCES}
    return known.get(given) or _code(number, row, "kind", "movement-kinds")


def _line(number: int, row: Mapping[str, Cell], account_id: str) -> dict[str, Any]:
    line: dict[str, Any] = {
        "external_id": _text(number, row, "external_id"), "account_id": account_id, "kind": _kind(number, row),
        "direction": _code(number, row, "direction", "directions"), "amount_fen": _fen(number, row, "amount"),
        "booked_at": _instant(number, row), "value_on": _day(number, row),
        "bank_reference": _text(number, row, "bank_reference"), "balance_after_fen": _fen(number, row, "balance"),
    }  # fmt: skip
    for key in ("payment_id", "instruction_id"):
        if row.get(key, "") != "":
            line[key] = _text(number, row, key)
    if row.get("part_no", "") != "":
        line["part_no"] = _part_no(number, row)
    return line


def _text(number: int, row: Mapping[str, Cell], column: str) -> str:
    cell = row.get(column, "")
    if not isinstance(cell, str):
        given = cell.text if isinstance(cell, Number) else cell.isoformat()
        detail = "a number or a date where text is needed: digits may be lost; format the column as text"
        raise FileFault("file.value", detail, number, column, given, "text")
    if not cell.strip():
        raise FileFault("file.value", "the cell is empty", number, column)
    return cell.strip()


def _code(number: int, row: Mapping[str, Cell], column: str, name: str) -> str:
    codes, given = codelists.load(name).codes, _text(number, row, column)
    known = {code.title_zh: key for key, code in codes.items()} | {key: key for key in codes}
    if given not in known:
        raise FileFault("file.value", "not one of the list", number, column, given[:40], ", ".join(known))
    return known[given]


def _fen(number: int, row: Mapping[str, Cell], column: str) -> int:
    """Yuan to fen, exactly: 4800, 4800.5 and 4800.50 and nothing else; a number cell by its shortest spelling."""
    cell = row.get(column, "")
    given = cell.text.removesuffix(".0") if isinstance(cell, Number) else str(cell).strip()
    found = AMOUNT.fullmatch(given)
    lost = isinstance(cell, Number) and len(given.replace(".", "")) > EXACT_DIGITS
    if found is None or lost:
        detail = "not an amount in yuan with at most two decimals"
        raise FileFault("file.amount", detail, number, column, given[:40], "4800.50")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _part_no(number: int, row: Mapping[str, Cell]) -> int:
    cell = row["part_no"]
    given = cell.text if isinstance(cell, Number) else str(cell).strip()
    if re.fullmatch("[1-9]", given) is None:
        raise FileFault("file.value", "not the number of a part", number, "part_no", given[:40], "1 to 5")
    return int(given)


def _day(number: int, row: Mapping[str, Cell]) -> str:
    cell = row.get("value_on", "")
    if isinstance(cell, date):
        return cell.date().isoformat() if isinstance(cell, datetime) else cell.isoformat()
    given = cell.text if isinstance(cell, Number) else cell.strip()
    try:
        if len(given) != len("2026-08-15"):
            raise ValueError
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise FileFault("file.date", "not a day", number, "value_on", given[:40], "2026-08-15") from None


def _instant(number: int, row: Mapping[str, Cell]) -> str:
    cell = row.get("booked_at", "")
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=SHANGHAI).isoformat(timespec="seconds")
    given = cell.strip() if isinstance(cell, str) else str(cell)
    try:
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None and LOCAL_TIME.fullmatch(given) is None:
            raise ValueError
    except ValueError:
        raise FileFault("file.date", "not a time", number, "booked_at", given[:40], "2026-08-15 11:58:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).isoformat(timespec="seconds")


def _row(line: Mapping[str, Any]) -> list[str]:
    shown = {**line, "amount": yuan(line["amount_fen"]), "balance": yuan(line["balance_after_fen"])}
    return [str(shown.get(key, "")) for key in COLUMNS]


def _balance_row(kind: str, fen: int) -> list[str]:
    return [kind if key == "kind" else yuan(fen) if key == "balance" else "" for key in COLUMNS]


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


def _refused(fault: FileFault) -> Problem:
    pointer = "/content"
    if fault.row is not None:
        pointer = f"/rows/{fault.row}" + (f"/{fault.column}" if fault.column else "")
    where = f"row {fault.row}, {fault.column or 'whole'}: " if fault.row is not None else ""
    entry = violation(fault.code, pointer, given=fault.given, allowed=fault.allowed)
    return Problem("statement.file_invalid", where + fault.detail, [entry])
