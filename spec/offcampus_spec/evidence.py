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
SKIPPED = frozenset({".venv", "build", "dist", "node_modules", "template", "stress", "__pycache__"})
"""Folders that hold no evidence: what is made or copied, and the synthetic rules, which are the rules of no place."""
METHODS = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE"})
Index = Mapping[str, tuple["Place", ...]]
Words = Callable[[ast.AST], Iterable[str]]


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
    tests = [path for path in _sources(root, "**/*.py") if "tests" in path.parent.relative_to(root).parts]
    checks = _sources(root, "conformance/offcampus_conformance/checks/**/*.py")
    return Evidence(
        handlers=_index(root, _sources(root, "reference_server/offcampus_server/**/*.py"), _handlers),
        rules=_rules(root),
        tests_of_operations=_index(root, tests, lambda tree: _held(tree, _operations_of(known))),
        tests_of_requirements=_index(root, tests, lambda tree: _held(tree, _said)),
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


def _held(tree: ast.Module, words: Words) -> Iterator[tuple[str, str]]:
    """Words in test code, each with the test that holds it; what a helper or a table holds is the file's."""
    for statement in tree.body:
        inner = [node for node in ast.walk(statement) if _is_test(node)]
        held = {id(node) for test in inner for node in ast.walk(test)}
        for test in inner:
            yield from ((word, getattr(test, "name", "")) for node in ast.walk(test) for word in words(node))
        rest = (node for node in ast.walk(statement) if id(node) not in held)
        yield from ((word, "") for node in rest for word in words(node))


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _said(node: ast.AST) -> list[str]:
    """The requirements that a string names."""
    return REQUIREMENT.findall(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _operations_of(known: Mapping[str, Operation]) -> Words:
    """The operations that a node names (`"createOrder"`) or calls (`party.post("/v1/orders", …)`)."""
    paths = [
        (operation.method, re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(operation.path))), name)
        for name, operation in known.items()
    ]

    def words(node: ast.AST) -> list[str]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return sorted(known.keys() & set(WORD.findall(node.value)))
        if isinstance(node, ast.Call) and (called := _called(node)) is not None:
            method, path = called
            return [name for verb, pattern, name in paths if verb == method and pattern.fullmatch(path)]
        return []

    return words


def _called(call: ast.Call) -> tuple[str, str] | None:
    """Method and path of `anything.post("/v1/…")` or `anything("POST", "/v1/…")`, if that is what a call is."""
    texts = [_text(argument) for argument in call.args[:2]]
    if isinstance(call.func, ast.Attribute) and call.func.attr.upper() in METHODS:
        texts.insert(0, call.func.attr.upper())
    if len(texts) < 2 or texts[0] not in METHODS or not (texts[1] or "").startswith("/"):
        return None
    return str(texts[0]), str(texts[1]).partition("?")[0]


def _text(node: ast.expr) -> str | None:
    """A string, with something in the place of what an f-string fills in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _rules(root: Path) -> Index:
    """Requirement -> rules of the plugins that name it."""
    found: dict[str, set[Place]] = defaultdict(set)
    for path in _sources(root, "plugins/*/rules/*.yaml"):
        for rule in yaml.safe_load(path.read_text(encoding="utf-8")).get("rules", ()):
            found[rule["requirement"]].add(Place(path.relative_to(root).as_posix(), rule["id"]))
    return {id: tuple(sorted(places)) for id, places in sorted(found.items())}
