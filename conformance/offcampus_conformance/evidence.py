"""The evidence of a run as HAR 1.2, each exchange chained to the one before: nothing can be edited, taken out, moved
or spliced in from another run without breaking the chain, whose last link stands in the signed report.

What HAR has no place for stands in members that start with an underscore.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from offcampus_conformance import SUITE_VERSION
from offcampus_conformance.record import Exchange, Record


@dataclass(frozen=True)
class Stored:
    """A run as its evidence tells it."""

    run_id: str
    profile: str
    target: str
    claims: frozenset[str]
    seed: int
    record: Record
    chain: str
    """The last link as it is written; `chained` computes what it must be."""


def evidence(
    record: Record, *, profile: str = "", target: str = "", claims: frozenset[str] = frozenset(), run_id: str = "",
    seed: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """The exchanges of a run with their chain."""
    run = {"run_id": run_id, "profile": profile, "target": target, "claims": sorted(claims), "seed": seed}
    entries, link = [], genesis(run, record.omissions)
    for exchange in record:
        entry = _entry(exchange)
        link = chain(link, entry)
        entries.append({**entry, "_chain": link})
    creator = {"name": "offcampus-conformance", "version": SUITE_VERSION}
    return {
        "log": {
            "version": "1.2", "creator": creator, "_run": run, "_omissions": record.omissions, "entries": entries,
            "_chain": link,
        }
    }  # fmt: skip


def stored(document: Any) -> Stored:
    """A run read back. Raises ValueError when the document is no evidence of this suite, or says a label twice."""
    try:
        log = document["log"]
        run = log["_run"]
        record = Record((_exchange(entry) for entry in log["entries"]), log["_omissions"])
        claims = frozenset(run["claims"])
        return Stored(run["run_id"], run["profile"], run["target"], claims, run["seed"], record, log["_chain"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an evidence file of this suite: {error!r} is missing") from None


def read_evidence(document: Any) -> tuple[str, str, frozenset[str], Record]:
    """Profile, target, claims and record of stored evidence. Raises ValueError when it is not such a file."""
    run = stored(document)
    return run.profile, run.target, run.claims, run.record


def broken_links(document: Any) -> list[str]:
    """The labels of the exchanges at which the chain does not hold; `end` for its last link."""
    log = document["log"]
    link, broken = genesis(log["_run"], log["_omissions"]), []
    for entry in log["entries"]:
        link = chain(link, {name: value for name, value in entry.items() if name != "_chain"})
        if entry.get("_chain") != link:
            broken.append(str(entry.get("_label")))
            link = str(entry.get("_chain"))
    return broken if link == log["_chain"] else [*broken, "end"]


def genesis(run: Mapping[str, Any], omissions: Mapping[str, str]) -> str:
    """The chain begins with what the run is, so that no exchange of another run fits."""
    return digest({"run": dict(run), "omissions": dict(omissions)})


def chain(link: str, entry: Mapping[str, Any]) -> str:
    """The link of an exchange after another."""
    return digest([link, entry])


def digest(value: Any) -> str:
    """SHA-256 over JSON with sorted members and no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha-256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def _entry(exchange: Exchange) -> dict[str, Any]:
    return {
        "startedDateTime": exchange.started_at,
        "time": exchange.elapsed_ms,
        "_label": exchange.label,
        "_operation": exchange.operation_id,
        "_trouble": exchange.trouble,
        "_facts": dict(exchange.facts),
        "_actor": exchange.actor,
        "_evidence": exchange.evidence,
        "_breaks_contract": list(exchange.breaks_contract),
        "_answer_breaks": list(exchange.answer_breaks),
        "_wrong": exchange.wrong,
        "_seals": dict(exchange.seals),
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
        actor=entry["_actor"],
        evidence=entry["_evidence"],
        breaks_contract=tuple(entry["_breaks_contract"]),
        answer_breaks=tuple(entry["_answer_breaks"]),
        wrong=entry["_wrong"],
        seals=entry["_seals"],
    )


def _pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def labels(exchanges: Iterable[Exchange]) -> list[str]:
    """The labels of exchanges, in order."""
    return [exchange.label for exchange in exchanges]
