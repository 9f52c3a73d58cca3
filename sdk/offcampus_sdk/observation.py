"""What an operator may see of the traffic: one line an attempt, without bodies, addresses, tokens or names.

Each attempt is logged to the logger `offcampus_sdk` (DEBUG when it went well, INFO when it is tried again or refused)
and told to the client's `observer`. What can be told is this module's dataclass and nothing else, so that no secret
and no personal datum can slip in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger("offcampus_sdk")


@dataclass(frozen=True)
class Observed:
    """One attempt of one operation."""

    operation: str
    attempt: int
    status: int | None
    """None: no answer came."""
    trouble: str
    """The problem's code, or the kind of the transport's trouble; empty when it went well."""
    request_id: str
    """By which the platform's operator finds the request; empty when the answer gave none."""
    seconds: float


Observer = Callable[[Observed], None]


def log_attempt(observed: Observed) -> None:
    """Write one line about an attempt."""
    level = logging.INFO if observed.trouble else logging.DEBUG
    logger.log(
        level, "%s attempt=%d status=%s trouble=%s request_id=%s seconds=%.3f",
        observed.operation, observed.attempt, observed.status, observed.trouble or "-", observed.request_id or "-",
        observed.seconds,
    )  # fmt: skip


def open_telemetry(meter: Any) -> Observer:
    """An observer that counts and times attempts with an OpenTelemetry meter.

    Args:
        meter: an `opentelemetry.metrics.Meter`; the SDK itself does not depend on OpenTelemetry.
    """
    attempts = meter.create_counter("offcampus.client.attempts", unit="{attempt}", description="Attempts of requests")
    duration = meter.create_histogram("offcampus.client.duration", unit="s", description="How long an attempt took")

    def observe(observed: Observed) -> None:
        attributes = {"operation": observed.operation, "status": observed.status or 0, "trouble": observed.trouble}
        attempts.add(1, attributes)
        duration.record(observed.seconds, attributes)

    return observe
