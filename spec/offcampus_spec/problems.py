"""The catalogue of problems: every code that an answer may carry, its status, and what to do about it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from offcampus_spec._root import data_root

Place = Literal["answer", "violation"]


@dataclass(frozen=True)
class ProblemType:
    """One code. `family` says whose fault it is: request, auth, state, rule or server."""

    code: str
    status: int
    family: str
    retry_safe: bool
    title_en: str
    title_zh: str
    remedy_en: str
    remedy_zh: str
    place: Place
    """`answer`: the code of a whole problem answer or of a refused batch item; `violation`: only inside one."""

    def title(self, language: str) -> str:
        """The title in `zh…` or else in English."""
        return self.title_zh if language.startswith("zh") else self.title_en

    def remedy(self, language: str) -> str:
        """What to do, in `zh…` or else in English."""
        return self.remedy_zh if language.startswith("zh") else self.remedy_en


@cache
def problems() -> Mapping[str, ProblemType]:
    """Every problem type by code."""
    with (data_root() / "codelists" / "problems.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: _type(row) for row in csv.DictReader(lines)}


def _type(row: dict[str, str]) -> ProblemType:
    return ProblemType(
        row["code"],
        int(row["status"]),
        row["family"],
        row["retry_safe"] == "true",
        row["title_en"],
        row["title_zh"],
        row["remedy_en"],
        row["remedy_zh"],
        cast("Place", row["place"]),
    )
