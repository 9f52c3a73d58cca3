"""`python -m simulation`: play seeds, shrink what breaks, play a kept script again."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import click
from offcampus_server.kernel.observe import configure_logs

from simulation.play import Played, Stage
from simulation.record import Record
from simulation.script import Script, generate
from simulation.servers import postgres_server

BATCH = 10
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--seeds", default=20, show_default=True, help="how many histories")
@click.option("--first", default=0, show_default=True, help="the first seed")
@click.option("--steps", default=500, show_default=True, help="steps of each history, before its two days of healing")
@click.option("--engine", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--jobs", default=1, show_default=True, help="processes")
@click.option("--replay", type=FILE, help="play a kept script again, step by step")
@click.option("--keep", type=FILE, default=Path("broken.json"), show_default=True, help="where a shrunk script goes")
@click.option("--record", type=FILE, help="note each history here, and go on where an earlier run stopped")
@click.option("--planted", help="with this bug planted in the server's code (see docs/planted-bugs.md)")
def main(  # the options
    seeds: int, first: int, steps: int, engine: str, jobs: int, replay: Path | None, keep: Path, record: Path | None,
    planted: str | None,
) -> None:  # fmt: skip
    """Play random histories of the money side, check every invariant all along, shrink what breaks."""
    configure_logs("error")
    with _postgres(engine) as server, _planted(planted):
        if replay is not None:
            sys.exit(_replay(replay, engine, server))
        noted = Record(record, engine, steps) if record else None
        left = [seed for seed in range(first, first + seeds) if noted is None or seed not in noted.done()]
        sys.exit(_run(left, steps, engine, server, jobs, keep, noted))


def _run(
    seeds: Sequence[int], steps: int, engine: str, server: str | None, jobs: int, keep: Path, record: Record | None
) -> int:
    started, played, outcomes, points = time.perf_counter(), 0, Counter[str](), Counter[str]()
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    for found in _all(batches, steps, engine, server, jobs):
        for one in found:
            played += one.steps
            outcomes += one.outcomes
            points += one.points
            if record is not None:
                record.note(one)
            if one.broken:
                click.echo(f"seed {one.script.seed}, step {one.at}: {one.broken}\n{one.detail}")
                _shrink(one, engine, server, keep)
                return 1
    seconds = time.perf_counter() - started
    click.echo(
        f"{len(seeds)} seeds, {played} steps on {engine} in {seconds:.0f} s ({played / seconds:.0f} steps/s), "
        f"{outcomes['crashed']} crashes at {len(points)} points, no broken invariant"
    )
    click.echo(", ".join(f"{name} {count}" for name, count in outcomes.most_common(12)))
    return 0


def _all(
    batches: list[Sequence[int]], steps: int, engine: str, server: str | None, jobs: int
) -> Iterator[list[Played]]:
    if jobs == 1:
        stage = Stage(engine, server)
        try:
            for batch in batches:
                yield from ([stage.play(generate(seed, steps))] for seed in batch)
        finally:
            stage.close()
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, (engine, server)) as pool:
        yield from pool.map(_batch, batches, [steps] * len(batches))


_stage: Stage | None = None


def _prepare(engine: str, server: str | None) -> None:
    global _stage
    configure_logs("error")
    _stage = Stage(engine, server)


def _batch(seeds: Sequence[int], steps: int) -> list[Played]:
    assert _stage is not None
    return [_stage.play(generate(seed, steps)) for seed in seeds]


def _shrink(played: Played, engine: str, server: str | None, keep: Path) -> None:
    stage = Stage(engine, server)
    script = stage.shrink(played)
    stage.close()
    script.save(keep)
    click.echo(f"shrunk to {len(script.steps)} steps: `python -m simulation --engine {engine} --replay {keep}`")


def _replay(path: Path, engine: str, server: str | None) -> int:
    stage = Stage(engine, server)
    script = Script.load(path)
    played = stage.play(
        script, every=1,
        tell=lambda number, step, outcome: click.echo(f"{number:4} {step.name:10} {step.fault:12} {outcome}"),
    )  # fmt: skip
    if played.broken and played.at < len(script.steps):
        step = script.steps[played.at]
        click.echo(f"{played.at:4} {step.name:10} {step.fault:12}")
    stage.close()
    click.echo(f"{played.broken}: {played.detail}" if played.broken else "no broken invariant")
    return 1 if played.broken else 0


@contextmanager
def _postgres(engine: str) -> Iterator[str | None]:
    if engine == "sqlite":
        yield None
        return
    with postgres_server() as address:
        yield address


@contextmanager
def _planted(name: str | None) -> Iterator[None]:
    if name is None:
        yield
        return
    from simulation.planted import BUGS

    with BUGS[name].planted():
        yield


if __name__ == "__main__":
    main()
