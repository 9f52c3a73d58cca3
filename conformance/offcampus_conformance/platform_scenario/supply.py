"""What is taught: courses under the rules, classes, lessons."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.families.request import Request
from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.synthetic import Document

LAWFUL_LESSONS = 9


def file_course(day: Day) -> None:
    """A course filed, returned, mended, approved; what no rule allows is refused; a class of it."""
    make, ids = day.make, day.ids
    institution = ids["institution"]
    course = {**make.course(institution, ids["campus"]), "material_ids": [ids["material"]]}
    day.act("createCourse", "vendor", course, keep="course", before=lambda sent: _bad_courses(day, sent))
    day.act("listCourses", "vendor", query={"institution_id": institution})
    day.act("getCourse", "vendor")
    day.probe(_approval(day).but(by="vendor"), "course.approve_by_vendor", codes=["auth.scope"])
    day.act("returnCourse", "authority", {"reason": "材料不全"})
    day.probe(_approval(day), "course.approve_returned", codes=["resource.state"])
    day.act("updateCourse", "vendor", {"title": "素描入门（修订）"})
    approved = day.act("approveCourse", "authority", {})
    if approved.status != 200:
        raise Unfinished(f"op.approveCourse was answered {approved.status}")
    day.act(
        "createClass",
        "vendor",
        make.school_class(institution, ids["course"], ids["campus"], ids["staff"]),
        keep="class",
    )
    second = {
        **make.school_class(institution, ids["course"], ids["campus"], ids["staff"]),
        "external_id": f"cls-{make.tag}-2",
    }
    day.act("createClass", "vendor", second, label="class.second")
    day.act("listClasses", "vendor", query={"institution_id": institution})
    day.act("getClass", "vendor")
    another = {**make.course(institution, ids["campus"]), "external_id": f"crs-{make.tag}-2"}
    day.act("createCourse", "vendor", another, label="course.second", keep="course.2")
    unsold = make.school_class(institution, ids["course.2"], ids["campus"], ids["staff"])
    day.probe(
        day.request("createClass", "vendor", {**unsold, "external_id": f"cls-{make.tag}-3"}),
        "class.of_unapproved_course",
    )


def _approval(day: Day) -> Request:
    return day.request("approveCourse", "authority", {})


def _bad_courses(day: Day, sent: Request) -> None:
    kid = {
        "stages": ["preschool_3_6"], "delivery": "online", "grades": ["preschool"], "minutes_per_class_hour": 30,
        "lesson_minutes": 30,
    }  # fmt: skip
    day.probe(sent.but(body={**sent.body, **kid}), "course.preschool_online", codes=["rules.refused"])
    academic = {"stages": ["preschool_3_6"], "grades": ["preschool"], "sector": "academic", "subject": "chinese"}
    day.probe(sent.but(body={**sent.body, **academic}), "course.preschool_academic", codes=["rules.refused"])
    backwards = {"starts_on": sent.body["ends_on"], "ends_on": sent.body["starts_on"]}
    day.probe(sent.but(body={**sent.body, **backwards}), "course.backwards", codes=["lesson.time_order"])


def schedule(day: Day) -> None:
    """Nine lawful lessons in one batch, and one of each kind that must be refused by itself."""
    make, ids = day.make, day.ids
    lawful = [_lesson(day, number) for number in range(1, LAWFUL_LESSONS + 1)]
    batch = day.act("scheduleLessons", "vendor", {"items": lawful})
    for result in (batch.json() or {}).get("results", []):
        if "id" in result:
            ids[f"lesson.{result['index'] + 1}"] = result["id"]
    bad = {
        "late": _lesson(day, 91, starts_at=make.at(3, 19, 30), ends_at=make.at(3, 20, 45)),
        "backwards": _lesson(day, 93, starts_at=make.at(5, 11), ends_at=make.at(5, 10)),
        "teacher_clash": _lesson(day, 94, starts_at=make.at(-7, 10, 30), ends_at=make.at(-7, 12), room="102"),
        "room_clash": _lesson(
            day, 95, starts_at=make.at(-7, 10, 30), ends_at=make.at(-7, 12), teacher_id=ids["staff.2"]
        ),
        "known": {**lawful[0], "room": "109"},
        "no_teacher": _lesson(
            day, 97, starts_at=make.at(6, 9), ends_at=make.at(6, 10, 30), teacher_id="stf_" + "0" * 26
        ),
    }
    refuse_by_item(
        day,
        "lessons",
        "scheduleLessons",
        bad,
        lawful=_lesson(day, 90, starts_at=make.at(8, 9), ends_at=make.at(8, 10, 30)),
    )
    strict = day.request("scheduleLessons", "vendor", {"items": [lawful[1], bad["backwards"]]})
    day.probe(strict.but(headers={"Prefer": "handling=strict"}), "lessons.strict", codes=["batch.strict"])
    day.act("listLessons", "vendor", query={"class_id": ids["class"], "limit": "200"})
    day.act("getLesson", "vendor", where={"lesson_id": ids["lesson.1"]})
    day.act("cancelLesson", "vendor", {}, where={"lesson_id": ids["lesson.7"]}, if_match='"1"')


def _lesson(day: Day, number: int, **changes: Any) -> Document:
    return {**day.make.lesson(number, day.ids["institution"], day.ids["class"], day.ids["staff"]), **changes}


def refuse_by_item(day: Day, prefix: str, operation_id: str, bad: dict[str, Document], *, lawful: Document) -> None:
    """Each unlawful item in a batch of its own, beside one lawful item: the pair is judged item by item."""
    for number, (name, item) in enumerate(bad.items(), 1):
        good = {**lawful, "external_id": f"{lawful['external_id']}-{number}"} if number > 1 else lawful
        items = [item, good] if number == 1 else [item]
        day.probe(day.request(operation_id, "vendor", {"items": items}), f"{prefix}.{name}", wrong=name)
