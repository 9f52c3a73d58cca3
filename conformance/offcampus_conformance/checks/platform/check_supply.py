"""The institution file, courses, lessons: filed, approved, refused where a rule says so."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, member, problem, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import Exchange, View

P = "platform"


def cited(exchange: Exchange, code: str) -> None:
    """A refusal by rule says which rule, and where it stands in the law."""
    body = problem(exchange, 422, "rules.refused")
    found = [entry for entry in body.get("violations", []) if entry.get("code") == code]
    if not found:
        deviate(f"a violation {code}", [entry.get("code") for entry in body.get("violations", [])], exchange)
    for name in ("rule", "citation", "allowed", "message_zh", "message_en", "remedy_zh", "remedy_en"):
        if not found[0].get(name):
            deviate(f"the violation's {name}", "none", exchange, where=f"/violations/{name}")


def item_refused(exchange: Exchange, code: str, index: int = 0) -> dict[str, Any]:
    """The item of a batch is refused with this code, by itself or as a violation of the rules."""
    results = member(status(exchange, 207).json(), "results", exchange)
    told: dict[str, Any] = results[index].get("problem") or {}
    codes = [told.get("code"), *(entry.get("code") for entry in told.get("violations", []))]
    if code not in codes:
        deviate(f"item {index} refused with {code}", codes, exchange, where=f"/results/{index}/problem")
    return told


@check(
    "P-INST-001", profile=P, level="MUST", requirements=("M-11.1", "M-11.2", "M-11.3", "M-11.4", "M-11.5", "M-11.6"),
    sends="POST /v1/institutions with the six items of Article 11",
    remedy_en="Accept the institution file with all six items; answer 201 with id, version and state submitted.",
    remedy_zh="接受含六类信息的机构备案，返回201及 id、version、state=submitted。",
)  # fmt: skip
def an_institution_files_its_particulars(view: View) -> None:
    """The file of Article 11 with all six items is accepted and waits for approval."""
    created = status(view.step("op.createInstitution"), 201)
    equal("submitted", member(created.json(), "state", created), "state", created)


@check(
    "P-INST-002", profile=P, level="MUST", requirements=("M-06.2",), needs=("P-INST-001",),
    sends="the county approves an offline institution",
    remedy_en="Let the county's authority approve offline institutions of its region.",
    remedy_zh="由县区主管部门批准本地区线下机构。",
)  # fmt: skip
def the_county_approves_offline_institutions(view: View) -> None:
    """The county's authority sees the file and approves it."""
    approved = status(view.step("op.approveInstitution"), 200)
    equal("approved", member(approved.json(), "state", approved), "state", approved)


@check(
    "P-COURSE-001", profile=P, level="MUST", requirements=("M-07.4", "M-11.4"), needs=("P-INST-002",),
    sends="POST /v1/courses, then approval",
    remedy_en="File courses under the rules and put them on sale only after approval.",
    remedy_zh="课程经规则校验报备，批准后方可销售。",
)  # fmt: skip
def a_course_is_filed_and_approved(view: View) -> None:
    """A lawful course is filed, and on sale after its approval."""
    filed = status(view.step("op.createCourse"), 201)
    equal("filed", member(filed.json(), "state", filed), "state", filed)
    approved = status(view.step("op.approveCourse"), 200)
    equal("on_sale", member(approved.json(), "state", approved), "state", approved)


@check(
    "P-COURSE-002", profile=P, level="MUST", requirements=("M-11.4", "M-25.1"), needs=("P-COURSE-001",),
    sends="the same course online, for children of three to six",
    remedy_en="Judge each filing by the rules in force: online training of preschool children is forbidden. Cite the rule.",
    remedy_zh="按现行规则审核报备：不得开展学前儿童线上培训，并引用依据。",
)  # fmt: skip
def online_training_of_preschool_children_is_refused(view: View) -> None:
    """A course that no rule allows is refused, with rule, source and remedy in two languages."""
    cited(view.step("course.preschool_online"), "course.preschool_online")


@check(
    "P-LESSON-001", profile=P, level="MUST", requirements=("M-07.2", "M-25.1"), needs=("P-COURSE-001",),
    sends="nine lawful lessons, then one that ends at 20:45 offline",
    remedy_en="Refuse offline lessons that end after 20:30 (online 21:00); schedule the others of the batch.",
    remedy_zh="线下课程不得晚于20:30结束（线上21:00）；同批其他课次照常排课。",
)  # fmt: skip
def lessons_end_in_time(view: View) -> None:
    """Lessons are scheduled in a batch; the one that ends too late is refused by itself."""
    batch = status(view.step("op.scheduleLessons"), 207)
    results = batch.json()["results"]
    equal([201] * 9, [result["status"] for result in results], "status of the lawful lessons", batch)
    late = view.step("lessons.late")
    item_refused(late, "lesson.ends_too_late")
    equal("accepted", late.json()["results"][1]["outcome"], "outcome of the lawful lesson beside it", late)


@check(
    "P-LESSON-002", profile=P, level="MUST", requirements=("M-07.2",), needs=("P-LESSON-001",),
    sends="a lesson of a teacher who teaches elsewhere, and one in a room that is taken, at that time",
    remedy_en="In POST /v1/lessons/batch refuse a lesson whose teacher or room is taken: 409 lesson.teacher_clash, lesson.room_clash.",
    remedy_zh="POST /v1/lessons/batch 对教师或教室冲突的课次返回409 lesson.teacher_clash、lesson.room_clash。",
)  # fmt: skip
def nobody_teaches_in_two_places(view: View) -> None:
    """A teacher and a room hold one lesson at a time."""
    item_refused(view.step("lessons.teacher_clash"), "lesson.teacher_clash")
    item_refused(view.step("lessons.room_clash"), "lesson.room_clash")


@check(
    "P-LESSON-003", profile=P, level="MUST", requirements=("M-07.2",), needs=("P-LESSON-001",),
    sends="a lesson that ends before it starts, and a course that does",
    remedy_en="Refuse what ends before it starts: lesson.time_order, for lessons and for courses.",
    remedy_zh="结束早于开始的课次与课程返回 lesson.time_order。",
)  # fmt: skip
def time_runs_forward(view: View) -> None:
    """Lessons and courses start before they end."""
    item_refused(view.step("lessons.backwards"), "lesson.time_order")
    problem(view.step("course.backwards"), 422, "lesson.time_order")


@check(
    "P-COURSE-003", profile=P, level="MUST", requirements=("M-11.4", "M-25.1"), needs=("P-COURSE-001",),
    sends="the same course as academic training of children of three to six",
    remedy_en="Refuse academic training of preschool children (course.preschool_academic) with its citation.",
    remedy_zh="不得对学前儿童开展学科类培训（course.preschool_academic），并引用依据。",
)  # fmt: skip
def academic_training_of_preschool_children_is_refused(view: View) -> None:
    """A subject of school for children before school is refused by the rules."""
    cited(view.step("course.preschool_academic"), "course.preschool_academic")


@check(
    "P-COURSE-004", profile=P, level="MUST", requirements=("M-06.2", "M-11.4"), needs=("P-COURSE-001",),
    sends="approvals of an institution and of a course that were returned",
    remedy_en="Approve what is submitted or filed anew, not what was returned: 409 resource.state.",
    remedy_zh="退回的机构与课程须重新报送后方可批准，否则返回409 resource.state。",
)  # fmt: skip
def what_was_returned_is_not_approved(view: View) -> None:
    """Between the return and the mended filing nothing can be approved."""
    problem(view.step("institution.approve_returned"), 409, "resource.state")
    problem(view.step("course.approve_returned"), 409, "resource.state")


@check(
    "P-COURSE-005", profile=P, level="MUST", requirements=("M-11.4", "M-06.2"), needs=("P-COURSE-001",),
    sends="a returned institution and a returned course, mended",
    remedy_en="A merge patch by the owner puts what was returned back to submitted or filed; the reason was told with the return.",
    remedy_zh="退回后由报送方补正即重新进入待审状态；退回时须告知原因。",
)  # fmt: skip
def what_was_returned_says_why_and_comes_back(view: View) -> None:
    """The reason is in the answer, and the mended document waits anew."""
    for returned, mended, state in (
        ("op.returnInstitution", "op.updateInstitution", "submitted"), ("op.returnCourse", "op.updateCourse", "filed"),
    ):  # fmt: skip
        told = status(view.step(returned), 200)
        equal("returned", member(told.json(), "state", told), "state", told)
        if not member(told.json(), "returned_reason", told):
            deviate("the reason of the return", "none", told, where="/returned_reason")
        again = status(view.step(mended), 200)
        equal(state, member(again.json(), "state", again), "state", again)


@check(
    "P-STAFF-001", profile=P, level="MUST", requirements=("M-11.3", "M-25.1"), needs=("P-INST-002",),
    sends="a teacher whose clearance found a bar; a number with a wrong check digit",
    remedy_en="In POST /v1/staff refuse whom the clearance query bars (staff.barred at /clearance/result) and a number whose check digit is wrong.",
    remedy_zh="POST /v1/staff 拒绝从业查询命中者（staff.barred，指向 /clearance/result）与校验位错误的证件号。",
)  # fmt: skip
def nobody_is_employed_who_is_barred(view: View) -> None:
    """The bar refuses; the number is checked to its last digit."""
    refused = problem(view.step("staff.barred"), 422, "rules.refused", "/clearance/result")
    equal(
        ["staff.barred"],
        [entry.get("code") for entry in refused["violations"]],
        "violations",
        view.step("staff.barred"),
    )
    problem(view.step("staff.check_digit"), 422, "identifier.check_digit", "/id_number")
