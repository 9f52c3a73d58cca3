"""Lessons in batches: each judged by the rules, and against the timetables of its teacher and its room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from offcampus_rules import documents
from offcampus_spec import coherence
from sqlalchemy import Column, RowMapping, insert, select

from offcampus_server.courses import decisions, service
from offcampus_server.courses.decisions import Slot
from offcampus_server.courses.service import Course
from offcampus_server.courses.tables import classes, lessons
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import batch, extensions, resources
from offcampus_server.kernel.batch import Batch, Item
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.problems import Problem, missing_reference, require_coherent, violation
from offcampus_server.kernel.rulings import problem_of
from offcampus_server.kernel.unit_of_work import Work

LONGEST_LESSON = timedelta(days=1)
Timetable = dict[str, list[Slot]]


def schedule(call: Call, work: Work) -> Answer:
    """Schedule up to 1,000 lessons."""
    return batch.run(call, work, lessons, _judge)


def _judge(items: Batch) -> None:
    work = items.work
    assert work.party is not None
    documents = batch.documents(items.open)
    groups = resources.by_ids(work, classes, sorted({document["class_id"] for document in documents}))
    courses = service.many(work, sorted({row["course_id"] for row in groups.values()}))
    employers = institutions.staff_ids(work, sorted({document["teacher_id"] for document in documents}))
    campuses = institutions.campus_ids(work, sorted({d["campus_id"] for d in documents if "campus_id" in d}))
    by_teacher = _timetable(work, lessons.c.teacher_id, {document["teacher_id"] for document in documents}, documents)
    rooms = {key for document in documents if (key := _room(document)) is not None}
    by_room = _timetable(work, lessons.c.room_key, rooms, documents)
    rows = []
    for item in items.open:
        try:
            course = _references(item.document, groups, courses, employers, campuses, work)
            row = service.lesson_row(work, work.party.id, item.document, item.digest, course.region_code, course.id)
            _judge_one(work, item, course, row, by_teacher, by_room)
        except Problem as problem:
            item.refuse(problem)
            if problem.remember is not None:
                problem.remember(work)
            continue
        item.accept(row["id"])
        rows.append(row)
    _store(work, rows)


def _references(
    sent: dict[str, Any], groups: dict[str, RowMapping], courses: dict[str, Course], employers: Any, campuses: Any,
    work: Work,
) -> Course:  # fmt: skip
    assert work.party is not None
    institution_id = sent["institution_id"]
    if institution_id not in work.party.institution_ids:
        raise missing_reference("/institution_id", institution_id)
    group = groups.get(sent["class_id"])
    if group is None or group["institution_id"] != institution_id:
        raise missing_reference("/class_id", sent["class_id"])
    if employers.get(sent["teacher_id"]) != institution_id:
        raise missing_reference("/teacher_id", sent["teacher_id"])
    if "campus_id" in sent and campuses.get(sent["campus_id"]) != institution_id:
        raise missing_reference("/campus_id", sent["campus_id"])
    extensions.check(work, sent)
    return courses[group["course_id"]]


def _judge_one(
    work: Work, item: Item, course: Course, row: dict[str, Any], by_teacher: Timetable, by_room: Timetable
) -> None:
    starts_at, ends_at = parse(item.document["starts_at"]), parse(item.document["ends_at"])
    require_coherent(coherence.lesson_times(item.document))
    decision = work.rules.check_lesson(documents.lesson_plan(item.document, course.document, course.region_code))
    if (problem := problem_of(decision, item.document["external_id"], row["institution_id"])) is not None:
        raise problem
    slot = Slot(row["id"], starts_at, ends_at)
    for code, key, table in (
        ("lesson.teacher_clash", row["teacher_id"], by_teacher), ("lesson.room_clash", row["room_key"], by_room),
    ):  # fmt: skip
        if key is None:
            continue
        if (other := decisions.clash(slot, table[key])) is not None:
            raise Problem(code, f"overlaps {other.lesson_id}", [violation(code, "/starts_at", given=other.lesson_id)])
    by_teacher[row["teacher_id"]].append(slot)
    if row["room_key"] is not None:
        by_room[row["room_key"]].append(slot)
    work.record(decision, row["id"], row["institution_id"])


def _timetable(work: Work, column: Column[Any], keys: Iterable[str], documents: list[dict[str, Any]]) -> Timetable:
    """The scheduled lessons of these teachers or rooms around the days that the batch is about."""
    moments = [datetime.fromisoformat(document["starts_at"].upper()) for document in documents]
    found: Timetable = defaultdict(list)
    wanted = sorted(keys)
    query = select(lessons.c.id, lessons.c.starts_at, lessons.c.ends_at, column.label("key")).where(
        lessons.c.state == "scheduled",
        lessons.c.starts_at > min(moments) - LONGEST_LESSON,
        lessons.c.starts_at < max(moments) + LONGEST_LESSON,
    )
    for start in range(0, len(wanted), 500):
        for row in work.connection.execute(query.where(column.in_(wanted[start : start + 500]))):
            found[row.key].append(Slot(row.id, row.starts_at, row.ends_at))
    return found


def _room(document: dict[str, Any]) -> str | None:
    campus = document.get("campus_id") or "-"
    return f"{document['institution_id']}/{campus}/{document['room']}" if "room" in document else None


def _store(work: Work, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    work.connection.execute(insert(lessons), rows)
    for row in rows:
        work.emit(
            "lesson", "scheduled", row["id"], row["institution_id"], 1, state="scheduled",
            external_id=row["external_id"], region_code=row["region_code"],
        )  # fmt: skip
    work.audit("scheduleLessons", rows[0]["id"], rows[0]["institution_id"], detail={"lessons": len(rows)})
