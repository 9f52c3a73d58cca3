"""What was taught: reported, confirmed, disputed, ruled on; and every kind of record that must be refused."""

from __future__ import annotations

from typing import Any

from offcampus_conformance.platform_scenario.day import Day, Unfinished
from offcampus_conformance.platform_scenario.supply import refuse_by_item
from offcampus_conformance.synthetic import Document


def consume(day: Day) -> None:
    """Four lessons reported; what must be refused beside them; confirmed, disputed, ruled on."""
    ids = day.ids
    if "payment" not in ids:
        raise Unfinished("there is no paid order to teach for")
    good = [_record(day, number) for number in (1, 2, 3, 4)]
    first = day.act("reportConsumption", "vendor", {"items": good})
    for number, result in enumerate((first.json() or {}).get("results", [])[:4], 1):
        if "id" in result:
            ids[f"record.{number}"] = result["id"]
    day.probe(day.request("reportConsumption", "vendor", {"items": good}), "consumption.batch_repeat")
    refuse_by_item(day, "consumption", "reportConsumption", _bad_records(day, good[0]), lawful=_record(day, 5))
    strict = day.request("reportConsumption", "vendor", {"items": [_record(day, 6), {**good[0], "external_id": "x"}]})
    day.probe(strict.but(headers={"Prefer": "handling=strict"}), "consumption.strict", codes=["batch.strict"])
    if "record.4" not in ids:
        raise Unfinished("the lawful consumption records were not accepted")
    day.act("listConsumptionRecords", "vendor", query={"institution_id": ids["institution"]})
    day.act("getConsumptionRecord", "vendor", where={"consumption_record_id": ids["record.1"]})
    _decide(day)
    day.act("getOrder", "vendor", label="order.consumed")


def _decide(day: Day) -> None:
    ids = day.ids
    second = {"consumption_record_id": ids["record.2"]}
    by_vendor = day.request("confirmConsumption", "vendor", {}, where=second)
    day.probe(by_vendor, "consumption.confirm_by_vendor", codes=["auth.scope"])
    day.act("confirmConsumption", "guardian_app", {}, where={"consumption_record_id": ids["record.1"]})
    dispute = {"reason": "not_taught", "text": "当日未上课"}
    where = {"consumption_record_id": ids["record.3"]}
    day.act("disputeConsumption", "guardian_app", dispute, where=where)
    confirm = day.request("confirmConsumption", "guardian_app", {}, where=where)
    day.probe(confirm, "consumption.confirm_disputed", codes=["resource.state"])
    day.act("getOrder", "vendor", label="order.disputed")
    ruling = {"ruling": "uphold_parent", "text": "已核查"}
    day.act("resolveDispute", "authority", ruling, where=where)


def _record(day: Day, number: int, **changes: Any) -> Document:
    return day.make.consumption(number, day.ids, day.ids[f"lesson.{number}"], **changes)


def _bad_records(day: Day, known: Document) -> dict[str, Document]:
    make = day.make
    sixth = _record(day, 6)

    def bad(name: str, **changes: Any) -> Document:
        return {**sixth, "external_id": f"con-{make.tag}-{name}", **changes}

    return {
        "in_future": bad(
            "f", occurred_from=make.at(2, 10), occurred_until=make.at(2, 11, 30), notified_at=make.at(2, 12)
        ),
        "again": {**known, "external_id": f"con-{make.tag}-again"},
        "no_teacher": _without(bad("t"), "teacher_id"),
        "exceeds_lesson": bad("l", class_hours_centi=400),
        "exceeds_balance": _without(
            bad("b", type="forfeit", class_hours_centi=4100, proof={**sixth["proof"], "kind": "guardian_consent"}),
            "lesson_id",
        ),
        "other_day": bad("o", occurred_from=make.at(-5, 10), occurred_until=make.at(-5, 11, 30)),
        "backwards": bad("w", occurred_from=make.at(-2, 11, 30), occurred_until=make.at(-2, 10)),
        "before_purchase": bad("p", occurred_from=make.at(-12, 10), occurred_until=make.at(-12, 11, 30)),
        "cancelled_lesson": {**_record(day, 7), "external_id": f"con-{make.tag}-c"},
        "unpaid_order": bad("u", order_id=day.ids["order.2"]),
        "negative": bad("n", class_hours_centi=-200),
        "changed": {**known, "class_hours_centi": 100},
        "naive_time": bad("z", occurred_from=make.at(-2, 10)[:19]),
    }


def _without(document: Document, name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}
