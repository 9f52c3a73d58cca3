"""What an incoming request is by the contract, where it breaks it, and whether an answer of ours would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from offcampus_spec import schemas
from offcampus_spec.operations import Operation, load_document, operations

TRANSITIONS = {
    "approval": "paying", "objection": "objected", "cancellation": "cancelled", "confirmation": "confirmed",
    "dispute": "disputed", "dispute-resolution": "confirmed", "return": "returned", "closure": "closed",
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
        """The first identifier in the path, if there is one."""
        return next(iter(self.path.values()), None)

    @property
    def last(self) -> str:
        """The last step of the path's template: a transition, a part of a resource, or its parameter."""
        return self.operation.path.rpartition("/")[2]

    @property
    def transition(self) -> str | None:
        """The state that a sub-resource such as `…/approval` leads to."""
        return TRANSITIONS.get(self.last)


def match(method: str, path: str) -> Matched | None:
    """The operation that serves this method and path."""
    for pattern, operation in _patterns():
        if operation.method == method and (found := pattern.fullmatch(path)) is not None:
            return Matched(operation, found.groupdict())
    return None


def contract_errors(operation: Operation, path: Mapping[str, str], body: Any) -> list[str]:
    """Where a request's body breaks the contract: `pointer: what`; empty when it fits."""
    del path  # identifiers that do not exist are answered 404, not judged here
    if operation.request_schema is None or operation.request_media_type == "application/x-www-form-urlencoded":
        return []
    if operation.patch:
        return _patch_errors(operation.request_schema, body)
    found = _errors(operation.request_schema, body, "")
    if operation.item_schema is not None and not found:
        for index, item in enumerate(body["items"]):
            found += _errors(operation.item_schema, item, f"/items/{index}")
    return found[:MOST_ERRORS]


def query_names(operation: Operation) -> frozenset[str]:
    """The query parameters that an operation has."""
    return frozenset(parameter.name for parameter in operation.parameters if parameter.location == "query")


@cache
def example_answer(operation_id: str) -> Any:
    """The contract's own example of a successful answer, for what the played platform has nothing else to say about."""
    operation = operations()[operation_id]
    raw = load_document(operation.document)["paths"][operation.path][operation.method.lower()]
    success = next(answer for status, answer in raw["responses"].items() if status.startswith("2"))
    examples = success.get("content", {}).get("application/json", {}).get("examples", {})
    return next((example["value"] for example in examples.values()), None)


def _patch_errors(schema: str, body: Any) -> list[str]:
    """A merge patch must be a non-empty object of members that the resource has."""
    if not isinstance(body, dict) or not body:
        return ["/: a merge patch is a non-empty object"]
    fields = schemas.load(schema).get("$defs", {}).get("fields", schemas.load(schema))
    return [f"/{name}: unevaluatedProperties" for name in sorted(body.keys() - fields["properties"].keys())]


def _errors(schema: str, value: Any, prefix: str) -> list[str]:
    return [_told(error, prefix) for error in schemas.validator(schema).iter_errors(value)]


def _told(error: Any, prefix: str) -> str:
    # The message of the validator quotes the value; the keyword says enough and quotes nothing.
    return f"{prefix}{''.join(f'/{step}' for step in error.instance_path) or '/'}: {error.schema_path[-1]}"


@cache
def _patterns() -> list[tuple[re.Pattern[str], Operation]]:
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))), operation)
        for operation in operations().values()
    ]
