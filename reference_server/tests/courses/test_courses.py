"""Courses under the rules, classes, and lessons in batches without clashes."""

from __future__ import annotations

from typing import Any

import pytest
from world import World, problem


def schedule(world: World, *lessons: Any, **how: Any) -> Any:
    return world.vendor.post("/v1/lessons/batch", {"items": list(lessons)}, **how)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stages": ["preschool_3_6"], "grades": ["preschool"], "delivery": "online"}, "course.preschool_online"),
        ({"stages": ["preschool_3_6"], "grades": ["preschool"], "sector": "academic", "subject": "mathematics"},
         "course.preschool_academic"),
    ],
)  # fmt: skip
def test_unlawful_courses(world: World, changes: dict[str, Any], code: str) -> None:
    """Refused with rule, citation and remedy; nothing is filed; the decision of a lawful one can be read."""
    world.open_institution()
    refused = problem(world.vendor.post("/v1/courses", world.course_document(**changes)), 422, "rules.refused")
    [entry] = [entry for entry in refused["violations"] if entry["code"] == code]
    assert all(entry[name] for name in ("rule", "citation", "message_zh", "message_en", "remedy_zh", "remedy_en"))
    assert world.count("courses") == 0
    filed = world.ok(world.vendor.post("/v1/courses", world.course_document()))
    decision = world.ok(world.authority.get(f"/v1/decisions/{filed['decision_id']}"))
    assert decision["outcome"] == "allow"
    assert {plugin["jurisdiction"] for plugin in decision["plugins"]} == {"000000", "110000"}


def test_a_course_is_changed_only_before_it_is_sold(world: World) -> None:
    """Filed: it may be mended and is judged again. On sale: it stands."""
    world.open_institution()
    filed = world.ok(world.vendor.post("/v1/courses", world.course_document()))
    path = f"/v1/courses/{filed['id']}"
    mended = world.ok(world.vendor.write("PATCH", path, {"title": "水彩"}, key=None, if_match=1))
    assert mended["title"] == "水彩"
    online = {"stages": ["preschool_3_6"], "delivery": "online"}
    problem(world.vendor.write("PATCH", path, online, key=None, if_match=2), 422, "rules.refused")
    world.ok(world.authority.post(f"{path}/approval", {}, if_match=2))
    problem(world.vendor.write("PATCH", path, {"title": "x"}, key=None, if_match=3), 409, "resource.state")


def test_lessons_are_judged_one_by_one(world: World) -> None:
    """The good ones stand, each bad one says why: late, backwards, a clash of teacher, a clash of room."""
    world.open_class()
    good = world.lesson_document(1, starts_at=world.at(2, 9), ends_at=world.at(2, 10, 30))
    touching = world.lesson_document(1, starts_at=world.at(2, 10, 30), ends_at=world.at(2, 12))
    at_half_past_eight = world.lesson_document(1, starts_at=world.at(2, 19), ends_at=world.at(2, 20, 30))
    late = world.lesson_document(1, starts_at=world.at(3, 19), ends_at=world.at(3, 20, 31))
    backwards = world.lesson_document(1, starts_at=world.at(4, 11), ends_at=world.at(4, 10))
    overnight = world.lesson_document(1, starts_at=world.at(4, 11), ends_at=world.at(5, 10))
    overlapping = world.lesson_document(1, starts_at=world.at(2, 10), ends_at=world.at(2, 11), room="102")
    batch = world.ok(schedule(world, good, touching, at_half_past_eight, late, backwards, overnight, overlapping))
    codes = [(result["status"], (result.get("problem") or {}).get("code")) for result in batch["results"]]
    assert codes == [(201, None)] * 3 + [(422, "rules.refused"), (422, "lesson.time_order"), (422, "lesson.time_order"),
                                         (409, "lesson.teacher_clash")]  # fmt: skip
    assert batch["summary"] == {"accepted": 3, "duplicate": 0, "refused": 4}


def test_rooms_are_used_once(world: World) -> None:
    """Another teacher in the same room at the same time is refused."""
    world.open_class()
    other = world.ok(world.vendor.post("/v1/staff", world.staff_document()))["id"]
    lesson = world.lesson_document(1, teacher_id=other)
    problem_of = world.ok(schedule(world, lesson))["results"][0]["problem"]
    assert problem_of["code"] == "lesson.room_clash"


def test_strict_batches_are_all_or_nothing(world: World) -> None:
    """Prefer: handling=strict stores nothing when one item is refused."""
    world.open_class()
    before = world.count("lessons")
    items = [world.lesson_document(1, starts_at=world.at(2, 9), ends_at=world.at(2, 10)), {"external_id": "x"}]
    answer = schedule(world, *items, headers={"Prefer": "handling=strict"})
    problem(answer, 422, "batch.strict", "/items/1")
    assert world.count("lessons") == before


@pytest.mark.parametrize(
    "time", ["2026-03-01T10:00:00", "2026-03-01T24:00:00+08:00", "2026-02-30T10:00:00+08:00", "2026-03-01 10:00",
             "2026-03-01T10:00:60+08:00", "2026-03-01T10:00+08:00", "2026-03-01T10:00:00+0800", "now", "1899-01-01T00:00:00Z"],
)  # fmt: skip
def test_times_that_are_none(world: World, time: str) -> None:
    """Naive, 24:00, leap seconds, days that do not exist: refused at their place, the rest of the batch goes on."""
    world.open_class()
    bad = world.lesson_document(1, starts_at=time)
    good = world.lesson_document(1, starts_at=world.at(2, 9), ends_at=world.at(2, 10))
    first, second = world.ok(schedule(world, bad, good))["results"]
    assert first["problem"]["code"] == "schema.invalid"
    assert first["problem"]["violations"][0]["pointer"] == "/starts_at"
    assert second["status"] == 201


def test_cancelled_lessons_free_their_slot(world: World) -> None:
    """Cancelled once; its teacher and room are free again."""
    world.open_class()
    id = world.ids["lesson.1"]
    cancelled = world.ok(world.vendor.post(f"/v1/lessons/{id}/cancellation", {}, if_match=1))
    assert cancelled["state"] == "cancelled"
    problem(world.vendor.post(f"/v1/lessons/{id}/cancellation", {}, if_match=2), 409, "resource.state")
    assert world.ok(schedule(world, world.lesson_document(1)))["results"][0]["status"] == 201


def test_classes_refer_to_what_is_there(world: World) -> None:
    """Course, campus and teachers are the institution's own."""
    world.open_class()
    document = {"external_id": "k", "institution_id": world.ids["institution"], "course_id": world.ids["course"],
                "title": "班", "teacher_ids": ["stf_" + "0" * 26], "size_max": 5}  # fmt: skip
    problem(world.vendor.post("/v1/classes", document), 422, "reference.not_found", "/teacher_ids/0")
    other = {**document, "teacher_ids": [world.ids["staff"]], "course_id": "crs_" + "0" * 26}
    problem(world.vendor.post("/v1/classes", other), 422, "reference.not_found", "/course_id")
