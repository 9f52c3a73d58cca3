"""An answer as a tree of lines that a person can read, in Chinese or English; with every rule's status if asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from offcampus_rules import display, units
from offcampus_rules.asking import Answer
from offcampus_rules.decision import Deadline, Decision, Figure, RefundTerms, Value, Violation
from offcampus_rules.messages import Language

if TYPE_CHECKING:
    from offcampus_rules.explanation import Explanation
    from offcampus_rules.statuses import LevelLimit, RuleStatus

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
    "exception": ("exception applied", "适用例外"),
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
    "undecidable": ("not decided: facts are missing", "未作判定，缺少事实"),
    "rules": ("every rule", "全部规则"),
    "satisfied": ("satisfied", "符合"),
    "violated": ("violated", "违反"),
    "not_applicable": ("not applicable", "不适用"),
    "not_evaluated": ("not evaluated", "未评估"),
    "given": ("given", "实际"),
    "nearest": ("nearest value that passes", "最近的合规值"),
    "without_effect": ("local values without effect", "不生效的地方取值"),
}
STATUS_MARKS = {"satisfied": "✓", "violated": "✗", "not_applicable": "·", "not_evaluated": "?"}


def tree(answer: Answer, language: Language = "zh") -> str:
    """The answer, its reasons and what it rests on."""
    return "\n".join(_lines(answer, Words(language)))


def full_tree(explanation: Explanation, language: Language = "zh") -> str:
    """The answer's tree, then the status of every rule with its limits, and what had no effect."""
    return "\n".join(_explanation(explanation, Words(language)))


class Words:
    """The headings in one language, and the texts of answers in it."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._index = 1 if language == "zh" else 0

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._index]

    def of(self, item: Any, name: str) -> str:
        """A text of an item in the language, by its name without `_zh` or `_en`."""
        return str(getattr(item, f"{name}_{self.language}"))


def _lines(answer: Answer, words: Words) -> Iterator[str]:
    if isinstance(answer, Decision):
        yield from _decision(answer, words)
    elif isinstance(answer, Deadline):
        yield from _deadline(answer, words)
    elif isinstance(answer, RefundTerms):
        yield from _refund(answer, words)
    elif isinstance(answer, Figure):
        yield from _figure(answer, words)
    else:
        yield _value(answer, words)


def _explanation(explanation: Explanation, words: Words) -> Iterator[str]:
    if explanation.answer is not None:
        yield from _lines(explanation.answer, words)
    else:
        yield f"{explanation.question}: {words['undecidable']}: {', '.join(explanation.missing)}"
    if explanation.rules:
        yield words["rules"]
    for status in explanation.rules:
        yield from _status(status, words)
    if explanation.looser:
        yield words["without_effect"]
    for problem in explanation.looser:
        yield f"├─ {problem.file.name}:{problem.position.line} {words.of(problem, 'message')}"


def _status(status: RuleStatus, words: Words) -> Iterator[str]:
    reason = words.of(status, "reason") if status.reason_en else ""
    told = f", {words['given']} {words.of(status, 'given')}" if status.given_en else ""
    mark = STATUS_MARKS[status.status]
    yield f"├─ {mark} [{status.rule}] {words[status.status]}: {status.fact or status.parameter}{told}" + (
        f" ({reason})" if reason else ""
    )
    for limit in status.limits:
        passes = STATUS_MARKS["satisfied" if limit.passes else "violated"]
        yield f"│  ├─ {passes} {words.of(limit, 'allowed')} ← {limit_source(limit, words)}"
    if status.nearest_en:
        yield f"│  └─ {words['nearest']}: {words.of(status, 'nearest')}"


def limit_source(limit: LevelLimit, words: Words) -> str:
    """Who set a limit, for how long, where it stands and how that text was seen."""
    value = limit.value
    span = f"{value.since} – {value.until or ''}".rstrip()
    return f"{value.level} {value.region}, {span}; {value.source} ({words[value.confidence or 'reported']})"


def _decision(decision: Decision, words: Words) -> Iterator[str]:
    yield f"{decision.kind}: {words[decision.outcome]} ({words['governing']} {decision.governing_date})"
    for violation in decision.violations:
        yield from _violation(violation, words)
    for duty in decision.obligations:
        yield f"├─ {words['obligation']} [{duty.rule}] {words.of(duty, 'text')}"
    for note in decision.not_evaluated:
        yield f"├─ {words['undecided']} [{note.rule}] {words.of(note, 'reason')}"
    for item in decision.exceptions_applied:
        yield f"├─ {words['exception']} {item.id} ({', '.join(item.rules)}): {words.of(item, 'title')}"
        yield f"│  └─ {words['source']}: {item.basis}; {item.region} {item.source}"
    for alarm in decision.alarms:
        yield f"├─ {words['alarm']} {alarm.plugin} {alarm.hook}: {alarm.problem}"
    if decision.values:
        yield f"└─ {words['values']}"
        for value in decision.values:
            yield f"   ├─ {_value(value, words)}"


def _violation(violation: Violation, words: Words) -> Iterator[str]:
    yield f"├─ ✗ [{violation.rule}] {violation.code} ({violation.requirement}, {violation.level} {violation.region})"
    yield f"│  ├─ {words.of(violation, 'message')}"
    yield f"│  ├─ {words['source']}: {violation.citation} ({words[violation.citation.confidence]})"
    yield f"│  └─ {words['remedy']}: {words.of(violation, 'remedy')}"


def _deadline(deadline: Deadline, words: Words) -> Iterator[str]:
    mark = f" ({words['provisional']})" if deadline.provisional else ""
    yield f"{words['due']}: {deadline.due_at.isoformat() if deadline.due_at else words['none']}{mark}"
    yield from _working(deadline, words)
    yield f"└─ {_value(deadline.value, words)}"


def _refund(terms: RefundTerms, words: Words) -> Iterator[str]:
    mark = f" ({words['provisional']})" if terms.provisional else ""
    yield f"{words['due']}: {terms.due_at.isoformat() if terms.due_at else words['not_regulated']}{mark}"
    yield f"├─ {words['silence']}: {terms.silence_due_at.isoformat() if terms.silence_due_at else words['none']}"
    yield f"├─ {words['full']}: {units.readable(terms.full, 'flag', words.language)}"
    yield from _working(terms, words)
    for value in terms.values:
        yield f"└─ {_value(value, words)}"


def _figure(figure: Figure, words: Words) -> Iterator[str]:
    if figure.result is None:
        yield f"{figure.question}: {words['not_regulated']}"
    for name, item in (figure.result or {}).items():
        shown = units.readable(item, "fen", words.language) if name.endswith("_fen") else item
        yield f"{figure.question} {name}: {words['none'] if item in (None, []) else shown}"
    yield from _working(figure, words)
    for alarm in figure.alarms:
        yield f"├─ {words['alarm']} {alarm.plugin} {alarm.hook}: {alarm.problem}"
    for value in figure.values:
        yield f"└─ {_value(value, words)}"


def _working(item: Deadline | RefundTerms | Figure, words: Words) -> Iterator[str]:
    lines = item.working_zh if words.language == "zh" else item.working
    yield f"├─ {words['working']}"
    yield from (f"│  ├─ {line}" for line in lines)


def _value(value: Value, words: Words) -> str:
    if value.value is None:
        reason = value.reason_if_none_zh if words.language == "zh" else value.reason_if_none
        return f"{value.parameter}: {words['not_regulated']} ({reason})"
    shown = display.value(value, words.language)
    span = f"{value.since} – {value.until or ''}".rstrip()
    confidence = words[value.confidence or "reported"]
    return f"{value.parameter} = {shown} ({value.level} {value.region}, {span}; {value.source}, {confidence})"
