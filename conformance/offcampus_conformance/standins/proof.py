"""Proof that the suite judges well: each stand-in is played and judged, alone, and what came of it is told.

A fault is killed when the check that is named for it is red, on an exchange where the fault was active, and the suite
made no error. What else is red is counted: a fault that reddens much hides itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from offcampus_conformance.check import checks_of
from offcampus_conformance.finding import Verdict
from offcampus_conformance.record import Record
from offcampus_conformance.scenario.run import play
from offcampus_conformance.standins.bench import FAULTS, on_the_bench
from offcampus_conformance.standins.faults.kit import Fault
from offcampus_conformance.standins.variations import variations
from offcampus_conformance.verdict import Result, judge, own_faults
from offcampus_conformance.wire import TargetGone

RED = frozenset({Verdict.FAIL, Verdict.WARN})
AT_ONCE = 8
"""A run mostly waits, as the scenario asks: several share one processor."""


@dataclass(frozen=True)
class Played:
    """One stand-in, played and judged."""

    name: str
    killed_by: str | None
    results: tuple[Result, ...]
    active: bool
    """The fault was active on an exchange that the named check's finding shows."""
    suite_faults: tuple[str, ...]
    exchanges: int

    @property
    def killed(self) -> bool:
        """The named check is red where the fault was active."""
        return self.active and self.killed_by in self.red

    @property
    def red(self) -> tuple[str, ...]:
        """The ids of the checks that are red."""
        return tuple(result.check.id for result in self.results if result.verdict in RED)

    @property
    def not_green(self) -> dict[str, str]:
        """Every check that did not pass, with its verdict and why."""
        return {
            result.check.id: f"{result.verdict.value}: {result.deviation or result.note}"
            for result in self.results
            if result.verdict not in (Verdict.PASS, Verdict.SKIP)
        }

    @property
    def others(self) -> tuple[str, ...]:
        """What is red beside the named check."""
        return tuple(id for id in self.red if id != self.killed_by)

    @property
    def errors(self) -> tuple[str, ...]:
        """The suite's own errors."""
        wrong = (f"{r.check.id}: {r.note}" for r in self.results if r.verdict is Verdict.ERROR)
        return (*self.suite_faults, *wrong)


def good(profile: str, *, seed: int = 1, kind: Callable[..., Any] | None = None, name: str = "good") -> Played:
    """Play the good stand-in, or an unusual, lawful one."""
    return _play(profile, None, seed=seed, kind=kind, name=name)


def faulty(profile: str, fault: Fault) -> Played:
    """Play a stand-in with a fault."""
    return _play(profile, fault, name=fault.name)


def all_faulty(profile: str, faults: Iterable[Fault] | None = None) -> list[Played]:
    """Play many, those that measure time by themselves."""
    chosen = list(faults if faults is not None else FAULTS[profile])
    together = [fault for fault in chosen if not fault.alone]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = {one.name: one for one in pool.map(lambda fault: faulty(profile, fault), together)}
    played |= {fault.name: faulty(profile, fault) for fault in chosen if fault.alone}
    return [played[fault.name] for fault in chosen]


def all_lawful(profile: str, names: Iterable[str] | None = None) -> list[Played]:
    """Play every unusual, lawful stand-in, or those that are named."""
    made = variations(profile)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda name: good(profile, name=name, kind=made[name]), names or made))


def _play(
    profile: str, fault: Fault | None, *, name: str, seed: int = 1, kind: Callable[..., Any] | None = None
) -> Played:
    record = Record()
    with on_the_bench(profile, fault.name if fault else "", seed=seed, kind=kind) as bench:
        try:
            play(bench.config, record, lambda _: None, hurry=True)
        except TargetGone as reason:
            record.omit("*", str(reason))
    results = tuple(judge(record, checks_of(profile)))
    named = next((result for result in results if fault is not None and result.check.id == fault.killed_by), None)
    active = named is not None and any(bench.witness.on(exchange) for exchange in named.met)
    killed_by = fault.killed_by if fault else None
    return Played(name, killed_by, results, active, tuple(own_faults(record)), len(record))
