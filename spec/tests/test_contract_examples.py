"""The examples that the contracts show, judged by the oracle: `jsonschema`, draft 2020-12, formats asserted.

The lint judges them with `jsonschema-rs`; here the other validator must say the same, and each example must be
strict enough to be of use: spoilt a little, it no longer passes.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from offcampus_spec import SCHEMA_BASE, schemas
from offcampus_spec.formats import FORMATS
from offcampus_spec.operations import DOCUMENTS, Json, load_document, operations
from offcampus_spec.problems import problems
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Example = tuple[str, Json, Any]


@cache
def registry() -> Registry[Any]:
    held = [(f"{SCHEMA_BASE}{name}.json", Resource(schemas.load(name), DRAFT202012)) for name in schemas.names()]
    return Registry().with_resources(held)


@cache
def checker() -> jsonschema.FormatChecker:
    formats = jsonschema.FormatChecker(formats=())
    for name, holds in FORMATS.items():
        formats.checks(name)(holds)
    return formats


def faults(schema: Json, value: Any) -> list[str]:
    """What the oracle says against a value."""
    oracle = jsonschema.Draft202012Validator(schema, registry=registry(), format_checker=checker())
    return [f"{error.json_path}: {error.message}" for error in oracle.iter_errors(value)]


def examples() -> Iterator[Example]:
    """Every example of a body or an answer, with its schema, once: (where, schema, value)."""
    seen = set()
    for document in DOCUMENTS:
        bundle = load_document(document)
        for where, media in _media(bundle, (document,)):
            for name, example in media.get("examples", {}).items():
                value = _resolved(bundle, example)["value"]
                schema = _by_id(media["schema"])
                key = json.dumps([schema, value], sort_keys=True)
                if key not in seen:
                    seen.add(key)
                    yield f"{where}/{name}", schema, value


def _media(node: Any, steps: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "content" and isinstance(value, dict):
                yield from (("/".join((*steps, key, name)), media) for name, media in value.items())
            elif key not in ("schemas", "examples"):
                yield from _media(value, (*steps, key))


def _resolved(bundle: Json, node: Json) -> Json:
    while "$ref" in node:
        target: Any = bundle
        for step in node["$ref"].split("/")[1:]:
            target = target[step]
        node = target
    return node


def _by_id(node: Any) -> Any:
    if isinstance(node, list):
        return [_by_id(item) for item in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _by_id(value) for key, value in node.items()}
    if isinstance(moved.get("$ref"), str):
        name, _, fragment = moved["$ref"].removeprefix("#/components/schemas/").partition("/")
        moved["$ref"] = f"{SCHEMA_BASE}{name}.json" + (f"#/{fragment}" if fragment else "")
    return moved


ALL = list(examples())
OF_BODIES = [case for case in ALL if "/requestBody/" in case[0]]
# A patch is judged by what it leads to; an event is sent by the platform, so that it stays open.
CLOSED_BODIES = [case for case in OF_BODIES if "x-patch-of" not in case[1] and "/webhooks/" not in case[0]]


@pytest.mark.parametrize(("where", "schema", "value"), ALL, ids=[case[0] for case in ALL])
def test_an_example_passes_the_oracle(where: str, schema: Json, value: Any) -> None:
    assert faults(schema, value) == []


@pytest.mark.parametrize(("where", "schema", "value"), CLOSED_BODIES, ids=[case[0] for case in CLOSED_BODIES])
def test_a_body_with_a_member_more_is_refused(where: str, schema: Json, value: Any) -> None:
    """What parties send is closed: a misspelt member never passes silently."""
    assert faults(schema, {**value, "an_unknown_member": 1}) != []


@pytest.mark.parametrize(("where", "schema", "value"), OF_BODIES, ids=[case[0] for case in OF_BODIES])
def test_a_body_without_a_required_member_is_refused(where: str, schema: Json, value: Any) -> None:
    """Every member that the schema calls required is really missed."""
    for name in _required(schema):
        less = copy.deepcopy(value)
        del less[name]
        assert faults(schema, less) != [], name


def test_a_receiver_of_answers_must_ignore_unknown_members() -> None:
    """The platform may add members within a version: every answer with one more still passes."""
    refusing = [
        where
        for where, schema, value in ALL
        if "/requestBody/" not in where and isinstance(value, dict) and faults(schema, {**value, "a_new_member": 1})
    ]
    assert refusing == []


def test_problem_examples_say_what_the_catalogue_says() -> None:
    """A vendor may program against the examples: code, status, title, remedy and retry are the catalogue's."""
    shown = {value["code"]: value for _, schema, value in ALL if schema == {"$ref": f"{SCHEMA_BASE}problem.json"}}
    for code, value in shown.items():
        kind = problems()[code]
        assert (value["status"], value["title"], value["remedy"]) == (kind.status, kind.title_en, kind.remedy_en)
        assert value["retry"]["safe"] is kind.retry_safe
        assert value["type"] == f"https://spec.offcampus.example/v1/problems/{code}"


def test_every_code_that_can_be_answered_is_shown_or_is_an_items() -> None:
    """No code of the catalogue comes as a surprise, and none is only on paper."""
    shown = {code for operation in operations().values() for code in operation.problems}
    items = {code for operation in operations().values() for code in operation.item_problems}
    answers = {code for code, kind in problems().items() if kind.place == "answer"}
    assert answers - shown - items == {"method.not_allowed"}
    assert (shown | items) <= answers


def test_remedies_are_sentences_in_both_languages() -> None:
    """Whoever reads a problem knows what to do next, without asking us."""
    for kind in problems().values():
        assert kind.remedy_en.endswith("."), kind.code
        assert len(kind.remedy_en.split()) >= 3, kind.code
        assert kind.remedy_zh.endswith("。"), kind.code
        assert kind.title_en != kind.remedy_en


def test_no_example_holds_a_float() -> None:
    """Money and hours are integers; an example with a point would teach the opposite."""
    assert [where for where, _, value in ALL if any(isinstance(leaf, float) for leaf in _leaves(value))] == []


def _required(schema: Json) -> list[str]:
    if "$ref" not in schema:
        return []
    node = schemas.load(schema["$ref"].rpartition("/")[2].removesuffix(".json"))
    if node.get("$ref") == "#/$defs/fields":
        node = node["$defs"]["fields"]
    return list(node.get("required", []))


def _leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    else:
        yield node
