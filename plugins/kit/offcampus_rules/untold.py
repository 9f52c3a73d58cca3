"""Says which rules could not be judged in a case, and why: a fact nobody told, or one that is less than certain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from offcampus_rules.decision import NotEvaluated
from offcampus_rules.plans import CompiledRule

Noting = tuple[CompiledRule, NotEvaluated | None]
"""A rule that may have to say why it was not judged; the note, where the screen's facts alone settle it."""


def noting(rules: Iterable[CompiledRule], applies: Callable[[Any], bool], case: Any) -> Iterator[Noting]:
    """The rules that may have something to say in the cases of a screen."""
    for item in rules:
        if not applies(item):
            name = item.untold(case) if item.untold is not None else None
            if name is not None:
                yield item, _not_told(item.rule.id, name)
        elif item.fact.doubt or item.fact.may_be_untold or any(check.untold or check.missing for check in item.checks):
            yield item, None


def depends_on_absence_alone(noted: Iterable[Noting]) -> bool:
    """Whether which facts are absent settles the notes: there is no doubt, and no limit is a fact itself."""
    return not any(item.fact.doubt or any(check.untold or check.missing for check in item.checks) for item, _ in noted)


def notes(noted: Iterable[Noting], case: Any) -> Iterator[NotEvaluated]:
    """What there is to say in a case."""
    for item, note in noted:
        if note is not None:
            yield note
        elif item.fact.read(case) is None:
            if item.fact.may_be_untold:
                yield _not_told(item.rule.id, item.fact.name)
        else:
            if item.fact.doubt is not None and (doubt := item.fact.doubt(case)) is not None:
                yield NotEvaluated(item.rule.id, *doubt)
            for check in item.checks:
                if check.limit(case) is None and (name := check.untold_in(case)) is not None:
                    yield _not_told(item.rule.id, name)


def rules(noted: Iterable[Noting], case: Any) -> Iterator[str]:
    """The rules that cannot be judged in a case because nobody told a fact."""
    for item, note in noted:
        if note is not None:
            yield item.rule.id
        elif item.fact.read(case) is None:
            yield from (item.rule.id,) if item.fact.may_be_untold else ()
        elif any(check.limit(case) is None and check.untold_in(case) for check in item.checks):
            yield item.rule.id


def _not_told(rule: str, fact: str) -> NotEvaluated:
    return NotEvaluated(rule, f"未提供事实 {fact}，未作判断", f"the fact {fact} was not told, so this was not judged")
