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


class Figures(NamedTuple):
    """What was given against what is allowed. `unit` is the fact's; the span is the duration behind a date limit."""

    must_be: Comparison
    given: Any
    limit: Limit
    unit: str
    span_zh: str = ""
    span_en: str = ""


class _Words(NamedTuple):
    given: str
    allowed: str
    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str


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
    words = _words(text, figures)
    return Violation(
        code=breach.code,
        rule=breach.rule,
        requirement=breach.requirement,
        fact=breach.fact,
        given=words.given,
        allowed=words.allowed,
        citation=value.source,
        message_zh=words.message_zh,
        message_en=words.message_en,
        remedy_zh=words.remedy_zh,
        remedy_en=words.remedy_en,
        level=value.level,
        region=value.region,
        pointer=breach.pointer,
    )


@lru_cache(maxsize=4096)
def _words(text: Text, figures: Figures) -> _Words:
    """The sentences for one pair of figures; the same breach is told by several levels and by many orders."""
    must_be, given, limit, unit, span_zh, span_en = figures
    given_zh, given_en = units.readable(given, unit, "zh"), units.readable(given, unit, "en")
    allowed_zh = messages.allowed_text(must_be, limit, unit, "zh", span_zh)
    allowed_en = messages.allowed_text(must_be, limit, unit, "en", span_en)
    return _Words(
        given=given_en,
        allowed=allowed_en,
        message_zh=messages.fill(text.message_zh, given_zh, allowed_zh),
        message_en=messages.fill(text.message_en, given_en, allowed_en),
        remedy_zh=messages.fill(text.remedy_zh, given_zh, allowed_zh),
        remedy_en=messages.fill(text.remedy_en, given_en, allowed_en),
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
