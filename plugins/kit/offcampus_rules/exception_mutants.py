"""The slips an exception could suffer: left out, begun or ended a day off, lifting a rule less, asking a fact less.

A declaration shows only where somebody activates it, so that its slips are judged with the plugin that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from offcampus_rules.assembly import Assembly
from offcampus_rules.exceptions import Activation, ExceptionFile, NationalException
from offcampus_rules.mutants import Mutant

DatedT = TypeVar("DatedT", Activation, NationalException)


def of_file(file: ExceptionFile, assembly: Assembly) -> Iterator[tuple[Mutant, Assembly]]:
    """Every mutant of a file that takes part in the assembly, with the assembly it makes."""
    declared = file.declared
    if declared is not None and any(item.exception == declared.id for item in assembly.activations):
        for what, was, becomes, changed in _declaration(declared):
            yield (
                _mutant(file, declared.id, what, was, becomes),
                replace(assembly, exceptions={**assembly.exceptions, declared.id: changed}),
            )
    for item in file.activations:
        if item not in assembly.activations:
            continue
        others = tuple(other for other in assembly.activations if other != item)
        yield (
            _mutant(file, item.exception, "activation", item.region, None, item),
            replace(assembly, activations=others),
        )
        for what, was, becomes, moved in _moved(item):
            mutant = _mutant(file, item.exception, what, was, becomes, item)
            yield mutant, replace(assembly, activations=(*others, moved))


def _declaration(item: NationalException) -> Iterator[tuple[str, object, object, NationalException]]:
    yield from _moved(item)
    for rule in item.lifts:
        rest = tuple(other for other in item.lifts if other != rule)
        yield "lifts", rule, None, replace(item, lifts=rest)
    for condition in item.conditions:
        kept = tuple(other for other in item.conditions if other != condition)
        yield "when", condition.fact, None, replace(item, conditions=kept)


def _moved(item: DatedT) -> Iterator[tuple[str, date, date, DatedT]]:
    day = timedelta(days=1)
    for becomes in (item.since - day, item.since + day):
        yield "from", item.since, becomes, replace(item, since=becomes)
    if item.until is not None:
        for becomes in (item.until - day, item.until + day):
            yield "until", item.until, becomes, replace(item, until=becomes)


def _mutant(
    file: ExceptionFile, name: str, what: str, was: object, becomes: object, activation: Activation | None = None
) -> Mutant:
    inside = () if what == "activation" else (what,)
    place = (*activation.path, *inside) if activation is not None else inside
    shown = [item.isoformat() if isinstance(item, date) else item for item in (was, becomes)]
    position = file.document.position(place)
    return Mutant(name, file.document.file, position, 0, what, shown[0], shown[1], file.document)
