"""What comes beside the body: path, query and headers as the contract has them, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from offcampus_spec.operations import Operation, Parameter

from offcampus_conformance import expect
from offcampus_conformance.families.family import Family, Probe, refused
from offcampus_conformance.families.request import Request
from offcampus_conformance.record import View

IDENTIFIER = re.compile(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}")
UNKNOWN_ID = "0" * 26


def _probes(operation: Operation, request: Request) -> Iterator[Probe]:
    yield _query("unknown", (*request.query, ("zz", "1")))
    for parameter in _asked(operation):
        twice = (parameter.name, _lawful(request, parameter))
        yield _query(
            f"twice:{parameter.name}", (*(pair for pair in request.query if pair[0] != twice[0]), twice, twice)
        )
        for number, bad in enumerate(_bad_values(parameter.schema)):
            rest = tuple(pair for pair in request.query if pair[0] != parameter.name)
            yield _query(f"wrong:{parameter.name}:{number}", (*rest, (parameter.name, bad)))
        if parameter.required:
            rest = tuple(pair for pair in request.query if pair[0] != parameter.name)
            yield _query(f"missing:{parameter.name}", rest)
    escaped = f"{request.path[:-1]}%{ord(request.path[-1]):02X}"
    yield Probe("escaped_path", ("path",), lambda sent: sent.but(path=escaped), ("request.path",))
    if operation.idempotency == "key":
        yield Probe("short_key", ("key",), lambda sent: sent.but(key="zz"), ("request.header",))
    if operation.concurrency == "if-match":
        yield Probe("odd_if_match", ("if_match",), lambda sent: sent.but(if_match="zz"), ("request.header",))


def _query(name: str, query: tuple[tuple[str, str], ...]) -> Probe:
    return Probe(name, ("query",), lambda sent: sent.but(query=query), ("request.query",))


def _asked(operation: Operation) -> list[Parameter]:
    return [item for item in operation.parameters if item.location == "query" and item.name != "cursor"]


def _lawful(request: Request, parameter: Parameter) -> str:
    """A value that the parameter may have alone: what stands twice is the only fault."""
    given = dict(request.query).get(parameter.name)
    schema = parameter.schema
    if given is not None:
        return given
    if schema.get("type") == "integer":
        return str(schema.get("minimum", 1))
    return str(schema["enum"][0]) if "enum" in schema else "2026-01-01"


def _bad_values(schema: Any) -> list[str]:
    if schema.get("type") == "integer":
        below = [str(schema["minimum"] - 1)] if schema.get("minimum", 0) > 0 else []
        above = [str(schema["maximum"] + 1)] if schema.get("maximum", 2**53) < 2**53 else []
        return ["zz", *below, *above]
    return ["!"] if "enum" in schema or "pattern" in schema or "format" in schema or "$ref" in schema else []


def _missing(operation: Operation, request: Request) -> Iterator[Probe]:
    unknown = IDENTIFIER.sub(lambda found: found[0][:4] + UNKNOWN_ID, request.path)
    if unknown != request.path:
        yield Probe("unknown_id", ("path",), lambda sent: sent.but(path=unknown), ("resource.not_found",))
        malformed = IDENTIFIER.sub("zz", request.path)
        yield Probe("malformed_id", ("path",), lambda sent: sent.but(path=malformed), ("resource.not_found",))
    else:
        last = request.path.rpartition("/")[0]
        yield Probe("unknown_id", ("path",), lambda sent: sent.but(path=f"{last}/zz"), ("resource.not_found",))


def _missing_alike(view: View, operation: Operation) -> None:
    """Both kinds of missing are answered alike, so that nobody learns which identifiers are well made."""
    told = []
    for exchange in FOUND.sent(view, operation):
        refused(exchange)
        body = exchange.json()
        told.append({name: body.get(name) for name in ("type", "title", "code", "status")})
    for other in told[1:]:
        expect.equal(told[0], other, "the answer to what does not exist", *view.steps(FOUND.label(operation, "")))
    FOUND.bound(view, operation)


INPUT = Family(
    "INPUT",
    "A query, path or header that the contract does not have is refused, not guessed at.",
    "契约未规定的查询、路径或请求头一律拒绝而非猜测",
    sends="the accepted request with an unknown query parameter, each parameter twice and with each kind of wrong value, "
    "a percent-encoded path, a key and an If-Match of another form",
    remedy_en="Check query, path and headers of {method} {path} against the contract: 400 request.query, request.path or "
    "request.header; ignore nothing.",
    remedy_zh="按契约校验 {method} {path} 的查询参数、路径与请求头，分别返回400 request.query、request.path、request.header，不得忽略。",
    applies=lambda operation: True,
    probes=_probes,
    names=lambda operation: ("unknown", "escaped_path"),
    promises=lambda operation: (
        "request.query",
        "request.path",
        *(("request.header",) if operation.idempotency == "key" or operation.concurrency == "if-match" else ()),
    ),
)

FOUND = Family(
    "FOUND",
    "What does not exist is not found, whatever the identifier looks like.",
    "不存在者一律应答未找到",
    sends="the accepted request with a well-formed unknown identifier in its path, and with one that is none",
    remedy_en="Answer 404 resource.not_found in {method} {path} for every identifier that stands for nothing, in the same "
    "words whether it is well formed or not.",
    remedy_zh="{method} {path} 中不存在的标识一律返回404 resource.not_found，格式正确与否应答一致。",
    applies=lambda operation: "{" in operation.path,
    probes=_missing,
    judge=_missing_alike,
    names=lambda operation: ("unknown_id",),
    promises=lambda operation: ("resource.not_found",),
)
