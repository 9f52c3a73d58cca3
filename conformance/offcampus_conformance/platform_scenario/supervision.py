"""What a department and a bank do beside the day's money: freeze, settle, warn, assess, report."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.platform_scenario.custody import execute_all
from offcampus_conformance.platform_scenario.day import Day
from offcampus_conformance.synthetic import Document


def supervise(day: Day) -> None:
    """Freeze and unfreeze, differences settled by two persons, a warning handled, an assessment, a report."""
    _freeze(day)
    _settle(day)
    _warn(day)
    _bank(day)


def _freeze(day: Day) -> None:
    order = {"document_number": f"TEST-{day.make.tag}", "reason": "conformance", "officer": "OFF-1"}
    for name in ("freeze", "unfreeze"):
        day.etag("account", day.act("getCustodyAccount", "authority", label=f"{name}.version"))
        day.act(f"{name}CustodyAccount", "authority", order)
        day.act("getCustodyAccount", "bank", label=f"{name}.ordered")
        execute_all(day, name, only=name)
    day.act("getCustodyAccount", "bank", label="unfreeze.executed")


def _settle(day: Day) -> None:
    lines = [_stray(day, kind, number) for number, kind in enumerate(("fee", "sweep", "fee", "sweep"), 1)]
    day.act("reportCustodyMovements", "bank", {"items": lines}, label="strays.report")
    query = {"state": "open", "account_id": day.ids["account"], "limit": "200"}
    listed = day.act("listDifferences", "authority", query=query)
    fees = [entry for entry in (listed.json() or {}).get("items", []) if entry.get("type") == "fee"]
    if len(fees) < 2:
        return
    day.ids["difference"] = fees[0]["id"]
    day.etag("difference", day.act("getDifference", "authority"))
    assignment = {"owner": "bank", "officer": "OFF-1", "note": "请银行说明"}
    day.act("assignDifference", "authority", assignment)
    proposal = {"action": "explained", "officer": "OFF-1", "note": "账户管理费"}
    booked = {"action": "book_execution", "officer": "OFF-1", "note": "不适用"}
    day.probe(
        day.request("proposeSettlement", "authority", booked),
        "difference.not_applicable",
        codes=["settlement.not_applicable"],
    )
    day.act("proposeSettlement", "authority", proposal)
    own = day.request("approveSettlement", "authority", {"officer": "OFF-1", "note": "同意"})
    day.probe(own, "difference.approve_own", codes=["settlement.same_person"])
    day.act("approveSettlement", "authority", {"officer": "OFF-2", "note": "同意"})
    where = {"difference_id": fees[1]["id"]}
    day.act("proposeSettlement", "authority", proposal, where=where, if_match='"1"', label="difference.propose_second")
    day.act("rejectSettlement", "authority", {"officer": "OFF-2", "note": "理由不足"}, where=where)


def _stray(day: Day, kind: str, number: int) -> Document:
    return {
        "external_id": f"stray-{day.make.tag}-{number}", "account_id": day.ids["account"], "kind": kind,
        "direction": "debit", "amount_fen": 30, "booked_at": day.now(), "value_on": day.make.day(0),
        "balance_after_fen": 0, "bank_reference": f"S{day.make.tag}{number}",
    }  # fmt: skip


def _warn(day: Day) -> None:
    query = {"institution_id": day.ids["institution"], "limit": "200"}
    listed = day.act("listWarnings", "authority", query=query)
    sweeps = [entry for entry in (listed.json() or {}).get("items", []) if entry.get("sign") == "sweep"]
    if not sweeps:
        return
    day.ids["warning"] = sweeps[0]["id"]
    day.etag("warning", day.act("getWarning", "authority"))
    step = {"officer": "OFF-1", "note": "已约谈负责人"}
    early = day.request("closeWarning", "authority", step)
    day.probe(early, "warning.close_unhandled", codes=["resource.state"])
    day.act("handleWarning", "authority", step)
    day.act("closeWarning", "authority", step)


def _bank(day: Day) -> None:
    bank = day.actors["bank"]
    for number in (1, 2):
        label: Any = None if number == 1 else "assessment.second"
        day.act(
            "submitRiskAssessment", "bank", _assessment(day, number), label=label,
            keep="risk_assessment" if number == 1 else "assessment.2",
        )  # fmt: skip
    day.act("listRiskAssessments", "bank", query={"institution_id": day.ids["institution"]})
    day.act("getRiskAssessment", "bank")
    day.act("getRiskAssessment", "authority", label="assessment.read")
    day.act("getBankServiceReport", "authority", where={"bank_id": bank.client_id})


def _assessment(day: Day, number: int) -> Document:
    return {
        "external_id": f"ras-{day.make.tag}-{number}", "institution_id": day.ids["institution"],
        "model_name": "conformance", "model_version": "1", "score": 640, "reasons": ["conformance"],
        "assessed_at": day.now(),
    }  # fmt: skip
