"""Playing a history from its script, and finding the shortest one that still breaks what it broke."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulation.ending import heal
from simulation.house import House
from simulation.invariants import Watch
from simulation.oracle import Oracle
from simulation.script import Script, Step
from simulation.steps import perform
from simulation.town import Town, build
from simulation.world import Broken, World

FULL_CHECK_EVERY = 250
LOG_CHECKED_EVERY = 20
"""Of so many seeds one ends with the provable log."""


@dataclass
class Played:
    """What came of a history."""

    script: Script
    steps: int = 0
    broken: str = ""
    detail: str = ""
    at: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    lives: int = 1
    transfers: int = 0
    seconds: float = 0
    cpu_seconds: float = 0
    """Of this process; a PostgreSQL server's own come on top."""


class Stage:
    """A house with its town, used for one history after another."""

    def __init__(self, engine: str, postgres: str | None = None) -> None:
        self.house = House(engine, postgres)
        with self.house.simulated():
            self.towns: list[Town] = build(self.house)
        self.oracle = Oracle(self.house)

    def play(
        self, script: Script, *, every: int = FULL_CHECK_EVERY, ending: bool = True,
        tell: Callable[[int, Step, str], None] | None = None,
    ) -> Played:  # fmt: skip
        """Play a history until it ends or breaks."""
        began, cpu = time.perf_counter(), time.process_time()
        self.oracle.forget()
        self.house.fresh()
        self.house.points.seen.clear()
        played = Played(script)
        with self.house.simulated():
            world = World(self.house, self.towns[script.seed % len(self.towns)], self.oracle)
            watch = Watch(world)
            try:
                for number, step in enumerate(script.steps):
                    played.at = number
                    perform(world, step)
                    watch.after_step()
                    self.house.points.rest()
                    played.steps += 1
                    if every and (number + 1) % every == 0:
                        watch.everything()
                    if tell is not None:
                        tell(number, step, world.outcome)
                watch.everything()
                if ending:
                    heal(world, watch)
                if script.seed % LOG_CHECKED_EVERY == 0:
                    watch.the_log()
                played.transfers = self.oracle.one("SELECT count(*) FROM ledger_transfers")
            except Broken as broken:
                played.broken, played.detail = broken.invariant, broken.detail
            except Exception as error:  # noqa: BLE001 - a fault of the server's own, which no request may cause
                played.broken = f"no request ends in a fault of ours: {type(error).__name__}"
                played.detail = "".join(traceback.format_exception(error)[-3:])
            finally:
                self.house.points.disarm()
        played.seconds, played.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        played.outcomes, played.points = Counter(world.counts), Counter(self.house.points.seen)
        return played

    def shrink(self, played: Played, seconds: float = 60) -> Script:
        """Leave out whatever is not needed to break the same invariant: halves, quarters, down to single steps.

        Args:
            seconds: of processor time.
        """
        until = time.process_time() + seconds
        ending = played.at + 1 >= len(played.script.steps)
        idle: set[int] = set()

        def note(number: int, _: Step, outcome: str) -> None:
            idle.update({number} if outcome == "nothing to do" else ())

        def still(steps: tuple[Step, ...], every: int) -> bool:
            found = self.play(replace(played.script, steps=steps), every=every, ending=ending, tell=note)
            return found.broken == played.broken

        kept = played.script.steps[: played.at + 1]
        every = next((often for often in (0, 1) if still(kept, often)), None)
        if every is None:
            return replace(played.script, broken=played.broken)
        busy = tuple(step for number, step in enumerate(kept) if number not in idle)
        kept = busy if still(busy, every) else kept
        size = max(len(kept) // 2, 1)
        while time.process_time() < until:
            start, smaller = 0, False
            while start < len(kept) and time.process_time() < until:
                shorter = kept[:start] + kept[start + size :]
                if still(shorter, every):
                    kept, smaller = shorter, True
                else:
                    start += size
            if size == 1 and not smaller:
                break
            size = max(size // 2, 1)
        for number, step in enumerate(kept):
            if step.fault and time.process_time() < until:
                calm = (*kept[:number], replace(step, fault=""), *kept[number + 1 :])
                kept = calm if still(calm, every) else kept
        return Script(played.script.seed, kept, played.broken)

    def close(self) -> None:
        """Remove everything."""
        self.oracle.forget()
        self.house.close()
