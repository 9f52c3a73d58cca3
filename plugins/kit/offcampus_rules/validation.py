"""The shapes of a plugin's files, from the standard's schema `rule-parameters`, with file and line."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import jsonschema_rs
from offcampus_spec import SCHEMA_BASE
from offcampus_spec.schemas import compile_schema

from offcampus_rules.errors import FileProblem

if TYPE_CHECKING:
    from offcampus_rules.yaml12 import Document

Shape = Literal["manifest", "rules", "messages", "cases"]


def valid_parameter_file(document: Document) -> tuple[FileProblem, ...]:
    return _problems(document, _validator(""))


def valid_shape(document: Document, shape: Shape) -> tuple[FileProblem, ...]:
    return _problems(document, _validator(f"#/$defs/{shape}"))


@cache
def _validator(fragment: str) -> jsonschema_rs.Draft202012Validator:
    return compile_schema({"$ref": f"{SCHEMA_BASE}rule-parameters.json{fragment}"})


def _problems(document: Document, validator: jsonschema_rs.Draft202012Validator) -> tuple[FileProblem, ...]:
    found = [
        document.problem(
            tuple(error.instance_path),
            "R-SCHEMA",
            f"{_where(error)}: {error.message}",
            f"{_where(error)} 不符合结构要求（{_keyword(error)}）",
        )
        for error in validator.iter_errors(document.content)
    ]
    return tuple(sorted(found, key=lambda problem: (problem.position, problem.message_en)))


def _where(error: jsonschema_rs.ValidationError) -> str:
    return "/".join(str(step) for step in error.instance_path) or "the file"


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    return str(error.schema_path[-1]) if error.schema_path else "schema"
