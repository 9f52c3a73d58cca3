"""The simulator itself: some histories a day, and the same history twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from offcampus_server.kernel.observe import configure_logs
from simulation.play import Played, Stage
from simulation.script import generate


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
