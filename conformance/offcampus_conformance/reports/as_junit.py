"""JUnit XML, so that a vendor's CI shows each check as a test."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import Result

FAILURES = frozenset({Verdict.FAIL, Verdict.NOT_EXERCISED, Verdict.BLOCKED, Verdict.UNTESTABLE})
"""What is not green is a failure in CI too: a skipped test looks like nothing there."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """The report as one test suite; a warning is a passed test with its text in `system-out`."""
    suite = ET.Element("testsuite", name=f"offcampus {report.profile}", tests=str(len(report.results)))
    suite.set("failures", str(sum(_failed(result, report) for result in report.results)))
    suite.set("errors", str(sum(result.verdict is Verdict.ERROR for result in report.results)))
    suite.set("skipped", str(sum(_skipped(result, report) for result in report.results)))
    for result in report.results:
        case = ET.SubElement(suite, "testcase", classname=f"{report.profile}.{result.check.level}")
        case.set("name", f"{result.check.id} {result.check.title}")
        _outcome(case, result, report)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _failed(result: Result, report: Report) -> bool:
    return result.verdict in FAILURES and result.check.id not in report.excused


def _skipped(result: Result, report: Report) -> bool:
    return result.verdict is Verdict.SKIP or (result.verdict in FAILURES and not _failed(result, report))


def _outcome(case: ET.Element, result: Result, report: Report) -> None:
    if _failed(result, report):
        node = ET.SubElement(case, "failure", message=_clean(str(result.deviation or result.note)))
        node.text = _text(result, report.plan.seed)
    elif result.verdict is Verdict.ERROR:
        ET.SubElement(case, "error", message=_clean(f"the suite's own fault: {result.note}"))
    elif _skipped(result, report):
        known = "known to the baseline: " if result.verdict in FAILURES else ""
        ET.SubElement(case, "skipped", message=_clean(known + str(result.deviation or result.note)))
    elif result.verdict is Verdict.WARN:
        ET.SubElement(case, "system-out").text = "warning\n" + _text(result, report.plan.seed)


def _text(result: Result, seed: int) -> str:
    lines = [f"{clause.id} (article {clause.article}): {clause.text_en}" for clause in clauses(result)]
    if result.deviation is not None:
        lines += [f"expected: {result.deviation.expected}", f"got: {result.deviation.got}"]
    lines += [f"reproduce: {command}" for command in reproduce(result, seed)]
    return _clean("\n".join([*lines, f"mend: {result.check.remedy_en}", f"整改: {result.check.remedy_zh}"]))


def _clean(text: str) -> str:
    """What a target sent may hold what XML cannot."""
    return _NO_XML.sub("\ufffd", text)
