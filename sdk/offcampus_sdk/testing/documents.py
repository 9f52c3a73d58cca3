"""What the fake platform answers with: the standard's own example of a resource, with what was sent laid over it.

So an answer has every member that the contract promises, without a line of code per kind of resource. Members that a
resource does not show (a pupil's name) are not taken over: the fake hides what a platform hides.
"""

from __future__ import annotations

import copy
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from offcampus_spec import schemas
from offcampus_spec._root import data_root
from offcampus_spec.operations import Operation, operations

Document = dict[str, Any]
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
MONEY = (
    "paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen",
)  # fmt: skip


def new_id(prefix: str) -> str:
    """An identifier of the standard's form."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(26))


@cache
def example(schema: str) -> Document:
    """The standard's typical example of a schema. Raises FileNotFoundError when it has none."""
    folder = data_root() / "examples" / schema / "valid"
    found: Document = json.loads((folder / "typical.json").read_text(encoding="utf-8"))
    return found


@cache
def resource_schema(collection: str) -> str | None:
    """The schema of a resource of this collection (`orders` -> `order-resource`), by the contract's `get` or list."""
    for operation in operations().values():
        if operation.method == "GET" and operation.path in (f"/v1/{collection}", *_one_of(collection)):
            return answer_schema(operation)
    return None


@cache
def first_state(schema: str) -> str | None:
    """The state that a new resource is in: the first of its code list."""
    state = schemas.load(schema).get("properties", {}).get("state", {})
    return str(state["enum"][0]) if "enum" in state else None


def answer_schema(operation: Operation) -> str | None:
    """The schema of an operation's answer by name; of a list, that of its items."""
    for status, schema in operation.responses.items():
        for part in [schema, *schema.get("allOf", [])] if status.startswith("2") and schema is not None else []:
            node = part.get("properties", {}).get("items", {}).get("items", part)
            if "$ref" in node and not node["$ref"].endswith("/page.json"):
                return PurePosixPath(str(node["$ref"])).stem
    return None


def dressed(collection: str, sent: Mapping[str, Any], now: str) -> Document:
    """A new resource of a collection: every promised member, what was sent, a fresh id, version 1."""
    schema = resource_schema(collection)
    if schema is None:
        raise ValueError(f"the contract has no resource /v1/{collection}")
    made: Document = _overlaid(_Node(schemas.load(schema), schema), copy.deepcopy(example(schema)), sent)
    made |= {"id": new_id(made["id"].split("_")[0]), "version": 1, "created_at": now, "updated_at": now}
    if (state := first_state(schema)) is not None:
        made["state"] = state
    if collection == "orders":
        hours = made["class_hours_centi"] + made["gift_hours_centi"]
        made |= {**dict.fromkeys(MONEY, 0), "consumed_class_hours_centi": 0, "unconsumed_class_hours_centi": hours}
    return made


def _one_of(collection: str) -> list[str]:
    return [item.path for item in operations().values() if re.fullmatch(rf"/v1/{collection}/{{\w+}}", item.path)]


@dataclass(frozen=True)
class _Node:
    """A place in a schema, with the file that its references start from."""

    schema: Mapping[str, Any]
    file: str

    def parts(self) -> Iterator[_Node]:
        """The schema itself and those that it is put together from."""
        if "$ref" in self.schema:
            address, _, fragment = str(self.schema["$ref"]).partition("#/")
            file = PurePosixPath(address).stem or self.file
            node: Any = schemas.load(file)
            for step in fragment.split("/") if fragment else ():
                node = node[step]
            yield from _Node(node, file).parts()
        for part in self.schema.get("allOf", []):
            yield from _Node(part, self.file).parts()
        yield self

    def properties(self) -> dict[str, _Node]:
        """The members that the schema names."""
        return {
            name: _Node(inner, part.file)
            for part in self.parts()
            for name, inner in part.schema.get("properties", {}).items()
        }

    def items(self) -> _Node | None:
        """The schema of a list's items."""
        return next((_Node(part.schema["items"], part.file) for part in self.parts() if "items" in part.schema), None)


def _overlaid(node: _Node, shown: Any, sent: Any) -> Any:
    """What was sent, as far as the schema shows it, over what an answer has."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        properties = node.properties()
        taken = {
            name: _overlaid(properties[name], shown[name], value) if name in shown else value
            for name, value in sent.items()
            if name in properties
        }
        return {**shown, **taken} if properties else sent
    items = node.items()
    if isinstance(sent, list) and isinstance(shown, list) and shown and items is not None:
        return [_overlaid(items, copy.deepcopy(shown[0]), entry) for entry in sent]
    return sent
