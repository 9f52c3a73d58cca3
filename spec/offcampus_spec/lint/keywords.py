"""A closed metaschema: every member of an OpenAPI object is one that OpenAPI 3.1 or the house knows.

OpenAPI's own metaschema lets any `x-…` pass and misses misspelt members of references, so a misspelt `x-summry-zh`
or `exmaples` would be read by nobody and missed by everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from offcampus_spec.lint.finding import Finding, Pointer
from offcampus_spec.lint.sources import Sources

TEXTS = ("title", "summary", "description")


@dataclass(frozen=True)
class Kind:
    """An OpenAPI object: its members, each with the kind of what it holds (None: plain values or data)."""

    members: Mapping[str, str | None]
    required: tuple[str, ...] = ()


FLAGS = "x-requirements x-level x-audience x-governs x-signed x-idempotency x-concurrency x-batch"


def _kind(plain: str = "", required: str = "", **holding: str) -> Kind:
    named = {name.replace("_", "-") if name.startswith("x_") else name: kind for name, kind in holding.items()}
    return Kind({**dict.fromkeys(plain.split()), **named}, tuple(required.split()))


# `[kind]` is a list of them, `{kind}` a map by name.
KINDS: Mapping[str, Kind] = {
    "document": _kind(
        "openapi jsonSchemaDialect", "openapi info jsonSchemaDialect servers tags paths", info="info",
        servers="[server]", tags="[tag]", paths="{path}", webhooks="{path}", components="components",
    ),
    "info": _kind("title x-title-zh version description x-description-zh", "title version description license",
                  license="license"),
    "license": _kind("name identifier", "name identifier"),
    "server": _kind("url description x-description-zh", "url description"),
    "tag": _kind("name x-title-zh description x-description-zh", "name x-title-zh description"),
    "path": _kind(get="operation", put="operation", post="operation", patch="operation", delete="operation"),
    "operation": _kind(
        f"operationId tags summary x-summary-zh description x-description-zh security x-item-problems {FLAGS}",
        "operationId tags summary description security responses", parameters="[parameter]", requestBody="body",
        responses="{response}",
    ),
    "parameter": _kind("name in required description x-description-zh style explode example",
                       "name in required description schema", schema="schema"),
    "body": _kind("required description x-description-zh", "required content", content="{media}"),
    "media": _kind("", "schema", schema="schema", examples="{example}"),
    "example": _kind("summary x-summary-zh description x-description-zh value externalValue"),
    "response": _kind("description x-description-zh", "description", headers="{header}", content="{media}"),
    "header": _kind("description x-description-zh required example", "description schema", schema="schema"),
    "components": _kind(securitySchemes="{scheme}"),
    "scheme": _kind("type description x-description-zh in name", "type description", flows="flows"),
    "flows": _kind(clientCredentials="flow"),
    "flow": _kind("tokenUrl scopes", "tokenUrl scopes"),
}  # fmt: skip
SHARED = {
    "parameters": "parameter",
    "headers": "header",
    "responses": "response",
    "problems": "example",
    "security-schemes": "scheme",
}
"""A file of shared components -> the kind of what it holds."""


def check(sources: Sources) -> Iterator[Finding]:
    """Unknown and missing members, and texts in one language only."""
    for file, pointer, kind, node in objects(sources):
        if "$ref" in node:
            unknown, missing = node.keys() - {"$ref"}, set()
        else:
            unknown, missing = node.keys() - KINDS[kind].members.keys(), set(KINDS[kind].required) - node.keys()
        for name in sorted(map(str, unknown)):
            yield Finding(file, (*pointer, name), "openapi.keyword", f"an OpenAPI {kind} has no member {name!r}")
        if kind == "example" and "$ref" not in node and len(node.keys() & {"value", "externalValue"}) != 1:
            missing |= {"value or externalValue"}
        for name in sorted(missing):
            yield Finding(file, pointer, "openapi.missing", f"{name!r} is missing")
        # A tag's name is its English title.
        yield from one_language(file, pointer, {**node, "title": node.get("name")} if kind == "tag" else node)
    for file, document in sources.documents().items():
        dialect = "https://json-schema.org/draft/2020-12/schema"
        if document.get("openapi") != "3.1.1" or document.get("jsonSchemaDialect") != dialect:
            yield Finding(file, (), "openapi.version", "not OpenAPI 3.1.1 with draft 2020-12")


def objects(sources: Sources) -> Iterator[tuple[str, Pointer, str, dict[str, Any]]]:
    """Every OpenAPI object of the documents and of the shared components: file, place, kind, object."""
    for file, document in sources.documents().items():
        yield from _inside(file, (), "document", document)
    for file, named in sources.components().items():
        kind = SHARED.get(file.rpartition("/")[2].removesuffix(".yaml"), "components")
        for name, node in named.items():
            yield from _inside(file, (name,), kind, node)


def one_language(file: str, pointer: Pointer, node: dict[str, Any]) -> Iterator[Finding]:
    """Texts that stand in one language only, or whose Chinese holds no Chinese."""
    for name in TEXTS:
        english, chinese = node.get(name), node.get(f"x-{name}-zh")
        if (english is None) != (chinese is None):
            there = name if chinese is None else f"x-{name}-zh"
            yield Finding(file, (*pointer, there), "language.pair", "the other language is missing")
        elif chinese is not None and not any("\u4e00" <= char <= "\u9fff" for char in str(chinese)):
            yield Finding(file, (*pointer, f"x-{name}-zh"), "language.pair", "no Chinese character in it")


def _inside(file: str, pointer: Pointer, kind: str, node: Any) -> Iterator[tuple[str, Pointer, str, dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    yield file, pointer, kind, node
    if "$ref" in node:
        return
    for name, held in KINDS[kind].members.items():
        if held is None or held == "schema" or name not in node:
            continue
        for steps, item in _items(held, node[name]):
            yield from _inside(file, (*pointer, name, *steps), held.strip("[]{}"), item)


def _items(held: str, node: Any) -> Iterator[tuple[Pointer, Any]]:
    if held.startswith("{") and isinstance(node, dict):
        yield from (((str(name),), item) for name, item in node.items())
    elif held.startswith("[") and isinstance(node, list):
        yield from (((str(index),), item) for index, item in enumerate(node))
    elif held[0] not in "{[":
        yield (), node
