"""Replaying a history: reproduced bit for bit, judged by other rules, judged by what was known."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules import (
    Charge,
    RefundRequest,
    Scope,
    archive,
    digests,
    load_ruleset,
    replay_columns,
    replay_run,
    replaying,
    rule_sources,
)
from offcampus_rules.cli import main
from offcampus_rules.history import Skimmed, answer_digest, skim
from offcampus_rules.history import read as read_rows
from offcampus_rules.known import as_known
from offcampus_rules.replay_run import Job, run
from offcampus_rules.ruleset import build
from offcampus_rules.tally import Tally
from offcampus_rules.testing import load_cases
from offcampus_spec.schemas import validator

AT = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
CHARGE = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=AT,
    class_hours_centi=5500,
    gift_hours_centi=0,
    total_fen=480000,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)


def line(case: Charge, question: str = "charge", **more) -> str:
    facts = {name: value for name, value in json.loads(digests.canonical(case)).items() if name not in more}
    extra = {name: value for name, value in more.items() if value is not None}
    document = {"case": "ord_1", "question": question, "institution": "ins_1", "facts": facts, **extra}
    return json.dumps(document, ensure_ascii=False)


@pytest.fixture
def world(nation, read, local_hours, tmp_path):
    """The nation's 60 hours; the same with a province's 50 from 2022 on; a place for histories."""
    province = read("110000", {"parameters/sale/h.yaml": local_hours("110000", 50)}, name="province")

    def history(*texts: str):
        file = tmp_path / "history.ndjson"
        file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        return file

    return build([nation]), build([nation, province]), history


def test_the_stored_answer_comes_out_bit_for_bit(world):
    """The same, a forged one, one of other rules, one without digest; the forged one is told by line."""
    ruleset, other, history = world
    good = answer_digest(ruleset.check_charge(CHARGE))
    file = history(
        line(CHARGE, answer_digest=good, ruleset_digest=ruleset.digest),
        line(replace(CHARGE, class_hours_centi=6100), answer_digest=good, ruleset_digest=ruleset.digest),
        line(CHARGE, answer_digest=good, ruleset_digest=other.digest),
        line(CHARGE),
    )
    tally = run(Job(file, "reproduce", ruleset, ruleset))
    assert tally.reproduced == {"same": 1, "different": 1, "other_rules": 1, "no_digest": 1}
    assert [item.number for item in tally.unreadable] == [2]


def test_each_row_by_the_archived_rules_it_names(world, tmp_path):
    """A history over two rule sets comes out whole from their archive; a changed file is told, not believed."""
    old, new, history = world
    kept = tmp_path / "archive"
    file = history(
        *(
            line(case, answer_digest=answer_digest(rules.check_charge(case)), ruleset_digest=rules.digest)
            for rules in (old, new)
            for case in (CHARGE, replace(CHARGE, class_hours_centi=6100), replace(CHARGE, class_hours_centi=4000))
        )
    )
    archive.write(old, kept)
    assert run(Job(file, "reproduce", new, new, archive=kept)).reproduced == {"same": 6}
    assert run(Job(file, "reproduce", new, new)).reproduced == {"same": 3, "other_rules": 3}
    [stored] = kept.iterdir()
    stored.write_text(stored.read_text().replace("value: 60", "value: 61"))
    asked = ["replay", "--history", str(file), "--mode", "reproduce", "--archive", str(kept)]
    replay_run._archived.cache_clear()
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 1
    assert "it was changed" in told.output


def test_archived_rules_can_be_tried_out(world, tmp_path):
    """By digest on either side, and explained by the set that decided."""
    old, new, history = world
    kept = tmp_path / "archive"
    for ruleset in (old, new):
        archive.write(ruleset, kept)
    file = history(line(CHARGE), line(replace(CHARGE, class_hours_centi=6100)))
    sides = ["--rules", old.digest, "--against", new.digest, "--archive", str(kept)]
    told = CliRunner().invoke(main, ["replay", "--history", str(file), *sides, "--lang", "en"])
    assert told.exit_code == 0, told.output
    beside = CliRunner().invoke(main, ["replay", "--history", str(file), *sides, "--rules", str(tmp_path)])
    assert "give no other source beside it" in beside.output
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(json.loads(line(CHARGE))["facts"]), encoding="utf-8")
    asked = ["explain", "charge", str(facts), "--rules", old.digest, "--archive", str(kept), "--json"]
    assert json.loads(CliRunner().invoke(main, asked).output)["ruleset_digest"] == old.digest


def test_other_rules_on_the_same_facts(world):
    """Newly refused by the new rule, allowed both times, refused for one more reason, with the money of each."""
    before, after, history = world
    file = history(
        line(CHARGE),
        line(replace(CHARGE, class_hours_centi=5000)),
        line(replace(CHARGE, class_hours_centi=6100)),
        line(replace(CHARGE, signed_on=date(2021, 12, 31))),
        line(replace(CHARGE, scope=replace(CHARGE.scope, region="120101"))),
    )
    tally = run(Job(file, "counterfactual", before, after))
    assert tally.kinds == {"newly_refused": 1, "other_values": 2}
    assert tally.kind_fen["newly_refused"] == 480000
    assert [sample.number for sample in tally.samples["newly_refused"]] == [1]
    assert tally.top("rule", 5)[0][0] == "EX-HRS-001"
    back = run(Job(file, "counterfactual", after, before))
    assert back.kinds == {"newly_allowed": 1, "other_values": 2}


def test_a_missing_fact_is_counted_and_never_guessed(world):
    """The rule is not evaluated; a line that is no case is told by number and changes nothing."""
    before, after, history = world
    facts = json.loads(digests.canonical(CHARGE))
    del facts["class_hours_centi"]
    bare = json.dumps({"question": "charge", "facts": facts})
    wrong = json.dumps({"question": "charge", "facts": {**facts, "class_hours_centi": "55"}})
    nowhere = json.dumps({"question": "charge", "facts": {name: facts[name] for name in facts if name != "scope"}})
    file = history(bare, wrong, nowhere, "{", json.dumps({"question": "price?", "facts": {}}))
    tally = run(Job(file, "counterfactual", before, after))
    assert (tally.rows, tally.not_evaluated, tally.kinds.total()) == (1, {"EX-HRS-001": 1}, 0)
    assert tally.before == {"not_evaluated": 1}
    assert [item.number for item in tally.unreadable] == [2, 3, 4, 5]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([4900, 5000, 5001, 6000, 6001]),
            st.dates(date(2019, 1, 1), date(2027, 1, 1)),
            st.sampled_from(["110105", "110000", "330106"]),
        ),
        max_size=12,
    )
)
def test_columns_and_single_rows_are_counted_alike(cases):
    """Whichever way a row goes, the same is counted, and the same rows are kept."""
    before, after = _WORLD["before"], _WORLD["after"]
    lines = [
        line(replace(CHARGE, class_hours_centi=hours, signed_on=day, scope=replace(CHARGE.scope, region=region)))
        for hours, day, region in cases
    ]
    by_row, by_column = counted(before, after, "\n".join(lines).encode())
    assert by_column == by_row


def test_the_cases_of_every_plugin_are_counted_alike():
    """Nation and provinces, every gate, facts that nobody told, against the nation alone and with a lower cap."""
    before = load_ruleset()
    nation = load_ruleset([plugin for plugin in before.assembly.plugins if plugin.jurisdiction == "000000"])
    tried = rule_sources.trying(before, rule_sources.parse("precharge.amount_max@000000=400000:2018-01-01"))
    cases = [case for plugin in before.assembly.plugins for case in load_cases(plugin.root)]
    text = "\n".join(
        json.dumps({"question": case.question, "institution": f"ins_{n % 7}", "facts": case.facts}, default=str)
        for n, case in enumerate(cases)
        if case.question in replaying.GATES
    ).encode()
    for after in (nation, tried):
        by_row, by_column = counted(before, after, text)
        assert by_column == by_row
        assert by_column.kinds.total() > 30


def counted(before, after, text):
    """Two tallies of the same lines, by rows and by columns."""
    by_row, by_column = Tally(5), Tally(5)
    for row in read_rows(text):
        pair = replaying.judge_row(before, row), replaying.judge_row(after, row)
        by_row.count(row, *pair, replaying.change(row, *pair))
    skimmed: dict[str, list[Skimmed]] = {}
    for item in skim(text):
        assert isinstance(item, Skimmed)
        skimmed.setdefault(item.gate, []).append(item)
    for gate, items in skimmed.items():
        replay_columns.count(gate, items, before, after, by_column)
    return by_row, by_column


_WORLD = {}


@pytest.fixture(autouse=True)
def _once(world):
    _WORLD.update(before=world[0], after=world[1])


def test_what_was_published_later_was_not_known(read, nation_files, world):
    """From 2025 on 40 hours, published in April 2026: an order of March was lawful as far as anybody could know."""
    late = nation_files["parameters/sale/hours_max.yaml"]
    late = late.replace("from: 2021-01-01", "from: 2021-01-01\n    until: 2025-01-01")
    late += """\
  - from: 2025-01-01
    published: 2026-04-01
    retroactive: true
    value: 40
    confidence: reported
    source: {document: 全国示例办法二}
"""
    ruleset = build([read("000000", {**nation_files, "parameters/sale/hours_max.yaml": late}, name="late")])
    file = world[2](
        line(CHARGE, decided_at="2026-03-01T10:00:00+08:00"),
        line(CHARGE, decided_at="2026-04-01T10:00:00+08:00"),
        line(CHARGE),
    )
    tally = run(Job(file, "as-known", ruleset, ruleset))
    assert tally.before == {"allow": 1, "refuse": 1, "not_evaluated": 1}
    assert tally.kinds == {"newly_refused": 1}
    assert as_known(ruleset, date(2026, 4, 1)) is ruleset
    assert as_known(ruleset, date(2026, 3, 1)) is as_known(ruleset, date(2026, 3, 31))


def test_many_processes_give_the_same_report(world, monkeypatch):
    """Pieces of a few lines, two processes: counts, samples and their line numbers are the same."""
    before, after, history = world
    file = history(*(line(replace(CHARGE, class_hours_centi=4900 + 20 * n)) for n in range(40)))
    job = Job(file, "counterfactual", before, after, sample=3, keep_all=True)
    one = run(job)
    monkeypatch.setattr("offcampus_rules.replay_run._PIECE", 2000)
    assert run(job) == one
    assert run(job, processes=2) == one
    assert [sample.number for sample in one.samples["newly_refused"]] == [7, 8, 9]


def test_answers_that_are_no_gate(world):
    """The deadline itself is compared, not its words."""
    [row] = read_rows(line(RefundRequest(CHARGE.scope, AT, before_start=False, total_fen=1000), "refund").encode())
    early, late = (replaying.Judged("answered", answer=(("due_at", day),)) for day in (AT, AT.replace(day=2)))
    assert replaying.change(row, early, late).kind == "other_answer"
    assert replaying.change(row, early, early) is None


def test_the_command_and_its_reports(tmp_path):
    """A cap tried out on the installed rules: totals, samples explained on both sides, every change as a table."""
    file = tmp_path / "history.ndjson"
    file.write_text(line(replace(CHARGE, class_hours_centi=4800)) + "\n" + line(CHARGE, institution="=cmd()") + "\n")
    base = ["replay", "--history", str(file), "--set", "precharge.amount_max@000000=400000:2026-01-01"]
    for name in ("report.json", "report.html", "report.csv"):
        result = CliRunner().invoke(main, [*base, "--lang", "en", "--out", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
        assert "newly refused: 2 (CNY 9600.00)" in result.output
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["changes"]["newly_refused"] == {"rows": 2, "fen": 960000}
    assert [sample["after"]["outcome"] for sample in report["samples"]] == ["refuse", "refuse"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "最近的合规值" in page
    assert "<script" not in page
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["rules"], row["institution"]) for row in rows] == [("CN-PRE-003", "ins_1"), ("CN-PRE-003", "'=cmd()")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "say what is tried out"),
        (["--set", "x"], "is not written PARAMETER@REGION=VALUE"),
        (["--set", "no.such@000000=1:2026-01-01"], "is no parameter"),
        (["--set", "precharge.amount_max@000000=much:2026-01-01"], "is not a value of"),
        (["--set", "precharge.amount_max@000000=1:2026-02-30"], "is no day"),
        (["--by", "weather"], "is none of"),
        (["--out", "x.pdf"], "ends in"),
    ],
)
def test_what_cannot_be_replayed_is_said(arguments, told, tmp_path):
    file = tmp_path / "history.ndjson"
    file.write_text(line(CHARGE))
    result = CliRunner().invoke(main, ["replay", "--history", str(file), *arguments])
    assert (result.exit_code != 0, told in result.output) == (True, True), result.output


def test_rows_have_the_shape_of_the_standard():
    """What is read is what the schema describes."""
    validator("rule-history").validate(json.loads(line(CHARGE, decided_at="2026-03-01T10:00:00+08:00")))
