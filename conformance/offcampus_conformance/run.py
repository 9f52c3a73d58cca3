"""One run: the profile's scenario makes the traffic, its checks judge the record. Also re-judges stored evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib import import_module

from offcampus_spec import SPEC_VERSION

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.check import Check, checks_of
from offcampus_conformance.config import Config
from offcampus_conformance.record import Record
from offcampus_conformance.verdict import Exit, Result, exit_code, judge

Progress = Callable[[str], None]
SCENARIOS = {"platform": "platform_scenario", "institution-system": "vendor_scenario"}


@dataclass(frozen=True)
class Report:
    """A finished run: what was tested, with what, and every verdict."""

    profile: str
    target: str
    claims: frozenset[str]
    started_at: str
    finished_at: str
    results: tuple[Result, ...]
    record: Record
    suite_version: str = SUITE_VERSION
    spec_version: str = SPEC_VERSION

    @property
    def exit(self) -> Exit:
        """The run's exit code."""
        if len(self.record) and all(exchange.status is None for exchange in self.record):
            return Exit.UNREACHABLE
        return exit_code(self.results)


def run(config: Config, *, only: str | None = None, progress: Progress = lambda _: None) -> Report:
    """Carry out the profile's scenario against the target and judge it.

    Args:
        only: an id or glob; the checks that match, and those that they need, are judged.
    """
    started = _now()
    record = Record()
    _scenario(config.profile)(config, record, progress)
    checks = select(checks_of(config.profile), only)
    results = judge(record, checks, config.claims)
    target = config.base_url or config.driver_url or "by hand"
    return Report(config.profile, target, config.claims, started, _now(), tuple(results), record)


def rejudge(profile: str, target: str, claims: frozenset[str], record: Record, only: str | None = None) -> Report:
    """The same verdicts from stored evidence, without any target."""
    started = _now()
    results = judge(record, select(checks_of(profile), only), claims)
    return Report(profile, target, claims, started, _now(), tuple(results), record)


def select(checks: tuple[Check, ...], only: str | None) -> tuple[Check, ...]:
    """The checks whose id matches, with all that they need."""
    if only is None:
        return checks
    by_id = {check.id: check for check in checks}
    wanted: dict[str, Check] = {}
    pending = [check for check in checks if fnmatchcase(check.id, only)]
    while pending:
        check = pending.pop()
        wanted[check.id] = check
        pending.extend(by_id[need] for need in check.needs if need not in wanted)
    return tuple(check for check in checks if check.id in wanted)


def _scenario(profile: str) -> Callable[[Config, Record, Progress], None]:
    # Imported on demand: nobody pays for the profiles of others.
    module = import_module(f"offcampus_conformance.{SCENARIOS[profile]}")
    scenario: Callable[[Config, Record, Progress], None] = module.carry_out
    return scenario


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
