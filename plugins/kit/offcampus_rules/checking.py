"""What `offcampus-rules check` finds wrong with a plugin's folder, each with file and line (all codes: `codes`).

A plugin is read and put together by the code that loads it, so that what loading refuses is found here in the same
words. Beyond that: values that would loosen what stands above, texts not in the language they claim, rules that can
never apply, hooks that are no pure functions, cases that do not come out as written; when asked for, edges of values
that no case stands on and slips that no case would notice; with a day given, what time has done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from offcampus_rules import (
    ageing,
    boundaries,
    code_reading,
    hook_checking,
    mutating,
    reach,
    registry,
    satisfiable,
    shadowed,
    testing,
    yaml12,
)
from offcampus_rules.asked import asked
from offcampus_rules.boundaries import Coverage
from offcampus_rules.errors import FileProblem, Position, RuleFileError, RuleSetError
from offcampus_rules.hook_loading import HookRefused
from offcampus_rules.mutating import Mutation
from offcampus_rules.parameters import within
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import RuleSet, build

_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and how much was looked at."""

    problems: tuple[FileProblem, ...]
    parameters: int = 0
    rules: int = 0
    cases: int = 0
    unchecked: int = 0
    """Binding values that do not say when somebody last read them against the text (`checked_on`)."""
    coverage: Coverage | None = None
    mutation: Mutation | None = None

    @property
    def errors(self) -> tuple[FileProblem, ...]:
        return tuple(problem for problem in self.problems if problem.severity != "warning")

    @property
    def passed(self) -> bool:
        return not self.errors


def check(
    root: Path,
    superiors: Sequence[Plugin],
    *,
    coverage: bool = False,
    mutate: bool = False,
    today: date | None = None,
) -> Report:
    """Check the plugin at `root` against the plugins above it (the nation's, unless it is the nation's own).

    `coverage` and `mutate` also judge the cases: whether one stands on each edge, and whether they notice each slip.
    `today` adds what the passing of time does to a plugin (warnings).
    """
    suspicious = tuple(problem for file in sorted(root.glob("*/hooks.py")) for problem in code_reading.read(file))
    try:
        plugin = registry.read_folder(root)
    except RuleFileError as error:
        return Report(tuple(dict.fromkeys((*suspicious, *error.problems))))
    except HookRefused as error:
        return Report((*suspicious, hook_checking.refused(root, error)))
    above = _above(plugin, superiors)
    ruleset = _assembled(plugin, above)
    if isinstance(ruleset, Report):
        return ruleset
    stated = (*ruleset.reports(), *satisfiable.find(ruleset.assembly), *shadowed.find(ruleset.assembly))
    own = [problem for problem in stated if root in problem.file.parents]
    cases, broken = _cases(root)
    found = [*own, *suspicious, *_untranslated(root), *broken, *reach.unreachable(plugin, ruleset.assembly)]
    found += [*_mismatches(ruleset, cases), *hook_checking.failures(plugin, above, cases)]
    found += ageing.warnings(plugin, ruleset.parameters, today) if today else ()
    ready = asked(ruleset, cases) if coverage or mutate else ()
    covered = boundaries.measure(ruleset, plugin, ready) if coverage else None
    mutation = mutating.run(ruleset, plugin, ready) if mutate else None
    found.extend(_edges(covered) if covered else ())
    found.extend(_survivors(mutation) if mutation else ())
    return Report(
        tuple(found),
        parameters=len(plugin.parameter_files),
        rules=sum(len(items) for file in plugin.rule_files for _, items in file.sections()),
        cases=len(cases),
        unchecked=sum(ageing.is_unchecked(entry) for file in plugin.parameter_files for entry in file.entries),
        coverage=covered,
        mutation=mutation,
    )


def superiors(folders: Sequence[Path]) -> tuple[tuple[Plugin, ...], tuple[FileProblem, ...]]:
    """The plugins in folders that are to stand above, or what is wrong with them: nothing is checked against those."""
    found: list[Plugin] = []
    broken: list[FileProblem] = []
    for folder in folders:
        try:
            found.append(registry.read_folder(folder.resolve()))
        except RuleFileError as error:
            broken.extend(error.problems)
        except HookRefused as error:
            broken.append(hook_checking.refused(folder.resolve(), error))
    return tuple(found), tuple(broken)


def _above(plugin: Plugin, superiors: Sequence[Plugin]) -> list[Plugin]:
    return [
        other
        for other in superiors
        if other.jurisdiction != plugin.jurisdiction and within(plugin.jurisdiction, other.jurisdiction)
    ]


def _assembled(plugin: Plugin, above: Sequence[Plugin]) -> RuleSet | Report:
    try:
        ruleset = build([*above, plugin])
    except RuleSetError as error:
        none = FileProblem(plugin.root / "plugin.yaml", Position(1, 1), "R-NATION", str(error), "缺少全国规则")
        return Report(error.problems or (none,))
    problems = tuple(problem for item in ruleset.rejected for problem in item.problems)
    return Report(problems) if problems else ruleset


def _cases(root: Path) -> tuple[tuple[testing.RuleCase, ...], tuple[FileProblem, ...]]:
    try:
        return testing.load_cases(root), ()
    except RuleFileError as error:
        return (), error.problems


def _mismatches(ruleset: RuleSet, cases: Sequence[testing.RuleCase]) -> Iterator[FileProblem]:
    for case in cases:
        mismatch = testing.run_case(ruleset, case)
        if mismatch is not None:
            text = f"{case.name}: {'; '.join(mismatch.differences)}"
            yield FileProblem(case.file, case.position, "R-CASE", text, "用例结果与预期不符")


def _edges(coverage: Coverage) -> Iterator[FileProblem]:
    for item in coverage.uncovered:
        name, since = item.entry.parameter, item.entry.since
        wanted = {"from": f"on {since}", "before": f"on {since - timedelta(days=1)}"}
        wanted |= {"limit": "exactly at the limit", "beyond": "one unit beyond it"}
        en = f"no case of {name} (from {since}) stands {', '.join(wanted[e] for e in item.edges)}"
        zh = f"{name}（{since} 起）缺少边界用例：{'、'.join(_EDGES_ZH[edge] for edge in item.edges)}"
        yield FileProblem(item.entry.file, item.entry.position, "R-EDGE", en, zh)


_EDGES_ZH = {"from": "生效当日", "before": "生效前一日", "limit": "恰在限值", "beyond": "超出一个单位"}


def _survivors(mutation: Mutation) -> Iterator[FileProblem]:
    for survivor in mutation.survivors:
        mutant = survivor.mutant
        place = f"{mutant.parameter} {mutant.what}"
        en = f"{place}: no case would notice {mutant.becomes!r} in the place of {mutant.was!r}"
        zh = f"{place} 由 {mutant.was!r} 误为 {mutant.becomes!r} 时，没有用例能发现"
        yield FileProblem(mutant.file, mutant.position, "R-SURVIVOR", en, zh, hint=survivor.suggestion)


def _untranslated(root: Path) -> Iterator[FileProblem]:
    """Texts that do not speak the language they claim: Chinese without a Han character, English with one."""
    for folder in ("parameters", "rules", "messages"):
        for file in sorted((root / folder).rglob("*.yaml")):
            document = yaml12.load(file)
            for path, pair in _pairs(document.content, ()):
                if not _HAN.search(pair["zh"]):
                    yield document.problem(
                        (*path, "zh"), "R-MSG", "the Chinese text has no Chinese", "中文文本不含汉字"
                    )
                if _HAN.search(pair["en"]):
                    yield document.problem(
                        (*path, "en"), "R-MSG", "the English text has Chinese in it", "英文文本含汉字"
                    )


def _pairs(content: Any, path: yaml12.Path12) -> Iterator[tuple[yaml12.Path12, dict[str, str]]]:
    if isinstance(content, list):
        for index, item in enumerate(content):
            yield from _pairs(item, (*path, index))
    elif isinstance(content, dict):
        if set(content) == {"zh", "en"}:
            yield path, content
        else:
            for key, item in content.items():
                yield from _pairs(item, (*path, key))
