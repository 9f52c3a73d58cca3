"""What goes between server and worker: facts down, answers up.

Down goes pickle, from the server to a process that trusts it. Up never does: whoever unpickles a stranger's bytes runs
the stranger's code. Answers are JSON, built again member by member and of the promised types only.
"""

from __future__ import annotations

import copyreg
import dataclasses
import io
import json
import pickle
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from typing import Any, Literal, cast

from offcampus_rules import context


class Malformed(Exception):
    """An answer is not what the hook promises; the message names the member, never its value."""


def pack(content: Any) -> bytes:
    """What a worker unpickles. Contexts go as their members' values, which takes half of what dataclasses do."""
    stream = io.BytesIO()
    _Packer(stream, pickle.HIGHEST_PROTOCOL).dump(content)
    return stream.getvalue()


def _reducer(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    read = attrgetter(*(field.name for field in dataclasses.fields(kind)))
    return lambda item: (kind, read(item))


class _Packer(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table | {
        kind: _reducer(kind)
        for kind in vars(context).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }


def encode(item: Any) -> Any:
    """A dataclass of `findings` in JSON terms; days, instants and tuples are marked."""
    if isinstance(item, datetime):
        return {"instant": item.isoformat()}
    if isinstance(item, date):
        return {"day": item.isoformat()}
    if isinstance(item, tuple):
        return {"list": [encode(one) for one in item]}
    if dataclasses.is_dataclass(item):
        return {"of": [encode(getattr(item, field.name)) for field in dataclasses.fields(item)]}
    if isinstance(item, Mapping):
        return {"text": json.dumps(item)}
    if item is None or type(item) in (str, int, bool):
        return item
    raise Malformed(f"holds {type(item).__name__}")


def decode(kind: type[Any], content: Any) -> Any:
    """The dataclass again. Raises Malformed when a member is missing, or is of another type than declared."""
    if not isinstance(content, dict) or not isinstance(content.get("of"), list):
        raise Malformed(f"is no {kind.__name__}")
    members, given = _members(cast("Hashable", kind)), content["of"]
    if len(given) != len(members):
        raise Malformed(f"has {len(given)} members, {kind.__name__} has {len(members)}")
    values = [_admit(hint, raw, f"{kind.__name__}.{name}") for (name, hint), raw in zip(members, given, strict=True)]
    return kind(*values)


@cache
def _members(kind: Hashable) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(cast("Any", kind)))


def _admit(hint: Any, raw: Any, where: str) -> Any:
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    for choice in typing.get_args(hint) if union else (hint,):
        try:
            return _one(choice, raw, where)
        except (Malformed, ValueError, TypeError, AttributeError):
            continue
    raise Malformed(f"{where} is of another type than declared")


def _one(hint: Any, raw: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is Literal:
        if type(raw) is not str or raw not in typing.get_args(hint):
            raise Malformed(where)
        return raw
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_admit(inner, one, where) for one in _marked(raw, "list", list))
    if hint is datetime:
        instant = datetime.fromisoformat(_marked(raw, "instant", str))
        if instant.tzinfo is None:
            raise Malformed(where)
        return instant
    if hint is date:
        return date.fromisoformat(_marked(raw, "day", str))
    if origin is not None and issubclass(origin, Mapping):
        return json.loads(_marked(raw, "text", str))
    if dataclasses.is_dataclass(hint):
        return decode(cast("type[Any]", hint), raw)
    if type(raw) is not hint and not (hint is type(None) and raw is None):
        raise Malformed(where)
    return raw


def _marked(raw: Any, mark: str, kind: type[Any]) -> Any:
    if not isinstance(raw, dict) or list(raw) != [mark] or type(raw[mark]) is not kind:
        raise Malformed(mark)
    return raw[mark]
