"""Inside the interpreter: what a hook must not do says so at once, by name, instead of giving an answer that varies.

No boundary (whoever wants to gets around it: the walls outside hold), but the honest mistake, a clock read or a file
opened, fails the first time and everywhere.
"""

from __future__ import annotations

import builtins
import datetime as datetime_module
import importlib
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from offcampus_rules.code_reading import ALLOWED_IMPORTS


class Impure(Exception):
    """A hook reached for something that is not in its case."""


_FORBIDDEN_EVENTS = (
    "open", "socket.", "os.", "subprocess.", "ctypes.", "gc.", "shutil.", "tempfile.", "urllib.", "http.", "mmap.",
    "fcntl.", "resource.", "signal.", "pty.", "sqlite3.", "time.sleep", "sys.addaudithook", "sys.settrace",
    "sys.setprofile", "cpython.run_", "code.__new__", "builtins.input", "builtins.breakpoint", "syslog.", "webbrowser.",
)  # fmt: skip
_CLOCKS = (
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
    "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "clock_gettime_ns", "localtime", "gmtime",
    "ctime", "strftime", "sleep",
)  # fmt: skip
_BUILTINS = ("open", "input", "breakpoint", "exec", "eval", "compile", "memoryview", "help", "exit", "quit")


def preload() -> None:
    """Have what a hook may import in memory, since nothing can be read later."""
    for name in ALLOWED_IMPORTS:
        importlib.import_module(name)


def spring() -> None:
    """Set every trap; there is no way back in this process."""
    for name in _CLOCKS:
        setattr(time, name, _refusing(f"time.{name}"))
    datetime_module.datetime = _Timeless("datetime", (), {"real": datetime_module.datetime})  # type: ignore[misc,assignment]
    datetime_module.date = _Timeless("date", (), {"real": datetime_module.date})  # type: ignore[misc,assignment]
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.addaudithook(_audit)


def namespace(name: str) -> dict[str, Any]:
    """The globals a plugin's source runs in: builtins without the way out."""
    safe = {key: item for key, item in vars(builtins).items() if key not in _BUILTINS}
    safe["__import__"] = _guarded_import
    return {"__name__": name, "__builtins__": safe}


class _Timeless(type):
    """Stands in for a class whose `now` and `today` would read the clock; everything else is the class's own."""

    real: type[Any]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.real(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real)

    def __getattr__(cls, name: str) -> Any:
        if name in ("now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"):
            raise Impure(f"{cls.__name__}.{name}")
        return getattr(cls.real, name)


def _refusing(name: str) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise Impure(name)

    return refuse


def _audit(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN_EVENTS):
        raise Impure(event)


def _guarded_import(
    name: str,
    globals_: Mapping[str, object] | None = None,
    locals_: Mapping[str, object] | None = None,
    fromlist: tuple[str, ...] = (),
    level: int = 0,
) -> Any:
    if level or name not in ALLOWED_IMPORTS:
        raise Impure(f"import {name}; allowed: {', '.join(sorted(ALLOWED_IMPORTS))}")
    return builtins.__import__(name, globals_, locals_, fromlist, level)
