"""A request of each money operation of the contract that takes, made on a fresh site.

The contract says which operations there are; one without a recipe here stops the test, so that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from offcampus_server.funds import statement_files
from offcampus_spec.operations import operations

from plan.ground import Site
from plan.story import Story

MONEY = frozenset({
    "orders", "payments", "consumption", "refunds", "accounts", "custody", "instructions", "movements", "statements",
})  # fmt: skip
"""The contract's subjects that move, hold or count money."""
WITHOUT_RECIPE = frozenset({
    "approveMoneyProposal", "carryOverOrder", "createMoneyProposal", "nameRefundAccount", "rejectMoneyProposal",
})  # fmt: skip
"""Not tried yet: to be emptied."""
FROZEN = {"document_number": "京校培冻〔2026〕7号", "reason": "机构失联", "officer": "OFF-1"}
SECOND = {"officer": "OFF-2", "note": "同意"}


@dataclass(frozen=True)
class Asked:
    """A request, and the member of its body by which another request can be made of it."""

    party: str
    body: dict[str, Any]
    path: dict[str, str] = field(default_factory=dict)
    if_match: int | None = None


Recipe = Callable[[Story], Asked]
RECIPES: dict[str, Recipe] = {}


def money_operations() -> list[str]:
    """Every operation of the contract that takes a key and is about money, but for those that still lack a recipe."""
    return sorted(contract_operations() - WITHOUT_RECIPE)


def contract_operations() -> set[str]:
    """Every operation of the contract that takes a key and is about money."""
    return {
        name for name, operation in operations().items()
        if operation.idempotency == "key" and MONEY & set(operation.tags)
    }  # fmt: skip


def recipe(operation_id: str, site: Site) -> Asked:
    """A request that takes, on this site."""
    return RECIPES[operation_id](Story(site))


def _of(operation_id: str) -> Callable[[Recipe], Recipe]:
    def keep(made: Recipe) -> Recipe:
        RECIPES[operation_id] = made
        return made

    return keep


# --- orders, payments ---


@_of("createContract")
def _contract(story: Story) -> Asked:
    family, town = story.site.town.families[0], story.site.town
    return Asked("vendor", {
        "external_id": story.site.fresh("ctr"), "institution_id": town.institution_id, "pupil_id": family.pupil_id,
        "guardian_id": family.guardian_id, "course_id": town.course_id, "template": "GF-2021-2604", "number": "9",
        "signed_on": "2026-09-06", "gift_hours_policy": "pro_rata", "document_digest": "sha-256:" + "0" * 64,
        "supervision": "custody",
    })  # fmt: skip


@_of("createOrder")
def _order(story: Story) -> Asked:
    return Asked("vendor", story.order_document())


@_of("cancelOrder")
def _cancel(story: Story) -> Asked:
    return Asked("vendor", {}, {"order_id": story.bought().order_id}, 1)


@_of("createPayment")
def _payment(story: Story) -> Asked:
    return Asked("guardian_app", story.bought().payment_document())


# --- consumption ---


@_of("reportConsumption")
def _report(story: Story) -> Asked:
    return Asked("vendor", {"items": [story.paid().record_document(2), story.record_document(3)]})


def _record(story: Story) -> tuple[dict[str, str], int]:
    record = story.records[0]
    return {"consumption_record_id": record["id"]}, record["version"]


@_of("confirmConsumption")
def _confirm(story: Story) -> Asked:
    return Asked("guardian_app", {}, *_record(story.taught()))


@_of("disputeConsumption")
def _dispute(story: Story) -> Asked:
    return Asked("guardian_app", {"reason": "not_taught"}, *_record(story.taught()))


@_of("resolveDispute")
def _resolve(story: Story) -> Asked:
    return Asked("authority", {"ruling": "uphold_institution", "text": "裁定"}, *_record(story.disputed()))


# --- refunds ---


@_of("requestRefund")
def _ask(story: Story) -> Asked:
    return Asked("guardian_app", story.taught().refund_document())


def _refund(story: Story) -> tuple[dict[str, str], int]:
    return {"refund_id": story.refund["id"]}, story.refund["version"]


@_of("approveRefund")
def _approve(story: Story) -> Asked:
    return Asked("vendor", {}, *_refund(story.asked()))


@_of("objectToRefund")
def _object(story: Story) -> Asked:
    return Asked("vendor", {"ground": "other", "reason": "课时有争议"}, *_refund(story.asked()))


@_of("ruleOnRefund")
def _rule(story: Story) -> Asked:
    return Asked("authority", {"ruling": "uphold_parent", "text": "裁定"}, *_refund(story.objected()))


# --- the bank ---


@_of("acceptCustodyInstruction")
def _accept(story: Story) -> Asked:
    return Asked("bank", {}, {"instruction_id": story.released().instruction()["id"]})


@_of("executeCustodyInstruction")
def _execute(story: Story) -> Asked:
    id = story.released().instruction()["id"]
    return Asked("bank", {"bank_reference": "X1", "executed_at": story.now}, {"instruction_id": id})


@_of("failCustodyInstruction")
def _fail(story: Story) -> Asked:
    id = story.released().instruction()["id"]
    return Asked("bank", {"code": "account_closed", "text": "账户已销户"}, {"instruction_id": id})


@_of("reportCustodyMovements")
def _movements(story: Story) -> Asked:
    line = story.promised().line("receipt", 100_000, payment_id=story.payment_id, part_no=1)
    return Asked("bank", {"items": [line]})


@_of("submitStatement")
def _statement(story: Story) -> Asked:
    story.promised()
    line = story.line("receipt", 100_000, payment_id=story.payment_id, part_no=1)
    story.ok("bank", "reportCustodyMovements", {"items": [line]})
    body = {"opening_balance_fen": 0, "closing_balance_fen": 100_000, "lines": [line]}
    return Asked("bank", body, {"account_id": story.account_id, "statement_on": line["value_on"]})


@_of("submitStatementFile")
def _statement_file(story: Story) -> Asked:
    asked = _statement(story)
    file = statement_files.write("csv", asked.body, "s", "en")
    return Asked("bank", {"format": "csv", "content": file["content"]}, asked.path)


@_of("openCustodyAccount")
def _open(story: Story) -> Asked:
    return Asked("bank", {
        "external_id": story.site.fresh("cac"), "institution_id": story.site.town.institution_id,
        "account_digest": "sha-256:" + "0" * 64, "account_tail": "0009", "agreement_number": "9",
        "opened_on": "2026-08-01", "purpose": "custody",
    })  # fmt: skip


@_of("closeCustodyAccount")
def _close(story: Story) -> Asked:
    body = {"closed_on": story.now[:10], "reason": "机构变更托管银行"}
    return Asked("bank", body, {"account_id": story.account_id}, story.account()["version"])


@_of("submitBalance")
def _balance(story: Story) -> Asked:
    body = {"external_id": story.site.fresh("bal"), "balance_fen": 100_000, "measured_at": story.paid().now}
    return Asked("bank", body, {"account_id": story.account_id})


# --- departments ---


@_of("freezeCustodyAccount")
def _freeze(story: Story) -> Asked:
    return Asked("authority", FROZEN, {"account_id": story.account_id}, story.account()["version"])


@_of("unfreezeCustodyAccount")
def _unfreeze(story: Story) -> Asked:
    frozen = story.ok(
        "authority", "freezeCustodyAccount", FROZEN, story.account()["version"], account_id=story.account_id
    )
    return Asked("authority", FROZEN, {"account_id": story.account_id}, frozen["version"])


@_of("askForBalance")
def _ask_for_balance(story: Story) -> Asked:
    return Asked("authority", FROZEN, {"account_id": story.account_id}, story.account()["version"])


@_of("assignDifference")
def _assign(story: Story) -> Asked:
    entry = story.differing()
    body = {"owner": "institution", "officer": "OFF-1", "note": "请核对"}
    return Asked("authority", body, {"difference_id": entry["id"]}, entry["version"])


@_of("proposeSettlement")
def _propose(story: Story) -> Asked:
    entry = story.differing()
    return Asked("authority", story.proposal(), {"difference_id": entry["id"]}, entry["version"])


@_of("approveSettlement")
def _approve_settlement(story: Story) -> Asked:
    entry = story.differing("proposed")
    return Asked("authority", SECOND, {"difference_id": entry["id"]}, entry["version"])


@_of("rejectSettlement")
def _reject_settlement(story: Story) -> Asked:
    entry = story.differing("proposed")
    return Asked("authority", SECOND, {"difference_id": entry["id"]}, entry["version"])
