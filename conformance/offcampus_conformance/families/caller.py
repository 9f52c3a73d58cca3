"""Who calls and whether the message is theirs: tokens, scopes, signatures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from offcampus_spec.operations import Operation

from offcampus_conformance.families.family import Family, Probe
from offcampus_conformance.families.request import Request

DAY_S = 86_400


def _callers(operation: Operation, request: Request) -> Iterable[Probe]:
    yield Probe("no_token", ("token",), lambda sent: sent.but(token="none"), ("auth.token_missing",))  # noqa: S106
    yield Probe("broken_token", ("token",), lambda sent: sent.but(token="broken"), ("auth.token_invalid",))  # noqa: S106
    yield Probe("no_scope", ("token",), lambda sent: sent.but(token="narrow"), ("auth.scope",))  # noqa: S106


def _signatures(operation: Operation, request: Request) -> Iterator[Probe]:
    def probe(name: str, code: str, **signing: Any) -> Probe:
        after = signing.pop("after", False)
        changed = dataclasses.replace(request.signing, **signing)
        return Probe(name, ("signing",), lambda sent: sent.but(signing=changed), (code,), after=after)

    yield probe("unsigned", "signature.missing", signed=False)
    yield probe("forged", "signature.invalid", forged=True)
    yield probe("uncovered", "signature.coverage", leave_out="@path")
    yield probe("stale", "signature.expired", created_ago_s=DAY_S)
    yield probe("ahead", "signature.clock_skew", created_ago_s=-DAY_S)
    if request.content:
        yield probe("changed", "signature.digest", appended=b" ")
    yield Probe("replayed", (), lambda sent: sent, ("signature.replayed",), after=True)


def _signature_names(operation: Operation) -> Iterable[str]:
    names = ("unsigned", "forged", "uncovered", "stale", "ahead", "replayed")
    return (*names, "changed") if operation.request_schema is not None else names


CALLER = Family(
    "CALLER",
    "Only a caller whose token is sound and holds the scope is served.",
    "仅令牌有效且具备权限者可获服务",
    sends="the accepted request without a token, with a token changed in one character, and with one that lacks the scope",
    remedy_en="Before anything else check the access token's signature and expiry, then that its scopes hold {scope}; "
    "answer 401 auth.token_missing, 401 auth.token_invalid, 403 auth.scope.",
    remedy_zh="首先验证访问令牌的签名与有效期，再核对其权限包含 {scope}；分别返回401 auth.token_missing、"
    "401 auth.token_invalid、403 auth.scope。",
    applies=lambda operation: operation.scope is not None,
    probes=_callers,
    names=lambda operation: ("no_token", "broken_token", "no_scope"),
    promises=lambda operation: ("auth.token_missing", "auth.token_invalid", "auth.scope"),
)

SIGN = Family(
    "SIGN",
    "A request that is not signed as the standard demands has no effect.",
    "未按标准签名的请求不产生任何效果",
    sends="the accepted request unsigned, with a forged signature, one that leaves out the path, one of yesterday, "
    "one of tomorrow, with its body changed afterwards, and the very same request again",
    remedy_en="Verify the RFC 9421 signature before the use case: tag, coverage, Content-Digest over the received bytes, "
    "created within -300/+10 s, the key of the token, each nonce once; one signature.* code per reason.",
    remedy_zh="在业务处理前验证 RFC 9421 签名：tag、覆盖项、对收到字节的 Content-Digest、created 在 -300/+10 秒内、"
    "令牌绑定的密钥、nonce 仅用一次；按原因返回相应的 signature.* 代码。",
    applies=lambda operation: operation.signed,
    probes=_signatures,
    names=_signature_names,
    promises=lambda operation: (
        *("signature.missing", "signature.invalid", "signature.coverage", "signature.expired"),
        *("signature.clock_skew", "signature.replayed", "signature.digest"),
    ),
)
