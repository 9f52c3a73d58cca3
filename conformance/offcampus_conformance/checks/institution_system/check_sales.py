"""What a vendor's system says of pupils, contracts, orders and refunds: the sums, dates and names that were agreed."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.checks.institution_system.as_asked import given, one, same_instant
from offcampus_conformance.checks.traffic import (
    done,
    during,
    known,
    nothing_after,
    own_reference,
    sent,
    tricked,
    tried,
)
from offcampus_conformance.expect import equal
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import NotMet, View

P = "institution-system"
TRUE = ("M-07.2",)
SALE = ("M-07.2", "M-07.3", "M-14.1")
ORDERS = ("place-order-one", "place-order-two", "place-order-three", "order-four")
NAME_LENGTH = 5


@check(
    "IS-TEXT-001", profile=P, level="MUST", requirements=TRUE, title_zh="姓名完整送达",
    sends="a pupil whose name has a rare ideograph (U+20BB7) and a middle dot",
    remedy_en="Keep names as Unicode text end to end: UTF-8 in storage and on the wire, no cutting by bytes or UTF-16 units.",
    remedy_zh="姓名全程保持 Unicode：存储与传输均为 UTF-8，不按字节或 UTF-16 单元截断。",
)  # fmt: skip
def names_arrive_whole(view: View) -> None:
    """A name with a rare ideograph arrives with every character (its length shows through the redaction)."""
    done(view, "register-pupil-one")
    found = sent(view, "registerPupil")
    if not found:
        raise NotMet("no pupil arrived")
    for exchange in found:
        equal(NAME_LENGTH, len((exchange.sent() or {}).get("name", "")), "characters of the name", exchange)


@check(
    "IS-TEXT-002", profile=P, level="MUST", requirements=TRUE, title_zh="文本不作改写",
    sends="a title with a circled digit, a Roman numeral sign and half-width kana",
    remedy_en="Send texts as they were entered: no normalisation (NFKC), no change of width, no trimming inside.",
    remedy_zh="文本按录入内容报送，不作 NFKC 归一、全半角转换或内部删改。",
)  # fmt: skip
def texts_are_not_rewritten(view: View) -> None:
    """A title arrives character by character as it was entered."""
    wanted, exchange, body = one(view, "add-material-one", "createMaterial")
    equal(wanted["title"], body.get("title"), "/title", exchange)


@check(
    "IS-EXT-001", profile=P, level="MUST", requirements=TRUE, title_zh="自有编号区分大小写",
    sends="two pupils whose references differ by case alone",
    remedy_en="Compare and store references as they are: pup-a and PUP-A are two.",
    remedy_zh="自有编号按原样存储与比较：pup-a 与 PUP-A 为两个编号。",
)  # fmt: skip
def references_differ_by_case(view: View) -> None:
    """References that differ by case alone stay two."""
    pairs = [given(view, step)["external_id"] for step in ("register-pupil-two", "register-pupil-three")]
    found = [
        exchange
        for step in ("register-pupil-two", "register-pupil-three")
        for exchange in during(view, step, "registerPupil")
    ]
    if len(found) < 2:
        raise NotMet("the two pupils did not arrive")
    got = [own_reference(exchange) for exchange in found]
    if len(set(got)) < 2:
        deviate(f"two references, as {pairs[0]} and {pairs[1]}", f"{got[0]} for both", *found, where="/external_id")
    if {str(name).casefold() for name in got} == {pairs[0].casefold()}:
        equal(set(pairs), set(got), "/external_id of the two pupils", *found)


@check(
    "IS-TIME-003", profile=P, level="MUST", requirements=TRUE, title_zh="日期按北京时间",
    sends="a contract that was signed half an hour after midnight",
    remedy_en="Take dates in Asia/Shanghai: half past midnight belongs to the day that has begun, whatever UTC says.",
    remedy_zh="日期按 Asia/Shanghai：零点三十分属于当日，与 UTC 无关。",
)  # fmt: skip
def dates_are_those_of_shanghai(view: View) -> None:
    """A contract that was signed just after midnight has the date of that day."""
    wanted, exchange, body = one(view, "sign-contract-one", "createContract")
    equal(wanted["signed_on"], body.get("signed_on"), "/signed_on", exchange)


@check(
    "IS-MONEY-001", profile=P, level="MUST", requirements=SALE, title_zh="订单总额等于明细之和减优惠",
    remedy_en="total_fen = sum of price_lines - discount_fen, to the fen.",
    remedy_zh="total_fen 等于 price_lines 之和减去 discount_fen，分毫不差。",
)  # fmt: skip
def totals_add_up(view: View) -> None:
    """The total of each order is the sum of its lines less the discount."""
    found = sent(view, "createOrder")
    if not found:
        raise NotMet("no order arrived")
    for exchange in found:
        body = exchange.sent() or {}
        lines = sum(line.get("amount_fen", 0) for line in body.get("price_lines", []) if isinstance(line, dict))
        equal(lines - body.get("discount_fen", 0), body.get("total_fen"), "/total_fen", exchange)


@check(
    "IS-MONEY-002", profile=P, level="MUST", requirements=SALE, title_zh="订单金额与实际成交一致",
    remedy_en="Report the sums that the family agreed to, in fen: 4,800.00 yuan are 480000.",
    remedy_zh="按家长确认的金额以分报送：4800.00元为480000。",
)  # fmt: skip
def sums_are_those_agreed(view: View) -> None:
    """Lines, discount and total of each order are those of the sale."""
    for step in ORDERS:
        wanted, exchange, body = one(view, step, "createOrder")
        amounts = [line.get("amount_fen") for line in body.get("price_lines", []) if isinstance(line, dict)]
        parts = list(during(view, step, "createOrder"))
        if len({own_reference(part) for part in parts}) > 1:
            continue  # a sale in several orders is named by IS-MONEY-003
        equal([line["amount_fen"] for line in wanted["price_lines"]], amounts, "/price_lines/amount_fen", exchange)
        equal(wanted["discount_fen"], body.get("discount_fen"), "/discount_fen", exchange)


@check(
    "IS-MONEY-003", profile=P, level="MUST", requirements=SALE, title_zh="一次购买即一个订单，不得拆单",
    remedy_en="Report one purchase as one order: splitting it to stay below a limit is what the limit is about.",
    remedy_zh="一次购买报送为一个订单，不得为规避限额拆分。",
)  # fmt: skip
def a_purchase_is_one_order(view: View) -> None:
    """One purchase arrives as one order with all its hours."""
    for step in ORDERS:
        wanted, _, _ = one(view, step, "createOrder")
        found = during(view, step, "createOrder")
        smaller = [e for e in found if (e.sent() or {}).get("class_hours_centi", 0) < wanted["class_hours_centi"]]
        if smaller:
            deviate(f"one order of {wanted['class_hours_centi']} hundredths of an hour",
                    f"{len({own_reference(e) for e in found})} order(s) of less", *smaller)  # fmt: skip


@check(
    "IS-SALE-001", profile=P, level="MUST", requirements=("M-07.2", "M-15.1"), title_zh="机构暂停期间不得售课",
    sends="the institution is suspended, the event is delivered; later somebody tries to sell",
    remedy_en="Read institution events; while the institution is suspended or removed, let the product refuse to sell.",
    remedy_zh="读取机构事件；机构被暂停或移出期间系统应拒绝售课。",
)  # fmt: skip
def a_suspended_institution_sells_nothing(view: View) -> None:
    """After the suspension was told no order arrives."""
    if not view.step("delivery.institution-suspended").accepted:
        raise NotMet("the delivery of the suspension was not taken")
    nothing_after(
        view, "moment.institution-suspended", "step.order-while-suspended",
        lambda e: e.operation_id == "createOrder", "order",
    )  # fmt: skip


@check(
    "IS-SALE-002", profile=P, level="MUST", requirements=("M-07.2", "M-14.1"), title_zh="取消订单须报送",
    sends="an order is cancelled in the product before it was paid",
    remedy_en="Send cancelOrder when an order is called off.",
    remedy_zh="订单取消时调用 cancelOrder。",
)  # fmt: skip
def cancelled_orders_are_told(view: View) -> None:
    """An order that is cancelled in the product is cancelled at the platform."""
    asked, found = done(view, "cancel-order"), during(view, "cancel-order", "cancelOrder")
    order = given(view, "cancel-order")["id"]
    if not any(order in exchange.url for exchange in found):
        deviate(f"the cancellation of {order}", f"{len(found)} request(s)", *(found or [asked]), sure=Sure.SILENCE)


@check(
    "IS-REFUND-001", profile=P, level="MUST", requirements=("M-18.2", "M-14.1"), title_zh="退费申请对应正确订单与事由",
    remedy_en="Ask for the refund of the order that it is about, with the reason and the moment that were given.",
    remedy_zh="退费申请须对应实际订单，如实填写事由与时间。",
)  # fmt: skip
def refunds_are_asked_as_they_were(view: View) -> None:
    """The request for a refund names order, reason and moment as they were given."""
    wanted, exchange, body = one(view, "request-refund", "requestRefund")
    for name in ("order_id", "reason", "asked_by"):
        equal(wanted[name], body.get(name), f"/{name}", exchange)
    if not same_instant(wanted["requested_at"], body.get("requested_at")):
        deviate(wanted["requested_at"], str(body.get("requested_at")), exchange, where="/requested_at")


@check(
    "IS-REFUND-002", profile=P, level="MUST", requirements=("M-18.2", "M-QA.6"), title_zh="同意退费须送达平台",
    sends="a family asks for a refund at the platform; the institution agrees in the product",
    remedy_en="Send approveRefund for the refund that the event named; silence costs the family days.",
    remedy_zh="对事件所指退费调用 approveRefund，不得以沉默拖延。",
)  # fmt: skip
def consent_to_a_refund_arrives(view: View) -> None:
    """The institution's consent arrives, for the refund that it is about, and is taken."""
    asked = done(view, "approve-refund")
    refund, found = known(asked, "refund.2"), during(view, "approve-refund", "approveRefund")
    if not any(refund in exchange.url and exchange.status == 200 for exchange in found):
        deviate(f"consent to {refund} that is taken", f"{len(found)} request(s)", *(found or [asked]))


@check(
    "IS-REFUND-003", profile=P, level="MUST", requirements=("M-18.2", "M-14.1"), title_zh="异议须载明事由与所证课时记录",
    remedy_en="Object with the true ground, the reason, and the records of the hours that were taught.",
    remedy_zh="异议须如实填写事由、理由与已授课时记录。",
)  # fmt: skip
def objections_name_their_ground_and_proof(view: View) -> None:
    """An objection carries ground, reason and records as they were given."""
    asked = done(view, "object-to-refund")
    wanted, found = given(view, "object-to-refund")["objection"], during(view, "object-to-refund", "objectToRefund")
    if not found:
        deviate("an objection", "none arrived", asked, sure=Sure.SILENCE)
    body = found[-1].sent() or {}
    equal(wanted["ground"], body.get("ground"), "/ground", found[-1])
    equal(sorted(wanted["records"]), sorted(body.get("records", [])), "/records", found[-1])


@check(
    "IS-REFUSE-001", profile=P, level="MUST", requirements=("M-07.2", "M-07.3"), title_zh="平台拒绝须告知用户",
    sends="an order that the platform refuses by a rule",
    remedy_en="Show a refusal to the person who did it; a sale that the platform refused has not happened.",
    remedy_zh="平台拒绝须告知操作人员，被拒的销售视为未发生。",
)  # fmt: skip
def refusals_are_told(view: View) -> None:
    """A refused order is told as refused, not as done."""
    tricked(view, "refuse")
    asked = tried(view, "place-order-refused")
    answer = asked.json()
    told = isinstance(answer, dict) and any(answer.get(name) for name in ("refused", "error"))
    if asked.status in (200, 202) and not told:
        deviate("refused (422), or an answer that says so", f"{asked.status}, as if it were done", asked)
