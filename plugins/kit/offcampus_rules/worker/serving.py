"""A worker's own loop: load one plugin's source, then answer case after case until the stream ends."""

from __future__ import annotations

import json
import pickle
import socket
import types
from collections.abc import Callable
from typing import Any, cast

from offcampus_rules import hook_loading
from offcampus_rules.decision import Value
from offcampus_rules.findings import MAX_FINDINGS
from offcampus_rules.hookspecs import RETURNS, Case, Hook
from offcampus_rules.worker import frames, traps, wire

_TABLES_MAX = 4096
_FILE = "hooks.py"


def serve(stream: socket.socket) -> None:
    """The first message is (plugin, source); every later one a batch of cases for one hook."""
    traps.spring()
    plugin, source = _from_server(stream)
    hooks: dict[str, Hook] = {}
    _reply(stream, _load(plugin, source, hooks))
    tables: dict[int, dict[str, Value]] = {}
    while True:
        name, cases = _from_server(stream)
        if len(tables) > _TABLES_MAX:
            tables.clear()
        answers = []
        for facts, key, values in cases:
            table = tables.setdefault(key, {})
            table.update(values)
            answers.append(_answer(hooks[name], name, Case(facts, _lookup(stream, table, key))))
        _reply(stream, {"answers": answers})


def _load(plugin: str, source: str, hooks: dict[str, Hook]) -> dict[str, Any]:
    """Run the source and admit its hooks; the declarations are read at once."""
    module = types.ModuleType("hooks")
    module.__dict__.update(traps.namespace("hooks"))
    try:
        exec(compile(source, _FILE, "exec"), module.__dict__)  # noqa: S102 - what this process is for
        hooks.update(hook_loading.hooks_of(module, plugin))
    except hook_loading.HookRefused as error:
        return {"refused": str(error)}
    except BaseException as error:  # noqa: BLE001 - whatever it raises is the plugin's fault
        return {"refused": f"loading it raised {_named(error)}", "line": _line(error)}
    declared = {name: _answer(hooks[name], name) for name in ("disclosure_fields", "warning_levels") if name in hooks}
    return {"hooks": sorted(hooks), "declared": declared}


def _answer(hook: Hook, name: str, *case: Case[Any]) -> Any:
    """The items in JSON terms, or why there are none."""
    try:
        result: object = hook(*case)
        problem = _malformed(result, name)
        return problem or [wire.encode(item) for item in cast("tuple[Any, ...]", result)]
    except frames.BrokenFrame:
        raise  # the server is gone
    except wire.Malformed as error:
        return f"returned what is malformed: {error}"
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a plugin included
        return f"raised {_named(error)}"


def _line(error: BaseException) -> int | None:
    """Where in the source it went wrong."""
    line, trace = error.lineno if isinstance(error, SyntaxError) else None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _malformed(result: object, name: str) -> str | None:
    """Why an answer is none, or None when it has the shape the table promises."""
    if not isinstance(result, tuple):
        return f"returned {type(result).__name__}, expected a tuple"
    if len(result) > MAX_FINDINGS:
        return f"returned {len(result)} items, allowed are {MAX_FINDINGS}"
    strangers = {type(item).__name__ for item in result if type(item) is not RETURNS[name]}
    if strangers:
        return f"returned {', '.join(sorted(strangers))} among the answers, expected {RETURNS[name].__name__}"
    return None


def _named(error: BaseException) -> str:
    """The kind of error; its text may hold data. Only the traps' own text says what was reached for."""
    if isinstance(error, traps.Impure):
        return f"Impure ({error})"
    return type(error).__name__ if type(error).__module__ in ("builtins", "dataclasses") else "an error of its own"


def _lookup(stream: socket.socket, table: dict[str, Value], key: int) -> Callable[[str], Value]:
    """A parameter's value: sent along where the hook asked for it before, asked for otherwise."""

    def value(parameter: str) -> Value:
        if parameter not in table:
            _reply(stream, {"need": parameter, "table": key})
            answer = _from_server(stream)
            if answer is None:
                raise KeyError(parameter)
            table[parameter] = answer
        return table[parameter]

    return value


def _from_server(stream: socket.socket) -> Any:
    return pickle.loads(frames.receive(stream))  # noqa: S301 - the server is who started this process


def _reply(stream: socket.socket, content: dict[str, Any]) -> None:
    frames.send(stream, json.dumps(content, ensure_ascii=False).encode())
