"""Documents without their personal members: what may stand in clear in a row, an event or a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offcampus_spec.violations import personal_members


def stripped(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without every member that the schemas mark as personal."""
    found: dict[str, Any] = _strip(document)
    return found


def _strip(value: Any) -> Any:
    if isinstance(value, Mapping):
        person = "id_number" in value or "relation" in value or "phone" in value
        return {
            name: _strip(item)
            for name, item in value.items()
            # `name` is personal beside a person's other members; an institution's or a campus's own name is public.
            if name not in personal_members() or (name == "name" and not person)
        }
    return [_strip(item) for item in value] if isinstance(value, list) else value
