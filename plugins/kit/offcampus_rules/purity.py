"""Reads a plugin's Python before it runs and reports what a pure function has no use for (R-PURE), with file and line.

Names and imports only: a scan cannot prove that code is pure, it finds the honest mistake and the plain attempt. What
gets past it meets the worker's walls, and `check` asks every case twice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from offcampus_rules.errors import FileProblem, Position

IMPORTS = frozenset(
    {
        "__future__", "bisect", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "enum",
        "fractions", "functools", "itertools", "math", "operator", "re", "typing",
        "offcampus_rules.context", "offcampus_rules.findings", "offcampus_rules.hookspecs",
    }
)  # fmt: skip
"""What a hook may import: nothing that reads a clock, a file, the network or chance."""

_NAMES = frozenset(
    {
        "open", "input", "breakpoint", "exec", "eval", "compile", "__import__", "globals", "locals", "vars",
        "memoryview", "help", "exit", "quit", "id", "hash", "delattr", "setattr", "__builtins__",
        "__loader__", "__spec__",
    }
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {
        "now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "urandom", "getrandom", "environ", "system",
        "popen", "fork", "kill", "modules", "settrace", "setprofile", "getsizeof",
        "gi_frame", "f_globals", "f_builtins", "f_back", "tb_frame", "co_code",
    }
)  # fmt: skip
_ALLOWED_DUNDERS = frozenset({"__name__", "__doc__", "__all__", "__post_init__", "__init__", "__eq__", "__hash__"})


def may_import(name: str) -> bool:
    return name in IMPORTS


def scan(source: str, file: Path) -> tuple[FileProblem, ...]:
    """Everything impure that can be seen; a source that cannot be parsed is one problem (R-HOOK)."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        why = f"is no Python: {type(error).__name__}"
        return (FileProblem(file, Position(line, 1), "R-HOOK", why, "不是合法的 Python"),)
    found = {(node.lineno, node.col_offset + 1): what for node, what in _impurities(tree)}
    return tuple(
        FileProblem(
            file,
            Position(line, column),
            "R-PURE",
            f"{what}: a hook is a pure function of its case; it may import {', '.join(sorted(IMPORTS))}",
            f"{what}：钩子须为只依赖 case 的纯函数",
        )
        for (line, column), what in sorted(found.items())
    )


def _impurities(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if not may_import(alias.name):
                    yield node, f"imports {alias.name}"
        elif isinstance(node, ast.ImportFrom):
            if node.level or not may_import(node.module or ""):
                yield node, f"imports {'.' * node.level}{node.module or ''}"
        elif isinstance(node, ast.Name) and (node.id in _NAMES or _dunder(node.id)):
            yield node, f"uses {node.id}"
        elif isinstance(node, ast.Attribute) and (node.attr in _ATTRIBUTES or _dunder(node.attr)):
            yield node, f"uses .{node.attr}"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield node, "keeps state between calls"


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _ALLOWED_DUNDERS
