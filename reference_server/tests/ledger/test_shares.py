"""Shares of a price: over time and in one go, the parts are exactly the whole."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from offcampus_server.ledger.shares import PriceLine, earned, earned_by_lines, split
from offcampus_spec._root import data_root

LARGEST = 2**53 - 1


def vectors(name: str) -> list[dict[str, Any]]:
    path = data_root() / "vectors" / name
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


@pytest.mark.parametrize("case", vectors("money-split/cumulative.json"), ids=lambda case: case["name"])
def test_the_vectors_of_the_standard_hold_over_time(case: dict[str, Any]) -> None:
    """What is earned after each point of the course."""
    found = [earned(case["price_fen"], hours, case["total_centi"]) for hours in case["consumed_centi"]]
    assert found == case["earned_fen"]


@pytest.mark.parametrize("case", vectors("money-split/one-off.json"), ids=lambda case: case["name"])
def test_the_vectors_of_the_standard_hold_in_one_go(case: dict[str, Any]) -> None:
    """How one sum is split."""
    assert split(case["amount_fen"], case["weights"]) == case["parts_fen"]


@settings(max_examples=400)
@given(price=st.integers(0, 10**7), lessons=st.integers(1, 200), lesson_centi=st.sampled_from([1, 67, 100, 133, 200]))
@example(price=100_000, lessons=3, lesson_centi=100)
@example(price=1, lessons=200, lesson_centi=200)
def test_equal_lessons_release_exactly_the_price(price: int, lessons: int, lesson_centi: int) -> None:
    """Every release is at least nothing, no two differ by more than a fen, and together they are the price."""
    total = lessons * lesson_centi
    steps = [earned(price, k * lesson_centi, total) for k in range(lessons + 1)]
    releases = [after - before for before, after in itertools.pairwise(steps)]
    assert sum(releases) == price
    assert min(releases) >= 0
    assert max(releases) - min(releases) <= 1


@settings(max_examples=300)
@given(
    price=st.integers(0, LARGEST),
    hours=st.lists(st.integers(1, 100_000), min_size=1, max_size=200),
    stop=st.integers(0, 200),
)
def test_refund_and_releases_are_exactly_what_was_paid(price: int, hours: list[int], stop: int) -> None:
    """Unequal lessons, stopped after any of them: what was released and what is refunded are the price, to the fen."""
    total, taught, released = sum(hours), 0, 0
    for lesson in hours[:stop]:
        taught += lesson
        released += earned(price, taught, total) - released
    refund = price - earned(price, taught, total)
    assert released + refund == price
    assert 0 <= refund <= price


@settings(max_examples=400)
@given(amount=st.integers(0, LARGEST), weights=st.lists(st.integers(0, LARGEST), min_size=1, max_size=20))
def test_a_split_is_exactly_the_whole(amount: int, weights: list[int]) -> None:
    """The parts add up, none is further than a fen from its share, and none exceeds its weight while they suffice."""
    if not any(weights):
        weights[0] = 1
    total, parts = sum(weights), split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - amount * weight) < total
        if amount <= total:
            assert part <= weight


@pytest.mark.parametrize(("consumed", "total"), [(-1, 100), (101, 100), (1, 0), (0, 0), (0, -100)])
def test_hours_outside_the_course_are_refused(consumed: int, total: int) -> None:
    """No sum is made of hours that cannot be."""
    with pytest.raises(ValueError, match="cannot be consumed"):
        earned(100, consumed, total)


@pytest.mark.parametrize(("amount", "weights"), [(1, []), (1, [0, 0]), (-1, [1])])
def test_nothing_is_split_among_nothing(amount: int, weights: list[int]) -> None:
    """A split needs something that carries weight, and an amount that is none below zero."""
    with pytest.raises(ValueError, match="positive weights"):
        split(amount, weights)


LINES = [
    # two stages of unequal price: 20 hours for 1,000.00, then 20 hours for 3,800.00
    ([(100_000, 2000), (380_000, 2000)], 0, 4000, {0: 0, 200: 10_000, 2000: 100_000, 2200: 138_000, 4000: 480_000}),
    # materials go with all hours, the tuition by stages
    ([(100_000, 1000), (200_000, 1000), (30_000, None)], 0, 2000, {500: 57_500, 1000: 115_000, 2000: 330_000}),
    # a discount is split among the lines by largest remainder: 1.00 off 1.00 and 2.00
    ([(100, 100), (200, 100)], 100, 200, {100: 67, 200: 200}),
    # lines without hours are one sum: no fen is lost between them
    ([(100, None), (100, None), (100, None)], 0, 700, {100: 42, 600: 257, 700: 300}),
]


@pytest.mark.parametrize(("lines", "discount", "total", "expected"), LINES)
def test_lines_are_earned_over_their_own_hours(
    lines: list[tuple[int, int | None]], discount: int, total: int, expected: dict[int, int]
) -> None:
    """Unequal lessons, materials, discounts: what is earned after so many hours."""
    priced = [PriceLine(*line) for line in lines]
    assert {hours: earned_by_lines(priced, discount, hours, total) for hours in expected} == expected


@settings(max_examples=300)
@given(
    own=st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 5000)), max_size=5),
    shared=st.lists(st.integers(0, 10**7), max_size=5),
    off=st.integers(0, 10**6),
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=60),
)
def test_lines_are_exactly_the_price(own: list[tuple[int, int]], shared: list[int], off: int, steps: list[int]) -> None:
    """However the hours are taught: no step is below nothing, and after the last one the whole price is earned."""
    lines = [PriceLine(fen, hours) for fen, hours in own] + [PriceLine(fen) for fen in shared]
    price = sum(line.amount_fen for line in lines)
    discount, total = min(off, price), sum(hours for _, hours in own) or 4000
    points = [min(point, total) for point in itertools.accumulate(steps, initial=0)] + [total]
    found = [earned_by_lines(lines, discount, point, total) for point in points]
    assert found[0] == 0
    assert found[-1] == price - discount
    assert all(before <= after for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("hours", [[1000, 900], [2001], [2000, 0]])
def test_lines_that_say_their_hours_say_all_of_them(hours: list[int]) -> None:
    """Hours that nobody priced, or priced twice, earn no guess."""
    with pytest.raises(ValueError, match="the lines price"):
        earned_by_lines([PriceLine(100, own) for own in hours], 0, 100, 2000)


@pytest.mark.slow
def test_two_hundred_thousand_prices() -> None:
    """T9: any price up to 10**7 over up to 200 equal lessons: the whole, no step below nothing, a fen between steps."""
    chance = random.Random(20261125)
    for _ in range(200_000):
        price, lessons = chance.randint(0, 10**7), chance.randint(1, 200)
        before, least, most = 0, price, 0
        for lesson in range(1, lessons + 1):
            after = earned(price, lesson, lessons)
            least, most, before = min(least, after - before), max(most, after - before), after
        assert before == price
        assert least >= 0
        assert most - least <= 1
