"""Accounts frozen and settled by a department, files of banks, warnings, and what is known of a bank's service."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, member, problem, some, status
from offcampus_conformance.record import View

P = "platform"


@check(
    "P-FREEZE-001", profile=P, level="MUST", requirements=("M-09.1", "M-18.1"), needs=("P-PAY-001",),
    sends="a department freezes the account and unfreezes it; the bank carries both out",
    remedy_en="A freeze counts from the order; releases go on only when the bank has carried the unfreezing out.",
    remedy_zh="冻结自下达即生效；银行执行解冻后方可恢复拨付。",
)  # fmt: skip
def a_freeze_counts_at_once_and_ends_when_the_bank_says_so(view: View) -> None:
    """Frozen by the order, frozen still when unfreezing is ordered, open when the bank has executed it."""
    for label, state in (
        ("op.freezeCustodyAccount", "frozen"), ("freeze.ordered", "frozen"), ("op.unfreezeCustodyAccount", "frozen"), ("unfreeze.ordered", "frozen"),
        ("unfreeze.executed", "open"),
    ):  # fmt: skip
        answer = status(view.step(label), 200)
        equal(state, member(answer.json(), "state", answer), "state", answer)


@check(
    "P-DIFF-001", profile=P, level="MUST", requirements=("M-14.1", "M-09.1"), needs=("P-PAY-001",),
    sends="a line that matches nothing; a settlement proposed, approved by its proposer, approved by another person",
    remedy_en="Keep every difference with type, state and owner; let a second person approve what settles it.",
    remedy_zh="每项差异须有类型、状态与责任方；处理须由第二人批准。",
)  # fmt: skip
def a_difference_is_settled_by_two_persons(view: View) -> None:
    """It is on the list, the proposer is refused as approver, and another officer settles it."""
    listed = status(view.step("op.listDifferences"), 200)
    entries = [entry for entry in member(listed.json(), "items", listed) if entry["type"] == "fee"]
    some(entries, "differences of a fee", listed)
    equal({("open", "institution")}, {(entry["state"], entry["owner"]) for entry in entries}, "state, owner", listed)
    status(view.step("op.proposeSettlement"), 200)
    problem(view.step("difference.approve_own"), 409, "settlement.same_person")
    settled = status(view.step("op.approveSettlement"), 200)
    equal("settled", member(settled.json(), "state", settled), "state", settled)


@check(
    "P-FILE-001", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-PAY-001",),
    sends="a statement as CSV; the same with a formula for a reference, and with a tenth of a fen",
    remedy_en="Refuse formulas and amounts that are no whole fen, by row and column; take the rest as a statement.",
    remedy_zh="拒绝公式与非整分金额并指明行列，其余按对账单处理。",
)  # fmt: skip
def a_statement_file_is_read_exactly_or_refused(view: View) -> None:
    """The lawful file is a statement; the spoilt ones are refused by name."""
    status(view.step("op.submitStatementFile"), 200)
    problem(view.step("file.formula"), 422, "statement.file_invalid")
    problem(view.step("file.amount"), 422, "statement.file_invalid")


@check(
    "P-WARN-001", profile=P, level="MUST", requirements=("M-09.1", "M-17.1"), needs=("P-PAY-001",),
    sends="a line by which an account is swept to headquarters",
    remedy_en="Raise a warning for the department at once, open until it is handled and closed.",
    remedy_zh="即时向主管部门预警，处置并办结前保持有效。",
)  # fmt: skip
def a_sweep_raises_a_warning(view: View) -> None:
    """The department finds it open on its list."""
    listed = status(view.step("op.listWarnings"), 200)
    signs = {entry["sign"] for entry in member(listed.json(), "items", listed)}
    equal(True, "sweep" in signs, "a warning of the sweep", listed)


@check(
    "P-BANK-001", profile=P, level="SHOULD", requirements=("M-09.2", "M-09.3"), needs=("P-PAY-001",),
    sends="a risk assessment by the bank; the department reads the report on the bank's service",
    remedy_en="Count what a bank reported in a period; store its assessments and show them to the department.",
    remedy_zh="统计银行报送情况；存储其评估并供主管部门查阅。",
)  # fmt: skip
def what_a_bank_does_is_counted_and_what_it_says_is_kept(view: View) -> None:
    """The report counts the movements of the day, and the assessment is read as it was submitted."""
    made = status(view.step("op.submitRiskAssessment"), 201)
    read = status(view.step("assessment.read"), 200)
    equal(made.json(), read.json(), "the assessment", made, read)
    report = status(view.step("op.getBankServiceReport"), 200)
    movements = member(report.json(), "movements", report)
    equal(True, movements["count"] >= 4, "at least the four movements of the day are counted", report)
