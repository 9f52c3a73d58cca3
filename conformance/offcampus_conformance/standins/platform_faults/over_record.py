"""A fault over the record of a sound run: what the suite would have seen, had the platform been faulty.

Judges are pure functions of a record, so a fault costs no traffic. What a fault answers is not what a later request of
the suite would have asked for; that is what the live proxy (`faulty_platform`) is for.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from offcampus_conformance.played_platform.contract import match
from offcampus_conformance.record import Exchange, Record
from offcampus_conformance.standins.platform_faults.fault import Answer, Fault, Memory, Seen


class Sound:
    """The record of a run against a sound platform, ready to be made faulty in many ways."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self._seen = [(exchange, seen_in(exchange)) for exchange in record if exchange.status is not None]

    def under(self, fault: Fault) -> tuple[Record, frozenset[str]]:
        """The record as a platform with this fault would have made it, and the labels where the fault was active."""
        memory: Memory = {}
        changed: dict[str, Exchange] = {}
        for exchange, seen in self._seen:
            answer = fault.alter(seen, memory)
            if answer is not None:
                changed[exchange.label] = answered_by(exchange, answer)
        return self.record.but(changed), frozenset(changed)


def answered_by(exchange: Exchange, answer: Answer) -> Exchange:
    """The same exchange with another answer."""
    return dataclasses.replace(
        exchange, status=answer.status, response_headers=dict(answer.headers), response_body=answer.body
    )


def seen_in(exchange: Exchange) -> Seen:
    """An exchange as a fault sees it."""
    parts = urlsplit(exchange.url)
    answer = Answer(
        int(exchange.status or 0), {name.lower(): value for name, value in exchange.response_headers.items()},
        exchange.response_body or "",
    )  # fmt: skip
    raw = (exchange.request_body or "").encode("utf-8", "surrogatepass")
    at = datetime.fromisoformat(exchange.started_at).timestamp()
    return seen_on_the_wire(exchange.method, parts.path, parts.query, exchange.request_headers, raw, answer, at)


def seen_on_the_wire(
    method: str, path: str, query: str, headers: Mapping[str, str], raw: bytes, answer: Answer, at: float | None = None
) -> Seen:
    """A request and its answer as a fault sees them."""
    matched = match(method, path)
    return Seen(
        operation=matched.operation if matched is not None else None,
        method=method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in headers.items()},
        raw=raw,
        answer=answer,
        at=time.time() if at is None else at,
        values=matched.path if matched is not None else {},
    )
