"""What was said on the wire: exchanges, and the record of a run that checks are judged over.

Invariants:
- an exchange is redacted when it is recorded, so evidence, reports and verdicts all rest on the same bytes;
- a check sees the record through a `View`, which remembers what the check looked at: a pass that looked at
  nothing is not a pass;
- a label names one step of a scenario and is used once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from offcampus_conformance.redaction import redact_body, redact_headers


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `status` is None when no answer came; `trouble` then says why."""

    label: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str | None
    status: int | None
    response_headers: Mapping[str, str]
    response_body: str | None
    started_at: str
    elapsed_ms: float
    operation_id: str | None = None
    trouble: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the observer knew beside the bytes (e.g. that a signature verified); never secrets."""

    def json(self) -> Any:
        """The answer's body as JSON, or None when it is not JSON."""
        return _loads(self.response_body)

    def sent(self) -> Any:
        """The request's body as JSON, or None when it is not JSON."""
        return _loads(self.request_body)

    def header(self, name: str) -> str | None:
        """An answer's header, by name in any case."""
        return _header(self.response_headers, name)

    def sent_header(self, name: str) -> str | None:
        """A request's header, by name in any case."""
        return _header(self.request_headers, name)

    def redacted(self) -> Exchange:
        """The same exchange without secrets and personal data."""
        return Exchange(
            self.label, self.method, self.url, redact_headers(self.request_headers), redact_body(self.request_body),
            self.status, redact_headers(self.response_headers), redact_body(self.response_body), self.started_at,
            self.elapsed_ms, self.operation_id, self.trouble, self.facts,
        )  # fmt: skip


class Record:
    """The exchanges of a run, in order, and the reasons why steps were left out."""

    def __init__(self, exchanges: Iterable[Exchange] = (), omissions: Mapping[str, str] | None = None) -> None:
        self._exchanges: list[Exchange] = []
        self._by_label: dict[str, Exchange] = {}
        self.omissions: dict[str, str] = dict(omissions or {})
        for exchange in exchanges:
            self.add(exchange)

    def add(self, exchange: Exchange) -> Exchange:
        """Redact and keep one exchange. Raises ValueError when its label was used before."""
        if exchange.label in self._by_label:
            raise ValueError(f"the step {exchange.label!r} was recorded twice; labels are used once")
        kept = exchange.redacted()
        self._exchanges.append(kept)
        self._by_label[kept.label] = kept
        return kept

    def omit(self, label: str, why: str) -> None:
        """Say why a step was not carried out: checks that need it are blocked with this reason."""
        self.omissions.setdefault(label, why)

    def find(self, label: str) -> Exchange | None:
        """The exchange of this step, if it was carried out."""
        return self._by_label.get(label)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)


class StepMissing(Exception):
    """A check needs a step that was not carried out: it is blocked, never failed."""

    def __init__(self, label: str, why: str) -> None:
        super().__init__(f"the step {label!r} was not carried out: {why}")
        self.label, self.why = label, why


class View:
    """A record as one check sees it; remembers the exchanges that the check looked at."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.met: dict[str, Exchange] = {}

    def step(self, label: str) -> Exchange:
        """The exchange of a step. Raises StepMissing when it was not carried out or got no answer."""
        exchange = self._record.find(label)
        if exchange is None:
            raise StepMissing(label, self._record.omissions.get(label, "an earlier step that it builds on failed"))
        self.met[label] = exchange
        return exchange

    def steps(self, prefix: str) -> list[Exchange]:
        """All exchanges whose label starts with `prefix`, in order; may be empty."""
        found = [exchange for exchange in self._record if exchange.label.startswith(prefix)]
        self.met.update({exchange.label: exchange for exchange in found})
        return found

    def of_operation(self, operation_id: str) -> list[Exchange]:
        """All exchanges of one operation, in order; may be empty."""
        found = [exchange for exchange in self._record if exchange.operation_id == operation_id]
        self.met.update({exchange.label: exchange for exchange in found})
        return found


def _loads(body: str | None) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)
