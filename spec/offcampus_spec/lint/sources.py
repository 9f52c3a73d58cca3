"""The standard's data files, parsed once, with what is wrong with the files as such, and references between them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from offcampus_spec.documents import YamlLoader, join
from offcampus_spec.lint.finding import Finding, Pointer

Rows = list[dict[str, str]]
PATTERNS = (
    "openapi/*.yaml",
    "openapi/components/*.yaml",
    "openapi/examples/*.json",
    "schemas/*.json",
    "examples/*/valid/*.json",
    "codelists/*.yaml",
    "requirements/*.yaml",
)
STANDALONE = frozenset(
    f"schemas/{name}.json"
    for name in (
        "rule-parameters", "rule-history", "conformance-finding", "conformance-report", "conformance-waiver",
        "scenario",
    )
)  # fmt: skip
"""Schemas that no message follows: the files that a province writes, the histories that rules are replayed over, and
what the conformance suite does and reports."""


@dataclass
class Sources:
    """Files by path relative to the standard's folder."""

    files: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)
    """Code lists by name."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with the files themselves."""

    @classmethod
    def read(cls, root: Path) -> Sources:
        """Read every data file below a folder; unreadable ones become findings."""
        sources = cls()
        for pattern in PATTERNS:
            for path in sorted(root.glob(pattern)):
                sources._take(path.relative_to(root).as_posix(), path)
        for path in sorted(root.glob("codelists/*.csv")):
            with path.open(encoding="utf-8", newline="") as lines:
                sources.tables[path.stem] = list(csv.DictReader(lines))
        return sources

    def documents(self) -> dict[str, Any]:
        """The OpenAPI documents by file."""
        return self._below("openapi")

    def components(self) -> dict[str, Any]:
        """The files of shared components by file."""
        return self._below("openapi/components")

    def schemas(self) -> dict[str, Any]:
        """The schemas by file."""
        return self._below("schemas")

    def target(self, file: str, reference: str) -> tuple[str, Pointer]:
        """The file and the place in it that a reference in `file` names."""
        address, _, fragment = reference.partition("#")
        path = _joined(file, address) if address else file
        steps = fragment.split("/")[1:] if fragment else []
        return path, tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)

    def find(self, file: str, pointer: Pointer) -> Any:
        """The node at a place. Raises KeyError when there is none."""
        node = self.files[file]
        for step in pointer:
            if isinstance(node, list):
                node = node[int(step)] if step.isdigit() and int(step) < len(node) else _missing(step)
            elif isinstance(node, dict):
                node = node[step]
            else:
                _missing(step)
        return node

    def follow(self, file: str, pointer: Pointer) -> tuple[str, Pointer, Any]:
        """What stands at a place, references there followed. Raises KeyError on a dangling one."""
        node = self.find(file, pointer)
        while isinstance(node, dict) and isinstance(node.get("$ref"), str) and not file.startswith("schemas/"):
            file, pointer = self.target(file, node["$ref"])
            node = self.find(file, pointer)
        return file, pointer, node

    def referred(self, file: str, node: Any) -> tuple[str, Pointer, dict[str, Any]] | None:
        """The object that a node's `$ref` leads to, with its place; None when it has none or that leads nowhere."""
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            return None
        place, pointer = self.target(file, reference)
        try:
            found = self.find(place, pointer)
        except KeyError:
            return None
        return (place, pointer, found) if isinstance(found, dict) else None

    def _below(self, folder: str) -> dict[str, Any]:
        return {file: node for file, node in self.files.items() if file.rpartition("/")[0] == folder}

    def _take(self, name: str, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".json":
                self.files[name] = json.loads(text, object_pairs_hook=lambda pairs: self._pairs(name, pairs))
            else:
                self._check_yaml(name, yaml.compose(text, YamlLoader))
                self.files[name] = yaml.load(text, YamlLoader)  # noqa: S506 - both loaders are the safe ones
        except (ValueError, yaml.YAMLError) as error:
            self.findings.append(Finding(name, (), "file.unreadable", " ".join(str(error).split())))

    def _pairs(self, name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for twice in _repeated([key for key, _ in pairs]):
            self.findings.append(Finding(name, (), "file.duplicate_key", f"{twice!r} stands twice in one object"))
        return dict(pairs)

    def _check_yaml(self, name: str, node: Any) -> None:
        seen: set[int] = set()

        def visit(node: Any, pointer: Pointer) -> None:
            if id(node) in seen:
                self.findings.append(Finding(name, pointer, "file.alias", "this is an alias of another node"))
                return
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                for index, item in enumerate(node.value):
                    visit(item, (*pointer, str(index)))
            elif isinstance(node, yaml.MappingNode):
                for twice in _repeated([key.value for key, _ in node.value]):
                    message = f"{twice!r} stands twice in one mapping"
                    self.findings.append(Finding(name, pointer, "file.duplicate_key", message))
                for key, value in node.value:
                    visit(value, (*pointer, str(key.value)))

        visit(node, ())


def walk(node: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    """Every node of a document with its place, outermost first."""
    yield pointer, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, (*pointer, str(key)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, (*pointer, str(index)))


@cache
def _joined(file: str, address: str) -> str:
    return join(PurePosixPath(file).parent, address).as_posix()


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []


def _missing(step: str) -> Any:
    raise KeyError(step)
