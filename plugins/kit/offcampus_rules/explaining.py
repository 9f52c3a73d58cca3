"""An answer as a tree of lines that a person can read, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offcampus_rules import display, units
from offcampus_rules.asking import Answer
from offcampus_rules.decision import Deadline, Decision, RefundTerms, Value, Violation
from offcampus_rules.messages import Language

_WORDS: dict[str, tuple[str, str]] = {
    "allow": ("allowed", "允许"),
    "refuse": ("refused", "不允许"),
    "hold": ("held: judged again when the plugin is back", "暂缓，待插件恢复后重新判定"),
    "error": ("not decided: a plugin failed", "未作判定，插件故障"),
    "governing": ("law of", "适用日期"),
    "source": ("source", "依据"),
    "remedy": ("what to do", "如何处理"),
    "obligation": ("must follow", "后续义务"),
    "values": ("values used", "所用参数"),
    "undecided": ("not evaluated", "未评估"),
    "alarm": ("alarm", "告警"),
    "due": ("due", "届满"),
    "silence": ("silence means consent at", "默示同意届满"),
    "full": ("full refund", "全额退费"),
    "none": ("none", "无"),
    "not_regulated": ("not regulated here", "此处未作规定"),
    "working": ("working", "计算过程"),
    "provisional": ("provisional", "暂定"),
    "official": ("text read", "已见原文"),
    "reported": ("as reported", "据报道或转述"),
}


def tree(answer: Answer, language: Language = "zh") -> str:
    """The answer, its reasons and what it rests on."""
    return "\n".join(_lines(answer, _Words(language)))


class _Words:
    def __init__(self, language: Language) -> None:
        self.language = language
        self._index = 1 if language == "zh" else 0

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._index]

    def of(self, item: Any, name: str) -> str:
        return str(getattr(item, f"{name}_{self.language}"))


def _lines(answer: Answer, words: _Words) -> Iterator[str]:
    if isinstance(answer, Decision):
        yield from _decision(answer, words)
    elif isinstance(answer, Deadline):
        yield from _deadline(answer, words)
    elif isinstance(answer, RefundTerms):
        yield from _refund(answer, words)
    else:
        yield _value(answer, words)


def _decision(decision: Decision, words: _Words) -> Iterator[str]:
    yield f"{decision.kind}: {words[decision.outcome]} ({words['governing']} {decision.governing_date})"
    for violation in decision.violations:
        yield from _violation(violation, words)
    for duty in decision.obligations:
        yield f"├─ {words['obligation']} [{duty.rule}] {words.of(duty, 'text')}"
    for note in decision.not_evaluated:
        yield f"├─ {words['undecided']} [{note.rule}] {words.of(note, 'reason')}"
    for alarm in decision.alarms:
        yield f"├─ {words['alarm']} {alarm.plugin} {alarm.hook}: {alarm.problem}"
    if decision.values:
        yield f"└─ {words['values']}"
        for value in decision.values:
            yield f"   ├─ {_value(value, words)}"


def _violation(violation: Violation, words: _Words) -> Iterator[str]:
    yield f"├─ ✗ [{violation.rule}] {violation.code} ({violation.requirement}, {violation.level} {violation.region})"
    yield f"│  ├─ {words.of(violation, 'message')}"
    yield f"│  ├─ {words['source']}: {violation.citation} ({words[violation.citation.confidence]})"
    yield f"│  └─ {words['remedy']}: {words.of(violation, 'remedy')}"


def _deadline(deadline: Deadline, words: _Words) -> Iterator[str]:
    mark = f" ({words['provisional']})" if deadline.provisional else ""
    yield f"{words['due']}: {deadline.due_at.isoformat() if deadline.due_at else words['none']}{mark}"
    yield from _working(deadline, words)
    yield f"└─ {_value(deadline.value, words)}"


def _refund(terms: RefundTerms, words: _Words) -> Iterator[str]:
    mark = f" ({words['provisional']})" if terms.provisional else ""
    yield f"{words['due']}: {terms.due_at.isoformat() if terms.due_at else words['not_regulated']}{mark}"
    yield f"├─ {words['silence']}: {terms.silence_due_at.isoformat() if terms.silence_due_at else words['none']}"
    yield f"├─ {words['full']}: {units.readable(terms.full, 'flag', words.language)}"
    yield from _working(terms, words)
    for value in terms.values:
        yield f"└─ {_value(value, words)}"


def _working(item: Deadline | RefundTerms, words: _Words) -> Iterator[str]:
    lines = item.working_zh if words.language == "zh" else item.working
    yield f"├─ {words['working']}"
    yield from (f"│  ├─ {line}" for line in lines)


def _value(value: Value, words: _Words) -> str:
    if value.value is None:
        reason = value.reason_if_none_zh if words.language == "zh" else value.reason_if_none
        return f"{value.parameter}: {words['not_regulated']} ({reason})"
    shown = display.value(value, words.language)
    span = f"{value.since} – {value.until or ''}".rstrip()
    confidence = words[value.confidence or "reported"]
    return f"{value.parameter} = {shown} ({value.level} {value.region}, {span}; {value.source}, {confidence})"
