"""Takes secrets and personal data out of what is recorded, before anything is kept.

Names, numbers and phones of pupils, guardians and staff are replaced by a mark that keeps their length, so that a
check can still see that a field was there and how long it was. Secrets are replaced whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SECRET_HEADERS = frozenset({"authorization", "signature", "cookie", "set-cookie", "proxy-authorization"})
SECRET_FIELDS = frozenset({"access_token", "client_assertion", "secret", "private_key", "d"})
PERSONAL_FIELDS = frozenset(
    {"name", "id_number", "phone", "representative_name", "contact_name", "born_on", "payer_reference", "address"}
)
PERSONAL_PARENTS = frozenset({"guardians", "payer", "contact", "legal_person", "pupil", "staff"})
"""`name` is personal only inside these objects or beside an `id_number`; an institution's name is public."""

HIDDEN = "[hidden]"


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the value of each secret one replaced."""
    return {name: HIDDEN if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def redact_body(body: str | None) -> str | None:
    """A JSON or form body with secrets and personal data replaced; other text is kept as it is."""
    if not body:
        return body
    if "client_assertion=" in body:
        return HIDDEN
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
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
        return "▒" * min(len(value), 40)
    return _redact(value, personal=person if key not in PERSONAL_PARENTS else True)
