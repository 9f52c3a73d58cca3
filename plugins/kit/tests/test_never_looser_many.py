"""A million generated charges a province: what the nation alone refuses is refused there, or lifted by name.

Both rule sets judge the same columns; where a national reason is missing in the province the whole decision has to name
the national exception that lifted it. A few hundred by default, the million by hand (`-m long`).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from offcampus_rules import Charge, OpenOrder, Scope, load_ruleset
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES
from offcampus_rules.parameters import NATION
from offcampus_rules.ruleset import build

np = pytest.importorskip("numpy")
batch = pytest.importorskip("offcampus_rules.batch")

TOGETHER = load_ruleset()
ALONE = build([plugin for plugin in TOGETHER.assembly.plugins if plugin.jurisdiction == NATION])
ENTRIES = [entry for known in TOGETHER.assembly.entries.values() for entry in known]
PROVINCES = sorted({entry.region[:2] + "0000" for entry in ENTRIES} - {NATION})
TURNING = sorted({day for entry in ENTRIES for day in (entry.since, entry.until) if day})
DAYS = [day - timedelta(days=before) for day in TURNING for before in (0, 1)]
PIECE = 20_000


def charges(dice: random.Random, regions: list[str], count: int) -> list[Charge]:
    """Around every limit: the days at which something changes, sums, hours and spans next to their caps."""

    def one(number: int) -> Charge:
        signed = dice.choice(DAYS)
        start = signed + timedelta(days=dice.choice((0, 1, 28, 30, 31, 32, 45)))
        scope = Scope(dice.choice(regions), dice.choice(SECTORS), dice.choice(STAGES), dice.choice(DELIVERIES))
        others = tuple(
            OpenOrder(str(n), "one", dice.choice((500, 2000, 2001))) for n in range(dice.choice((0, 0, 1, 2)))
        )
        return Charge(
            scope=scope,
            subject="one",
            signed_on=signed,
            ordered_at=datetime(signed.year, signed.month, signed.day, dice.choice((1, 15, 17)), tzinfo=UTC),
            class_hours_centi=dice.choice((100, 2000, 4000, 4999, 5000, 5001, 5999, 6000, 6001, 9000)),
            gift_hours_centi=dice.choice((0, 0, 1, 1000)),
            total_fen=dice.choice((1, 399_999, 499_999, 500_000, 500_001, 900_000)),
            discount_fen=dice.choice((0, 0, 1, 100_000)),
            service_from=start,
            service_until=start + timedelta(days=dice.choice((1, 30, 89, 90, 91, 92, 93, 182, 184))),
            charge_method=dice.choice(("by_period", "by_hours", "both")),
            renewal=dice.random() < 0.5,
            training_loan=dice.random() < 0.2,
            paid_in_cash=dice.random() < 0.5,
            open_orders=others,
            venue_lease_until=dice.choice((None, start + timedelta(days=60))),
            pay_after_class=dice.random() < 0.2,
            area=dice.choice((None, "urban", "rural")),
            class_size=dice.choice((None, 1, 10, 11, 20, 21, 30, 31, 35, 36)),
            minutes_per_class_hour=dice.choice((None, 30, 45, 60)),
            list_status=dice.choice((None, "white", "removed", "black")),
            payee_is_custody_account=dice.choice((None, True, False)),
            payee_gives_the_lessons=dice.choice((None, True, False)),
            account_region=dice.choice((None, scope.region, "110101")),
            holds_postpay_exemption=dice.choice((None, True, False)),
            sale_suspended=dice.choice((None, True, False)),
        )

    return [one(number) for number in range(count)]


def loosened(cases: list[Charge]) -> tuple[int, int, list[Charge]]:
    """How many of the cases the nation refuses, how many an exception lifts, and those that are looser."""
    columns = batch.columns("charge", cases, [TOGETHER, ALONE])
    here, nation = batch.judge(TOGETHER, columns), batch.judge(ALONE, columns)
    suspects = np.zeros(len(cases), np.bool_)
    for number, rule in enumerate(nation.rules):
        there = here.rules.index(rule)
        mine = here.broken[there // 64] >> np.uint64(there % 64) & np.uint64(1)
        floor = nation.broken[number // 64] >> np.uint64(number % 64) & np.uint64(1)
        suspects |= floor > mine
    lifted, looser = 0, []
    for row in np.flatnonzero(suspects).tolist():
        missing = nation.rules_of(row) - here.rules_of(row)
        excepted = {rule for item in TOGETHER.check_charge(cases[row]).exceptions_applied for rule in item.rules}
        if missing <= excepted:
            lifted += 1
        else:
            looser.append(cases[row])
    return int(nation.refused.sum()), lifted, looser


@pytest.mark.parametrize("province", PROVINCES)
@pytest.mark.parametrize(
    "count", [600, pytest.param(1_000_000, marks=pytest.mark.long)], ids=["a few", "a million"]
)  # fmt: skip
def test_nothing_the_nation_refuses_is_allowed_in_a_province(province: str, count: int) -> None:
    """Not one; and the cases are about something: both outcomes occur, and where an exception is used it is counted."""
    dice = random.Random(f"{province} {count}")
    regions = sorted({entry.region for entry in ENTRIES if entry.region[:2] == province[:2]} | {province[:2] + "0105"})
    refused = lifted = 0
    for done in range(0, count, PIECE):
        found = loosened(charges(dice, regions, min(PIECE, count - done)))
        assert not found[2], found[2][0]
        refused, lifted = refused + found[0], lifted + found[1]
    print(f"{province}: {count} charges, {refused} refused by the nation, {lifted} lifted by name, 0 looser")
    assert count // 10 < refused < count
    assert lifted > 0 if province == "440000" else lifted == 0
