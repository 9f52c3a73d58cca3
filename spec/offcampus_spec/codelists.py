"""Code lists: what a code means, in two languages, since when, and where it comes from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from offcampus_spec._root import data_root


@dataclass(frozen=True)
class Code:
    """One entry. `extra` holds the columns that only this list has (a state machine's `from`, for one)."""

    code: str
    title_en: str
    title_zh: str
    extra: Mapping[str, str]


@dataclass(frozen=True)
class CodeList:
    """A list of codes. A closed list may not be extended by a province; an open one may."""

    name: str
    closed: bool
    source: Mapping[str, Any]
    codes: Mapping[str, Code]

    def title(self, code: str, language: str) -> str:
        """What a code means in `zh` or `en`; the code itself when the list does not have it."""
        entry = self.codes.get(code)
        if entry is None:
            return code
        return entry.title_zh if language.startswith("zh") else entry.title_en


@cache
def names() -> tuple[str, ...]:
    """The names of all code lists that have a source file."""
    return tuple(sorted(path.name.removesuffix(".source.yaml") for path in _folder().glob("*.source.yaml")))


@cache
def load(name: str) -> CodeList:
    """A code list by name. Raises FileNotFoundError for a name that does not exist."""
    about = yaml.safe_load((_folder() / f"{name}.source.yaml").read_text(encoding="utf-8"))
    with (_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        codes = {row["code"]: _code(row) for row in csv.DictReader(lines)}
    return CodeList(name, bool(about.get("closed", True)), about["source"], codes)


@cache
def transitions(resource: str) -> frozenset[tuple[str, str]]:
    """The allowed state changes of a resource, as (from, to); the start is the empty text."""
    return frozenset(
        (source, code.code)
        for code in load(f"{resource}-states").codes.values()
        for source in code.extra["from"].split("|")
    )


def _code(row: dict[str, str]) -> Code:
    known = ("code", "title_en", "title_zh")
    extra = {key: value for key, value in row.items() if key not in known}
    return Code(row["code"], row.get("title_en", ""), row.get("title_zh", ""), extra)


def _folder() -> Any:
    return data_root() / "codelists"
