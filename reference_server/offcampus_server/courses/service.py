"""Courses are filed under the rules and approved; classes open on them; lessons are scheduled and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offcampus_rules import Scope, documents
from offcampus_spec import coherence
from sqlalchemy import RowMapping, select

from offcampus_server.courses.tables import classes, courses, lessons
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import extensions, resources
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, missing_reference, require_coherent, wrong_state
from offcampus_server.kernel.rulings import decided
from offcampus_server.kernel.unit_of_work import Work


@dataclass(frozen=True)
class Course:
    """What other capabilities need of a course."""

    id: str
    institution_id: str
    region_code: str
    state: str
    subject: str
    minutes_per_class_hour: int
    scope: Scope
    document: dict[str, Any]


@dataclass(frozen=True)
class Lesson:
    """What other capabilities need of a lesson."""

    id: str
    institution_id: str
    course_id: str
    class_id: str
    state: str
    starts_at: datetime
    ends_at: datetime
    class_hours_centi: int


def file(call: Call, work: Work) -> Answer:
    """File a course; the rules judge it before anybody can buy it (M-11.4, M-07.4)."""
    sent = call.body
    if (row := resources.known(work, courses, sent)) is not None:
        return Answer(200, present(row), row["version"])
    institution = institutions.require(work, sent["institution_id"])
    _check_course(work, sent)
    decision_id = _judge(work, sent, institution.region_code, sent["institution_id"])
    row = resources.create(
        work, courses, "crs", sent, institution_id=institution.id, region_code=institution.region_code,
        state="filed", decision_id=decision_id,
    )  # fmt: skip
    _emit(work, "createCourse", "course", "filed", row)
    return resources.created(row, "courses", present(row))


def change(call: Call, work: Work) -> Answer:
    """Change a course that is not on sale; it is filed again and judged again."""
    row = resources.find(work, courses, call.path["course_id"])
    if call.if_match != row["version"]:
        raise resources.stale(row["version"])
    if row["state"] not in ("filed", "returned"):
        raise wrong_state(row["state"], "filed", "returned")
    document = resources.merged(row["document"], call.body, "course", "external_id", "institution_id")
    _check_course(work, document)
    decision_id = _judge(work, document, row["region_code"], row["id"])
    row = resources.change(
        work, courses, row, call.if_match, state="filed", document=document, decision_id=decision_id,
        returned_reason=None,
    )  # fmt: skip
    _emit(work, "updateCourse", "course", "changed", row)
    return Answer(200, present(row), row["version"])


def approve(call: Call, work: Work) -> Answer:
    """Approve a course: from then on it may be sold."""
    row = resources.find(work, courses, call.path["course_id"])
    _require_competence(work, row)
    row = resources.transition(work, courses, row, call.if_match, "on_sale", "filed")
    _emit(work, "approveCourse", "course", "approved", row)
    return Answer(200, present(row), row["version"])


def send_back(call: Call, work: Work) -> Answer:
    """Return a course for correction, with the reason."""
    row = resources.find(work, courses, call.path["course_id"])
    _require_competence(work, row)
    reason = call.body["reason"]
    row = resources.transition(work, courses, row, call.if_match, "returned", "filed", returned_reason=reason)
    _emit(work, "returnCourse", "course", "returned", row)
    return Answer(200, present(row), row["version"])


def present(row: RowMapping) -> dict[str, Any]:
    """A course as it is answered."""
    return resources.presented(row, decision_id=row["decision_id"], returned_reason=row["returned_reason"])


def require(work: Work, course_id: str, pointer: str = "/course_id") -> Course:
    """A course by identifier, whoever's; callers check the institution. Raises `reference.not_found`."""
    row = resources.by_ids(work, courses, [course_id]).get(course_id)
    if row is None:
        raise missing_reference(pointer, course_id)
    return _facts(row)


def many(work: Work, ids: Sequence[str]) -> dict[str, Course]:
    """Courses by identifier."""
    return {id: _facts(row) for id, row in resources.by_ids(work, courses, list(ids)).items()}


def open_class(call: Call, work: Work) -> Answer:
    """Open a class of a course."""
    sent = call.body
    if (row := resources.known(work, classes, sent)) is not None:
        return Answer(200, resources.presented(row), row["version"])
    institution = institutions.require(work, sent["institution_id"])
    course = require(work, sent["course_id"])
    if course.institution_id != institution.id:
        raise missing_reference("/course_id", course.id)
    institutions.require_campus(work, sent.get("campus_id"), institution.id)
    institutions.require_staff(work, sent["teacher_ids"], institution.id, "/teacher_ids")
    extensions.check(work, sent)
    row = resources.create(
        work, classes, "cls", sent, institution_id=institution.id, region_code=institution.region_code,
        course_id=course.id, teacher_ids=sent["teacher_ids"],
    )  # fmt: skip
    _emit(work, "createClass", "class", "opened", row)
    return resources.created(row, "classes", resources.presented(row))


def require_class(work: Work, class_id: str, course_id: str, pointer: str = "/class_id") -> None:
    """A class of this course. Raises `reference.not_found`."""
    row = resources.by_ids(work, classes, [class_id]).get(class_id)
    if row is None or row["course_id"] != course_id:
        raise missing_reference(pointer, class_id)


def cancel_lesson(call: Call, work: Work) -> Answer:
    """Cancel a lesson; nothing can be consumed for it from then on."""
    row = resources.find(work, lessons, call.path["lesson_id"])
    row = resources.transition(work, lessons, row, call.if_match, "cancelled", "scheduled")
    _emit(work, "cancelLesson", "lesson", "cancelled", row)
    return Answer(200, present_lesson(row), row["version"])


def lessons_by_id(work: Work, ids: Sequence[str]) -> dict[str, Lesson]:
    """Lessons by identifier, whoever's."""
    return {id: _lesson(row) for id, row in resources.by_ids(work, lessons, list(ids)).items()}


def lesson_began(work: Work, course_id: str, since: datetime, until: datetime) -> bool:
    """Has a lesson of a course begun in this time, by the timetable?"""
    query = select(lessons.c.id).where(
        lessons.c.course_id == course_id, lessons.c.state == "scheduled", lessons.c.starts_at.between(since, until)
    )
    return work.connection.execute(query.limit(1)).first() is not None


def present_lesson(row: RowMapping) -> dict[str, Any]:
    """A lesson as it is answered."""
    return resources.presented(row, course_id=row["course_id"])


def _check_course(work: Work, sent: dict[str, Any]) -> None:
    require_coherent(coherence.course_dates(sent))
    institutions.require_campus(work, sent.get("campus_id"), sent["institution_id"])
    institutions.require_materials(work, sent.get("material_ids", []), sent["institution_id"])
    extensions.check(work, sent)


def _judge(work: Work, sent: dict[str, Any], region_code: str, subject: str) -> str:
    lease = institutions.lease_until(work, sent.get("campus_id"))
    decision = work.rules.check_course(documents.course_filing(sent, region_code, work.now.date(), lease))
    return decided(work, decision, subject, sent["institution_id"])


def _require_competence(work: Work, row: RowMapping) -> None:
    delivery = institutions.facts(work, row["institution_id"]).delivery
    if not institutions.competent(work, row["region_code"], delivery):
        raise Problem("auth.region", f"courses of {delivery} institutions are decided where those are approved")


def _facts(row: RowMapping) -> Course:
    document = row["document"]
    return Course(
        row["id"], row["institution_id"], row["region_code"], row["state"], document["subject"],
        document["minutes_per_class_hour"], documents.scope_of(document, row["region_code"]), document,
    )  # fmt: skip


def _lesson(row: RowMapping) -> Lesson:
    return Lesson(
        row["id"], row["institution_id"], row["course_id"], row["class_id"], row["state"], row["starts_at"],
        row["ends_at"], row["document"]["class_hours_centi"],
    )  # fmt: skip


def _emit(work: Work, action: str, resource: str, verb: str, row: RowMapping) -> None:
    work.audit(action, row["id"], row["institution_id"])
    work.emit(
        resource, verb, row["id"], row["institution_id"], row["version"], state=row["state"],
        external_id=row["external_id"], region_code=row["region_code"],
    )  # fmt: skip


def lesson_row(
    work: Work, party_id: str, sent: dict[str, Any], digest: str, region: str, course_id: str
) -> dict[str, Any]:
    """A new lesson as a row, for insertion with others."""
    campus = sent.get("campus_id") or "-"
    return {
        "id": new_id("les"), "external_id": sent["external_id"], "party_id": party_id,
        "institution_id": sent["institution_id"], "region_code": region, "version": 1, "state": "scheduled",
        "created_at": work.now, "updated_at": work.now, "digest": digest, "document": sent,
        "class_id": sent["class_id"], "course_id": course_id, "teacher_id": sent["teacher_id"],
        "room_key": f"{sent['institution_id']}/{campus}/{sent['room']}" if "room" in sent else None,
        "starts_at": datetime.fromisoformat(sent["starts_at"].upper()),
        "ends_at": datetime.fromisoformat(sent["ends_at"].upper()),
    }  # fmt: skip
