"""What the three ways of driving have in common: the card of a step goes in, an outcome comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from offcampus_conformance.record import EvidenceClass, Exchange

DONE, WAITING, REFUSED, NOT_OFFERED, TROUBLE = 200, 202, 422, 404, 502
"""The statuses of the driver's contract: done; taken on and not finished; refused by the platform or by the system
itself; no such action; something went wrong in the system."""


@dataclass(frozen=True)
class Card:
    """A step as a person reads it, and as a driver receives it."""

    step: str
    action: str
    title_en: str
    title_zh: str
    given: Mapping[str, Any]
    at: str
    """Business time of the step, an instant."""
    arrives: tuple[str, ...] = ()
    """The operations that the suite waits for at the played platform."""


@dataclass(frozen=True)
class Outcome:
    """What came of an action."""

    status: int
    answer: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""
    """Why there is no answer."""

    @property
    def done(self) -> bool:
        """The system carried the action out, or has taken it on."""
        return self.status in (DONE, WAITING)


@dataclass(frozen=True)
class Description:
    """What a driver says of itself."""

    actions: frozenset[str] | None
    """The actions that the system has; None when any may be tried."""
    follows_clock: bool
    """The system takes the business time that a step hands over for its own."""


class Driver(Protocol):
    """A way to make the system act."""

    evidence: EvidenceClass
    """What a verdict rests on that rests on the outcome of an action."""

    def describe(self) -> Description:
        """What the system can do; asked once, before the first step."""

    def act(self, card: Card) -> Outcome:
        """Carry a step out. Never raises for what the system does."""

    def close(self) -> None:
        """Let go of what is held."""


def description_of(answer: Mapping[str, Any]) -> Description:
    """A description as the driver's contract writes it; what is missing or of another shape claims nothing."""
    actions = answer.get("actions")
    offered = frozenset(map(str, actions)) if isinstance(actions, list) else None
    return Description(offered, follows_clock=answer.get("clock") == "accelerated")


def recorded(label: str, card: Card, outcome: Outcome, evidence: EvidenceClass, *, where: str) -> Exchange:
    """An action as an exchange of the record."""
    return Exchange(
        label=label,
        method="ACT",
        url=where,
        request_headers={},
        request_body=json.dumps(card.given, ensure_ascii=False),
        status=outcome.status if not outcome.trouble else None,
        response_headers={},
        response_body=json.dumps(outcome.answer, ensure_ascii=False),
        started_at=datetime.now(UTC).isoformat(),
        elapsed_ms=0.0,
        trouble=outcome.trouble or None,
        facts={"action": card.action, "business_at": card.at},
        evidence=evidence,
    )
