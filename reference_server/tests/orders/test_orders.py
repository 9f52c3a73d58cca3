"""Orders: sold under the rules in force, with sums to the fen, and told to whom they concern."""

from __future__ import annotations

from typing import Any

import pytest
from money import ask, balanced, event_types, in_contract, run
from world import Document, World, problem


@pytest.fixture
def shop(world: World) -> World:
    """A course on sale, a family with a contract, an account at the bank."""
    return opened(world)


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return opened(sqlite_world)


def opened(world: World) -> World:
    world.open_class()
    world.open_family()
    world.open_account()
    return world


def order(world: World, **changes: Any) -> Any:
    return world.vendor.post("/v1/orders", world.order_document(**changes))


def priced(fen: int, **more: Any) -> Document:
    return {"price_lines": [{"kind": "tuition", "title": "学费", "amount_fen": fen}], "total_fen": fen, **more}


def test_an_order_is_placed_once_and_awaits_its_payment(shop: World) -> None:
    """Nothing is paid yet; the decision that let it through is kept; the same order again is the same order."""
    sent = shop.order_document()
    made = shop.ok(shop.vendor.post("/v1/orders", sent), 201)
    assert (made["state"], made["version"], made["paid_fen"], made["escrow_fen"]) == ("awaiting_payment", 1, 0, 0)
    assert (made["consumed_class_hours_centi"], made["unconsumed_class_hours_centi"]) == (0, 4000)
    again = shop.ok(shop.vendor.post("/v1/orders", sent), 200)
    assert again == made
    assert shop.count("orders") == 1
    decision = shop.ok(shop.authority.get(f"/v1/decisions/{made['decision_id']}"))
    assert (decision["outcome"], decision["kind"]) == ("allow", "charge")
    assert event_types(shop, made["id"]) == ["order.created"]


def test_who_sees_an_order(shop: World) -> None:
    """The institution, the parent terminal and the authority see it; for a rival and for a bank it is not there."""
    shop.buy(paid=False)
    path = f"/v1/orders/{shop.ids['order']}"
    for name in ("vendor", "guardian_app", "authority", "province"):
        assert shop.ok(shop.parties[name].get(path))["id"] == shop.ids["order"]
        listed = shop.ok(shop.parties[name].get("/v1/orders", state="awaiting_payment"))["items"]
        assert [item["id"] for item in listed] == [shop.ids["order"]]
        assert shop.ok(shop.parties[name].get(f"{path}/statement"))["lines"] == []
    problem(shop.rival.get(path), 404, "resource.not_found")
    problem(shop.rival.get(f"{path}/statement"), 404, "resource.not_found")
    problem(shop.bank.get(path), 403, "auth.scope")


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"total_fen": 479_999}, 480_000),
        ({"total_fen": 480_001}, 480_000),
        ({"discount_fen": 1}, 479_999),
        ({"discount_fen": 480_000, "total_fen": 480_000}, 0),
    ],
    ids=["a fen less", "a fen more", "a discount that is not taken off", "everything is discounted"],
)
def test_sums_agree_to_the_fen(lite: World, changes: Document, allowed: int) -> None:
    """total = lines - discount; the problem says what it must be."""
    refused = problem(in_contract(order(lite, **changes), "createOrder"), 422, "money.sum_mismatch", "/total_fen")
    assert refused["violations"][0]["allowed"] == allowed
    assert lite.count("orders") == 0


def test_lines_and_discount_make_the_total(lite: World) -> None:
    """Several lines less a discount are taken as they are."""
    lines = [
        {"kind": "tuition", "title": "学费", "amount_fen": 450_001},
        {"kind": "material", "title": "画材", "amount_fen": 49_999},
    ]
    made = lite.ok(order(lite, price_lines=lines, discount_fen=20_000, total_fen=480_000), 201)
    assert made["total_fen"] == 480_000


RULES = {
    "61 hours": ({"class_hours_centi": 6100}, "precharge.hours_exceeded"),
    "60 paid and 10 gift hours": ({"class_hours_centi": 6000, "gift_hours_centi": 1000}, "precharge.hours_exceeded"),
    "5,000.01 yuan": (priced(500_001), "precharge.amount_exceeded"),
    "four months": ({"service_until": 120}, "precharge.period_exceeded"),
    "a training loan": ({"training_loan": True}, "precharge.loan"),
}


@pytest.mark.parametrize("name", RULES)
def test_charges_beyond_the_limits_are_refused(lite: World, name: str) -> None:
    """Each with rule, what was given, what is allowed, the source; nothing is stored but the refusal's trace."""
    changes, rule = RULES[name]
    if "service_until" in changes:
        changes = {"service_until": lite.day(int(changes["service_until"]))}
    refused = problem(in_contract(order(lite, **changes), "createOrder"), 422, "rules.refused")
    found = {entry["code"]: entry for entry in refused["violations"]}
    assert rule in found, refused
    assert found[rule]["citation"]
    assert found[rule]["message_zh"]
    assert lite.count("orders") == 0


@pytest.mark.parametrize(
    "changes",
    [{"class_hours_centi": 6000}, {"class_hours_centi": 5000, "gift_hours_centi": 1000}, priced(500_000)],
    ids=["60 hours", "50 paid and 10 gift hours", "5,000.00 yuan"],
)
def test_charges_at_the_limits_pass(lite: World, changes: Document) -> None:
    """The limit itself is allowed."""
    lite.ok(order(lite, **changes), 201)


def test_other_open_orders_of_the_subject_count(shop: World) -> None:
    """30 and 30 hours are 60; a third order of one hour is too much, and possible again when one was cancelled."""
    first = shop.ok(order(shop, class_hours_centi=3000), 201)
    shop.ok(order(shop, class_hours_centi=3000), 201)
    refused = problem(order(shop, class_hours_centi=100), 422, "rules.refused")
    assert "precharge.hours_exceeded" in [entry["code"] for entry in refused["violations"]]
    path = f"/v1/orders/{first['id']}/cancellation"
    shop.ok(shop.vendor.post(path, {}, if_match=first["version"]))
    shop.ok(order(shop, class_hours_centi=100), 201)


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("institution_id", "ins_" + "0" * 26, "reference.not_found"),
        ("pupil_id", "pup_" + "0" * 26, "reference.not_found"),
        ("guardian_id", "grd_" + "0" * 26, "reference.not_found"),
        ("course_id", "crs_" + "0" * 26, "reference.not_found"),
        ("contract_id", "ctr_" + "0" * 26, "reference.not_found"),
        ("class_id", "cls_" + "0" * 26, "reference.not_found"),
    ],
)
def test_an_order_names_what_is_there(lite: World, member: str, value: str, code: str) -> None:
    """A reference to nothing of the institution is pointed at."""
    answer = order(lite, **{member: value})
    problem(in_contract(answer, "createOrder"), 422, code, f"/{member}")


def test_contract_and_order_name_the_same(lite: World) -> None:
    """Another family of the same institution cannot buy under this contract."""
    contract = lite.ids["contract"]
    lite.open_family()
    answer = order(lite, contract_id=contract)
    problem(in_contract(answer, "createOrder"), 422, "reference.mismatch", "/pupil_id")


def test_a_contract_comes_before_its_order(lite: World) -> None:
    """An order that is older than the signature did not come about under it: the law of its day would be evaded."""
    answer = order(lite, ordered_at=lite.at(-11, 23, 59))
    problem(in_contract(answer, "createOrder"), 422, "reference.mismatch", "/contract_id")
    lite.ok(order(lite, ordered_at=lite.at(-10, 0)), 201)


def test_nothing_is_ordered_tomorrow_or_backwards(lite: World) -> None:
    """ordered_at lies behind us; a service period ends after it starts."""
    answer = order(lite, ordered_at=lite.at(1, 9))
    problem(in_contract(answer, "createOrder"), 422, "schema.invalid", "/ordered_at")
    answer = order(lite, service_until=lite.day(-9))
    problem(in_contract(answer, "createOrder"), 422, "schema.invalid", "/service_until")


def test_only_courses_on_sale_are_sold(lite: World) -> None:
    """A filed course that nobody has approved cannot be bought."""
    lite.ids["course"] = lite.ok(lite.vendor.post("/v1/courses", lite.course_document()))["id"]
    lite.open_family()
    answer = order(lite)
    refused = problem(in_contract(answer, "createOrder"), 409, "resource.state")
    assert refused["violations"][0]["allowed"] == ["on_sale"]


def test_an_institution_that_is_not_approved_sells_nothing(lite: World) -> None:
    """Off the white list: the sale is blocked (and what was sold goes on, which other tests show)."""
    run(lite, "UPDATE institutions SET state = 'suspended'")
    problem(in_contract(order(lite), "createOrder"), 409, "resource.state")


def test_an_unpaid_order_is_cancelled_once(shop: World) -> None:
    """With its version; again, stale, or when it is paid it is refused and nothing moves."""
    shop.buy(paid=False)
    path = f"/v1/orders/{shop.ids['order']}/cancellation"
    problem(shop.vendor.post(path, {}), 428, "concurrency.if_match_missing")
    stale = problem(shop.vendor.post(path, {}, if_match=9), 412, "concurrency.stale")
    assert stale["violations"][0]["allowed"] == '"1"'
    problem(shop.rival.post(path, {}, if_match=1), 404, "resource.not_found")
    cancelled = shop.ok(shop.vendor.post(path, {}, if_match=1))
    assert (cancelled["state"], cancelled["version"]) == ("cancelled", 2)
    problem(in_contract(shop.vendor.post(path, {}, if_match=2), "cancelOrder"), 409, "resource.state")
    assert event_types(shop, shop.ids["order"]) == ["order.created", "order.cancelled"]
    answer = ask(shop)
    problem(in_contract(answer, "requestRefund"), 409, "resource.state")


def test_a_paid_order_is_not_cancelled(shop: World) -> None:
    """Its money is in custody: it goes back by a refund."""
    shop.buy()
    path = f"/v1/orders/{shop.ids['order']}/cancellation"
    answer = shop.vendor.post(path, {}, if_match=shop.order()["version"])
    problem(in_contract(answer, "cancelOrder"), 409, "resource.state")
    assert balanced(shop)["escrow"] == 480_000


def test_every_line_of_an_order_can_be_read(shop: World) -> None:
    """Receipts and a pending release: the lines make the sums, to the fen."""
    shop.buy()
    shop.confirm(*shop.report(1))
    body = shop.ok(shop.guardian_app.get(f"/v1/orders/{shop.ids['order']}/statement"))
    shown = [(line["kind"], line["state"], line["amount_fen"], line["part_no"]) for line in body["lines"]]
    assert shown == [
        ("receipt", "posted", 300_000, 1), ("receipt", "posted", 180_000, 2), ("release", "pending", 24_000, None),
    ]  # fmt: skip
    assert (body["paid_fen"], body["escrow_fen"], body["pending_release_fen"]) == (480_000, 456_000, 24_000)
