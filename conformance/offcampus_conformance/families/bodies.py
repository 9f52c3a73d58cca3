"""What comes as a body: JSON of the strict kind, of the contract's media type, of a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from offcampus_spec.operations import Operation

from offcampus_conformance.families.family import Family, Probe
from offcampus_conformance.families.request import FORM, Request

LARGEST = 2 * 1024 * 1024
"""The contract's limit of a body (`limits.body_bytes` of the capability document)."""
KINDS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "cut": ("json.malformed", lambda raw: raw[:-1]),
    "member_twice": ("json.duplicate_key", lambda raw: _opened(raw, b'"zz":1,"zz":1')),
    "byte_order_mark": ("json.encoding", lambda raw: b"\xef\xbb\xbf" + raw),
    "point": ("json.number", lambda raw: _opened(raw, b'"zz":1.0')),
    "half_character": ("json.surrogate", lambda raw: _opened(raw, b'"zz":"\\ud800"')),
    "deep": ("json.depth", lambda raw: _opened(raw, b'"zz":' + b"[" * 64 + b"]" * 64)),
}


def _opened(raw: bytes, member: bytes) -> bytes:
    """The same object with one more member at its beginning."""
    rest = raw[1:].lstrip()
    return b"{" + member + (b"" if rest == b"}" else b",") + rest


def _malformed(operation: Operation, request: Request) -> Iterator[Probe]:
    for name, (code, spoil) in KINDS.items():
        yield Probe(name, ("raw",), partial(Request.but, raw=spoil(request.content)), (code,))
    yield Probe("plain_text", ("media_type",), lambda sent: sent.but(media_type="text/plain"), ("request.media_type",))
    yield Probe(
        "too_large",
        ("raw",),
        lambda sent: sent.but(raw=sent.content + b" " * (LARGEST + 1 - len(sent.content))),
        ("request.too_large",),
    )


def _spoilt_form(operation: Operation, request: Request) -> Iterable[Probe]:
    yield Probe("cut", ("raw",), lambda sent: sent.but(raw=b"grant_type"), ("json.malformed",))
    twice = b"&grant_type=client_credentials"
    yield Probe("member_twice", ("raw",), lambda sent: sent.but(raw=sent.content + twice), ("json.duplicate_key",))
    yield Probe("plain_text", ("media_type",), lambda sent: sent.but(media_type="text/plain"), ("request.media_type",))


def _form(operation: Operation) -> bool:
    return operation.request_media_type == FORM


BODY = Family(
    "BODY",
    "A body that two parsers could read differently, of another kind or too large is refused by name.",
    "会被不同解析器读出不同含义、类型不符或过大的请求体按代码拒绝",
    sends="the accepted body cut short, with a member twice, a byte order mark, a decimal point, half a character, "
    "64 levels deep, as text/plain, and blown up beyond the limit",
    remedy_en="Read the body with a strict parser before the contract's schema: one json.* code per kind of fault, "
    "415 request.media_type, 413 request.too_large.",
    remedy_zh="在按契约校验之前先严格解析请求体：各类错误分别返回 json.* 代码、415 request.media_type、"
    "413 request.too_large。",
    applies=lambda operation: operation.request_schema is not None,
    probes=lambda operation, request: (
        _spoilt_form(operation, request) if _form(operation) else _malformed(operation, request)
    ),
    names=lambda operation: (
        ("cut", "member_twice", "plain_text") if _form(operation) else (*KINDS, "plain_text", "too_large")
    ),
    promises=lambda operation: (
        ("json.malformed", "json.duplicate_key", "request.media_type")
        if _form(operation)
        else (*(code for code, _ in KINDS.values()), "request.media_type", "request.too_large")
    ),
)
