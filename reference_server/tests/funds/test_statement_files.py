"""Statements as files: what goes out comes in the same, long numbers and looks like formulas included."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from money import differences, in_contract
from offcampus_server.funds import sheets, statement_files
from openpyxl import load_workbook
from world import World, problem

ACCOUNT = "cac_01kxhr1680exwrgzed51t593fg"
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30).map(str.strip).filter(bool)
LINES = st.lists(
    st.fixed_dictionaries({
        "external_id": st.from_regex(r"[A-Za-z0-9._:-]{1,20}", fullmatch=True), "account_id": st.just(ACCOUNT),
        "kind": st.sampled_from(["receipt", "release", "refund", "fee", "other", "reversal", "sweep"]),
        "direction": st.sampled_from(["credit", "debit"]), "amount_fen": st.integers(1, 2**53 - 1),
        "booked_at": st.just("2026-08-15T11:58:00+08:00"), "value_on": st.just("2026-08-15"),
        "bank_reference": TEXT, "balance_after_fen": st.integers(0, 2**53 - 1),
    }), max_size=4,
)  # fmt: skip


@given(lines=LINES, opening=st.integers(0, 2**53 - 1), form=st.sampled_from(["csv", "xlsx"]))
@settings(max_examples=60, deadline=None)
def test_out_and_in_again(lines: list[dict[str, Any]], opening: int, form: str) -> None:
    """Whatever a bank calls its lines, and to the fen at any size."""
    sent = {"opening_balance_fen": opening, "closing_balance_fen": opening, "lines": lines}
    assert statement_files.read(statement_files.write(form, sent, "s", "zh-CN"), ACCOUNT) == sent


@pytest.mark.parametrize(
    "text", ["=1+1", "=cmd|' /C calc'!A0", "+86", "-5", "@SUM(A1)", "\tx", "'=1", "''", "=HYPERLINK(1)"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    """Behind an apostrophe in CSV, a text cell in a workbook; and the same text when it is read."""
    rows = [["a", text, "653247040368672768"]]
    written = sheets.write("csv", rows).decode("utf-8-sig")
    assert not any(cell.strip('"').startswith(("=", "+", "-", "@", "\t")) for cell in written.strip().split(","))
    book = load_workbook(io.BytesIO(sheets.write("xlsx", rows)))
    assert [(cell.data_type, cell.number_format) for cell in book.active[1]] == [("s", "@")] * 3
    for form in ("csv", "xlsx"):
        assert sheets.read(form, sheets.write(form, rows)) == rows


def test_csv_opens_in_excel_as_chinese() -> None:
    """UTF-8 with BOM, rare characters whole."""
    content = sheets.write("csv", [["中文𠮷䶮"]])
    assert content.startswith(b"\xef\xbb\xbf")
    assert sheets.read("csv", content) == [["中文𠮷䶮"]]
    assert sheets.read("csv", "中文𠮷䶮".encode("gb18030")) == [["中文𠮷䶮"]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_is_a_statement(world: World, form: str) -> None:
    """Submitted as a file it reconciles as the same statement does, answers the same again, and is read as a file."""
    world.ready()
    items = world.ok(world.bank.get("/v1/custody-movements"))["items"]
    sent = ("external_id", "account_id", "kind", "direction", "amount_fen", "booked_at", "value_on", "bank_reference",
            "payment_id", "part_no", "balance_after_fen")  # fmt: skip
    statement = {"opening_balance_fen": 0, "closing_balance_fen": 480_000,
                 "lines": [{name: item[name] for name in sent} for item in items]}  # fmt: skip
    path = f"/v1/statements/{world.ids['account']}/{world.day(-10)}"
    made = statement_files.write(form, statement, "s", "en")
    body = {"format": form, "content": made["content"]}
    first = world.ok(world.bank.write("PUT", f"{path}/file", body))
    assert (first["state"], first["breaks"], first["lines"]) == ("reconciled", [], statement["lines"])
    assert world.ok(world.bank.write("PUT", path, statement))["version"] == 1, "the same statement, told otherwise"
    for name in ("bank", "authority"):
        read = world.ok(world.parties[name].get(f"{path}/file", format=form))
        assert read["file_name"] == f"statement-0001-{world.day(-10)}.{form}"
        assert statement_files.read(read, world.ids["account"]) == statement
    problem(in_contract(world.bank.get(f"/v1/statements/{world.ids['account']}/{world.day(-3)}/file", format=form),
                        "getStatementFile"), 404, "resource.not_found")  # fmt: skip


def test_a_file_that_cannot_be_read_changes_nothing(sqlite_world: World) -> None:
    """Row and column are named; no statement, no difference; what is no base64 is no file."""
    world = sqlite_world.ready()
    path = f"/v1/statements/{world.ids['account']}/{world.day(-10)}/file"
    rows = [list(statement_files.COLUMNS), ["", "期初", *[""] * 8, "0.00"], ["", "期末", *[""] * 8, "4,800.00"]]
    body = {"format": "csv", "content": base64.b64encode(sheets.write("csv", rows)).decode()}
    answer = problem(world.bank.write("PUT", path, body), 422, "statement.file_invalid", "/rows/3/balance")
    assert answer["violations"][0]["given"] == "4,800.00"
    in_contract(world.bank.write("PUT", path, {**body, "content": "abc"}), "submitStatementFile")
    assert world.count("statements") == 0
    assert differences(world) == []
