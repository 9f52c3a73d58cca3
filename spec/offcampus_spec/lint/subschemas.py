"""Schemas wherever they stand, and the schemas inside them: where a member is a keyword and where it is a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from offcampus_spec.lint.finding import Pointer
from offcampus_spec.lint.keywords import objects
from offcampus_spec.lint.sources import Sources

BY_NAME = ("properties", "patternProperties", "$defs", "dependentSchemas")
IN_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
SINGLE = (
    "items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "contains",
    "if", "then", "else", "not",
)  # fmt: skip
CONDITIONS = ("if", "then", "else", "not")

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A schema or a part of one."""

    file: str
    pointer: Pointer
    node: Json
    inside: Pointer
    """The way from the root of its schema."""

    @property
    def conditional(self) -> bool:
        """It only narrows what is described elsewhere: its members need no description of their own."""
        return any(step in CONDITIONS for step in self.inside)

    @property
    def member(self) -> str | None:
        """The name of the member that it describes, when it describes one."""
        return self.inside[-1] if len(self.inside) > 1 and self.inside[-2] == "properties" else None


def parts(sources: Sources) -> Iterator[Part]:
    """Every schema of the schema files and of the documents, with every schema inside."""
    for file, pointer, node in roots(sources):
        yield from below(file, pointer, node)


def roots(sources: Sources) -> Iterator[tuple[str, Pointer, Json]]:
    """The outermost schemas."""
    for file, node in sources.schemas().items():
        if isinstance(node, dict):
            yield file, (), node
    for file, pointer, kind, node in objects(sources):
        if kind in ("parameter", "header", "media") and isinstance(node.get("schema"), dict):
            yield file, (*pointer, "schema"), node["schema"]


def below(file: str, pointer: Pointer, node: Json, inside: Pointer = ()) -> Iterator[Part]:
    """A schema and every schema inside it, references not followed."""
    yield Part(file, pointer, node, inside)
    for step, child in children(node):
        yield from below(file, (*pointer, *step), child, (*inside, *step))


def children(node: Json) -> Iterator[tuple[Pointer, Json]]:
    """The schemas directly inside a schema, with the steps that lead to them."""
    for keyword in BY_NAME:
        held = node.get(keyword)
        if isinstance(held, dict):
            yield from (((keyword, name), child) for name, child in held.items() if isinstance(child, dict))
    for keyword in IN_LIST:
        held = node.get(keyword)
        if isinstance(held, list):
            yield from (((keyword, str(i)), child) for i, child in enumerate(held) if isinstance(child, dict))
    for keyword in SINGLE:
        if isinstance(node.get(keyword), dict):
            yield (keyword,), node[keyword]


@dataclass(frozen=True)
class Facts:
    """What a schema says a value is, references and alternatives followed."""

    types: frozenset[str]
    formats: frozenset[str]


def facts(sources: Sources, file: str, node: Json, depth: int = 0) -> Facts:
    """The types and formats that a value may have by a schema. Dangling references say nothing."""
    types = node.get("type", [])
    said = Facts(
        frozenset([types] if isinstance(types, str) else types),
        frozenset([node["format"]] if "format" in node else []),
    )
    if depth > 8:
        return said
    others = [
        (file, child)
        for keyword in ("allOf", "anyOf", "oneOf")
        for child in node.get(keyword, [])
        if isinstance(child, dict)
    ]
    if (target := sources.referred(file, node)) is not None:
        others.append((target[0], target[2]))
    for where, child in others:
        more = facts(sources, where, child, depth + 1)
        said = Facts(said.types | more.types, said.formats | more.formats)
    return said
