"""Puts a broken limit or an owed duty into words: the catalogue's sentences, the figures, the source they rest on."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from offcampus_rules import calendar, messages, units
from offcampus_rules.decision import Obligation, Value, Violation
from offcampus_rules.messages import Text
from offcampus_rules.rules import Comparison, ObligationRule
from offcampus_rules.units import Limit

_CUT = "\x00"
"""Stands for the figure while sentences are cut; no YAML file can hold it."""


class Figures(NamedTuple):
    """What was given against what is allowed. `unit` is the fact's; the span is the duration behind a date limit."""

    must_be: Comparison
    given: Any
    limit: Limit
    unit: str
    span_zh: str = ""
    span_en: str = ""


class Breach(NamedTuple):
    """What is broken, by name; the pointer leads to it in the request."""

    rule: str
    code: str
    requirement: str
    fact: str
    pointer: str | None


def violation(breach: Breach, value: Value, text: Text, figures: Figures) -> Violation:
    """A violation in the catalogue's words. Raises ValueError for a value that does not bind or has no source."""
    if value.value is None or value.source is None or value.level is None or value.region is None:
        raise ValueError(f"{value.parameter} is not regulated here: nothing can be refused by it")
    must_be, given, limit, unit, span_zh, span_en = figures
    allowed_en, message_zh, message_en, remedy_zh, remedy_en = _sentences(text, must_be, limit, unit, span_zh, span_en)
    told_zh, told_en = (messages.spoken(given, unit, language, text.words) for language in ("zh", "en"))
    return Violation(
        code=breach.code,
        rule=breach.rule,
        requirement=breach.requirement,
        fact=breach.fact,
        given=units.readable(given, unit, "en"),
        allowed=allowed_en,
        citation=value.source,
        message_zh=told_zh.join(message_zh),
        message_en=told_en.join(message_en),
        remedy_zh=told_zh.join(remedy_zh),
        remedy_en=told_en.join(remedy_en),
        level=value.level,
        region=value.region,
        pointer=breach.pointer,
    )


class _Sentences(NamedTuple):
    """A limit's sentences, cut where the figure given belongs."""

    allowed_en: str
    message_zh: list[str]
    message_en: list[str]
    remedy_zh: list[str]
    remedy_en: list[str]


@lru_cache(maxsize=4096)
def _sentences(text: Text, must_be: Comparison, limit: Limit, unit: str, span_zh: str, span_en: str) -> _Sentences:
    """The same limit is broken by many orders, with many figures."""
    allowed_zh = messages.allowed_text(must_be, limit, unit, "zh", span_zh, text.words)
    allowed_en = messages.allowed_text(must_be, limit, unit, "en", span_en, text.words)
    return _Sentences(
        messages.allowed_text(must_be, limit, unit, "en", span_en),
        messages.fill(text.message_zh, _CUT, allowed_zh).split(_CUT),
        messages.fill(text.message_en, _CUT, allowed_en).split(_CUT),
        messages.fill(text.remedy_zh, _CUT, allowed_zh).split(_CUT),
        messages.fill(text.remedy_en, _CUT, allowed_en).split(_CUT),
    )


def obligation(rule: ObligationRule, value: Value, text: Text, last_day: date) -> Obligation:
    """A duty with its last day. Raises ValueError when the value has no source to cite."""
    if value.source is None:
        raise ValueError(f"{value.parameter} has no source")
    return Obligation(
        code=rule.code,
        rule=rule.id,
        requirement=rule.requirement,
        due_at=calendar.run_out(last_day),
        citation=value.source,
        text_zh=messages.fill(text.message_zh, "", last_day.isoformat()),
        text_en=messages.fill(text.message_en, "", last_day.isoformat()),
    )
