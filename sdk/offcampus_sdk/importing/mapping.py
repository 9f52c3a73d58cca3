"""Mapping files: which column of an export becomes which member of a record. YAML, read strictly.

    title: 某系统消课明细
    operation: reportConsumption
    header: [学员, 课程, 上课日期]      # the first row that has all of these is the header
    fill_down: [班级]                  # an empty cell means: as above
    skip:
      - {column: 学员, matches: '^(合计|小计|总计)'}
    members:
      external_id: {template: '{订单号}-{上课日期}-{学员编号}'}
      institution_id: {context: institution_id}
      order_id: {column: 订单号, lookup: orders}
      class_hours_centi: {column: [消耗课时, 课时], kind: class_hours_centi}
      occurred_from: {column: 上课时间, kind: span_from, date: 上课日期}
      type: {constant: lesson}

A member's name may be a path (`place.room`, `price_lines.0.amount_fen`). Raises MappingError with the place.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from offcampus_spec import schemas
from offcampus_spec.operations import operations

Kind = Literal[
    "text",
    "fen",
    "class_hours_centi",
    "minutes",
    "integer",
    "date",
    "moment",
    "span_from",
    "span_until",
    "yes",
    "choice",
]
SHIPPED = Path(__file__).with_name("mappings")


class MappingError(Exception):
    """A mapping file cannot be used; the message says where and what is allowed."""


class Member(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where one member comes from: exactly one of column, constant, template, context."""

    column: str | list[str] | None = None
    """The header of the column; several, when products or versions of one differ."""
    constant: Any = None
    template: str | None = None
    """Text with `{column}` in it."""
    context: str | None = None
    """A value given for the whole file, on the command line `--set name=value`."""
    kind: Kind = "text"
    date: str | None = None
    """For a moment or a span: the column of the day; without it the day stands in the same cell."""
    options: dict[str, str] | None = None
    """For a choice: the product's word -> the standard's code."""
    lookup: str | None = None
    """The cell has our own reference; the platform's identifier is looked up in this collection (`orders`)."""
    optional: bool = False
    """An empty cell leaves the member out."""

    @property
    def columns(self) -> list[str]:
        """The possible headers."""
        return [self.column] if isinstance(self.column, str) else list(self.column or [])


class Skip(msgspec.Struct, forbid_unknown_fields=True):
    """Rows that are no records: where the cell matches."""

    column: str
    matches: str


class Mapping(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One layout of export."""

    title: str
    operation: str
    header: list[str]
    members: dict[str, Member]
    sheet: str | None = None
    fill_down: list[str] = msgspec.field(default_factory=list)
    skip: list[Skip] = msgspec.field(default_factory=list)

    @property
    def schema(self) -> str:
        """The schema of the records."""
        operation = operations()[self.operation]
        return str(operation.item_schema or operation.request_schema)

    @property
    def contexts(self) -> list[str]:
        """The values that must be given for the whole file."""
        return sorted({member.context for member in self.members.values() if member.context is not None})


def shipped() -> list[str]:
    """The names of the mappings that come with the SDK."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load(source: Path | str) -> Mapping:
    """A mapping file, or one that comes with the SDK by its name. Raises MappingError."""
    path = SHIPPED / f"{source}.yaml" if isinstance(source, str) and source in shipped() else Path(source)
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=Mapping)
    except OSError:
        known = ", ".join(shipped())
        raise MappingError(f"{source} is no mapping file; those that come along: {known}") from None
    except msgspec.MsgspecError as error:
        raise MappingError(f"{path.name}: {error}") from None
    _check(found, path.name)
    return found


def _check(mapping: Mapping, name: str) -> None:
    operation = operations().get(mapping.operation)
    if operation is None or operation.idempotency != "key" or "{" in operation.path:
        keyed = (item for item in operations().values() if item.idempotency == "key" and "{" not in item.path)
        possible = ", ".join(sorted(item.operation_id for item in keyed))
        raise MappingError(f"{name}: operation {mapping.operation!r} reports no records; allowed: {possible}")
    if not mapping.header:
        raise MappingError(f"{name}: header names no column: say by which columns the header row is found")
    for path, member in mapping.members.items():
        sources = [member.column, member.constant, member.template, member.context]
        if sum(source is not None for source in sources) != 1:
            raise MappingError(f"{name}: members.{path} needs exactly one of column, constant, template, context")
        if (member.kind == "choice") != (member.options is not None):
            raise MappingError(f"{name}: members.{path}: kind choice and options belong together")
        if path.split(".")[0] not in _members(mapping.schema):
            known = ", ".join(sorted(_members(mapping.schema)))
            raise MappingError(f"{name}: members.{path}: a {mapping.schema} has no such member; it has {known}")
    for skip in mapping.skip:
        try:
            re.compile(skip.matches)
        except re.error as error:
            raise MappingError(f"{name}: skip {skip.column}: {error}") from None


def _members(schema: str) -> set[str]:
    loaded = schemas.load(schema)
    fields = loaded.get("$defs", {}).get("fields", {}) if loaded.get("$ref") == "#/$defs/fields" else {}
    return set(loaded.get("properties", {})) | set(fields.get("properties", {}))
