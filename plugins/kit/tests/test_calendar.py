"""Working days of the Chinese calendar, and months that keep their anchor day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules import calendar
from offcampus_rules.calendar import classify, months_after, months_before, nth_working_day, run_out

DAYS = st.dates(date(2015, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), "statutory_holiday"),
        (date(2026, 10, 10), "workday"),  # a Saturday worked for the National Day
        (date(2026, 2, 14), "workday"),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 16), "statutory_holiday"),
        (date(2026, 3, 7), "rest_day"),
        (date(2026, 3, 6), "workday"),
    ],
)
def test_days_by_the_years_notice(day, kind):
    """Holidays, rest days, and weekends that are worked."""
    assert classify(day) == (kind, True)


def test_beyond_the_notice_only_weekends_are_known():
    """A year without notice is answered with what can be told, and the doubt."""
    assert classify(date(2035, 1, 1)) == ("workday", False)  # New Year's Day: nobody has said so yet
    assert classify(date(2035, 1, 6)) == ("rest_day", False)


def test_a_deadline_across_the_known_years_is_provisional():
    """15 working days from 20 December 2026 reach into a year whose notice is not loaded."""
    assert nth_working_day(date(2026, 12, 20), 15) == (date(2027, 1, 8), True)
    assert nth_working_day(date(2026, 12, 1), 15) == (date(2026, 12, 22), False)


def test_a_period_runs_out_at_the_end_of_its_last_day():
    """A second before midnight of the last day is in time, midnight is not."""
    end = run_out(date(2026, 3, 23))
    assert end == datetime(2026, 3, 23, 16, tzinfo=UTC)
    assert end - timedelta(seconds=1) == datetime.fromisoformat("2026-03-23T23:59:59+08:00")


@given(DAYS, st.integers(1, 60), st.integers(0, 40))
def test_a_later_start_never_ends_earlier(start, count, later):
    """Working-day deadlines are monotone in their start."""
    other = nth_working_day(start + timedelta(days=later), count)
    assert other.day >= nth_working_day(start, count).day


@given(DAYS, st.integers(1, 60))
def test_each_working_day_is_one_and_they_add_up(start, count):
    """Day n+1 is the first working day after day n."""
    last = nth_working_day(start, count).day
    following = nth_working_day(start, count + 1).day
    assert calendar.is_workday(last)
    assert nth_working_day(last, 1).day == following
    between = (last + timedelta(days=n) for n in range(1, (following - last).days))
    assert not any(calendar.is_workday(day) for day in between)


@pytest.mark.parametrize(
    ("anchor", "months", "included", "excluded"),
    [
        (date(2025, 9, 1), 3, date(2025, 12, 1), date(2025, 12, 1)),
        (date(2025, 11, 30), 3, date(2026, 3, 1), date(2026, 2, 28)),
        (date(2023, 11, 30), 3, date(2024, 3, 1), date(2024, 2, 29)),
        (date(2025, 11, 29), 3, date(2026, 3, 1), date(2026, 2, 28)),
        (date(2023, 11, 29), 3, date(2024, 2, 29), date(2024, 2, 29)),
        (date(2024, 1, 31), 3, date(2024, 5, 1), date(2024, 4, 30)),
        (date(2024, 1, 31), 2, date(2024, 3, 31), date(2024, 3, 31)),  # whatever February did
        (date(2024, 2, 29), 3, date(2024, 5, 29), date(2024, 5, 29)),
        (date(2024, 2, 29), 12, date(2025, 3, 1), date(2025, 2, 28)),
        (date(2025, 12, 15), 1, date(2026, 1, 15), date(2026, 1, 15)),
    ],
)
def test_spans_of_months(anchor, months, included, excluded):
    """The end of a span by either convention for a day the month lacks."""
    assert months_after(anchor, months, "last_day_included") == included
    assert months_after(anchor, months, "last_day_excluded") == excluded


@given(DAYS, DAYS, st.integers(0, 36), st.sampled_from(["last_day_included", "last_day_excluded"]))
def test_spans_of_months_are_monotone(one, other, months, month_end):
    """A span that begins later never ends earlier."""
    first, second = sorted((one, other))
    assert months_after(first, months, month_end) <= months_after(second, months, month_end)


@given(DAYS, st.integers(0, 12), st.integers(0, 12))
def test_the_anchor_day_is_not_lost(anchor, first, second):
    """One step of both is at least as far as two steps: two steps may lose days at a month's end, one may not."""
    at_once = months_after(anchor, first + second, "last_day_excluded")
    stepwise = months_after(months_after(anchor, first, "last_day_excluded"), second, "last_day_excluded")
    assert stepwise <= at_once
    assert (at_once.year, at_once.month) == (stepwise.year, stepwise.month)


@given(DAYS, st.integers(0, 24))
def test_back_and_forth(anchor, months):
    """Counting back from a course and forward again never passes its start."""
    back = months_before(anchor, months)
    assert months_after(back, months, "last_day_excluded") <= anchor
    assert back <= anchor


def test_a_day_is_shanghais_day():
    """16:30 in London is the next day in Shanghai."""
    assert calendar.shanghai_date(datetime(2026, 3, 1, 16, 30, tzinfo=UTC)) == date(2026, 3, 2)
