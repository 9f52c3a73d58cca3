"""The words of refusals: one catalogue by code, in Chinese and English, rendered by the kit alone.

A plugin hands over a code and figures, never a sentence: it can neither word a national rule anew nor leak data into
a message. Placeholders: {given} and {allowed}.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from offcampus_rules import units
from offcampus_rules.errors import FileProblem
from offcampus_rules.units import Limit
from offcampus_rules.validation import valid_shape
from offcampus_rules.yaml12 import Document

Language = Literal["zh", "en"]
_PLACEHOLDERS = frozenset({"given", "allowed"})

_PHRASES: Mapping[tuple[str, bool, Language], str] = {
    ("at_most", False, "en"): "at most {}",
    ("at_most", False, "zh"): "不超过 {}",
    ("at_most", True, "en"): "not after {}",
    ("at_most", True, "zh"): "不晚于 {}",
    ("at_least", False, "en"): "at least {}",
    ("at_least", False, "zh"): "不少于 {}",
    ("at_least", True, "en"): "not before {}",
    ("at_least", True, "zh"): "不早于 {}",
    ("one_of", False, "en"): "one of {}",
    ("one_of", False, "zh"): "须为 {} 之一",
    ("none_of", False, "en"): "not {}",
    ("none_of", False, "zh"): "不得为 {}",
}
_TEMPORAL = frozenset({"date", "instant", "second_of_day"})


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The message and the remedy of one code. Compared by identity: a catalogue holds each once, and keys caches."""

    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str


def read(document: Document) -> tuple[dict[str, Text], tuple[FileProblem, ...]]:
    """Read a catalogue file: both languages present, no placeholder the kit does not fill."""
    if problems := valid_shape(document, "messages"):
        return {}, problems
    entries = cast("dict[str, dict[str, dict[str, str]]]", document.content["messages"])
    texts = {
        code: Text(
            message_zh=entry["message"]["zh"],
            message_en=entry["message"]["en"],
            remedy_zh=entry["remedy"]["zh"],
            remedy_en=entry["remedy"]["en"],
        )
        for code, entry in entries.items()
    }
    return texts, tuple(_bad_placeholders(document, entries))


def _bad_placeholders(document: Document, entries: dict[str, dict[str, dict[str, str]]]) -> Iterator[FileProblem]:
    for code, entry in entries.items():
        for part, languages in entry.items():
            for language, text in languages.items():
                if not _fillable(text):
                    yield document.problem(
                        ("messages", code, part, language),
                        "R-MSG",
                        "only {given} and {allowed} can be filled in",
                        "仅可使用占位符 {given} 与 {allowed}",
                    )


def _fillable(text: str) -> bool:
    try:
        fields = [(name, spec, change) for _, name, spec, change in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return all(name in _PLACEHOLDERS and not spec and not change for name, spec, change in fields)


def allowed_text(comparison: str, limit: Limit, unit: str, language: Language, span: str = "") -> str:
    """ "at most 60 class hours", "not after 2026-03-01 (3 months)"."""
    if comparison in ("is_true", "is_false"):
        return units.readable(comparison == "is_true", "flag", language)
    shown = units.readable(limit, unit, language)
    phrase = _PHRASES[comparison, unit in _TEMPORAL, language].format(shown)
    if not span:
        return phrase
    return f"{phrase}（{span}）" if language == "zh" else f"{phrase} ({span})"


def fill(template: str, given: str, allowed: str) -> str:
    return template.format_map(cast("dict[str, Any]", {"given": given, "allowed": allowed}))
