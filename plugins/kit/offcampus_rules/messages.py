"""The words of refusals: one catalogue by code, in Chinese and English, rendered by the kit alone.

A plugin hands over a code and figures, never a sentence: it can neither word a national rule anew nor leak data into
a message. Placeholders: {given} and {allowed}. `words` names the options that the file's messages may have to tell
("rest_day" is 休息日, a rest day); an option without words is told as it is written.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, cast

from offcampus_rules import units
from offcampus_rules.errors import FileProblem
from offcampus_rules.units import FactValue, Limit
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
    ("the_one", False, "en"): "{}",
    ("the_one", False, "zh"): "须为 {}",
    ("one_of", True, "en"): "on one of {}",
    ("one_of", True, "zh"): "须在下列日期之内：{}",
    ("none_of", True, "en"): "on none of {}",
    ("none_of", True, "zh"): "不得在下列日期：{}",
    ("none_of", False, "en"): "none of {}",
    ("none_of", False, "zh"): "不得为 {}",
    ("not_the_one", False, "en"): "not {}",
    ("not_the_one", False, "zh"): "不得为 {}",
}
_NO_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType({})
_TEMPORAL = frozenset({"date", "instant", "second_of_day"})


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The message and the remedy of one code. Compared by identity: a catalogue holds each once, and keys caches."""

    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read(document: Document) -> tuple[dict[str, Text], tuple[FileProblem, ...]]:
    """Read a catalogue file: both languages present, no placeholder the kit does not fill."""
    if problems := valid_shape(document, "messages"):
        return {}, problems
    entries = cast("dict[str, dict[str, dict[str, str]]]", document.content["messages"])
    words = {option: (word["zh"], word["en"]) for option, word in document.content.get("words", {}).items()}
    texts = {
        code: Text(
            message_zh=entry["message"]["zh"],
            message_en=entry["message"]["en"],
            remedy_zh=entry["remedy"]["zh"],
            remedy_en=entry["remedy"]["en"],
            words=words,
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


def spoken(value: FactValue | Limit, unit: str, language: Language, words: Mapping[str, tuple[str, str]]) -> str:
    """A figure in words; options in the catalogue's."""
    if unit != "option":
        return units.readable(value, unit, language)
    options = value if isinstance(value, tuple) else (str(value),)
    index, joint = (0, "、") if language == "zh" else (1, ", ")
    return joint.join(words.get(option, (option, option))[index] for option in options)


def allowed_text(
    comparison: str,
    limit: Limit,
    unit: str,
    language: Language,
    span: str = "",
    words: Mapping[str, tuple[str, str]] = _NO_WORDS,
) -> str:
    """ "at most 60 class hours", "not after 2026-03-01 (3 months)"."""
    if comparison in ("is_true", "is_false"):
        return units.readable(comparison == "is_true", "flag", language)
    shown = spoken(limit, unit, language, words)
    if isinstance(limit, tuple) and len(limit) == 1:
        comparison = {"one_of": "the_one", "none_of": "not_the_one"}.get(comparison, comparison)
    phrase = _PHRASES[comparison, unit in _TEMPORAL, language].format(shown)
    if not span:
        return phrase
    return f"{phrase}（{span}）" if language == "zh" else f"{phrase} ({span})"


def fill(template: str, given: str, allowed: str) -> str:
    return template.format_map(cast("dict[str, Any]", {"given": given, "allowed": allowed}))
