"""`report.json` and `evidence.har`: what a machine reads, and what `judge` reads back."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.reports.finding_text import clauses, reproduce
from offcampus_conformance.run import Report
from offcampus_conformance.verdict import Result


def report_json(report: Report) -> dict[str, Any]:
    """The report as JSON (schema `conformance-report` of the standard)."""
    counts: dict[str, int] = {}
    for result in report.results:
        counts[result.verdict.value] = counts.get(result.verdict.value, 0) + 1
    return {
        "profile": report.profile,
        "target": report.target,
        "claims": sorted(report.claims),
        "suite_version": report.suite_version,
        "spec_version": report.spec_version,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "conformant": report.exit == 0,
        "exit_code": int(report.exit),
        "summary": dict(sorted(counts.items())),
        "evidence_digest": evidence_digest(report.record),
        "results": [_result(result) for result in report.results],
    }


def _result(result: Result) -> dict[str, Any]:
    check, found = result.check, result.deviation
    entry: dict[str, Any] = {
        "id": check.id,
        "title": check.title,
        "level": check.level,
        "verdict": result.verdict.value,
        "requirements": [{"id": c.id, "article": c.article, "text_en": c.text_en} for c in clauses(result)],
        "exchanges": [exchange.label for exchange in result.met],
    }
    if result.note:
        entry["note"] = result.note
    if found is not None:
        entry["finding"] = {
            "expected": found.expected,
            "got": found.got,
            "where": found.where,
            "reproduce": reproduce(result),
            "remedy_en": check.remedy_en,
            "remedy_zh": check.remedy_zh,
        }
    return entry


def evidence_digest(record: Record) -> str:
    """SHA-256 over the evidence as it is written."""
    return "sha-256:" + hashlib.sha256(json.dumps(evidence(record), sort_keys=True).encode()).hexdigest()


def evidence(record: Record, *, profile: str = "", target: str = "", claims: frozenset[str] = frozenset()) -> Any:
    """The exchanges as HAR 1.2; what HAR has no place for stands in members that start with an underscore."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "offcampus-conformance", "version": "0.1.0"},
            "_profile": profile,
            "_target": target,
            "_claims": sorted(claims),
            "_omissions": record.omissions,
            "entries": [_entry(exchange) for exchange in record],
        }
    }


def read_evidence(document: Any) -> tuple[str, str, frozenset[str], Record]:
    """Profile, target, claims and record of stored evidence. Raises ValueError when it is not such a file."""
    try:
        log = document["log"]
        record = Record((_exchange(entry) for entry in log["entries"]), log["_omissions"])
        return log["_profile"], log["_target"], frozenset(log["_claims"]), record
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an evidence file of this suite: {error!r} is missing") from None


def _entry(exchange: Exchange) -> dict[str, Any]:
    return {
        "startedDateTime": exchange.started_at,
        "time": exchange.elapsed_ms,
        "_label": exchange.label,
        "_operation": exchange.operation_id,
        "_trouble": exchange.trouble,
        "_facts": dict(exchange.facts),
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": _pairs(exchange.request_headers),
            "postData": {"text": exchange.request_body},
        },
        "response": {
            "status": exchange.status,
            "headers": _pairs(exchange.response_headers),
            "content": {"text": exchange.response_body},
        },
    }


def _exchange(entry: Any) -> Exchange:
    request, response = entry["request"], entry["response"]
    return Exchange(
        label=entry["_label"],
        method=request["method"],
        url=request["url"],
        request_headers={pair["name"]: pair["value"] for pair in request["headers"]},
        request_body=request["postData"]["text"],
        status=response["status"],
        response_headers={pair["name"]: pair["value"] for pair in response["headers"]},
        response_body=response["content"]["text"],
        started_at=entry["startedDateTime"],
        elapsed_ms=entry["time"],
        operation_id=entry["_operation"],
        trouble=entry["_trouble"],
        facts=entry["_facts"],
    )


def _pairs(headers: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
