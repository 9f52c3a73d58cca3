"""The standard's formats, each a pure function, asserted by every validator that we use.

Sources: GB 32100-2015 (unified social credit code), GB 11643-1999 (citizen number), GB/T 2260-2007 (divisions),
RFC 3339 (times), RFC 3986 (addresses). Digits are [0-9] and nothing else: full-width digits and a trailing newline,
which Python's `\\d` and `$` let through, are refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_ID_CHECKS = "10X98765432"

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(\.[0-9]{1,6})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_USCC = re.compile(f"[{USCC_ALPHABET}]{{18}}")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_REGION = re.compile(r"[0-9]{6}")
_PROVINCE_ROWS = ("00", "11-15", "21-23", "31-37", "41-46", "50-54", "61-66", "71", "81-82")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
_NAME_PUNCTUATION = frozenset("·.'- ")


def _provinces() -> frozenset[str]:
    bounds = (row.partition("-") for row in _PROVINCE_ROWS)
    return frozenset(f"{n:02d}" for first, _, last in bounds for n in range(int(first), int(last or first) + 1))


_PROVINCES = _provinces()


@dataclass(frozen=True)
class Fault:
    """Why a value does not have its format: a stable code and a sentence in two languages, without the value."""

    code: str
    text_en: str
    text_zh: str


def date_fault(text: str) -> Fault | None:
    """RFC 3339 full-date in the years 1900 to 2200."""
    match = _DATE.fullmatch(text)
    if match is None:
        return Fault("format.date", "a date is YYYY-MM-DD", "日期格式为 YYYY-MM-DD")
    year, month, day = (int(part) for part in match.groups())
    try:
        date(year, month, day)
    except ValueError:
        return Fault("format.date", "there is no such day in the calendar", "日历中没有这一天")
    if not 1900 <= year <= 2200:
        return Fault("format.date", "the year must lie between 1900 and 2200", "年份须在1900至2200之间")
    return None


def date_time_fault(text: str) -> Fault | None:
    """RFC 3339 date-time with an offset; leap seconds and 24:00 are refused, since receivers differ on them."""
    match = _TIME.fullmatch(text)
    if match is None:
        return _date_time_reason(text)
    return date_fault(match[1])


def _date_time_reason(text: str) -> Fault:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+", text):
        return Fault("format.time_offset", "the time has no offset: write +08:00", "时间缺少时区偏移，请写明 +08:00")
    if "T24:" in text:
        return Fault("format.time", "24:00 does not exist: write 00:00 of the next day", "不存在24:00，请写次日00:00")
    if re.search(r":60(\.|Z|z|\+|-|$)", text):
        return Fault("format.time", "leap seconds are not accepted", "不接受闰秒")
    return Fault("format.time", "a time is YYYY-MM-DDThh:mm:ss+08:00", "时间格式为 YYYY-MM-DDThh:mm:ss+08:00")


def uscc_check_character(body: str) -> str:
    """The 18th character for the first 17. Raises ValueError for a character outside the alphabet."""
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, USCC_WEIGHTS, strict=True))
    # The outer modulo matters: a remainder of 0 gives '0', where copied samples run past the alphabet.
    return USCC_ALPHABET[(31 - total % 31) % 31]


def uscc_fault(text: str) -> Fault | None:
    """Unified social credit code, 18 characters without I, O, S, V, Z (GB 32100)."""
    if len(text) != 18:
        return Fault("identifier.length", "a unified social credit code has 18 characters", "统一社会信用代码为18位")
    if _USCC.fullmatch(text) is None:
        return Fault(
            "identifier.alphabet",
            "only 0-9 and A-Z without I, O, S, V, Z, in upper case and half width",
            "仅限半角数字及大写字母（不含 I、O、S、V、Z）",
        )
    if uscc_check_character(text[:17]) != text[17]:
        return Fault("identifier.check_digit", "the check character is wrong (GB 32100)", "校验码错误（GB 32100）")
    return None


def resident_id_check_digit(body: str) -> str:
    """The 18th character for the first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(body, RESIDENT_ID_WEIGHTS, strict=True))
    return RESIDENT_ID_CHECKS[total % 11]


def resident_id_fault(text: str) -> Fault | None:
    """Citizen number, 18 characters. The area never decides: areas are abolished, numbers stay (GB 11643)."""
    if len(text) != 18:
        return Fault("identifier.length", "a citizen number has 18 characters", "居民身份号码为18位")
    if text[:17].isascii() and text[:17].isdigit() and text[17] == "x":
        return Fault("identifier.case", "write the check character X in upper case", "末位 X 须大写")
    if _RESIDENT_ID.fullmatch(text) is None:
        return Fault("identifier.alphabet", "only half-width digits, and X at the end", "仅限半角数字，末位可为大写 X")
    if date_fault(f"{text[6:10]}-{text[10:12]}-{text[12:14]}") is not None:
        return Fault("identifier.date", "the date of birth in it is no date", "其中的出生日期无效")
    if resident_id_check_digit(text[:17]) != text[17]:
        return Fault("identifier.check_digit", "the check digit is wrong (GB 11643)", "校验码错误（GB 11643）")
    return None


def region_code_fault(text: str) -> Fault | None:
    """Six digits that start with a province of GB/T 2260; 66 is the XPCC's code of the education system."""
    if _REGION.fullmatch(text) is None:
        return Fault("identifier.alphabet", "a region code is six half-width digits", "行政区划代码为6位半角数字")
    if text[:2] not in _PROVINCES:
        return Fault("identifier.region", "no province has these first two digits", "前两位不是省级代码")
    return None


def person_name_fault(text: str) -> Fault | None:
    """A person's name: letters of any script (rare ideographs too), `·`, space, hyphen, apostrophe, full stop; NFC."""
    if not text or text != text.strip():
        return Fault("name.space", "a name neither starts nor ends with a space", "姓名首尾不得有空格")
    if unicodedata.normalize("NFC", text) != text:
        return Fault("name.form", "write the name in Unicode form NFC", "姓名须为 NFC 规范形式")
    if any(not _belongs_to_a_name(char) for char in text):
        return Fault(
            "name.character",
            "letters, the middle dot U+00B7, space, hyphen only",
            "仅限文字、间隔号（·）、空格与连字符",
        )
    return None


def _belongs_to_a_name(char: str) -> bool:
    return char in _NAME_PUNCTUATION or unicodedata.category(char) in ("Lo", "Lu", "Ll", "Lt", "Lm", "Mn", "Mc")


def uri_fault(text: str) -> Fault | None:
    """An absolute http or https address without user information."""
    fault = Fault("format.uri", "an absolute http(s) address", "须为完整的 http(s) 地址")
    try:
        parts = urlsplit(text)
        unusable = (
            not text.isascii() or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc
        )
    except ValueError:
        return fault
    return fault if unusable or any(char.isspace() for char in text) else None


def email_fault(text: str) -> Fault | None:
    """An e-mail address of the common form."""
    return None if _EMAIL.fullmatch(text) else Fault("format.email", "name@example.org", "邮箱格式不正确")


WHY: Mapping[str, Callable[[str], Fault | None]] = {
    "date": date_fault,
    "date-time": date_time_fault,
    "uscc": uscc_fault,
    "resident-id": resident_id_fault,
    "region-code": region_code_fault,
    "person-name": person_name_fault,
    "uri": uri_fault,
    "email": email_fault,
}
"""For each format, the function that says why a value does not have it, or None when it does."""


def _holds(fault: Callable[[str], Fault | None]) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        return not isinstance(value, str) or fault(value) is None

    return holds


FORMATS: Mapping[str, Callable[[object], bool]] = {name: _holds(fault) for name, fault in WHY.items()}
"""The same as predicates, as validators want them; anything that is no text has every format."""
