"""A strict reader of YAML 1.2 that keeps positions (design/rules: "YAML 1.1 reads `no:` as False, 20:30 as 1230").

What another reader could take for something else is refused rather than guessed:
- duplicate keys, anchors, aliases, merge keys, tags, several documents;
- plain yes/no/on/off/y/n, clock times and numbers with a leading zero, which YAML 1.1 reads differently: quote them;
- floats: money, hours and shares are integers here;
- control, zero-width and bidirectional characters, which make a file show something else than it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from offcampus_rules.errors import FileProblem, Position, RuleFileError

Path12 = tuple[str | int, ...]
"""Where a value stands inside a document: keys and list indexes from the root."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_AMBIGUOUS = (
    (re.compile(r"(?:true|false|null)\Z", re.IGNORECASE), "a literal not in lower case", "未小写的字面量"),
    (re.compile(r"(?:y|yes|n|no|on|off)\Z", re.IGNORECASE), "a truth value in YAML 1.1", "YAML 1.1 中的真假值"),
    (re.compile(r"[-+]?[0-9]+(?::[0-9]+)+\Z"), "a base-60 number in YAML 1.1", "YAML 1.1 中的六十进制数"),
    (re.compile(r"[-+]?0[0-9_]+\Z"), "a number with a leading zero", "以 0 开头的数字"),
    (re.compile(r"[-+]?0[xob][0-9a-fA-F_]+\Z"), "a number that is not decimal", "非十进制数字"),
    (re.compile(r"[-+]?[0-9]+(?:_[0-9]+)+\Z"), "a number with underscores", "带下划线的数字"),
    (re.compile(r"[-+]?(?:[0-9]*\.[0-9]+|[0-9]+\.?)(?:[eE][-+]?[0-9]+)?\Z"), "a fraction", "小数"),
    (re.compile(r"[-+]?\.(?:inf|nan)\Z", re.IGNORECASE), "not a finite number", "非有限数"),
)
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_KNOWN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}


_NOWHERE = Path()
"""Where text that is read stands, until whoever asked says."""


@dataclass(frozen=True)
class Document:
    """A file's content and the position of every key and item in it."""

    file: Path
    content: Any
    positions: dict[Path12, Position]

    def position(self, path: Path12) -> Position:
        """The position of the nearest thing that exists at or above `path`."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, Position(1, 1))

    def problem(self, path: Path12, code: str, en: str, zh: str, severity: str = "error") -> FileProblem:
        return FileProblem(self.file, self.position(path), code, en, zh, severity)


def load(file: Path) -> Document:
    """Read one file. Raises RuleFileError with file, line, column, what was found and what is allowed."""
    return loads(_decoded(file), file)


def readable_text(file: Path) -> str:
    """A file's text that shows what it says. Raises RuleFileError for other encodings and invisible characters."""
    text = _decoded(file)
    _refuse_hidden(text.removeprefix("\ufeff"), file)
    return text


def _decoded(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise _failure(file, Position(1, 1), f"not UTF-8 at byte {error.start}", "不是 UTF-8 编码") from error


def loads(text: str, file: Path) -> Document:
    """Read text as if it stood in `file`. Not to be changed: whoever reads the same text again gets the same content.

    A reload, and a copy with one file changed, read what has changed only: composing is nine tenths of what loading a
    rule set takes.
    """
    _refuse_hidden(text, file)
    try:
        return replace(_read(text), file=file)
    except RuleFileError as error:
        raise RuleFileError(tuple(replace(problem, file=file) for problem in error.problems)) from error.__cause__


@lru_cache(maxsize=4096)
def _read(text: str) -> Document:
    root = _compose(text, _NOWHERE)
    reader = _Reader(_NOWHERE)
    content = reader.value(root, ())
    if reader.problems:
        raise RuleFileError(tuple(reader.problems))
    return Document(_NOWHERE, content, reader.positions)


def _compose(text: str, file: Path) -> Node:
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    try:
        documents: Iterator[Node] = parser.compose_all(text)
        nodes = list(documents)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        raise _failure(file, position, f"not YAML 1.2: {error.problem}", "不是合法的 YAML 1.2") from error
    except YAMLError as error:
        raise _failure(file, Position(1, 1), "not YAML 1.2", "不是合法的 YAML 1.2") from error
    if len(nodes) != 1:
        raise _failure(file, Position(1, 1), f"{len(nodes)} documents, allowed is one", "一个文件只能有一个文档")
    return nodes[0]


def _refuse_hidden(text: str, file: Path) -> None:
    if found := _HIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        code = f"U+{ord(found.group()):04X}"
        en = f"the invisible character {code} is not allowed; delete it"
        zh = f"不允许不可见字符 {code}，请删除"
        raise RuleFileError((FileProblem(file, Position(line, column), "R-BIDI", en, zh),))


def _failure(file: Path, position: Position, en: str, zh: str) -> RuleFileError:
    return RuleFileError((FileProblem(file, position, "R-YAML", en, zh),))


class _Reader:
    """Turns composed nodes into plain values under our own reading of YAML 1.2's core schema."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.positions: dict[Path12, Position] = {}
        self.problems: list[FileProblem] = []
        self._seen: set[int] = set()

    def value(self, node: Node, path: Path12) -> Any:
        self.positions.setdefault(path, _position(node))
        if self._refused(node):
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node)

    def _refused(self, node: Node) -> bool:
        if id(node) in self._seen or node.anchor:
            self._report(
                node, "anchors and aliases are not allowed; write the value out", "不允许使用锚点和别名，请直接写出值"
            )
            return True
        self._seen.add(id(node))
        if str(node.ctag) not in _KNOWN_TAGS:
            self._report(node, f"the tag {node.ctag} is not allowed", f"不允许使用标签 {node.ctag}")
            return True
        return False

    def _mapping(self, node: MappingNode, path: Path12) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str) or key == "<<":
                self._report(key_node, "a key is text (quote it)", "键必须是文本（请加引号）")
                continue
            if key in result:
                self._report(key_node, f"the key {key!r} stands here twice", f"键 {key!r} 重复")
            self.positions[(*path, key)] = _position(key_node)
            result[key] = self.value(value_node, (*path, key))
        return result

    def _scalar(self, node: ScalarNode) -> object:
        text: str = node.value
        quoted = node.style in ("'", '"', "|", ">")
        plain_literal = text in _LITERALS or _INTEGER.match(text) is not None
        if str(node.ctag).endswith(":str") != (quoted or not plain_literal) and (quoted or plain_literal):
            self._report(node, f"the tag {node.ctag} is not allowed", f"不允许使用标签 {node.ctag}")
        if quoted:
            return text
        if text in _LITERALS:
            return _LITERALS[text]
        if _INTEGER.match(text):
            return int(text)
        for pattern, en, zh in _AMBIGUOUS:
            if pattern.match(text):
                self._report(
                    node, f"{text} is {en}; write an integer or quote it", f"{text} 是{zh}；请改写为整数或加引号"
                )
                break
        return text

    def _report(self, node: Node, en: str, zh: str) -> None:
        self.problems.append(FileProblem(self.file, _position(node), "R-YAML", en, zh))


def _position(node: Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
