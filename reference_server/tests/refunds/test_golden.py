"""The printed working of each situation on two provinces' rules, word for word: a change of wording or sum is seen.

Pure: the rules as they are shipped, the account of an order, no database. A province whose sources change makes its file
anew with `REFUND_GOLDEN=write`, and a reader judges the difference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from offcampus_rules import RefundRequest, RuleSet, Scope, load_ruleset
from offcampus_server.kernel.clock import SHANGHAI
from offcampus_server.ledger.shares import earned
from offcampus_server.orders.payments import Part
from offcampus_server.refunds import unregulated
from offcampus_server.refunds.decisions import Account, parts, work_out
from offcampus_server.refunds.working import Working

GOLDEN = Path(__file__).parent / "golden"
PLACES = {"beijing": "110105", "guangdong": "440106"}
PRICE, HOURS = 480_000, 4_000
PAID = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
LATER = datetime(2026, 4, 1, 10, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Situation:
    """An order of 40 hours for 4,800.00 yuan, and what has become of it. Hours in hundredths, money in fen."""

    title: str
    confirmed: int = 0
    reported: int = 0
    released: int = 0
    refunded: int = 0
    asked: datetime = LATER
    reason: Any = "guardian_choice"
    window: bool = False
    """Within the days that the contract gives for a refund in full."""
    discounted: bool = False
    materials: bool = False
    closed: int = 0
    """The part whose channel is closed: two officers agree to another account."""
    charged_back: int = 0
    reserve: int = 0
    channels: dict[str, int] = field(default_factory=lambda: {"wechat": 300_000, "bank_card": 180_000})
    back: dict[tuple[str, int], int] = field(default_factory=dict)


SITUATIONS = [
    Situation("before the start"),
    Situation("within the cooling-off days, nothing taught", asked=datetime(2026, 3, 5, 10, tzinfo=SHANGHAI)),
    Situation("a quarter taught and released", 1_000, 1_000, 120_000),
    Situation("one lesson in dispute, the rest goes back", 1_000, 1_200, 120_000),
    Situation("within the contract's own days, a lesson taught", 200, 200, 0, window=True),
    Situation("one channel paid a single fen", 100, 100, 12_000, 0, channels={"wechat": 1, "bank_card": 479_999}),
    Situation("the institution is at fault", 1_000, 1_000, 120_000, reason="institution_fault"),
    Situation(
        "the institution is at fault, sold at a discount with materials", 1_000, 1_000, 120_000,
        reason="institution_fault", discounted=True, materials=True,
    ),
    Situation("sold at a discount", 1_000, 1_000, 120_000, discounted=True),
    Situation(
        "a grandmother paid by wallet, e-CNY and cash", 1_000, 1_000, 120_000,
        channels={"wechat": 240_000, "ecny": 144_000, "cash": 96_000},
    ),
    Situation("the card is closed: its part goes to another account of the payer", 1_000, 1_000, 120_000, closed=2),
    Situation("the institution has closed", 1_000, 1_000, 120_000, reason="institution_closed"),
    Situation("a part went back before", 1_000, 1_000, 120_000, 100_000, back={("pay", 1): 100_000}),
    Situation("60 % released by schedule, 25 % taught", 1_000, 1_000, 288_000),
    Situation("60 % released by schedule, a reserve of 1,000.00", 1_000, 1_000, 288_000, reserve=100_000),
    Situation("the card's bank took a part back", 1_000, 1_000, 120_000, charged_back=100_000, back={("pay", 2): 100_000}),
    Situation("all of it taught", 4_000, 4_000, 480_000),
]  # fmt: skip


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load_ruleset()


def worked(rules: RuleSet, region: str, case: Situation) -> Working:
    """As the server works it out: the terms of the rules, and the sum over the order's account."""
    terms = rules.refund_terms(
        RefundRequest(
            scope=Scope(region=region, sector="academic", stage="compulsory", delivery="offline"),
            requested_at=case.asked, before_start=case.reported == 0, total_fen=PRICE, released_fen=case.released,
            consumed_centi=case.reported, signed_on=date(2026, 3, 1), paid_at=PAID, reason=case.reason,
        )
    )  # fmt: skip
    whole = "before_start" if terms.full else "contract_window" if case.window else None
    amount, lines = work_out(
        Account(
            paid=PRICE, refunded=case.refunded, charged_back=case.charged_back, reserve=case.reserve,
            escrow=PRICE - case.released - case.refunded - case.charged_back,
            earned_confirmed=earned(PRICE, case.confirmed, HOURS), earned_with_reported=earned(PRICE, case.reported, HOURS),
            confirmed_centi=case.confirmed, reported_centi=case.reported, hours_centi=HOURS, full=whole,
        )
    )  # fmt: skip
    scope = Scope(region=region, sector="academic", stage="compulsory", delivery="offline")
    more = unregulated.lines(
        lambda name: rules.value(name, scope, case.asked.date()).value, case.reason, discounted=case.discounted,
        materials=case.materials,
    )  # fmt: skip
    return Working(amount, (*lines, *more), terms, at_once=False)


def printed(rules: RuleSet, region: str) -> str:
    """Every situation with its working, its deadlines, and what goes back through each channel."""
    blocks = []
    for case in SITUATIONS:
        found = worked(rules, region, case)
        paid = [
            Part("pay", number, channel, fen, "ord", "ins", settled=True, expected=False)
            for number, (channel, fen) in enumerate(case.channels.items(), 1)
        ]
        shares = ", ".join(
            f"{part.channel} {share}" + (" to another account of the payer" if part.part_no == case.closed else "")
            for part, share in parts(found.amount_fen, paid, case.back)
        )
        lines = [f"{entry['amount_fen']:>9} {entry['line']}: {entry['text_zh']} / {entry['text_en']}"
                 for entry in found.shown()]  # fmt: skip
        blocks.append("\n".join([f"# {case.title}", *lines, f"due {found.terms.due_at} silence "
                                 f"{found.terms.silence_due_at} back: {shares or '-'}"]))  # fmt: skip
    return "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("place", PLACES)
def test_each_situation_is_worked_out_as_printed(rules: RuleSet, place: str) -> None:
    """Sum, lines, sources, deadlines, channels."""
    found, file = printed(rules, PLACES[place]), GOLDEN / f"{place}.txt"
    if os.environ.get("REFUND_GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_every_working_adds_up(rules: RuleSet, place: str, case: Situation) -> None:
    """The lines before the last sum make the refund; it never exceeds what was paid."""
    found = worked(rules, PLACES[place], case)
    lines = found.shown()
    total = sum(entry["amount_fen"] for entry in lines if entry["line"] != "refund")
    assert total == found.amount_fen == next(e["amount_fen"] for e in lines if e["line"] == "refund")
    assert found.amount_fen <= PRICE - case.refunded - case.charged_back
