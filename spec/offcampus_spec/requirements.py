"""The requirement catalogue: what the Measures ask for, by stable id, and what serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import yaml

from offcampus_spec._root import data_root


@dataclass(frozen=True)
class Requirement:
    """One requirement. `planned_as` says what will serve the part of it that is not yet built."""

    id: str
    article: str
    level: Literal["MUST", "SHOULD", "MAY"]
    status: Literal["implemented", "planned"]
    text_en: str
    text_zh: str
    operations: tuple[str, ...]
    planned_as: str | None
    document: str
    confidence: str


@cache
def requirements() -> Mapping[str, Requirement]:
    """Every requirement by id. Raises ValueError when an id stands twice."""
    found: dict[str, Requirement] = {}
    for path in sorted((data_root() / "requirements").glob("M-*.yaml")):
        chapter = yaml.safe_load(path.read_text(encoding="utf-8"))
        source = chapter["source"]
        for raw in chapter["requirements"]:
            if raw["id"] in found:
                raise ValueError(f"{raw['id']} stands twice")
            found[raw["id"]] = Requirement(
                raw["id"],
                str(source["article"]),
                raw["level"],
                raw["status"],
                raw["text"]["en"],
                raw["text"]["zh"],
                tuple(raw["operations"]),
                raw.get("planned_as") or raw.get("still_planned"),
                source["document"],
                source["confidence"],
            )
    return found
