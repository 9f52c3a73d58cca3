"""Every constraint of every request schema: broken one at a time, refused at its place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from offcampus_spec.operations import Operation

from offcampus_conformance.families.family import Family, Probe
from offcampus_conformance.families.request import FORM, Request
from offcampus_conformance.families.violations import patch_between, violations

CODES = ("schema.invalid", "identifier.check_digit")


def _probes(operation: Operation, request: Request) -> Iterator[Probe]:
    if operation.request_media_type == FORM:
        return
    if operation.batch:
        yield from _of_batch(operation, request)
    elif operation.patch:
        yield from _of_patch(operation, request)
    else:
        for found in violations(str(operation.request_schema), request.body):
            body = found.document
            yield Probe(
                found.name, ("body",), partial(Request.but, body=body), CODES, found.pointer, broken=(found.name,)
            )


def _of_patch(operation: Operation, request: Request) -> Iterator[Probe]:
    """A patch is judged by the document that it leads to."""
    before = request.leads_from
    if before is None:
        return
    yield Probe("type:/", ("body",), partial(Request.but, body=[]), CODES, broken=("type:/",))
    for found in violations(str(operation.request_schema), before):
        if found.pointer == "/" or not isinstance(found.document, dict):
            continue
        patch = patch_between(before, found.document)
        yield Probe(found.name, ("body",), partial(Request.but, body=patch), CODES, found.pointer, broken=(found.name,))


def _of_batch(operation: Operation, request: Request) -> Iterator[Probe]:
    """All of them in one request: each item is judged by itself."""
    item: dict[str, Any] = request.body["items"][0]
    found = [entry for entry in violations(str(operation.item_schema), item) if isinstance(entry.document, dict)]
    items = [_with_own_reference(entry.document, number) for number, entry in enumerate(found, 1)]
    yield Probe(
        "items",
        ("body", "key"),
        lambda sent: sent.but(body={"items": items}, key=f"{sent.key}-s"),
        ("schema.invalid", "identifier.check_digit"),
        items=tuple(entry.pointer for entry in found),
        broken=tuple(entry.name for entry in found),
    )
    yield Probe("minItems:/items", ("body",), lambda sent: sent.but(body={"items": []}), CODES, "/items")
    yield Probe("required:/items", ("body",), lambda sent: sent.but(body={}), CODES, "/items")
    more = {**request.body, "zz": 1}
    yield Probe("unevaluatedProperties:/zz", ("body",), lambda sent: sent.but(body=more), CODES, "/zz")
    many = [{**item, "external_id": f"{item['external_id']}-m{number}"} for number in range(1001)]
    yield Probe("maxItems:/items", ("body",), lambda sent: sent.but(body={"items": many}), CODES, "/items")


def _with_own_reference(document: dict[str, Any], number: int) -> dict[str, Any]:
    given = document.get("external_id")
    fresh = isinstance(given, str) and 1 <= len(given) <= 56
    return {**document, "external_id": f"{given}-s{number}"} if fresh else document


SCHEMA = Family(
    "SCHEMA",
    "Each constraint of the request's schema is asserted, and what breaks it is pointed at.",
    "请求模式的每项约束均被校验并指明位置",
    sends="the accepted body with one constraint of its schema broken, for every constraint",
    remedy_en="Validate the body of {method} {path} against {schema}, formats included, and close every object; answer 422 "
    "with a violation whose pointer is the place that is wrong.",
    remedy_zh="按 {schema} 校验 {method} {path} 的请求体（含 format），拒绝未知成员；返回422，violation 的 pointer 指向出错位置。",
    applies=lambda operation: operation.request_schema is not None and operation.request_media_type != FORM,
    probes=_probes,
    promises=lambda operation: ("schema.invalid",),
)
