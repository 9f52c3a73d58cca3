"""Facts as plain data (JSON or YAML) into typed contexts: for case files, `explain`, and stored facts.

Every field is known, complete and of its type; a money amount is never a float, an instant never without offset.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, TypeVar, cast

from offcampus_rules.errors import RuleKitError

ContextT = TypeVar("ContextT")


class FactsError(RuleKitError):
    """Facts do not describe the case that is asked about; the message names the fact, what it is and may be."""


def context(kind: type[ContextT], facts: Mapping[str, Any], where: str = "") -> ContextT:
    """Build a context. Raises FactsError for an unknown, missing or ill-typed fact."""
    known = _fields(cast("Hashable", kind))
    unknown = sorted(set(facts) - set(known))
    if unknown:
        raise FactsError(f"{where}{unknown[0]} is no fact of {kind.__name__}; known: {', '.join(known)}")
    missing = sorted(name for name, (_, required) in known.items() if required and name not in facts)
    if missing:
        raise FactsError(f"{where}{missing[0]} is missing from the facts of {kind.__name__}")
    values = {name: _value(known[name][0], item, f"{where}{name}") for name, item in facts.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise FactsError(f"{where or kind.__name__}: {error}") from error


def partial(kind: type[ContextT], facts: Mapping[str, Any]) -> tuple[ContextT, tuple[str, ...]]:
    """A context that may lack facts, and the names of those it lacks: reading one raises AttributeError with its name.

    Facts with a default take it: they are left out where they are stored, and what contexts learnt later defaults to
    None, "not told". Raises FactsError for an unknown or ill-typed fact.
    """
    known = _fields(cast("Hashable", kind))
    unknown = sorted(set(facts) - set(known))
    if unknown:
        raise FactsError(f"{unknown[0]} is no fact of {kind.__name__}; known: {', '.join(known)}")
    case = object.__new__(kind)
    for field in dataclasses.fields(cast("Any", kind)):
        if field.name in facts:
            object.__setattr__(case, field.name, _value(known[field.name][0], facts[field.name], field.name))
        elif field.default is not dataclasses.MISSING:
            object.__setattr__(case, field.name, field.default)
    return case, tuple(sorted(needed(kind)[0] - set(facts)))


def needed(kind: type[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The facts that a case has to tell, and all that it may tell."""
    return _needed(cast("Hashable", kind))


@cache
def _needed(kind: Hashable) -> tuple[frozenset[str], frozenset[str]]:
    known = _fields(kind)
    return frozenset(name for name, (_, required) in known.items() if required), frozenset(known)


@cache
def _fields(kind: Hashable) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is dataclasses.MISSING)
        for field in dataclasses.fields(cast("Any", kind))
    }


def _value(hint: Any, item: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional(hint, item, where)
    if origin is Literal:
        return _one_of(typing.get_args(hint), item, where)
    if origin is tuple:
        if not isinstance(item, list):
            raise FactsError(f"{where} is {item!r}, expected a list")
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, one, f"{where}.{index}") for index, one in enumerate(item))
    if dataclasses.is_dataclass(hint) or origin is Mapping:
        if not isinstance(item, Mapping):
            raise FactsError(f"{where} is {item!r}, expected an object")
        if origin is Mapping:
            return {str(key): _value(typing.get_args(hint)[1], one, f"{where}.{key}") for key, one in item.items()}
        return context(cast("type[Any]", hint), item, f"{where}.")
    return _scalar(hint, item, where)


def _optional(hint: Any, item: Any, where: str) -> Any:
    if item is None:
        return None
    kinds = [part for part in typing.get_args(hint) if part is not type(None)]
    return _value(next((kind for kind in kinds if type(item) is kind), kinds[0]), item, where)


def _one_of(allowed: tuple[Any, ...], item: Any, where: str) -> Any:
    if item not in allowed:
        raise FactsError(f"{where} is {item!r}, expected one of {', '.join(map(str, allowed))}")
    return item


def _scalar(kind: type, item: Any, where: str) -> Any:
    if kind in (date, datetime) and isinstance(item, str):
        try:
            return kind.fromisoformat(item)
        except ValueError as error:
            raise FactsError(f"{where} is {item!r}, expected a {kind.__name__} (ISO 8601)") from error
    if type(item) is not kind:
        raise FactsError(f"{where} is {item!r}, expected {kind.__name__}")
    return item
