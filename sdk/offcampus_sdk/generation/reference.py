"""The text of `docs/sdk/reference.md`: every public class and operation, from the docstrings and signatures."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

MODULES = (
    "client", "errors", "retries", "keys", "sm2", "group", "reporter", "spool", "webhooks", "checking", "rules",
    "observation",
    "testing.fake", "testing.faults", "witness", "proofs",
)  # fmt: skip
HEADER = """# Reference

Made from the docstrings by `python -m offcampus_sdk.generate`, do not edit. Models of the records stand in
[models.py](../../sdk/offcampus_sdk/models.py), made from the [schemas](../../spec/schemas).
`AsyncClient` has the same groups and operations; there each call is awaited and a list is read with `async for`.
"""


def render() -> str:
    """The whole page."""
    parts = [HEADER, "## Operations", *_operations()]
    for name in MODULES:
        parts += _module(name)
    return "\n\n".join(parts) + "\n"


def _operations() -> Iterator[str]:
    surface = importlib.import_module("offcampus_sdk.surface")
    transport: Any = None
    for name, group in vars(surface.Surface(transport)).items():
        yield f"### client.{name}"
        for method, function in _own_functions(type(group)):
            yield _entry(f"client.{name}.{method}", function)


def _module(name: str) -> Iterator[str]:
    module = importlib.import_module(f"offcampus_sdk.{name}")
    yield f"## offcampus_sdk.{name}"
    yield inspect.cleandoc(module.__doc__ or "").replace("\n#", "\n\\#")
    for label, found in vars(module).items():
        if label.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(found) and found.__doc__:
            yield f"### {label}"
            yield _quoted(found.__doc__)
            for method, function in _own_functions(found):
                yield _entry(f"{label}.{method}", function)
        elif inspect.isfunction(found):
            yield _entry(label, found)


def _own_functions(owner: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, found in vars(owner).items():
        function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
        if name[0] != "_" and inspect.isfunction(function) and function.__doc__:
            yield name, function


def _entry(label: str, function: Any) -> str:
    signature = str(inspect.signature(function)).replace("(self, ", "(").replace("(self)", "()").replace("(cls, ", "(")
    signature = re.sub(r"<[^<>]*(?:<[^<>]*>)?[^<>]* at 0x[0-9a-f]+>", "…", signature.replace("'", ""))
    return f"`{label}{signature}`\n\n{_quoted(function.__doc__)}"


def _quoted(docstring: str) -> str:
    """Prose stays prose; what is indented (arguments, examples) stays as it is written."""
    lines = inspect.cleandoc(docstring).splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)
