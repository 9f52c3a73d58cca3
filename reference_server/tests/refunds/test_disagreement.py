"""The institution says no: on which grounds it may, and how the authority ends it. Both engines."""

from __future__ import annotations

from typing import Any

import pytest
from money import (
    ask,
    balanced,
    dispute,
    event_types,
    in_contract,
    instructions,
    object_to,
    refund,
    resolve,
    rule_on,
)
from world import Document, World, problem


@pytest.fixture
def paid(world: World) -> World:
    """An order of 40 hours for 4,800.00 yuan, paid through two channels."""
    return world.ready()


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return sqlite_world.ready()


def objected(world: World, **changes: Any) -> Document:
    return dict(world.ok(object_to(world, world.ok(ask(world)), **changes)))


def test_a_ruling_for_the_family_pays(paid: World) -> None:
    """The sum is worked out at the ruling, the bank is told at once, and the decision behind the objection is kept."""
    (record,) = paid.report(1)
    disputed = objected(paid, ground="hours_taught", records=[record])
    assert disputed["objection"]["records"] == [record]
    assert paid.ok(paid.authority.get(f"/v1/decisions/{disputed['decision_id']}"))["outcome"] == "allow"
    ruled = paid.ok(rule_on(paid, disputed, "uphold_parent"))
    assert (ruled["state"], ruled["agreed_by"], ruled["ruling"]["text"]) == ("paying", "ruling", "已核查")
    assert ruled["amount_fen"] == 456_000, "the hours themselves are ruled on as a consumption record"
    paid.execute_all()
    resolve(paid, dispute(paid, record), "uphold_institution")
    paid.execute_all()
    found = balanced(paid)
    assert (found["refunded"], found["released"], found["escrow"]) == (456_000, 24_000, 0)
    assert event_types(paid, ruled["id"]) == ["refund.requested", "refund.objected", "refund.agreed", "refund.paid"]


def test_a_ruling_for_the_institution_rejects_and_the_order_goes_on(paid: World) -> None:
    """No fen moves, lessons are reported again, and the family may ask anew later; the rejected refund stays as it is."""
    disputed = objected(paid)
    ruled = paid.ok(rule_on(paid, disputed, "uphold_institution"))
    assert (ruled["state"], ruled["agreed_by"], ruled["parts"]) == ("rejected", None, [])
    assert instructions(paid) == []
    assert (paid.order()["state"], balanced(paid)["escrow"]) == ("paid", 480_000)
    problem(in_contract(rule_on(paid, ruled, "uphold_parent"), "ruleOnRefund"), 409, "resource.state")
    (record,) = paid.report(1)
    paid.ok(paid.confirm(record))
    paid.execute_all()
    assert paid.ok(ask(paid), 201)["amount_fen"] == 456_000
    assert refund(paid, ruled["id"])["state"] == "rejected"
    assert event_types(paid, paid.ids["order"]).count("order.resumed") == 1


def test_only_an_authority_of_the_region_rules(lite: World) -> None:
    """Neither side rules on itself; a ruling is of what was read; one that nobody objected to is not ruled on."""
    asked = lite.ok(ask(lite))
    problem(in_contract(rule_on(lite, asked, "uphold_parent"), "ruleOnRefund"), 409, "resource.state")
    disputed = lite.ok(object_to(lite, asked))
    for name in ("vendor", "guardian_app", "bank"):
        problem(in_contract(rule_on(lite, disputed, "uphold_parent", by=name), "ruleOnRefund"), 403, "auth.scope")
    problem(rule_on(lite, asked, "uphold_parent"), 412, "concurrency.stale")
    assert refund(lite, asked["id"])["state"] == "objected"


def test_a_closed_institution_is_not_waited_for(lite: World) -> None:
    """It has closed: the county rules at once, and the bank pays back all that is not consumed."""
    asked = lite.ok(ask(lite, reason="institution_closed"))
    ruled = lite.ok(rule_on(lite, asked, "uphold_parent"))
    assert (ruled["state"], ruled["amount_fen"]) == ("paying", 480_000)


def test_a_term_that_excludes_refunds_is_no_ground(lite: World) -> None:
    """The rules refuse the objection with document and number; the refund stands as before and silence still runs."""
    asked = lite.ok(ask(lite))
    refused = problem(
        in_contract(object_to(lite, asked, ground="contract_terms"), "objectToRefund"), 422, "rules.refused"
    )
    (entry,) = refused["violations"]
    assert (entry["code"], entry["rule"]) == ("refund.refused_by_void_term", "CN-CIV-004")
    assert "法释〔2025〕4号" in entry["citation"]
    assert (refund(lite, asked["id"])["state"], refund(lite, asked["id"])["objection"]) == ("requested", None)


def test_the_records_that_prove_hours_are_this_order_s_and_stand(lite: World) -> None:
    """Somebody else's record, a void one, none at all: pointed at, and the objection is not taken."""
    first, second = lite.report(1, 2)
    resolve(lite, dispute(lite, second), "uphold_parent")
    asked = lite.ok(ask(lite))
    for records in (["con_" + "0" * 26], [first, second]):
        answer = object_to(lite, asked, ground="hours_taught", records=records)
        problem(in_contract(answer, "objectToRefund"), 422, "reference.not_found", f"/records/{len(records) - 1}")
    assert lite.ok(object_to(lite, asked, ground="hours_taught", records=[first]))["state"] == "objected"


def test_an_objection_says_on_which_ground(lite: World) -> None:
    """Without a ground nobody can judge it."""
    asked = lite.ok(ask(lite))
    path = f"/v1/refunds/{asked['id']}/objection"
    problem(lite.vendor.post(path, {"reason": "x"}, if_match=1), 422, "schema.invalid")
