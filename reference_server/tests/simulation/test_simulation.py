"""The simulator itself: some histories a day, the same history twice, and each planted bug found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from offcampus_server.kernel.observe import configure_logs
from simulation.hunt import hunt
from simulation.planted import BUGS, Bug, page
from simulation.play import Played, Stage
from simulation.script import Script, generate

QUICK = ("credit-a-fen-short", "rounding-up", "told-twice", "no-keys", "release-from-frozen")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A platform on SQLite that begins anew with every history."""
    configure_logs("error")
    made = Stage("sqlite")
    yield made
    made.close()


def unbroken(played: Played) -> None:
    assert not played.broken, f"seed {played.script.seed}, step {played.at}: {played.broken}: {played.detail}"


def test_histories_break_no_invariant(stage: Stage) -> None:
    """Four seeds with every fault, each healed within two virtual days."""
    for seed in range(4):
        unbroken(stage.play(generate(seed, 250)))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_many_histories_break_no_invariant(engine: str, request: pytest.FixtureRequest) -> None:
    """The same for about a minute; a million steps are played by hand."""
    server = request.getfixturevalue("postgres") if engine == "postgresql" else None
    stage = Stage(engine, server)
    for seed in range(1000, 1030 if engine == "sqlite" else 1005):
        unbroken(stage.play(generate(seed, 400)))
    stage.close()


def test_a_seed_is_one_history(stage: Stage) -> None:
    """The same outcomes, step by step."""
    told: list[list[str]] = [[], []]
    for run in told:
        unbroken(stage.play(generate(11, 120), tell=lambda number, step, outcome, run=run: run.append(outcome)))
    assert told[0] == told[1]


def test_a_broken_history_is_shrunk_and_played_again(stage: Stage, tmp_path: Path) -> None:
    """A few steps are left, and they break the same invariant when they are read from a file; mended, they break none."""
    bug = BUGS["rounding-up"]
    caught = hunt(stage, bug, 5, 300)
    assert caught is not None
    found = caught.played
    with bug.planted():
        script = stage.shrink(found, 30)
        assert len(script.steps) <= 15
        script.save(tmp_path / "broken.json")
        kept = Script.load(tmp_path / "broken.json")
        assert kept == script
        assert stage.play(kept, every=1).broken == found.broken
    unbroken(stage.play(replace(kept, broken="")))


def check(stage: Stage, bug: Bug) -> None:
    caught = hunt(stage, bug)
    assert caught is not None, f"{bug.name}: nothing finds that {bug.tells}"
    found = caught.played
    assert found.broken.startswith(bug.finds), f"{bug.name}: {found.broken}: {found.detail}"


def test_the_page_of_planted_bugs_is_current() -> None:
    """`python -m simulation.hunt` writes it."""
    kept = Path(__file__).parents[3] / "docs" / "planted-bugs.md"
    assert kept.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", list(BUGS))
def test_the_code_still_says_what_a_bug_changes(name: str) -> None:
    """A bug follows the code that it is planted in."""
    assert BUGS[name].was in BUGS[name].source()


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(stage: Stage, name: str) -> None:
    """By the invariant that is named for it."""
    check(stage, BUGS[name])


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in BUGS if name not in QUICK])
def test_each_planted_bug_is_found(stage: Stage, name: str) -> None:
    """All of them: at least forty."""
    assert len(BUGS) >= 40
    check(stage, BUGS[name])
