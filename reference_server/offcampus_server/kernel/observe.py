"""Logs and metrics that never carry a personal datum: operation, status, time, request id; no body, no parameter."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from offcampus_rules.decision import Alarm
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str) -> None:
    """One JSON object a line on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_messages,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # the stream of the moment, not of this call
    )


def log() -> Any:
    """The logger. Events are fixed words; values are identifiers, counts and codes.

    A process that configured nothing (a command, a script) hears of trouble only, and never on standard output.
    """
    if not structlog.is_configured():
        configure_logs("warning")
    return structlog.get_logger()


def _without_messages(_: Any, __: str, entry: Any) -> Any:
    """An exception is logged by type and place only: its message may quote what a client sent."""
    error = entry.pop("error", None)
    if isinstance(error, BaseException):
        entry["error_type"] = type(error).__name__
        entry["error_at"] = _place(error)
    return entry


def _place(error: BaseException) -> str:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('offcampus_server/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-6:]))


def alarms(found: Iterable[Alarm], region_code: str) -> None:
    """A plugin of a region failed, or would have hidden something: who, where, how; never what it said."""
    for alarm in found:
        log().error("rules_alarm", plugin=alarm.plugin, hook=alarm.hook, problem=alarm.problem, region_code=region_code)


class Metrics:
    """What `/metrics` shows, in a registry of its own so that two servers in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("operation", "status")
        self.requests = Counter("offcampus_requests", "Requests by operation and status", names, registry=self.registry)
        self.seconds = Histogram(
            "offcampus_request_seconds",
            "Time to answer, in seconds",
            ("operation",),
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.problems = Counter("offcampus_problems", "Problems by code", ("code",), registry=self.registry)
        self.events = Gauge("offcampus_events", "Events in the outbox", registry=self.registry)
