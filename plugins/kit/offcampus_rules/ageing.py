"""What time does to a plugin that nobody touches: texts not read again (R-STALE), calendars that end (R-CAL).

Both are warnings, and both depend on the day they are asked on, which the caller passes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from offcampus_rules.calendar import classify
from offcampus_rules.errors import FileProblem
from offcampus_rules.parameters import Entry, Parameter
from offcampus_rules.plugin import Plugin

CHECK_AGAIN_AFTER = timedelta(days=365)
LOOK_AHEAD = timedelta(days=60)
"""The notice for a year comes in November; a deadline of 15 working days over a long holiday fits into this."""


def is_unchecked(entry: Entry) -> bool:
    """Whether a value binds and nobody says when it was last read against the text: counted, and no fault."""
    return entry.binds and entry.value is not None and entry.checked_on is None


def warnings(plugin: Plugin, definitions: Mapping[str, Parameter], today: date) -> Iterator[FileProblem]:
    """Values in force that want a reader's eye again."""
    horizon = today + LOOK_AHEAD
    for file in plugin.parameter_files:
        for index, (item, entry) in enumerate(zip(file.document.content["values"], file.entries, strict=True)):
            if entry.value is None or not entry.binds or not entry.in_force(today):
                continue
            read_on = item.get("checked_on")
            if read_on is not None and date.fromisoformat(read_on) + CHECK_AGAIN_AFTER < today:
                yield file.document.problem(
                    ("values", index, "checked_on"),
                    "R-STALE",
                    f"last checked against the text on {read_on}, more than a year before {today}: read it again",
                    f"最近核对日 {read_on} 距 {today} 已逾一年，请重新核对原文",
                    "warning",
                )
            if (entry.unit or definitions[file.id].unit) == "working_days" and not classify(horizon).known:
                yield file.document.problem(
                    ("values", index, "value"),
                    "R-CAL",
                    f"the holidays of {horizon.year} are not known to this kit: deadlines into it are provisional",
                    f"本规则包尚无 {horizon.year} 年放假安排：跨入该年的期限为暂定",
                    "warning",
                )
