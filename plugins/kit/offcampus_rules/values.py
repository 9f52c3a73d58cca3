"""Values against their parameter's definition: unit, axes, options, bands without overlap or gap.

A locality's file does not repeat the definition, so this is looked at when the plugins are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from offcampus_rules import tables, units
from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Entry, Parameter
from offcampus_rules.tables import Band, Table


def check(entries: Iterable[Entry], definition: Parameter) -> tuple[FileProblem, ...]:
    """Every value is written as its definition demands; only a duration may be written in another duration unit."""
    return tuple(problem for entry in entries for problem in _check(entry, definition))


def _check(entry: Entry, definition: Parameter) -> Iterator[FileProblem]:
    unit = entry.unit or definition.unit
    swapped = unit != definition.unit and not {unit, definition.unit} <= units.DURATIONS
    if swapped or not units.fits(entry.value, unit):
        yield FileProblem(
            entry.file,
            entry.position,
            "R-UNIT",
            f"{_told(entry)} in {unit} is not a value of {definition.id}, whose unit is {definition.unit}",
            f"{_told(entry)}（{unit}）不是参数 {definition.id} 的合法取值，其单位为 {definition.unit}",
        )
    elif isinstance(entry.value, Table):
        yield from _check_table(entry.value, definition)
    elif definition.order and isinstance(entry.value, str) and entry.value not in definition.order:
        known = ", ".join(definition.order)
        yield FileProblem(
            entry.file,
            entry.position,
            "R-UNIT",
            f"{entry.value} is not among the options of {definition.id}: {known}",
            f"{entry.value} 不在参数 {definition.id} 的选项之内：{known}",
        )


def _told(entry: Entry) -> str:
    return "this value" if units.is_structured(entry.value) else repr(entry.value)


def _check_table(table: Table, definition: Parameter) -> Iterator[FileProblem]:
    axes = {axis.name: axis for axis in definition.axes}
    first = table.rows[0]
    if set(table.axes) != set(axes):
        stated, wanted = ", ".join(table.axes), ", ".join(axes)
        en = f"the rows state {stated}; the axes of {definition.id} are {wanted}"
        yield FileProblem(first.file, first.position, "R-UNIT", en, f"行的维度为 {stated}，定义的维度为 {wanted}")
        return
    misplaced = False
    for row in table.rows:
        for name, item in zip(table.axes, row.at, strict=True):
            axis = axes[name]
            if isinstance(item, Band) == (axis.bands is not None) and (axis.bands or item in axis.options):
                continue
            misplaced = True
            wanted = f"a band of {axis.bands}" if axis.bands else f"one of {', '.join(axis.options)}"
            en, zh = f"{name} is {item}, expected {wanted}", f"{name} 为 {item}，须为 {wanted}"
            yield FileProblem(row.file, row.position, "R-UNIT", en, zh)
    if misplaced:
        return
    for fault in tables.faults(table, {axis.name: axis.least for axis in definition.axes}):
        if fault.code == "R-GAP":
            en = f"no row for {fault.cell}; say which row an end belongs to, or write a row with value null"
            zh = f"{fault.cell} 无对应行；请写明端点归属，或写 value 为 null 的行"
        else:
            other = fault.other.position.line if fault.other else 0
            en = f"{fault.cell} stands in two rows, the other in line {other}; say which of them an end belongs to"
            zh = f"{fault.cell} 落入两行，另一行在第 {other} 行；请写明端点归属"
        yield FileProblem(fault.row.file, fault.row.position, fault.code, en, zh)
