"""The institution's silence: five working days from when it could know, half-open, and counted for nobody too early."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from money import approve, ask, balanced, event_types, instructions, object_to, refund, sweep
from offcampus_rules import RuleSet
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.refunds.overdue import find_overdue
from offcampus_server.refunds.service import agree_silent
from world import Document, World, problem


def travel(world: World, moment: str) -> None:
    """Let business time be this moment, to the second."""
    now = datetime.now(SHANGHAI)
    offset = math.ceil((datetime.fromisoformat(moment) - now).total_seconds())
    (world.folder / "clock.json").write_text(json.dumps({"offset_seconds": offset}))


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """A paid order, on Wednesday 2 December 2026 at noon."""
    travel(sqlite_world, "2026-12-02T12:00:00+08:00")
    return sqlite_world.ready()


def test_silence_is_consent_at_the_first_instant_after_the_fifth_working_day(lite: World) -> None:
    """Asked on Wednesday: Thursday, Friday, Monday, Tuesday, Wednesday; it runs out at 00:00 of Thursday the 10th."""
    asked = lite.ok(ask(lite))
    assert asked["silence_due_at"] == "2026-12-10T00:00:00+08:00"
    travel(lite, "2026-12-09T23:59:50+08:00")
    assert sweep(lite, agree_silent) == 0
    travel(lite, "2026-12-10T00:00:00+08:00")
    assert sweep(lite, agree_silent) == 1
    assert sweep(lite, agree_silent) == 0
    assert refund(lite, asked["id"])["state"] == "paying"
    assert len(instructions(lite, state="issued")) == 2
    assert balanced(lite)["pending_refund"] == 480_000


def test_an_objection_in_the_last_minute_counts_and_a_second_later_it_does_not(lite: World) -> None:
    """The same instant decides for both sides, whether or not the sweep has run yet."""
    first = lite.ok(ask(lite))
    travel(lite, "2026-12-10T00:00:00+08:00")
    refused = problem(object_to(lite, first), 409, "resource.state", "/silence_due_at")
    assert refused["violations"][0]["allowed"] == "before 2026-12-10T00:00:00+08:00"
    travel(lite, "2026-12-09T23:59:50+08:00")
    assert lite.ok(object_to(lite, first))["state"] == "objected"


def test_a_backdated_request_does_not_make_silence_shorter(lite: World) -> None:
    """Asked, it says, nine days ago: the institution hears of it today, and its five days begin today."""
    asked = lite.ok(ask(lite, requested_at=(lite.now - timedelta(days=9)).isoformat()))
    assert asked["silence_due_at"] == "2026-12-10T00:00:00+08:00"
    assert "received" in [line["line"] for line in asked["working"]]
    assert sweep(lite, agree_silent) == 0
    assert refund(lite, asked["id"])["state"] == "requested"


def test_silence_without_a_rule_is_no_consent(lite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no rule says how long, the request is put off and nothing is stored: it never means 'at once'."""
    terms = RuleSet.refund_terms
    monkeypatch.setattr(
        RuleSet, "refund_terms", lambda self, case: replace(terms(self, case), silence_due_at=None, due_at=None)
    )
    problem(ask(lite), 503, "rules.unavailable")
    assert lite.count("refunds") == 0
    assert lite.order()["state"] == "paid"


def test_the_deadline_to_pay_is_the_provinces(sqlite_world: World) -> None:
    """Beijing, academic: five days before the start, fifteen after it; the working names the days and the document."""
    world = academic(sqlite_world)
    asked = world.ok(ask(world))
    assert asked["due_at"] == "2026-12-08T00:00:00+08:00"
    assert any("预收费管理办法" in line["text_zh"] for line in asked["working"])


def test_a_refund_that_is_not_back_in_time_is_overdue_once_and_listed_until_it_is_paid(sqlite_world: World) -> None:
    """At 00:00 after the last day: noted, told once, on the list of work; off the list when the money is back."""
    world = academic(sqlite_world)
    asked = world.ok(ask(world))
    travel(world, "2026-12-07T23:59:50+08:00")
    assert sweep(world, find_overdue) == 0
    assert overdue(world) == []
    travel(world, "2026-12-08T00:00:00+08:00")
    assert overdue(world) == [asked["id"]], "the list does not wait for the sweep"
    assert [sweep(world, find_overdue), sweep(world, find_overdue)] == [1, 0]
    late = refund(world, asked["id"])
    assert (late["overdue_at"][:16], late["state"]) == ("2026-12-08T00:00", "paying"), "an instruction is no payment"
    assert event_types(world, asked["id"]) == ["refund.requested", "refund.agreed", "refund.overdue"]
    world.execute_all()
    assert refund(world, asked["id"])["state"] == "paid"
    assert overdue(world) == []


def overdue(world: World) -> list[str]:
    """The authority's list of work."""
    return [item["id"] for item in world.ok(world.authority.get("/v1/refunds", deadline="overdue"))["items"]]


def test_where_nothing_is_regulated_nothing_is_made_up(lite: World) -> None:
    """For other categories no deadline to pay was found: it is null, and the working says so."""
    asked = lite.ok(ask(lite))
    assert asked["due_at"] is None
    assert any("未作规定" in line["text_zh"] for line in asked["working"])


def academic(world: World) -> World:
    """A paid order of an academic course at 30 yuan an hour, on Wednesday 2 December 2026; no lesson was given."""
    price: Document = {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": 120_000}]}
    travel(world, "2026-12-02T12:00:00+08:00")
    world.open_institution(sectors=["academic"])
    document = world.course_document(sector="academic", subject="mathematics", title="数学", **price)
    course = world.ok(world.vendor.post("/v1/courses", document))
    world.ok(world.authority.post(f"/v1/courses/{course['id']}/approval", {}, if_match=course["version"]))
    world.ids["course"] = course["id"]
    world.open_family()
    world.open_account()
    world.buy(total_fen=120_000, **price)
    return world


def test_the_working_is_told_in_both_languages(lite: World) -> None:
    """Each line has a Chinese and an English text, and fits the contract."""
    asked = lite.ok(ask(lite))
    assert all(line["text_zh"] and line["text_en"] for line in asked["working"])
    done = lite.ok(approve(lite, asked))
    assert all(line["text_zh"] and line["text_en"] for line in done["working"])
