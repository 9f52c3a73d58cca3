"""T15: forty kinds of break in files and lines, ten of each: every one is named, none passes in silence."""

from __future__ import annotations

import base64
import csv
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from offcampus_server.funds import sheets, statement_files
from offcampus_server.funds.decisions import (
    Booked,
    Break,
    Instructed,
    break_of_account,
    break_of_instruction,
    break_of_kind,
    break_of_receipt,
    reconcile,
)
from offcampus_server.kernel.problems import Problem
from offcampus_server.orders.payments import Part
from openpyxl import Workbook

EACH = 10
ACCOUNT = "cac_01kxhr1680exwrgzed51t593fg"
PAYMENT = "pay_01m01p2fv0e0y95cr5nq4qh3f3"
Rows = list[list[Any]]
HEAD = list(statement_files.COLUMNS)
AT = {name: number for number, name in enumerate(HEAD)}


def sheet(rng: random.Random) -> Rows:
    """A lawful file of two to six lines."""
    rows: Rows = [list(HEAD), [""] * len(HEAD)]
    rows[1][AT["kind"]], rows[1][AT["balance"]] = "opening", "0.00"
    balance = 0
    for number in range(rng.randint(2, 6)):
        fen = rng.randint(1, 900_000)
        balance += fen
        rows.append([
            f"LINE-{number}", "receipt", "credit", statement_files.yuan(fen), "2026-08-15 11:58:00", "2026-08-15",
            f"{rng.randrange(10**17, 10**18)}", PAYMENT, str(rng.randint(1, 5)), "", statement_files.yuan(balance),
        ])  # fmt: skip
    rows.append([""] * len(HEAD))
    rows[-1][AT["kind"]], rows[-1][AT["balance"]] = "closing", statement_files.yuan(balance)
    return rows


def as_csv(rows: Rows, encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(rows: Rows, sheets_: int = 1) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for _ in range(sheets_ - 1):
        book.create_sheet()
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def put(column: str, *values: Any) -> Callable[[random.Random, Rows], None]:
    def spoil(rng: random.Random, rows: Rows) -> None:
        rows[rng.randint(2, len(rows) - 2)][AT[column]] = rng.choice(values)

    return spoil


def no_column(rng: random.Random, rows: Rows) -> None:
    gone = AT[rng.choice([name for name in HEAD if name not in statement_files.OPTIONAL])]
    for row in rows:
        del row[gone]


def new_column(rng: random.Random, rows: Rows) -> None:
    for row in rows:
        row.append(rng.choice(["colour", "备注", "Amount"]))


def column_twice(rng: random.Random, rows: Rows) -> None:
    name = rng.choice(HEAD)
    for row in rows:
        row.append(row[AT[name]])


def wide_row(rng: random.Random, rows: Rows) -> None:
    rows[rng.randint(2, len(rows) - 2)] += ["x"] * rng.randint(1, 5)


def drop(place: int) -> Callable[[random.Random, Rows], None]:
    return lambda rng, rows: rows.__delitem__(place)


def twice(place: int) -> Callable[[random.Random, Rows], None]:
    return lambda rng, rows: rows.insert(place, list(rows[place]))


def opening_late(rng: random.Random, rows: Rows) -> None:
    rows.insert(rng.randint(3, len(rows) - 1), rows.pop(1))


def many_rows(rng: random.Random, rows: Rows) -> None:
    # Short rows: what is judged is their number, before the file's size.
    rows[1:] = [["x"]] * (sheets.MOST_ROWS + rng.randint(1, 9))


BY_ROWS: dict[str, tuple[str, Callable[[random.Random, Rows], None]]] = {
    "a column is missing": ("file.columns", no_column),
    "a column that is none": ("file.columns", new_column),
    "a column twice": ("file.columns", column_twice),
    "a row is too wide": ("file.row", wide_row),
    "no opening": ("file.balance_row", drop(1)),
    "no closing": ("file.balance_row", drop(-1)),
    "two openings": ("file.balance_row", twice(1)),
    "two closings": ("file.balance_row", twice(-1)),
    "the opening is not the first row": ("file.balance_row", opening_late),
    "too many rows": ("file.size", many_rows),
    "three decimals": ("file.amount", put("amount", "1.005", "0.001", "4800.500")),
    "a sign": ("file.amount", put("amount", "-5", "+5", "-0.01", "−5")),
    "separators": ("file.amount", put("amount", "4,800.00", "1_000", "4 800", "４８００")),
    "an exponent": ("file.amount", put("amount", "4.8E+3", "1e2", "NaN", "Infinity", "¥4800")),
    "no amount": ("file.amount", put("amount", "", " ", "无")),
    "an amount beyond all bounds": ("file.amount", put("amount", "9" * 15, "1" + "0" * 20)),
    "no such day": ("file.date", put("value_on", "2026-02-30", "2026-8-15", "20260815", "46249", "")),
    "no such time": ("file.date", put("booked_at", "2026-08-15 25:00:00", "11:58", "2026-08-15", "2026-08-15 11:58")),
    "an unknown kind": ("file.value", put("kind", "gift", "Receipt", "转账")),
    "an unknown direction": ("file.value", put("direction", "in", "+", "贷方向")),
    "an empty reference": ("file.value", put("bank_reference", "", "   ")),
    "a part that is none": ("file.value", put("part_no", "0", "10", "1.0", "一")),
    "a cell without end": ("file.value", put("external_id", "x" * 501, "长" * 900)),
    "a formula": ("file.formula", put("bank_reference", "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)")),
}  # fmt: skip


def bytes_not_text(rng: random.Random) -> tuple[str, bytes]:
    return "csv", as_csv(sheet(rng)) + bytes([0xFF, 0xFE, rng.randint(0x80, 0xFF), 0x00])


def unclosed_quote(rng: random.Random) -> tuple[str, bytes]:
    return "csv", as_csv(sheet(rng)) + b'"unclosed' + bytes([rng.randint(97, 122)])


def bomb(rng: random.Random) -> tuple[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (45_000_000 + rng.randrange(1000)))
    return "xlsx", out.getvalue()


def one_of_the_other(rng: random.Random) -> tuple[str, bytes]:
    rows = sheet(rng)
    return ("csv", as_xlsx(rows)) if rng.random() < 0.5 else ("xlsx", as_csv(rows))


def long_number(rng: random.Random) -> tuple[str, bytes]:
    rows = sheet(rng)
    rows[2][AT["bank_reference"]] = rng.randrange(10**17, 10**18)
    return "xlsx", as_xlsx(rows)


def formula_cell(rng: random.Random) -> tuple[str, bytes]:
    rows = sheet(rng)
    rows[2][AT[rng.choice(["amount", "balance", "bank_reference"])]] = f"={rng.randint(1, 9)}+1"
    return "xlsx", as_xlsx(rows)


def two_sheets(rng: random.Random) -> tuple[str, bytes]:
    return "xlsx", as_xlsx(sheet(rng), rng.randint(2, 4))


BY_BYTES: dict[str, tuple[str, Callable[[random.Random], tuple[str, bytes]]]] = {
    "neither UTF-8 nor GB18030": ("file.encoding", bytes_not_text),
    "a quote without end": ("file.format", unclosed_quote),
    "a bomb": ("file.size", bomb),
    "one format called the other": ("file.format", one_of_the_other),
    "a reference that became a number": ("file.value", long_number),
    "a formula in a cell": ("file.formula", formula_cell),
    "two sheets": ("file.format", two_sheets),
}

OWN = {"account_id": "cac_1", "kind": "release", "direction": "debit", "amount_fen": 500}
PART = Part("pay_1", 1, "wechat", 500, "ord_1", "ins_1", settled=False, expected=True)
ASKED = Instructed("cin_1", "cac_1", 500, "release", failed=False, claimed=False)


def receipt(fen: int = 500, part: Part | None = PART, owner: str = "ins_1", direction: str = "credit") -> str | None:
    return break_of_receipt({"direction": direction, "amount_fen": fen}, part, owner, "custody")


def compared(lines: list[dict[str, Any]], booked: list[Booked], elsewhere: tuple[str, ...] = ()) -> str | None:
    fen = sum(line["amount_fen"] for line in lines)
    statement = {"opening_balance_fen": 0, "closing_balance_fen": fen, "lines": lines}
    found = reconcile(statement, booked, 0, elsewhere)
    return found[0].type if len(found) == 1 else f"{len(found)} breaks"


def line(reference: str, fen: int, **more: Any) -> dict[str, Any]:
    return {"bank_reference": reference, "external_id": f"x-{reference}", "amount_fen": fen, "direction": "credit",
            **more}  # fmt: skip


def booked(reference: str, fen: int, id: str = "cmv_1", own: str | None = None) -> Booked:
    return Booked(id, own or f"x-{reference}", reference, fen, "credit")


def other(rng: random.Random) -> int:
    return rng.choice([fen for fen in (1, 499, 501, 50_000, rng.randint(502, 10**9)) if fen != 500])


BY_LINES: dict[str, tuple[str, Callable[[random.Random], str | None]]] = {
    "an unknown payment": ("unknown_reference", lambda rng: receipt(rng.randint(1, 900), None)),
    "another sum": ("wrong_sum", lambda rng: receipt(other(rng))),
    "another institution's account": ("wrong_account", lambda rng: receipt(owner=f"ins_{rng.randint(2, 99)}")),
    "the same part again": (
        "duplicate",
        lambda rng: receipt(rng.choice([500, other(rng)]), Part("pay_1", 1, "x", 500, "o", "ins_1", True, True)),
    ),
    "a debit instead of a credit": ("wrong_direction", lambda rng: receipt(rng.randint(1, 999), direction="debit")),
    "another kind than instructed": (
        "wrong_kind", lambda rng: break_of_instruction({**OWN, "kind": "refund", "amount_fen": other(rng)}, ASKED),
    ),
    "moved after a failure": (
        "late_success",
        lambda rng: break_of_instruction(OWN, Instructed("cin_1", "cac_1", 500, "release", True, False)),
    ),
    "released while frozen": (
        "moved_while_frozen",
        lambda rng: break_of_account("frozen", None, Instructed("c", "a", other(rng), "release", False, False, True)),
    ),
    "moved after the closing": ("closed_account", lambda rng: break_of_account("closed", None, None)),
    "a fee": ("fee", lambda rng: break_of_kind({"kind": "fee", "direction": rng.choice(["debit", "credit"])})),
    "a transfer by hand": ("manual_transfer", lambda rng: break_of_kind({"kind": "other", "direction": "debit"})),
    "a sweep": ("sweep", lambda rng: break_of_kind({"kind": "sweep", "direction": "debit"})),
    "a late reversal": ("late_reversal", lambda rng: break_of_kind({"kind": "reversal", "direction": "credit"})),
    "money nobody announced": ("unlinked", lambda rng: break_of_kind({"kind": "other", "direction": "credit"})),
    "a line is missing": ("missing_line", lambda rng: compared([], [booked("A", rng.randint(1, 999))])),
    "a movement is missing": ("missing_movement", lambda rng: compared([line("A", rng.randint(1, 999))], [])),
    "a line twice": ("duplicate_line", lambda rng: compared([line("A", 500)] * 2, [booked("A", 500)])),
    "the line of another day": (
        "cross_midnight", lambda rng: compared([line("A", rng.randint(1, 999))], [], ("A",)),
    ),
    "another reference": (
        "reference_differs", lambda rng: compared([line("A", 500, external_id="x-B")], [booked("B", 500)]),
    ),
    "another sum in the statement": (
        "wrong_sum", lambda rng: compared([line("A", other(rng))], [booked("A", 500)]),
    ),
}  # fmt: skip


def code_of(form: str, content: bytes) -> str:
    """How a file is refused; 'taken' when it is not."""
    sent = {"format": form, "content": base64.b64encode(content).decode()}
    try:
        statement_files.read(sent, ACCOUNT)
    except Problem as problem:
        entry = problem.violations[0]
        places = ("/rows/", "/content")
        return str(entry["code"]) if entry["pointer"].startswith(places) else f"{entry['code']} without a place"
    return "taken"


def test_lawful_files_are_taken() -> None:
    """The twins of all that follow: ten lawful files in each format and encoding."""
    for seed in range(EACH):
        rows = sheet(random.Random(seed))
        for form, content in (
            ("csv", as_csv(rows)), ("csv", as_csv(rows, "utf-8-sig")), ("csv", as_csv(rows, "gb18030")),
            ("xlsx", as_xlsx(rows)), ("csv", sheets.write("csv", rows)), ("xlsx", sheets.write("xlsx", rows)),
        ):  # fmt: skip
            assert code_of(form, content) == "taken"


@pytest.mark.parametrize("kind", BY_ROWS)
def test_a_file_with_a_wrong_row_is_refused_by_name(kind: str) -> None:
    """In CSV, and in a workbook where the cell can be told there: formulas are that kind's own."""
    code, spoil = BY_ROWS[kind]
    for seed in range(EACH):
        rng = random.Random(f"{kind} {seed}")
        rows = sheet(rng)
        spoil(rng, rows)
        assert code_of("csv", as_csv(rows)) == code, seed
        if seed == 0 and code != "file.formula":
            assert code_of("xlsx", sheets.write("xlsx", rows)) == code


@pytest.mark.parametrize("kind", BY_BYTES)
def test_a_file_that_is_none_is_refused_by_name(kind: str) -> None:
    """Before anything of it is believed."""
    code, make = BY_BYTES[kind]
    for seed in range(EACH):
        assert code_of(*make(random.Random(f"{kind} {seed}"))) == code, seed


@pytest.mark.parametrize("kind", BY_LINES)
def test_a_line_that_disagrees_is_named(kind: str) -> None:
    """Each with the one type that a person finds on the list."""
    expected, find = BY_LINES[kind]
    for seed in range(EACH):
        assert find(random.Random(f"{kind} {seed}")) == expected, seed


def test_balances_that_do_not_chain_are_named() -> None:
    """Opening against the last closing, closing against opening and lines."""
    for seed in range(EACH):
        off = random.Random(seed).choice([-1, 1, 100, 10**9])
        body = {"opening_balance_fen": 10**10, "closing_balance_fen": 10**10 + 5, "lines": [line("A", 5)]}
        mine = [booked("A", 5)]
        assert reconcile(body, mine, 10**10) == []
        assert [b.type for b in reconcile(body, mine, 10**10 + off)] == ["opening_mismatch"]
        wrong = {**body, "closing_balance_fen": 10**10 + 5 + off}
        assert reconcile(wrong, mine, 10**10) == [
            Break("closing_mismatch", expected_fen=10**10 + 5, got_fen=10**10 + 5 + off)
        ]


def test_there_are_forty_kinds_and_more() -> None:
    """The count of the plan."""
    assert len(BY_ROWS) + len(BY_BYTES) + len(BY_LINES) + 2 >= 40


def test_dates_and_numbers_that_a_spreadsheet_made() -> None:
    """A day, a time and an amount as Excel keeps them are read exactly; a number of lost digits is not."""
    rows = sheet(random.Random(1))
    line_ = rows[2]
    line_[AT["value_on"]], line_[AT["booked_at"]] = date(2026, 8, 15), datetime(2026, 8, 15, 11, 58)
    line_[AT["amount"]], line_[AT["part_no"]] = 4800.1, 2
    sent = {"format": "xlsx", "content": base64.b64encode(as_xlsx(rows)).decode()}
    first = statement_files.read(sent, ACCOUNT)["lines"][0]
    assert (first["value_on"], first["booked_at"]) == ("2026-08-15", "2026-08-15T11:58:00+08:00")
    assert (first["amount_fen"], first["part_no"]) == (480_010, 2)
    for lost in (12_345_678_901_234.56, 4800.005, 1e16):
        line_[AT["amount"]] = lost
        assert code_of("xlsx", as_xlsx(rows)) == "file.amount"
