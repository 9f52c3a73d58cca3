"""Twins of contexts, for reading many: the same members, checks and methods, but read from JSON in a fifth of the time.

A twin answers whatever rules ask of a case. It is no context: who keeps a case, or hands it to a hook, builds the one.
A scope's own check is left to whoever reads, since many cases share a scope.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable
from functools import cache
from typing import Any, cast

import msgspec

from offcampus_rules.context import Scope


def twin(kind: type[Any]) -> type[msgspec.Struct]:
    """The twin of a context; it refuses members that the context does not have, and values of other types."""
    return _twin(cast("Hashable", kind))


@cache
def _twin(kind: Hashable) -> type[msgspec.Struct]:
    hints = typing.get_type_hints(kind)
    members = [
        (item.name, _of(hints[item.name]), *(() if item.default is dataclasses.MISSING else (item.default,)))
        for item in dataclasses.fields(cast("Any", kind))
    ]
    namespace = {name: item for name, item in vars(kind).items() if isinstance(item, (types.FunctionType, property))}
    kept = {name: item for name, item in namespace.items() if not name.startswith("__")}
    if "__post_init__" in namespace and kind is not Scope:
        kept["__post_init__"] = namespace["__post_init__"]
    name = cast("type", kind).__name__
    return msgspec.defstruct(name, members, namespace=kept, frozen=True, forbid_unknown_fields=True, gc=False)


def _of(hint: Any) -> Any:
    """A type with every context in it replaced by its twin."""
    if dataclasses.is_dataclass(hint):
        return twin(cast("type[Any]", hint))
    parts = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if not parts or origin is typing.Literal:
        return hint
    made = tuple(part if part is ... else _of(part) for part in parts)
    return typing.Union[made] if origin in (types.UnionType, typing.Union) else origin[made]  # noqa: UP007 - a tuple of types
