"""A parameter's value for people, whatever its kind: "60 class hours", "≤10: CNY 70.00; 11–20: CNY 50.00"."""

from __future__ import annotations

from offcampus_rules import units
from offcampus_rules.daysets import DaySet
from offcampus_rules.decision import Raw, Value
from offcampus_rules.messages import Language
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table


def value(item: Value, language: Language) -> str:
    """An effective value in words."""
    return raw(item.value, item.unit, item.of, language)


def raw(content: Raw, unit: str, of: str | None, language: Language) -> str:
    """A value of a unit in words; `of` is the unit of a table's cells."""
    if isinstance(content, Table):
        return _table(content, of or "count", language)
    if isinstance(content, Schedule):
        return "; ".join(_step(after, released, language) for after, released in content.steps)
    if isinstance(content, DaySet):
        return str(content)
    return units.readable(content, unit, language)


def _table(table: Table, of: str, language: Language) -> str:
    open_cell = "未作规定" if language == "zh" else "not regulated"
    cells = (open_cell if row.value is None else units.readable(row.value, of, language) for row in table.rows)
    return "; ".join(f"{row}: {cell}" for row, cell in zip(table.rows, cells, strict=True))


def _step(after: int, released: int, language: Language) -> str:
    done, share = (units.readable(part, "ppm", language) for part in (after, released))
    return f"完成 {done} 后至多 {share}" if language == "zh" else f"up to {share} after {done}"
