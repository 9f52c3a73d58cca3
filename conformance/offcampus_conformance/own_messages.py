"""Whether what the SUITE sends and answers is lawful: the contract binds the judge too.

A message of the suite that breaks the contract without being meant to is the suite's own error, whatever the target
made of it. Judged on the bytes as sent, before anything is redacted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
from offcampus_spec.operations import Operation, operations, webhooks
from offcampus_spec.schemas import compile_schema

from offcampus_conformance.played_platform.contract import contract_errors, match

MOST = 5
FORM = "application/x-www-form-urlencoded"


def request_breaks(
    operation_id: str | None, method: str, url: str, headers: Mapping[str, str], content: bytes | None
) -> tuple[str, ...]:
    """Where a request of the suite breaks the contract of its operation; empty when it is lawful or has none."""
    if operation_id is None:
        return ()
    operation = operations().get(operation_id)
    if operation is None:
        called = webhooks().get(operation_id)
        return () if called is None else tuple(_body(called, headers, content)[:MOST])
    matched = match(method, urlsplit(url).path)
    if matched is None or matched.operation.operation_id != operation_id:
        return (f"{method} {urlsplit(url).path} is not {operation_id}",)
    return tuple([*_parameters(operation, url, headers), *_body(operation, headers, content)][:MOST])


def answer_breaks(operation_id: str | None, status: int | None, body: str | None) -> tuple[str, ...]:
    """Where an answer breaks the contract of its operation: its status, or its body by pointer and keyword."""
    operation = operations().get(operation_id or "")
    if operation is None or status is None:
        return ()
    if str(status) not in operation.responses and "default" not in operation.responses:
        return (f"status {status}",)
    schema = operation.responses.get(str(status), operation.responses.get("default"))
    if schema is None:
        return ()
    try:
        document = json.loads(body or "")
    except (ValueError, RecursionError):
        return ("/: no JSON",)
    try:
        return tuple(_errors(compile_schema(schema), document)[:MOST])
    except UnicodeEncodeError:
        return ("/: a lone surrogate",)


def _parameters(operation: Operation, url: str, headers: Mapping[str, str]) -> list[str]:
    given = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    known = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
    carried = {name.lower() for name in headers}
    found = [f"query:{name}: not in the contract" for name in given if name not in known]
    found += [f"query:{name}: repeated" for name in set(given) if given.count(name) > 1]
    found += [
        f"header:{parameter.name.lower()}: missing"
        for parameter in operation.parameters
        if parameter.location == "header" and parameter.required and parameter.name.lower() not in carried
    ]
    return found


def _body(operation: Operation, headers: Mapping[str, str], content: bytes | None) -> list[str]:
    if operation.request_schema is None or operation.request_media_type == FORM:
        return []
    media_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if content and media_type.partition(";")[0].strip() not in (operation.request_media_type, "application/json"):
        return [f"header:content-type: {media_type or 'missing'}"]
    try:
        document = json.loads((content or b"null").decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ["raw: no JSON of the standard"]
    try:
        return contract_errors(operation, {}, document)
    except UnicodeEncodeError:
        return ["raw: a lone surrogate"]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _errors(validator: jsonschema_rs.Draft202012Validator, value: Any) -> list[str]:
    # The validator's message quotes the value; the keyword says enough and quotes nothing.
    return [
        f"{''.join(f'/{step}' for step in error.instance_path) or '/'}: {error.schema_path[-1]}"
        for error in validator.iter_errors(value)
    ]
