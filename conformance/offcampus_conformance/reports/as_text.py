"""What the terminal shows: one line a check, and for each that is not green all that is needed to mend it."""

from __future__ import annotations

from collections.abc import Iterator

from offcampus_spec import SPEC_VERSION

from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import GREEN, Exit, Result

MARKS = {
    Verdict.PASS: "pass ", Verdict.FAIL: "FAIL ", Verdict.WARN: "warn ", Verdict.SKIP: "skip ",
    Verdict.BLOCKED: "block", Verdict.NOT_EXERCISED: "empty", Verdict.UNTESTABLE: "untst", Verdict.ERROR: "ERROR",
}  # fmt: skip
VERDICTS_ZH = {
    Verdict.PASS: "通过", Verdict.FAIL: "未通过", Verdict.WARN: "警告", Verdict.SKIP: "未声明，跳过",
    Verdict.BLOCKED: "受阻", Verdict.NOT_EXERCISED: "未触及", Verdict.UNTESTABLE: "不可测", Verdict.ERROR: "套件错误",
}  # fmt: skip
WHY = {
    Exit.NOTHING_JUDGED: ("nothing was judged", "未判定任何检查项"),
    Exit.SUITE_ERROR: ("the suite itself erred", "测试套件自身出错"),
    Exit.UNREACHABLE: ("the target gave no answer", "被测系统无应答"),
}


def report_text(report: Report) -> str:
    """The whole report as text, the conclusion last, where a terminal leaves the eye."""
    return "\n".join([*_lines(report), "", conclusion(report)])


def conclusion(report: Report) -> str:
    """One sentence: conforms or not, to which profile of which version."""
    passed = sum(result.verdict is Verdict.PASS for result in report.results)
    failed = [result.check.id for result in roots_first(report.results) if result.verdict not in GREEN | {Verdict.WARN}]
    why = WHY.get(report.verdict, ("", ""))[0]
    partly = "" if report.plan.whole and report.complete else " (a part of the profile only: certifies nothing)"
    verb = "conforms" if report.verdict is Exit.CONFORMANT else "does NOT conform"
    tail = f"; {why}" if why else ""
    tail += f"; look at {', '.join(failed[:8])}" if failed else ""
    tail += f"; {len(report.excused)} known to the baseline" if report.excused else ""
    tail += f"; take {', '.join(report.stale)} out of the baseline" if report.stale else ""
    return (
        f"{report.target} {verb} to profile {report.profile} of the draft standard {SPEC_VERSION}{partly}: "
        f"{passed} of {len(report.results)} checks passed{tail}"
    )


def conclusion_zh(report: Report) -> str:
    """The same in Chinese."""
    passed = sum(result.verdict is Verdict.PASS for result in report.results)
    verb = "符合" if report.verdict is Exit.CONFORMANT else "不符合"
    why = WHY.get(report.verdict, ("", ""))[1]
    partly = "" if report.plan.whole and report.complete else "（仅测试部分项目，不作认证）"
    tail = f"；{why}" if why else ""
    text = f"{report.target} {verb}标准草案 {SPEC_VERSION} 的 {report.profile} 类别{partly}："
    return f"{text}{len(report.results)} 项中通过 {passed} 项{tail}"


def roots_first(results: tuple[Result, ...]) -> list[Result]:
    """The suite's errors, then failures, then what never came about, then what is blocked, warnings, and the green."""
    order = (Verdict.ERROR, Verdict.FAIL, Verdict.NOT_EXERCISED, Verdict.UNTESTABLE, Verdict.BLOCKED, Verdict.WARN)
    return sorted(results, key=lambda r: order.index(r.verdict) if r.verdict in order else len(order))


def one_line(result: Result) -> str:
    """A check and its verdict."""
    return f"{MARKS[result.verdict]} {result.check.id:<14} {result.check.level:<6} {result.check.title}"


def _lines(report: Report) -> Iterator[str]:
    yield from (one_line(result) for result in report.results)
    for result in roots_first(report.results):
        if result.verdict not in GREEN:
            yield from _detail(result, report.plan.seed)
    for fault in report.suite_faults:
        yield f"the suite's own fault: {fault}"


def _detail(result: Result, seed: int) -> Iterator[str]:
    yield ""
    yield f"{MARKS[result.verdict].strip()} {result.check.id}  {result.check.title}"
    for clause in clauses(result):
        yield f"  requirement  {clause.id} (article {clause.article}): {clause.text_en}"
    if result.deviation is not None:
        yield f"  expected     {result.deviation.expected}"
        yield f"  got          {result.deviation.got}"
        if result.deviation.where:
            yield f"  where        {result.deviation.where}"
    if result.note:
        yield f"  because      {result.note}"
    if result.roots:
        yield f"  root cause   {', '.join(result.roots)}"
    for exchange in result.met[-2:]:
        yield f"  exchange     {exchange.label}: {exchange.method} {exchange.url} -> {exchange.status}"
    if result.verdict in (Verdict.FAIL, Verdict.WARN):
        for command in reproduce(result, seed):
            yield f"  reproduce    {command}"
        yield f"  mend         {result.check.remedy_en}"
        yield f"  整改         {result.check.remedy_zh}"
