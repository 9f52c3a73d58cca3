"""The report folder: the stream while the run goes on, everything else when it has ended.

report.ndjson  header, results, footer, a line each, as they become final
report.json    the same as one document    report.jws  its signature, when there is a key
evidence.har   all recorded traffic        report.html for people    junit.xml for CI    badge.svg for a page
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from offcampus_conformance import signing
from offcampus_conformance.reports.as_badge import badge_svg
from offcampus_conformance.reports.as_html import html_page
from offcampus_conformance.reports.as_json import evidence_of, footer, header, line, report_json, result_json
from offcampus_conformance.reports.as_junit import junit_xml
from offcampus_conformance.run import Plan, Report, Watcher
from offcampus_conformance.signature import Key
from offcampus_conformance.verdict import Result


class Stream(Watcher):
    """Writes `report.ndjson` line by line, so that a run that is cut off leaves what it had, and no footer."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "report.ndjson"
        self._out: TextIO | None = None
        self._seed = 1

    def begun(self, plan: Plan) -> None:
        """The header."""
        self._seed = plan.seed
        self._out = self._path.open("w", encoding="utf-8")
        self._write(line({"header": header(plan)}))

    def told(self, result: Result) -> None:
        """One result."""
        self._write(line({"result": result_json(result, self._seed)}))

    def ended(self, report: Report) -> None:
        """The footer: without it the stream says nothing."""
        results = [result_json(result, self._seed) for result in report.results]
        self._write(line({"footer": footer(report, results)}))
        self.close()

    def close(self) -> None:
        """Close the file, with or without its footer."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _write(self, text: str) -> None:
        if self._out is not None:
            self._out.write(text)
            self._out.flush()


def write(report: Report, folder: Path, key: Key | None = None) -> None:
    """Write every form of a report; sign it when there is a key and something to sign.

    A run that judged nothing, or in which the suite itself erred, is never signed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    payload = document(report_json(report))
    (folder / "report.json").write_bytes(payload)
    (folder / "evidence.har").write_bytes(document(evidence_of(report)))
    signature = folder / "report.jws"
    if key is not None and signable(report):
        signature.write_text(signing.sign_detached(payload, key) + "\n", encoding="ascii")
    else:
        signature.unlink(missing_ok=True)  # an older run's signature beside this report would only mislead
    for name, text in (
        ("junit.xml", junit_xml(report)), ("report.html", html_page(report)), ("badge.svg", badge_svg(report)),
    ):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def signable(report: Report) -> bool:
    """There is a verdict on the target to sign."""
    return not report.suite_faults and report.exit in (0, 1, 5)


def document(value: object) -> bytes:
    """JSON for people and machines; what a target sent may hold what UTF-8 cannot, and stays an escape."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")
