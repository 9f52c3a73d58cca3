"""What a bank's line means and how a day is reconciled, from facts alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_server.funds.decisions import (
    Booked,
    Break,
    Instructed,
    break_of_instruction,
    break_of_receipt,
    draw,
    reconcile,
)
from offcampus_server.orders.payments import Part

PART = {
    "payment_id": "pay_1", "part_no": 1, "channel": "wechat", "amount_fen": 500, "order_id": "ord_1",
    "institution_id": "ins_1", "settled": False, "expected": True,
}  # fmt: skip
ASKED = {"id": "cin_1", "account_id": "cac_1", "amount_fen": 500, "kind": "release", "failed": False, "claimed": False}


def line(reference: str, fen: int, direction: str = "credit", **more: Any) -> dict[str, Any]:
    return {"bank_reference": reference, "amount_fen": fen, "direction": direction, "account_id": "cac_1", **more}


@pytest.mark.parametrize(
    ("part", "account", "fen", "direction", "expected"),
    [
        ({}, ("ins_1", "custody"), 500, "credit", None),
        (None, ("ins_1", "custody"), 500, "credit", "unknown_reference"),
        ({}, ("ins_1", "custody"), 500, "debit", "wrong_direction"),
        ({}, ("ins_2", "custody"), 500, "credit", "wrong_account"),
        ({}, ("ins_1", "reserve"), 500, "credit", "wrong_account"),
        ({}, ("ins_1", "custody"), 499, "credit", "wrong_sum"),
        ({"settled": True}, ("ins_1", "custody"), 500, "credit", "duplicate"),
        ({"settled": True}, ("ins_1", "custody"), 499, "credit", "duplicate"),
        ({"expected": False}, ("ins_1", "custody"), 500, "credit", "unlinked"),
    ],
)
def test_a_receipt_is_what_it_names_or_a_difference(
    part: dict[str, Any] | None, account: tuple[str, str], fen: int, direction: str, expected: str | None
) -> None:
    """Sum, account and state of the part decide; nothing near enough is good enough."""
    known = None if part is None else Part(**{**PART, **part})
    assert break_of_receipt(line("B1", fen, direction), known, *account) == expected


@pytest.mark.parametrize(
    ("instructed", "changes", "expected"),
    [
        ({}, {}, None),
        (None, {}, "unknown_reference"),
        ({}, {"direction": "credit"}, "wrong_direction"),
        ({}, {"kind": "refund"}, "wrong_kind"),
        ({}, {"account_id": "cac_2"}, "wrong_account"),
        ({}, {"amount_fen": 501}, "wrong_sum"),
        ({"claimed": True}, {}, "duplicate"),
        ({"failed": True}, {}, "late_success"),
    ],
)
def test_a_debit_is_what_was_asked_for_or_a_difference(
    instructed: dict[str, Any] | None, changes: dict[str, Any], expected: str | None
) -> None:
    """Account, sum, kind and state of the instruction decide."""
    known = None if instructed is None else Instructed(**{**ASKED, **instructed})
    debit = {**line("B1", 500, "debit", kind="release"), **changes}
    assert break_of_instruction(debit, known) == expected


@given(amount=st.integers(0, 10**12), held=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10**12)))
def test_money_is_drawn_from_what_holds_it(amount: int, held: dict[str, int]) -> None:
    """Never more than an account holds, never more than is asked, and all of it while there is enough; in order."""
    drawn = draw(amount, held)
    assert sum(fen for _, fen in drawn) == min(amount, sum(held.values()))
    assert all(0 < fen <= held[account] for account, fen in drawn)
    assert [account for account, _ in drawn] == [account for account in held if account in dict(drawn)]
    assert all(fen == held[account] for account, fen in drawn[:-1])


def booked(number: int, reference: str, fen: int, direction: str = "credit") -> Booked:
    return Booked(f"cmv_{number}", f"line-{number}", reference, fen, direction)


def statement(*lines: dict[str, Any], opening: int = 0, closing: int | None = None) -> dict[str, Any]:
    moved = sum(entry["amount_fen"] * (1 if entry["direction"] == "credit" else -1) for entry in lines)
    end = opening + moved if closing is None else closing
    return {"opening_balance_fen": opening, "closing_balance_fen": end, "lines": list(lines)}


RECONCILED = {
    "an empty day": (statement(opening=7), [], 7, []),
    "the first day of all": (statement(opening=7), [], None, []),
    "each line its movement": (
        statement(line("A", 500), line("B", 200, "debit")), [booked(1, "A", 500), booked(2, "B", 200, "debit")], 0, [],
    ),
    "one reference for two lines and two movements": (
        statement(line("A", 500), line("A", 300)), [booked(1, "A", 300), booked(2, "A", 500)], 0, [],
    ),
    "a line that was never reported": (
        statement(line("A", 500)), [], 0, [Break("missing_movement", "A", got_fen=500)],
    ),
    "a movement that the statement has not": (
        statement(), [booked(1, "A", 500)], 0, [Break("missing_line", "A", "cmv_1", 500)],
    ),
    "a line twice": (
        statement(line("A", 500), line("A", 500)), [booked(1, "A", 500)], 0,
        [Break("duplicate_line", "A", got_fen=500)],
    ),
    "a line twice that was never reported": (
        statement(line("A", 500), line("A", 500)), [], 0,
        [Break("missing_movement", "A", got_fen=500), Break("duplicate_line", "A", got_fen=500)],
    ),
    "a movement twice under one reference": (
        statement(line("A", 500)), [booked(1, "A", 500), booked(2, "A", 500)], 0,
        [Break("missing_line", "A", "cmv_2", 500)],
    ),
    "another sum": (
        statement(line("A", 499)), [booked(1, "A", 500)], 0, [Break("wrong_sum", "A", "cmv_1", 500, 499)],
    ),
    "another direction": (
        statement(line("A", 500, "debit"), opening=500), [booked(1, "A", 500)], 500,
        [Break("wrong_direction", "A", "cmv_1", 500, 500)],
    ),
    "a closing balance that the lines do not make": (
        statement(line("A", 500), closing=501), [booked(1, "A", 500)], 0,
        [Break("closing_mismatch", expected_fen=500, got_fen=501)],
    ),
    "an opening balance that is not yesterday's closing": (
        statement(opening=100), [], 99, [Break("opening_mismatch", expected_fen=99, got_fen=100)],
    ),
    "everything at once": (
        statement(line("A", 499), line("B", 1), closing=0), [booked(1, "A", 500), booked(2, "C", 2)], 9,
        [
            Break("wrong_sum", "A", "cmv_1", 500, 499), Break("missing_movement", "B", got_fen=1),
            Break("missing_line", "C", "cmv_2", 2), Break("opening_mismatch", expected_fen=9, got_fen=0),
            Break("closing_mismatch", expected_fen=500, got_fen=0),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECONCILED)
def test_each_difference_has_its_name(name: str) -> None:
    """Every line exactly one movement, balances that chain; tolerance is nothing."""
    sent, movements, previous, expected = RECONCILED[name]
    assert reconcile(sent, movements, previous) == expected


movements = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.integers(1, 3), st.sampled_from(["credit", "debit"])), max_size=12
)


@given(lines=movements, reported=movements, shuffled=st.randoms(use_true_random=False))
def test_nothing_is_silently_left_over(lines: list[Any], reported: list[Any], shuffled: Any) -> None:
    """No difference is reported exactly when lines and movements are the same, in whatever order they come."""
    sent = statement(*(line(*entry) for entry in lines), opening=1000)
    held = [booked(number, *entry) for number, entry in enumerate(reported)]
    shuffled.shuffle(held)
    assert (reconcile(sent, held, 1000) == []) == (sorted(lines) == sorted(reported))
