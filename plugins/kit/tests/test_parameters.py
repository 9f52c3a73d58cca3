"""A parameter file says what, where, when and by which text; what it leaves open or says twice is refused."""

from __future__ import annotations

import re
import textwrap

import pytest
from offcampus_rules import RuleFileError, RuleSetError
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

HEAD = """\
id: sale.limit
title: {zh: 限度, en: Limit}
unit: UNIT
binding: BINDING
stricter: STRICTER
protects: payer
governed_by: contract_date
judgement: {confidence: reported}
values:
"""


def file_of(values, unit="class_hours", binding="floor", stricter="lower"):
    head = HEAD.replace("UNIT", unit).replace("BINDING", binding).replace("STRICTER", stricter)
    return head + textwrap.indent(textwrap.dedent(values).strip("\n"), "  ") + "\n"


GOOD = """
- from: 2021-01-01
  value: 60
  confidence: reported
  source: {document: 文件}
"""


def problems(write_error):
    return [(problem.position.line, problem.code) for problem in write_error.value.problems]


DATED = "- {{from: 2021-01-01, until: {}, value: 60, confidence: {}, source: {{document: 文件}}}}"


@pytest.mark.parametrize(
    ("values", "line", "code", "words"),
    [
        ("- {from: 2021-01-01, value: 60, confidence: reported}", 10, "R-SOURCE", "source"),
        ("- {from: 2021-01-01, value: 60, source: {document: 文件}}", 10, "R-SOURCE", "confidence"),
        ("- {from: 2021-01-01, value: null}", 10, "R-SCHEMA", "reason"),
        ("- {from: 2021-02-30, value: 60, confidence: reported, source: {document: 文件}}", 10, "R-SCHEMA", "from"),
        ("- {from: 2021-01-01, value: 60, confidence: sure, source: {document: 文件}}", 10, "R-SCHEMA", "confidence"),
        ("- {from: 2021-01-01, value: -1, confidence: reported, source: {document: 文件}}", 10, "R-SCHEMA", "value"),
        ("- {from: 2021-01-01, valeu: 60, confidence: reported, source: {document: 文件}}", 10, "R-SCHEMA", "valeu"),
        (DATED.format("2021-01-01", "reported"), 10, "R-DATE", "until"),
        (DATED.format("2020-01-01", "memory"), 10, "R-DATE", "until"),
    ],
)  # fmt: skip
def test_a_file_that_says_too_little_or_wrong(write, values, line, code, words):
    """Each fault is told with its line, its code, and both languages."""
    root = write("000000", {"parameters/sale/limit.yaml": file_of(values)})
    with pytest.raises(RuleFileError) as caught:
        read_folder(root)
    assert (line, code) in problems(caught)
    told = [problem for problem in caught.value.problems if problem.code == code]
    assert any(words in str(problem) for problem in told)
    assert all(re.search("[\u4e00-\u9fff]", problem.message_zh) for problem in told)


OVERLAP = """
- {from: 2021-01-01, value: 60, confidence: reported, source: {document: 文件}}
- {from: 2022-01-01, value: 50, confidence: reported, source: {document: 文件}}
"""
GAP = """
- {from: 2021-01-01, until: 2022-01-01, value: 60, confidence: reported, source: {document: 文件}}
- {from: 2022-01-02, value: 50, confidence: reported, source: {document: 文件}}
"""
PART_OVERLAP = """
- {from: 2021-01-01, value: 60, scope: {sector: [sport, academic]}, confidence: reported, source: {document: 文件}}
- {from: 2022-01-01, value: 50, scope: {sector: [academic], delivery: [online]}, confidence: official,
   source: {document: 文件}}
"""
WRONG_UNIT = """
- {from: 2021-01-01, value: "20:30", confidence: reported, source: {document: 文件}}
"""
FOREIGN_UNIT = """
- {from: 2021-01-01, value: 60, unit: days, confidence: reported, source: {document: 文件}}
"""


@pytest.mark.parametrize(
    ("values", "line", "code"),
    [
        (OVERLAP, 11, "R-OVERLAP"),
        (GAP, 11, "R-GAP"),
        (PART_OVERLAP, 11, "R-OVERLAP"),
        (WRONG_UNIT, 10, "R-UNIT"),
        (FOREIGN_UNIT, 10, "R-UNIT"),
    ],
)
def test_values_that_contradict_each_other(read, values, line, code):
    """Two values at once, a hole between values, another unit: the plugin is not taken."""
    plugin = read("000000", {"parameters/sale/limit.yaml": file_of(values)})
    with pytest.raises(RuleSetError, match=rf"limit.yaml:{line}:\d+: {code} "):
        build([plugin])


@pytest.mark.parametrize(
    "values",
    [
        GOOD,
        GAP.replace("2022-01-02", "2022-01-01"),
        OVERLAP.replace("50, confidence: reported", "50, confidence: memory"),
        GAP + "- {from: 2022-01-01, until: 2022-01-02, value: null, reason: {zh: 空, en: nobody said}}",
        PART_OVERLAP.replace("delivery: [online]", "stage: [compulsory]").replace("[sport, academic]", "[sport]"),
    ],
)
def test_values_that_follow_each_other(read, values):
    """A later value after an earlier one, notes beside either, a null that fills a hole, scopes that do not meet."""
    assert build([read("000000", {"parameters/sale/limit.yaml": file_of(values)})]).rejected == ()


@pytest.mark.parametrize(("unit", "stricter"), [("options", "lower"), ("class_hours", "subset"), ("option", "higher")])
def test_a_direction_must_mean_something(write, unit, stricter):
    """A list is not lower than another, a number is no subset."""
    root = write("000000", {"parameters/sale/limit.yaml": file_of(GOOD, unit=unit, stricter=stricter)})
    with pytest.raises(RuleFileError, match="says nothing about"):
        read_folder(root)


def test_all_but_a_floor_say_who_delegates(write):
    """A default without the text that lets localities decide is refused."""
    root = write("000000", {"parameters/sale/limit.yaml": file_of(GOOD, binding="default")})
    with pytest.raises(RuleFileError, match="delegation"):
        read_folder(root)


def test_a_province_speaks_for_itself_only(write, local_hours):
    """Beijing sets no value for Shanghai."""
    root = write("110000", {"parameters/sale/hours_max.yaml": local_hours("310000", 40)})
    with pytest.raises(RuleFileError, match="R-SCOPE"):
        read_folder(root)
    assert read_folder(write("110000", {"parameters/sale/hours_max.yaml": local_hours("110105", 40)}))


def test_a_province_cannot_redeclare_how_a_parameter_binds(write, local_hours):
    """`binding`, `stricter`, `protects` have no place in a locality's file."""
    text = local_hours("110000", 90) + "binding: default\n"
    with pytest.raises(RuleFileError, match="binding"):
        read_folder(write("110000", {"parameters/sale/hours_max.yaml": text}))
