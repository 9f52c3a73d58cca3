"""Reads a plugin's hooks without running them: what could make them impure (R-PURE) or change their input (R-MUT).

A hook is a pure function of its case. This reading names the line of what is not: clock, randomness, files, network,
processes, environment, state kept between calls, the inside of the interpreter. What is impure is not loaded. It is a
help to authors, no prison: hooks run in a process that can be killed, and `check` also asks them twice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from offcampus_rules.errors import FileProblem, Position

ALLOWED_IMPORTS = frozenset(
    {
        "__future__", "bisect", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "enum",
        "fractions", "functools", "itertools", "math", "operator", "re", "string", "typing",
        "offcampus_rules.calendar", "offcampus_rules.context", "offcampus_rules.decision", "offcampus_rules.findings",
        "offcampus_rules.hookspecs", "offcampus_rules.units",
    }
)  # fmt: skip
"""Nothing that reads a clock, a file, the network or chance; a worker loads these before it loads the plugin."""
_CALLS = frozenset(
    {
        "open", "input", "print", "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "breakpoint",
        "id", "hash",
    }
)  # fmt: skip
_CLOCKS = frozenset({"now", "today", "utcnow"})
_CHANGES = frozenset({"__setattr__", "__delattr__", "__dict__", "__globals__", "__class__", "__subclasses__"})
_INSIDE = frozenset(
    {
        "urandom", "environ", "modules", "gi_frame", "cr_frame", "ag_frame", "f_globals", "f_builtins", "f_back",
        "f_locals", "tb_frame", "co_code", "__builtins__", "__loader__", "__spec__", "__mro__", "__base__", "__bases__",
        "__import__", "__code__", "__closure__", "__getattribute__", "__reduce__", "__reduce_ex__", "__init_subclass__",
    }
)  # fmt: skip
_GROWS = frozenset({"append", "add", "update", "extend", "insert", "pop", "setdefault", "remove", "clear", "discard"})


def read(file: Path) -> tuple[FileProblem, ...]:
    """Everything suspicious in one file of Python, in line order."""
    return scan(file.read_text(encoding="utf-8"), file)


def scan(source: str, file: Path) -> tuple[FileProblem, ...]:
    """The same for text that stands in a file. What is no Python is found when it is loaded."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    kept = {name for node in tree.body for name in _assigned(node)}
    found = [problem for node in ast.walk(tree) for problem in _examine(file, node, kept)]
    return tuple(sorted(set(found), key=lambda problem: problem.position))


def defined(root: Path, text: str) -> tuple[Path, Position]:
    """The file of a plugin's hooks and the place of the function that `text` names (else the file's first line)."""
    words = set(re.findall(r"\w+", text))
    file = next(iter(sorted(root.glob("*/hooks.py"))), root)
    if file.is_file():
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError:
            return file, Position(1, 1)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in words:
                return file, Position(node.lineno, node.col_offset + 1)
    return file, Position(1, 1)


def _assigned(node: ast.stmt) -> Iterator[str]:
    """Names of a module's own that could keep state between calls."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (target.id for target in targets if isinstance(target, ast.Name))


def _examine(file: Path, node: ast.AST, kept: set[str]) -> Iterator[FileProblem]:
    match node:
        case ast.Import(names=names):
            yield from (_import(file, node, alias.name) for alias in names if not _allowed(alias.name))
        case ast.ImportFrom(module=module, level=level) if level or not _allowed(module or ""):
            yield _import(file, node, "." * level + (module or ""))
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield _impure(file, node, f"keeps {', '.join(names)} between calls", f"在两次调用间保留 {', '.join(names)}")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield _impure(file, node, f"calls {name}", f"调用了 {name}")
        case ast.Call(func=ast.Attribute(attr=name)) if name in _CLOCKS:
            yield _impure(
                file,
                node,
                f"reads the clock ({name}); take the day from the case",
                f"读取时钟（{name}）；日期应取自案件事实",
            )
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id=owner))) if name in _GROWS and owner in kept:
            yield _impure(file, node, f"keeps {owner} between calls", f"在两次调用间保留 {owner}")
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in _INSIDE:
            yield _impure(file, node, f"reaches for {name}", f"使用了 {name}")
        case ast.Attribute(attr=name) if name in _CHANGES:
            yield _mutates(file, node, f"reaches for {name}", f"使用了 {name}")
        case ast.Attribute(ctx=ast.Store() | ast.Del(), attr=name):
            yield _mutates(file, node, f"assigns to {name}", f"对 {name} 赋值")
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Name(id=owner)) if owner in kept:
            yield _impure(file, node, f"keeps {owner} between calls", f"在两次调用间保留 {owner}")


def _allowed(module: str) -> bool:
    return module in ALLOWED_IMPORTS


def _import(file: Path, node: ast.stmt, module: str) -> FileProblem:
    allowed = ", ".join(sorted(ALLOWED_IMPORTS))
    return _impure(file, node, f"imports {module}; allowed: {allowed}", f"导入了 {module}；允许：{allowed}")


def _impure(file: Path, node: ast.stmt | ast.expr, en: str, zh: str) -> FileProblem:
    return _problem(
        file, node, "R-PURE", f"a hook is a pure function of its case; this {en}", f"钩子须为纯函数；此处{zh}"
    )


def _mutates(file: Path, node: ast.expr, en: str, zh: str) -> FileProblem:
    return _problem(
        file, node, "R-MUT", f"a hook changes nothing it was given; this {en}", f"钩子不得改动传入的内容；此处{zh}"
    )


def _problem(file: Path, node: ast.stmt | ast.expr, code: str, en: str, zh: str) -> FileProblem:
    return FileProblem(file, Position(node.lineno, node.col_offset + 1), code, en, zh)
