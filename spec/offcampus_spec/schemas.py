"""The JSON Schemas of the standard, and validators compiled from them with every format asserted.

Validators are `jsonschema-rs` (draft 2020-12); that they give the verdicts of `jsonschema`, which is the oracle of
the standard's meaning, is proven by `tests/test_differential.py`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs

from offcampus_spec import SCHEMA_BASE
from offcampus_spec._root import data_root
from offcampus_spec.formats import FORMATS

Schema = dict[str, Any]


@cache
def names() -> tuple[str, ...]:
    """The names of all schemas, without `.json`."""
    return tuple(sorted(path.stem for path in (data_root() / "schemas").glob("*.json")))


@cache
def load(name: str) -> Schema:
    """A schema by name. Raises FileNotFoundError when the standard has none of this name."""
    schema: Schema = json.loads((data_root() / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@cache
def registry() -> jsonschema_rs.Registry:
    """Every schema by its `$id`, so that references resolve without a network."""
    return jsonschema_rs.Registry([(str(load(name)["$id"]), load(name)) for name in names()])


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """The compiled validator of a schema by name."""
    return compile_schema({"$ref": f"{SCHEMA_BASE}{name}.json"})


def compile_schema(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema that may refer to the standard's. Raises jsonschema_rs.ValidationError when it is none."""
    return _compiled(json.dumps(schema, sort_keys=True))


@cache
def _compiled(text: str) -> jsonschema_rs.Draft202012Validator:
    # By text: a contract's many operations share few schemas, and each compilation costs a tenth of a millisecond.
    return jsonschema_rs.Draft202012Validator(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **json.loads(text)},
        registry=registry(),
        formats=dict(FORMATS),
        validate_formats=True,
    )
