"""From a validator's errors to violations that a vendor's engineer can act on: where, what came, what is allowed.

The server answers with them and the SDK shows them before anything is sent: the same places, codes and texts. Members
that the schemas mark as personal are named, never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from offcampus_spec import schemas
from offcampus_spec.formats import WHY

JsonObject = dict[str, Any]
MOST_VIOLATIONS = 50
HIDDEN = "▒▒▒"
_LIMITS = ("limit", "pattern", "options", "types", "expected_value", "format")


def violation(
    code: str, pointer: str | None = None, *, given: Any = None, allowed: Any = None, **more: Any
) -> JsonObject:
    """One violation: where, what came, what is allowed."""
    entry = {"code": code, "pointer": pointer, "given": given, "allowed": allowed, **more}
    return {key: value for key, value in entry.items() if value is not None}


def code_of(found: list[JsonObject]) -> str:
    """The code of the problem that these violations are: the check digits, where that is all."""
    only_digits = bool(found) and all(entry["code"] == "identifier.check_digit" for entry in found)
    return "identifier.check_digit" if only_digits else "schema.invalid"


def violations(errors: Iterable[jsonschema_rs.ValidationError], prefix: str = "") -> list[JsonObject]:
    """At most 50 violations, in the order of the document's places."""
    found = [entry for error in errors for entry in _of(error, prefix)]
    unique = {(entry.get("pointer"), entry["code"]): entry for entry in found}
    return sorted(unique.values(), key=lambda entry: (entry.get("pointer") or "", entry["code"]))[:MOST_VIOLATIONS]


def _of(error: jsonschema_rs.ValidationError, prefix: str) -> list[JsonObject]:
    place = prefix + "".join(f"/{_escaped(step)}" for step in error.instance_path)
    kind = error.kind
    keyword = str(error.schema_path[-1]) if error.schema_path else kind.name
    special = _SPECIAL.get(keyword)
    if special is not None:
        return special(error, place)
    allowed = next((getattr(kind, name) for name in _LIMITS if hasattr(kind, name)), None)
    code = f"schema.{_snake(keyword)}"
    message = f"does not satisfy {keyword}" + (f" {_shown(allowed)}" if allowed is not None else "")
    return [violation(code, place or "/", given=_given(error.instance, place), allowed=allowed, message_en=message)]


def _required(error: jsonschema_rs.ValidationError, place: str) -> list[JsonObject]:
    name = _detail(error, "property")
    return [
        violation(
            "schema.required", f"{place}/{_escaped(name)}", message_en="this member is missing", message_zh="缺少此成员"
        )
    ]


def _unexpected(error: jsonschema_rs.ValidationError, place: str) -> list[JsonObject]:
    return [
        violation(
            "schema.unknown_member",
            f"{place}/{_escaped(name)}",
            message_en="the contract has no such member",
            message_zh="契约中没有此成员",
        )
        for name in _detail(error, "unexpected")
    ]


def _format(error: jsonschema_rs.ValidationError, place: str) -> list[JsonObject]:
    name = _detail(error, "format")
    fault = WHY[name](error.instance) if name in WHY and isinstance(error.instance, str) else None
    if fault is None:
        return [violation("schema.format", place, given=_given(error.instance, place), allowed=name)]
    return [
        violation(
            fault.code,
            place,
            given=_given(error.instance, place),
            allowed=name,
            message_en=fault.text_en,
            message_zh=fault.text_zh,
        )
    ]


_SPECIAL: Mapping[str, Callable[[jsonschema_rs.ValidationError, str], list[JsonObject]]] = {
    "required": _required,
    "unevaluatedProperties": _unexpected,
    "additionalProperties": _unexpected,
    "format": _format,
}


@cache
def personal_members() -> frozenset[str]:
    """The names of all members that the schemas mark as personal data."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            members = node.get("properties", {})
            found.update(name for name, member in members.items() if member.get("x-personal") is True)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for name in schemas.names():
        walk(schemas.load(name))
    return frozenset(found)


def _detail(error: jsonschema_rs.ValidationError, name: str) -> Any:
    """A member of the error's kind; the library's types do not tell which kind has which."""
    return getattr(error.kind, name)


def _given(value: Any, place: str) -> Any:
    if any(step in personal_members() for step in place.split("/")) or isinstance(value, (dict, list)):
        return HIDDEN if not isinstance(value, (dict, list)) else None
    return value if not isinstance(value, str) or len(value) <= 100 else value[:100] + "…"


def _shown(allowed: Any) -> str:
    return ", ".join(map(str, allowed)) if isinstance(allowed, list) else str(allowed)


def _escaped(step: Any) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _snake(keyword: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in keyword)
