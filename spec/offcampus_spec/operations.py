"""The contracts: OpenAPI documents, bundled so that they stand alone, and their operations as typed objects.

A document on disk refers to shared components and to the schemas by relative address; the bundle resolves both. The
server, the SDK and the conformance suite take paths, flags and scopes from here, so nothing is described twice.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Literal

import yaml

from offcampus_spec import SCHEMA_BASE, schemas
from offcampus_spec._root import data_root

DOCUMENTS = ("institution-connect", "bank", "public", "parent", "management")
METHODS = ("get", "put", "post", "patch", "delete")
Json = dict[str, Any]


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
def raw_document(name: str) -> Json:
    """A document as it is on disk, references unresolved."""
    document: Json = yaml.safe_load((data_root() / "openapi" / f"{name}.yaml").read_text(encoding="utf-8"))
    return document


def load_document(name: str) -> Json:
    """A document bundled: shared components inlined, schemas under `components/schemas`, examples in place."""
    bundle = _Bundle()
    document: Json = bundle.resolve(copy.deepcopy(raw_document(name)), PurePosixPath("openapi"))
    document.setdefault("components", {})["schemas"] = {key: bundle.schemas[key] for key in sorted(bundle.schemas)}
    return document


class _Bundle:
    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}

    def resolve(self, node: Any, folder: PurePosixPath) -> Any:
        """A node of a document that lies in `folder`, with every reference to a file replaced."""
        if isinstance(node, list):
            return [self.resolve(item, folder) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return self._target(reference, folder)
        if "externalValue" in node:
            return {"value": _read(_join(folder, node["externalValue"]))}
        return {key: self.resolve(value, folder) for key, value in node.items()}

    def _target(self, reference: str, folder: PurePosixPath) -> Any:
        address, _, fragment = reference.partition("#")
        path = _join(folder, address)
        if path.parent.name == "schemas":
            return {"$ref": self._schema(path.stem, fragment)}
        found = _read(path)
        for part in fragment.strip("/").split("/"):
            found = found[part] if part else found
        return self.resolve(copy.deepcopy(found), path.parent)

    def _schema(self, name: str, fragment: str) -> str:
        if name not in self.schemas:
            self.schemas[name] = {}
            content = {key: value for key, value in schemas.load(name).items() if key not in ("$schema", "$id")}
            self.schemas[name] = self._within(content, name)
        return f"#/components/schemas/{name}{fragment}"

    def _within(self, node: Any, name: str) -> Any:
        if isinstance(node, list):
            return [self._within(item, name) for item in node]
        if not isinstance(node, dict):
            return node
        moved = {key: self._within(value, name) for key, value in node.items()}
        reference = node.get("$ref")
        if isinstance(reference, str):
            address, _, fragment = reference.partition("#")
            moved["$ref"] = self._schema(address.removesuffix(".json") or name, fragment)
        return moved


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
    )


def _parameter(reference: Json) -> Parameter:
    raw = _component(reference)
    return Parameter(raw["name"], raw["in"], raw.get("required", False), raw["schema"])


def _request(body: Json | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    [(media_type, content)] = body["content"].items()
    schema = content["schema"]
    return media_type, schema.get("x-patch-of") or PurePosixPath(schema["$ref"]).stem


def _response(raw: Json) -> Json | None:
    item = _component(raw)
    for content in item.get("content", {}).values():
        schema: Json = _by_id(content["schema"])
        return schema
    return None


def _component(item: Json) -> Json:
    if "$ref" not in item:
        return item
    address, _, fragment = item["$ref"].partition("#/")
    component: Json = _read(PurePosixPath("openapi") / address)[fragment]
    return component


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


@cache
def _read(path: PurePosixPath) -> Any:
    text = (data_root() / path).read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def _join(folder: PurePosixPath, address: str) -> PurePosixPath:
    parts: list[str] = list(folder.parts)
    for part in PurePosixPath(address).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)
