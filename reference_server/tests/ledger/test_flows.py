"""Every kind of event that the chart of accounts knows, on both engines: what it moves, and what it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger import chart, flows, reading
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.flows import Leg, PaidPart
from offcampus_server.ledger.reading import AsOf
from offcampus_server.ledger.service import Sums, Transfer
from offcampus_server.ledger.verification import replayed
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from world import World

DAY = date(2026, 11, 25)
WECHAT = PaidPart("ins_1", "ord_1", "pay_1", 1, "wechat")
CASH = PaidPart("ins_1", "ord_1", "pay_1", 2, "cash")


class Books:
    """An institution with a custody and a reserve account and two orders."""

    def __init__(self, world: World) -> None:
        self.world, self.storage = world, world.platform.storage
        for kind, owner in (("custody", "cac_1"), ("reserve_held", "cac_r"), ("escrow", "ord_1"), ("escrow", "ord_2")):
            self.open(kind, owner)

    def do(self, use: Callable[[Work], Any]) -> Any:
        return self.storage.write(use)

    def open(self, kind: str, owner: str) -> None:
        self.do(lambda work: ledger.open_account(work, kind, owner, "ins_1"))

    def book(self, *legs: Leg) -> list[str]:
        return list(self.do(lambda work: ledger.book_event(work, legs)))

    def hold(self, fen: int, instruction: str, kind: str = "release", **changes: Any) -> None:
        part = ("pay_1", 1) if kind == "refund" else (None, None)
        about = Transfer(
            kind, "ord_1", changes.pop("account", "cac_1"), fen, *part, instruction_id=instruction, **changes
        )
        self.do(lambda work: ledger.hold(work, about))

    def moved(self, fen: int, instruction: str, kind: str = "release", **changes: Any) -> None:
        self.hold(fen, instruction, kind, **changes)
        self.do(lambda work: ledger.post(work, instruction, DAY))

    def sums(self, order_id: str = "ord_1", as_of: AsOf = reading.NOW) -> Sums:
        found: Sums = self.do(lambda work: ledger.sums(work, [order_id], as_of)[order_id])
        return found

    def held(self, order_id: str = "ord_1") -> dict[str, int]:
        return dict(self.do(lambda work: ledger.held(work, order_id)))

    def balances(self) -> dict[str, int]:
        """What accounts that hold anything hold, after checking everything that can be checked."""

        def read(work: Work) -> dict[str, int]:
            assert ledger.verify(work) == []
            return {id: reading.balance(work, id) for id in replayed(work)}

        return {id: fen for id, fen in self.do(read).items() if fen}

    def refused(self, *legs: Leg) -> str:
        before = self.balances()
        with pytest.raises(Problem) as refused:
            self.book(*legs)
        assert self.balances() == before
        return refused.value.code


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def paid(books: Books, fen: int = 500_000, fee: int = 0) -> None:
    """Paid by WeChat, and arrived in custody."""
    books.book(flows.captured(WECHAT, fen, DAY))
    books.book(*flows.settled(WECHAT, "cac_1", fen - fee, fee, DAY, "cmv_1"))


def test_a_channels_fee_is_owed_by_the_institution_and_not_by_the_family(books: Books) -> None:
    """5,000.00 paid, 4,970.00 booked: 30.00 fee, and the family's money is still 5,000.00 (scenario 18)."""
    paid(books, 500_000, 3_000)
    assert books.balances() == {
        "custody:cac_1": 497_000, "fee:ins_1/wechat": 3_000, "escrow:ord_1": 500_000,
    }  # fmt: skip
    assert books.sums() == Sums(paid=500_000, fees=3_000)
    assert books.do(lambda work: ledger.fees_owed(work, "ord_1")) == [("wechat", "cac_1", 3_000)]
    assert books.held() == {"cac_1": 497_000}, "the account has less than the order until the fee is paid back"
    books.book(flows.fee_paid("ins_1", "wechat", "cac_1", 3_000, DAY, "cmv_2"))
    assert books.held() == {"cac_1": 500_000}
    assert books.do(lambda work: ledger.fees_owed(work, "ord_1")) == []
    books.moved(500_000, "cin_1", "refund")
    assert books.balances() == {}


def test_a_fee_may_be_kept_from_what_the_institution_has_earned(books: Books) -> None:
    """Netted from a release it is paid, and counts as released."""
    paid(books, 500_000, 3_000)
    books.book(flows.fee_netted("ord_1", "ins_1", "wechat", "cac_1", 3_000, DAY))
    assert books.sums() == Sums(paid=500_000, released=3_000)
    assert books.do(lambda work: ledger.fees_owed(work, "ord_1")) == []
    assert books.held() == {"cac_1": 497_000}
    assert books.refused(flows.fee_netted("ord_1", "ins_1", "wechat", "cac_1", 1, DAY)) == "resource.state"


def test_what_is_in_transit_is_paid_and_cannot_be_drawn_on(books: Books) -> None:
    """Paid, not yet in custody (scenario 19): the order has its money, the bank has nothing to give."""
    books.book(flows.captured(WECHAT, 500_000, DAY))
    assert books.sums() == Sums(paid=500_000, in_transit=500_000)
    assert books.held() == {}
    with pytest.raises(Problem, match="custody"):
        books.hold(1, "cin_1")
    books.book(*flows.settled(WECHAT, "cac_1", 500_000, 0, DAY + timedelta(days=3), "cmv_1"))
    assert books.sums() == Sums(paid=500_000)
    assert books.held() == {"cac_1": 500_000}


def test_a_channel_refunds_from_what_is_in_transit(books: Books) -> None:
    """What the channel still has goes back from there; the rest arrives."""
    books.book(flows.captured(WECHAT, 500_000, DAY))
    books.moved(100_000, "cin_1", "refund", account="ins_1/wechat", held_by="in_transit")
    assert books.sums() == Sums(paid=500_000, refunded=100_000, in_transit=400_000)
    assert books.refused(*flows.settled(WECHAT, "cac_1", 500_000, 0, DAY, "cmv_1")) == "resource.state"
    books.book(*flows.settled(WECHAT, "cac_1", 400_000, 0, DAY, "cmv_1"))
    assert books.balances() == {"custody:cac_1": 400_000, "escrow:ord_1": 400_000}


def test_parts_of_one_payment_arrive_each_through_its_channel(books: Books) -> None:
    """WeChat and cash that is swept in later; each channel's account empties by itself."""
    books.book(flows.captured(WECHAT, 300_000, DAY))
    books.book(flows.captured(CASH, 200_000, DAY))
    books.book(*flows.settled(WECHAT, "cac_1", 300_000, 0, DAY, "cmv_1"))
    assert books.balances()["in_transit:ins_1/cash"] == 200_000
    books.book(*flows.settled(CASH, "cac_1", 200_000, 0, DAY, "cmv_2"))
    assert books.balances() == {"custody:cac_1": 500_000, "escrow:ord_1": 500_000}


@pytest.mark.parametrize("kind", ["capture", "settlement", "receipt"])
def test_a_part_is_paid_once(books: Books, kind: str) -> None:
    """Captured twice, arrived twice, or arrived without and with a capture: the database refuses the second."""
    paid(books, 100_000)
    books.book(flows.captured(PaidPart("ins_1", "ord_2", "pay_2", 1, "wechat"), 100_000, DAY))
    again = {
        "capture": flows.captured(WECHAT, 100_000, DAY),
        "settlement": flows.settled(WECHAT, "cac_1", 100_000, 0, DAY, "cmv_9")[0],
        "receipt": Transfer("receipt", "ord_1", "cac_1", 100_000, "pay_1", 1, movement_id="cmv_9").arriving(DAY),
    }[kind]
    before = books.balances()
    with pytest.raises(IntegrityError):
        books.book(again)
    assert books.balances() == before


def test_a_part_never_gets_back_more_than_it_paid(books: Books) -> None:
    """The escrow would cover it, from another part; the database refuses, and a voided refund makes room again."""
    paid(books, 100_000)
    books.book(flows.captured(CASH, 100_000, DAY))
    books.book(*flows.settled(CASH, "cac_1", 100_000, 0, DAY, "cmv_2"))
    books.hold(60_000, "cin_1", "refund")
    with pytest.raises(Problem, match="more than it paid"):
        books.hold(40_001, "cin_2", "refund")
    books.do(lambda work: ledger.void(work, "cin_1"))
    books.moved(100_000, "cin_3", "refund")
    stray = Transfer("refund", "ord_1", "cac_1", 1, "pay_9", 1, instruction_id="cin_4")
    with pytest.raises(Problem, match="nothing was paid"):
        books.do(lambda work: ledger.hold(work, stray))
    assert books.balances() == {"custody:cac_1": 100_000, "escrow:ord_1": 100_000}


def test_money_charged_back_leaves_the_order_and_its_part(books: Books) -> None:
    """The payer's bank takes it back: what is gone cannot be refunded again."""
    paid(books, 100_000)
    books.book(flows.charged_back(WECHAT, "cac_1", 70_000, DAY, "cmv_2"))
    assert books.sums() == Sums(paid=100_000, charged_back=70_000)
    with pytest.raises(Problem):
        books.hold(30_001, "cin_1", "refund")
    books.moved(30_000, "cin_2", "refund")
    assert books.balances() == {}


def test_a_shortfall_comes_from_the_reserve_and_then_is_owed(books: Books) -> None:
    """60 % released, 25 % taught (scenario 15): escrow, then reserve, then a claim; no account falls below zero."""
    paid(books, 100_000)
    books.moved(60_000, "cin_1")
    books.book(flows.reserve_deposited("ins_1", "cac_r", 20_000, DAY, "cmv_2"))
    assert books.refused(flows.reserve_used("ins_1", "ord_1", "cac_r", 20_001, DAY)) == "resource.state"
    books.book(flows.reserve_used("ins_1", "ord_1", "cac_r", 20_000, DAY), flows.claimed("ins_1", "ord_1", 15_000, DAY))
    assert books.sums() == Sums(paid=100_000, released=60_000, topped_up=35_000, claims_open=15_000)
    assert books.sums().escrow == 75_000
    assert books.held() == {"cac_1": 40_000, "cac_r": 20_000}, "what is only owed cannot be drawn on"
    books.moved(40_000, "cin_2", "refund")
    books.moved(20_000, "cin_3", "refund", account="cac_r", held_by="reserve_held")
    assert books.balances() == {"claim:ins_1": 15_000, "escrow:ord_1": 15_000}
    books.book(flows.claim_paid("ins_1", "ord_1", "cac_1", 15_000, DAY, "cmv_3"))
    books.moved(15_000, "cin_4", "refund")
    assert books.balances() == {}


def test_an_institution_gets_back_of_its_reserve_what_is_free(books: Books) -> None:
    """Held while the bank is asked, and never more than there is."""
    books.book(flows.reserve_deposited("ins_1", "cac_r", 20_000, DAY))
    asked = flows.reserve_withdrawn("ins_1", "cac_r", 15_000, instruction_id="cin_1")
    books.do(lambda work: ledger.hold_legs(work, [asked]))
    assert books.refused(flows.reserve_withdrawn("ins_1", "cac_r", 5_001, value_on=DAY)) == "resource.state"
    books.do(lambda work: ledger.post(work, "cin_1", DAY))
    assert books.balances() == {"reserve_held:cac_r": 5_000, "reserve:ins_1": 5_000}


def test_money_in_the_payers_own_wallet_is_in_no_bank_account(books: Books) -> None:
    """Locked there, released from there, the rest unlocked; custody has nothing of it."""
    books.open("wallet", "ord_1")
    wallet = {"held_by": "wallet", "held_in": "cac_w"}
    lock = Transfer("lock", "ord_1", "ord_1", 100_000, "pay_1", 1, movement_id="cmv_1", **wallet)
    books.do(lambda work: ledger.receive(work, lock, DAY))
    assert books.held() == {"cac_w": 100_000}
    books.moved(30_000, "cin_1", account="ord_1", **wallet)
    assert books.do(lambda work: ledger.locked(work, "cac_w")) == 70_000
    books.moved(70_000, "cin_2", "refund", account="ord_1", **wallet)
    assert books.sums() == Sums(paid=100_000, released=30_000, refunded=70_000)
    assert books.balances() == {}


def test_what_an_order_leaves_is_carried_over_and_custody_stays(books: Books) -> None:
    """The old order closes, the new one has the money, no bank moves anything (scenario 26)."""
    paid(books, 100_000)
    books.moved(30_000, "cin_1")
    over = flows.carried_over("ins_1", "ord_1", [(("pay_1", 1), "cac_1", 70_000)], "ord_2", ("pay_2", 1), DAY)
    books.book(*over)
    assert books.sums() == Sums(paid=100_000, released=30_000, carried_out=70_000)
    assert books.sums("ord_2") == Sums(paid=70_000)
    assert (books.held(), books.held("ord_2")) == ({}, {"cac_1": 70_000})
    assert books.balances() == {"custody:cac_1": 70_000, "escrow:ord_2": 70_000}
    more = flows.carried_over("ins_1", "ord_1", [(("pay_1", 1), "cac_1", 1)], "ord_2", ("pay_3", 1), DAY)
    assert books.refused(*more) == "resource.state"


def test_a_reversal_mirrors_once(books: Books) -> None:
    """Type, legs and sum: its own kind, the other way round, once; a reversal is not reversed."""
    paid(books, 100_000)
    [trf] = books.do(
        lambda work: work.connection.execute(
            text("SELECT id FROM ledger_transfers WHERE kind = 'settlement'")
        ).scalars()
    )
    before = books.balances()
    reversal = books.do(lambda work: ledger.reverse(work, trf, DAY))
    assert books.sums() == Sums(paid=100_000, in_transit=100_000)
    assert books.held() == {}
    for again in (trf, reversal):
        with pytest.raises(Problem) as refused:
            books.do(lambda work, again=again: ledger.reverse(work, again, DAY))
        assert refused.value.code == "resource.state"
    assert before != books.balances() == {"in_transit:ins_1/wechat": 100_000, "escrow:ord_1": 100_000}


def test_a_refund_that_is_reversed_makes_room_in_its_part(books: Books) -> None:
    """The bank took a refund back: the part can get it again, and not twice."""
    paid(books, 100_000)
    books.moved(100_000, "cin_1", "refund")
    [trf] = books.do(
        lambda work: work.connection.execute(text("SELECT id FROM ledger_transfers WHERE kind = 'refund'")).scalars()
    )
    books.do(lambda work: ledger.reverse(work, trf, DAY))
    assert books.sums() == Sums(paid=100_000)
    books.moved(100_000, "cin_2", "refund")
    assert books.balances() == {}


def test_what_was_paid_in_is_not_reversed_when_it_is_gone(books: Books) -> None:
    """The account would fall below zero."""
    paid(books, 100_000)
    books.moved(100_000, "cin_1")
    rows = books.do(lambda work: list(work.connection.execute(text("SELECT id, kind FROM ledger_transfers"))))
    for id in (row.id for row in rows if row.kind in ("capture", "settlement")):
        with pytest.raises(Problem, match="does not cover"):
            books.do(lambda work, id=id: ledger.reverse(work, id, DAY))


def test_a_hold_is_over_at_the_very_tick(books: Books) -> None:
    """At its expiry, no sweeper having run, it can no longer be posted and nothing of it is written; before, it can."""
    paid(books, 100_000)
    now = books.world.now.replace(microsecond=0)
    for instruction, expires_at in (("cin_1", now), ("cin_2", now + timedelta(microseconds=1))):
        books.hold(10_000, instruction, expires_at=expires_at)

    def at_the_tick(use: Callable[[Work], Any]) -> Any:
        def moved(work: Work) -> Any:
            work.now = now
            return use(work)

        return books.do(moved)

    before = books.balances()
    with pytest.raises(Problem) as refused:
        at_the_tick(lambda work: ledger.post(work, "cin_1", DAY))
    assert refused.value.code == "instruction.resolved"
    assert books.balances() == before
    at_the_tick(lambda work: ledger.post(work, "cin_2", DAY))
    assert at_the_tick(lambda work: ledger.expire(work, 10)) == ["cin_1"]
    assert at_the_tick(lambda work: ledger.expire(work, 10)) == []
    assert books.sums() == Sums(paid=100_000, released=10_000)


UNLAWFUL: dict[str, Sequence[Leg]] = {
    "a release into another order": [Leg("release", "escrow:ord_1", "escrow:ord_2", 1, "ord_1")],
    "another order's escrow": [Leg("release", "escrow:ord_2", "custody:cac_1", 1, "ord_1")],
    "a receipt out of escrow": [Leg("receipt", "escrow:ord_1", "custody:cac_1", 1, "ord_1")],
    "an escrow of no order": [Leg("release", "escrow:ord_1", "custody:cac_1", 1)],
    "a claim on a family": [Leg("claim", "in_transit:ins_1/wechat", "escrow:ord_1", 1, "ord_1")],
}


@pytest.mark.parametrize("legs", UNLAWFUL.values(), ids=UNLAWFUL)
def test_the_engine_knows_the_chart(books: Books, legs: Sequence[Leg]) -> None:
    """A transfer between accounts that its kind does not move between is refused by the database itself."""
    for number, part in enumerate((WECHAT, PaidPart("ins_1", "ord_2", "pay_2", 1, "wechat")), 1):
        books.book(flows.captured(part, 100_000, DAY))
        books.book(*flows.settled(part, "cac_1", 90_000, 0, DAY, f"cmv_{number}"))
    with pytest.raises(DatabaseError, match="unlawful legs"):
        books.book(*legs)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": 99_999}, {"debit": "custody:cac_1", "credit": "in_transit:ins_1/wechat"},
        {"reverses_kind": "receipt"}, {"reverses": "trf_none"}, {"order_id": "ord_2"}, {"part_no": 2},
    ],
    ids=str,
)  # fmt: skip
def test_the_engine_knows_what_a_reversal_is(books: Books, change: dict[str, Any]) -> None:
    """Another sum, the same direction, another kind, nothing to reverse: refused whoever writes it."""
    paid(books, 100_000)
    [trf] = books.do(
        lambda work: work.connection.execute(
            text("SELECT id FROM ledger_transfers WHERE kind = 'settlement'")
        ).scalars()
    )
    right = {
        "debit": "in_transit:ins_1/wechat", "credit": "custody:cac_1", "amount_fen": 100_000, "order_id": "ord_1",
        "payment_id": "pay_1", "part_no": 1, "reverses": trf, "reverses_kind": "settlement", "value_on": DAY,
    }  # fmt: skip
    with pytest.raises((DatabaseError, Problem), match=r"unlawful reversal|nothing was paid|does not cover"):
        books.book(Leg("reversal", **(right | change)))
    books.book(Leg("reversal", **right))  # type: ignore[arg-type]


def test_sums_and_balances_as_of_any_time(books: Books) -> None:
    """By the day on which the bank counts it, and by the moment at which it was booked."""
    later = DAY + timedelta(days=3)
    books.book(flows.captured(WECHAT, 100_000, DAY))
    first = books.world.now
    books.world.shift(days=1)
    books.book(*flows.settled(WECHAT, "cac_1", 100_000, 0, later, "cmv_1"))
    books.hold(40_000, "cin_1")
    second = books.world.now
    books.world.shift(days=1)
    books.do(lambda work: ledger.post(work, "cin_1", later))
    third = books.world.now
    assert [books.sums(as_of=AsOf(booked_at=at)) for at in (first, second, third)] == [
        Sums(paid=100_000, in_transit=100_000), Sums(paid=100_000, pending_release=40_000),
        Sums(paid=100_000, released=40_000),
    ]  # fmt: skip
    days = (DAY - timedelta(days=1), DAY, later - timedelta(days=1), later)
    assert [books.sums(as_of=AsOf(value_on=day)) for day in days] == [
        Sums(), Sums(paid=100_000, in_transit=100_000), Sums(paid=100_000, in_transit=100_000),
        Sums(paid=100_000, released=40_000),
    ]  # fmt: skip
    custody = chart.account("custody", "cac_1")
    booked = [
        books.do(lambda work, at=at: reading.balance(work, custody, AsOf(booked_at=at)))
        for at in (first, second, third)
    ]
    assert booked == [0, 100_000, 60_000]
    valued = [books.do(lambda work, day=day: reading.balance(work, custody, AsOf(value_on=day))) for day in days]
    assert valued == [0, 0, 0, 60_000]
