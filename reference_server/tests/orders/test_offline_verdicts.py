"""What the SDK says before sending is what the platform says when it is sent: code, places, rules."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from offcampus_sdk import checking
from offcampus_sdk.checking import Verdict
from offcampus_sdk.rules import Rules
from world import Document, World

CHANGES: dict[str, Callable[[Document], None]] = {
    "nothing": lambda order: None,
    "61 hours": lambda order: order.update(class_hours_centi=6100),
    "gift hours beyond": lambda order: order.update(gift_hours_centi=2100),
    "5,000.01 yuan": lambda order: priced(order, 500_001),
    "5,000.00 yuan": lambda order: priced(order, 500_000),
    "a loan": lambda order: order.update(training_loan=True),
    "a fen less": lambda order: order.update(total_fen=order["total_fen"] - 1),
    "a long period": lambda order: order.update(service_until="2027-12-31"),
    "a period backwards": lambda order: order.update(service_until=order["service_from"]),
    "too early": lambda order: order.update(service_from="2028-01-01", service_until="2028-02-01"),
    "a member too many": lambda order: order.update(colour="red"),
    "a member missing": lambda order: order.pop("charge_method"),
    "an unknown method": lambda order: order.update(charge_method="by_moon"),
    "a float": lambda order: order.update(class_hours_centi=40.5),
    "text for money": lambda order: order.update(total_fen="480000"),
    "null": lambda order: order.update(renewal=None),
    "no price": lambda order: order.update(price_lines=[]),
    "negative": lambda order: order.update(discount_fen=-1),
}


def priced(order: Document, fen: int) -> None:
    order.update(price_lines=[{"kind": "tuition", "title": "学费", "amount_fen": fen}], total_fen=fen)


def signature(code: str, violations: list[Any]) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Code, and of each violation the place, its code and its rule."""
    rows = [json.loads(json.dumps(entry)) for entry in violations]
    return code, tuple(sorted((str(row.get("pointer")), row["code"], str(row.get("rule"))) for row in rows))


def offline(verdict: Verdict) -> Any:
    return signature(verdict.code, [msgspec.to_builtins(entry) for entry in verdict.violations])


def online(answer: Any) -> Any:
    return signature("" if answer.status_code < 400 else answer.json["code"], (answer.json or {}).get("violations", []))


@pytest.fixture
def shop(sqlite_world: World) -> World:
    """A course on sale, a family with a contract."""
    sqlite_world.open_class()
    sqlite_world.open_family()
    return sqlite_world


def orders(world: World) -> list[tuple[str, Document]]:
    """Every change alone, and twenty pairs of them."""
    chance = random.Random(7)
    pairs = [chance.sample(sorted(CHANGES), 2) for _ in range(20)]
    made = []
    for names in [[name] for name in CHANGES] + pairs:
        document = copy.deepcopy(world.order_document())
        for name in names:
            if name in ("a member missing", "null") and "charge_method" not in document:
                continue
            CHANGES[name](document)
        made.append((" and ".join(names), document))
    return made


def test_an_order_has_the_same_verdict_here_and_there(shop: World) -> None:
    """Schema, sums, periods and Beijing's rules; accepted ones are cancelled, so that none weighs on the next."""
    course = shop.ok(shop.vendor.get(f"/v1/courses/{shop.ids['course']}"))
    contract = shop.ok(shop.vendor.get(f"/v1/contracts/{shop.ids['contract']}"))
    rules, seen = Rules("110105"), set()
    for name, document in orders(shop):
        answer = shop.vendor.post("/v1/orders", document)
        verdict = rules.order(document, course, signed_on=contract["signed_on"])
        assert offline(verdict) == online(answer), name
        seen.add(online(answer)[0])
        if answer.status_code == 201:
            shop.ok(shop.vendor.post(f"/v1/orders/{answer.json['id']}/cancellation", {}, if_match=1))
    assert seen == {"", "json.number", "schema.invalid", "money.sum_mismatch", "rules.refused"}


def test_a_course_has_the_same_verdict_here_and_there(shop: World) -> None:
    """The same for what is filed."""
    today: date = shop.now.date()
    for changes in (
        {}, {"lesson_minutes": 0}, {"ends_on": shop.day(-20)}, {"class_hours_centi": 9900}, {"sector": "academic"},
        {"minutes_per_class_hour": 20, "lesson_minutes": 300}, {"grades": []}, {"class_size_max": 500},
    ):  # fmt: skip
        document = shop.course_document(**changes)
        answer = shop.vendor.post("/v1/courses", document)
        assert offline(Rules("110105").course(document, filed_on=today)) == online(answer), changes


def test_a_lesson_has_the_same_verdict_here_and_there(shop: World) -> None:
    """The same for the timetable, item by item."""
    course = shop.ok(shop.vendor.get(f"/v1/courses/{shop.ids['course']}"))
    for hour, minute, length in ((18, 30, 90), (20, 0, 90), (5, 0, 60), (18, 30, 0), (18, 30, -30), (20, 31, 1)):
        starts = datetime.fromisoformat(shop.at(9, hour, minute))
        document = shop.lesson_document(1, starts_at=starts.isoformat(), ends_at=shop.at(9, hour, minute + length))
        [result] = shop.ok(shop.vendor.post("/v1/lessons/batch", {"items": [document]}), 207)["results"]
        problem = result.get("problem", {"code": "", "violations": []})
        found = signature(problem["code"], problem.get("violations", []))
        assert offline(Rules("110105").lesson(document, course)) == found, (hour, minute, length)


def test_what_has_no_record_cannot_be_checked() -> None:
    """A read sends nothing; a patch sends a part."""
    for operation in ("getOrder", "updateCourse"):
        with pytest.raises(ValueError, match="no whole record"):
            checking.check(operation, {})
