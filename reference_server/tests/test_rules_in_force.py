"""An operator pins, switches off and changes rules while the server runs; what it decided with can be read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from offcampus_rules import RuleSet, archive, load_ruleset, lockfile
from offcampus_rules.errors import RuleKitError
from offcampus_server.app import make_platform
from offcampus_server.rules_in_force import RulesInForce
from world import World, problem


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of what is installed."""
    file = tmp_path / "rules.lock.yaml"
    file.write_text(lockfile.written(lockfile.of(load_ruleset().plugins)), encoding="utf-8")
    return file


def switch(file: Path, region: str, mode: str) -> None:
    """Set the mode of a region's plugin, as an operator would in an editor."""
    head, mark, rest = file.read_text(encoding="utf-8").partition(f'jurisdiction: "{region}"')
    file.write_text(head + mark + rest.replace('mode: "enforce"', f'mode: "{mode}"', 1), encoding="utf-8")
    os.utime(file, ns=(1, 1))  # another instant than before, however coarse the file system's clock


def regions(ruleset: RuleSet) -> set[str]:
    return {info.jurisdiction for info in ruleset.plugins}


def test_a_change_of_the_lock_takes_the_place_of_the_rules_in_force(lock: Path, tmp_path: Path) -> None:
    """Beijing is switched off: the set that somebody holds stays whole, the next one is without it; both are archived."""
    rules = RulesInForce(lock, tmp_path / "archive")
    held = rules()
    assert "110000" in regions(held)
    assert not rules.look_again()
    switch(lock, "110000", "off")
    assert rules.look_again()
    assert "110000" not in regions(rules())
    assert "110000" in regions(held)
    for ruleset in (held, rules()):
        assert archive.read(tmp_path / "archive", ruleset.digest).digest == ruleset.digest


def test_rules_that_cannot_be_read_change_nothing(lock: Path) -> None:
    """A broken lock is told and the rules in force stay; mended, the next look takes it."""
    rules = RulesInForce(lock)
    before = rules()
    whole = lock.read_text(encoding="utf-8")
    lock.write_text("plugins: [", encoding="utf-8")
    assert not rules.look_again()
    assert rules() is before
    lock.write_text(whole, encoding="utf-8")
    switch(lock, "110000", "off")
    assert rules.look_again()


def test_a_server_does_not_start_with_a_lock_that_it_cannot_read(tmp_path: Path) -> None:
    """Half a configuration is none."""
    broken = tmp_path / "rules.lock.yaml"
    broken.write_text("plugins: 1", encoding="utf-8")
    with pytest.raises(RuleKitError):
        RulesInForce(broken)


def test_decisions_name_the_plugins_that_were_in_force(world: World, lock: Path) -> None:
    """The same charge before and after Beijing is switched off: each decision names who spoke."""
    rules = RulesInForce(lock)
    world.platform.storage.rules = rules
    world.open_class()
    world.open_family()
    world.open_account()
    spoke = []
    for mode in ("enforce", "off"):
        switch(lock, "110000", mode)
        rules.look_again()
        sent = world.order_document(class_hours_centi=2000)
        made = world.ok(world.vendor.post("/v1/orders", sent), 201)
        decision = world.ok(world.authority.get(f"/v1/decisions/{made['decision_id']}"))
        spoke.append({plugin["jurisdiction"] for plugin in decision["plugins"]})
    assert spoke == [{"000000", "110000"}, {"000000"}]


def test_what_the_operator_counted_on_and_is_gone_closes_the_gates_of_its_region(world: World, lock: Path) -> None:
    """The lock names another content of Beijing's rules: nobody can tell what they say, so no charge is taken there."""
    world.open_class()
    world.open_family()
    world.open_account()
    text = lock.read_text(encoding="utf-8")
    digest = next(info.digest for info in load_ruleset().plugins if info.jurisdiction == "110000")
    lock.write_text(text.replace(digest, "sha-256:" + "0" * 64), encoding="utf-8")
    world.platform.storage.rules = RulesInForce(lock)
    problem(world.vendor.post("/v1/orders", world.order_document()), 503, "rules.unavailable")
    assert world.count("orders") == 0


def test_the_platform_watches_the_lock_of_its_settings(world: World, lock: Path) -> None:
    """A platform made from settings with a lock decides by it."""
    from dataclasses import replace

    switch(lock, "110000", "off")
    platform = make_platform(replace(world.platform.settings, rules_lock=lock))
    assert "110000" not in regions(platform.rules())
    platform.storage.engine.dispose()
