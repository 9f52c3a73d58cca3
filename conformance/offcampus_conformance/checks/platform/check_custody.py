"""Custody beside the day's receipts: accounts, payments, instructions that fail, statements, balances, refunds."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.platform.check_money import PRICE_FEN, balanced
from offcampus_conformance.checks.platform.check_supply import cited
from offcampus_conformance.expect import equal, member, problem, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, View

P = "platform"


@check(
    "P-ORDER-004", profile=P, level="MUST", requirements=("M-07.3", "M-25.1"), needs=("P-ORDER-001",),
    sends="the accepted order, sold more than a month before its service begins",
    remedy_en="Judge how early fees are taken (precharge.too_early) by the rules in force on the order's date.",
    remedy_zh="按订单日期的现行规则审核提前收费（precharge.too_early）。",
)  # fmt: skip
def fees_are_not_taken_too_early(view: View) -> None:
    """Fees long before the service begins are refused with their citation."""
    cited(view.step("order.too_early"), "precharge.too_early")


@check(
    "P-ORDER-005", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-ORDER-001",),
    sends="an order of one pupil under the contract of another",
    remedy_en="Compare pupil, guardian, course and institution of order and contract: 422 reference.mismatch.",
    remedy_zh="核对订单与合同的学员、监护人、课程与机构，不一致返回422 reference.mismatch。",
)  # fmt: skip
def order_and_contract_belong_together(view: View) -> None:
    """References that do not belong together are refused."""
    problem(view.step("order.mismatch"), 422, "reference.mismatch")


@check(
    "P-ORDER-006", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-ORDER-001",),
    sends='an order with total_fen "4800.00"',
    remedy_en="Money is an integer of fen: refuse texts, yuan and points.",
    remedy_zh="金额为整数分，拒绝文本、元与小数。",
)  # fmt: skip
def yuan_are_not_fen(view: View) -> None:
    """An amount as text is refused at its place."""
    problem(view.step("order.yuan"), 422, "schema.invalid", "/total_fen")


@check(
    "P-ORDER-007", profile=P, level="MUST", requirements=("M-07.3",), needs=("P-ORDER-001",),
    sends="the cancellation of an unpaid order",
    remedy_en="Cancel what nobody has paid: state cancelled, no money moved.",
    remedy_zh="未付款订单可取消，状态为 cancelled，不动账。",
)  # fmt: skip
def an_unpaid_order_is_cancelled(view: View) -> None:
    """It ends, and nothing was paid."""
    ended = status(view.step("op.cancelOrder"), 200)
    equal("cancelled", member(ended.json(), "state", ended), "state", ended)
    equal(0, member(ended.json(), "paid_fen", ended), "paid_fen", ended)


@check(
    "P-PAY-002", profile=P, level="MUST", requirements=("M-07.3", "M-09.1"), needs=("P-ORDER-001",),
    sends="a payment before any custody account was opened",
    remedy_en="In POST /v1/payments demand an open custody account of the institution: 422 custody.account_missing.",
    remedy_zh="POST /v1/payments 须已有该机构的监管账户，否则返回422 custody.account_missing。",
)  # fmt: skip
def nothing_is_paid_past_custody(view: View) -> None:
    """Without a custody account there is nowhere to pay to."""
    problem(view.step("payment.no_account"), 422, "custody.account_missing")


@check(
    "P-PAY-003", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-PAY-001",),
    sends="a payment whose parts are one fen short of the order",
    remedy_en="The parts of a payment add up to what the order costs: 422 money.sum_mismatch.",
    remedy_zh="付款分项合计须等于订单应付，否则返回422 money.sum_mismatch。",
)  # fmt: skip
def the_parts_of_a_payment_add_up(view: View) -> None:
    """One fen short is refused."""
    problem(view.step("payment.short"), 422, "money.sum_mismatch")


@check(
    "P-PAY-004", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-PAY-001",),
    sends="the order after the payment was announced and before the bank reported it",
    remedy_en="Count as paid what the bank has reported (or the channel has captured), not what was announced.",
    remedy_zh="以银行报送（或渠道确认）为准计入已付，不以付款申请为准。",
)  # fmt: skip
def a_promise_is_no_money(view: View) -> None:
    """Announced and not received: nothing is paid."""
    promised = view.step("order.promised")
    equal(0, balanced(promised)["paid_fen"], "paid_fen", promised)


@check(
    "P-REL-003", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-REL-002",),
    sends="a failure of an instruction that was executed",
    remedy_en="An executed instruction cannot fail afterwards: 409 instruction.resolved; a reversal has a movement of its own.",
    remedy_zh="已执行的指令不得再报失败，返回409 instruction.resolved；冲回须以流水报送。",
)  # fmt: skip
def what_was_executed_does_not_fail(view: View) -> None:
    """The result of an instruction is its first."""
    problem(view.step("release.fail_executed"), 409, "instruction.resolved")


@check(
    "P-REL-004", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-REL-002",),
    sends="a failure of an instruction to release; then its execution; the order before and after",
    remedy_en="A failed instruction is over: void what was pending for it, release nothing, refuse its execution (409 instruction.resolved).",
    remedy_zh="失败的指令即告终结：作废挂账、不予拨付，其后的执行报送返回409 instruction.resolved。",
)  # fmt: skip
def a_failed_instruction_moves_nothing(view: View) -> None:
    """The failed one stays failed, and no fen was released by it."""
    failed = status(view.step("op.failCustodyInstruction"), 200)
    equal("failed", member(failed.json(), "state", failed), "state", failed)
    problem(view.step("failure.execute_failed"), 409, "instruction.resolved")
    before, after = status(view.step("failure.before"), 200), status(view.step("failure.after"), 200)
    sums, then = balanced(after), balanced(before)
    equal(then["released_fen"], sums["released_fen"], "released_fen after the failure", before, after)


@check(
    "P-REF-004", profile=P, level="MUST", requirements=("M-18.2", "M-14.1"), needs=("P-REF-003",),
    sends="a refund of an order that was paid back",
    remedy_en="Refuse a refund when nothing is left: 409 refund.nothing_left, or resource.state where the order has ended.",
    remedy_zh="无余额时拒绝退费：409 refund.nothing_left；订单已终结时为 resource.state。",
)  # fmt: skip
def what_was_paid_back_is_not_paid_back_again(view: View) -> None:
    """A second refund after the first finds nothing."""
    exchange = status(view.step("refund.nothing_left"), 409)
    code = (exchange.json() or {}).get("code")
    problem(exchange, 409, code if code == "resource.state" else "refund.nothing_left")


@check(
    "P-REF-005", profile=P, level="MUST", requirements=("M-18.2", "M-16.1", "M-25.1"), needs=("P-REF-002",),
    sends="an objection on the ground that the contract excludes refunds",
    remedy_en="Judge the ground of an objection by the rules: a term that excludes refunds is void (refund.refused_by_void_term, cited).",
    remedy_zh="按规则审核拒退理由：约定不退的条款无效（refund.refused_by_void_term，附依据）。",
)  # fmt: skip
def a_void_term_is_no_ground(view: View) -> None:
    """The objection is refused with its citation, and the refund stands."""
    cited(view.step("refund.void_ground"), "refund.refused_by_void_term")


@check(
    "P-REF-006", profile=P, level="MUST", requirements=("M-16.1", "M-18.2"), needs=("P-REF-002",),
    sends="a ruling before anybody objected; then objection and ruling for the family",
    remedy_en="Rule on what was objected to; a ruling for the family is worked out and instructed at once, and paid to the fen.",
    remedy_zh="仅对有异议的退费裁定；支持家长时即时核算并下达指令，分毫不差。",
)  # fmt: skip
def a_ruling_ends_an_objection(view: View) -> None:
    """Not before the objection; after it the whole rest is paid back."""
    problem(view.step("refund.rule_unasked"), 409, "resource.state")
    objected = status(view.step("op.objectToRefund"), 200)
    equal("objected", member(objected.json(), "state", objected), "state", objected)
    ended = status(view.step("refund.ruled"), 200)
    equal(("paid", PRICE_FEN), (ended.json().get("state"), ended.json().get("amount_fen")), "state, amount_fen", ended)
    equal(PRICE_FEN, balanced(view.step("order.ruled"))["refunded_fen"], "refunded_fen", view.step("order.ruled"))


@check(
    "P-REF-007", profile=P, level="MUST", requirements=("M-18.2", "M-14.1"), needs=("P-REF-006",),
    sends="an objection that rests on a record of nobody",
    remedy_en="In POST /v1/refunds/{id}/objection look up each record that proves taught hours: 422 reference.not_found at /records/n.",
    remedy_zh="POST /v1/refunds/{id}/objection 须逐条核对所引消课记录，不存在的返回422 reference.not_found（/records/n）。",
)  # fmt: skip
def hours_are_proven_by_records(view: View) -> None:
    """A record that does not exist proves nothing."""
    problem(view.step("refund.unknown_record"), 422, "reference.not_found", "/records/0")


@check(
    "P-STMT-001", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-PAY-001",),
    sends="a day's statement that agrees, one without two of its lines, and the right one again",
    remedy_en="Compare each line with the movements reported: name what is missing, and agree again when it is corrected.",
    remedy_zh="逐行核对流水，指明缺失；更正后恢复对平。",
)  # fmt: skip
def a_statement_agrees_or_says_where_not(view: View) -> None:
    """Reconciled, broken with each difference named, reconciled."""
    first, broken, last = (
        status(view.step(label), 200)
        for label in ("op.submitStatement", "statement.missing_line", "statement.corrected")
    )
    equal(("reconciled", []), _outcome(first), "state, differences", first)
    equal("broken", broken.json().get("state"), "state", broken)
    types = sorted({entry["type"] for entry in member(broken.json(), "breaks", broken)})
    equal(True, "missing_line" in types, f"a missing_line among {types}", broken)
    equal(("reconciled", []), _outcome(last), "state, differences after the correction", last)


def _outcome(statement: Exchange) -> tuple[str, list[str]]:
    body = statement.json()
    return str(body.get("state")), [entry["type"] for entry in member(body, "breaks", statement)]


@check(
    "P-BAL-001", profile=P, level="MUST", requirements=("M-09.1", "M-18.1"), needs=("P-PAY-001",),
    sends="a balance of one fen, in answer to the department's question",
    remedy_en="Compare a reported balance with the movements to the fen: say what was expected, open a difference, and take the answer as the execution.",
    remedy_zh="逐分核对报送余额与流水，给出期望值并生成差异；报送即为指令执行。",
)  # fmt: skip
def a_balance_is_held_against_the_movements(view: View) -> None:
    """A wrong balance becomes a difference; the question is answered by it."""
    told = status(view.step("op.submitBalance"), 201)
    body = told.json()
    if member(body, "expected_fen", told) == body.get("balance_fen"):
        deviate("an expected balance other than the reported one", body["expected_fen"], told, where="/expected_fen")
    if not member(body, "difference_id", told):
        deviate("a difference", "none", told, where="/difference_id")


@check(
    "P-CLOSE-001", profile=P, level="MUST", requirements=("M-09.1",), needs=("P-PAY-001",),
    sends="the closure of the account with money in it, and of the empty one",
    remedy_en="Close an account only when both books show nothing and nothing is under way: 409 custody.not_empty.",
    remedy_zh="双方账面均为零且无在途指令方可销户，否则返回409 custody.not_empty。",
)  # fmt: skip
def only_an_empty_account_is_closed(view: View) -> None:
    """With money or differences in it an account stays."""
    problem(view.step("close.not_empty"), 409, "custody.not_empty")
    closed = status(view.step("op.closeCustodyAccount"), 200)
    equal("closed", member(closed.json(), "state", closed), "state", closed)


@check(
    "P-DIFF-002", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-DIFF-001",),
    sends="a booking that does not fit the difference; a proposal that a second person rejects",
    remedy_en="Offer only settlements that fit the difference (409 settlement.not_applicable); a rejected one leaves it open.",
    remedy_zh="仅接受适用于该差异的处理（否则409 settlement.not_applicable）；驳回后差异恢复待处理。",
)  # fmt: skip
def a_settlement_fits_and_may_be_rejected(view: View) -> None:
    """What does not fit is refused; what was rejected is open again."""
    problem(view.step("difference.not_applicable"), 409, "settlement.not_applicable")
    rejected = status(view.step("op.rejectSettlement"), 200)
    equal("open", member(rejected.json(), "state", rejected), "state", rejected)


@check(
    "P-WARN-002", profile=P, level="MUST", requirements=("M-17.1",), needs=("P-WARN-001",),
    sends="the closing of a warning that nobody has handled; then handling and closing",
    remedy_en="A warning is closed after it was handled: 409 resource.state before.",
    remedy_zh="预警须先处置后办结，否则返回409 resource.state。",
)  # fmt: skip
def a_warning_is_handled_before_it_is_closed(view: View) -> None:
    """Open, handled, closed: in this order."""
    problem(view.step("warning.close_unhandled"), 409, "resource.state")
    for label, state in (("op.handleWarning", "handled"), ("op.closeWarning", "closed")):
        answer = status(view.step(label), 200)
        equal(state, member(answer.json(), "state", answer), "state", answer)


@check(
    "P-FILE-002", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-FILE-001",),
    sends="a statement file with 1,000.30 in the place of an amount",
    remedy_en="Read yuan with at most two decimals and no separators; refuse what else stands there, by row and column.",
    remedy_zh="金额以元计、至多两位小数且无千分位，其他写法按行列拒绝。",
)  # fmt: skip
def amounts_in_files_have_one_form(view: View) -> None:
    """A thousands separator is not guessed at."""
    problem(view.step("file.thousands"), 422, "statement.file_invalid")


@check(
    "P-LOG-001", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-ANSWER-getLogCheckpoint",),
    sends="a proof of consistency beyond the newest signed head",
    remedy_en="Prove nothing beyond the newest signed head: 400 request.query.",
    remedy_zh="超出最新已签名树根的证明请求返回400 request.query。",
)  # fmt: skip
def nothing_is_proven_beyond_the_signed_head(view: View) -> None:
    """What is not signed is not proven."""
    problem(view.step("log.beyond"), 400, "request.query")


@check(
    "P-DEC-001", profile=P, level="MUST", requirements=("M-25.1", "M-14.1"), needs=("P-ORDER-002",),
    sends="the decisions of the day, as the authority reads them",
    remedy_en="Keep every decision, refusals too, with the rules, versions and values that made it.",
    remedy_zh="保存每次判定（含拒绝）及其规则、版本与取值。",
)  # fmt: skip
def decisions_are_kept_with_their_rules(view: View) -> None:
    """Allowed and refused alike are on the list, each with the rules that made it."""
    listed = status(view.step("op.listDecisions"), 200)
    outcomes = {entry.get("outcome") for entry in member(listed.json(), "items", listed)}
    equal(True, {"allow", "refuse"} <= outcomes, f"allow and refuse among {sorted(map(str, outcomes))}", listed)
    for entry in listed.json()["items"]:
        if not (entry.get("rules_digest") or entry.get("plugins") or entry.get("rules")):
            deviate("the rules that made it", sorted(entry), listed, where="/items")
