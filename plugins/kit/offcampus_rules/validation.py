"""The shapes of a plugin's files, from the standard's schema `rule-parameters`, with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind
from offcampus_spec import SCHEMA_BASE
from offcampus_spec.schemas import compile_schema, load

from offcampus_rules.errors import FileProblem
from offcampus_rules.nearest import known_or_near

if TYPE_CHECKING:
    from offcampus_rules.yaml12 import Document

_CITED = frozenset({"source", "confidence"})
Shape = Literal["manifest", "rules", "messages", "cases", "lock", "exceptions"]


def valid_parameter_file(document: Document) -> tuple[FileProblem, ...]:
    return _problems(document, _validator(""))


def valid_shape(document: Document, shape: Shape) -> tuple[FileProblem, ...]:
    return _problems(document, _validator(f"#/$defs/{shape}"))


@cache
def _validator(fragment: str) -> jsonschema_rs.Draft202012Validator:
    return compile_schema({"$ref": f"{SCHEMA_BASE}rule-parameters.json{fragment}"})


def _problems(document: Document, validator: jsonschema_rs.Draft202012Validator) -> tuple[FileProblem, ...]:
    found = [problem for error in validator.iter_errors(document.content) for problem in _of(document, error)]
    return tuple(sorted(found, key=lambda problem: (problem.position, problem.message_en)))


def _of(document: Document, error: jsonschema_rs.ValidationError) -> Iterable[FileProblem]:
    """One problem per fault: at the key that is wrong, with the nearest name that would be right."""
    path, kind = tuple(error.instance_path), error.kind
    where = "/".join(str(step) for step in path) or "the file"
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            en, zh = known_or_near(name, _beside(error.schema_path))
            yield document.problem(
                (*path, name), "R-SCHEMA", f"{where}: {name} is not known here; {en}", f"{where}：此处没有 {name}；{zh}"
            )
    elif isinstance(kind, ValidationErrorKind.Required):
        code = "R-SOURCE" if kind.property in _CITED else "R-SCHEMA"
        yield document.problem(path, code, f"{where}: {kind.property} is missing", f"{where} 缺少 {kind.property}")
    elif isinstance(kind, ValidationErrorKind.Enum):
        en, zh = known_or_near(str(error.instance), map(str, kind.options))
        given = f"{error.instance!r}"
        yield document.problem(
            path, "R-SCHEMA", f"{where}: {given} is not allowed; {en}", f"{where}：{given} 不允许；{zh}"
        )
    else:
        rule = str(error.schema_path[-1]) if error.schema_path else "schema"
        yield document.problem(path, "R-SCHEMA", f"{where}: {error.message}", f"{where} 不符合结构要求（{rule}）")


def _beside(schema_path: Iterable[str | int]) -> Iterable[str]:
    """The members that the object of a refused member may have."""
    schema: Any = load("rule-parameters")
    for step in list(schema_path)[:-1]:
        schema = schema[step]
    return tuple(schema.get("properties", ()))
