"""The server bound to the contract: which handler serves which operation, and requests checked before it runs.

Start-up refuses a contract with an operation that nobody serves, and code that serves what the contract has not.
Schemas are compiled once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from offcampus_spec import schemas
from offcampus_spec.operations import Operation, Parameter, operations

from offcampus_server.kernel import violations
from offcampus_server.kernel.problems import Problem, violation

if TYPE_CHECKING:
    from offcampus_server.kernel.unit_of_work import Work

_INTEGER = re.compile(r"[0-9]{1,16}")
_KEY = re.compile(r'"?([A-Za-z0-9._:-]{8,128})"?')
_ETAG = re.compile(r'"([0-9]{1,16})"')


@dataclass(frozen=True)
class Call:
    """A request that fits the contract, as a use case sees it."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    idempotency_key: str | None = None
    if_match: int | None = None
    if_none_match: int | None = None
    strict: bool = False
    """`Prefer: handling=strict`: all items of a batch or none."""


@dataclass(frozen=True)
class Answer:
    """What a use case answers; `version` becomes the ETag."""

    status: int
    body: Any = None
    version: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call, "Work"], Answer]


class Handlers:
    """The handlers of one capability: `@handlers("createOrder")` above the function that serves it."""

    def __init__(self) -> None:
        self.by_operation: dict[str, Handler] = {}

    def __call__(self, operation_id: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if operation_id in self.by_operation:
                raise ContractGap(f"{operation_id} has two handlers")
            self.by_operation[operation_id] = handler
            return handler

        return register


class ContractGap(Exception):
    """Code and contract disagree: the server does not start."""


@dataclass(frozen=True)
class Bound:
    """An operation with its handler and its compiled checks."""

    operation: Operation
    handler: Handler
    body: jsonschema_rs.Draft202012Validator | None
    query: jsonschema_rs.Draft202012Validator
    integers: frozenset[str]
    paths: Mapping[str, jsonschema_rs.Draft202012Validator]
    answers: Mapping[str, jsonschema_rs.Draft202012Validator | None]


def bind(registries: Iterable[Handlers]) -> dict[str, Bound]:
    """Every operation of the contract with its handler. Raises ContractGap with what is missing or surplus."""
    found: dict[str, Handler] = {}
    for registry in registries:
        if twice := found.keys() & registry.by_operation.keys():
            raise ContractGap(f"two capabilities serve {sorted(twice)}")
        found |= registry.by_operation
    contract = operations()
    if missing := contract.keys() - found.keys():
        raise ContractGap(f"the contract has operations that nobody serves: {', '.join(sorted(missing))}")
    if surplus := found.keys() - contract.keys():
        raise ContractGap(f"handlers serve what the contract has not: {', '.join(sorted(surplus))}")
    return {name: _bound(operation, found[name]) for name, operation in contract.items()}


def check_request(
    bound: Bound, path: Mapping[str, str], query: list[tuple[str, str]], headers: Mapping[str, str], body: Any
) -> Call:
    """The call that a request stands for. Raises Problem when the request does not fit the contract.

    Args:
        headers: with names in lower case.
    """
    operation = bound.operation
    for name, validator in bound.paths.items():
        if not validator.is_valid(path[name]):
            raise Problem("resource.not_found")
    checked = _query(bound, query)
    key = _key(operation, headers)
    if_match = _if_match(operation, headers)
    if bound.body is not None:
        violations.check(bound.body, body)
    return Call(
        operation, path, checked, body, key, if_match, _etag(headers.get("if-none-match")),
        operation.batch and "handling=strict" in headers.get("prefer", ""),
    )  # fmt: skip


def _bound(operation: Operation, handler: Handler) -> Bound:
    inside = {place: _parameters(operation, place) for place in ("path", "query")}
    query: dict[str, Any] = {
        "type": "object",
        "properties": {parameter.name: parameter.schema for parameter in inside["query"]},
        "required": [parameter.name for parameter in inside["query"] if parameter.required],
        "additionalProperties": False,
    }
    return Bound(
        operation,
        handler,
        _body_validator(operation),
        schemas.compile_schema(query),
        frozenset(p.name for p in inside["query"] if p.schema.get("type") == "integer"),
        {p.name: schemas.compile_schema(p.schema) for p in inside["path"]},
        {status: schemas.compile_schema(s) if s else None for status, s in operation.responses.items()},
    )


def _parameters(operation: Operation, place: str) -> list[Parameter]:
    return [parameter for parameter in operation.parameters if parameter.location == place]


def _body_validator(operation: Operation) -> jsonschema_rs.Draft202012Validator | None:
    if operation.request_schema is None:
        return None
    if operation.patch:
        # What a patch leads to is checked by the use case that applies it.
        return schemas.compile_schema({"type": "object", "minProperties": 1})
    return schemas.validator(operation.request_schema)


def _query(bound: Bound, pairs: list[tuple[str, str]]) -> Mapping[str, Any]:
    query = dict(pairs)
    if len(query) != len(pairs):
        twice = sorted({name for name, _ in pairs if sum(other == name for other, _ in pairs) > 1})
        raise Problem("request.query", f"given more than once: {', '.join(twice)}")
    for name in bound.integers & query.keys():
        query[name] = int(query[name]) if _INTEGER.fullmatch(query[name]) else query[name]  # type: ignore[assignment]
    if not bound.query.is_valid(query):
        found = violations.violations(bound.query.iter_errors(query))
        names = ", ".join(str(entry.get("pointer", "")).lstrip("/") for entry in found)
        raise Problem("request.query", f"unknown or wrong: {names}", found)
    return query


def _key(operation: Operation, headers: Mapping[str, str]) -> str | None:
    if operation.idempotency != "key":
        return None
    given = headers.get("idempotency-key")
    if given is None:
        raise Problem("idempotency.key_missing")
    match = _KEY.fullmatch(given)
    if match is None:
        allowed = "8 to 128 of A-Z a-z 0-9 . _ : -"
        raise Problem("request.header", "Idempotency-Key", [violation("request.header", allowed=allowed)])
    return match[1]


def _if_match(operation: Operation, headers: Mapping[str, str]) -> int | None:
    if operation.concurrency != "if-match":
        return None
    given = headers.get("if-match")
    if given is None:
        raise Problem("concurrency.if_match_missing")
    version = _etag(given)
    if version is None:
        allowed = 'one ETag such as "3"'
        raise Problem("request.header", "If-Match", [violation("request.header", allowed=allowed)])
    return version


def _etag(given: str | None) -> int | None:
    match = _ETAG.fullmatch(given) if given is not None else None
    return int(match[1]) if match else None
