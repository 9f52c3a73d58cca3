"""The institution file, courses, lessons: filed, approved, refused where a rule says so."""

from __future__ import annotations

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


@check(
    "P-INST-001", profile=P, level="MUST", requirements=("M-11.1", "M-11.2", "M-11.3", "M-11.4", "M-11.5", "M-11.6"),
    sends="POST /v1/institutions with the six items of Article 11",
    remedy_en="Accept the institution file with all six items; answer 201 with id, version and state submitted.",
    remedy_zh="接受含六类信息的机构备案，返回201及 id、version、state=submitted。",
)  # fmt: skip
def an_institution_files_its_particulars(view: View) -> None:
    """The file of Article 11 with all six items is accepted and waits for approval."""
    created = status(view.step("institution.create"), 201)
    equal("submitted", member(created.json(), "state", created), "state", created)


@check(
    "P-INST-002", profile=P, level="MUST", requirements=("M-06.2",), needs=("P-INST-001",),
    sends="the county approves an offline institution",
    remedy_en="Let the county's authority approve offline institutions of its region.",
    remedy_zh="由县区主管部门批准本地区线下机构。",
)  # fmt: skip
def the_county_approves_offline_institutions(view: View) -> None:
    """The county's authority sees the file and approves it."""
    approved = status(view.step("institution.approve"), 200)
    equal("approved", member(approved.json(), "state", approved), "state", approved)


@check(
    "P-COURSE-001", profile=P, level="MUST", requirements=("M-07.4", "M-11.4"), needs=("P-INST-002",),
    sends="POST /v1/courses, then approval",
    remedy_en="File courses under the rules and put them on sale only after approval.",
    remedy_zh="课程经规则校验报备，批准后方可销售。",
)  # fmt: skip
def a_course_is_filed_and_approved(view: View) -> None:
    """A lawful course is filed, and on sale after its approval."""
    filed = status(view.step("course.create"), 201)
    equal("filed", member(filed.json(), "state", filed), "state", filed)
    approved = status(view.step("course.approve"), 200)
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
    sends="seven lawful lessons and one that ends at 20:45 offline",
    remedy_en="Refuse offline lessons that end after 20:30 (online 21:00); schedule the others of the batch.",
    remedy_zh="线下课程不得晚于20:30结束（线上21:00）；同批其他课次照常排课。",
)  # fmt: skip
def lessons_end_in_time(view: View) -> None:
    """Lessons are scheduled in a batch; the one that ends too late is refused by itself."""
    batch = status(view.step("lessons.batch"), 207)
    results = batch.json()["results"]
    equal([201] * 7, [result["status"] for result in results[:7]], "status of the lawful lessons", batch)
    codes = [entry.get("code") for entry in (results[7].get("problem") or {}).get("violations", [])]
    equal(["lesson.ends_too_late"], codes, "violations of the late lesson", batch)
