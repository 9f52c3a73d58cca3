"""Calendars: sets of days, written as single days and closed spans (vacations, days without training)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

_DAY = timedelta(days=1)


class Span(NamedTuple):
    """From `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class DaySet:
    """Spans in order that neither touch nor overlap: equal sets have equal spans. Build one with `of`."""

    spans: tuple[Span, ...]

    @classmethod
    def of(cls, spans: Iterable[tuple[date, date]]) -> DaySet:
        merged: list[Span] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1].last + _DAY:
                merged[-1] = Span(merged[-1].first, max(last, merged[-1].last))
            else:
                merged.append(Span(first, last))
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[date]:
        for first, last in self.spans:
            yield from (first + _DAY * n for n in range((last - first).days + 1))

    def __contains__(self, day: date) -> bool:
        return any(span.first <= day <= span.last for span in self.spans)

    def meet(self, other: DaySet, stricter: Literal["subset", "superset"]) -> DaySet:
        """What either forbids (`superset`), or what both permit (`subset`)."""
        if stricter == "superset":
            return DaySet.of((*self.spans, *other.spans))
        return DaySet.of(
            (max(one.first, two.first), min(one.last, two.last))
            for one in self.spans
            for two in other.spans
            if max(one.first, two.first) <= min(one.last, two.last)
        )

    def __str__(self) -> str:
        return ", ".join(str(one) if one == two else f"{one} – {two}" for one, two in self.spans)

    def same(self, other: DaySet) -> bool:
        return self.spans == other.spans

    def to_json(self) -> dict[str, Any]:
        return {
            "days": [
                span.first.isoformat()
                if span.first == span.last
                else {"first": span.first.isoformat(), "last": span.last.isoformat()}
                for span in self.spans
            ]
        }
