"""Puts a broken limit or an owed duty into words: the catalogue's sentences, the figures, the source they rest on.

One limit is broken by many cases with many figures, and one figure breaks many limits: the sentences of a limit are cut
once where the figure belongs (`Refusal`), a figure is spelt once (`told`), and a violation joins the two.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

import msgspec

from offcampus_rules import calendar, messages, units
from offcampus_rules.decision import Obligation, Value, Violation
from offcampus_rules.messages import Text
from offcampus_rules.rules import Comparison, ObligationRule
from offcampus_rules.units import FactValue, Limit

_CUT = "\x00"
"""Stands for the figure while sentences are cut; no YAML file can hold it."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """A figure that was given, as a reader is told it."""

    value: FactValue
    unit: str
    zh: str
    en: str


class Bound(NamedTuple):
    """What is allowed. `unit` is the fact's; the span is the duration behind a date limit."""

    must_be: Comparison
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


def told(given: FactValue, unit: str) -> Told:
    """A figure in both languages; what options are called is for each catalogue to say."""
    return Told(given, unit, *units.in_words(given, unit))


class Refusal:
    """All that is said of one limit but the figure given.

    Raises ValueError for a value that does not bind or has no source.
    """

    __slots__ = ("_allowed", "_breach", "_citation", "_level", "_region", "_sentences", "_words")

    def __init__(self, breach: Breach, value: Value, text: Text, bound: Bound) -> None:
        if value.value is None or value.source is None or value.level is None or value.region is None:
            raise ValueError(f"{value.parameter} is not regulated here: nothing can be refused by it")
        self._breach, self._citation, self._level, self._region = breach, value.source, value.level, value.region
        self._words = text.words if bound.unit == "option" else None
        self._allowed, self._sentences = _cut(text, bound)

    def of(self, given: Told) -> Violation:
        """The violation by a case that gave this."""
        rule, code, requirement, fact, pointer = self._breach
        message_zh, message_en, remedy_zh, remedy_en = self._sentences
        zh, en = given.zh, given.en
        if self._words is not None:
            zh, en = (messages.spoken(given.value, given.unit, language, self._words) for language in ("zh", "en"))
        return Violation(
            code=code,
            rule=rule,
            requirement=requirement,
            fact=fact,
            given=given.en,
            allowed=self._allowed,
            citation=self._citation,
            message_zh=zh.join(message_zh),
            message_en=en.join(message_en),
            remedy_zh=zh.join(remedy_zh),
            remedy_en=en.join(remedy_en),
            level=self._level,
            region=self._region,
            pointer=pointer,
        )


Sentences = tuple[list[str], list[str], list[str], list[str]]
"""Message and remedy, each in Chinese and English, cut where the figure given belongs."""


@lru_cache(maxsize=4096)
def _cut(text: Text, bound: Bound) -> tuple[str, Sentences]:
    """What is allowed, and the sentences: the same in every plan that holds the limit."""
    must_be, limit, unit, span_zh, span_en = bound
    allowed_zh = messages.allowed_text(must_be, limit, unit, "zh", span_zh, text.words)
    allowed_en = messages.allowed_text(must_be, limit, unit, "en", span_en, text.words)
    return messages.allowed_text(must_be, limit, unit, "en", span_en), (
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
