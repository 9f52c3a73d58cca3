"""Three failures in a minute close a plugin for half a minute; then one call decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from offcampus_rules import Charge, Scope
from offcampus_rules.quarantine import Quarantine
from offcampus_rules.ruleset import build


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("step", "closed"), [(29.0, True), (30.0, True), (30.5, False)])
def test_three_failures_within_a_minute(step, closed):
    """The third counts with the first when no more than sixty seconds lie between them."""
    clock = Clock()
    guard = Quarantine(clock)
    for _ in range(3):
        assert guard.admits()
        guard.failed()
        clock.now += step
    clock.now -= step
    assert guard.admits() is not closed


def test_after_the_pause_one_call_decides():
    """A good answer opens it for everybody; a bad one closes it for another half minute."""
    clock = Clock()
    guard = Quarantine(clock)
    for _ in range(3):
        guard.failed()
    clock.now = 29.9
    assert not guard.admits()
    clock.now = 30.0
    assert guard.admits()
    assert not guard.admits()  # the second caller waits for the first
    guard.failed()
    clock.now = 59.9
    assert not guard.admits()
    clock.now = 60.0
    assert guard.admits()
    guard.succeeded()
    assert guard.admits()
    guard.failed()
    assert guard.admits()  # it starts anew


HOOKS = """
    from offcampus_rules.hookspecs import hookimpl

    @hookimpl
    def check_charge(case):
        return None
"""


def test_a_guarded_set_leaves_a_failing_plugin_out(nation, read):
    """The gate stays closed and says why; a neighbour is not concerned; a set for tests asks every time."""
    plugin = read("110000", {}, hooks=HOOKS)
    case = Charge(
        scope=Scope("110105", "sport", "compulsory", "offline"),
        subject="football",
        signed_on=date(2026, 3, 1),
        ordered_at=datetime.fromisoformat("2026-03-01T10:00:00+08:00"),
        class_hours_centi=4000,
        gift_hours_centi=0,
        total_fen=1,
        service_from=date(2026, 3, 10),
        service_until=date(2026, 6, 10),
        charge_method="both",
    )
    guarded, bare = build([nation, plugin], guarded=True), build([nation, plugin])
    for _ in range(3):
        assert "returned NoneType" in guarded.check_charge(case).alarms[0].problem
    assert "quarantine" in guarded.check_charge(case).alarms[0].problem
    assert guarded.check_charge(case).outcome == "error"
    there = replace(case, scope=Scope("120101", "sport", "compulsory", "offline"))
    assert guarded.check_charge(there).outcome == "allow"
    assert ["returned NoneType" in bare.check_charge(case).alarms[0].problem for _ in range(4)] == [True] * 4
