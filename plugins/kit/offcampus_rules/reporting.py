"""A check's report for people and for machines: text, JSON, JUnit (a test a file) and SARIF 2.1.0 (code scanning).

Every form carries the same findings: code, file, line, column, both languages, and what to write instead.
"""

from __future__ import annotations

import json
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from offcampus_rules.checking import Report
from offcampus_rules.codes import CODES
from offcampus_rules.errors import FileProblem

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def text(report: Report, root: Path, base: Path) -> str:
    """One line a finding, what to write instead below it; then the measures and the sum. Files relative to `base`."""
    return "\n".join(_lines(report, root, base))


def _lines(report: Report, root: Path, base: Path) -> Iterator[str]:
    for problem in report.problems:
        mark = "warning: " if problem.severity == "warning" else ""
        yield f"{mark}{replace(problem, file=Path(_relative(problem.file, base)))}"
        if problem.hint:
            yield textwrap.indent(problem.hint, "    ")
    if report.coverage is not None:
        yield f"coverage: {report.coverage.percent:.1f} % ({report.coverage.covered} of {report.coverage.edges} edges)"
    if report.mutation is not None:
        found = report.mutation
        yield (
            f"mutation: {found.percent:.1f} % ({found.killed} killed by cases, {found.refused} refused by the check, "
            f"{len(found.survivors)} survived, of {found.total})"
        )
        for reason, count in sorted(found.excluded.items()):
            yield f"  not mutated: {count} ({reason})"
    looked_at = f"{report.parameters} parameters, {report.rules} rules, {report.cases} cases"
    yield f"{root}: {looked_at}: {_sum(report)}"


def _sum(report: Report) -> str:
    errors, warnings = len(report.errors), len(report.problems) - len(report.errors)
    if not report.problems:
        return "nothing to report"
    return f"{errors} errors, {warnings} warnings"


def to_json(report: Report, base: Path) -> dict[str, Any]:
    """The report as one object; files relative to `base`."""
    document: dict[str, Any] = {
        "passed": report.passed,
        "parameters": report.parameters,
        "rules": report.rules,
        "cases": report.cases,
        "unchecked": report.unchecked,
        "problems": [_problem(problem, base) for problem in report.problems],
    }
    if report.coverage is not None:
        document["coverage"] = {
            "percent": round(report.coverage.percent, 1),
            "edges": report.coverage.edges,
            "covered": report.coverage.covered,
        }
    if report.mutation is not None:
        found = report.mutation
        document["mutation"] = {
            "percent": round(found.percent, 1),
            "mutants": found.total,
            "killed": found.killed,
            "refused": found.refused,
            "survived": len(found.survivors),
            "excluded": dict(found.excluded),
        }
    return document


def _problem(problem: FileProblem, base: Path) -> dict[str, Any]:
    document = {
        "code": problem.code,
        "severity": problem.severity,
        "file": _relative(problem.file, base),
        "line": problem.position.line,
        "column": problem.position.column,
        "message": {"zh": problem.message_zh, "en": problem.message_en},
    }
    return document | ({"hint": problem.hint} if problem.hint else {})


def junit(report: Report, base: Path) -> str:
    """One test case a file with findings, failed by its errors; one that passes when there are none."""
    by_file: dict[str, list[FileProblem]] = defaultdict(list)
    for problem in report.errors:
        by_file[_relative(problem.file, base)].append(problem)
    suite = Xml.Element(
        "testsuite", name="offcampus-rules check", tests=str(max(len(by_file), 1)), failures=str(len(by_file))
    )
    for file, problems in sorted(by_file.items()):
        case = Xml.SubElement(suite, "testcase", classname="offcampus-rules", name=file, file=file)
        failure = Xml.SubElement(case, "failure", type=problems[0].code, message=problems[0].message_en)
        failure.text = "\n".join(str(problem) for problem in problems)
    if not by_file:
        Xml.SubElement(suite, "testcase", classname="offcampus-rules", name="check")
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def sarif(report: Report, base: Path) -> str:
    """A SARIF log: one rule a code, one result a finding."""
    names = list(CODES)
    rules = [
        {
            "id": code.name,
            "shortDescription": {"text": f"{code.en} / {code.zh}"},
            "help": {"text": code.page},
            "defaultConfiguration": {"level": "warning" if code.warning else "error"},
        }
        for code in CODES.values()
    ]
    results = [
        {
            "ruleId": problem.code,
            "ruleIndex": names.index(problem.code),
            "level": problem.severity,
            "message": {"text": f"{problem.message_en} / {problem.message_zh}"},
            "locations": [_location(problem, base)],
        }
        for problem in report.problems
    ]
    driver = {"name": "offcampus-rules", "rules": rules}
    log = {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _location(problem: FileProblem, base: Path) -> dict[str, Any]:
    region = {"startLine": problem.position.line, "startColumn": problem.position.column}
    return {
        "physicalLocation": {"artifactLocation": {"uri": _relative(problem.file, base)}, "region": region},
    }


def _relative(file: Path, base: Path) -> str:
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else file.as_posix()
