"""Statements of orders, bank accounts and institutions, now and as of any time; who may not see them has the one 404."""

from __future__ import annotations

from typing import Any

import pytest
from money import balanced, execute, instructions
from world import World, problem


@pytest.fixture
def lived(world: World) -> World:
    """An order paid ten days ago of which a lesson was released today; the moments between are kept."""
    world.ready()
    world.ids["paid"] = world.now.isoformat()
    world.shift(hours=1)
    [record] = world.report(1)
    world.ok(world.confirm(record))
    world.ids["asked"] = world.now.isoformat()
    world.shift(hours=1)
    [issued] = instructions(world)
    world.ok(execute(world, issued["id"]))
    return world


def ledger_of(world: World, party: str = "bank", **query: Any) -> Any:
    return world.parties[party].get(f"/v1/custody-accounts/{world.ids['account']}/ledger", **query)


def statement(world: World, **query: Any) -> Any:
    return world.ok(world.vendor.get(f"/v1/orders/{world.ids['order']}/statement", **query))


def test_an_orders_statement_as_of_any_time(lived: World) -> None:
    """As it was booked at a moment, as the bank counts it on a day, and what was known then of that day."""
    found = {
        "paid": statement(lived, booked_at=lived.ids["paid"]), "asked": statement(lived, booked_at=lived.ids["asked"]),
        "now": statement(lived), "day": statement(lived, value_on=lived.day(-10)),
        "before": statement(lived, value_on=lived.day(-11)),
    }  # fmt: skip
    shown = {
        name: (body["paid_fen"], body["released_fen"], body["pending_release_fen"], [x["state"] for x in body["lines"]])
        for name, body in found.items()
    }
    assert shown == {
        "paid": (480_000, 0, 0, ["posted", "posted"]),
        "asked": (480_000, 0, 24_000, ["posted", "posted", "pending"]),
        "now": (480_000, 24_000, 0, ["posted", "posted", "posted"]),
        "day": (480_000, 0, 0, ["posted", "posted"]), "before": (0, 0, 0, []),
    }  # fmt: skip
    assert (found["day"]["value_on"], found["now"]["value_on"]) == (lived.day(-10), None)
    both = statement(lived, booked_at=lived.ids["asked"], value_on=lived.day(0))
    assert (both["released_fen"], both["pending_release_fen"]) == (0, 0), "a pending release has no value date yet"


def test_a_bank_accounts_ledger_as_of_any_time(lived: World) -> None:
    """Its balance and lines by our books, for the bank that has it."""
    now, then = lived.ok(ledger_of(lived)), lived.ok(ledger_of(lived, booked_at=lived.ids["asked"]))
    assert (now["balance_fen"], then["balance_fen"]) == (456_000, 480_000)
    assert [(x["kind"], x["direction"], x["state"]) for x in then["lines"]] == [
        ("receipt", "debit", "posted"), ("receipt", "debit", "posted"), ("release", "credit", "pending"),
    ]  # fmt: skip
    assert lived.ok(ledger_of(lived, value_on=lived.day(-1)))["balance_fen"] == 480_000
    balanced(lived)


def test_a_ledger_is_read_page_by_page(lived: World) -> None:
    """Every line once, in order; a cursor is of one account and one time."""
    lines, query = [], {"limit": 1}
    for _ in range(3):
        page = lived.ok(ledger_of(lived, **query))
        lines += page["lines"]
        query = {"limit": 1, "cursor": page["next_cursor"]}
    assert page["next_cursor"] is None
    assert [line["id"] for line in lines] == [line["id"] for line in lived.ok(ledger_of(lived))["lines"]]
    first = lived.ok(ledger_of(lived, limit=1))["next_cursor"]
    problem(ledger_of(lived, limit=1, cursor=first, value_on=lived.day(0)), 400, "cursor.mismatch")


def test_an_institutions_balances_add_up(lived: World) -> None:
    """Assets are liabilities, now and then, for the institution and its authority."""
    path = f"/v1/institutions/{lived.ids['institution']}/ledger"
    for party in ("vendor", "authority"):
        body = lived.ok(lived.parties[party].get(path))
        assert [(x["kind"], x["of"], x["balance_fen"]) for x in body["balances"]] == [
            ("custody", lived.ids["account"], 456_000), ("escrow", None, 456_000),
        ]  # fmt: skip
    then = lived.ok(lived.vendor.get(path, booked_at=lived.ids["paid"]))
    assert [x["balance_fen"] for x in then["balances"]] == [480_000, 480_000]
    assert lived.ok(lived.vendor.get(path, value_on=lived.day(-11)))["balances"] == []


def test_nobody_else_reads_them(lived: World) -> None:
    """An account that is not there and one of somebody else look alike."""
    problem(lived.bank.get("/v1/custody-accounts/cac_01kxhr1680exwrgzed51t593fg/ledger"), 404, "resource.not_found")
    problem(lived.vendor.get("/v1/institutions/ins_01kwdpf480fk8v6gaja4c4a5hz/ledger"), 404, "resource.not_found")


@pytest.mark.parametrize("query", [{"booked_at": "2026-11-25T10:00:00"}, {"value_on": "2026-02-30"}], ids=str)
def test_a_time_that_is_none_is_refused(lived: World, query: dict[str, str]) -> None:
    """A moment without an offset, a day that does not exist."""
    assert ledger_of(lived, **query).status_code in (400, 422)
