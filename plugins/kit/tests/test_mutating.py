"""Cases are judged too: each edge of a value needs one, and each slip in a value must be noticed by one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from offcampus_rules import checking, mutants
from offcampus_rules.cli import main

SHARED = """\
facts:
  scope: {region: "110105", sector: sport, stage: compulsory, delivery: offline}
  subject: football
  signed_on: 2026-03-01
  ordered_at: 2026-03-01T10:00:00+08:00
  class_hours_centi: 4000
  gift_hours_centi: 0
  total_fen: 1
  service_from: 2026-03-10
  service_until: 2026-06-10
  charge_method: both
cases:
"""

CASES = {
    "limit": """\
  - name: the limit itself
    ask: charge
    facts: {class_hours_centi: 5000}
    expect: {outcome: allow, values: {sale.hours_max: 50}}
""",
    "beyond": """\
  - name: one beyond
    ask: charge
    facts: {class_hours_centi: 5001}
    expect: {outcome: refuse, violated: [EX-HRS-001]}
""",
    "from": """\
  - name: the first day
    ask: charge
    facts: {class_hours_centi: 5500, signed_on: 2022-01-01}
    expect: {outcome: refuse}
""",
    "before": """\
  - name: the day before
    ask: charge
    facts: {class_hours_centi: 5500, signed_on: 2021-12-31}
    expect: {outcome: allow}
""",
}


def cases(*, without=""):
    return SHARED + "".join(text for name, text in CASES.items() if name != without)


@pytest.fixture
def province(write, local_hours):
    def make(text, name="province", **files):
        content = {"parameters/sale/hours_max.yaml": local_hours("110000", 50), "cases/sale.yaml": text, **files}
        return write("110000", content, name=name)

    return make


def found(report):
    return [(problem.code, problem.file.name, problem.position.line) for problem in report.problems]


def test_cases_on_every_edge(nation, province):
    """Four cases cover a cap: nothing is missing and nothing survives."""
    report = checking.check(province(cases()), [nation], coverage=True, mutate=True)
    assert found(report) == []
    assert (report.coverage.percent, report.mutation.percent) == (100, 100)
    assert (report.coverage.edges, report.mutation.total) == (4, 4)


@pytest.mark.parametrize(
    ("without", "line", "survivors"), [("limit", 4, [5]), ("beyond", 4, []), ("from", 4, [4]), ("before", 4, [4])]
)
def test_a_case_that_is_missing(nation, province, without, line, survivors):
    """Each edge that no case stands on is named at the value, each slip at the place where it would happen."""
    report = checking.check(province(cases(without=without)), [nation], coverage=True, mutate=True)
    assert [item for item in found(report) if item[0] == "R-EDGE"] == [("R-EDGE", "hours_max.yaml", line)]
    assert report.coverage.uncovered[0].edges == (without,)
    assert [item[2] for item in found(report) if item[0] == "R-SURVIVOR"] == survivors


def test_what_is_suggested_closes_the_hole(nation, province, tmp_path):
    """Written to a case file of their own, the suggestions kill every survivor."""
    root = province(SHARED + CASES["before"])
    arguments = ["check", "--above", str(nation.root), "--mutate", str(root)]
    poor = CliRunner().invoke(main, [*arguments, "--suggest", str(root / "cases" / "suggested.yaml")])
    assert (poor.exit_code, poor.output.count("R-SURVIVOR")) == (1, 3)
    rich = CliRunner().invoke(main, arguments)
    assert rich.exit_code == 0, rich.output
    assert "mutation: 100.0 %" in rich.output


def test_a_limit_that_a_stricter_one_hides(nation, province, local_hours):
    """Sixty-one above the nation's sixty shows only in who refuses: a whole decision is suggested, with its levels."""
    same = local_hours("110000", 60)
    text = SHARED + "  - {name: in force, ask: charge, facts: {}, expect: {outcome: allow}}\n"
    report = checking.check(province(text, **{"parameters/sale/hours_max.yaml": same}), [nation], mutate=True)
    survivors = [item for item in report.mutation.survivors if item.mutant.what == "from"]
    assert "expect its `levels`" in survivors[0].suggestion
    assert report.mutation.refused == 1


def test_the_kit_refuses_a_slip_that_loosens(nation, province, local_hours):
    """60 -> 61 would be looser than the nation's 60: `check` reports it, no case is needed."""
    same = local_hours("110000", 60)
    report = checking.check(province(cases(), **{"parameters/sale/hours_max.yaml": same}), [nation], mutate=True)
    assert report.mutation.refused == 1


@pytest.mark.parametrize(
    ("unit", "value", "becomes"),
    [
        ("class_hours", "60", [59, 61]),
        ("fen", "0", [1]),
        ("flag", "true", [False]),
        ("time", '"20:30"', ["20:29", "20:31"]),
        ("time", '"24:00"', ["23:59"]),
        ("options", "[a, b]", [["b"], ["a"], ["a", "b", "c"]]),
        ("options", "[a]", [["a", "b"]]),
        ("option", "a", ["b"]),
    ],
)
def test_slips(write, nation_files, unit, value, becomes):
    """What a value could be mistaken for, by its unit."""
    directions = {"option": "exact", "options": "subset", "flag": "exact"}
    text = (
        nation_files["parameters/sale/hours_max.yaml"]
        .replace("class_hours", unit)
        .replace("value: 60", f"value: {value}")
    )
    text = text.replace("lower", directions.get(unit, "lower"))
    file = _only_file(write("000000", {"parameters/sale/hours_max.yaml": text}))
    family = mutants.of_file(file, unit, ("a", "b", "c"))
    assert [item.becomes for item in family.mutants if item.what == "value"] == becomes
    assert [item.becomes for item in family.mutants if item.what == "from"] == ["2020-12-31", "2021-01-02"]
    assert all(item.position.line == (11 if item.what == "value" else 10) for item in family.mutants)


HISTORY = """\
  - {from: 2022-01-01, scope: {sector: [sport]}, value: null, reason: {zh: 无, en: nothing}}
  - from: 2022-01-01
    scope: {sector: [academic]}
    value: 50
    confidence: reported
    source: {document: 新办法}
  - {from: 2030-01-01, value: 1, confidence: draft, source: {document: 草案}}
"""


def test_days_that_meet_move_together(write, nation_files):
    """An end and the beginning that follows it are one day; nulls and drafts have no slips of their own."""
    text = nation_files["parameters/sale/hours_max.yaml"].replace(
        "    value: 60", "    until: 2022-01-01\n    value: 60"
    )
    file = _only_file(write("000000", {"parameters/sale/hours_max.yaml": text + HISTORY}))
    family = mutants.of_file(file, "class_hours")
    moved = [item for item in family.mutants if item.was == "2022-01-01"]
    assert [item.becomes for item in moved] == ["2021-12-31", "2022-01-02"]
    changed = [[value.get("from"), value.get("until")] for value in moved[0].changed.content["values"]]
    assert changed == [["2021-01-01", "2021-12-31"], ["2021-12-31", None], ["2021-12-31", None], ["2030-01-01", None]]
    assert family.excluded == {"null": 1, "note": 1}
    assert not [item for item in family.mutants if item.was in (None, 1, "2030-01-01")]


def _only_file(root):
    from offcampus_rules.registry import read_folder

    return read_folder(root).parameter_files[0]


def test_the_command(nation, province):
    """Percentages, and each finding with a case that would close it."""
    arguments = ["check", "--above", str(nation.root), "--coverage", "--mutate"]
    good = CliRunner().invoke(main, [*arguments, str(province(cases()))])
    assert good.exit_code == 0
    assert "coverage: 100.0 % (4 of 4 edges)" in good.output
    assert "mutation: 100.0 % (4 killed by cases, 0 refused by the check, 0 survived, of 4)" in good.output
    bad = CliRunner().invoke(main, [*arguments, str(province(cases(without="from"), name="bad"))])
    assert bad.exit_code == 1
    assert "hours_max.yaml:4:5: R-SURVIVOR sale.hours_max from: no case would notice '2022-01-02'" in bad.output
    assert '    - name: "sale.hours_max on 2022-01-01"' in bad.output


TABLE = """\
id: sale.price
title: {zh: 价格, en: Price}
unit: table
axes: [{name: class_size, bands: count, least: 1}, {name: area, options: [urban, rural]}]
of: fen
binding: delegated
stricter: lower
protects: payer
governed_by: contract_date
delegation: {document: 示例}
judgement: {confidence: reported}
values:
  - from: 2022-01-01
    confidence: reported
    source: {document: 示例}
    value:
      rows: ROWS
"""
YAML_ROWS = """
        - {class_size: {at_most: 10}, area: urban, value: 3200}
        - {class_size: {above: 10}, area: urban, value: 2700}
        - {class_size: {at_least: 1}, area: rural, value: null}"""
CSV_ROWS = """\
class_size.at_least,class_size.at_most,area,value
,10,urban,3200
11,,urban,2700
1,,rural,
"""


@pytest.mark.parametrize(
    ("rows", "beside", "place"),
    [(YAML_ROWS, {}, "price.yaml:18"), ("{csv: price.csv}", {"parameters/sale/price.csv": CSV_ROWS}, "price.csv:2")],
)
def test_slips_in_a_table(write, rows, beside, place):
    """Each cell a unit up and down, each boundary a number up and down; in a CSV at its line; suggestions by cell."""
    root = write("000000", {"parameters/sale/price.yaml": TABLE.replace("ROWS", rows), **beside})
    report = checking.check(root, [], mutate=True)
    changed = [item.mutant for item in report.mutation.survivors if item.mutant.what.startswith(("cell", "band"))]
    assert [(item.was, item.becomes) for item in changed] == [
        (3200, 3199), (3200, 3201), (2700, 2699), (2700, 2701), (11, 10), (11, 12),
    ]  # fmt: skip
    assert f"{changed[0].file.name}:{changed[0].position.line}" == place
    assert '"at": {"area": "urban", "class_size": 10}' in report.problems[0].hint
    (root / "cases").mkdir()
    (root / "cases" / "suggested.yaml").write_text(report.mutation.suggested(), encoding="utf-8")
    assert checking.check(root, [], mutate=True).mutation.percent == 100


def test_a_cell_that_is_asked_for_wrongly(write):
    """A cell by other axes, or of something that is no table, is the case's fault."""
    root = write("000000", {"parameters/sale/price.yaml": TABLE.replace("ROWS", YAML_ROWS)})
    facts = "{parameter: sale.price, day: 2022-01-01, at: {size: 3}, scope: {region: '000000', sector: sport, stage: compulsory, delivery: offline}}"
    (root / "cases").mkdir()
    (root / "cases" / "bad.yaml").write_text(
        f"cases: [{{name: x, ask: value, facts: {facts}, expect: {{value: 1}}}}]\n"
    )
    [problem] = checking.check(root, []).problems
    assert (problem.code, "a table over area, class_size is not read at size" in problem.message_en) == ("R-CASE", True)


DECLARED = """\
id: trial
title: {zh: 试听, en: Trial}
lifts: [EX-HRS-001]
when: {renewal: false}
governed_by: contract_date
from: 2021-01-01
confidence: reported
basis: {document: 全国示例办法, number: 示例1号}
judgement: {confidence: memory}
"""
ACTIVATED = """\
exception: trial
region: "110000"
activations:
  - {from: 2022-01-01, until: 2027-01-01, confidence: reported, source: {document: 地方示例通知}}
"""
LIFTED = {
    day: f"  - {{name: on {day}, ask: charge, facts: {{class_hours_centi: 9000, signed_on: {day}}}, expect: {{outcome: {outcome}}}}}\n"
    for day, outcome in [
        ("2021-12-31", "refuse"),
        ("2022-01-01", "allow"),
        ("2026-12-31", "allow"),
        ("2027-01-01", "refuse"),
    ]
}


@pytest.mark.parametrize(
    ("without", "survivors"),
    [
        ("", []),
        ("2021-12-31", [("from", "2021-12-31")]),
        ("2022-01-01", [("from", "2022-01-02")]),
        ("2026-12-31", [("until", "2026-12-31")]),
        ("2027-01-01", [("until", "2027-01-02")]),
    ],
)
def test_slips_in_an_exception(read, write, nation_files, without, survivors):
    """An activation left out, or a day off at either end, is noticed, each by its case."""
    nation = read("000000", {**nation_files, "exceptions/trial.yaml": DECLARED}, name="nation")
    text = SHARED + "".join(case for day, case in LIFTED.items() if day != without)
    root = write("110000", {"exceptions/trial.yaml": ACTIVATED, "cases/sale.yaml": text})
    report = checking.check(root, [nation], mutate=True)
    assert [(item.mutant.what, item.mutant.becomes) for item in report.mutation.survivors] == survivors
    assert report.mutation.total == 5
    assert [(problem.file.name, problem.position.line) for problem in report.problems] == [("trial.yaml", 4)] * len(
        survivors
    )


def test_slips_in_a_declaration(read, write, nation_files):
    """The nation's declaration is judged where it is used: by itself nothing shows it."""
    files = {**nation_files, "exceptions/trial.yaml": DECLARED}
    assert checking.check(write("000000", files, name="alone"), [], mutate=True).mutation.total == 4
