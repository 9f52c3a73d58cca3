"""What each way of release lets leave, and when: pure, at the edges of days, shares, disputes and endings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.orders.release_plans import (
    Plan,
    Standing,
    Step,
    TaughtStep,
    ceiling,
    last_lesson_done,
    most,
    next_day,
    waits_for_settlement,
)

FROM, UNTIL = date(2026, 3, 1), date(2026, 6, 1)
THIRDS = (Step(FROM, 300_000), Step(date(2026, 4, 1), 600_000), Step(date(2026, 5, 2), 1_000_000))
PRICE = 480_000
A_QUARTER = Standing(PRICE, 120_000, 0, undecided=False, all_taught=False, leaving=False, ended=False)


def plan(mode: str | None, *steps: Step, follows: bool = True) -> Plan:
    return Plan(mode, steps, follows, FROM, UNTIL)


@pytest.mark.parametrize("mode", [None, "per_lesson", "proportional", "per_month", "weekly", "batch_above_unconsumed"])
def test_ways_that_follow_the_teaching_give_what_is_earned(mode: str | None) -> None:
    """A quarter taught, a quarter of the price, on any day."""
    for today in (FROM, date(2026, 5, 31), date(2026, 12, 1)):
        assert most(plan(mode), A_QUARTER, today) == 120_000


@pytest.mark.parametrize(
    ("today", "ahead", "capped"),
    [
        (date(2026, 2, 28), 0, 0), (date(2026, 3, 1), 144_000, 120_000), (date(2026, 3, 31), 144_000, 120_000),
        (date(2026, 4, 1), 288_000, 120_000), (date(2026, 5, 2), 480_000, 120_000),
    ],
)  # fmt: skip
def test_a_schedule_gives_its_share_from_the_day_on(today: date, ahead: int, capped: int) -> None:
    """3:3:4. In month two 60 % with a quarter taught, where the date's rules let it run ahead; else what is earned."""
    assert most(plan("schedule", *THIRDS, follows=False), A_QUARTER, today) == ahead
    assert most(plan("schedule", *THIRDS), A_QUARTER, today) == capped
    assert ceiling(plan("schedule", *THIRDS, follows=False), PRICE, 120_000, 250_000, today) == max(ahead, 120_000)
    assert ceiling(plan("schedule", *THIRDS), PRICE, 120_000, 250_000, today) == 120_000


@pytest.mark.parametrize(
    ("taught", "by_teaching", "with_days"),
    [(0, 144_000, 144_000), (499_999, 144_000, 144_000), (500_000, 480_000, 288_000), (1_000_000, 480_000, 288_000)],
)
def test_a_schedule_over_the_teaching_gives_its_share_from_that_hour_on(
    taught: int, by_teaching: int, with_days: int
) -> None:
    """Half of the hours confirmed, whatever the day; with days beside it the less of both."""
    steps, today = (TaughtStep(0, 300_000), TaughtStep(500_000, 1_000_000)), date(2026, 4, 1)
    where = replace(A_QUARTER, taught_ppm=taught)
    alone = Plan("schedule", (), False, FROM, UNTIL, steps)
    assert most(alone, where, FROM) == most(alone, where, UNTIL) == by_teaching
    assert most(replace(alone, steps=THIRDS), where, today) == with_days
    assert most(replace(alone, follows_teaching=True), where, today) == 120_000
    assert ceiling(alone, PRICE, 120_000, taught, today) == by_teaching


def test_a_schedule_keeps_the_price_of_an_hour_in_dispute_and_stops_when_the_family_leaves() -> None:
    """At the last step all but the disputed lesson; once a refund is asked for, nothing ahead of the teaching."""
    ahead, last = plan("schedule", *THIRDS, follows=False), date(2026, 5, 2)
    assert most(ahead, replace(A_QUARTER, disputed_fen=24_000), last) == 456_000
    assert most(ahead, replace(A_QUARTER, disputed_fen=24_000), date(2026, 4, 1)) == 288_000
    assert most(ahead, replace(A_QUARTER, leaving=True), last) == 120_000
    assert most(ahead, replace(A_QUARTER, leaving=True, ended=True), last) == 120_000


@pytest.mark.parametrize(
    ("changes", "today", "given"),
    [
        ({}, date(2026, 5, 31), 0),
        ({}, UNTIL, 120_000),
        ({"all_taught": True, "earned_fen": PRICE}, date(2026, 5, 20), PRICE),
        ({"all_taught": True, "earned_fen": PRICE, "undecided": True}, UNTIL, 0),
        ({"leaving": True}, date(2026, 5, 20), 0),
        ({"leaving": True, "ended": True}, date(2026, 5, 20), 120_000),
        ({"leaving": True, "ended": True, "undecided": True}, date(2026, 5, 20), 0),
    ],
    ids=[
        "before the end",
        "the period is over",
        "all taught",
        "one disputed",
        "asked",
        "refunded",
        "refunded, disputed",
    ],
)
def test_after_the_last_lesson_means_that_none_follows_and_none_is_undecided(
    changes: dict[str, bool | int], today: date, given: int
) -> None:
    """Wuhu: nothing before; an appeal moves the day."""
    where = replace(A_QUARTER, **changes)  # type: ignore[arg-type]
    assert most(plan("after_last_lesson", Step(UNTIL, 1_000_000)), where, today) == given
    assert last_lesson_done(plan("after_last_lesson"), where, today) is (given > 0)


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("mode", "now", "expected"),
    [
        ("weekly", at(date(2026, 2, 27), 12), date(2026, 3, 8)),
        ("weekly", at(FROM), date(2026, 3, 8)),
        ("weekly", at(date(2026, 3, 7), 23), date(2026, 3, 8)),
        ("weekly", at(date(2026, 3, 8)), date(2026, 3, 15)),
        ("weekly", at(date(2026, 5, 31)), UNTIL),
        ("weekly", at(UNTIL), None),
        ("schedule", at(FROM), date(2026, 4, 1)),
        ("schedule", at(date(2026, 5, 2)), None),
        ("per_lesson", at(FROM), None),
    ],
)
def test_the_next_day(mode: str, now: datetime, expected: date | None) -> None:
    """Strictly after today, at its first instant; none when the calendar gives nothing more."""
    steps = THIRDS if mode == "schedule" else ()
    assert next_day(plan(mode, *steps), now) == (None if expected is None else at(expected))


def test_only_months_and_weeks_are_settled_on_days() -> None:
    """And when a refund has ended the order, nobody waits for the day."""
    assert [mode for mode in ("per_lesson", "per_month", "weekly", "schedule", "after_last_lesson")
            if waits_for_settlement(plan(mode), A_QUARTER)] == ["per_month", "weekly"]  # fmt: skip
    assert not waits_for_settlement(plan("weekly"), replace(A_QUARTER, ended=True))


@given(
    st.sampled_from([None, "per_lesson", "per_month", "weekly", "proportional", "schedule", "after_last_lesson"]),
    st.booleans(), st.integers(0, PRICE), st.integers(0, PRICE), st.booleans(), st.booleans(),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)  # fmt: skip
def test_never_more_than_the_books_allow(
    mode: str | None, follows: bool, earned: int, disputed: int, leaving: bool, ended: bool, today: date
) -> None:
    """Whatever the way: between nothing and what a verification of the books accepts."""
    steps = THIRDS if mode == "schedule" else ()
    where = Standing(PRICE, earned, disputed, disputed > 0, earned == PRICE, leaving or ended, ended)
    made = plan(mode, *steps, follows=follows)
    assert 0 <= most(made, where, today) <= ceiling(made, PRICE, earned, 0, today) <= PRICE
