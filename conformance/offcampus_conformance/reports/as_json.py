"""The report for machines (schema `conformance-report`): header, one result a check, footer.

`report.ndjson` is the same, a line each, written while the run goes on: whoever finds no footer has no report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from offcampus_spec import SPEC_VERSION

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.evidence import digest, labels
from offcampus_conformance.evidence import evidence as evidence
from offcampus_conformance.evidence import read_evidence as read_evidence
from offcampus_conformance.reports.finding_text import finding
from offcampus_conformance.run import Plan, Report
from offcampus_conformance.sets import frozen_set, suite_digest
from offcampus_conformance.verdict import JUDGED, Result

VALID_FOR = timedelta(days=365)


def report_json(report: Report) -> dict[str, Any]:
    """The whole report."""
    results = [result_json(result, report.plan.seed) for result in report.results]
    return {"header": header(report.plan), "results": results, "footer": footer(report, results)}


def header(plan: Plan) -> dict[str, Any]:
    """What is tested, with what, by which plan: known before anything is sent."""
    frozen, checks = frozen_set(), list(plan.checks)
    return {
        "report_version": 1,
        "run_id": plan.run_id,
        "mode": plan.mode,
        "profile": plan.profile,
        "set": {"id": frozen.standard, "digest": frozen.digest},
        "target": plan.target or "unnamed",
        "product": dict(vars(plan.product)),
        "claims": sorted(plan.claims),
        "plan": {"whole": plan.whole, "checks": checks, "digest": plan_digest(plan.profile, checks, plan.seed)},
        "suite": {"version": SUITE_VERSION, "digest": suite_digest()},
        "spec_version": SPEC_VERSION,
        "seed": plan.seed,
        "nonce": plan.nonce,
        "started_at": plan.started_at,
    }


def plan_digest(profile: str, checks: Iterable[str], seed: int) -> str:
    """What binds a plan: profile, checks, seed."""
    return digest([profile, list(checks), seed])


def result_json(result: Result, seed: int) -> dict[str, Any]:
    """One verdict with all that it rests on."""
    check = result.check
    return {
        "check": check.id,
        "title": {"zh": check.title_zh or check.title, "en": check.title},
        "level": check.level,
        "lifecycle": check.lifecycle,
        "verdict": result.verdict.value,
        "evidence": result.evidence,
        "requirements": list(check.requirements),
        "exchanges": labels(result.met),
        "controls": [list(pair) for pair in result.controls],
        "note": result.note[:2000] or None,
        "finding": finding(result, seed),
    }


def footer(report: Report, results: list[dict[str, Any]]) -> dict[str, Any]:
    """What the run came to; its presence says that the run came to its end."""
    log = evidence_of(report)["log"]
    until = datetime.fromisoformat(report.finished_at) + VALID_FOR
    return {
        "finished_at": report.finished_at,
        "judged": sum(result.verdict in JUDGED for result in report.results),
        "summary": dict(sorted(Counter(result.verdict.value for result in report.results).items())),
        "complete": report.complete,
        "conformant": report.conformant,
        "exit_code": int(report.exit),
        "suite_faults": [fault[:2000] for fault in report.suite_faults],
        "excused": sorted(report.excused),
        "stale": sorted(report.stale),
        "evidence": {"count": len(log["entries"]), "chain": log["_chain"]},
        "results_digest": digest(results),
        "not_after_at": until.isoformat(timespec="seconds"),
    }


def evidence_of(report: Report) -> dict[str, Any]:
    """The evidence file that belongs to a report."""
    return evidence(
        report.record, profile=report.profile, target=report.target, claims=report.claims, run_id=report.plan.run_id,
        seed=report.plan.seed,
    )  # fmt: skip


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """A report as the lines of a stream."""
    yield line({"header": document["header"]})
    for result in document["results"]:
        yield line({"result": result})
    yield line({"footer": document["footer"]})


def line(entry: Mapping[str, Any]) -> str:
    """One line of a stream."""
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")) + "\n"


def read_lines(text: str) -> dict[str, Any]:
    """A report from its stream.

    Raises ValueError when it is empty, begins without header, ends without footer, or goes on after it.
    """
    entries = [json.loads(row) for row in text.splitlines() if row.strip()]
    if not entries or set(entries[0]) != {"header"}:
        raise ValueError("the report does not begin with its header")
    if set(entries[-1]) != {"footer"}:
        raise ValueError("the report has no footer: the run was cut off, and says nothing")
    if any(set(entry) != {"result"} for entry in entries[1:-1]):
        raise ValueError("the report has something else between header and footer than results")
    return {
        "header": entries[0]["header"],
        "results": [entry["result"] for entry in entries[1:-1]],
        "footer": entries[-1]["footer"],
    }
