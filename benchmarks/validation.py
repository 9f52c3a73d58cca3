"""Validation of one consumption record: what runs on the wire, beside the oracle of the standard's meaning."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from offcampus_conformance.synthetic import Synthetic
from offcampus_server.kernel import json_door
from offcampus_spec import schemas
from offcampus_spec.formats import FORMATS
from referencing import Registry, Resource

from benchmarks.measure import Line, per_second

ORACLE_RUNS, WIRE_RUNS = 300, 20_000


def lines() -> list[Line]:
    """Records a second for jsonschema, jsonschema-rs, and the JSON door with jsonschema-rs behind it."""
    record = _record()
    raw = json.dumps(record, ensure_ascii=False).encode()
    wire, oracle = schemas.validator("consumption-record"), _oracle("consumption-record")
    if not wire.is_valid(record) or not oracle.is_valid(record):
        raise AssertionError("the record that is measured is not valid")
    slow = per_second(ORACLE_RUNS, lambda: [oracle.is_valid(record) for _ in range(ORACLE_RUNS)])
    fast = per_second(WIRE_RUNS, lambda: [wire.is_valid(record) for _ in range(WIRE_RUNS)])
    door = per_second(WIRE_RUNS, lambda: [wire.is_valid(json_door.parse(raw)) for _ in range(WIRE_RUNS)])
    name = "jsonschema alone"
    return [
        Line("validation, jsonschema-rs", fast, "records/s", name, slow),
        Line("strict JSON door + jsonschema-rs, from bytes", door, "records/s", name, slow),
    ]


def _record() -> dict[str, Any]:
    make = Synthetic("bench", date(2026, 3, 2), "110105")
    ids = {
        "institution": "ins_01hq5z8w9mabcdefghjkmnpqrs", "order": "ord_01hq5z8w9mabcdefghjkmnpqrs",
        "staff": "stf_01hq5z8w9mabcdefghjkmnpqrs", "campus": "cmp_01hq5z8w9mabcdefghjkmnpqrs",
    }  # fmt: skip
    return make.consumption(1, ids, "les_01hq5z8w9mabcdefghjkmnpqrs")


def _oracle(name: str) -> Draft202012Validator:
    resources = [(str(schemas.load(n)["$id"]), Resource.from_contents(schemas.load(n))) for n in schemas.names()]
    checker = FormatChecker(formats=())
    for format_name, holds in FORMATS.items():
        checker.checks(format_name)(holds)
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(schemas.load(name), registry=registry, format_checker=checker)
