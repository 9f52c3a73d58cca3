"""The OpenAPI documents: as they lie on disk, and bundled so that each stands alone.

On disk a document refers to shared components, to the schemas and to examples by relative address. The bundle holds
all of them: shared components under `components`, schemas under `components/schemas`, examples in place.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import yaml

from offcampus_spec import schemas
from offcampus_spec._root import data_root

DOCUMENTS = ("institution-connect", "bank", "public", "parent", "management")
SECTIONS = {
    "parameters": "parameters",
    "headers": "headers",
    "responses": "responses",
    "problems": "examples",
    "security-schemes": "securitySchemes",
}
"""A file of shared components -> the section of `components` that it fills in a bundle."""

Json = dict[str, Any]
# The parser in C is ten times as fast; it gives the same values.
YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def raw_document(name: str) -> Json:
    """A document as it is on disk, references unresolved. Raises FileNotFoundError for an unknown name."""
    document: Json = read(PurePosixPath("openapi") / f"{name}.yaml")
    return document


def load_document(name: str) -> Json:
    """A document bundled. Raises FileNotFoundError or KeyError when a reference leads nowhere."""
    bundle = _Bundle()
    document: Json = bundle.resolve(copy.deepcopy(raw_document(name)), PurePosixPath("openapi"))
    return {**document, "components": bundle.components()}


def component(item: Json) -> Json:
    """What an item of a document stands for: itself, or the shared component that it refers to."""
    if "$ref" not in item:
        return item
    address, _, fragment = item["$ref"].partition("#/")
    found: Json = read(join(PurePosixPath("openapi"), address))[fragment]
    return found


@cache
def read(path: PurePosixPath) -> Any:
    """A data file of the standard, parsed. Shared by all callers: do not change it."""
    text = (data_root() / path).read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return yaml.load(text, YamlLoader)  # noqa: S506 - both loaders are the safe ones


def join(folder: PurePosixPath, address: str) -> PurePosixPath:
    """A relative address seen from a folder, with its `..` taken away."""
    parts = list(folder.parts)
    for part in PurePosixPath(address).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)


class _Bundle:
    def __init__(self) -> None:
        self._sections: dict[str, Json] = {section: {} for section in ("schemas", *SECTIONS.values())}

    def components(self) -> Json:
        """What was gathered, in order of name."""
        return {section: dict(sorted(held.items())) for section, held in self._sections.items() if held}

    def resolve(self, node: Any, folder: PurePosixPath) -> Any:
        """A node of a file that lies in `folder`, with every reference to a file replaced."""
        if isinstance(node, list):
            return [self.resolve(item, folder) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            return {"$ref": self._target(reference, folder)}
        if "externalValue" in node:
            about = {key: value for key, value in node.items() if key != "externalValue"}
            return {**about, "value": copy.deepcopy(read(join(folder, node["externalValue"])))}
        return {key: self.resolve(value, folder) for key, value in node.items()}

    def _target(self, reference: str, folder: PurePosixPath) -> str:
        address, _, fragment = reference.partition("#")
        path = join(folder, address)
        if path.parent.name == "schemas":
            return self._schema(path.stem, fragment)
        section, name = SECTIONS[path.stem], fragment.removeprefix("/")
        if name not in self._sections[section]:
            self._sections[section][name] = {}
            self._sections[section][name] = self.resolve(copy.deepcopy(read(path)[name]), path.parent)
        return f"#/components/{section}/{name}"

    def _schema(self, name: str, fragment: str) -> str:
        held = self._sections["schemas"]
        if name not in held:
            held[name] = {}
            content = {key: value for key, value in schemas.load(name).items() if key not in ("$schema", "$id")}
            held[name] = self._within(content, name)
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
