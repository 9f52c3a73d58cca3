"""What the contract promises alike for many operations, as one check per operation and family.

Ids are `P-<FAMILY>-<operationId>`; level, requirements and words come from the contract. See `families/`.
"""

from __future__ import annotations

from offcampus_spec.operations import Operation, operations

from offcampus_conformance.check import Level, check
from offcampus_conformance.families import FAMILIES
from offcampus_conformance.families.family import Family
from offcampus_conformance.record import View

LEVELS: dict[str, Level] = {"MUST": "MUST", "SHOULD": "SHOULD", "MAY": "MAY"}


def _declare(family: Family, operation: Operation) -> None:
    def judge(view: View) -> None:
        family.judged(view, operation)

    judge.__doc__ = f"{family.title} {operation.method} {operation.path} ({operation.operation_id})"
    judge.__name__ = f"{family.key.lower()}_of_{operation.operation_id}"
    words = {
        "method": operation.method, "path": operation.path, "scope": operation.scope,
        "schema": operation.item_schema or operation.request_schema,
    }  # fmt: skip
    place = f"{operation.method} {operation.path}"
    check(
        family.check_id(operation),
        profile="platform",
        level=LEVELS[operation.level],
        requirements=operation.requirements,
        sends=f"{place}: {family.sends}",
        remedy_en=f"{family.remedy_en.format(**words)} ({operation.operation_id}, {operation.document}.yaml)",
        remedy_zh=f"{family.remedy_zh.format(**words)}（{operation.operation_id}，{operation.document}.yaml）",
        title_zh=f"{family.title_zh}：{operation.summary_zh}（{operation.operation_id}）",
    )(judge)


NOT_PLAYED = frozenset({"carryOverOrder", "nameRefundAccount"})
"""What the day does not call yet, so that nothing could be judged: both need money that the bank's closed days make
certain between two steps."""

for _family in FAMILIES:
    for _operation in operations().values():
        if _operation.operation_id not in NOT_PLAYED and _family.applies(_operation):
            _declare(_family, _operation)
