"""Contracts: who signed what, and that an order says the same."""

from __future__ import annotations

from typing import Any

import pytest
from money import in_contract
from world import Document, World, problem


@pytest.fixture
def signed(world: World) -> World:
    """An institution with a class, a family and its contract."""
    world.open_class()
    world.open_family()
    return world


def contract_document(world: World, **changes: Any) -> Document:
    return {
        "external_id": world.fresh("ctr"), "institution_id": world.ids["institution"],
        "pupil_id": world.ids["pupil"], "guardian_id": world.ids["guardian"], "course_id": world.ids["course"],
        "template": "GF-2021-2604", "number": "2", "signed_on": world.day(-3), "gift_hours_policy": "paid_first",
        "full_refund_window_days": 7, "document_digest": "sha-256:" + "1" * 64, "supervision": "custody", **changes,
    }  # fmt: skip


def test_a_contract_is_reported_read_and_listed(signed: World) -> None:
    """What was signed comes back as it was sent; the same report again is the same contract."""
    sent = contract_document(signed)
    made = signed.ok(signed.vendor.post("/v1/contracts", sent), 201)
    assert {name: made[name] for name in sent} == sent
    assert signed.ok(signed.vendor.post("/v1/contracts", sent), 200)["id"] == made["id"]
    assert signed.ok(signed.vendor.get(f"/v1/contracts/{made['id']}")) == made
    assert signed.ok(signed.guardian_app.get(f"/v1/contracts/{made['id']}")) == made
    listed = signed.ok(signed.vendor.get("/v1/contracts"))["items"]
    assert [item["id"] for item in listed] == [signed.ids["contract"], made["id"]]
    problem(signed.rival.get(f"/v1/contracts/{made['id']}"), 404, "resource.not_found")
    assert signed.ok(signed.rival.get("/v1/contracts"))["items"] == []


def test_an_external_id_stands_for_one_contract(signed: World) -> None:
    """The same reference with other content is refused and changes nothing."""
    sent = contract_document(signed)
    signed.ok(signed.vendor.post("/v1/contracts", sent))
    refused = problem(signed.vendor.post("/v1/contracts", {**sent, "number": "3"}), 409, "resource.exists")
    assert refused["violations"][0]["pointer"] == "/external_id"
    assert signed.count("contracts") == 2


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("institution_id", "ins_" + "0" * 26),
        ("pupil_id", "pup_" + "0" * 26),
        ("guardian_id", "grd_" + "0" * 26),
        ("course_id", "crs_" + "0" * 26),
    ],
)
def test_a_contract_names_what_is_there(sqlite_world: World, member: str, value: str) -> None:
    """A reference to nothing of the institution is pointed at."""
    sqlite_world.open_class()
    sqlite_world.open_family()
    answer = sqlite_world.vendor.post("/v1/contracts", contract_document(sqlite_world, **{member: value}))
    problem(in_contract(answer, "createContract"), 422, "reference.not_found", f"/{member}")


def test_nothing_is_signed_tomorrow(sqlite_world: World) -> None:
    """The day of signing selects the law: it lies behind us, or is today."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    late = world.vendor.post("/v1/contracts", contract_document(world, signed_on=world.day(1)))
    problem(in_contract(late, "createContract"), 422, "schema.invalid", "/signed_on")
    world.ok(world.vendor.post("/v1/contracts", contract_document(world, signed_on=world.day(0))), 201)


def test_another_institution_signs_for_nobody_here(sqlite_world: World) -> None:
    """A rival cannot report a contract of this institution's pupil."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    answer = world.rival.post("/v1/contracts", contract_document(world))
    problem(answer, 422, "reference.not_found", "/institution_id")
