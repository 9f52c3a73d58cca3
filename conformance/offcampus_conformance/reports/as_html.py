"""One HTML file for people: readable offline, printable, Chinese or English, no script and no outside resource.

Its first line is the verdict; root causes come first, what they block is folded under them; each finding shows
expected beside got and the accepted control beside the probe; the clauses that are cited stand in the same file.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from offcampus_spec import SPEC_VERSION

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.finding import Verdict
from offcampus_conformance.record import Exchange
from offcampus_conformance.reports.as_text import VERDICTS_ZH, conclusion, conclusion_zh, roots_first
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.sets import frozen_set
from offcampus_conformance.verdict import GREEN, Result

LONGEST = 4000
MOST_SHOWN = 4
LEVELS = {
    "A": ("self-run, unsigned: proves nothing about who ran it", "自测、未签名：不证明由谁运行"),
    "B": (
        "self-run, signed by the vendor over the authority's nonce: proves authorship, not truth",
        "自测，厂商对主管部门随机数签名：证明出具者，不证明真实",
    ),
    "C": ("evidence judged again by the authority", "证据由主管部门复判"),
    "D": ("run by the authority", "由主管部门运行"),
}  # fmt: skip


def html_page(report: Report, level: str = "A") -> str:
    """The report as one self-contained page."""
    ordered = roots_first(report.results)
    bare = {r.check.id for r in ordered if r.verdict not in GREEN and not r.roots}
    red = [r for r in ordered if r.verdict not in GREEN and not bare.intersection(r.roots)]
    looked = {exchange.label for result in report.results for exchange in result.met}
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            level=level,
            level_text=LEVELS[level],
            conclusions=(conclusion_zh(report), conclusion(report)),
            red=red,
            blocked={result.check.id: [r for r in ordered if result.check.id in r.roots] for result in red},
            green=[result for result in ordered if result.verdict in GREEN],
            counts=Counter(result.verdict for result in report.results),
            evidence=Counter(result.evidence for result in report.results if result.verdict is Verdict.PASS),
            cited={clause.id: clause for result in report.results for clause in clauses(result)},
            stray=[exchange for exchange in report.record if exchange.label not in looked],
            frozen=frozen_set(),
            suite_version=SUITE_VERSION,
            spec_version=SPEC_VERSION,
        )
    )


def environment() -> Environment:
    """The templates of this package, with what they share."""
    folder = resources.files(__package__)
    made = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    made.globals |= {
        "clauses": clauses, "reproduce": reproduce, "pretty": pretty, "sides": sides, "zh": VERDICTS_ZH,
    }  # fmt: skip
    return made


def sides(result: Result) -> list[tuple[Exchange | None, Exchange]]:
    """What shows a finding: each probe with its accepted control, if it has one."""
    shown = (result.deviation.exchanges if result.deviation is not None else ()) or result.met
    by_label, bound = {exchange.label: exchange for exchange in result.met}, dict(result.controls)
    return [(by_label.get(bound.get(exchange.label, "")), exchange) for exchange in shown[-MOST_SHOWN:]]


def pretty(body: str | None) -> str:
    """A body for reading: JSON indented, too much left out, nothing that a page cannot hold."""
    if not body:
        return ""
    try:
        parsed: Any = json.loads(body)
        text = json.dumps(parsed, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = body
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n…"
