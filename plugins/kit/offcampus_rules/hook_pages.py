"""Writes the page of hooks: each with its signature, what it is asked and may answer, and an example that is tested.

    python -m offcampus_rules.hook_pages EXAMPLES.py PAGE.md

Everything comes from where it is decided (`hookspecs`, `hook_table`, the contexts, `findings`); the examples are the
functions of a module that has every hook, so that none is text only. A test compares the page with what this writes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offcampus_rules.hook_table import HOOK_TABLE, HookRow
from offcampus_rules.hookspecs import RETURNS, Hooks

_HEAD = """# Hooks

For what data cannot say. Written by `python -m offcampus_rules.hook_pages`; the examples are the synthetic province's
own (`{examples}`), and a test fails when one of them makes no
difference to any answer. How a plugin's Python is run, and what is refused, stands in
[the kit's README](../../plugins/kit/README.md#hooks).

Each hook takes one frozen `case`: `case.facts`, and `case.value("parameter")`, the effective value at the case's place
and date with its source (`.value` is None where nothing is regulated). It returns a tuple; an empty one adds nothing.
"""


def page(examples: Path, named: str) -> str:
    """The whole page; `named` is how it calls the examples' file."""
    sources = _functions(examples.read_text(encoding="utf-8"))
    parts = [_HEAD.format(examples=named), *(_section(row, sources) for row in HOOK_TABLE.values()), *_contexts()]
    return "\n".join(parts)


def _functions(text: str) -> Mapping[str, str]:
    """Each function with its decorator, as it is written."""
    lines = text.splitlines()
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return {
        node.name: "\n".join(
            lines[min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1 : node.end_lineno]
        )
        for node in functions
    }


def _section(row: HookRow, sources: Mapping[str, str]) -> str:
    hook = getattr(Hooks, row.name)
    asked = (
        f"[`{row.case.__name__}`](#{row.case.__name__.lower()})" if row.case is not None else "nothing, once, at load"
    )
    policy = row.on_failure.replace("_", " ")
    lines = [
        f"## `{row.name}`",
        "",
        inspect.cleandoc(hook.__doc__ or ""),
        "",
        "```python",
        signature(row.name),
        "```",
        "",
        f"- asked about: {asked}; governing date: {row.governing}; {row.budget_ms} ms",
        f"- answers: {_members(RETURNS[row.name])}",
        f"- answers of several plugins: {row.combination.replace('_', ' ')}",
        f"- when it fails: **{policy}**: {row.meaning}",
        "",
        "```python",
        sources[row.name],
        "```",
        "",
    ]
    return "\n".join(lines)


def signature(name: str) -> str:
    """A hook's signature as a plugin writes it."""
    text = str(inspect.signature(getattr(Hooks, name))).replace("(self, ", "(").replace("(self)", "()").replace("'", "")
    return f"def {name}{text}: ..."


def _members(kind: type[Any]) -> str:
    return f"`{kind.__name__}({', '.join(_member(field) for field in dataclasses.fields(kind))})`"


def _member(field: dataclasses.Field[Any]) -> str:
    optional = field.default is not dataclasses.MISSING
    return f"{field.name}: {field.type}" + (f" = {field.default}" if optional else "")


def _contexts() -> Iterator[str]:
    yield "# What is asked\n\nA fact that nobody told is None. Money is in fen, hours in hundredths of a class hour.\n"
    for kind in dict.fromkeys(row.case for row in HOOK_TABLE.values() if row.case is not None):
        text = inspect.cleandoc(kind.__doc__ or "")
        facts = "\n".join(f"{_member(field)}" for field in dataclasses.fields(kind))
        yield f"## {kind.__name__}\n\n{text}\n\n```text\n{facts}\n```\n"


def main(arguments: list[str]) -> None:
    """Write the page."""
    examples, target = map(Path, arguments)
    target.write_text(page(examples, examples.as_posix()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
