"""JUnit XML, so that a vendor's CI shows each check as a test."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from offcampus_conformance.finding import Verdict
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import Result

_FAILURES = frozenset({Verdict.FAIL, Verdict.NOT_EXERCISED})


def junit_xml(report: Report) -> str:
    """The report as one test suite; a warning is a passed test with its text in `system-out`."""
    suite = ET.Element("testsuite", name=f"offcampus {report.profile}", tests=str(len(report.results)))
    suite.set("failures", str(sum(result.verdict in _FAILURES for result in report.results)))
    suite.set("errors", str(sum(result.verdict is Verdict.ERROR for result in report.results)))
    suite.set("skipped", str(sum(result.verdict in (Verdict.SKIP, Verdict.BLOCKED) for result in report.results)))
    for result in report.results:
        case = ET.SubElement(suite, "testcase", classname=f"{report.profile}.{result.check.level}")
        case.set("name", f"{result.check.id} {result.check.title}")
        _outcome(case, result)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _outcome(case: ET.Element, result: Result) -> None:
    if result.verdict in _FAILURES:
        node = ET.SubElement(case, "failure", message=str(result.deviation or result.note))
        node.text = _text(result)
    elif result.verdict is Verdict.ERROR:
        ET.SubElement(case, "error", message=f"the suite's own fault: {result.note}")
    elif result.verdict in (Verdict.SKIP, Verdict.BLOCKED):
        ET.SubElement(case, "skipped", message=f"{result.verdict.value}: {result.note}")
    elif result.verdict is Verdict.WARN:
        ET.SubElement(case, "system-out").text = "warning\n" + _text(result)


def _text(result: Result) -> str:
    lines = [f"{clause.id} (article {clause.article}): {clause.text_en}" for clause in clauses(result)]
    if result.deviation is not None:
        lines += [f"expected: {result.deviation.expected}", f"got: {result.deviation.got}"]
    lines += [f"reproduce: {command}" for command in reproduce(result)]
    return "\n".join([*lines, f"mend: {result.check.remedy_en}", f"整改: {result.check.remedy_zh}"])
