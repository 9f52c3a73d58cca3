"""Nothing a province writes makes lawful what the nation forbids: the installed plugins, by cases and by values."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from offcampus_rules import Charge, OpenOrder, Scope, load_ruleset, units
from offcampus_rules.context import DELIVERIES, SECTORS, STAGES
from offcampus_rules.daysets import DaySet
from offcampus_rules.parameters import NATION, chain
from offcampus_rules.places import places
from offcampus_rules.ruleset import build
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table

TOGETHER = load_ruleset()
ALONE = build([plugin for plugin in TOGETHER.assembly.plugins if plugin.jurisdiction == NATION])
ENTRIES = [entry for known in TOGETHER.assembly.entries.values() for entry in known]
REGIONS = sorted({entry.region for entry in ENTRIES} - {NATION})
TURNING = sorted({day for entry in ENTRIES for day in (entry.since, entry.until) if day})
DAYS = st.sampled_from(TURNING).flatmap(lambda day: st.sampled_from([day - timedelta(days=1), day]))


@st.composite
def charges(draw):
    """Around every limit known: on the dates at which something changes, with sums, hours and spans near their caps."""
    signed = draw(DAYS)
    start = signed + timedelta(days=draw(st.sampled_from([0, 1, 28, 30, 31, 32, 45])))
    others = draw(st.integers(0, 2))
    return Charge(
        scope=Scope(
            draw(st.sampled_from(REGIONS)),
            draw(st.sampled_from(SECTORS)),
            draw(st.sampled_from(STAGES)),
            draw(st.sampled_from(DELIVERIES)),
        ),
        subject="one",
        signed_on=signed,
        ordered_at=datetime(signed.year, signed.month, signed.day, draw(st.sampled_from([1, 15, 17])), tzinfo=UTC),
        class_hours_centi=draw(st.sampled_from([100, 2000, 4000, 5999, 6000, 6001, 9000])),
        gift_hours_centi=draw(st.sampled_from([0, 0, 1, 1000])),
        total_fen=draw(st.sampled_from([1, 499_999, 500_000, 500_001, 900_000])),
        service_from=start,
        service_until=start + timedelta(days=draw(st.sampled_from([1, 30, 89, 90, 91, 92, 93, 182, 184]))),
        charge_method=draw(st.sampled_from(["by_period", "by_hours", "both"])),
        renewal=draw(st.booleans()),
        training_loan=draw(st.sampled_from([False, False, False, True])),
        paid_in_cash=draw(st.booleans()),
        open_orders=tuple(OpenOrder(str(n), "one", draw(st.sampled_from([500, 2000, 2001]))) for n in range(others)),
        venue_lease_until=draw(st.none() | st.just(start + timedelta(days=60))),
        pay_after_class=draw(st.booleans()),
        payee_is_custody_account=draw(st.sampled_from([None, True, False])),
        holds_postpay_exemption=draw(st.sampled_from([None, True, False])),
    )


@settings(max_examples=300, deadline=None)
@given(charges())
def test_what_a_province_allows_the_nation_allows(case):
    """Every national violation is found in the province as well, unless a national exception is named for it."""
    here, nation = TOGETHER.check_charge(case), ALONE.check_charge(case)
    excepted = {rule for item in here.exceptions_applied for rule in item.rules}
    found = {item.rule for item in here.violations}
    assert {item.rule for item in nation.violations} <= found | excepted
    event(f"nation {nation.outcome}, here {here.outcome}, exceptions {len(here.exceptions_applied)}")


def test_the_cases_reach_what_they_are_about():
    """The property is not about refusals alone: both outcomes occur on both sides of it."""
    seen: Counter[tuple[str, str, bool]] = Counter()

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(charges())
    def look(case):
        here = TOGETHER.check_charge(case)
        seen[ALONE.check_charge(case).outcome, here.outcome, bool(here.exceptions_applied)] += 1

    look()
    assert seen["allow", "allow", False] > 0
    assert seen["refuse", "refuse", False] > 0


FLOORS = [item for item in ALONE.parameters.values() if item.binding == "floor" and item.stricter != "exact"]


@pytest.mark.parametrize("parameter", FLOORS, ids=lambda item: item.id)
def test_no_floor_is_lower_anywhere(parameter):
    """Every place, cell and interval at which anything changes: what holds there is at least as strict as the nation's."""
    entries = TOGETHER.assembly.entries[parameter.id]
    for scope, day in places(entries):
        nation = ALONE.value(parameter.id, scope, day)
        if nation.value is None:
            continue
        here = TOGETHER.value(parameter.id, scope, day)
        assert is_as_strict(parameter, here, nation, day), f"{scope} {day}: {here.value} against {nation.value}"


def is_as_strict(parameter, here, nation, day):
    """By the meaning of each kind, not by the code that combines levels."""
    mine, floor, low = here.value, nation.value, parameter.stricter == "lower"
    if mine is None:
        return False
    if parameter.unit in units.DURATIONS:
        ends = [units.last_day(day, item.value, item.unit).day for item in (here, nation)]
        return ends[0] <= ends[1] if low else ends[0] >= ends[1]
    if isinstance(mine, tuple):
        return set(mine) <= set(floor) if parameter.stricter == "subset" else set(mine) >= set(floor)
    if isinstance(mine, DaySet):
        days = [{span.first + timedelta(days=n) for span in item.spans for n in range((span.last - span.first).days + 1)}
                for item in (mine, floor)]  # fmt: skip
        return days[0] <= days[1] if parameter.stricter == "subset" else days[0] >= days[1]
    if isinstance(mine, Schedule):
        points = [step.after_ppm for step in (*mine.steps, *floor.steps)]
        pairs = [(mine.released(point), floor.released(point)) for point in points]
    elif isinstance(mine, Table):
        pairs = [(row.value, mine_at(mine, row)) for row in floor.rows if row.value is not None]
        pairs = [(one, other) for other, one in pairs]
    elif parameter.stricter == "later":
        return parameter.order.index(mine) >= parameter.order.index(floor)
    else:
        pairs = [(units.limit(mine, here.unit), units.limit(floor, nation.unit))]
    return all(one is not None and (one <= other if low else one >= other) for one, other in pairs)


def mine_at(table, row):
    point = {
        axis: item if isinstance(item, str) else item.sample for axis, item in zip(table.axes, row.at, strict=True)
    }
    found = table.row(**point)
    return found.value if found else None


def test_every_region_is_among_the_places():
    """Exhaustive means: each region that rules, with all that stands above it."""
    for name, entries in TOGETHER.assembly.entries.items():
        seen = {scope.region for scope, _ in places(entries)}
        assert seen == {entry.region for entry in entries if entry.binds}, name
        assert all(chain(region)[0] == NATION for region in seen)


CASE = Charge(
    scope=Scope("110105", "sci_tech", "compulsory", "offline"),
    subject="one",
    signed_on=date(2026, 3, 1),
    ordered_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
    class_hours_centi=100,
    gift_hours_centi=0,
    total_fen=100,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 4, 10),
    charge_method="both",
    venue_lease_until=date(2026, 4, 1),
)


def test_a_province_may_be_stricter():
    """Beijing refuses a term beyond the lease; the nation does not."""
    assert (TOGETHER.check_charge(CASE).outcome, ALONE.check_charge(CASE).outcome) == ("refuse", "allow")


def test_the_property_notices_a_loosening():
    """A rule set that forgets the nation's cap on sums would be found out."""
    case = replace(CASE, total_fen=900_000, venue_lease_until=None)
    loosened = {name: known for name, known in TOGETHER.assembly.entries.items() if name != "precharge.amount_max"}
    forgetful = TOGETHER.trying(replace(TOGETHER.assembly, entries=loosened))
    assert ALONE.check_charge(case).outcome == "refuse"
    assert forgetful.check_charge(case).outcome == "allow"
