"""What happens when something comes again: under the same key, the same reference, the same version, the same state."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from offcampus_spec import schemas
from offcampus_spec.operations import Operation

from offcampus_conformance import expect
from offcampus_conformance.families.family import Family, Probe, control, refused
from offcampus_conformance.families.inputs import IDENTIFIER, UNKNOWN_ID
from offcampus_conformance.families.request import Request, Signing
from offcampus_conformance.record import View

FREE_TEXTS = (
    "text", "note", "title", "reason", "room", "model_name", "bank_reference", "agreement_number", "name", "number", "url",
)  # fmt: skip
"""Members of which another value is as lawful as the first, in the order in which they are tried."""


def another(operation: Operation, request: Request) -> Request | None:
    """Another lawful request of the operation, with the same external_id where there is one."""
    if operation.batch:
        first = dict(request.body["items"][0])
        changed = {**first, "external_id": f"{first['external_id']}-other"}
        return request.but(body={"items": [changed, *request.body["items"][1:]]})
    if not isinstance(request.body, dict):
        return None
    validator = schemas.validator(str(operation.request_schema))
    return next((request.but(body=body) for body in _others(request.body) if validator.is_valid(body)), None)


def _others(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in FREE_TEXTS:
        if isinstance(body.get(name), str):
            yield {**body, name: f"{body[name]}乙"}
            yield {**body, name: f"{body[name]}Z"}
    for name, value in body.items():
        if type(value) is int:
            yield {**body, name: value + 1}
    yield {**body, "note": "conformance"}
    if isinstance(body.get("requested_at"), str):  # another second
        second = "00" if body["requested_at"][17:19] != "00" else "01"
        yield {**body, "requested_at": f"{body['requested_at'][:17]}{second}{body['requested_at'][19:]}"}
    if isinstance(body.get("from_event_id"), str):
        last = "0" if body["from_event_id"][-1] != "0" else "1"
        yield {**body, "from_event_id": body["from_event_id"][:-1] + last}
    if isinstance(body.get("parts"), list):
        first = {**body["parts"][0], "payer_reference": f"{body['parts'][0]['payer_reference']}Z"}
        yield {**body, "parts": [first, *body["parts"][1:]]}
    if "content" in body:
        yield {**body, "content": f"QQ0K{body['content']}"}


def _keys(operation: Operation, request: Request) -> Iterator[Probe]:
    yield Probe("no_key", ("key",), lambda sent: sent.but(key=None), ("idempotency.key_missing",))
    yield Probe("again", ("signing",), _freshly_signed, after=True)
    other = another(operation, request)
    if other is not None:
        body = other.body
        yield Probe(
            "other_request",
            ("body", "signing"),
            lambda sent: _freshly_signed(sent).but(body=body),
            ("idempotency.key_reused",),
            after=True,
        )


def _freshly_signed(sent: Request) -> Request:
    return sent.but(signing=Signing())


def _replayed(view: View, operation: Operation) -> None:
    first = control(view, operation)
    for exchange in IDEM.sent(view, operation):
        if exchange.facts.get("codes"):
            refused(exchange)
            continue
        expect.status(exchange, int(first.status or 0))
        expect.equal(first.json(), exchange.json(), "the answer when repeated", first, exchange)
        expect.equal("true", expect.header(exchange, "idempotency-replayed"), "Idempotency-Replayed", exchange)
        expect.equal(first.header("etag"), exchange.header("etag"), "ETag when repeated", first, exchange)
    IDEM.bound(view, operation)


def _references(operation: Operation, request: Request) -> Iterator[Probe]:
    yield Probe("same_document", ("key", "signing"), _renewed, after=True)
    other = another(operation, request)
    if other is not None and other.body.get("external_id") == request.body["external_id"]:
        body = other.body
        yield Probe(
            "other_document",
            ("key", "body", "signing"),
            lambda sent: _renewed(sent, "other").but(body=body),
            ("resource.exists",),
            "/external_id",
            after=True,
        )


def _renewed(sent: Request, ending: str = "again") -> Request:
    return sent.but(signing=Signing(), key=f"{sent.key}-{ending}")


def _known_by_reference(view: View, operation: Operation) -> None:
    first = control(view, operation)
    for exchange in EXISTS.sent(view, operation):
        if exchange.facts.get("codes"):
            refused(exchange)
            continue
        expect.status(exchange, 200)
        identifier = expect.member(first.json(), "id", first)
        expect.equal(identifier, expect.member(exchange.json(), "id", exchange), "/id", first, exchange)
    EXISTS.bound(view, operation)


def _versions(operation: Operation, request: Request) -> Iterator[Probe]:
    yield Probe("no_if_match", ("if_match",), lambda sent: sent.but(if_match=None), ("concurrency.if_match_missing",))
    yield Probe("another_version", ("if_match",), lambda sent: sent.but(if_match='"909090"'), ("concurrency.stale",))


def _states(operation: Operation, request: Request) -> Iterator[Probe]:
    """Once more, on the version that the first time has made."""
    yield Probe(
        "once_more",
        ("key", "if_match", "signing"),
        lambda sent: _renewed(sent).but(if_match=request.answered_etag),
        ("resource.state",),
        after=True,
    )


def _known_version(operation: Operation, request: Request) -> Iterator[Probe]:
    known = {"If-None-Match": request.answered_etag or '"1"'}
    yield Probe("known_version", ("headers",), partial(Request.but, headers=known), after=True)


def _not_modified(view: View, operation: Operation) -> None:
    first = control(view, operation)
    etag = expect.header(first, "etag")
    if etag.startswith("W/"):
        expect.equal("a strong ETag", etag, "ETag", first)
    for exchange in ETAG.sent(view, operation):
        expect.status(exchange, 304)
        expect.equal("", exchange.response_body or "", "the body of a 304", exchange)
        expect.equal(etag, expect.header(exchange, "etag"), "ETag of the 304", first, exchange)
    ETAG.bound(view, operation)


def _pointed(operation: Operation, request: Request) -> Iterator[Probe]:
    """Each identifier of the body, in turn, standing for nothing."""
    document = request.body["items"][0] if operation.batch else request.body
    for place in _identifiers(document, ()):
        if (operation.operation_id, place[-1]) in MATCHED:
            continue
        unknown = _standing_for_nothing(document, place)
        pointer = "".join(f"/{step}" for step in place)
        name = ".".join(str(step) for step in place)
        if operation.batch:
            unknown["external_id"] = f"{document['external_id']}-r{name[:12]}"
            yield _in_batch(name, unknown, "reference.not_found", pointer)
        else:
            change = partial(Request.but, body=unknown)
            yield Probe(name, ("body",), change, ("reference.not_found",), pointer)


MATCHED = frozenset({("reportCustodyMovements", "payment_id"), ("reportCustodyMovements", "instruction_id")})
"""What a bank's line says of a payment is matched, not looked up: a line that matches nothing is kept as it is."""


def _identifiers(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str) and IDENTIFIER.fullmatch(value):
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _identifiers(member, (*place, name))
    elif isinstance(value, list) and value:
        yield from _identifiers(value[0], (*place, 0))


def _standing_for_nothing(document: Any, place: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = inner[place[-1]][:4] + UNKNOWN_ID
    return changed


def _in_batch(name: str, item: Any, code: str, pointer: str) -> Probe:
    def change(sent: Request) -> Request:
        return sent.but(body={"items": [item]}, key=f"{sent.key}-{name[:20]}")

    return Probe(name, ("body", "key"), change, (code,), items=(pointer,))


def _extended(operation: Operation, request: Request) -> Iterator[Probe]:
    name, code, pointer = "unknown_namespace", "extension.unknown", "/extensions/x-nobody"
    more = {"extensions": {"x-nobody": {"a": 1}}}
    if operation.batch:
        first = request.body["items"][0]
        item = {**first, "external_id": f"{first['external_id']}-ext", **more}
        yield _in_batch(name, item, code, pointer)
    else:
        yield Probe(name, ("body",), partial(Request.but, body={**request.body, **more}), (code,), pointer)


def _promised(operation: Operation, *codes: str) -> bool:
    return any(code in (*operation.problems, *operation.item_problems) for code in codes)


def _refers(operation: Operation) -> bool:
    """The lawful request of the day names other resources; an objection names records only on one of its grounds."""
    named = _promised(operation, "reference.not_found") and operation.operation_id != "objectToRefund"
    return named and not operation.patch


def _creates(operation: Operation) -> bool:
    return not operation.batch and "resource.exists" in operation.problems and "201" in operation.responses


REPEATABLE = frozenset({"assignDifference", "askForBalance"})
"""Actions that may be taken again on their own result: somebody else is made responsible, the bank is asked again."""


def only_once(operation: Operation) -> bool:
    """An action on one resource that its own effect makes impossible a second time."""
    versioned = operation.concurrency == "if-match" and operation.idempotency == "key"
    return versioned and _promised(operation, "resource.state") and operation.operation_id not in REPEATABLE


IDEM = Family(
    "IDEM",
    "One key, one effect, one answer.",
    "一键一效一应答",
    sends="the accepted request without a key, again under its key, and another request under the same key",
    remedy_en="In {method} {path} store key, request and answer in the effect's own transaction; replay the stored answer with "
    "Idempotency-Replayed: true, refuse another request with 422 idempotency.key_reused, a missing key with 400.",
    remedy_zh="{method} {path} 应在同一事务中保存键、请求与应答；重放原应答并带 Idempotency-Replayed: true，"
    "同键异文返回422 idempotency.key_reused，缺键返回400。",
    applies=lambda operation: operation.idempotency == "key",
    probes=_keys,
    judge=_replayed,
    names=lambda operation: ("no_key", "again"),
    promises=lambda operation: ("idempotency.key_missing", "idempotency.key_reused"),
)
EXISTS = Family(
    "EXISTS",
    "A party's own reference stands for one document for ever.",
    "自有编号永久对应同一文档",
    sends="the accepted document again under a new key, and another document under the same external_id",
    remedy_en="In {method} {path} look the external_id up per party: the same document is answered with 200 and the first id, "
    "another one with 409 resource.exists at /external_id.",
    remedy_zh="{method} {path} 按接入方核对 external_id：相同内容返回200与原标识，不同内容返回409 resource.exists（/external_id）。",
    applies=_creates,
    probes=_references,
    judge=_known_by_reference,
    names=lambda operation: ("same_document",),
    promises=lambda operation: ("resource.exists",),
)
COND = Family(
    "COND",
    "A change is made on the version that was read, and on no other.",
    "仅在所读版本上变更",
    sends="the accepted change without If-Match and with the ETag of another version",
    remedy_en="In {method} {path} require If-Match (428 concurrency.if_match_missing) and compare it with the current version in "
    "the same transaction (412 concurrency.stale).",
    remedy_zh="{method} {path} 须要求 If-Match（缺失返回428 concurrency.if_match_missing），并在同一事务中与当前版本比较"
    "（不符返回412 concurrency.stale）。",
    applies=lambda operation: operation.concurrency == "if-match",
    probes=_versions,
    names=lambda operation: ("no_if_match", "another_version"),
    promises=lambda operation: ("concurrency.if_match_missing", "concurrency.stale"),
)
STATE = Family(
    "STATE",
    "What is done is not done twice.",
    "已完成的不再重复",
    sends="the accepted action once more, under a new key, on the version that it has made",
    remedy_en="In {method} {path} allow the action from the states of the contract only; answer 409 resource.state otherwise.",
    remedy_zh="{method} {path} 仅允许契约规定的状态执行，否则返回409 resource.state。",
    applies=only_once,
    probes=_states,
    names=lambda operation: ("once_more",),
    promises=lambda operation: ("resource.state",),
)
ETAG = Family(
    "ETAG",
    "Who has the current version is spared the body.",
    "持有当前版本者无需重传正文",
    sends="the accepted read again with If-None-Match",
    remedy_en="Give {method} {path} a strong ETag that changes with the resource; answer 304 without a body when it matches.",
    remedy_zh="{method} {path} 应提供随资源变化的强 ETag，匹配时返回无正文的304。",
    applies=lambda operation: "304" in operation.responses,
    probes=_known_version,
    judge=_not_modified,
    names=lambda operation: ("known_version",),
)
REF = Family(
    "REF",
    "A reference to nothing, or to what is not yours, is refused at its place.",
    "指向不存在或他方资源的引用在其位置被拒绝",
    sends="the accepted document with each identifier in turn standing for nothing",
    remedy_en="In {method} {path} look up every identifier that the document names, under the caller's own visibility; answer 422 "
    "reference.not_found at the member.",
    remedy_zh="{method} {path} 须按调用方可见范围核对文档中的每个标识，不存在的返回422 reference.not_found 并指向该成员。",
    applies=_refers,
    probes=_pointed,
    promises=lambda operation: ("reference.not_found",),
)
EXT = Family(
    "EXT",
    "Extensions are those of a registered namespace.",
    "扩展仅限已登记命名空间",
    sends="the accepted document with a member under an extension namespace that nobody has registered",
    remedy_en="In {method} {path} accept members of `extensions` only for namespaces of the capability document; answer 422 "
    "extension.unknown at the namespace.",
    remedy_zh="{method} {path} 的 extensions 仅接受能力文档所列命名空间，否则返回422 extension.unknown 并指向该命名空间。",
    applies=lambda operation: _promised(operation, "extension.unknown"),
    probes=_extended,
    names=lambda operation: ("unknown_namespace",),
    promises=lambda operation: ("extension.unknown",),
)
