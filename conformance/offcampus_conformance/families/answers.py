"""What comes back: lawful answers of the contract's shape, problems of the catalogue. Judged over the whole run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from offcampus_spec import schemas
from offcampus_spec.operations import PROBLEM_TYPE, Operation, operations
from offcampus_spec.problems import problems

from offcampus_conformance import expect
from offcampus_conformance.families.family import Family
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, StepMissing, View

HIDDEN = ("▒", "[hidden]")
ANYWHERE = frozenset({"resource.not_found", "method.not_allowed"})


def broken(schema: str | None, body: Any) -> Iterator[tuple[str, str]]:
    """Where and how a body breaks a schema; what the record hides is not held against it."""
    if schema is None:
        return
    for error in _validator(schema).iter_errors(body):
        hidden = isinstance(error.instance, str) and error.instance.startswith(HIDDEN)
        if not hidden:
            yield "".join(f"/{step}" for step in error.instance_path) or "/", error.message


@cache
def _validator(text: str) -> Any:
    return schemas.compile_schema(json.loads(text))


def _text(schema: Any) -> str | None:
    return None if schema is None else json.dumps(schema, sort_keys=True)


def _as_promised(view: View, operation: Operation) -> None:
    label = f"op.{operation.operation_id}"
    first = expect.answered(view.step(label))
    if first.facts.get("unready"):
        raise StepMissing(label, str(first.facts["unready"]))
    lawful = [int(status) for status in operation.responses if status.startswith("2")]
    expect.status(first, *lawful)
    for exchange in view.of_operation(operation.operation_id):
        if exchange.status in lawful:
            _conforms(exchange, operation)


def _conforms(exchange: Exchange, operation: Operation) -> None:
    schema = operation.responses[str(exchange.status)]
    if schema is not None:
        media_type = (exchange.header("content-type") or "").partition(";")[0].strip()
        expect.equal("application/json", media_type, "Content-Type", exchange)
    body = exchange.json()
    if schema is not None and body is None and (exchange.response_body or "").strip() != "null":
        deviate("a JSON body", exchange.response_body or "nothing", exchange, where="body")
    for place, message in broken(_text(schema), body):
        deviate(f"an answer that fits the contract of {operation.operation_id}", message, exchange, where=place)
    if "304" in operation.responses or (exchange.status == 201 and isinstance(body, dict) and "version" in body):
        expect.header(exchange, "etag")
    if exchange.status == 201:
        location = expect.header(exchange, "location")
        readable = any(
            other.path.startswith(f"{operation.path}/{{") for other in operations().values() if other.method == "GET"
        )
        if readable and isinstance(body, dict) and not location.endswith(str(body.get("id"))):
            deviate(f"a Location that ends with {body.get('id')}", location, exchange, where="header Location")
    if operation.scope is not None and "no-store" not in (exchange.header("cache-control") or ""):
        deviate("Cache-Control: no-store", exchange.header("cache-control") or "none", exchange, where="header")


def _problems(view: View, operation: Operation) -> None:
    """Every refusal of the run, whichever probe made it."""
    found = [exchange for exchange in view.of_operation(operation.operation_id) if (exchange.status or 0) >= 400]
    if not found:
        raise StepMissing(f"op.{operation.operation_id}.*", "nothing of this operation was refused")
    promised = {*operation.problems, *ANYWHERE}
    seen: dict[str, Exchange] = {}
    for exchange in found:
        media_type = (exchange.header("content-type") or "").partition(";")[0].strip()
        expect.equal(PROBLEM_TYPE, media_type, "Content-Type of a refusal", exchange)
        body = exchange.json()
        for place, message in broken(_text(_problem_schema()), body):
            deviate("a problem document (RFC 9457)", message, exchange, where=place)
        code = body["code"]
        if code not in promised:
            deviate(f"a code that the contract promises for {operation.operation_id}", code, exchange, where="/code")
        expect.equal(problems()[code].status, exchange.status, f"status of {code}", exchange)
        expect.equal(exchange.status, body["status"], "/status", exchange)
        if not body["type"].endswith(f"/{code}"):
            deviate(f"a type that ends with {code}", body["type"], exchange, where="/type")
        twin = seen.setdefault(body["request_id"], exchange)
        if twin is not exchange:
            deviate("a request_id of its own", body["request_id"], twin, exchange, where="/request_id")


def _problem_schema() -> Any:
    return {"$ref": schemas.load("problem")["$id"]}


ANSWER = Family(
    "ANSWER",
    "The lawful request is answered as the contract says.",
    "合法请求按契约应答",
    sends="the operation's lawful request, and all others of the run that were taken",
    remedy_en="Answer {method} {path} with a status, a body and headers of the contract: every required member, no other type, "
    "ETag, Location with 201, Cache-Control: no-store.",
    remedy_zh="{method} {path} 的状态码、正文与头部须符合契约：必备成员齐全、类型正确，带 ETag，201 带 Location，Cache-Control: no-store。",
    applies=lambda operation: True,
    judge=_as_promised,
)
PROBLEM = Family(
    "PROBLEM",
    "Every refusal is a problem document with a code that the contract promises.",
    "每次拒绝均为契约所列代码的问题文档",
    sends="nothing of its own: all refusals of the operation in the run are read",
    remedy_en="Answer every refusal of {method} {path} as application/problem+json with type, title, status, code and a request_id "
    "of its own; take codes and statuses from the catalogue and only those that the operation lists.",
    remedy_zh="{method} {path} 的拒绝应答一律为 application/problem+json，含 type、title、status、code 与唯一 request_id；"
    "代码与状态码取自目录且为该操作所列。",
    applies=lambda operation: True,
    judge=_problems,
)
