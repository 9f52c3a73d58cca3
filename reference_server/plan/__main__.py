"""`python -m plan`: the list; `python -m plan T4 --count 2000 --engine postgresql`: one of it; `all`: every one in turn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click
from offcampus_server.kernel.observe import configure_logs
from simulation.servers import postgres_server

from plan.measure import Failed, Figures, Options
from plan.table import PLAN, ROOT, Test


@click.command()
@click.argument("names", nargs=-1)
@click.option("--count", type=int, help="how many; the CI count when it is left out")
@click.option("--long", "long_run", is_flag=True, help="the long count")
@click.option("--first", default=0, show_default=True, help="the first seed; a failure names the one that broke")
@click.option("--engine", type=click.Choice(["sqlite", "postgresql", "both"]), default="both", show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="add the figures to this file, for `python -m plan.page`")
def main(names: tuple[str, ...], count: int | None, long_run: bool, first: int, engine: str, keep: Path | None) -> None:
    """Carry out parts of the test plan and print their figures."""
    if not names:
        for test in PLAN.values():
            click.echo(f"{test.id:<4} {test.ci:>9,} {test.counted:<20} {test.what}")
        return
    if unknown := [name for name in names if name not in PLAN and name != "all"]:
        raise click.UsageError(f"no test {', '.join(unknown)}; there are {', '.join(PLAN)} and all")
    configure_logs("error")
    wanted = list(PLAN) if "all" in names else list(names)
    broken = 0
    for name in wanted:
        test = PLAN[name]
        for on in (found for found in test.engines if engine in (found, "both")):
            broken += _one(test, on, count or (test.long if long_run else test.ci), first, keep)
    sys.exit(1 if broken else 0)


def _one(test: Test, engine: str, count: int, first: int, keep: Path | None) -> int:
    began = time.perf_counter()
    try:
        with postgres_server() if engine == "postgresql" and test.module else nullcontext() as server:
            figures = test.run(Options(count, first, server)) if test.module else _pytest(test, engine)
    except Failed as failed:
        click.echo(f"{test.id} on {engine}: {failed.detail}")
        click.echo(
            f"{test.id}: again with `python -m plan {test.id} --engine {engine} --first {failed.seed} --count 1`"
        )
        return 1
    figures.seconds = time.perf_counter() - began
    click.echo(f"{test.id} on {engine}, {count:,} {test.counted}: {figures}")
    if keep is not None:
        row = {"id": test.id, "engine": engine, "count": count, "figures": dict(figures.counts),
               "seconds": round(figures.seconds), "on": datetime.now(UTC).date().isoformat()}  # fmt: skip
        with keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return 0


def _pytest(test: Test, engine: str) -> Figures:
    """A test whose counts stand in its own file: all of it, slow and long parts too."""
    selected = ["-k", engine] if len(test.engines) > 1 else []
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "", *test.paths, *selected]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-500:]
    if done.returncode:
        raise Failed(0, done.stdout[-3000:])
    figures = Figures()
    for number, word in zip(last.split(), last.split()[1:], strict=False):
        if number.isdecimal() and word.startswith("passed"):
            figures.counts["tests passed"] = int(number)
    return figures


if __name__ == "__main__":
    main()
