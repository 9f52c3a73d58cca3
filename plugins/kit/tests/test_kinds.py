"""Tables, schedules, calendars, ordered options: what a file may write, and what is read out of it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from offcampus_rules import RuleFileError, RuleSetError, Scope
from offcampus_rules.daysets import DaySet
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.schedules import Schedule
from offcampus_rules.tables import Table

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
KINDS = README.partition("### Kinds of values")[2].partition("### How levels")[0]
PRICE, SCHEDULE, CALENDAR = re.findall(r"```yaml\n(.*?)```", KINDS, re.DOTALL)
[CSV] = re.findall(r"```csv\n(.*?)```", KINDS, re.DOTALL)
HERE = Scope("440305", "academic", "compulsory", "offline")
DAY = date(2026, 3, 2)

HEAD = """\
id: sale.limit
title: {zh: 限度, en: Limit}
unit: UNIT
binding: floor
stricter: STRICTER
protects: payer
governed_by: contract_date
judgement: {confidence: reported}
"""
VALUES = """\
values:
  - from: 2021-01-01
    confidence: reported
    source: {document: 文件}
"""


def file_of(value, unit, stricter, definition=""):
    head = HEAD.replace("UNIT", unit).replace("STRICTER", stricter)
    return head + definition + VALUES + "".join(f"    {line}\n" for line in value.strip().splitlines())


def rows(*lines):
    return (
        PRICE.partition("      rows:\n")[0]
        + "      rows:\n"
        + "".join(f"        - {line}\n" for line in lines)
        + ("    confidence: reported\n    source: {document: 示例通知}\n")
    )


@pytest.fixture
def problems(write):
    """What is wrong with one parameter file, as (line, code), wherever it is found; the first text as well."""

    def find(text, **beside):
        files = {"parameters/sale/limit.yaml": text}
        files |= {f"parameters/sale/{name}.csv": content for name, content in beside.items()}
        try:
            rejected = build([read_folder(write("000000", files))])
        except RuleFileError as error:
            found = error.problems
        except RuleSetError as error:
            found = _told(str(error))
        else:
            assert rejected.rejected == ()
            return []
        return [(p.file.name, p.position.line, p.code) if hasattr(p, "code") else p for p in found]

    return find


def _told(text):
    return [(name, int(line), code) for name, line, code in re.findall(r"([a-z]+\.\w+):(\d+):\d+: (R-[A-Z]+)", text)]


@pytest.fixture
def value(read):
    def of(text, parameter="sale.limit", **beside):
        files = {"parameters/sale/limit.yaml": text}
        files |= {f"parameters/sale/{name}.csv": content for name, content in beside.items()}
        return build([read("000000", files)]).value(parameter, HERE, DAY)

    return of


@pytest.mark.parametrize(
    ("size", "fen"), [(1, 7000), (10, 7000), (11, 5000), (20, 5000), (21, 4000), (30, 4000), (31, 3500), (500, 3500)]
)
def test_four_bands(value, size, fen):
    """Scenario 14: Shenzhen's four bands, at each end."""
    cell = value(PRICE, "price.standard_hour_fen_max").at(class_size=size, area="all")
    assert (cell.value, cell.unit, cell.of) == (fen, "fen", None)
    assert str(cell.source) == "示例通知"


def test_a_cell_knows_its_line(value):
    """The row that answered can be pointed at."""
    table = value(PRICE, "price.standard_hour_fen_max").value
    assert isinstance(table, Table)
    row = table.row(class_size=25, area="all")
    assert row is not None
    assert PRICE.splitlines()[row.position.line - 1].endswith("value: 4000}")


ENSHI = rows(
    "{class_size: {at_most: 10}, area: urban, value: 3200}",
    "{class_size: {above: 10, below: 35}, area: urban, value: 2700}",
    "{class_size: {at_least: 35}, area: urban, value: 2200}",
    "{class_size: {at_most: 10}, area: rural, value: 2700}",
    "{class_size: {above: 10, below: 35}, area: rural, value: 2200}",
    "{class_size: {at_least: 35}, area: rural, value: null}",
)


@pytest.mark.parametrize(
    ("area", "size", "fen"),
    [("urban", 10, 3200), ("urban", 34, 2700), ("urban", 35, 2200), ("rural", 34, 2200), ("rural", 35, None), ("all", 12, None)],
)  # fmt: skip
def test_urban_and_rural(value, area, size, fen):
    """Scenario 14: Enshi's split; an area or cell nobody regulates is told to be so, with the reason, and not guessed."""
    cell = value(ENSHI, "price.standard_hour_fen_max").at(class_size=size, area=area)
    assert cell.value == fen
    assert bool(cell.reason_if_none and cell.reason_if_none_zh) == (fen is None)


def test_a_table_is_read_at_its_own_axes(value):
    """A misspelt axis is an error, not silence."""
    price = value(PRICE, "price.standard_hour_fen_max")
    with pytest.raises(KeyError, match="class_size"):
        price.at(size=12, area="all")
    with pytest.raises(TypeError, match="no table"):
        price.at(class_size=12, area="all").at(class_size=12)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["{class_size: {at_most: 10}, area: all, value: 1}", "{class_size: {at_least: 10}, area: all, value: 2}"], [(19, "R-OVERLAP")]),
        (["{class_size: {below: 10}, area: all, value: 1}", "{class_size: {above: 10}, area: all, value: 2}"], [(19, "R-GAP")]),
        (["{class_size: {at_least: 2}, area: all, value: 1}"], [(18, "R-GAP")]),
        (["{class_size: {at_most: 35}, area: all, value: 1}"], [(18, "R-GAP")]),
        (["{class_size: {at_least: 1}, area: all, value: 1}", "{class_size: {at_most: 9}, area: urban, value: 1}"], [(19, "R-GAP")]),
        (["{class_size: {above: 9, below: 10}, area: all, value: 1}"], [(18, "R-UNIT")]),
        (["{class_size: {at_least: 1}, area: town, value: 1}"], [(18, "R-UNIT")]),
        (["{class_size: all, area: all, value: 1}"], [(18, "R-UNIT")]),
        (["{class_size: {at_least: 1}, value: 1}"], [(18, "R-UNIT")]),
        (["{class_size: {at_least: 1}, area: all, value: 1}", "{class_size: {at_least: 1}, value: 1}"], [(19, "R-UNIT")]),
        (["{class_size: {at_least: 1, above: 2}, area: all, value: 1}"], [(18, "R-SCHEMA")]),
        (["{class_size: {at_least: 1}, area: all, value: 70.5}"], [(18, "R-YAML")]),
        (["{class_size: {at_least: 1}, area: all}"], [(18, "R-SCHEMA")]),
    ],
)  # fmt: skip
def test_tables_that_leave_a_doubt(problems, lines, expected):
    """Overlap, gap, other axes, other options, no number: each at its line. 10人以下 with 10人以上 is the classic."""
    found = [(line, code) for name, line, code in problems(rows(*lines)) if name == "limit.yaml"]
    assert found[:1] == expected


BY_CSV = PRICE.partition("      rows:\n")[0] + (
    "      rows: {csv: price.csv}\n    confidence: reported\n    source: {document: 示例通知}\n"
)


def test_a_csv(value):
    """The same table from a spreadsheet's file (its byte order mark included), with the line of each row."""
    price = value(BY_CSV, "price.standard_hour_fen_max", price="\ufeff" + CSV)
    assert [price.at(class_size=size, area="urban").value for size in (10, 11, 34, 35)] == [3200, 2700, 2700, 2200]
    row = price.value.row(class_size=34, area="urban")
    assert (row.file.name, row.position.line) == ("price.csv", 3)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("11,34,urban,2700", "11,34,urban,27.00", ("price.csv", 3, "R-UNIT")),
        ("11,34,urban,2700", "11,34,urban,02700", ("price.csv", 3, "R-UNIT")),
        ("11,34,urban,2700", '11,34,urban,"2,700"', ("price.csv", 3, "R-UNIT")),
        ("11,34,urban,2700", "11,34,2700", ("price.csv", 3, "R-SCHEMA")),
        ("11,34,urban,2700", "11,34,,2700", ("price.csv", 3, "R-UNIT")),
        ("11,34,urban", "10,34,urban", ("price.csv", 3, "R-OVERLAP")),
        ("11,34,urban", "12,34,urban", ("price.csv", 3, "R-GAP")),
        (",value", ",fen", ("price.csv", 1, "R-SCHEMA")),
        ("class_size.at_most", "class_size.to", ("price.csv", 1, "R-SCHEMA")),
        (",10,urban", ",1\u200b0,urban", ("price.csv", 2, "R-BIDI")),
    ],
)  # fmt: skip
def test_a_csv_with_a_doubt(problems, old, new, expected):
    """Fractions, separators, missing cells, headings, invisible characters: in the CSV and at its line."""
    assert problems(BY_CSV, price=CSV.replace(old, new))[:1] == [expected]


def test_csv_files_and_values_name_each_other(problems):
    """A table that is not there, and one that nobody names."""
    assert problems(BY_CSV)[0][2] == "R-FILE"
    assert problems(PRICE, other=CSV) == [("other.csv", 1, "R-FILE")]


def test_a_csv_counts_for_the_digest(read):
    """Changing a price in the CSV changes the rule set."""
    digests = set()
    for name, text in (("a", CSV), ("b", CSV.replace("2700", "2699"))):
        files = {"parameters/sale/limit.yaml": BY_CSV, "parameters/sale/price.csv": text}
        digests.add(build([read("000000", files, name=name)]).digest)
    assert len(digests) == 2


MEASURED = "measured_by: elapsed\n"


@pytest.mark.parametrize(
    ("done", "share"),
    [(0, 300_000), (333_333, 300_000), (333_334, 600_000), (666_666, 600_000), (666_667, 1_000_000), (1_000_000, 1_000_000)],
)  # fmt: skip
def test_three_three_four(value, done, share):
    """Scenario 15: the cumulative share at each step and just before it."""
    schedule = value(file_of(SCHEDULE, "schedule", "lower", MEASURED)).value
    assert isinstance(schedule, Schedule)
    assert schedule.released(done) == share


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("after_ppm: 333334", "after_ppm: 0", 17, "R-UNIT"),
        ("released_ppm: 600000", "released_ppm: 200000", 17, "R-UNIT"),
        ("released_ppm: 1000000", "released_ppm: 900000", 18, "R-DEAD"),
        ("released_ppm: 1000000", "released_ppm: 1000001", 18, "R-SCHEMA"),
    ],
)
def test_schedules_that_cannot_be_followed(problems, old, new, line, code):
    """Steps that fall back, and money that would never leave."""
    text = file_of(SCHEDULE.replace(old, new), "schedule", "lower", MEASURED)
    assert problems(text)[:1] == [("limit.yaml", line, code)]


def test_a_calendar(value):
    """Both ends of a span belong to it."""
    calendar = value(file_of(CALENDAR, "dates", "superset")).value
    assert isinstance(calendar, DaySet)
    inside = [date(2026, 6, 19), date(2026, 7, 11), date(2026, 8, 31)]
    outside = [date(2026, 6, 18), date(2026, 6, 20), date(2026, 7, 10), date(2026, 9, 1)]
    assert [day in calendar for day in inside + outside] == [True] * 3 + [False] * 4


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("2026-06-19", "2026-07-12", "R-OVERLAP"),
        ("last: 2026-08-31", "last: 2026-07-01", "R-DATE"),
        ("last: 2026-08-31", "last: 2026-08-32", "R-SCHEMA"),
    ],
)
def test_calendars_that_contradict_themselves(problems, old, new, code):
    """A day said twice, a span that ends before it begins, a day that does not exist."""
    assert problems(file_of(CALENDAR.replace(old, new), "dates", "superset"))[0][2] == code


ORDER = "order: [reserve_only, institution_custody, payer_locked]\n"


@pytest.mark.parametrize(
    ("option", "definition", "stricter", "code"),
    [
        ("institution_custody", ORDER, "later", None),
        ("wallet", ORDER, "later", "R-UNIT"),
        ("institution_custody", "", "later", "R-SCHEMA"),
        ("institution_custody", ORDER, "lower", "R-UNIT"),
    ],
)
def test_ordered_options(problems, option, definition, stricter, code):
    """`later` needs an order, and a value stands in it."""
    found = problems(file_of(f"value: {option}", "option", stricter, definition))
    assert [item[2] for item in found][:1] == ([code] if code else [])


@pytest.mark.parametrize(
    ("extra", "codes"), [("", ["R-DATE"]), ("retroactive: true", []), ("published: 2021-01-01", [])]
)
def test_in_force_before_it_was_published(problems, extra, codes):
    """Published after it took effect is an error until somebody says that it is meant."""
    line = extra if extra.startswith("published") else "published: 2021-01-02\n" + extra
    found = problems(file_of(f"value: 60\n{line}", "class_hours", "lower"))
    assert [item[2] for item in found] == codes
