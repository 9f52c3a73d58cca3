"""What the terminal shows: one line a check, and for each that is not green all that is needed to mend it."""

from __future__ import annotations

from collections.abc import Iterator

from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import GREEN, Result

MARKS = {
    Verdict.PASS: "pass ", Verdict.FAIL: "FAIL ", Verdict.WARN: "warn ", Verdict.SKIP: "skip ",
    Verdict.BLOCKED: "block", Verdict.NOT_EXERCISED: "empty", Verdict.ERROR: "ERROR", Verdict.UNTESTABLE: "no way",
}  # fmt: skip


def report_text(report: Report) -> str:
    """The whole report as text, the conclusion last, where a terminal leaves the eye."""
    return "\n".join([*_lines(report), "", conclusion(report)])


def conclusion(report: Report) -> str:
    """One sentence: conforms or not, to which profile of which version."""
    passed = sum(result.verdict is Verdict.PASS for result in report.results)
    failed = [result.check.id for result in report.results if result.verdict not in GREEN | {Verdict.WARN}]
    verb = "conforms" if report.exit == 0 else "does NOT conform"
    tail = f"; look at {', '.join(failed[:8])}" if failed else ""
    return (
        f"{report.target} {verb} to profile {report.profile} of the draft standard {report.spec_version}: "
        f"{passed} of {len(report.results)} checks passed{tail}"
    )


def _lines(report: Report) -> Iterator[str]:
    for result in report.results:
        yield f"{MARKS[result.verdict]} {result.check.id:<14} {result.check.level:<6} {result.check.title}"
    for result in report.results:
        if result.verdict not in GREEN:
            yield from _detail(result)


def _detail(result: Result) -> Iterator[str]:
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
    for exchange in result.met[-2:]:
        yield f"  exchange     {exchange.label}: {exchange.method} {exchange.url} -> {exchange.status}"
    if result.verdict in (Verdict.FAIL, Verdict.WARN):
        for command in reproduce(result):
            yield f"  reproduce    {command}"
        yield f"  mend         {result.check.remedy_en}"
        yield f"  整改         {result.check.remedy_zh}"
