"""Bank and platform agree day by day: each line one movement, balances that chain, and every difference named."""

from __future__ import annotations

from typing import Any

import pytest
from money import event_types, in_contract, report_lines
from world import Document, World, problem


@pytest.fixture
def banked(world: World) -> World:
    """A paid order: two receipts of 3,000.00 and 1,800.00 yuan ten days ago."""
    return world.ready()


def lines_of(world: World) -> list[Document]:
    """The lines as the bank reported them."""
    sent = ("external_id", "account_id", "kind", "direction", "amount_fen", "booked_at", "value_on", "bank_reference",
            "payment_id", "part_no", "balance_after_fen")  # fmt: skip
    items = world.ok(world.bank.get("/v1/custody-movements"))["items"]
    return [{name: item[name] for name in sent if name in item} for item in items]


def submit(world: World, day: int, *lines: Document, opening: int = 0, closing: int | None = None) -> Any:
    moved = sum(line["amount_fen"] * (1 if line["direction"] == "credit" else -1) for line in lines)
    body = {
        "opening_balance_fen": opening, "closing_balance_fen": opening + moved if closing is None else closing,
        "lines": list(lines),
    }  # fmt: skip
    return world.bank.write("PUT", f"/v1/statements/{world.ids['account']}/{world.day(day)}", body)


def breaks(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [entry["type"] for entry in answer.json["breaks"]]


def test_a_day_that_agrees(banked: World) -> None:
    """Reconciled; the same statement again is the same version and tells nobody twice."""
    first = submit(banked, -10, *lines_of(banked))
    assert (first.json["state"], breaks(first), first.json["version"]) == ("reconciled", [], 1)
    again = submit(banked, -10, *lines_of(banked))
    assert again.json == first.json
    assert event_types(banked, first.json["id"]) == ["statement.reconciled"]
    path = f"/v1/statements/{banked.ids['account']}/{banked.day(-10)}"
    assert banked.ok(banked.bank.get(path)) == first.json
    assert banked.bank.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert banked.ok(banked.authority.get(path))["state"] == "reconciled"


def test_each_difference_is_named(banked: World) -> None:
    """Scenario 21: a line twice, one missing, one never reported, a wrong sum, balances that do not chain."""
    first, second = lines_of(banked)
    stray = {**first, "external_id": "s", "bank_reference": "STRAY", "kind": "other", "amount_fen": 5}
    assert breaks(submit(banked, -10, first, first, second)) == ["duplicate_line"]
    assert breaks(submit(banked, -10, first)) == ["missing_line"]
    assert breaks(submit(banked, -10, first, second, stray)) == ["missing_movement"]
    wrong = submit(banked, -10, {**first, "amount_fen": 299_999}, second)
    assert breaks(wrong) == ["wrong_sum"]
    entry = wrong.json["breaks"][0]
    assert (entry["expected_fen"], entry["got_fen"], entry["bank_reference"]) == (
        300_000, 299_999, first["bank_reference"],
    )  # fmt: skip
    assert breaks(submit(banked, -10, first, second, closing=480_001)) == ["closing_mismatch"]
    corrected = submit(banked, -10, first, second)
    assert (corrected.json["state"], corrected.json["version"]) == ("reconciled", 6)
    told = event_types(banked, corrected.json["id"])
    assert told == ["statement.broken"] * 5 + ["statement.reconciled"]


def test_a_line_that_crosses_midnight(banked: World) -> None:
    """The bank counts it on the day after its value date: missing on the one day, of another day on the other."""
    first, second = lines_of(banked)
    assert breaks(submit(banked, -10, first)) == ["missing_line"]
    assert breaks(submit(banked, -9, second, opening=300_000)) == ["cross_midnight"]


def test_a_movement_that_comes_late_settles_the_difference(banked: World) -> None:
    """Reported after the statement: the day agrees from then on, without sending the statement again."""
    late = {
        **banked.receipt_document(1, 30), "kind": "fee", "direction": "debit", "bank_reference": "FEE",
        "value_on": banked.day(-9), "external_id": "fee-1",
    }  # fmt: skip
    del late["payment_id"], late["part_no"]
    statement = submit(banked, -9, late, opening=480_000)
    assert breaks(statement) == ["missing_movement"]
    report_lines(banked, late)
    path = f"/v1/statements/{banked.ids['account']}/{banked.day(-9)}"
    found = banked.ok(banked.bank.get(path))
    assert (found["state"], found["breaks"], found["version"]) == ("reconciled", [], 2)
    assert event_types(banked, found["id"]) == ["statement.broken", "statement.reconciled"]


def test_days_chain(banked: World) -> None:
    """Opening is the last closing, also over a day without statement; correcting a day settles the next one."""
    wrong = submit(banked, -10, *lines_of(banked), closing=480_500)
    assert breaks(wrong) == ["closing_mismatch"]
    following = submit(banked, -7, opening=480_000)
    assert breaks(following) == ["opening_mismatch"]
    assert following.json["breaks"][0]["expected_fen"] == 480_500
    assert breaks(submit(banked, -10, *lines_of(banked))) == []
    path = f"/v1/statements/{banked.ids['account']}/{banked.day(-7)}"
    assert banked.ok(banked.bank.get(path))["state"] == "reconciled"


def test_a_statement_is_the_banks_own(banked: World) -> None:
    """For an account of another bank, or one that is not there, there is no statement; nor for other roles."""
    missing = f"/v1/statements/cac_{'0' * 26}/{banked.day(-10)}"
    body = {"opening_balance_fen": 0, "closing_balance_fen": 0, "lines": []}
    problem(in_contract(banked.bank.write("PUT", missing, body), "submitStatement"), 404, "resource.not_found")
    problem(banked.bank.get(missing), 404, "resource.not_found")
    unsent = f"/v1/statements/{banked.ids['account']}/{banked.day(-3)}"
    problem(banked.bank.get(unsent), 404, "resource.not_found")
    problem(banked.vendor.get(unsent), 403, "auth.scope")


def test_a_statement_speaks_of_one_account(banked: World) -> None:
    """A line of another account is pointed at and nothing is stored."""
    first, second = lines_of(banked)
    foreign = {**second, "account_id": "cac_" + "0" * 26}
    answer = submit(banked, -10, first, foreign)
    problem(in_contract(answer, "submitStatement"), 422, "reference.mismatch", "/lines/1/account_id")
    assert banked.count("statements") == 0


def test_a_day_that_is_none(banked: World) -> None:
    """30 February is no page."""
    body = {"opening_balance_fen": 0, "closing_balance_fen": 0, "lines": []}
    answer = banked.bank.write("PUT", f"/v1/statements/{banked.ids['account']}/2026-02-30", body)
    problem(answer, 404, "resource.not_found")
