"""Risk assessments by banks, and the report on how well a bank serves."""

from __future__ import annotations

from typing import Any

import pytest
from money import event_types, fail, in_contract, line, moving, report_lines, take
from world import Document, World, problem


@pytest.fixture
def paid(world: World) -> World:
    return world.ready()


def assessment(world: World, **changes: Any) -> Document:
    return {
        "external_id": world.fresh("ras"), "institution_id": world.ids["institution"], "model_name": "资金风险模型",
        "model_version": "2.3", "score": 640, "reasons": ["支出大于消课对应金额"], "assessed_at": world.now.isoformat(),
        **changes,
    }  # fmt: skip


def test_a_bank_submits_what_its_model_says(paid: World) -> None:
    """Once per reference; read by the bank and the department, not by the institution that it is about."""
    sent = assessment(paid)
    made = paid.ok(paid.bank.post("/v1/risk-assessments", sent), 201)
    assert paid.ok(paid.bank.post("/v1/risk-assessments", sent), 200) == made
    assert (made["score"], made["bank_id"]) == (640, paid.bank.client_id)
    problem(paid.bank.post("/v1/risk-assessments", {**sent, "score": 1}), 409, "resource.exists")
    for name in ("bank", "authority"):
        assert paid.ok(paid.parties[name].get("/v1/risk-assessments"))["items"] == [made]
        assert paid.ok(paid.parties[name].get(f"/v1/risk-assessments/{made['id']}")) == made
    problem(paid.vendor.get("/v1/risk-assessments"), 403, "auth.scope")
    assert event_types(paid, made["id"]) == ["risk_assessment.submitted"]


def test_a_bank_assesses_whom_it_keeps_an_account_for(paid: World) -> None:
    """Another institution is none of its business, whether it exists or not."""
    paid.open_institution()
    for institution_id in (paid.ids["institution"], "ins_" + "0" * 26):
        answer = paid.bank.post("/v1/risk-assessments", assessment(paid, institution_id=institution_id))
        problem(in_contract(answer, "submitRiskAssessment"), 422, "reference.not_found", "/institution_id")
    problem(paid.bank.get("/v1/risk-assessments/ras_" + "0" * 26), 404, "resource.not_found")


def report(world: World, **query: str) -> Any:
    return world.authority.get(f"/v1/banks/{world.bank.client_id}/service-report", **query)


def test_a_banks_service_is_counted_as_it_was(paid: World) -> None:
    """Timeliness, failures, differences, days without a statement: from what the bank did, to the second and the line."""
    paid.confirm(*paid.report(1))
    (release,) = moving(paid)
    paid.ok(fail(paid, release["id"]))
    take(paid, {**paid.receipt_document(1, 30), "kind": "fee", "direction": "debit"})
    booked = paid.now.isoformat(timespec="seconds")
    paid.shift(seconds=90)
    report_lines(paid, line(paid, release, booked_at=booked, kind="other", direction="credit"))
    found = paid.ok(report(paid))
    assert (found["movements"]["count"], found["movements"]["unmatched"]) == (4, 2)
    assert found["movements"]["reported_after"]["longest_s"] >= 90
    assert found["instructions"] == {
        "count": 1, "executed": 0, "failed": 1, "unresolved": 0,
        "executed_after": {"half_s": None, "most_s": None, "longest_s": None},
    }  # fmt: skip
    days = found["statements"]
    assert (days["days_with_movements"], days["submitted"], days["missing"]) == (2, 0, 2)
    assert found["differences"]["by_type"] == [{"type": "fee", "count": 1}, {"type": "unlinked", "count": 1}]
    body = {"opening_balance_fen": 0, "closing_balance_fen": 1, "lines": []}
    paid.ok(paid.bank.write("PUT", f"/v1/statements/{paid.ids['account']}/{paid.day(-10)}", body))
    days = paid.ok(report(paid))["statements"]
    assert (days["submitted"], days["missing"], days["with_differences"]) == (1, 1, 1)
    assert 9 * 86_400 <= days["submitted_after"]["half_s"] <= 10 * 86_400
    empty = paid.ok(report(paid, since_on="2020-01-01", until_on="2020-02-01"))
    assert (empty["movements"]["count"], empty["statements"]["missing"]) == (0, 0)


def test_a_report_is_the_departments(paid: World) -> None:
    """Of banks that keep an account in its region; over a period that is one."""
    unknown = paid.authority.get("/v1/banks/pty_" + "0" * 26 + "/service-report")
    problem(in_contract(unknown, "getBankServiceReport"), 404, "resource.not_found")
    problem(paid.bank.get(f"/v1/banks/{paid.bank.client_id}/service-report"), 403, "auth.scope")
    for until in ("2026-01-01", "2025-12-31", "2028-01-01"):
        problem(report(paid, since_on="2026-01-01", until_on=until), 400, "request.query")
