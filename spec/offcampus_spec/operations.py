"""The operations of the contracts as typed objects.

The server, the SDK and the conformance suite take paths, flags, scopes and problem codes from here, so nothing is
described twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Literal

from offcampus_spec import SCHEMA_BASE
from offcampus_spec.documents import DOCUMENTS as DOCUMENTS
from offcampus_spec.documents import Json, component
from offcampus_spec.documents import load_document as load_document
from offcampus_spec.documents import raw_document as raw_document

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Parameter:
    """A path, query or header parameter with its schema."""

    name: str
    location: Literal["path", "query", "header"]
    required: bool
    schema: Json


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, whole."""

    operation_id: str
    method: str
    path: str
    document: str
    summary_en: str
    summary_zh: str
    scope: str | None
    signed: bool
    idempotency: Literal["key", "none"]
    concurrency: Literal["if-match", "none"]
    batch: bool
    requirements: tuple[str, ...]
    level: str
    governs: str
    parameters: tuple[Parameter, ...]
    request_schema: str | None
    """The schema of the body by name; for a merge patch the schema of what the patch must lead to."""
    request_media_type: str | None
    responses: Mapping[str, Json | None]
    """Status -> the JSON Schema of the body (references by `$id`), or None when there is no body."""
    audience: str
    tags: tuple[str, ...]
    description_en: str
    description_zh: str
    problems: tuple[str, ...]
    """The codes that a problem answer of this operation may carry, in the order of their statuses."""
    item_problems: tuple[str, ...]
    """For a batch, the codes that the problem of a refused item may carry."""

    @property
    def patch(self) -> bool:
        """The body is a JSON Merge Patch (RFC 7396)."""
        return self.request_media_type == "application/merge-patch+json"

    @property
    def item_schema(self) -> str | None:
        """For a batch, the schema of one item by name."""
        return self.request_schema.removesuffix("-batch") if self.batch and self.request_schema else None


@cache
def operations() -> Mapping[str, Operation]:
    """Every operation of every document by operationId. Raises ValueError when an id stands twice."""
    found: dict[str, Operation] = {}
    for document in DOCUMENTS:
        for path, item in raw_document(document)["paths"].items():
            for method, raw in item.items():
                operation = _operation(document, path, method, raw)
                if operation.operation_id in found:
                    raise ValueError(f"{operation.operation_id} stands in two documents")
                found[operation.operation_id] = operation
    return found


@cache
def webhooks() -> Mapping[str, Operation]:
    """What the platform calls at a receiver, by operationId. The path is the receiver's own, here empty."""
    return {
        raw["operationId"]: _operation(document, "", method, raw)
        for document in DOCUMENTS
        for item in raw_document(document).get("webhooks", {}).values()
        for method, raw in item.items()
    }


def _operation(document: str, path: str, method: str, raw: Json) -> Operation:
    media_type, schema = _request(raw.get("requestBody"))
    security = raw["security"][0] if raw["security"] else {}
    return Operation(
        operation_id=raw["operationId"],
        method=method.upper(),
        path=path,
        document=document,
        summary_en=raw["summary"],
        summary_zh=raw["x-summary-zh"],
        scope=security.get("oauth2", [None])[0],
        signed=raw["x-signed"],
        idempotency=raw["x-idempotency"],
        concurrency=raw["x-concurrency"],
        batch=raw["x-batch"],
        requirements=tuple(raw["x-requirements"]),
        level=raw["x-level"],
        governs=raw["x-governs"],
        parameters=tuple(_parameter(item) for item in raw.get("parameters", [])),
        request_schema=schema,
        request_media_type=media_type,
        responses={status: _response(item) for status, item in raw["responses"].items()},
        audience=raw["x-audience"],
        tags=tuple(raw["tags"]),
        description_en=raw["description"],
        description_zh=raw["x-description-zh"],
        problems=tuple(code for item in raw["responses"].values() for code in _codes(item)),
        item_problems=tuple(raw.get("x-item-problems", ())),
    )


def _parameter(reference: Json) -> Parameter:
    raw = component(reference)
    return Parameter(raw["name"], raw["in"], raw.get("required", False), raw["schema"])


def _request(body: Json | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    [(media_type, content)] = body["content"].items()
    schema = content["schema"]
    return media_type, schema.get("x-patch-of") or PurePosixPath(schema["$ref"]).stem


def _response(raw: Json) -> Json | None:
    for content in component(raw).get("content", {}).values():
        schema: Json = _by_id(content["schema"])
        return schema
    return None


def _codes(raw: Json) -> Iterator[str]:
    """The keys of a problem answer's examples are the codes that can occur."""
    content = component(raw).get("content", {})
    yield from content.get(PROBLEM_TYPE, {}).get("examples", {})


def _by_id(node: Any) -> Any:
    """The same schema with references to files turned into references by `$id`."""
    if isinstance(node, list):
        return [_by_id(item) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _by_id(value) for key, value in node.items()}
    if "$ref" in moved:
        moved["$ref"] = SCHEMA_BASE + PurePosixPath(moved["$ref"]).name
    return moved
