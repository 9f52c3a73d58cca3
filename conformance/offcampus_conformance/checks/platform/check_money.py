"""Orders under the pre-charge rules, custody, consumption, release, refund: every fen accounted for."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.platform.check_supply import cited, item_refused
from offcampus_conformance.expect import equal, member, problem, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, View

P = "platform"
PRICE_FEN, HOURS_CENTI, LESSON_CENTI = 480_000, 4000, 200
MONEY = ("paid_fen", "released_fen", "refunded_fen", "escrow_fen", "pending_release_fen", "pending_refund_fen")


def balanced(exchange: Exchange) -> dict[str, int]:
    """paid = escrow + released + refunded + what is under way, and nothing below zero."""
    body = status(exchange, 200).json()
    sums = {name: member(body, name, exchange) for name in MONEY}
    if any(amount < 0 for amount in sums.values()):
        deviate("no amount below zero", sums, exchange)
    equal(sums["paid_fen"], sum(sums.values()) - sums["paid_fen"], "escrow + released + refunded + pending", exchange)
    return sums


@check(
    "P-ORDER-001", profile=P, level="MUST", requirements=("M-07.3", "M-07.4", "M-14.1"), needs=("P-COURSE-001",),
    sends="pupil, contract and an order within every limit",
    remedy_en="Accept an order within the limits; it awaits payment and has nothing paid.",
    remedy_zh="接受限额内的订单，状态为待付款。",
)  # fmt: skip
def a_lawful_order_is_accepted(view: View) -> None:
    """Pupil and contract are accepted, and the order awaits its payment."""
    status(view.step("op.registerPupil"), 200, 201)
    status(view.step("op.createContract"), 200, 201)
    created = status(view.step("op.createOrder"), 201)
    equal("awaiting_payment", member(created.json(), "state", created), "state", created)


@check(
    "P-ORDER-002", profile=P, level="MUST", requirements=("M-07.3", "M-25.1"), needs=("P-ORDER-001",),
    sends="the accepted order with one change each: 61 hours, 5,000.01 yuan, more than three months, a training loan",
    remedy_en="Judge every pre-charge by the rules in force on the contract's date; refuse with rule, source, limit and remedy.",
    remedy_zh="按合同日期的现行规则审核预收费，超限时列明规则、依据、限额与处理办法。",
)  # fmt: skip
def pre_charges_beyond_the_limits_are_refused(view: View) -> None:
    """Hours, amount, period and loan beyond what the rules allow are each refused with their citation."""
    for name, code in (
        ("hours", "precharge.hours_exceeded"), ("amount", "precharge.amount_exceeded"),
        ("span", "precharge.period_exceeded"), ("loan", "precharge.loan"),
    ):  # fmt: skip
        cited(view.step(f"order.{name}"), code)


@check(
    "P-ORDER-003", profile=P, level="MUST", requirements=("M-14.1",), needs=("P-ORDER-001",),
    sends="an order whose total is one fen less than its lines",
    remedy_en="total_fen = price lines - discount, to the fen.",
    remedy_zh="total_fen 等于收费项目之和减优惠，精确到分。",
)  # fmt: skip
def sums_agree_to_the_fen(view: View) -> None:
    """An order whose sums do not agree is refused at total_fen."""
    problem(view.step("order.sum"), 422, "money.sum_mismatch", "/total_fen")


@check(
    "P-PAY-001", profile=P, level="MUST", requirements=("M-07.3", "M-09.1", "M-14.1"), needs=("P-ORDER-001",),
    sends="two receipts of one payment, reported twice by the bank",
    remedy_en="Book each receipt once, by the bank's line id; the order is paid when all parts have arrived.",
    remedy_zh="按银行明细号每笔仅入账一次；全部分项到账后订单为已付款。",
)  # fmt: skip
def receipts_are_booked_once(view: View) -> None:
    """Both receipts reach the escrow, repeated reports change nothing, and the order is paid in full."""
    repeated = status(view.step("receipt.repeat"), 207)
    equal(["duplicate"] * 2, [r["outcome"] for r in repeated.json()["results"]], "outcome when repeated", repeated)
    paid = view.step("order.paid")
    sums = balanced(paid)
    equal(PRICE_FEN, sums["paid_fen"], "paid_fen", paid)
    equal("paid", paid.json()["state"], "state", paid)


@check(
    "P-CONS-001", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), needs=("P-PAY-001",),
    sends="lessons reported with proof; one in the future, one without teacher, one lesson twice",
    remedy_en="Take only what was taught: after the purchase, before now, by a teacher, once per lesson and order.",
    remedy_zh="仅接受真实授课：购买之后、当前之前、有授课人、同一课次与订单仅一次。",
)  # fmt: skip
def only_what_was_taught_is_consumed(view: View) -> None:
    """Records in the future, without a teacher, or for a lesson already reported are refused; the hours add up."""
    batch = status(view.step("op.reportConsumption"), 207)
    problems = [(result.get("problem") or {}).get("code") for result in batch.json()["results"]]
    equal([None] * 4, problems, "problems of the lawful records", batch)
    for name, code in (
        ("in_future", "consumption.in_future"), ("no_teacher", "schema.invalid"), ("again", "consumption.duplicate"),
    ):  # fmt: skip
        item_refused(view.step(f"consumption.{name}"), code)
    order = status(view.step("order.consumed"), 200)
    equal(4 * LESSON_CENTI, member(order.json(), "consumed_class_hours_centi", order), "consumed hours", order)


@check(
    "P-CONS-002", profile=P, level="MUST", requirements=("M-08.2", "M-14.1"), needs=("P-CONS-001",),
    sends="the guardian confirms one record, confirms it again, and disputes another",
    remedy_en="Exactly one outcome wins: a record is confirmed or disputed once; what comes later gets 409 resource.state.",
    remedy_zh="每条记录只有一个结果：确认或异议各一次，其后返回409 resource.state。",
)  # fmt: skip
def a_record_is_confirmed_or_disputed_once(view: View) -> None:
    """Confirming works once, disputing works, and each leaves the record in its state."""
    confirmed = status(view.step("op.confirmConsumption"), 200)
    equal("confirmed", confirmed.json().get("state"), "state", confirmed)
    problem(view.step("op.confirmConsumption.state.once_more"), 409, "resource.state")
    disputed = status(view.step("op.disputeConsumption"), 200)
    equal("disputed", disputed.json().get("state"), "state", disputed)


@check(
    "P-REL-001", profile=P, level="MUST", requirements=("M-14.1", "M-18.1", "M-09.1"), needs=("P-CONS-002",),
    sends="the bank executes the release of the one confirmed lesson",
    remedy_en="Release follows confirmed consumption: floor(price * confirmed / hours), neither more nor earlier.",
    remedy_zh="拨付随确认消课：价款×已确认课时÷总课时向下取整，不多不早。",
)  # fmt: skip
def released_follows_confirmed_consumption(view: View) -> None:
    """One confirmed lesson of twenty releases one twentieth; disputed and undecided ones release nothing."""
    released = view.step("order.released")
    sums = balanced(released)
    equal(PRICE_FEN * LESSON_CENTI // HOURS_CENTI, sums["released_fen"], "released_fen", released)


@check(
    "P-REL-002", profile=P, level="MUST", requirements=("M-09.1", "M-14.1"), needs=("P-REL-001",),
    sends="the same execution reported again, then with another bank reference",
    remedy_en="An instruction is executed once: the same report gets the same answer, another one 409 instruction.resolved.",
    remedy_zh="指令仅执行一次：相同报告返回相同应答，不同报告返回409 instruction.resolved。",
)  # fmt: skip
def an_instruction_is_executed_once(view: View) -> None:
    """Reporting an execution twice moves the money once."""
    first, again = (
        status(view.step("op.executeCustodyInstruction"), 200),
        status(view.step("release.execute_again"), 200),
    )
    equal(first.json(), again.json(), "the answer when repeated", first, again)
    problem(view.step("release.execute_otherwise"), 409, "instruction.resolved")


@check(
    "P-REF-001", profile=P, level="MUST", requirements=("M-18.2", "M-QA.6"), needs=("P-REL-001",),
    sends="GET /v1/orders/{id}/refund-quote",
    remedy_en="Show the working line by line; the lines add up to the amount; hold back what is reported and undecided.",
    remedy_zh="逐行列示计算过程，各行相加等于金额；已上报未定部分暂缓。",
)  # fmt: skip
def the_working_of_a_refund_adds_up(view: View) -> None:
    """The quote is the unconsumed rest, and the lines of its working add up to it."""
    quote = status(view.step("op.quoteRefund"), 200)
    body = quote.json()
    lines = [line for line in member(body, "working", quote) if line["line"] != "refund"]
    equal(body["amount_fen"], sum(line["amount_fen"] for line in lines), "sum of the working", quote)
    expected = PRICE_FEN - PRICE_FEN * 4 * LESSON_CENTI // HOURS_CENTI
    equal(expected, body["amount_fen"], "amount_fen", quote)


@check(
    "P-REF-002", profile=P, level="MUST", requirements=("M-18.2", "M-14.1"), needs=("P-REF-001",),
    sends="a refund, and a second one for the same order",
    remedy_en="At most one open refund per order: refuse the second with 409 refund.in_progress and change nothing.",
    remedy_zh="每个订单至多一笔进行中的退费，再次申请返回409 refund.in_progress。",
)  # fmt: skip
def a_second_refund_changes_nothing(view: View) -> None:
    """The first request is taken, the second is refused as in progress."""
    status(view.step("op.requestRefund"), 201)
    problem(view.step("refund.second"), 409, "refund.in_progress")


@check(
    "P-REF-003", profile=P, level="MUST", requirements=("M-18.2",), needs=("P-REF-002",),
    sends="the institution agrees and the bank pays each channel back",
    remedy_en="Pay back through the channels that paid, each at most what it paid, together exactly the amount.",
    remedy_zh="原路退回：各渠道不超过其付款额，合计等于应退金额。",
)  # fmt: skip
def refunds_go_back_through_the_channels_that_paid(view: View) -> None:
    """Both channels get their share, none more than it paid, together exactly the refund."""
    refund = status(view.step("refund.read"), 200)
    body = refund.json()
    parts = {part["channel"]: part["amount_fen"] for part in member(body, "parts", refund)}
    equal({"wechat", "bank_card"}, set(parts), "channels", refund)
    equal(body["amount_fen"], sum(parts.values()), "sum of the parts", refund)
    if parts["wechat"] > 300_000 or parts["bank_card"] > 180_000:
        deviate("no channel gets more than it paid", parts, refund)
    equal("paid", body.get("state"), "state", refund)


@check(
    "P-LEDG-001", profile=P, level="MUST", requirements=("M-14.1", "M-18.1"), needs=("P-REF-003",),
    sends="the order and every ledger line of it, after all that",
    remedy_en="Per order: paid = escrow + released + refunded + pending; the lines of the statement make these sums.",
    remedy_zh="每个订单：已付 = 托管余额 + 已拨付 + 已退费 + 在途；明细与合计一致。",
)  # fmt: skip
def every_fen_is_accounted_for(view: View) -> None:
    """The order's sums balance, and the ledger's lines add up to them."""
    order, statement = view.step("order.refunded"), view.step("op.getOrderStatement")
    sums = balanced(order)
    equal(sums, balanced(statement), "the statement's sums", order, statement)
    for kind, name in (("receipt", "paid_fen"), ("release", "released_fen"), ("refund", "refunded_fen")):
        lines = [line for line in statement.json()["lines"] if line["kind"] == kind and line["state"] == "posted"]
        equal(sums[name], sum(line["amount_fen"] for line in lines), f"sum of posted {kind} lines", statement)


@check(
    "P-EVENT-001", profile=P, level="MUST", requirements=("M-10.1", "M-04.1"), needs=("P-REF-003",),
    sends="the whole event feed",
    remedy_en="Write one event per state change in the change's own transaction; give each subject a rising sequence; lose none.",
    remedy_zh="每次状态变化在同一事务中写入事件，按主体递增序号，不丢失。",
)  # fmt: skip
def every_change_has_its_event(view: View) -> None:
    """Each step of the day is in the feed, ids are unique, and the sequence of a subject only rises."""
    pages = [status(page, 200) for page in view.steps("events.page.")]
    events = [event for page in pages for event in page.json()["items"]]
    ids = [event["id"] for event in events]
    equal(len(ids), len(set(ids)), "number of different event ids", *pages)
    last: dict[str, int] = {}
    for event in events:
        if int(event["sequence"]) < last.get(event["subject"], 0):
            deviate("rising sequence per subject", f"{event['type']} of {event['subject']}", *pages)
        last[event["subject"]] = int(event["sequence"])
    seen = {event["type"] for event in events}
    steps = ("institution.submitted", "institution.approved", "course.approved", "order.created", "order.paid",
             "consumption_record.reported", "consumption_record.confirmed", "refund.requested", "refund.paid")  # fmt: skip
    missing = {f"cn.offcampus.{step}.v1" for step in steps} - seen
    equal(set(), missing, "event types missing", *pages)
