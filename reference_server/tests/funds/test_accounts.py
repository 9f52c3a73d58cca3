"""Custody accounts: opened by the bank that holds them, seen by whom they concern."""

from __future__ import annotations

from typing import Any

from money import in_contract, run
from world import Document, World, problem


def account_document(world: World, **changes: Any) -> Document:
    return {
        "external_id": world.fresh("cac"), "institution_id": world.ids["institution"],
        "account_digest": "sha-256:" + "0" * 64, "account_tail": "0001", "agreement_number": "TG-1",
        "opened_on": world.day(-30), "purpose": "custody", **changes,
    }  # fmt: skip


def test_a_bank_opens_an_account(world: World) -> None:
    """Once under its own reference; it holds nothing yet; institution and authority see it, a rival does not."""
    world.open_institution()
    sent = account_document(world)
    made = world.ok(world.bank.post("/v1/custody-accounts", sent), 201)
    assert (made["state"], made["balance_fen"]) == ("open", 0)
    assert world.ok(world.bank.post("/v1/custody-accounts", sent), 200)["id"] == made["id"]
    problem(world.bank.post("/v1/custody-accounts", {**sent, "account_tail": "9"}), 422, "schema.invalid")
    changed = {**sent, "account_tail": "9999"}
    problem(world.bank.post("/v1/custody-accounts", changed), 409, "resource.exists", "/external_id")
    for name in ("bank", "vendor", "authority"):
        assert world.ok(world.parties[name].get(f"/v1/custody-accounts/{made['id']}"))["id"] == made["id"]
        listed = world.ok(world.parties[name].get("/v1/custody-accounts"))["items"]
        assert [item["id"] for item in listed] == [made["id"]]
    problem(world.rival.get(f"/v1/custody-accounts/{made['id']}"), 404, "resource.not_found")
    problem(world.vendor.post("/v1/custody-accounts", account_document(world)), 403, "auth.scope")


def test_accounts_are_opened_for_approved_institutions(sqlite_world: World) -> None:
    """Not for one that nobody has approved, nor for one that does not exist."""
    world = sqlite_world
    world.ids["institution"] = world.ok(world.vendor.post("/v1/institutions", world.institution_document()))["id"]
    answer = world.bank.post("/v1/custody-accounts", account_document(world))
    problem(in_contract(answer, "openCustodyAccount"), 409, "resource.state")
    answer = world.bank.post("/v1/custody-accounts", account_document(world, institution_id="ins_" + "0" * 26))
    problem(in_contract(answer, "openCustodyAccount"), 422, "reference.not_found", "/institution_id")


def test_the_balance_follows_receipts_and_executions(world: World) -> None:
    """By our books: what arrived less what the bank has moved; a pending release is still there."""
    world.ready()
    path = f"/v1/custody-accounts/{world.ids['account']}"
    first = world.bank.get(path)
    assert first.json["balance_fen"] == 480_000
    world.confirm(*world.report(1))
    assert world.bank.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    world.execute_all()
    second = world.bank.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.json["balance_fen"]) == (200, 456_000)
    told = run(world, "SELECT count(*) AS n FROM events WHERE type LIKE '%custody_account.balance_changed%'")
    assert told[0].n == 2
