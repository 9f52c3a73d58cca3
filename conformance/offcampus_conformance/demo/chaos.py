"""Kills the server and the worker at random moments and starts them again: what was acknowledged must survive."""

from __future__ import annotations

import random
import threading
import time

from offcampus_conformance.demo.processes import Process


class Chaos:
    """`times` kills, each at a random moment, alternating at random between the victims (seeded)."""

    def __init__(self, victims: tuple[Process, ...], times: int, seed: int) -> None:
        self._victims, self._times = victims, times
        self._random = random.Random(seed)  # noqa: S311 - reproducible trouble, no secret
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.kills = 0

    def begin(self) -> None:
        """Start killing in the background."""
        if self._times:
            self._thread.start()

    @property
    def over(self) -> bool:
        """All kills have happened."""
        return self.kills >= self._times

    def end(self) -> None:
        """Kill nobody any more, and leave everybody running."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(120)

    def _run(self) -> None:
        while not self.over and not self._stop.wait(self._random.uniform(0.05, 0.6)):
            victim = self._random.choice(self._victims)
            victim.kill()
            self.kills += 1
            time.sleep(self._random.uniform(0, 0.2))
            victim.start()
            victim.wait_ready()
