"""What a vendor's system reports of lessons: truthfully, when they are over, once, and mended when it was wrong."""

from __future__ import annotations

from datetime import datetime

from offcampus_conformance.check import check
from offcampus_conformance.checks.institution_system.as_asked import (
    asked_records,
    given,
    one,
    reported,
    same_instant,
    taken,
)
from offcampus_conformance.checks.traffic import (
    accepted,
    done,
    during,
    items,
    known,
    nothing_after,
    records,
    sent,
    tried,
)
from offcampus_conformance.expect import equal
from offcampus_conformance.finding import Sure, deviate
from offcampus_conformance.record import Exchange, NotMet, View

P = "institution-system"
TRUE = ("M-07.2",)
LEDGER = ("M-07.2", "M-14.1")


@check(
    "IS-BATCH-001", profile=P, level="MUST", requirements=TRUE, title_zh="被拒记录搁置，不原样重发",
    sends="one item of a batch is refused; then the system is asked to report whatever is not reported yet",
    remedy_en="Read every result of a 207; set a refused record aside with its problem, do not send it again unchanged.",
    remedy_zh="逐条读取207结果；将被拒记录连同问题搁置，未修改不得再次发送。",
)  # fmt: skip
def a_refused_item_is_set_aside(view: View) -> None:
    """A record that was refused is not sent again as it is."""
    done(view, "lesson-four")
    done(view, "lesson-four-again")
    refused: dict[str, Exchange] = {}
    for exchange in sent(view, "reportConsumption"):
        for item in items(exchange):
            if (first := refused.get(str(item))) is not None:
                deviate("the refused record set aside", "the same record sent again unchanged", first, exchange)
        for result in (exchange.json() or {}).get("results", []) if exchange.status == 207 else []:
            if result["outcome"] == "refused":
                refused[str(items(exchange)[result["index"]])] = exchange
    if not refused:
        raise NotMet("no batch with a refused item arrived")


@check(
    "IS-BATCH-002", profile=P, level="MUST", requirements=LEDGER, title_zh="每次课仅上报一次",
    remedy_en="Report every lesson of an order once, under one external_id; after trouble repeat the batch under its key.",
    remedy_zh="每个订单的每次课仅以一个 external_id 上报一次；遇故障以同键重试整批。",
)  # fmt: skip
def every_lesson_is_reported_once(view: View) -> None:
    """No lesson of an order is accepted under two own references."""
    for step, wanted in asked_records(view):
        found = taken(view, wanted)
        references = sorted({str(item.get("external_id")) for _, item in found})
        if len(references) > 1:
            deviate(f"one record of the lesson in {step!r}", f"{len(references)} own references",
                    *(exchange for exchange, _ in found), where="/items/external_id")  # fmt: skip


@check(
    "IS-BATCH-003", profile=P, level="MUST", requirements=LEDGER, title_zh="已授课时无一遗漏",
    remedy_en="Report every lesson that was taught: one refused record does not take the others of its batch with it.",
    remedy_zh="所有已授课时均须上报；一条被拒不影响同批其他记录。",
)  # fmt: skip
def no_lesson_is_left_out(view: View) -> None:
    """Every lesson that was asked for and that the platform takes has been accepted."""
    for step, wanted in asked_records(view):
        done(view, step)
        if not taken(view, wanted):
            deviate(f"the lesson of {step!r}", "it was never accepted", view.step(f"step.{step}"), sure=Sure.SILENCE)


@check(
    "IS-BATCH-004", profile=P, level="SHOULD", requirements=("M-10.1",), title_zh="同一次课多名学员合并为一批",
    remedy_en="Put the records of one moment into one batch (up to 1,000), not into a request each.",
    remedy_zh="同一时点的记录合并为一批（至多1000条），不要逐条请求。",
)  # fmt: skip
def records_of_one_moment_come_in_one_batch(view: View) -> None:
    """The two pupils of one lesson come in one request."""
    done(view, "lesson-twentynine")
    found = during(view, "lesson-twentynine", "reportConsumption")
    if not found:
        raise NotMet("the lesson was not reported")
    if len({str(exchange.facts["body_digest"]) for exchange in found}) > 1:
        deviate("one batch", f"{len(found)} requests", *found)


@check(
    "IS-CONS-001", profile=P, level="MUST", requirements=TRUE, title_zh="课后上报，不得提前",
    sends="the roll is called while the lesson is still going on",
    remedy_en="Report a lesson when it has ended, not when the roll is called or the lesson is planned.",
    remedy_zh="课次结束后方可上报，不得在点名或排课时上报。",
)  # fmt: skip
def lessons_are_reported_when_they_are_over(view: View) -> None:
    """No record arrives before the end of what it reports."""
    done(view, "lesson-one-early")
    for exchange, item in records(view):
        try:
            ended = datetime.fromisoformat(str(item.get("occurred_until")))
            now = datetime.fromisoformat(exchange.facts["business_at"])
        except ValueError:
            continue
        if ended.tzinfo is not None and ended > now:
            deviate(f"a report after {item['occurred_until']}", f"one at {exchange.facts['business_at']}", exchange,
                    where="/items/occurred_until")  # fmt: skip


@check(
    "IS-CONS-002", profile=P, level="MUST", requirements=LEDGER, title_zh="课时数如实",
    remedy_en="Report the hours of the lesson in hundredths of a class hour: two hours are 200, not 2 and not 90 minutes.",
    remedy_zh="课时以百分之一课时如实上报：两课时为200，不是2，也不是90分钟。",
)  # fmt: skip
def hours_are_those_of_the_lesson(view: View) -> None:
    """Each record has the hours that were taught."""
    for wanted, exchange, item in reported(view):
        equal(wanted["class_hours_centi"], item.get("class_hours_centi"), "/items/class_hours_centi", exchange)


@check(
    "IS-CONS-003", profile=P, level="MUST", requirements=LEDGER, title_zh="记录对应正确的订单、教师与地点",
    remedy_en="Take order, teacher and place of a record from the lesson as it was held, by the platform's identifiers.",
    remedy_zh="记录的订单、教师与地点以实际授课为准，使用平台标识。",
)  # fmt: skip
def records_name_the_right_order_and_teacher(view: View) -> None:
    """Each record names the order, the teacher and the place of the lesson."""
    for wanted, exchange, item in reported(view):
        for name in ("order_id", "teacher_id", "place"):
            equal(wanted.get(name), item.get(name), f"/items/{name}", exchange)


@check(
    "IS-CONS-004", profile=P, level="MUST", requirements=LEDGER, title_zh="误报以冲正记录更正",
    sends="a record was reported by mistake, and has to be taken back",
    remedy_en="Take a wrong record back by a record of type reversal that names it in `reverses`; delete nothing.",
    remedy_zh="误报以 type 为 reversal 的记录冲正，并以 reverses 指明原记录，不得删除。",
)  # fmt: skip
def mistakes_are_taken_back_by_a_reversal(view: View) -> None:
    """The mistaken record is taken back by a reversal that names it."""
    asked = done(view, "correct-fifteen")
    mistaken = known(asked, "consumption.15.2")
    back = [(e, item) for e, item in records(view) if item.get("type") == "reversal"]
    if not back:
        found = during(view, "correct-fifteen", "reportConsumption")
        deviate("a record of type reversal", "none", *(found or [asked]), where="/items/type")
    for exchange, item in back:
        equal(mistaken, item.get("reverses"), "/items/reverses", exchange)


@check(
    "IS-CONS-005", profile=P, level="MUST", requirements=LEDGER, title_zh="缺勤如实报送类型",
    sends="a pupil was absent and the contract counts the hours; a lesson was made up",
    remedy_en="Say what it was: lesson, make_up, absence or forfeit. An absence is no lesson.",
    remedy_zh="如实填写类别：授课、补课、缺勤或放弃；缺勤不得报为授课。",
)  # fmt: skip
def absences_are_called_absences(view: View) -> None:
    """Each record has the type of what happened."""
    for wanted, exchange, item in reported(view):
        equal(wanted["type"], item.get("type"), "/items/type", exchange)


@check(
    "IS-CONS-006", profile=P, level="MUST", requirements=LEDGER, title_zh="争议期间不重复上报",
    sends="the guardian disputes a record; the event is delivered",
    remedy_en="Leave a disputed record alone: the authority rules on it. Do not report the lesson again.",
    remedy_zh="争议记录待主管部门裁定，不得再次上报该课次。",
)  # fmt: skip
def a_disputed_lesson_is_not_reported_again(view: View) -> None:
    """After a dispute the lesson is not reported again."""
    wanted = given(view, "lesson-eighteen")["items"][0]
    nothing_after(
        view, "moment.lesson-eighteen-disputed", "step.work-after-dispute",
        lambda e: any(item.get("lesson_id") == wanted["lesson_id"] for item in items(e)), "record of the lesson",
    )  # fmt: skip


@check(
    "IS-CONS-007", profile=P, level="MUST", requirements=LEDGER, title_zh="已取消的课次不上报",
    sends="a lesson in the holiday is cancelled; later somebody tries to report it",
    remedy_en="A lesson that was cancelled was not taught: let the product refuse to report it.",
    remedy_zh="已取消的课次未授课，系统应拒绝上报。",
)  # fmt: skip
def a_cancelled_lesson_is_not_reported(view: View) -> None:
    """No record of a cancelled lesson arrives."""
    done(view, "cancel-lesson-monday")
    tried(view, "report-cancelled")
    lesson = given(view, "report-cancelled")["items"][0]["lesson_id"]
    nothing_after(
        view, "step.cancel-lesson-monday", "step.work-after-holiday",
        lambda e: any(item.get("lesson_id") == lesson for item in items(e)), "record of the lesson",
    )  # fmt: skip


@check(
    "IS-CONS-008", profile=P, level="MUST", requirements=LEDGER, title_zh="已结清订单不再消课",
    sends="order.closed is delivered; later somebody tries to report a lesson of that order",
    remedy_en="When an order is closed, stop reporting hours of it: read events, and let the product refuse.",
    remedy_zh="订单结清后不得再消课：读取事件并由系统拒绝。",
)  # fmt: skip
def a_closed_order_is_not_taught_against(view: View) -> None:
    """After the order was closed no record of it arrives."""
    told = view.step("delivery.order-two-closed")
    if not told.accepted:
        raise NotMet("the delivery of order.closed was not taken")
    tried(view, "report-closed-order")
    order = given(view, "report-closed-order")["items"][0]["order_id"]
    nothing_after(
        view, "moment.order-two-closed", "step.lesson-fortythree",
        lambda e: any(item.get("order_id") == order for item in items(e)), "record of the order",
    )  # fmt: skip


@check(
    "IS-OUT-003", profile=P, level="MUST", requirements=LEDGER, title_zh="同一订单按时间顺序补报", needs=("IS-OUT-001",),
    remedy_en="Send what waited in the order in which it happened: a queue, not a stack.",
    remedy_zh="补报须按发生顺序：先进先出。",
)  # fmt: skip
def records_of_an_order_come_in_their_order(view: View) -> None:
    """The records of one order are taken in the order of their lessons."""
    last: dict[str, tuple[datetime, Exchange]] = {}
    for exchange, item in accepted(view):
        if item.get("type") == "reversal":
            continue
        begun = datetime.fromisoformat(str(item["occurred_from"]))
        before = last.get(str(item["order_id"]))
        if before is not None and before[0] > begun:
            deviate("the earlier lesson first", "a later one before it", before[1], exchange, where="/items")
        last[str(item["order_id"])] = (begun, exchange)
    if not last:
        raise NotMet("no record was accepted")


@check(
    "IS-TIME-002", profile=P, level="MUST", requirements=TRUE, title_zh="时刻不因时区换算而偏移",
    remedy_en="Convert between zones or keep the offset, never relabel: 10:00+08:00 is 02:00Z, not 10:00Z.",
    remedy_zh="时区换算须保持同一时刻：10:00+08:00 即 02:00Z，而非 10:00Z。",
)  # fmt: skip
def instants_are_not_shifted(view: View) -> None:
    """What happened at ten is reported as of ten, in whatever offset."""
    for wanted, exchange, item in reported(view):
        for name in ("occurred_from", "occurred_until", "notified_at"):
            if not same_instant(wanted[name], item.get(name)):
                deviate(str(wanted[name]), str(item.get(name)), exchange, where=f"/items/{name}")


@check(
    "IS-LESSON-001", profile=P, level="MUST", requirements=TRUE, title_zh="停课须报送课次取消",
    sends="the lessons in the holiday are cancelled in the product",
    remedy_en="Send cancelLesson when a lesson is called off, for the lesson that it is.",
    remedy_zh="停课时对相应课次调用 cancelLesson。",
)  # fmt: skip
def cancelled_lessons_are_told(view: View) -> None:
    """A lesson that is cancelled in the product is cancelled at the platform."""
    for step in ("cancel-lesson-thursday", "cancel-lesson-monday"):
        asked, found = done(view, step), during(view, step, "cancelLesson")
        lesson = given(view, step)["id"]
        if not any(lesson in exchange.url and exchange.status == 200 for exchange in found):
            deviate(f"the cancellation of {lesson}", f"{len(found)} other request(s)", *(found or [asked]),
                    sure=Sure.OBSERVED if found else Sure.SILENCE)  # fmt: skip


@check(
    "IS-LESSON-002", profile=P, level="MUST", requirements=TRUE, title_zh="课表完整报送",
    remedy_en="Send every lesson of the timetable, with its class, teacher and times.",
    remedy_zh="完整报送课表，含班级、教师与时间。",
)  # fmt: skip
def the_whole_timetable_arrives(view: View) -> None:
    """Every lesson that was scheduled arrives, with its own times."""
    for step in ("schedule-mondays", "schedule-thursdays"):
        wanted, exchange, _body = one(view, step, "scheduleLessons")
        sent_items = [item for e in during(view, step, "scheduleLessons") for item in items(e)]
        for lesson in wanted["items"]:
            found = [item for item in sent_items if same_instant(item.get("starts_at"), lesson["starts_at"])]
            if not found:
                deviate(f"a lesson at {lesson['starts_at']}", f"{len(sent_items)} others", exchange, where="/items")
