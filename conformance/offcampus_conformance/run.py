"""One run: the profile's scenario makes the traffic, its checks judge the record. Also re-judges stored evidence.

A verdict is told as soon as more traffic cannot change it; all are judged once more, over the whole record, at the
end: what was told early and what the report says are the same judgement.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from offcampus_conformance import baseline
from offcampus_conformance.check import Check, checks_of
from offcampus_conformance.config import Config, ConfigError, Product
from offcampus_conformance.finding import Verdict
from offcampus_conformance.record import Record
from offcampus_conformance.verdict import Exit, Result, exit_code, judge, own_faults
from offcampus_conformance.wire import TargetGone

Progress = Callable[[str], None]
Told = Callable[[Result], None]
SCENARIOS = {
    "platform": "platform_scenario", "institution-system": "vendor_scenario", "bank": "bank_scenario",
    "rules": "rules_scenario",
}  # fmt: skip


RESTS = 10
"""Judging early rests this many times as long as it took: what is told early must not cost the run its time."""


class Cut(Exception):
    """The run was asked to end before its scenario did."""


@dataclass(frozen=True)
class Plan:
    """What a run is going to do, fixed before anything is sent."""

    run_id: str
    profile: str
    target: str
    claims: frozenset[str]
    checks: tuple[str, ...]
    started_at: str
    whole: bool = True
    """Every check of the profile is planned."""
    seed: int = 1
    nonce: str | None = None
    product: Product = field(default_factory=Product)
    mode: str = "live"


@dataclass(frozen=True)
class Report:
    """A finished run: its plan, and every verdict."""

    plan: Plan
    finished_at: str
    results: tuple[Result, ...]
    record: Record
    complete: bool = True
    """The scenario was not cut short."""
    suite_faults: tuple[str, ...] = ()
    excused: frozenset[str] = frozenset()
    """Known failures of the vendor's baseline: they do not redden its CI; the report shows them all the same."""
    stale: tuple[str, ...] = ()
    """Entries of the baseline that are not needed any more."""

    @property
    def profile(self) -> str:
        """What was tested."""
        return self.plan.profile

    @property
    def target(self) -> str:
        """Which one."""
        return self.plan.target

    @property
    def claims(self) -> frozenset[str]:
        """What it claims."""
        return self.plan.claims

    @property
    def verdict(self) -> Exit:
        """What the run shows of the target, whatever is known or excused."""
        if self.suite_faults:
            return Exit.SUITE_ERROR
        if len(self.record) and all(exchange.status is None for exchange in self.record):
            return Exit.UNREACHABLE
        return exit_code(self.results)

    @property
    def exit(self) -> Exit:
        """The run's exit code: the verdict, with what the baseline knows left out."""
        if self.verdict not in (Exit.NOT_CONFORMANT, Exit.CONFORMANT):
            return self.verdict
        code = exit_code(self.results, self.excused)
        return Exit.BASELINE_STALE if code is Exit.CONFORMANT and self.stale else code

    @property
    def conformant(self) -> bool:
        """The target conforms: every scored MUST of the whole profile is green."""
        return self.plan.whole and self.complete and self.verdict is Exit.CONFORMANT


class Watcher:
    """Who follows a run; what it raises, but for Cut, is an error of the run."""

    def begun(self, plan: Plan) -> None:
        """The plan, before anything is sent."""

    def step(self, text: str) -> None:
        """A part of the scenario begins."""

    def told(self, result: Result) -> None:
        """A verdict, once, as soon as it is final. May raise Cut to end the run."""


class Telling(Watcher):
    """A watcher made of functions."""

    def __init__(self, progress: Progress, told: Told) -> None:
        self._progress, self._told = progress, told

    def step(self, text: str) -> None:
        """A part of the scenario begins."""
        self._progress(text)

    def told(self, result: Result) -> None:
        """A verdict."""
        self._told(result)


def run(
    config: Config, *, only: str | Sequence[str] | None = None, progress: Progress = lambda _: None,
    told: Told = lambda _: None, fail_fast: bool = False, watcher: Watcher | None = None,
) -> Report:  # fmt: skip
    """Carry out the profile's scenario against the target and judge it.

    Args:
        only: ids or globs; the checks that match, and those that they need, are judged.
        watcher: follows the run; `progress` and `told` are its short form.
        fail_fast: end the scenario at the first failure.

    Raises ConfigError when the configuration lacks something, or `only` matches no check.
    """
    checks = planned(config, only)
    scenario = _scenario(config.profile)
    plan = Plan(
        secrets.token_hex(16), config.profile, config.address, config.claims, tuple(check.id for check in checks),
        _now(), only is None, config.seed, config.nonce, config.product,
    )  # fmt: skip
    known = baseline.load(config.baseline) if config.baseline is not None else frozenset()
    follower = watcher or Telling(progress, told)
    follower.begun(plan)
    record = Record()
    record.wanted = None if only is None else frozenset(plan.checks)
    herald = _Herald(record, checks, config.claims, follower, fail_fast)

    def step(text: str) -> None:
        herald.tell()
        follower.step(text)

    complete, faults = _carry_out(lambda: scenario(config, record, step), record)
    results = judge(record, checks, config.claims)
    herald.finish(results)
    return Report(
        plan, _now(), tuple(results), record, complete, (*faults, *own_faults(record)), known,
        baseline.stale(known, results),
    )  # fmt: skip


def planned(config: Config, only: str | Sequence[str] | None = None) -> tuple[Check, ...]:
    """The checks that a run would judge. Raises ConfigError when there are none, or a claim is unknown."""
    known = {check.claims for check in checks_of(config.profile) if check.claims is not None}
    if unknown := sorted(config.claims - known):
        allowed = ", ".join(sorted(known)) or "none: no check of this profile depends on a claim"
        raise ConfigError(f"target.claims names {unknown[0]!r}; the profile {config.profile!r} knows: {allowed}")
    checks = select(checks_of(config.profile), only)
    if not checks:
        wanted = "no check is declared yet" if only is None else f"no check of it matches {only!r}"
        raise ConfigError(f"profile {config.profile}: {wanted}; `offcampus-conformance explain --plan` lists them")
    return checks


def rejudge(
    profile: str, target: str, claims: frozenset[str], record: Record, only: str | Sequence[str] | None = None,
    **more: Any,
) -> Report:  # fmt: skip
    """The same verdicts from stored evidence, without any target; `more` are further members of the plan."""
    checks = select(checks_of(profile), only)
    results = judge(record, checks, claims)
    ids = tuple(check.id for check in checks)
    plan = Plan(more.pop("run_id", ""), profile, target, claims, ids, _now(), only is None, mode="rejudged", **more)
    return Report(plan, _now(), tuple(results), record, suite_faults=tuple(own_faults(record)))


def select(checks: tuple[Check, ...], only: str | Sequence[str] | None) -> tuple[Check, ...]:
    """The checks whose id matches, with all that they need."""
    if only is None:
        return checks
    patterns = [only] if isinstance(only, str) else list(only)
    by_id = {check.id: check for check in checks}
    wanted: dict[str, Check] = {}
    pending = [check for check in checks if any(fnmatchcase(check.id, pattern) for pattern in patterns)]
    while pending:
        check = pending.pop()
        wanted[check.id] = check
        pending.extend(by_id[need] for need in check.needs if need in by_id and need not in wanted)
    return tuple(check for check in checks if check.id in wanted)


@dataclass
class _Herald:
    """Tells verdicts while the scenario runs, each once, when it is final."""

    record: Record
    checks: tuple[Check, ...]
    claims: frozenset[str]
    follower: Watcher
    fail_fast: bool
    known: set[str] = field(default_factory=set)
    rested_until: float = 0.0

    def tell(self) -> None:
        """Tell what has become final. Raises Cut at a failure under fail_fast."""
        started = time.monotonic()
        if started < self.rested_until and not self.fail_fast:
            return
        results = judge(self.record, self.checks, self.claims)
        self.rested_until = time.monotonic() + RESTS * (time.monotonic() - started)
        for result in results:
            if result.final and result.verdict is not Verdict.BLOCKED and result.check.id not in self.known:
                self.known.add(result.check.id)
                self.follower.told(result)
                if self.fail_fast and result.verdict is Verdict.FAIL:
                    raise Cut(f"{result.check.id} failed")

    def finish(self, results: Sequence[Result]) -> None:
        """Tell the rest."""
        for result in results:
            if result.check.id not in self.known:
                self.follower.told(result)


def _carry_out(scenario: Callable[[], None], record: Record) -> tuple[bool, list[str]]:
    """Carry a scenario out; whether it came to its end, and what was the suite's own fault on the way."""
    try:
        scenario()
    except Cut as cut:
        record.omit("*", f"the run was ended: {cut}")
        return False, []
    except TargetGone as gone:
        record.omit("*", str(gone))
        return True, []
    except (AttributeError, TypeError, KeyError, IndexError, ValueError) as odd:
        # An answer of a shape that the contract does not know trips the scenario up: that is the target's doing when
        # there was such an answer, and the suite's own otherwise.
        last = next(reversed(list(record)), None)
        record.omit("*", f"the scenario could go no further: {type(odd).__name__}")
        if any(exchange.answer_breaks for exchange in record):
            return True, []
        return False, [f"the scenario stopped at {last.label if last else 'its start'}: {type(odd).__name__}: {odd}"]
    return True, []


def _scenario(profile: str) -> Callable[[Config, Record, Progress], None]:
    # Imported on demand: nobody pays for the profiles of others.
    name = f"offcampus_conformance.{SCENARIOS[profile]}"
    if find_spec(name) is None:
        raise ConfigError(f"target.profile {profile!r} has no scenario in this version of the suite")
    scenario: Callable[[Config, Record, Progress], None] = import_module(name).carry_out
    return scenario


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
