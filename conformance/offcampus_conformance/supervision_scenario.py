"""What a department and a bank do beside the day's money: freeze, settle, warn, report."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from offcampus_conformance.synthetic import SHANGHAI, Document

if TYPE_CHECKING:
    from offcampus_conformance.platform_scenario import Day

COLUMNS = "external_id,kind,direction,amount,booked_at,value_on,bank_reference,balance"


def supervise(day: Day) -> None:
    """Freeze and unfreeze, a difference settled by two persons, files, a warning, an assessment, a report."""
    account = day.ids["account"]
    _freeze(day, account)
    _settle(day, account)
    _files(day, account)
    _bank(day)


def _freeze(day: Day, account: str) -> None:
    order = {"document_number": f"TEST-{day.make.tag}", "reason": "conformance", "officer": "OFF-1"}
    path = f"/v1/custody-accounts/{account}"
    for name in ("freeze", "unfreeze"):
        read = day.actors["authority"].get(f"{name}.version", path, operation_id="getCustodyAccount")
        day.actors["authority"].write(
            name, "POST", f"{path}/{name}", order, operation_id=f"{name}CustodyAccount", if_match=read.header("etag")
        )
        if name == "freeze":
            day.actors["bank"].get("freeze.read", path, operation_id="getCustodyAccount")
        else:
            day.actors["bank"].get("unfreeze.before", path, operation_id="getCustodyAccount")
        _carry_out(day, account, name)
    day.actors["bank"].get("unfreeze.after", path, operation_id="getCustodyAccount")


def _carry_out(day: Day, account: str, kind: str) -> None:
    bank = day.actors["bank"]
    query = f"/v1/custody-instructions?state=issued&account_id={account}"
    listed = bank.get(f"{kind}.instructions", query, operation_id="listCustodyInstructions")
    for item in (listed.json() or {}).get("items", []):
        if item.get("kind") == kind:
            body = {"bank_reference": f"O{item['id'][-10:]}", "executed_at": _now()}
            path = f"/v1/custody-instructions/{item['id']}/execution"
            bank.write(f"{kind}.execute", "POST", path, body, operation_id="executeCustodyInstruction")


def _settle(day: Day, account: str) -> None:
    lines = [_line(day, account, kind, number) for number, kind in enumerate(("fee", "sweep"), 1)]
    report: dict[str, Any] = {"operation_id": "reportCustodyMovements"}
    day.actors["bank"].write("strays.report", "POST", "/v1/custody-movements/batch", {"items": lines}, **report)
    authority = day.actors["authority"]
    query = f"/v1/differences?state=open&account_id={account}"
    listed = authority.get("difference.list", query, operation_id="listDifferences")
    fees = [entry for entry in (listed.json() or {}).get("items", []) if entry.get("type") == "fee"]
    if not fees:
        return
    path = f"/v1/differences/{fees[0]['id']}"
    proposal = {"action": "explained", "officer": "OFF-1", "note": "conformance"}
    proposed = authority.write(
        "difference.propose", "POST", f"{path}/settlement", proposal, operation_id="proposeSettlement", if_match='"1"'
    )
    match = proposed.header("etag") or '"2"'
    for label, officer in (("difference.approve_own", "OFF-1"), ("difference.approve", "OFF-2")):
        decision = {"officer": officer, "note": "conformance"}
        authority.write(
            label, "POST", f"{path}/settlement-approval", decision, operation_id="approveSettlement", if_match=match
        )
    authority.get("warning.list", "/v1/warnings?limit=200", operation_id="listWarnings")


def _files(day: Day, account: str) -> None:
    statement_on = day.make.day(-3)
    path = f"/v1/statements/{account}/{statement_on}/file"
    for label, amount, reference in (
        ("good", "0.30", f"B{day.make.tag}F"), ("formula", "0.30", "=1+1"), ("amount", "0.305", f"B{day.make.tag}G"),
    ):  # fmt: skip
        line = f"F-{day.make.tag},fee,debit,{amount},{statement_on} 10:00:00,{statement_on},{reference},9.70"
        text = "\r\n".join([COLUMNS, ",opening,,,,,,10.00", line, ",closing,,,,,,9.70"])
        body = {"format": "csv", "content": base64.b64encode(text.encode()).decode()}
        day.actors["bank"].write(f"file.{label}", "PUT", path, body, operation_id="submitStatementFile")


def _bank(day: Day) -> None:
    bank, authority = day.actors["bank"], day.actors["authority"]
    body = {
        "external_id": f"ras-{day.make.tag}", "institution_id": day.ids["institution"], "model_name": "conformance",
        "model_version": "1", "score": 640, "reasons": ["conformance"], "assessed_at": _now(),
    }  # fmt: skip
    made = bank.write("assessment.submit", "POST", "/v1/risk-assessments", body, operation_id="submitRiskAssessment")
    identifier = (made.json() or {}).get("id", "ras_" + "0" * 26)
    authority.get("assessment.read", f"/v1/risk-assessments/{identifier}", operation_id="getRiskAssessment")
    path = f"/v1/banks/{bank.client_id}/service-report"
    authority.get("service.report", path, operation_id="getBankServiceReport")


def _line(day: Day, account: str, kind: str, number: int) -> Document:
    return {
        "external_id": f"stray-{day.make.tag}-{number}", "account_id": account, "kind": kind, "direction": "debit",
        "amount_fen": 30, "booked_at": _now(), "value_on": day.make.day(0), "balance_after_fen": 0,
        "bank_reference": f"S{day.make.tag}{number}",
    }  # fmt: skip


def _now() -> str:
    return datetime.now(SHANGHAI).isoformat(timespec="seconds")
