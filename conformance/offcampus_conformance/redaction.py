"""Takes secrets and personal data out of what is recorded, before anything is kept.

Names, numbers and phones of pupils, guardians and staff are replaced by a mark that keeps their length, so that a
check can still see that a field was there and how long it was. Secrets are replaced whole. For each thing hidden in a
request a seal is kept: a digest under a key that dies with the run, so that two requests can be compared in what they
hide while nothing of it can be found again. What was hidden once is hidden wherever it comes back: in an error's
words, in a header, in an address.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

SECRET_HEADERS = frozenset({"authorization", "signature", "cookie", "set-cookie", "proxy-authorization"})
SECRET_FIELDS = frozenset({"access_token", "client_assertion", "secret", "private_key", "d"})
PERSONAL_FIELDS = frozenset(
    {"name", "id_number", "phone", "representative_name", "contact_name", "born_on", "payer_reference", "address"}
)
PERSONAL_PARENTS = frozenset({"guardians", "payer", "contact", "legal_person", "pupil", "staff"})
"""`name` is personal only inside these objects or beside an `id_number`; an institution's name is public."""

TOO_COMMON = frozenset({"born_on"})
"""Hidden where it stands, and not looked for elsewhere: a date is in many places that have nothing to do with it."""

HIDDEN = "[hidden]"
MASK = "▒"
_RUN_KEY = secrets.token_bytes(32)
"""Never written anywhere: without it a seal says only whether two hidden values of this run are the same."""


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the value of each secret one replaced."""
    return {name: HIDDEN if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def seals(headers: Mapping[str, str], body: str | None) -> dict[str, str]:
    """A seal for each header and member that redaction hides, by place (`header:authorization`, `/name`)."""
    found = {
        f"header:{name.lower()}": _seal(value)
        for name, value in headers.items()
        if name.lower() in SECRET_HEADERS and value != HIDDEN
    }
    parsed = _loads(body)
    if parsed is not None:
        _collect(parsed, _redact(parsed, personal=False), "", found)
    elif body and "client_assertion=" in body:
        found["raw"] = _seal(body)
    return found


class Memory:
    """The clear values that were hidden in one run, so that they are hidden wherever a target gives them back.

    Lives in the process only. Short ASCII values are left out: they would be found in anything.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def learn(self, headers: Mapping[str, str], body: str | None) -> None:
        """Remember what redaction is going to hide of a message."""
        for name, value in headers.items():
            if name.lower() in SECRET_HEADERS and value != HIDDEN:
                for word in re.split(r"[\s;,]+", value.removeprefix("Bearer ")):
                    self._keep(word.partition("=")[2] or word, HIDDEN)
        parsed = _loads(body)
        if parsed is not None:
            for clear, hidden in _pairs(parsed, _redact(parsed, personal=False)):
                self._keep(clear, hidden)

    def scrub(self, text: str) -> str:
        """A text without any value that was hidden before."""
        for clear, hidden in self._values.items():
            if clear in text:
                text = text.replace(clear, hidden)
        return text

    def _keep(self, clear: str, hidden: str) -> None:
        if clear in self._values or not (len(clear) >= 8 or (len(clear) >= 2 and not clear.isascii())):
            return
        for form in {clear, json.dumps(clear)[1:-1], quote(clear)}:
            self._values[form] = hidden


def redact_body(body: str | None) -> str | None:
    """A JSON or form body with secrets and personal data replaced; other text is kept as it is."""
    if not body:
        return body
    if "client_assertion=" in body:
        return HIDDEN
    parsed = _loads(body)
    if parsed is None:
        return body
    redacted = _redact(parsed, personal=False)
    # Unchanged bodies keep their very bytes: a check may be about the bytes.
    if redacted == parsed:
        return body
    text = json.dumps(redacted, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode()


def _redact(value: Any, *, personal: bool) -> Any:
    if isinstance(value, dict):
        person = personal or "id_number" in value or "guardians" in value
        return {key: _redact_field(key, item, person=person) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, personal=personal) for item in value]
    return value


def _redact_field(key: str, value: Any, *, person: bool) -> Any:
    if key in SECRET_FIELDS and isinstance(value, str):
        return HIDDEN
    if isinstance(value, str) and key in PERSONAL_FIELDS and (person or key != "name"):
        return MASK * min(len(value), 40)
    return _redact(value, personal=person if key not in PERSONAL_PARENTS else True)


def _pairs(clear: Any, hidden: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text that redaction replaces, with what stands in its place."""
    if isinstance(clear, dict):
        for key, value in clear.items():
            yield from _pairs(value, hidden[key], key)
    elif isinstance(clear, list):
        for index, value in enumerate(clear):
            yield from _pairs(value, hidden[index], name)
    elif clear != hidden and name not in TOO_COMMON:
        yield str(clear), str(hidden)


def _collect(clear: Any, hidden: Any, pointer: str, found: dict[str, str]) -> None:
    if isinstance(clear, dict):
        for key, value in clear.items():
            _collect(value, hidden[key], f"{pointer}/{key}", found)
    elif isinstance(clear, list):
        for index, value in enumerate(clear):
            _collect(value, hidden[index], f"{pointer}/{index}", found)
    elif clear != hidden:
        found[pointer] = _seal(str(clear))


def _seal(value: str) -> str:
    return hmac.digest(_RUN_KEY, value.encode("utf-8", "backslashreplace"), "sha256").hex()[:16]


def _loads(body: str | None) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
