"""References: each leads somewhere (openapi-spec-validator does not look into request bodies), and nothing shared is
unused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offcampus_spec.lint.finding import Finding, Pointer
from offcampus_spec.lint.sources import STANDALONE, Sources, walk

Place = tuple[str, Pointer]


def check(sources: Sources) -> Iterator[Finding]:
    """Dangling references, then unused components, schemas and examples."""
    edges: dict[Place, set[Place]] = {}
    for file, document in sources.files.items():
        for pointer, reference in _references(file, document):
            target = sources.target(file, reference)
            edges.setdefault(_unit(file, pointer), set()).add(_unit(*target))
            try:
                sources.find(*target)
            except KeyError:
                yield Finding(file, pointer, "ref.dangling", f"{reference} leads nowhere")
    yield from _unused(sources, edges)


def _references(file: str, document: Any) -> Iterator[tuple[Pointer, str]]:
    if not file.startswith(("openapi/", "schemas/")) or file.startswith("openapi/examples/"):
        return
    for pointer, node in walk(document):
        if not isinstance(node, dict) or _is_data(pointer):
            continue
        for keyword in ("$ref", "externalValue", "x-item-schema"):
            if isinstance(node.get(keyword), str):
                yield (*pointer, keyword), node[keyword]


def _is_data(pointer: Pointer) -> bool:
    """Inside the value of an example everything is data, whatever it looks like."""
    return any(step in ("value", "default", "const", "enum") for step in pointer)


def _unit(file: str, pointer: Pointer) -> Place:
    """What counts as one thing for being used: a component by name, otherwise the whole file."""
    return (file, pointer[:1]) if file.startswith("openapi/components/") else (file, ())


def _unused(sources: Sources, edges: dict[Place, set[Place]]) -> Iterator[Finding]:
    reached: set[Place] = {(file, ()) for file in sources.documents()}
    todo = list(reached)
    while todo:
        for target in edges.get(todo.pop(), ()):
            if target not in reached:
                reached.add(target)
                todo.append(target)
    shared = [(file, (name,)) for file, named in sources.components().items() for name in named]
    whole = [(file, ()) for file in sources.files if file.rpartition("/")[0] in ("schemas", "openapi/examples")]
    for file, pointer in [*shared, *whole]:
        if (file, pointer) not in reached and file not in STANDALONE:
            yield Finding(file, pointer, "component.unused", "nothing refers to it")
