"""What the cases bring to light about a plugin's hooks: failures (R-RAISE, R-TYPE, R-SLOW) and changing minds (R-PURE).

Each finding stands at the hook's definition. Failures are told once a hook and kind, however many cases meet them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from offcampus_rules import code_reading
from offcampus_rules.asking import ask
from offcampus_rules.errors import FileProblem, Position
from offcampus_rules.hook_code import HookCode
from offcampus_rules.hook_loading import HookRefused
from offcampus_rules.plain import FactsError
from offcampus_rules.plugin import Plugin
from offcampus_rules.ruleset import build
from offcampus_rules.testing import RuleCase

_BY_WORD = {"raised": "R-RAISE", "returned": "R-TYPE", "took": "R-SLOW"}
_ZH = {"R-RAISE": "抛出异常或进程中断", "R-TYPE": "返回值类型不符", "R-SLOW": "超时"}


def failures(plugin: Plugin, above: Sequence[Plugin], cases: Sequence[RuleCase]) -> Iterator[FileProblem]:
    """Put every case before the rules, then before the same in another process and the opposite order of plugins."""
    if plugin.code is None:
        return
    twin = replace(plugin, code=HookCode(plugin.info.distribution, plugin.code.source))
    one, other = build([*above, plugin]), build([twin, *reversed(above)])
    seen: set[tuple[str, str]] = set()
    for case in cases:
        try:
            answers = [ask(ruleset, case.question, case.facts) for ruleset in (one, other, one)]
        except FactsError:
            continue  # the case itself is reported by its run
        if answers[0] != answers[1] or answers[0] != answers[2]:
            text = f"{case.name}: the same facts were answered differently"
            yield FileProblem(case.file, case.position, "R-PURE", text, f"{case.name}：相同事实得到不同结果")
        for alarm in getattr(answers[0], "alarms", ()):
            known = (alarm.hook, alarm.problem) in seen or "quarantine" in alarm.problem
            if alarm.plugin == plugin.info.distribution and not known:
                seen.add((alarm.hook, alarm.problem))
                code = _BY_WORD.get(alarm.problem.split()[0], "R-RAISE")
                file, position = code_reading.defined(plugin.root, alarm.hook)
                en = f"{alarm.hook} {alarm.problem} in the case {case.name!r}"
                yield FileProblem(file, position, code, en, f"{alarm.hook} 在用例“{case.name}”中{_ZH[code]}")


def refused(root: Path, error: HookRefused) -> FileProblem:
    """Hooks that cannot be loaded: where loading failed, else at the function the message names."""
    file, position = code_reading.defined(root, str(error))
    text = str(error)
    return FileProblem(
        file, position if error.line is None else Position(error.line, 1), "R-HOOK", text, f"钩子不可用：{text}"
    )
