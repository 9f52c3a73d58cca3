"""From a cell to a member of a record: dates in several shapes, yuan to fen, hours to hundredths. Pure.

Nothing is guessed: what can be read in two ways (05/06/2026) is wrong, with what is allowed. Amounts are exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from offcampus_sdk.importing.sheets import Cell

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
EXCEL_DAY_ZERO = date(1899, 12, 30)
EXCEL_DAYS = range(36526, 73050)  # 2000-01-01 to 2099-12-31
DATE = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?|([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII
)
TIME = re.compile(r"(上午|下午|晚上|中午)?\s*([0-9]{1,2})\s*[:时点]\s*([0-9]{1,2})?\s*(?::([0-9]{2}))?\s*分?", re.ASCII)
WEEKDAY = r"(?:\(?(?:周|星期).\)?)?"
REST_OF_DAY = re.compile(rf"T?{WEEKDAY}\s*(?:{TIME.pattern}\s*(?:(?:-|~|至|到)\s*{TIME.pattern})?)?", re.ASCII)
AMOUNT = re.compile(r"(-?)\s*[¥￥]?\s*(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?\s*元?(?:整)?", re.ASCII)
HOURS = re.compile(r"([0-9]+)(\.[0-9]+)?\s*(?:课时|节|小时|h)?", re.ASCII)
MINUTES = re.compile(r"([0-9]+)\s*(?:分钟|min)?", re.ASCII)
TRUE = frozenset({"是", "有", "对", "√", "y", "yes", "true", "1"})
FALSE = frozenset({"否", "无", "x", "n", "no", "false", "0"})


class WrongValue(ValueError):
    """A cell that cannot be what its column says. `allowed` tells what can; the cell itself is not repeated."""

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed


def text(cell: Cell) -> str:
    """Text as it is; a whole number without a point, a long number as its digits."""
    if isinstance(cell, bool) or cell is None:
        raise WrongValue("text")
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, int) and abs(cell) >= 10**15:
        # A spreadsheet keeps fifteen digits: an identity or order number beyond that has lost its end already.
        raise WrongValue("text: format the column as text, the spreadsheet has cut this number")
    return str(cell)


def fen(cell: Cell) -> int:
    """An amount in yuan as whole fen."""
    yuan = _number(cell, AMOUNT, "an amount in yuan with at most two decimals, such as 4,800.00")
    scaled = yuan * 100
    if scaled != scaled.to_integral_value():
        raise WrongValue("an amount in yuan with at most two decimals")
    return int(scaled)


def class_hours_centi(cell: Cell) -> int:
    """Class hours as hundredths."""
    scaled = _number(cell, HOURS, "class hours with at most two decimals, such as 1.5") * 100
    if scaled != scaled.to_integral_value() or scaled < 0:
        raise WrongValue("class hours with at most two decimals")
    return int(scaled)


def minutes(cell: Cell) -> int:
    """Whole minutes."""
    return _whole(_number(cell, MINUTES, "whole minutes, such as 45"), "whole minutes")


def integer(cell: Cell) -> int:
    """A whole number."""
    return _whole(_number(cell, AMOUNT, "a whole number"), "a whole number")


def day(cell: Cell) -> date:
    """A date: 2026-09-05, 2026/9/5, 2026.9.5, 2026年9月5日, 20260905, or what a spreadsheet keeps as a date."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int) and cell in EXCEL_DAYS:
        return EXCEL_DAY_ZERO + timedelta(days=cell)
    allowed = "a date, year first, such as 2026-09-05 or 2026年9月5日"
    found = DATE.match(str(cell)) if isinstance(cell, (str, int)) and not isinstance(cell, bool) else None
    if found is None or REST_OF_DAY.fullmatch(str(cell)[found.end() :].strip()) is None:
        raise WrongValue(allowed)
    year, month, number = (int(part) for part in found.groups() if part)
    try:
        return date(year, month, number)
    except ValueError:
        raise WrongValue(allowed) from None


def clock(cell: Cell) -> time:
    """A time of day: 18:30, 18:30:00, 下午6:30, 18点30分, or what a spreadsheet keeps as a time."""
    if isinstance(cell, datetime):
        return cell.time()
    if isinstance(cell, time):
        return cell
    if isinstance(cell, Decimal) and 0 <= cell < 1:
        seconds = round(cell * 86_400) % 86_400
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
    allowed = "a time of day such as 18:30"
    found = TIME.search(str(cell)) if isinstance(cell, str) else None
    if found is None:
        raise WrongValue(allowed)
    half, hour, minute, second = found.groups()
    shifted = int(hour) + (12 if half in ("下午", "晚上") and int(hour) < 12 else 0)
    try:
        return time(shifted, int(minute or 0), int(second or 0))
    except ValueError:
        raise WrongValue(allowed) from None


def moment(day_cell: Cell, time_cell: Cell) -> str:
    """A date and a time of day in the business zone, RFC 3339."""
    return datetime.combine(day(day_cell), clock(time_cell), BUSINESS_ZONE).isoformat(timespec="seconds")


def span(cell: Cell) -> tuple[Cell, Cell]:
    """The two ends of a span such as 18:30-20:00 or 18:30~20:00."""
    parts = re.split(r"\s*(?:-{1,2}|~|至|到|—|–)\s*", cell) if isinstance(cell, str) else []
    times = [part for part in parts if TIME.search(part)]
    if len(times) != 2:
        raise WrongValue("a span of time such as 18:30-20:00")
    return times[0], times[1]


def yes(cell: Cell) -> bool:
    """Yes or no, as people tick it."""
    if isinstance(cell, bool):
        return cell
    said = str(cell).lower()
    if said in TRUE or said in FALSE:
        return said in TRUE
    raise WrongValue("是 or 否")


def choice(cell: Cell, options: Mapping[str, str]) -> str:
    """A code, by the product's own word for it."""
    found = options.get(text(cell))
    if found is None:
        raise WrongValue(f"one of {', '.join(options)}")
    return found


def _number(cell: Cell, shape: re.Pattern[str], allowed: str) -> Decimal:
    if isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
        return Decimal(cell)
    found = shape.fullmatch(cell) if isinstance(cell, str) else None
    if found is None:
        raise WrongValue(allowed)
    digits = "".join(part or "" for part in found.groups()).replace(",", "")
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise WrongValue(allowed) from None


def _whole(number: Decimal, allowed: str) -> int:
    if number != number.to_integral_value():
        raise WrongValue(allowed)
    return int(number)
