"""A bank that goes wrong on demand, against the reference server: nothing is paid twice, and each fault is named."""

from __future__ import annotations

import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from offcampus_conformance.standins.faults.banks import KINDS, Fault, FaultyBank
from offcampus_sdk import Key
from offcampus_sdk.errors import OffcampusError
from offcampus_sdk.retries import RetryPolicy
from offcampus_server.kernel.db import make_engine
from offcampus_server.migrations import upgrade

TESTS = Path(__file__).parents[1] / "reference_server" / "tests"
sys.path += [str(TESTS), str(TESTS / "ledger" / "shared")]

from money import ORDER, account, agreed, balanced, differences, moving, sweep  # noqa: E402
from offcampus_server.refunds.service import pay_again  # noqa: E402
from world import ISSUER, World, make_world  # noqa: E402


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "platform.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


class Banked:
    """A world whose bank is the faulty stand-in, with a promised payment of two parts."""

    def __init__(self, world: World) -> None:
        self.world = world
        key = Key.load(world.folder / "keys" / "bank.json")
        http = httpx2.WSGITransport(app=world.http.application)
        clock = world.folder / "clock.json"
        self.bank = FaultyBank(ISSUER, world.bank.client_id, key, world.folder / "bank", clock, http)
        self.bank.client.transport.policy = RetryPolicy(attempts=3, deadline_s=5.0, longest_wait_s=0.01)
        world.open_class()
        world.open_family()
        world.ids["account"] = self.bank.open_account({"institution_id": world.ids["institution"]})["id"]
        world.buy(paid=False)
        parts = [{"channel": "wechat", "amount_fen": 300_000, "payer_reference": "w"},
                 {"channel": "bank_card", "amount_fen": 180_000, "payer_reference": "b"}]  # fmt: skip
        payment = {"external_id": world.fresh("pay"), "order_id": world.ids["order"], "parts": parts,
                   "payer": {"guardian_id": world.ids["guardian"]}}  # fmt: skip
        self.payment = world.ok(world.guardian_app.post("/v1/payments", payment))["id"]

    def plan(self, kind: str, **how: Any) -> None:
        self.bank.plan.set([Fault(kind, **how)])

    def deposit(self) -> None:
        for part_no, fen in ((1, 300_000), (2, 180_000)):
            self.bank.deposit({"payment_id": self.payment, "part_no": part_no, "amount_fen": fen,
                               "account_id": self.world.ids["account"]})  # fmt: skip

    def day(self, kind: str, **how: Any) -> list[str]:
        """A lesson is released and the family leaves, while this goes wrong; then nothing does any more."""
        self.deposit()
        self.rounds(1)
        self.plan(kind, **how)
        self.world.confirm(*self.world.report(1))
        self.rounds(3)
        agreed(self.world)
        self.rounds(3)
        self.bank.plan.set([])
        self.world.shift(hours=30)
        sweep(self.world, pay_again)
        self.rounds(3)
        return sorted({entry["type"] for entry in differences(self.world)})

    def rounds(self, number: int) -> None:
        for _ in range(number):
            try:
                self.bank.work()
            except OffcampusError as error:
                self.bank.plan.done.append(("refused", str(getattr(error, "code", type(error).__name__))))

    def moved(self) -> dict[str, int]:
        moved: dict[str, int] = self.bank.balance({"account_id": self.world.ids["account"]})["moved_fen"]
        return moved


@pytest.fixture
def banked(migrated: Path, tmp_path: Path) -> Iterator[Banked]:
    shutil.copy(migrated, tmp_path / "platform.db")
    world = make_world(tmp_path / "world", f"sqlite:///{tmp_path / 'platform.db'}")
    made = Banked(world)
    yield made
    made.bank.client.close()
    made.bank.books.close()
    world.platform.storage.engine.dispose()


PASSING = {
    "timeout": {"times": 2}, "lost_answer": {"times": 2}, "replay": {"times": 4}, "wrong_signature": {},
    "down": {"seconds": 3600}, "late_success": {"seconds": 3600}, "out_of_order": {"times": 3},
}  # fmt: skip


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_leaves_nothing_behind(banked: Banked, kind: str) -> None:
    """Lost, late, doubled, missigned, out of order, an hour away: in the end both books agree and no list is longer."""
    assert banked.day(kind, **PASSING[kind]) == []
    found = balanced(banked.world)
    assert (found["released"], found["refunded"], found["escrow"]) == (24_000, 456_000, 0)
    moved = banked.moved()
    assert (moved["release"], moved["refund"]) == (24_000, 456_000)
    assert moving(banked.world, state="issued") == []


def test_replayed_bytes_are_refused(banked: Banked) -> None:
    """Every one of them, with the signature that was good the first time."""
    banked.day("replay", times=4)
    assert [status for kind, status in banked.bank.plan.done if kind == "replayed"] == ["401"] * 4


NAMED = {
    "duplicate_line": ["duplicate"], "wrong_sum": ["wrong_sum"], "fee": ["fee"], "sweep": ["sweep"],
    "manual_transfer": ["manual_transfer"],
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMED)
def test_what_a_line_says_wrong_is_named(banked: Banked, kind: str) -> None:
    """It is on the work list under its name, and no family's money has moved by it."""
    assert banked.day(kind) == NAMED[kind]
    found = balanced(banked.world)
    assert (found["released"], found["refunded"] + found["escrow"] + found["pending_refund"]) == (24_000, 456_000)


@pytest.mark.parametrize(("kind", "types"), [("unreported_line", ["missing_movement"]),
                                             ("missing_line", ["missing_line"])])  # fmt: skip
def test_a_statement_that_does_not_agree_is_named(banked: Banked, kind: str, types: list[str]) -> None:
    """What was never reported, and what the statement leaves out."""
    banked.deposit()
    if kind == "missing_line":
        banked.rounds(1)
    banked.plan(kind)
    banked.rounds(1)
    banked.bank.statement({"account_id": banked.world.ids["account"]})
    found = {entry["type"] for entry in differences(banked.world)}
    assert set(types) <= found <= {*types, "closing_mismatch"}


def test_a_success_after_a_failure_is_paid_once(banked: Banked) -> None:
    """The bank says that it failed and moves the money: an exception for two persons, and no second payment."""
    assert banked.day("success_after_failure") == ["late_success"]
    assert banked.moved().get("release", 0) == 24_000
    assert balanced(banked.world)["released"] == 0


def test_a_balance_is_told_wrong(banked: Banked) -> None:
    """The department asks, and one fen too much is a difference."""
    banked.deposit()
    banked.rounds(1)
    banked.plan("wrong_balance")
    path = f"/v1/custody-accounts/{banked.world.ids['account']}/balance-query"
    banked.world.ok(banked.world.authority.post(path, ORDER, if_match=account(banked.world)["version"]))
    banked.rounds(1)
    (entry,) = differences(banked.world)
    assert (entry["type"], entry["expected_fen"], entry["got_fen"]) == ("balance_mismatch", 480_000, 480_001)


def test_the_banks_example_carries_out_a_round(banked: Banked) -> None:
    """What `docs/bank.md` starts from: a release is moved once, however often the round is repeated."""
    example = runpy.run_path(str(Path(__file__).parents[1] / "sdk" / "examples" / "connect_as_a_bank.py"))
    banked.deposit()
    banked.rounds(1)
    banked.world.confirm(*banked.world.report(1))
    said: list[str] = []
    for _ in range(2):
        example["one_round"](banked.bank.client, lambda instruction: f"X{instruction.id[-10:]}", said.append)
    assert [entry.split()[0] for entry in said] == ["release"]
    assert balanced(banked.world)["released"] == 24_000


def test_every_kind_is_played() -> None:
    """No fault without a test that shows what becomes of it."""
    assert set(KINDS) == {*PASSING, *NAMED, "unreported_line", "missing_line", "success_after_failure", "wrong_balance"}
    with pytest.raises(ValueError, match="there are: timeout"):
        Fault("earthquake")
