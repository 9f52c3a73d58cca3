"""Orders whose lessons do not all cost the same: releases follow the order's own price table."""

from __future__ import annotations

from money import balanced, instructions
from world import World, problem

LINES = [
    {"kind": "tuition", "title": "基础", "amount_fen": 40_000, "class_hours_centi": 400},
    {"kind": "tuition", "title": "提高", "amount_fen": 440_000, "class_hours_centi": 3600},
]


def test_releases_follow_the_price_table(sqlite_world: World) -> None:
    """Two lessons of the first stage earn 200.00 each, the third one 244.44 of the second stage."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    world.open_account()
    world.buy(price_lines=LINES)
    for number, earned in ((1, 20_000), (2, 40_000), (3, 64_444)):
        [record] = world.report(number)
        world.ok(world.confirm(record))
        assert sum(issued["amount_fen"] for issued in instructions(world)) == earned
    balanced(world)


def test_a_table_that_earns_early_is_released_as_it_earns(sqlite_world: World) -> None:
    """The rule of proportion measures by the order's own price table: the first stage costs more, and is earned so."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    world.open_account()
    early = [{**LINES[0], "amount_fen": 80_000}, {**LINES[1], "amount_fen": 400_000}]
    world.buy(price_lines=early)
    [record] = world.report(1)
    world.ok(world.confirm(record))
    assert [issued["amount_fen"] for issued in instructions(world)] == [40_000]
    assert world.count("releases_waiting") == 0
    balanced(world)


def test_lines_price_all_hours(sqlite_world: World) -> None:
    """Forty hours are sold and the lines price thirty-nine: refused, at its place."""
    world = sqlite_world
    world.open_class()
    world.open_family()
    world.open_account()
    lines = [{**LINES[0], "class_hours_centi": 300}, LINES[1]]
    answer = world.vendor.post("/v1/orders", world.order_document(price_lines=lines))
    problem(answer, 422, "reference.mismatch", "/price_lines")
