"""Differences in words, in Chinese or English, one parameter a paragraph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from offcampus_rules import display
from offcampus_rules.decision import Value
from offcampus_rules.difference import Difference, Rules, scopes
from offcampus_rules.messages import Language
from offcampus_rules.parameters import Parameter

_VERDICTS = {
    "stricter": ("stricter", "更严"),
    "looser": ("looser", "更宽"),
    "newly_regulated": ("newly regulated", "新增规定"),
    "no_longer_regulated": ("no longer regulated", "不再规定"),
    "changed": ("changed, neither stricter nor looser", "有变化，无宽严之分"),
    "same_from_elsewhere": ("the same, by another text", "取值相同，依据不同"),
}
_WORDS = {
    "silent": ("not regulated", "未作规定"),
    "nowhere": ("no such parameter", "无此参数"),
    "all": ("all training", "全部"),
    "on": ("from", "自"),
    "added": ("rules added", "新增规则"),
    "removed": ("rules removed", "删除规则"),
    "changed": ("rules changed", "变更规则"),
    "redefined": ("parameters defined otherwise", "参数定义变更"),
    "nothing": ("no difference", "无差异"),
}


def lines(
    found: Iterable[Difference], definitions: Mapping[str, Parameter], changed: Rules | None, language: Language
) -> Iterator[str]:
    """The differences, then the rules."""
    empty = True
    for name, items in groupby(found, key=lambda item: item.parameter):
        definition = definitions[name]
        empty = False
        yield f"{name}  {definition.title_zh if language == 'zh' else definition.title_en}"
        for item in items:
            yield from _one(item, language)
    for part in ("added", "removed", "changed", "redefined"):
        names = getattr(changed, part) if changed is not None else ()
        if names:
            empty = False
            yield f"{_say(part, language)}: {', '.join(names)}"
    if empty:
        yield _say("nothing", language)


def _one(item: Difference, language: Language) -> Iterator[str]:
    region = item.region_before if item.region_before == item.region_after else (
        f"{item.region_before} → {item.region_after}"
    )  # fmt: skip
    cells = scopes(item.cells)
    for_whom = _say("all", language) if cells == "all" else cells
    verdict = _VERDICTS[item.verdict][language == "zh"]
    yield f"  {region}, {for_whom}, {item.since} – {item.until or ''}".rstrip() + f": {verdict}"
    yield f"    - {_value(item.before, language)}"
    yield f"    + {_value(item.after, language)}"


def _value(value: Value | None, language: Language) -> str:
    if value is None:
        return _say("nowhere", language)
    if value.value is None:
        reason = value.reason_if_none_zh if language == "zh" else value.reason_if_none
        return f"{_say('silent', language)} ({reason})"
    return f"{display.value(value, language)} ({value.level} {value.region}; {value.source}; {value.confidence})"


def _say(name: str, language: Language) -> str:
    return _WORDS[name][language == "zh"]
