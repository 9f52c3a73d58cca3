"""Postings: money comes into custody, is held, and leaves once; the database itself refuses what must not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.service import Sums, Transfer
from offcampus_server.ledger.tables import transfers
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from world import World

DAY = date(2026, 11, 25)


class Books:
    """One order whose money lies in one bank account, or in two."""

    def __init__(self, world: World) -> None:
        self.storage = world.platform.storage
        self.do(lambda work: [ledger.open_account(work, "custody", name, "ins_1") for name in ("cac_1", "cac_2")])
        self.do(lambda work: ledger.open_account(work, "escrow", "ord_1", "ins_1"))

    def do(self, use: Callable[[Work], Any]) -> Any:
        return self.storage.write(use)

    def receive(self, fen: int, part: int = 1, account: str = "cac_1") -> str:
        arrived = Transfer("receipt", "ord_1", account, fen, "pay_1", part, movement_id=f"cmv_{part}")
        return str(self.do(lambda work: ledger.receive(work, arrived, DAY)))

    def hold(self, fen: int, instruction: str, kind: str = "release", account: str = "cac_1", part: int = 1) -> str:
        part_of = ("pay_1", part) if kind == "refund" else (None, None)
        about = Transfer(kind, "ord_1", account, fen, *part_of, instruction_id=instruction)
        return str(self.do(lambda work: ledger.hold(work, about)))

    def post(self, instruction: str) -> None:
        self.do(lambda work: ledger.post(work, instruction, DAY))

    def void(self, instruction: str) -> None:
        self.do(lambda work: ledger.void(work, instruction))

    @property
    def sums(self) -> Sums:
        found: Sums = self.do(lambda work: ledger.sums(work, ["ord_1"])["ord_1"])
        return found

    @property
    def held(self) -> dict[str, int]:
        found: dict[str, int] = self.do(lambda work: ledger.held(work, "ord_1"))
        return found

    def run(self, statement: str, **values: Any) -> Any:
        return self.do(lambda work: work.connection.execute(text(statement), values))

    def verified(self) -> None:
        assert self.do(ledger.verify) == []


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def test_money_comes_in_is_held_and_leaves(books: Books) -> None:
    """Receipt, release, refund: at each step the sums balance, and a voided hold is free again."""
    books.receive(100_000)
    books.hold(33_333, "cin_1")
    assert books.sums == Sums(paid=100_000, pending_release=33_333)
    assert books.sums.escrow == 66_667
    books.post("cin_1")
    books.hold(66_667, "cin_2", "refund")
    books.void("cin_2")
    assert books.sums == Sums(paid=100_000, released=33_333)
    books.hold(66_667, "cin_3", "refund")
    books.post("cin_3")
    assert books.sums == Sums(paid=100_000, released=33_333, refunded=66_667)
    assert books.sums.escrow == 0
    assert books.held == {}
    books.verified()


def test_a_hold_never_exceeds_the_escrow(books: Books) -> None:
    """One fen more than is free is refused, and nothing of it is written."""
    books.receive(100_000)
    books.hold(60_000, "cin_1")
    with pytest.raises(Problem) as refused:
        books.hold(40_001, "cin_2")
    assert refused.value.code == "resource.state"
    assert books.sums == Sums(paid=100_000, pending_release=60_000)
    books.hold(40_000, "cin_3")
    books.verified()


def test_a_hold_never_exceeds_what_its_own_account_holds(books: Books) -> None:
    """Money in one bank account is not paid out of another one."""
    books.receive(30_000, 1, "cac_1")
    books.receive(70_000, 2, "cac_2")
    assert books.held == {"cac_1": 30_000, "cac_2": 70_000}
    with pytest.raises(Problem):
        books.hold(30_001, "cin_1", account="cac_1")
    books.hold(30_000, "cin_2", account="cac_1")
    assert books.held == {"cac_2": 70_000}
    books.verified()


@pytest.mark.parametrize(("first", "second"), [("post", "post"), ("post", "void"), ("void", "post"), ("void", "void")])
def test_a_hold_is_resolved_once(books: Books, first: str, second: str) -> None:
    """Whatever comes second is refused and leaves the ledger as it was."""
    books.receive(100_000)
    books.hold(40_000, "cin_1")
    getattr(books, first)("cin_1")
    before = books.sums
    with pytest.raises(Problem) as refused:
        getattr(books, second)("cin_1")
    assert refused.value.code == "instruction.resolved"
    assert books.sums == before
    books.verified()


def test_a_part_arrives_once_and_an_instruction_holds_once(books: Books) -> None:
    """The database refuses a second receipt of a part and a second hold of an instruction."""
    books.receive(50_000)
    with pytest.raises(IntegrityError):
        books.receive(50_000)
    books.hold(10_000, "cin_1")
    with pytest.raises(IntegrityError):
        books.hold(10_000, "cin_1")
    assert books.sums == Sums(paid=50_000, pending_release=10_000)


def test_an_unknown_account_takes_nothing(books: Books) -> None:
    """Money is not booked where no account was opened."""
    stray = Transfer("receipt", "ord_2", "cac_1", 1, "pay_2", 1, movement_id="cmv_9")
    with pytest.raises(Problem) as refused:
        books.do(lambda work: ledger.receive(work, stray, DAY))
    assert refused.value.code == "custody.account_missing"


def test_a_transfer_moves_something(books: Books) -> None:
    """Nothing and less than nothing are no transfers."""
    books.receive(100)
    for fen in (0, -1):
        with pytest.raises(IntegrityError, match="amount"):
            books.receive(fen, 2)


def test_large_sums_stay_whole(books: Books) -> None:
    """2**53 - 1 fen go in and come out as they are; one fen more than JSON carries is refused."""
    books.receive(2**53 - 1)
    assert books.sums.escrow == 9_007_199_254_740_991
    with pytest.raises(IntegrityError):
        books.receive(1, 2)


CHANGES = [
    "amount_fen = amount_fen + 1", "kind = 'refund'", "order_id = 'ord_2'", "payment_id = 'pay_2'", "part_no = 2",
    "instruction_id = 'cin_9'", "movement_id = 'cmv_9'", "reverses = 'trf_9'", "id = 'trf_9'",
    "debit_account_id = 'custody:cac_2'", "credit_account_id = 'custody:cac_2'",
    "created_at = '2020-01-01T00:00:00.000000+00:00'",
]  # fmt: skip


def test_the_engine_keeps_rows_as_they_were_written(books: Books) -> None:
    """No column of a pending transfer changes with its state; none of a posted one changes at all."""
    books.receive(100_000)
    books.hold(10_000, "cin_1")
    for change in CHANGES:
        resolve = f"state = 'posted', resolved_at = created_at, {change}"
        for state, changes in (("pending", resolve), ("posted", change)):
            with pytest.raises(DatabaseError, match="append-only"):
                books.run(f"UPDATE ledger_transfers SET {changes} WHERE state = '{state}'")
    books.verified()


def test_no_row_is_deleted_and_no_state_goes_back(books: Books) -> None:
    """Posted and voided are final, and a row stays."""
    books.receive(100_000)
    for number in (1, 2, 3):
        books.hold(10_000, f"cin_{number}")
    books.post("cin_1")
    books.void("cin_2")
    for instruction in ("cin_1", "cin_2"):
        back = (
            f"UPDATE ledger_transfers SET state = 'pending', resolved_at = NULL WHERE instruction_id = '{instruction}'"
        )
        with pytest.raises(DatabaseError, match="append-only"):
            books.run(back)
    with pytest.raises(DatabaseError, match="append-only"):
        books.run("DELETE FROM ledger_transfers")


def test_the_lines_of_an_order_stand_in_their_order(books: Books) -> None:
    """Every transfer is a line, with what it names and when it counts."""
    books.receive(100_000)
    books.hold(10_000, "cin_1")
    books.post("cin_1")
    books.hold(90_000, "cin_2", "refund")
    lines = books.do(lambda work: ledger.lines(work, "ord_1"))
    shown = [(line["kind"], line["state"], line["amount_fen"], line["value_on"]) for line in lines]
    day = DAY.isoformat()
    assert shown == [
        ("receipt", "posted", 100_000, day), ("release", "posted", 10_000, day), ("refund", "pending", 90_000, None),
    ]  # fmt: skip
    assert (lines[2]["payment_id"], lines[2]["part_no"], lines[2]["instruction_id"]) == ("pay_1", 1, "cin_2")


def test_what_a_part_takes_back_counts_while_it_is_on_its_way(books: Books) -> None:
    """Pending and posted refunds of a part count; a voided one does not."""
    books.receive(100_000)
    for number, fen in ((1, 10_000), (2, 20_000), (3, 40_000)):
        books.hold(fen, f"cin_{number}", "refund")
    books.post("cin_1")
    books.void("cin_2")
    assert books.do(lambda work: ledger.refunded_by_part(work, "ord_1")) == {("pay_1", 1): 50_000}


TAMPERED = {
    "an amount": ("UPDATE ledger_transfers SET amount_fen = amount_fen + 1 WHERE kind = 'receipt'", "is the sum"),
    "a state": ("UPDATE ledger_transfers SET state = 'voided' WHERE kind = 'release'", "is the sum"),
    "a row less": ("DELETE FROM ledger_transfers WHERE kind = 'refund'", "is the sum"),
    "a balance": ("UPDATE ledger_accounts SET credits_posted = credits_posted + 5 WHERE kind = 'escrow'", "is the sum"),
    "both balances": ("UPDATE ledger_accounts SET debits_posted = debits_posted + 5", "bank accounts hold"),
    "another part": ("UPDATE ledger_transfers SET part_no = 2 WHERE kind = 'refund'", "at most what arrived"),
    "no instruction": ("UPDATE ledger_transfers SET instruction_id = NULL WHERE kind = 'release'", "names its cause"),
    "no movement": ("UPDATE ledger_transfers SET movement_id = NULL WHERE kind = 'receipt'", "names its cause"),
    "another order": ("UPDATE ledger_transfers SET order_id = 'ord_2' WHERE kind = 'refund'", "names its cause"),
    "sides swapped": (
        "UPDATE ledger_transfers SET debit_account_id = credit_account_id, credit_account_id = debit_account_id"
        " WHERE kind = 'release'", "names its cause",
    ),
}  # fmt: skip


def test_whoever_gets_past_the_engine_is_found(books: Books) -> None:
    """With the triggers gone a row can be changed; replaying the ledger says so. Each change is tried and undone."""
    books.receive(100_000)
    books.hold(30_000, "cin_1")
    books.post("cin_1")
    books.hold(50_000, "cin_2", "refund")
    books.verified()
    work = books.do(lambda work: work)
    on = "" if books.storage.engine.dialect.name == "sqlite" else f" ON {transfers.name}"
    for name, (statement, invariant) in TAMPERED.items():
        with books.storage.engine.connect() as connection:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(text(f"DROP TRIGGER {transfers.name}_no_{verb}{on}"))
            connection.execute(text(statement))
            found = ledger.verify(replace(work, connection=connection))
            connection.rollback()
        assert any(invariant in finding.invariant for finding in found), (name, found)
    books.verified()
