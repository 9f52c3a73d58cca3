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
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from offcampus_conformance.difference import differences
from offcampus_conformance.redaction import Memory, redact_body, redact_headers, seals

EvidenceClass = Literal["wire", "observed", "by_hand", "attested"]
"""What a verdict rests on: the bytes, the target's own `observe` answer, a step done by hand, somebody's word."""


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
    actor: str | None = None
    """The party that the suite spoke for, when the suite sent the request."""
    evidence: EvidenceClass = "wire"
    breaks_contract: tuple[str, ...] = ()
    """Where the SUITE's own part of the exchange breaks the contract; empty when it is lawful."""
    wrong: str | None = None
    """What is wrong with the suite's own part on purpose; without it a break of the contract is the suite's fault."""
    answer_breaks: tuple[str, ...] = ()
    """Where the TARGET's answer breaks the contract of its operation, by pointer and keyword."""
    seals: Mapping[str, str] = field(default_factory=dict)
    """For each hidden place of the request, a digest that only this run can compare."""

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

    def redacted(self, memory: Memory | None = None) -> Exchange:
        """The same exchange without secrets and personal data, also where a target gives back what it was sent."""
        known = memory or Memory()
        known.learn(self.request_headers, self.request_body)
        known.learn(self.response_headers, self.response_body)
        hidden = seals(self.request_headers, self.request_body)
        return replace(
            self,
            url=known.scrub(self.url),
            request_headers=redact_headers(self.request_headers),
            request_body=redact_body(self.request_body),
            response_headers={name: known.scrub(v) for name, v in redact_headers(self.response_headers).items()},
            response_body=_scrubbed(known, redact_body(self.response_body)),
            trouble=_scrubbed(known, self.trouble),
            seals={**self.seals, **hidden},
        )

    @property
    def accepted(self) -> bool:
        """The answer is a success."""
        return self.status is not None and 200 <= self.status < 300


class Record:
    """The exchanges of a run, in order, and the reasons why steps were left out."""

    def __init__(self, exchanges: Iterable[Exchange] = (), omissions: Mapping[str, str] | None = None) -> None:
        self._exchanges: list[Exchange] = []
        self._by_label: dict[str, Exchange] = {}
        self.omissions: dict[str, str] = dict(omissions or {})
        self.wanted: frozenset[str] | None = None
        """The checks that will be judged, for a scenario that can leave out what serves others; None: all."""
        self._memory = Memory()
        for exchange in exchanges:
            self.add(exchange)

    def add(self, exchange: Exchange) -> Exchange:
        """Redact and keep one exchange. Raises ValueError when its label was used before."""
        if exchange.label in self._by_label:
            raise ValueError(f"the step {exchange.label!r} was recorded twice; labels are used once")
        kept = exchange.redacted(self._memory)
        self._exchanges.append(kept)
        self._by_label[kept.label] = kept
        return kept

    def but(self, changed: Mapping[str, Exchange]) -> Record:
        """The same record with other exchanges under these labels; nothing is redacted once more."""
        other = Record(omissions=self.omissions)
        other.wanted = self.wanted
        other._exchanges = [changed.get(exchange.label, exchange) for exchange in self._exchanges]
        other._by_label = {exchange.label: exchange for exchange in other._exchanges}
        return other

    def omit(self, label: str, why: str) -> None:
        """Say why a step was not carried out: checks that need it are blocked with this reason."""
        self.omissions.setdefault(label, why)

    def why_missing(self, label: str) -> str:
        """Why a step was not carried out."""
        return self.omissions.get(label) or self.omissions.get("*") or "an earlier step that it builds on failed"

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


class ControlRefused(Exception):
    """The lawful twin of a probe was not accepted, so that the refusal of the probe would prove nothing: blocked."""


class NotMet(Exception):
    """A check never met what it judges (an empty list, no frame): not exercised, never passed."""


class Untestable(Exception):
    """What would prove the requirement could not be brought about in this run: never green."""


class View:
    """A record as one check sees it; remembers the exchanges that the check looked at."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.met: dict[str, Exchange] = {}
        self.controls: dict[str, str] = {}
        """Probe -> its accepted control, by label."""
        self.open = False
        """The check looked at all exchanges of a kind: with more traffic it might judge otherwise."""

    def step(self, label: str) -> Exchange:
        """The exchange of a step. Raises StepMissing when it was not carried out."""
        exchange = self._record.find(label)
        if exchange is None:
            raise StepMissing(label, self._record.why_missing(label))
        self.met[label] = exchange
        return exchange

    def probe(self, label: str, *, control: str, differs: Iterable[str], fresh: Iterable[str] = ()) -> Exchange:
        """The exchange of an unlawful step, bound to the accepted lawful one that it differs from in one way.

        Args:
            control: the label of the lawful twin.
            differs: the places where the two MUST differ: a body pointer (`/uscc`), `header:if-match`, `query:limit`,
                `path`, `method`, `actor`, `raw` (bodies that are no JSON). Deeper pointers are covered.
            fresh: places where they MAY differ, because every request needs its own (`/external_id`).

        Raises StepMissing or ControlRefused (the check is blocked), and ValueError when the two requests differ
        elsewhere, or not at all: a fault of the suite.
        """
        lawful, probe = self.step(control), self.step(label)
        if not lawful.accepted:
            raise ControlRefused(
                f"the lawful {control!r} was answered {lawful.status}: a refused {label!r} shows nothing"
            )
        wanted, allowed = tuple(differs), (*fresh, "header:authorization/value")
        found = differences(lawful, probe)
        undeclared = sorted(place for place in found if not any(_covers(name, place) for name in (*wanted, *allowed)))
        missing = [name for name in wanted if not any(_covers(name, place) for place in found)]
        if undeclared or missing:
            raise ValueError(
                f"the probe {label!r} differs from its control {control!r} at {sorted(found)}; declared are {wanted}"
            )
        self.controls[label] = control
        return probe

    def steps(self, prefix: str) -> list[Exchange]:
        """All exchanges whose label starts with `prefix`, in order; may be empty."""
        self.open = True
        found = [exchange for exchange in self._record if exchange.label.startswith(prefix)]
        self.met.update({exchange.label: exchange for exchange in found})
        return found

    def of_operation(self, operation_id: str) -> list[Exchange]:
        """All exchanges of one operation, in order; may be empty."""
        self.open = True
        found = [exchange for exchange in self._record if exchange.operation_id == operation_id]
        self.met.update({exchange.label: exchange for exchange in found})
        return found

    def missed(self, patterns: Iterable[str]) -> list[str]:
        """The patterns of labels of which the check looked at no exchange."""
        return [pattern for pattern in patterns if not any(fnmatchcase(label, pattern) for label in self.met)]


def _covers(declared: str, place: str) -> bool:
    return place == declared or place.startswith(declared + "/")


def _scrubbed(memory: Memory, text: str | None) -> str | None:
    return memory.scrub(text) if text else text


def _loads(body: str | None) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)
