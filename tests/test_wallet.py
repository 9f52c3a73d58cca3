"""Money that never is in custody: an e-CNY wallet under a contract, kept by the stand-in, against the reference server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from offcampus_conformance.standins.good_wallet import GoodWallet
from offcampus_sdk import Key
from offcampus_server.kernel.db import make_engine
from offcampus_server.migrations import upgrade

TESTS = Path(__file__).parents[1] / "reference_server" / "tests"
sys.path += [str(TESTS), str(TESTS / "ledger" / "shared")]

from money import agreed, balanced, moving  # noqa: E402
from world import ISSUER, Document, World, make_world, problem  # noqa: E402


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = make_engine(f"sqlite:///{tmp_path / 'platform.db'}")
    upgrade(engine)
    engine.dispose()
    made = make_world(tmp_path / "world", f"sqlite:///{tmp_path / 'platform.db'}")
    yield made
    made.platform.storage.engine.dispose()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def wallet(world: World) -> Iterator[GoodWallet]:
    key = Key.load(world.folder / "keys" / "bank.json")
    http = httpx2.WSGITransport(app=world.http.application)
    made = GoodWallet(ISSUER, world.bank.client_id, key, world.folder / "wallet", world.folder / "clock.json", http)
    yield made
    made.close()


def ordered(world: World, supervision: str = "contract_wallet") -> Document:
    """An order under a contract that locks its money in the payer's wallet, and the payment that is promised for it."""
    world.open_class()
    world.open_family()
    contract = {
        "external_id": "ctr-wallet", "institution_id": world.ids["institution"], "pupil_id": world.ids["pupil"],
        "guardian_id": world.ids["guardian"], "course_id": world.ids["course"], "template": "GF-2021-2604",
        "number": "9", "signed_on": world.day(-10), "gift_hours_policy": "pro_rata",
        "document_digest": "sha-256:" + "0" * 64, "supervision": supervision,
    }  # fmt: skip
    world.ids["contract"] = world.ok(world.vendor.post("/v1/contracts", contract), 201)["id"]
    world.buy(paid=False)
    return {
        "external_id": world.fresh("pay"), "order_id": world.ids["order"],
        "parts": [{"channel": "ecny", "amount_fen": 480_000, "payer_reference": "w"}],
        "payer": {"guardian_id": world.ids["guardian"]},
    }  # fmt: skip


def lock(world: World, wallet: GoodWallet, payment: Document, **changes: Any) -> Any:
    world.ids["payment"] = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]
    given = {
        "payment_id": world.ids["payment"], "part_no": 1, "amount_fen": 480_000, "account_id": world.ids["wallet"],
        "order_id": world.ids["order"], **changes,
    }  # fmt: skip
    return wallet.lock(given)


def test_the_wallet_locks_releases_by_consumption_and_unlocks(world: World, wallet: GoodWallet) -> None:
    """Locked at the payer's, released lesson by lesson, the rest unlocked; custody never has a fen of it."""
    payment = ordered(world)
    refused = world.guardian_app.post("/v1/payments", payment)
    problem(refused, 422, "custody.account_missing")
    world.ids["wallet"] = wallet.open_account({"institution_id": world.ids["institution"]})["id"]
    assert lock(world, wallet, payment) == {"locked_fen": 480_000}
    wallet.work()
    assert world.order()["state"] == "paid"
    world.confirm(*world.report(1))
    wallet.work()
    assert balanced(world)["released"] == 24_000
    assert wallet.locked({"order_id": world.ids["order"]}) == {"locked_fen": 456_000}
    (account,) = world.ok(world.bank.get("/v1/custody-accounts"))["items"]
    assert (account["purpose"], account["balance_fen"]) == ("contract_wallet", 456_000)
    done = agreed(world)
    assert done["amount_fen"] == 456_000
    wallet.work()
    found = balanced(world)
    assert (found["released"], found["refunded"], found["escrow"]) == (24_000, 456_000, 0)
    assert world.order()["state"] == "closed"
    assert wallet.locked({"order_id": world.ids["order"]}) == {"locked_fen": 0}
    wallet.statement({"account_id": world.ids["wallet"]})
    balances = world.ok(world.authority.get(f"/v1/institutions/{world.ids['institution']}/ledger"))["balances"]
    assert {entry["kind"]: entry["balance_fen"] for entry in balances}.get("custody") is None
    assert {entry["balance_fen"] for entry in balances} == {0}


def test_money_under_another_contract_is_not_locked(world: World, wallet: GoodWallet) -> None:
    """A contract for custody takes receipts, not locks: the line is a difference, the order is not paid."""
    payment = ordered(world, "custody")
    world.open_account()
    world.ids["wallet"] = wallet.open_account({"institution_id": world.ids["institution"]})["id"]
    lock(world, wallet, payment)
    wallet.work()
    (line,) = world.ok(world.bank.get("/v1/custody-movements"))["items"]
    assert (line["state"], line["break_type"]) == ("unmatched", "wrong_account")
    assert world.order()["state"] == "awaiting_payment"


def test_an_order_gives_what_is_locked_for_it_and_nothing_of_others(world: World, wallet: GoodWallet) -> None:
    """The wallet refuses what exceeds the order's own lock, though others have locked more: the platform keeps it held."""
    payment = ordered(world)
    world.ids["wallet"] = wallet.open_account({"institution_id": world.ids["institution"]})["id"]
    lock(world, wallet, payment)
    wallet.work()
    wallet.books.execute("UPDATE orders_of SET order_id = 'ord_other'")
    world.confirm(*world.report(1))
    wallet.work()
    (release,) = moving(world)
    assert (release["state"], release["failure"]["code"]) == ("failed", "insufficient_funds")
    assert balanced(world)["pending_release"] == 24_000


def test_the_wallet_is_a_process_of_its_own() -> None:
    """It has a command line as every stand-in."""
    command = [sys.executable, "-m", "offcampus_conformance.standins.good_wallet", "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "--platform" in told.stdout
