"""A fact: something about a stored row that will never change again, as the provable log wants to have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from offcampus_server.kernel.clock import rfc3339

Plain = str | int


@dataclass(frozen=True)
class Fact:
    """One fact of a row.

    Attributes:
        source: which table tells it (`transfer`, `audit`).
        row_no: the row's number there.
        name: which fact of the row (`created`, `resolved`, `written`).
        row: the business columns that it is about; what is NULL is left out.
        personal: what may point at a person, and is therefore never in a leaf.
        subject: the order whose facts are numbered.
    """

    source: str
    row_no: int
    name: str
    row: Mapping[str, Plain]
    personal: Any = None
    subject: str | None = None


def plain(row: Mapping[Any, Any], *left_out: str) -> dict[str, Plain]:
    """A row's columns as text and integers, the same on every engine; NULL and what is left out are missing.

    Raises TypeError for a kind of column that has no such form yet.
    """
    return {str(name): _plain(value) for name, value in row.items() if name not in left_out and value is not None}


def _plain(value: Any) -> Plain:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise TypeError(f"a {type(value).__name__} has no form in a leaf")
