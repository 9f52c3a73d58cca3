"""What a refund comes to and how it goes back, from facts alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_server.ledger.shares import earned
from offcampus_server.orders.payments import Part
from offcampus_server.refunds.decisions import WHOLE, Account, parts, sources, state_of, work_out
from offcampus_spec._root import data_root

MONEY = st.integers(0, 2**53 - 1)


def vectors(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((data_root() / "vectors" / name).read_text(encoding="utf-8"))["cases"]
    return cases


def account(
    paid: int, hours: int, confirmed: int, reported: int, refunded: int, escrow: int, why: str | None
) -> Account:
    def share(centi: int) -> int:
        return earned(paid, min(centi, hours), hours)

    return Account(paid, refunded, escrow, share(confirmed), share(reported), confirmed, reported, hours, full=why)


def paid_parts(*amounts: int) -> list[Part]:
    return [
        Part("pay_1", number, "wechat", fen, "ord_1", "ins_1", settled=True, expected=False)
        for number, fen in enumerate(amounts, 1)
    ]


@pytest.mark.parametrize("case", vectors("refund/sums.json"), ids=lambda case: case["name"])
def test_the_sums_of_the_standard_hold(case: dict[str, Any]) -> None:
    """Amount, what is held back, what is short: each as the vector says."""
    facts = case["given"]
    amount, lines = work_out(
        account(
            facts["paid_fen"], facts["hours_centi"], facts["confirmed_centi"], facts["reported_centi"],
            facts["refunded_fen"], facts["escrow_fen"], "cooling_off" if facts["whole"] else None,
        )
    )  # fmt: skip
    by_line = {line.line: line.amount_fen for line in lines}
    assert amount == case["refund_fen"]
    assert -by_line.get("in_flight", 0) == case["held_back_fen"]
    assert amount - sources(amount, facts["escrow_fen"], 0).escrow == case["shortfall_fen"]
    assert ("sources" in by_line) == (case["shortfall_fen"] > 0)


@pytest.mark.parametrize("case", vectors("refund/parts.json"), ids=lambda case: case["name"])
def test_the_splits_of_the_standard_hold(case: dict[str, Any]) -> None:
    """What each channel takes back."""
    paid = paid_parts(*case["paid_fen"])
    back = {("pay_1", number): fen for number, fen in enumerate(case["back_fen"], 1)}
    shares = {part.part_no: share for part, share in parts(case["amount_fen"], paid, back)}
    assert [shares.get(part.part_no, 0) for part in paid] == case["parts_fen"]


@settings(max_examples=400)
@given(
    price=MONEY, hours=st.integers(1, 10**8), points=st.lists(st.integers(0, 10**8), min_size=3, max_size=3),
    why=st.sampled_from([None, *WHOLE]), data=st.data(),
)  # fmt: skip
def test_the_working_adds_up_and_names_its_sources(
    price: int, hours: int, points: list[int], why: str | None, data: st.DataObject
) -> None:
    """The lines add up to the refund, always; it is never negative, never more than was paid, and each fen has a source."""
    released_centi, confirmed, reported = sorted(min(point, hours) for point in points)
    released = earned(price, released_centi, hours)
    refunded = data.draw(st.integers(0, price - released))
    escrow = price - released - refunded
    amount, lines = work_out(account(price, hours, confirmed, reported, refunded, escrow, why))
    assert next(line for line in lines if line.line == "refund").amount_fen == amount
    assert sum(line.amount_fen for line in lines if line.line != "refund") == amount
    assert 0 <= amount <= price - refunded
    reserve = data.draw(st.integers(0, price))
    found = sources(amount, escrow, reserve)
    assert (found.escrow + found.reserve + found.institution, min(found.escrow, found.reserve)) >= (amount, 0)
    assert found.escrow <= escrow
    assert found.reserve == 0 or found.escrow == escrow, "the reserve only when escrow is used up"
    assert found.institution == 0 or found.reserve == reserve, "the institution only when the reserve is used up"
    if why is None and refunded == 0:
        held = earned(price, reported, hours) - released
        assert amount + held + released == price, "what is refunded, held back and released is what was paid"


@settings(max_examples=400)
@given(
    paid=st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 10**6), max_size=6),
)  # fmt: skip
def test_no_channel_takes_back_more_than_it_paid(paid: list[int], cuts: list[int]) -> None:
    """Refund after refund, whatever their sums: the parts are the sum, and in the end each has exactly its own back."""
    all_parts, back = paid_parts(*paid), dict.fromkeys((("pay_1", n) for n in range(1, len(paid) + 1)), 0)
    left = sum(paid)
    for cut in [*cuts, None]:
        amount = left if cut is None else left * cut // 10**6
        shares = parts(amount, all_parts, back)
        assert sum(share for _, share in shares) == amount
        for part, share in shares:
            back[part.payment_id, part.part_no] += share
            assert back[part.payment_id, part.part_no] <= part.amount_fen
        left -= amount
    assert [back["pay_1", part.part_no] for part in all_parts] == paid


def test_what_the_channels_cannot_take_is_refused() -> None:
    """A sum above what they paid is an error of the books, never split anyhow."""
    with pytest.raises(ValueError, match="cannot go back"):
        parts(101, paid_parts(100), {})
    assert parts(0, paid_parts(100), {}) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "paid"),
        (["executed", "executed"], "paid"),
        (["issued"], "paying"),
        (["accepted", "executed"], "paying"),
        (["failed", "executed"], "failed"),
        (["failed", "issued"], "failed"),
    ],
)
def test_a_refund_is_as_far_as_its_parts(states: list[str], expected: str) -> None:
    """One failed part is visible at once; paid is only what is paid whole."""
    assert state_of(states) == expected
