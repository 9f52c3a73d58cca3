"""Carrying over: a new contract takes what an order has left, in one event, judged as any new order (scenario 26)."""

from __future__ import annotations

from typing import Any

import pytest
from money import agreed, balanced, event_types, in_contract, moving, run
from world import Document, World, problem


@pytest.fixture
def taught(world: World) -> World:
    """4,800.00 yuan for 40 hours by wallet and card; two lessons confirmed and released."""
    return begun(world)


@pytest.fixture
def lite(sqlite_world: World) -> World:
    """The same on SQLite alone."""
    return begun(sqlite_world)


def begun(world: World) -> World:
    world.ready()
    for record in world.report(1, 2):
        world.confirm(record)
    world.execute_all()
    return world


def contract(world: World, **terms: Any) -> str:
    body = {
        "external_id": world.fresh("ctr"), "institution_id": world.ids["institution"], "pupil_id": world.ids["pupil"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": world.fresh("n"), "signed_on": world.day(0), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "2" * 64, "supervision": "custody", **terms,
    }  # fmt: skip
    return str(world.ok(world.vendor.post("/v1/contracts", body), 201)["id"])


def new_order(world: World, fen: int = 432_000, **changes: Any) -> Document:
    return world.order_document(
        contract_id=contract(world), class_hours_centi=3_600, total_fen=fen, ordered_at=world.now.isoformat(),
        price_lines=[{"kind": "tuition", "title": "学费", "amount_fen": fen}], service_from=world.day(0),
        service_until=world.day(70), **changes,
    )  # fmt: skip


def carry(world: World, order: Document, **changes: Any) -> Any:
    body = {"external_id": world.fresh("co"), "order": order, "consent_reference": "TY-1", **changes}
    current = world.ok(world.vendor.get(f"/v1/orders/{world.ids['order']}"))
    return world.vendor.post(f"/v1/orders/{world.ids['order']}/carry-over", body, if_match=current["version"])


def test_what_is_left_goes_over_in_one_event(taught: World) -> None:
    """The old order closes, the new one is paid by each channel's share; custody has not moved; refunds go back there."""
    old, before = taught.ids["order"], taught.ok(taught.bank.get("/v1/custody-accounts"))["items"][0]["balance_fen"]
    order = new_order(taught)
    new = taught.ok(carry(taught, order), 201)
    assert (new["state"], new["paid_fen"], new["escrow_fen"]) == ("paid", 432_000, 432_000)
    closed = taught.order()
    assert (closed["state"], closed["carried_out_fen"], closed["escrow_fen"]) == ("closed", 432_000, 0)
    assert taught.ok(taught.bank.get("/v1/custody-accounts"))["items"][0]["balance_fen"] == before
    rows = run(taught, "SELECT DISTINCT event FROM ledger_transfers WHERE kind IN ('carry_out', 'carry_in')")
    assert len(rows) == 1
    assert event_types(taught, old)[-1] == "order.carried_over"
    assert event_types(taught, new["id"])[0] == "order.created"
    again = taught.vendor.post(
        f"/v1/orders/{old}/carry-over", {"external_id": "co-9", "order": order, "consent_reference": "TY-1"}, if_match=1
    )
    assert taught.ok(again, 200)["id"] == new["id"]
    listed = taught.ok(taught.vendor.get("/v1/payments"))["items"]
    assert {item["order_id"]: item["payer"] for item in listed}[new["id"]] == listed[0]["payer"], "the same family pays"
    taught.ids["order"] = new["id"]
    assert balanced(taught)["escrow"] == 432_000
    done = agreed(taught)
    assert (done["amount_fen"], {part["channel"]: part["amount_fen"] for part in done["parts"]}) == (
        432_000, {"wechat": 270_000, "bank_card": 162_000},
    )  # fmt: skip
    origins = {item["channel"]: item["origin"] for item in moving(taught, state="issued")}
    assert origins["wechat"] == {"payment_id": taught.ids["payment"], "part_no": 1}
    taught.execute_all()
    assert balanced(taught)["refunded"] == 432_000


def test_the_old_hours_do_not_count_beside_the_new_ones(lite: World) -> None:
    """36 + 36 hours would be more than the 60 that the rules allow; the old order closes with the new one."""
    problem(lite.vendor.post("/v1/orders", new_order(lite)), 422, "rules.refused")
    assert lite.ok(carry(lite, new_order(lite)), 201)


def test_an_extension_counts_as_new(lite: World) -> None:
    """Scenario 32: judged by the rules of its own contract's date; what they refuse closes nothing."""
    too_long = new_order(lite)
    answer = carry(lite, {**too_long, "service_until": lite.day(200)})
    problem(in_contract(answer, "carryOverOrder"), 422, "rules.refused")
    assert (lite.order()["state"], balanced(lite)["escrow"]) == ("paid", 432_000)


def test_exactly_what_is_left(lite: World) -> None:
    """Not a fen more or less: a surcharge is an order of its own, a rest is refunded."""
    for fen in (431_999, 432_001):
        answer = problem(in_contract(carry(lite, new_order(lite, fen)), "carryOverOrder"), 422, "money.sum_mismatch")
        assert answer["violations"][0]["allowed"] == 432_000


def test_an_order_in_motion_is_not_carried_over(lite: World) -> None:
    """A lesson that nobody has decided, a release under way, a refund: first they end."""
    (record,) = lite.report(3)
    problem(in_contract(carry(lite, new_order(lite)), "carryOverOrder"), 409, "carry_over.not_settled")
    lite.confirm(record)
    problem(carry(lite, new_order(lite, 408_000)), 409, "carry_over.not_settled")
    lite.execute_all()
    order = new_order(lite, 408_000)
    stale = lite.vendor.post(
        f"/v1/orders/{lite.ids['order']}/carry-over",
        {"external_id": "co-x", "order": order, "consent_reference": "TY-1"}, if_match=1,
    )  # fmt: skip
    problem(in_contract(stale, "carryOverOrder"), 412, "concurrency.stale")
    agreed(lite)
    problem(in_contract(carry(lite, order), "carryOverOrder"), 409, "resource.state")
    missing = f"/v1/orders/ord_{'0' * 26}/carry-over"
    body = {"external_id": "co-y", "order": order, "consent_reference": "TY-1"}
    problem(lite.vendor.post(missing, body, if_match=1), 404, "resource.not_found")
