"""Units of parameters and facts: what a file may write, how facts are compared with it, how it reads in two languages.

A parameter is written the way the law says it (60 class hours, "20:30", 3 months); a fact is measured exactly
(hundredths of an hour, seconds since midnight, dates). `limit` brings the first into the terms of the second.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal, get_args

from offcampus_rules import calendar
from offcampus_rules.calendar import MonthEnd
from offcampus_rules.daysets import DaySet
from offcampus_rules.decision import Raw
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table

Unit = Literal[
    "fen",
    "class_hours",
    "minutes",
    "count",
    "ppm",
    "square_metres",
    "time",
    "days",
    "working_days",
    "months",
    "flag",
    "option",
    "options",
    "table",
    "schedule",
    "dates",
]
FactUnit = Literal[
    "fen",
    "centi_hours",
    "minutes",
    "centi_minutes",
    "count",
    "ppm",
    "centi_m2",
    "second_of_day",
    "date",
    "instant",
    "flag",
    "option",
]
FactValue = int | str | bool | date | datetime | None
Limit = int | str | bool | date | datetime | tuple[str, ...] | DaySet | None

UNITS: tuple[str, ...] = get_args(Unit)
INTEGER_UNITS = frozenset(
    {"fen", "class_hours", "minutes", "count", "ppm", "square_metres", "days", "working_days", "months"}
)
DURATIONS = frozenset({"days", "working_days", "months"})

COMPARABLE: dict[str, frozenset[str]] = {
    "fen": frozenset({"fen"}),
    "centi_hours": frozenset({"class_hours"}),
    "minutes": frozenset({"minutes"}),
    "centi_minutes": frozenset(),
    "count": frozenset({"count"}),
    "ppm": frozenset({"ppm"}),
    "centi_m2": frozenset({"square_metres"}),
    "second_of_day": frozenset({"time"}),
    "date": DURATIONS | {"dates"},
    "instant": frozenset(),
    "flag": frozenset({"flag"}),
    "option": frozenset({"option", "options"}),
}
"""Which parameter units a fact of a unit may be judged by; an instant only by another fact.

Hundredths of a minute are compared with nothing: they tell how many units a limit is for (`for_each`).
"""

_STRUCTURED: dict[str, type] = {"table": Table, "schedule": Schedule, "dates": DaySet}
_IN_HUNDREDTHS = frozenset({"class_hours", "square_metres"})
"""Written whole, as the law does; facts are measured in hundredths."""

_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\Z")


def is_structured(value: Raw) -> bool:
    """Whether a value is more than a word, a number or a list of words."""
    return isinstance(value, (Table, Schedule, DaySet))


def fits(value: Raw, unit: str) -> bool:
    """Whether a value is written as its unit demands. None (not regulated) fits every unit."""
    if value is None:
        return True
    if unit in INTEGER_UNITS:
        return isinstance(value, int) and not isinstance(value, bool)
    if unit == "flag":
        return isinstance(value, bool)
    if unit == "options":
        return isinstance(value, tuple)
    if unit in _STRUCTURED:
        return isinstance(value, _STRUCTURED[unit])
    return isinstance(value, str) and (unit != "time" or _TIME.match(value) is not None)


def limit(value: Raw, unit: str) -> Limit:
    """A parameter's value in the terms facts are measured in (durations stay as they are: see `last_day`).

    Raises TypeError for a table or schedule: what these allow depends on where they are read.
    """
    if isinstance(value, (Table, Schedule)):
        raise TypeError(f"a {unit} is no limit by itself")
    if unit in _IN_HUNDREDTHS and isinstance(value, int):
        return value * 100
    if unit == "time" and isinstance(value, str):
        return second_of_day(value)
    return value


def second_of_day(text: str) -> int:
    """Seconds from midnight to a time written "20:30"."""
    match = _TIME.match(text)
    if match is None:
        raise ValueError(f"a time of day is written HH:MM, got {text!r}")
    return int(match[1]) * 3600 + int(match[2]) * 60


def counted_on(start: date, amount: int, unit: str, month_end: MonthEnd) -> date:
    """Where a span that BEGINS on `start` ends, exclusive (a period of service, a period bought)."""
    if unit == "months":
        return calendar.months_after(start, amount, month_end)
    if unit == "days":
        return calendar.nth_day(start, amount).day
    return calendar.nth_working_day(start, amount).day


def counted_back(end: date, amount: int, unit: str) -> date:
    """The day `amount` before `end`; working days cannot be counted back (no rule asks for it)."""
    if unit == "months":
        return calendar.months_before(end, amount)
    if unit == "days":
        return calendar.nth_day(end, -amount).day
    raise ValueError("working days are counted forward only")


def last_day(start: date, amount: int, unit: str) -> calendar.DayCount:
    """The last day of a deadline that follows an event on `start` (the event's own day is not counted).

    A deadline in months ends on the corresponding day, or on the last day of a month that lacks it.
    """
    if unit == "working_days":
        return calendar.nth_working_day(start, amount)
    if unit == "days":
        return calendar.nth_day(start, amount)
    last = calendar.months_after(start, amount, "last_day_excluded")
    return calendar.DayCount(last, provisional=False)


_EN = {
    "class_hours": "{} class hours", "minutes": "{} minutes", "count": "{}", "days": "{} days",
    "working_days": "{} working days", "months": "{} months", "square_metres": "{} m²",
}  # fmt: skip
_ZH = {
    "class_hours": "{} 课时", "minutes": "{} 分钟", "count": "{}", "days": "{} 日",
    "working_days": "{} 个工作日", "months": "{} 个月", "square_metres": "{} 平方米",
}  # fmt: skip


def plain(value: FactValue | Limit, unit: str) -> str:
    """A value for machines: no language, one spelling."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(calendar.SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ", ".join(value)
    if unit == "centi_hours" and isinstance(value, int):
        return _hundredths(value)
    if unit == "fen" and isinstance(value, int):
        return f"{_yuan(value)} CNY"
    if unit == "second_of_day" and isinstance(value, int):
        return _clock(value)
    return str(value)


def readable(value: FactValue | Limit, unit: str, language: Literal["zh", "en"]) -> str:
    """A value for people."""
    return in_words(value, unit)[language == "en"]


def in_words(value: FactValue | Limit, unit: str) -> tuple[str, str]:
    """A value for people, in Chinese and in English."""
    if isinstance(value, bool):
        return ("是", "yes") if value else ("否", "no")
    if unit == "fen" and isinstance(value, int):
        yuan = _yuan(value)
        return f"{yuan} 元", f"CNY {yuan}"
    if unit == "date" and type(value) is date:
        day = value.isoformat()
        return day, day
    if unit == "ppm" and isinstance(value, int):
        share = f"{value / 10_000:g} %"
        return share, share
    told: object = value
    if unit in _IN_HUNDREDTHS_OF and isinstance(value, int):
        told, unit = _hundredths(value), _IN_HUNDREDTHS_OF[unit]
    if unit in _ZH:
        return _ZH[unit].format(told), _EN[unit].format(told)
    text = plain(value, unit)
    return text, text


_IN_HUNDREDTHS_OF = {"centi_hours": "class_hours", "centi_m2": "square_metres"}


def _hundredths(value: int) -> str:
    whole, part = divmod(abs(value), 100)
    text = f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else str(whole)
    return f"-{text}" if value < 0 else text


def _yuan(fen: int) -> str:
    whole, part = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02d}"


def _clock(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}"
    if rest % 60:
        text += f":{rest % 60:02d}"
    return f"{text}+{days}d" if days else text
