"""`check` finds what is wrong with a plugin's folder, at its line, and nothing else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from offcampus_rules import checking
from offcampus_rules.cli import main

MANIFEST = """\
jurisdiction: "110000"
title: {zh: 示例, en: Example}
requires_api: 1
modelled: []
not_modelled: []
"""

CASES = """\
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
  - name: the province's cap
    ask: charge
    facts: {class_hours_centi: 5001}
    expect: {outcome: refuse, violated: [EX-HRS-001], codes: [sale.hours_exceeded], message_contains: [地方示例办法]}
  - name: within it
    ask: charge
    facts: {class_hours_centi: 5000}
    expect: {outcome: allow, violated: [], values: {sale.hours_max: 50}}
"""


@pytest.fixture
def province(write, local_hours):
    def make(hours=50, cases=CASES, name="province", **files):
        return write(
            "110000",
            {"parameters/sale/hours_max.yaml": local_hours("110000", hours), "cases/sale.yaml": cases, **files},
            name=name,
        )

    return make


def codes(report):
    return [(problem.code, problem.position.line) for problem in report.problems]


def test_a_good_plugin(nation, province):
    """Nothing to report, and how much was looked at."""
    report = checking.check(province(), [nation])
    assert report.passed
    assert (report.parameters, report.rules, report.cases) == (1, 0, 2)


def test_values_nobody_read_again_are_counted(nation, province, local_hours):
    """A value without `checked_on` is no fault, and it is not hidden; a null or a note has nothing to be read."""
    checked = local_hours("110000", 50) + "    checked_on: 2026-01-01\n"
    noted = local_hours("110000", 50).replace("reported", "draft")
    counts = [
        checking.check(
            province(name=name, **({"parameters/sale/hours_max.yaml": text} if text else {})), [nation]
        ).unchecked
        for name, text in (("a", None), ("b", checked), ("c", noted))
    ]
    assert counts == [1, 0, 0]


def test_a_looser_value(nation, province):
    """90 above a floor of 60 is an error with file and line."""
    report = checking.check(province(hours=90, cases=CASES.replace("5001", "6001").replace("地方", "全国")), [nation])
    assert ("R-LOOSE", 4) in codes(report)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("violated: [EX-HRS-001]", "violated: []"),
        ("outcome: allow", "outcome: refuse"),
        ("sale.hours_max: 50", "sale.hours_max: 60"),
        ("地方示例办法", "某某办法"),
        ("codes: [sale.hours_exceeded]", "codes: [sale.hours_exceeded, precharge.loan]"),
        ("facts: {class_hours_centi: 5000}", "facts: {class_hours: 50}"),
        ("violated: []", "due_at: null, full: true"),
    ],
)
def test_a_case_that_does_not_come_out(nation, province, old, new):
    """Each kind of expectation can fail."""
    report = checking.check(province(cases=CASES.replace(old, new)), [nation])
    assert [problem.code for problem in report.problems] == ["R-CASE"]
    assert report.problems[0].file.name == "sale.yaml"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cases/more.yaml": "cases: []\n"}, "R-SCHEMA"),
        ({"cases/more.yaml": "cases: [{name: x, ask: nothing, facts: {}, expect: {outcome: allow}}]\n"}, "R-SCHEMA"),
        ({"parameters/sale/none.yaml": "parameter: sale.none\nregion: '110000'\nvalues: []\n"}, "R-SCHEMA"),
        ({"extensions/x-beijing.json": "{"}, "R-EXT"),
        ({"extensions/x-beijing.json": '{"type": 3}'}, "R-EXT"),
        ({"extensions/beijing.json": '{"type": "object"}'}, "R-EXT"),
        ({"plugin.yaml": 'jurisdiction: "110000"\n'}, "R-SCHEMA"),
        ({"plugin.yaml": MANIFEST.replace("api: 1", "api: 2")}, "R-API"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(nation, province, change, code):
    """Each is told by its code."""
    report = checking.check(province(**change), [nation])
    assert code in {problem.code for problem in report.problems}


@pytest.mark.parametrize(
    ("zh", "en", "line"), [("not Chinese", "English", 6), ("中文", "还是中文", 6)]
)  # fmt: skip
def test_texts_in_the_language_they_claim(nation, province, local_hours, zh, en, line):
    """A translation that was forgotten is found."""
    text = local_hours("110000", 50) + f"    note: {{zh: {zh}, en: {en}}}\n"
    report = checking.check(province(**{"parameters/sale/hours_max.yaml": text}), [nation])
    assert [problem.code for problem in report.problems] == ["R-MSG"]


def test_a_plugin_that_answers_differently_when_asked_again(nation, write):
    """A hook that remembers is not pure."""
    hooks = """
        from offcampus_rules.hookspecs import Finding, hookimpl
        ASKED = []

        @hookimpl
        def check_charge(case):
            ASKED.append(1)
            if len(ASKED) % 2:
                return ()
            return (Finding(
                rule="EX-LOC-001", code="sale.hours_exceeded", requirement="M-07.3", fact="amount_fen",
                given=len(ASKED), allowed=0, unit="fen", must_be="at_most", parameter="sale.hours_max",
            ),)
    """
    cases = CASES.replace(", codes: [sale.hours_exceeded], message_contains: [地方示例办法]", "").replace(
        "5001", "6001"
    )
    cases = cases.replace(", values: {sale.hours_max: 50}", "")
    report = checking.check(write("110000", {"cases/sale.yaml": cases}, hooks=hooks), [nation])
    assert "R-PURE" in {problem.code for problem in report.problems}


def test_hooks_that_cannot_be_used(nation, write):
    """Told like everything else."""
    hooks = "def check_charge(case):\n    return ()\n"
    assert codes(checking.check(write("110000", {}, hooks=hooks), [nation])) == [("R-HOOK", 1)]


def test_a_nation_is_checked_by_itself(write, nation_files):
    """The floor has nothing above it."""
    assert checking.check(write("000000", nation_files), []).passed


def test_the_command(nation, province):
    """Exit status 0 and a summary, or 1 and the findings."""
    good = CliRunner().invoke(main, ["check", str(province()), "--above", str(nation.root)])
    assert (good.exit_code, "1 parameters, 0 rules, 2 cases" in good.output) == (0, True)
    bad = CliRunner().invoke(main, ["check", str(province(hours=90, name="bad")), "--above", str(nation.root)])
    assert bad.exit_code == 1
    assert "hours_max.yaml:4:5: R-LOOSE" in bad.output


def test_a_broken_folder_above_is_a_finding(write, nation_files, province):
    """Nothing can be checked against it; where it is broken is told, not a traceback."""
    broken = {**nation_files, "parameters/sale/hours_max.yaml": "id: sale.hours_max\nunit: [\n"}
    above = write("000000", broken, name="above")
    told = CliRunner().invoke(main, ["check", str(province()), "--above", str(above), "--json"])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    [finding] = json.loads(told.output)["problems"]
    assert (finding["code"], finding["line"]) == ("R-YAML", 3)
    hooks = write("000000", nation_files, hooks="def check_charge(case):\n    return ()\n", name="hooked")
    told = CliRunner().invoke(main, ["check", str(province(name="other")), "--above", str(hooks)])
    assert "R-HOOK" in told.output


def test_list_and_show():
    """The installed rules: what there is, and what holds where and when."""
    listed = CliRunner().invoke(main, ["list"])
    assert listed.exit_code == 0
    assert "000000  offcampus-rules-national" in listed.output
    assert "precharge.hours_max" in listed.output
    shown = CliRunner().invoke(
        main, ["show", "refund.deadline_after_start", "--on", "2026-03-01", "--region", "110105"]
    )
    assert "academic: refund.deadline_after_start = 15 日" in shown.output
    assert (
        "sport|art_culture|sci_tech|comprehensive_practice: refund.deadline_after_start: 此处未作规定" in shown.output
    )
    wrong = CliRunner().invoke(main, ["show", "refund.deadline"])
    assert wrong.exit_code == 1
    assert "near: " in wrong.output
    assert "refund.cooling_off" in wrong.output
    nowhere = CliRunner().invoke(main, ["show", "refund.silence", "--region", "11"])
    assert (nowhere.exit_code, "six digits" in nowhere.output) == (1, True)


FACTS = {
    "scope": {"region": "110105", "sector": "sci_tech", "stage": "compulsory", "delivery": "offline"},
    "subject": "programming",
    "signed_on": "2026-03-01",
    "ordered_at": "2026-03-01T10:00:00+08:00",
    "class_hours_centi": 6100,
    "gift_hours_centi": 0,
    "total_fen": 1,
    "service_from": "2026-03-10",
    "service_until": "2026-06-10",
    "charge_method": "both",
}


def test_explain(tmp_path):
    """A tree for people, JSON for machines, an error that names the fact."""
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS))
    tree = CliRunner().invoke(main, ["explain", "charge", str(file)])
    assert tree.exit_code == 0
    assert "[CN-PRE-002] precharge.hours_exceeded (M-07.3, nation 000000)" in tree.output
    assert "北京市科技类校外培训预收费管理办法" in tree.output
    document = json.loads(CliRunner().invoke(main, ["explain", "charge", str(file), "--json"]).output)
    assert document["outcome"] == "refuse"
    official = CliRunner().invoke(main, ["explain", "charge", str(file), "--lang", "en", "--official-only"])
    assert "charge: allowed" in official.output
    wrong = CliRunner().invoke(main, ["explain", "charge", "-"], input='{"price": 1}')
    assert (wrong.exit_code, "price is no fact of Charge" in wrong.output) == (1, True)
    not_json = CliRunner().invoke(main, ["explain", "charge", "-"], input="{")
    assert (not_json.exit_code, "not JSON" in not_json.output) == (1, True)


@pytest.mark.parametrize("question", ["confirmation", "refund"])
def test_explain_deadlines(question):
    """Deadlines with their working."""
    facts = {"scope": FACTS["scope"], "notified_at": "2026-09-25T10:00:00+08:00"}
    if question == "refund":
        facts = {
            "scope": FACTS["scope"],
            "requested_at": "2026-09-25T10:00:00+08:00",
            "before_start": True,
            "total_fen": 1,
        }
    answer = CliRunner().invoke(main, ["explain", question, "-", "--lang", "en"], input=json.dumps(facts))
    assert answer.exit_code == 0
    assert "not working days: 2026-10-01" in answer.output or question == "confirmation"
    assert "2026-10-" in answer.output
