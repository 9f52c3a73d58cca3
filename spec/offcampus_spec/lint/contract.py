"""Paths, parameters and operations: what each must say about itself, and that it does not contradict itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from offcampus_spec.lint.finding import Finding, Pointer
from offcampus_spec.lint.sources import Sources

Json = dict[str, Any]
EXTENSIONS = {
    "x-level": ("MUST", "SHOULD", "MAY"),
    "x-audience": ("institution-connect", "bank", "public", "parent", "management", "receiver", "driver"),
    "x-governs": ("institution", "region", "bank", "party", "public"),
    "x-signed": (True, False),
    "x-idempotency": ("key", "none"),
    "x-concurrency": ("if-match", "none"),
    "x-batch": (True, False),
}
WITH_BODY = frozenset({"post", "put", "patch"})
_ID = re.compile(r"[a-z]+([A-Z][a-z]+)+")
_PATH = re.compile(r"/(v1|\.well-known)(/([a-z][a-z0-9.-]*|\{[a-z][a-z_]*\}))+")
_VARIABLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Place:
    """An operation of a document or a webhook, as it is written."""

    file: str
    pointer: Pointer
    path: str
    method: str
    node: Json

    @property
    def webhook(self) -> bool:
        """It is the receiver that answers."""
        return self.pointer[0] == "webhooks"

    @property
    def secured(self) -> bool:
        """Only known parties call it."""
        return bool(self.node.get("security"))

    def flag(self, name: str) -> Any:
        """The value of an `x-` member."""
        return self.node.get(f"x-{name}")

    def fault(self, rule: str, message: str, *steps: str) -> Finding:
        """A finding at this operation."""
        return Finding(self.file, (*self.pointer, *steps), rule, f"{self.node.get('operationId')}: {message}")


def operations(sources: Sources) -> Iterator[Place]:
    """Every operation and every webhook."""
    for file, document in sources.documents().items():
        for section in ("paths", "webhooks"):
            for path, item in document.get(section, {}).items():
                for method, node in item.items():
                    if isinstance(node, dict):
                        yield Place(file, (section, path, method), path, method, node)


def parameters(sources: Sources, place: Place) -> list[Json]:
    """The parameters of an operation with references followed; dangling ones are left to their own rule."""
    found = []
    for index in range(len(place.node.get("parameters", []))):
        try:
            found.append(sources.follow(place.file, (*place.pointer, "parameters", str(index)))[2])
        except KeyError:
            continue
    return found


def check(sources: Sources) -> Iterator[Finding]:
    """Every path and every operation."""
    yield from _paths(sources)
    yield from _repeated_ids(sources)
    requirements = _requirement_ids(sources)
    scopes = {row["code"] for row in sources.tables.get("scopes", [])}
    for place in operations(sources):
        yield from _about(place, requirements)
        yield from _security(sources, place, scopes)
        yield from _parameters(sources, place)
        yield from _body(place)
    yield from _tags(sources)


def _paths(sources: Sources) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for file, document in sources.documents().items():
        # Two audiences may share a path, not two spellings of one: /a/{b} beside /a/{c}.
        for path in document.get("paths", {}):
            if _PATH.fullmatch(path) is None:
                yield Finding(file, ("paths", path), "path.characters", f"{path} is not of the house's form")
            shape = _VARIABLE.sub("{}", path)
            if seen.setdefault(shape, path) != path:
                yield Finding(file, ("paths", path), "path.ambiguous", f"{path} and {seen[shape]} match the same paths")


def _repeated_ids(sources: Sources) -> Iterator[Finding]:
    counts = Counter(place.node.get("operationId") for place in operations(sources))
    methods = Counter((place.path, place.method) for place in operations(sources))
    for place in operations(sources):
        name = place.node.get("operationId")
        if name is not None and counts[name] > 1:
            yield place.fault("operation.id", "another operation has this id", "operationId")
        if methods[place.path, place.method] > 1:
            yield place.fault("operation.id", f"{place.method.upper()} {place.path} stands in two documents")


def _requirement_ids(sources: Sources) -> set[str]:
    chapters = (node for file, node in sources.files.items() if file.startswith("requirements/"))
    return {entry["id"] for chapter in chapters for entry in chapter["requirements"]}


def _about(place: Place, requirements: set[str]) -> Iterator[Finding]:
    if _ID.fullmatch(str(place.node.get("operationId"))) is None:
        yield place.fault("operation.id", "not a verbNoun in camelCase", "operationId")
    for name, allowed in EXTENSIONS.items():
        if name not in place.node:
            yield place.fault("operation.extension", f"{name} is missing")
        elif place.node[name] not in allowed:
            yield place.fault("operation.extension", f"{name} is {place.node[name]!r}; allowed: {allowed}", name)
    cited = place.node.get("x-requirements")
    if not cited:
        yield place.fault("operation.requirement", "it serves no requirement", "x-requirements")
    for id in cited or []:
        if id not in requirements:
            yield place.fault("operation.requirement", f"there is no requirement {id}", "x-requirements")


def _security(sources: Sources, place: Place, scopes: set[str]) -> Iterator[Finding]:
    declared = sources.files[place.file].get("components", {}).get("securitySchemes", {})
    schemes: Json = {name: value for entry in place.node.get("security", []) for name, value in entry.items()}
    for name in schemes:
        if name not in declared:
            yield place.fault("operation.security", f"the document declares no scheme {name!r}", "security")
    if place.webhook:
        return
    if ("httpSignature" in schemes) != bool(place.flag("signed")):
        yield place.fault("operation.security", "x-signed and httpSignature disagree", "security")
    if (place.flag("governs") == "public") == bool(schemes):
        yield place.fault("operation.security", "what is public has no security, all else has", "security")
    asked = schemes.get("oauth2", [])
    if schemes and (len(asked) != 1 or not set(asked) <= scopes):
        yield place.fault("operation.scope", f"the scopes asked are {asked}", "security")


def _parameters(sources: Sources, place: Place) -> Iterator[Finding]:
    found = parameters(sources, place)
    variables = set(_VARIABLE.findall(place.path)) if not place.webhook else set()
    in_path = {item.get("name"): item for item in found if item.get("in") == "path"}
    if variables != in_path.keys():
        message = f"the template has {sorted(variables)}, the parameters {sorted(map(str, in_path))}"
        yield place.fault("path.parameter", message, "parameters")
    for name, item in in_path.items():
        if item.get("required") is not True:
            yield place.fault("path.parameter", f"{name} must be required", "parameters")
    for (name, where), count in Counter((item.get("name"), item.get("in")) for item in found).items():
        if count > 1:
            yield place.fault("parameter.repeated", f"{name} in {where} is declared {count} times", "parameters")
    for item in found:
        if "style" in item or "explode" in item or item.get("schema", {}).get("type") in ("object", "array"):
            yield place.fault("parameter.style", f"{item.get('name')} is not one plain value", "parameters")


def _body(place: Place) -> Iterator[Finding]:
    body = place.node.get("requestBody")
    if (body is not None) != (place.method in WITH_BODY):
        yield place.fault("operation.body", f"{place.method.upper()} with a body, or without one that it needs")
    if body is not None and (body.get("required") is not True or len(body.get("content", {})) != 1):
        yield place.fault("operation.body", "the body is not required, or has not one media type", "requestBody")


def _tags(sources: Sources) -> Iterator[Finding]:
    for file, document in sources.documents().items():
        declared = [tag.get("name") for tag in document.get("tags", [])]
        here = [place for place in operations(sources) if place.file == file]
        for place in here:
            if len(place.node.get("tags", [])) != 1 or place.node["tags"][0] not in declared:
                yield place.fault("operation.tag", f"tags are {place.node.get('tags')}; one of {declared}", "tags")
        used = {tag for place in here for tag in place.node.get("tags", [])}
        for index, name in enumerate(declared):
            if name not in used or declared.count(name) > 1:
                yield Finding(file, ("tags", str(index)), "operation.tag", f"{name} is not used, or declared twice")
