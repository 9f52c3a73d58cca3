"""Whose it is: what another party, bank or region asks for by name does not exist for it, alone and in lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from offcampus_spec.operations import Operation

from offcampus_conformance import expect
from offcampus_conformance.families.family import Family, Probe, control, refused
from offcampus_conformance.families.request import Request
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import View

STRANGERS = {"vendor": "rival", "bank": "other_bank", "authority": "far_authority"}
"""Of the same role, with the same scopes, but another's: another institution, another bank, another province."""
SHARED = frozenset({"getBankServiceReport", "getProblemType", "getSchema", "getPublicInstitution"})
"""What is everybody's, or (a bank's report) is worked out for the region of whoever asks."""


def _probes(operation: Operation, request: Request) -> Iterator[Probe]:
    stranger = STRANGERS.get(request.by)
    if stranger is None:
        return
    change = partial(Request.but, by=stranger)
    if "{" in operation.path:
        yield Probe("stranger", ("by",), change, ("resource.not_found",))
    else:
        query = tuple(pair for pair in request.query if pair[0] not in ("limit", "cursor"))
        yield Probe("stranger", ("by", "query"), lambda sent: change(sent).but(query=query), after=True)


def _not_theirs(view: View, operation: Operation) -> None:
    for exchange in OWN.sent(view, operation):
        if exchange.facts.get("codes"):
            refused(exchange)
            continue
        ours = {entry.get("id") for entry in (control(view, operation).json() or {}).get("items", [])}
        listed = expect.status(exchange, 200)
        shown = {entry.get("id") for entry in expect.member(listed.json(), "items", listed)}
        if ours & shown:
            deviate("nothing of another party's", sorted(str(id) for id in ours & shown), exchange, where="/items")
    OWN.bound(view, operation)


def _owned(operation: Operation) -> bool:
    listed = operation.method == "GET" and any(item.name == "limit" for item in operation.parameters)
    known = operation.scope is not None and operation.operation_id not in SHARED
    only_guardians = operation.audience == "parent"
    return known and not only_guardians and ("{" in operation.path or listed)


OWN = Family(
    "OWN",
    "What is another's does not exist.",
    "他方资源视为不存在",
    sends="the accepted request by another party of the same role: another institution's system, another bank, the "
    "authority of another province",
    remedy_en="Filter {method} {path} by the caller's institutions, bank or region in the query itself; answer what lies outside "
    "exactly as what does not exist (404), and leave it out of lists.",
    remedy_zh="{method} {path} 须在查询中按调用方的机构、银行或区域过滤；范围外的与不存在的应答一致（404），列表中不得出现。",
    applies=_owned,
    probes=_probes,
    judge=_not_theirs,
    names=lambda operation: ("stranger",),
)
