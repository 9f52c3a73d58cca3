"""Two validators, one meaning: what the server runs (`jsonschema-rs`) judges as the oracle (`jsonschema`) does.

Every example of every schema is spoilt in ways that a sender could spoil it; on each outcome both must agree.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offcampus_spec import SCHEMA_BASE, schemas
from offcampus_spec._root import data_root
from offcampus_spec.formats import FORMATS
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

EXAMPLES = sorted((data_root() / "examples").glob("*/valid/*.json"))
INVALID = sorted((data_root() / "examples").glob("*/invalid/*.json"))
PLACEHOLDER = object()
REPLACEMENTS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.0, 1.5, 1e3, 2**53, 2**63, 2**80, -0.0, "", " ", "x", "１", "a\n", "\u0000", "𠮷",
    "2026-02-30", "2026-11-25", "2026-11-25T24:00:00+08:00", "2026-11-25T10:00:00", "2026-11-25T10:00:00Z",
    "11010519491231002X", "91350100M000100Y43", "110105", "http://x", [], {}, [None], {"x": 1}, ["a", "a"],
)  # fmt: skip


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    """`pattern` as draft 2020-12 means it (ECMA-262): `$` is the end, where Python's lets a line feed follow."""
    ecma = re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    if isinstance(value, str) and re.search(ecma, value) is None:
        yield jsonschema.ValidationError(f"does not match {pattern}")


Oracle = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


@cache
def oracle(name: str) -> Any:
    # Without `$schema`: jsonschema would leave our class for its own wherever it meets the word.
    bare = {
        each: {key: value for key, value in schemas.load(each).items() if key != "$schema"} for each in schemas.names()
    }
    held = [(f"{SCHEMA_BASE}{each}.json", Resource(schema, DRAFT202012)) for each, schema in bare.items()]
    formats = jsonschema.FormatChecker(formats=())
    for word, holds in FORMATS.items():
        formats.checks(word)(holds)
    schema = {"$ref": f"{SCHEMA_BASE}{name}.json"}
    return Oracle(schema, registry=Registry().with_resources(held), format_checker=formats)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, the document itself included."""
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*at, key))


def spoil(document: Any, at: tuple[Any, ...], change: Any) -> Any:
    """The document with something else at a place, without it, or with one member more."""
    if not at:
        return change
    spoilt = copy.deepcopy(document)
    inside = spoilt
    for key in at[:-1]:
        inside = inside[key]
    if change is PLACEHOLDER:
        del inside[at[-1]]
    else:
        inside[at[-1]] = change
    return spoilt


def agree(name: str, document: Any) -> bool:
    """The common verdict. Fails when there is none."""
    fast, slow = schemas.validator(name).is_valid(document), oracle(name).is_valid(document)
    assert fast == slow, (
        f"{name}: jsonschema-rs says {fast}, jsonschema says {slow} of {json.dumps(document, ensure_ascii=False)[:400]}"
    )
    return fast


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_place_spoilt(path: Any) -> None:
    """Each member left out, another value in its place, a stranger in each object: the same verdict."""
    spoilt_everywhere(path, lambda number: (REPLACEMENTS[number % 12], REPLACEMENTS[(7 * number + 3) % 12]))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_every_place_spoilt_in_every_way(path: Any) -> None:
    """The same with every value."""
    spoilt_everywhere(path, lambda _: REPLACEMENTS[:12])


def spoilt_everywhere(path: Any, changes: Callable[[int], Iterable[Any]]) -> None:
    """Spoil each place of an example in turn; `changes` says with what, by the place's number."""
    name, document = path.parts[-3], json.loads(path.read_text(encoding="utf-8"))
    assert agree(name, document)
    for number, at in enumerate(places(document)):
        agree(name, spoil(document, at, PLACEHOLDER) if at else {})
        here = document
        for key in at:
            here = here[key]
        if isinstance(here, dict):
            agree(name, spoil(document, (*at, "no_such_member"), 1))
        for change in changes(number):
            agree(name, spoil(document, at, change))


def test_a_line_feed_behind_is_refused() -> None:
    """The one place where plain `jsonschema` is laxer than the draft; python-jsonschema/jsonschema#607."""
    path = data_root() / "examples/campus/valid/typical.json"
    document = json.loads(path.read_text(encoding="utf-8")) | {"external_id": "a\n"}
    assert not agree("campus", document)


def test_every_pattern_is_read_alike() -> None:
    """Patterns are anchored on both sides, so that rewriting the last `$` is all that the oracle needs."""
    for name in schemas.names():
        for at in places(schemas.load(name)):
            here: Any = schemas.load(name)
            for key in at:
                here = here[key]
            if at and at[-1] == "pattern" and isinstance(here, str):
                assert here.startswith("^"), (name, here)
                assert here.endswith("$"), (name, here)


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_random_spoilings(data: st.DataObject) -> None:
    """One to three changes anywhere in any example."""
    path = data.draw(st.sampled_from(EXAMPLES), label="example")
    document = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        at = data.draw(st.sampled_from(list(places(document))), label="place")
        change = data.draw(st.sampled_from((PLACEHOLDER, *REPLACEMENTS) if at else REPLACEMENTS), label="change")
        document = spoil(document, at, change)
    agree(path.parts[-3], document)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_invalid_examples_are_refused_where_they_say(path: Any) -> None:
    """Each names the one place that is wrong, by JSON Pointer; both validators refuse it, there."""
    name, example = path.parts[-3], json.loads(path.read_text(encoding="utf-8"))
    assert not agree(name, example["document"])
    wrong = {
        "".join(f"/{part}" for part in error.absolute_path) for error in oracle(name).iter_errors(example["document"])
    }
    assert wrong == {example["pointer"]}


def test_every_schema_is_shown_broken() -> None:
    """At least one invalid example each, two for what we receive."""
    counts = {path.parts[-3]: 0 for path in EXAMPLES}
    for path in INVALID:
        counts[path.parts[-3]] += 1
    wanted = {name: 2 if f"{name}-resource" in schemas.names() else 1 for name in counts}
    assert {name for name, count in counts.items() if count < wanted[name]} == set()
