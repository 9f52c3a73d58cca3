"""Province extensions: only registered namespaces, each validated by the schema that the province's plugin gives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from offcampus_spec import schemas

from offcampus_server.kernel import violations
from offcampus_server.kernel.problems import Problem, violation

if TYPE_CHECKING:
    from offcampus_server.kernel.unit_of_work import Work


def check(work: Work, document: Mapping[str, Any]) -> None:
    """Check `extensions` of a document. Raises `extension.unknown`, or `schema.invalid` with places inside."""
    given: Mapping[str, Any] = document.get("extensions") or {}
    registered: Mapping[str, Any] = work.rules.extension_schemas
    for namespace, content in given.items():
        if namespace not in registered:
            allowed = sorted(registered)
            entry = violation("extension.unknown", f"/extensions/{namespace}", given=namespace, allowed=allowed)
            raise Problem("extension.unknown", f"{namespace} is not registered", [entry])
        validator = _compiled(orjson.dumps(registered[namespace]))
        violations.check(validator, content, f"/extensions/{namespace}")


def published(work: Work, document: Mapping[str, Any]) -> dict[str, Any]:
    """`disclosures`: what stands in fields that a province publishes; nothing where there is none."""
    given: Mapping[str, Any] = document.get("extensions") or {}
    fields = [field for field in work.rules.extension_fields if field.published] if given else []
    shown: dict[str, dict[str, Any]] = {}
    for field in fields:
        if field.name in given.get(field.namespace, {}):
            shown.setdefault(field.namespace, {})[field.name] = given[field.namespace][field.name]
    return {"disclosures": shown} if shown else {}


@lru_cache(maxsize=200)
def _compiled(schema: bytes) -> Any:
    return schemas.compile_schema(orjson.loads(schema))
