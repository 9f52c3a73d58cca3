"""The code lists of the contract: problems, scopes, roles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from offcampus_spec.lint.contract import operations
from offcampus_spec.lint.finding import Finding
from offcampus_spec.lint.keywords import objects
from offcampus_spec.lint.sources import Rows, Sources

FORMS = {"problems": r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", "scopes": r"[a-z]+:[a-z]+", "roles": r"[a-z]+(_[a-z]+)*"}
FAMILIES = frozenset({"request", "auth", "state", "rule", "server"})
PLACES = frozenset({"answer", "violation"})
STATUSES = {"auth": {"401", "403"}, "server": {"429", "500", "503"}}
"""Families that only these statuses can have."""


def check(sources: Sources) -> Iterator[Finding]:
    """Each list by itself, then what scopes are for."""
    for name, form in FORMS.items():
        yield from _codes(name, sources.tables.get(name, []), form)
    yield from _problems(sources.tables.get("problems", []))
    yield from _scopes(sources)


def _codes(name: str, rows: Rows, form: str) -> Iterator[Finding]:
    counts = Counter(row["code"] for row in rows)
    for index, row in enumerate(rows):
        fault = None
        if re.fullmatch(form, row["code"]) is None:
            fault = "is not well formed"
        elif counts[row["code"]] > 1:
            fault = "stands twice"
        elif any(not value for column, value in row.items() if column.endswith(("_en", "_zh"))):
            fault = "has an empty text"
        if fault:
            yield _at(name, index, "list.code", f"{row['code']} {fault}")


def _problems(rows: Rows) -> Iterator[Finding]:
    for index, row in enumerate(rows):
        possible = STATUSES.get(row["family"], {str(status) for status in range(400, 429)})
        if (
            row["family"] not in FAMILIES
            or row["place"] not in PLACES
            or row["status"] not in possible
            or row["retry_safe"] not in ("true", "false")
        ):
            message = f"{row['code']}: {row['family']}, {row['place']}, {row['status']}, {row['retry_safe']}"
            yield _at("problems", index, "list.problem", message)


def _scopes(sources: Sources) -> Iterator[Finding]:
    scopes = [row["code"] for row in sources.tables.get("scopes", [])]
    asked = {scope for place in operations(sources) for entry in place.node.get("security", [])
             for scope in entry.get("oauth2", [])}  # fmt: skip
    held = {scope for row in sources.tables.get("roles", []) for scope in row["scopes"].split()}
    for index, scope in enumerate(scopes):
        if scope not in asked or scope not in held:
            message = f"{scope} is asked by no operation, or held by no role"
            yield _at("scopes", index, "list.scope", message)
    for index, row in enumerate(sources.tables.get("roles", [])):
        if unknown := sorted(set(row["scopes"].split()) - set(scopes)):
            yield _at("roles", index, "list.scope", f"{row['code']} holds {unknown}, which are no scopes")
    titles = {row["code"]: row["title_en"] for row in sources.tables.get("scopes", [])}
    for file, pointer, kind, node in objects(sources):
        if kind == "flow" and node.get("scopes") != titles:
            yield Finding(file, (*pointer, "scopes"), "list.scope", "differs from codelists/scopes.csv")


def _at(name: str, index: int, rule: str, message: str) -> Finding:
    return Finding(f"codelists/{name}.csv", (str(index),), rule, message)
