"""What every kind of proposal says alike: a member that it needs, and facts that do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offcampus_server.kernel.problems import Problem, violation


def need(sent: Mapping[str, Any], *names: str) -> list[Any]:
    """Members that this kind cannot do without. Raises `schema.invalid` with the pointer of each missing one."""
    if missing := [name for name in names if name not in sent]:
        entries = [violation("schema.required", f"/{name}") for name in missing]
        raise Problem("schema.invalid", f"{sent['kind']} needs {', '.join(missing)}", entries)
    return [sent[name] for name in names]


def unfit(kind: str, why: str) -> Problem:
    """The facts do not fit."""
    return Problem("proposal.not_applicable", why, [violation("proposal.not_applicable", "/kind", given=kind)])
