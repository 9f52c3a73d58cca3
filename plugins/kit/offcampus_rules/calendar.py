"""Days, working days and months as the law counts them (rules_national section 14, traps row 25).

Invariants
- A day is a date in Asia/Shanghai; an instant becomes a day by `shanghai_date`, never by the machine's zone.
- The day of the event is not counted; day 1 is the next one. A period of n days has run out at 00:00 of the day AFTER
  day n: `due_at` is that instant, half-open. A step taken at 23:59:59.999999 on day n is in time; at `due_at` silence
  has run out.
- Working days follow the State Council's yearly notice, shifted workdays included. Beyond the last year whose notice
  is known only weekends are taken out, and the deadline says so (`provisional`).
- A month is a calendar step from the anchor day, never 30 days; a step of n months is taken at once, so that
  31 January + 2 months is 31 March whatever February did.
"""

from __future__ import annotations

import calendar as _gregorian
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Literal, NamedTuple

import chinese_calendar

_OFFSET = timedelta(hours=8)
SHANGHAI = timezone(_OFFSET, "+08:00")
"""China has had one offset and no daylight saving time since 1991: before every date this kit can meet."""

ONE_DAY = timedelta(days=1)

MonthEnd = Literal["last_day_included", "last_day_excluded"]
"""What stands in for a day the month does not have (30 February): its last day, which still belongs to the period
(`last_day_included`) or is where the period ends (`last_day_excluded`)."""

DayKind = Literal["workday", "rest_day", "statutory_holiday"]


class DayClass(NamedTuple):
    """What a day is, and whether the year's holiday notice was known when it was said."""

    kind: DayKind
    known: bool


class DayCount(NamedTuple):
    """The n-th day counted, and whether a day beyond the known calendar was met on the way."""

    day: date
    provisional: bool


def shanghai_date(instant: datetime) -> date:
    """The Shanghai calendar day of an aware instant."""
    if instant.tzinfo is UTC:
        return (instant + _OFFSET).date()  # a third of the time of astimezone, and most instants are written so
    return instant.date() if instant.tzinfo is SHANGHAI else instant.astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """00:00 of a day in Shanghai, as an aware instant."""
    return datetime.combine(day, time.min, SHANGHAI)


@lru_cache(maxsize=8192)
def classify(day: date) -> DayClass:
    """Workday, rest day or statutory holiday. Outside the known years weekends are all that can be told."""
    try:
        holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return DayClass("rest_day" if day.weekday() >= 5 else "workday", known=False)
    if not holiday:
        return DayClass("workday", known=True)
    return DayClass("statutory_holiday" if name else "rest_day", known=True)


def is_workday(day: date) -> bool:
    return classify(day).kind == "workday"


def nth_working_day(start: date, count: int) -> DayCount:
    """The `count`-th working day after `start` (the start itself is not counted)."""
    return _count(start, count, is_workday)


def nth_day(start: date, count: int) -> DayCount:
    """The `count`-th natural day after `start`."""
    return DayCount(start + timedelta(days=count), provisional=False)


def _count(start: date, count: int, counts: Callable[[date], bool]) -> DayCount:
    day, left, provisional = start, count, False
    while left > 0:
        day += ONE_DAY
        provisional = provisional or not classify(day).known
        left -= counts(day)
    return DayCount(day, provisional)


def run_out(last_day: date) -> datetime:
    """The instant at which a period whose last day is `last_day` has run out: 00:00 of the next day."""
    return day_start(last_day + ONE_DAY)


def months_after(anchor: date, months: int, month_end: MonthEnd = "last_day_included") -> date:
    """The first day AFTER a span of `months` that begins on `anchor` (an exclusive end).

    3 months from 1 September end before 1 December. From 30 November there is no 30 February: with
    `last_day_included` the span covers the last day of February and ends before 1 March, with `last_day_excluded`
    it ends before that last day.
    """
    year, month = _shift(anchor, months)
    last = _gregorian.monthrange(year, month)[1]
    if anchor.day <= last:
        return date(year, month, anchor.day)
    end = date(year, month, last)
    return end + ONE_DAY if month_end == "last_day_included" else end


def months_before(anchor: date, months: int) -> date:
    """The day `months` before `anchor`; a missing day becomes the month's last (31 March - 1 month: 28 February)."""
    year, month = _shift(anchor, -months)
    return date(year, month, min(anchor.day, _gregorian.monthrange(year, month)[1]))


def _shift(anchor: date, months: int) -> tuple[int, int]:
    index = anchor.year * 12 + anchor.month - 1 + months
    return index // 12, index % 12 + 1


def utc_text(instant: datetime) -> str:
    """An instant as one spelling, whatever offset it came with (for digests)."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
