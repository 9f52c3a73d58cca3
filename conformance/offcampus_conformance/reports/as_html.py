"""One HTML file for people: readable offline, printable, Chinese and English, no script and no outside resource."""

from __future__ import annotations

import json
from importlib import resources

from jinja2 import Environment

from offcampus_conformance.reports.as_text import conclusion
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import GREEN


def html_page(report: Report) -> str:
    """The report as one self-contained page; what is not green comes first."""
    source = resources.files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
    ordered = sorted(report.results, key=lambda result: result.verdict in GREEN)
    return template.render(
        report=report,
        results=ordered,
        conclusion=conclusion(report),
        clauses=clauses,
        reproduce=reproduce,
        pretty=_pretty,
    )


def _pretty(body: str | None) -> str:
    if not body:
        return ""
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = body
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 4000 else text[:4000] + "\n…"
