"""What an incoming request is by the contract, and where it breaks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from offcampus_spec import schemas
from offcampus_spec.operations import Operation, operations

TRANSITIONS = {
    "approval": "paying", "objection": "objected", "cancellation": "cancelled", "confirmation": "confirmed",
    "dispute": "disputed", "dispute-resolution": "confirmed", "return": "returned",
}  # fmt: skip
MOST_ERRORS = 20


@dataclass(frozen=True)
class Matched:
    """An operation of the contract with its path parameters."""

    operation: Operation
    path: Mapping[str, str]

    @property
    def collection(self) -> str:
        """The plural noun that the path starts with, after the version."""
        return self.operation.path.split("/")[2]

    @property
    def id(self) -> str | None:
        """The identifier in the path, if there is one."""
        return next(iter(self.path.values()), None)

    @property
    def transition(self) -> str | None:
        """The state that a sub-resource such as `…/approval` leads to."""
        return TRANSITIONS.get(self.operation.path.rpartition("/")[2])


def match(method: str, path: str) -> Matched | None:
    """The operation that serves this method and path."""
    for pattern, operation in _patterns():
        if operation.method == method and (found := pattern.fullmatch(path)) is not None:
            return Matched(operation, found.groupdict())
    return None


def contract_errors(operation: Operation, path: Mapping[str, str], body: Any) -> list[str]:
    """Where a request breaks the contract: `pointer: what`; empty when it fits."""
    del path  # identifiers that do not exist are answered 404, not judged here
    if operation.request_schema is None or operation.request_media_type == "application/x-www-form-urlencoded":
        return []
    if operation.patch:
        return [] if isinstance(body, dict) and body else ["/: a merge patch is a non-empty object"]
    found = _errors(operation.request_schema, body, "")
    if operation.item_schema is not None and not found:
        for index, item in enumerate(body["items"]):
            found += _errors(operation.item_schema, item, f"/items/{index}")
    return found[:MOST_ERRORS]


def _errors(schema: str, value: Any, prefix: str) -> list[str]:
    # The message of the validator quotes the value; the keyword says enough and quotes nothing.
    return [
        f"{prefix}{''.join(f'/{step}' for step in error.instance_path) or '/'}: {error.schema_path[-1]}"
        for error in schemas.validator(schema).iter_errors(value)
    ]


@cache
def _patterns() -> list[tuple[re.Pattern[str], Operation]]:
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))), operation)
        for operation in operations().values()
    ]
