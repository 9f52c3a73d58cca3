"""What the suite does to a province's rule plugin: it has the kit check it, and records what was found.

Two steps: reading and putting together, then everything that presupposes it. The second is left out with its reason
when the first did not come to its end, so that nothing passes that nobody looked at.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from offcampus_rules import checking
from offcampus_rules.errors import FileProblem, RuleSetError
from offcampus_rules.plugin import Plugin
from offcampus_rules.registry import load_ruleset, read_folder

from offcampus_conformance.config import Config, ConfigError
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.synthetic import SHANGHAI


def carry_out(config: Config, record: Record, progress: Callable[[str], None]) -> None:
    """Check the plugin in `config.plugin` against the nation's rules and what else stands above it."""
    root = (config.plugin or Path()).resolve()
    if not (root / "plugin.yaml").is_file():
        raise ConfigError(f"target.plugin: {root.name} holds no plugin.yaml")
    progress("reading the plugin, its cases and hooks")
    above = tuple(read_folder(folder) for folder in config.above) or _installed()
    add(record, root, above, datetime.now(SHANGHAI).date())


def add(
    record: Record, root: Path, above: Sequence[Plugin], today: date, *, coverage: bool = True, mutate: bool = True
) -> None:
    """Check one plugin and record both steps; `coverage` and `mutate` as in `offcampus-rules check`."""
    started, clock = datetime.now(UTC).isoformat(), time.monotonic()
    report = checking.check(root, above, coverage=coverage, mutate=mutate, today=today)
    elapsed_ms = round((time.monotonic() - clock) * 1000, 1)
    whole = bool(report.parameters or report.rules)
    problems = [_problem(problem, root) for problem in report.problems]
    asked = {"R-EDGE": coverage, "R-SURVIVOR": mutate}
    facts: dict[str, Any] = {
        "asked": asked,
        "parameters": report.parameters,
        "rules": report.rules,
        "cases": report.cases,
    }
    answer = json.dumps({"problems": problems}, ensure_ascii=False)
    record.add(_step("rules.read", answer, started, elapsed_ms, {"whole": whole}))
    if whole:
        record.add(_step("rules.judged", answer, started, elapsed_ms, facts))
    else:
        codes = ", ".join(sorted({problem["code"] for problem in problems}))
        record.omit("rules.judged", f"the plugin could not be read to its end ({codes}): see RULES-READ-001")


def _step(label: str, answer: str, started: str, elapsed_ms: float, facts: dict[str, Any]) -> Exchange:
    return Exchange(
        label, "CHECK", "plugin", {}, None, 200, {"Content-Type": "application/json"}, answer, started, elapsed_ms,
        facts=facts, evidence="observed",
    )  # fmt: skip


def _problem(problem: FileProblem, root: Path) -> dict[str, Any]:
    inside = problem.file.is_relative_to(root)
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file.relative_to(root).as_posix() if inside else problem.file.name,
        "line": problem.position.line,
        "message_en": problem.message_en,
        "message_zh": problem.message_zh,
        "hint": problem.hint,
    }


def _installed() -> tuple[Plugin, ...]:
    try:
        return load_ruleset().assembly.plugins
    except RuleSetError:
        return ()
