"""Consumption reported in batches: the hot path. Everything is loaded once, judged record by record, stored at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from offcampus_rules import Confirmation, Deadline
from sqlalchemy import bindparam, insert, select, tuple_

from offcampus_server.consumption import decisions, service
from offcampus_server.consumption.tables import consumption_records
from offcampus_server.courses import service as courses
from offcampus_server.courses.service import Course, Lesson
from offcampus_server.institutions import service as institutions
from offcampus_server.kernel import batch, extensions
from offcampus_server.kernel.batch import Batch, Item
from offcampus_server.kernel.clock import parse
from offcampus_server.kernel.contract import Answer, Call
from offcampus_server.kernel.ids import new_id
from offcampus_server.kernel.problems import Problem, violation
from offcampus_server.kernel.rulings import heard, problem_of
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.orders import service as orders
from offcampus_server.orders.service import Order

_INSERT = insert(consumption_records)
_PAIR = (consumption_records.c.lesson_id, consumption_records.c.order_id)
_LIVE = select(*_PAIR).where(
    tuple_(*_PAIR).in_(bindparam("pairs", expanding=True)), consumption_records.c.state != "void"
)


def report(call: Call, work: Work) -> Answer:
    """Take up to 1,000 records (M-07.2, M-14.1)."""
    return batch.run(call, work, consumption_records, _judge)


@dataclass
class _Known:
    """What the records of one batch refer to, and what the batch has used up so far."""

    orders: dict[str, Order]
    courses: dict[str, Course]
    lessons: dict[str, Lesson]
    employers: dict[str, str]
    campuses: dict[str, str]
    taken: set[tuple[str, str]]
    """(lesson, order) that have a live record."""
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    deadlines: dict[Any, Deadline] = field(default_factory=dict)

    def left(self, order: Order) -> int:
        """Hours of an order that neither earlier reports nor this batch have used, in hundredths."""
        return order.hours_centi - order.reported_centi - self.used[order.id]


def _judge(items: Batch) -> None:
    work = items.work
    reversals = [item for item in items.open if item.document["type"] == "reversal"]
    known = _load(work, batch.documents([item for item in items.open if item not in reversals]))
    rows: list[dict[str, Any]] = []
    for item in items.open:
        try:
            if item.document["type"] == "reversal":
                service.reverse(work, item)
            else:
                rows.append(_one(work, item, known))
        except Problem as problem:
            item.refuse(problem)
            if problem.remember is not None:
                problem.remember(work)
    _store(work, rows)


def _load(work: Work, documents: Sequence[dict[str, Any]]) -> _Known:
    def named(name: str) -> list[str]:
        return sorted({document[name] for document in documents if name in document})

    found = orders.load_many(work, named("order_id"))
    lessons = courses.lessons_by_id(work, named("lesson_id"))
    places = sorted({d["place"]["campus_id"] for d in documents if "campus_id" in d.get("place", {})})
    return _Known(
        found,
        courses.many(work, sorted({order.course_id for order in found.values()})),
        lessons,
        dict(institutions.staff_ids(work, named("teacher_id"))),
        dict(institutions.campus_ids(work, places)),
        _taken(work, documents),
    )


def _taken(work: Work, documents: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    pairs = sorted({(d["lesson_id"], d["order_id"]) for d in documents if "lesson_id" in d})
    found: set[tuple[str, str]] = set()
    for start in range(0, len(pairs), 250):
        some = work.connection.execute(_LIVE, {"pairs": pairs[start : start + 250]})
        found |= {(row.lesson_id, row.order_id) for row in some}
    return found


def _one(work: Work, item: Item, known: _Known) -> dict[str, Any]:
    assert work.party is not None
    record = item.document
    order = decisions.check_order(record, known.orders.get(record["order_id"]), work.party.institution_ids)
    decisions.check_times(record, order, work.now)
    decisions.check_lesson(record, known.lessons.get(record.get("lesson_id", "")), order)
    decisions.check_teacher(record, known.employers, known.campuses)
    pair = (record.get("lesson_id", ""), order.id)
    if pair[0] and pair in known.taken:
        raise Problem("consumption.duplicate", violations=[violation("consumption.duplicate", "/lesson_id")])
    left = known.left(order)
    decisions.check_balance(record, left)
    extensions.check(work, record)
    course = known.courses[order.course_id]
    decision = work.rules.check_consumption(decisions.facts(record, order, course, left, work.now))
    if (problem := problem_of(decision, record["external_id"], order.institution_id)) is not None:
        raise problem
    due = _deadline(work, known, course, record["notified_at"])
    assert due.due_at is not None
    record_id = new_id("con")
    item.accept(record_id)
    known.used[order.id] += record["class_hours_centi"]
    known.taken.add(pair)
    return {
        "id": record_id, "external_id": record["external_id"], "party_id": work.party.id,
        "institution_id": order.institution_id, "region_code": order.region_code, "version": 1, "state": "reported",
        "created_at": work.now, "updated_at": work.now, "digest": item.digest, "document": record,
        "order_id": order.id, "lesson_id": record.get("lesson_id"), "type": record["type"],
        "class_hours_centi": record["class_hours_centi"], "occurred_until": parse(record["occurred_until"]),
        "due_at": due.due_at, "due_provisional": int(due.provisional),
        "decision_id": work.record(decision, record_id, order.institution_id),
    }  # fmt: skip


def _deadline(work: Work, known: _Known, course: Course, notified_at: str) -> Deadline:
    """When silence becomes confirmation; the same for all records told on one day in one scope."""
    moment = parse(notified_at)
    key = (course.scope, moment.date())
    if key not in known.deadlines:
        known.deadlines[key] = heard(
            work.rules.confirmation_due(Confirmation(course.scope, moment)), course.scope.region
        )
    due = known.deadlines[key]
    if due.due_at is None:
        raise Problem("rules.unavailable", headers={"Retry-After": "60"}, retry_after_s=60)
    return due


def _store(work: Work, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    work.connection.execute(_INSERT, rows)
    hours: dict[str, int] = defaultdict(int)
    for row in rows:
        hours[row["order_id"]] += row["class_hours_centi"]
        work.emit(
            "consumption_record", "reported", row["id"], row["institution_id"], 1, state="reported",
            external_id=row["external_id"], region_code=row["region_code"],
        )  # fmt: skip
    orders.add_hours(work, {order_id: (centi, 0) for order_id, centi in hours.items()})
    work.audit("reportConsumption", rows[0]["id"], rows[0]["institution_id"], detail={"records": len(rows)})
