"""What a working copy holds in evidence for the standard: handlers, rules, tests, checks, by what they serve.

Found by reading the source files, never by importing them: the tree may be half broken, and nothing of it is run.
Places are files and functions, not lines, so that evidence changes when what it says changes.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from offcampus_spec.operations import Operation

REQUIREMENT = re.compile(r"\bM-(?:[0-9]{2}|QA)\.[1-9]\b")
WORD = re.compile(r"[A-Za-z]+")
SKIPPED = frozenset({".venv", "build", "dist", "node_modules", "template", "__pycache__"})
Index = Mapping[str, tuple["Place", ...]]


@dataclass(frozen=True, order=True)
class Place:
    """A named thing in a file; `path` is relative to the root, with forward slashes."""

    path: str
    name: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the tree holds: operation or requirement -> places."""

    handlers: Index
    rules: Index
    tests_of_operations: Index
    tests_of_requirements: Index
    checks: Index


def collect(root: Path, known: Mapping[str, Operation]) -> Evidence:
    """Read the tree under `root`."""
    tests = [path for path in _sources(root, "**/*.py") if path.name.startswith("test_")]
    checks = _sources(root, "conformance/offcampus_conformance/checks/**/*.py")
    return Evidence(
        handlers=_index(root, _sources(root, "reference_server/offcampus_server/**/*.py"), _handlers),
        rules=_rules(root),
        tests_of_operations=_index(root, tests, lambda tree: _mentions(tree, lambda text: known.keys() & _words(text))),
        tests_of_requirements=_index(root, tests, lambda tree: _mentions(tree, REQUIREMENT.findall)),
        checks=_index(root, checks, _checks),
    )


def _sources(root: Path, pattern: str) -> list[Path]:
    found = (path for path in root.glob(pattern) if not SKIPPED.intersection(path.relative_to(root).parts))
    return sorted(found)


def _index(root: Path, paths: Iterable[Path], find: Callable[[ast.Module], Iterable[tuple[str, str]]]) -> Index:
    """Word -> places, for what `find` sees in each file: pairs of the word and the name of the place."""
    found: dict[str, set[Place]] = defaultdict(set)
    for path in paths:
        relative = path.relative_to(root).as_posix()
        for word, name in find(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            found[word].add(Place(relative, name))
    return {word: tuple(sorted(places)) for word, places in sorted(found.items())}


def _handlers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`@handlers("createOrder")` above a function."""
    for function, decorator in _decorated(tree):
        named = isinstance(decorator.func, ast.Name) and decorator.func.id == "handlers"
        if named and decorator.args and isinstance(decorator.args[0], ast.Constant):
            yield str(decorator.args[0].value), function.name


def _checks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`@check("P-ORDER-001", …, requirements=("M-07.3",))` above a function; the place is named by the check's id."""
    for _, decorator in _decorated(tree):
        cited = [keyword.value for keyword in decorator.keywords if keyword.arg == "requirements"]
        if not cited or not decorator.args or not isinstance(decorator.args[0], ast.Constant):
            continue
        for constant in ast.walk(cited[0]):
            if isinstance(constant, ast.Constant):
                yield str(constant.value), str(decorator.args[0].value)


def _decorated(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from ((node, item) for item in node.decorator_list if isinstance(item, ast.Call))


def _mentions(tree: ast.Module, words: Callable[[str], Iterable[str]]) -> Iterator[tuple[str, str]]:
    """Words in the strings of a test file with the test that holds them; a helper's or a table's are the file's."""
    for statement in tree.body:
        inner = [node for node in ast.walk(statement) if _is_test(node)]
        held = {id(constant) for test in inner for constant in ast.walk(test)}
        for test in inner:
            yield from ((word, getattr(test, "name", "")) for word in _said(ast.walk(test), words))
        rest = (node for node in ast.walk(statement) if id(node) not in held)
        yield from ((word, "") for word in _said(rest, words))


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _said(nodes: Iterable[ast.AST], words: Callable[[str], Iterable[str]]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from words(node.value)


def _words(text: str) -> set[str]:
    return set(WORD.findall(text))


def _rules(root: Path) -> Index:
    """Requirement -> rules of the plugins that name it."""
    found: dict[str, set[Place]] = defaultdict(set)
    for path in _sources(root, "plugins/*/rules/*.yaml"):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8")).get("rules", ()):
            found[rule["requirement"]].add(Place(path.relative_to(root).as_posix(), rule["id"]))
    return {id: tuple(sorted(places)) for id, places in sorted(found.items())}
