"""The strict door for JSON (RFC 8259 without its freedoms): what two parsers could read differently is refused.

UTF-8 without BOM; no member twice; integers only, within +-(2^53-1); no NaN, no Infinity; no half characters; at most
32 levels. Text comes out in Unicode form NFC, so that one name is one sequence of bytes.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, NoReturn

from offcampus_server.kernel.problems import Problem

DEEPEST = 32
LARGEST = 2**53 - 1


def parse(raw: bytes) -> Any:
    """The value that the bytes stand for. Raises `Problem` with a code of its own for each kind of fault."""
    text = _decode(raw)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_no_float, parse_constant=_no_constant, parse_int=_integer
        )
    except RecursionError:
        raise Problem("json.depth", f"nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise Problem("json.malformed", f"{error.msg} at line {error.lineno} column {error.colno}") from None
    return _normal(value, 1) if _needs_a_walk(text) else value


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw[:4]:
        raise Problem("json.encoding", "the body starts with a byte order mark or is UTF-16/32")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("json.encoding", f"byte {error.start} is not UTF-8") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Problem("json.duplicate_key", f"the member {_shown(twice)} stands twice in one object")
    return found


def _no_float(text: str) -> NoReturn:
    raise Problem("json.number", f"{text[:40]} has a point or an exponent; only integers are accepted")


def _no_constant(text: str) -> NoReturn:
    raise Problem("json.number", f"{text} is not JSON")


def _integer(text: str) -> int:
    # The length first: converting a megabyte of digits would cost more than it is worth.
    if len(text) > 17 or abs(number := int(text)) > LARGEST:
        raise Problem("json.number", f"an integer lies beyond {LARGEST}")
    if number == 0 and text != "0":
        raise Problem("json.number", "-0 is not accepted; write 0")
    return number


def _needs_a_walk(text: str) -> bool:
    """Only text beyond ASCII, escapes, or many brackets can hold what the walk looks for."""
    return not text.isascii() or "\\u" in text or text.count("{") + text.count("[") >= DEEPEST


def _normal(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _normal_text(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth > DEEPEST:
        raise Problem("json.depth", f"nested deeper than {DEEPEST} levels")
    if isinstance(value, list):
        return [_normal(item, depth + 1) for item in value]
    return {_normal_text(key): _normal(item, depth + 1) for key, item in value.items()}


def _normal_text(text: str) -> str:
    if text.isascii():
        return text
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise Problem("json.surrogate", "a string holds a lone surrogate")
    return unicodedata.normalize("NFC", text)


def _shown(key: str) -> str:
    return repr(key.encode("ascii", "backslashreplace").decode()[:60])
