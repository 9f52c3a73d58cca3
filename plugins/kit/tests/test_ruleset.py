"""Decisions are explained, repeatable and carry what they rest on."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offcampus_rules import Alarm, Charge, Citation, Decision, OpenOrder, Scope, Violation
from offcampus_rules.ruleset import build
from offcampus_spec.schemas import validator

AT = datetime.fromisoformat("2026-03-01T10:00:00+08:00")
CHARGE = Charge(
    scope=Scope("110105", "sport", "compulsory", "offline"),
    subject="football",
    signed_on=date(2026, 3, 1),
    ordered_at=AT,
    class_hours_centi=6100,
    gift_hours_centi=0,
    total_fen=500000,
    service_from=date(2026, 3, 10),
    service_until=date(2026, 6, 10),
    charge_method="both",
)


def test_a_refusal_says_everything(nation):
    """Code, rule, requirement, figures, level, source, message and remedy in both languages; and fits the schema."""
    ruleset = build([nation])
    document = ruleset.check_charge(CHARGE).to_json()
    [violation] = document["violations"]
    assert violation == {
        "pointer": "/class_hours_centi",
        "code": "sale.hours_exceeded",
        "rule": "EX-HRS-001",
        "requirement": "M-07.3",
        "fact": "subject_hours_centi",
        "given": "61 class hours",
        "allowed": "at most 60 class hours",
        "citation": "全国示例办法 示例1号",
        "confidence": "reported",
        "source": {"document": "全国示例办法", "number": "示例1号", "confidence": "reported"},
        "message_zh": "课时 61 课时，规定不超过 60 课时。",
        "message_en": "The hours are 61 class hours; allowed is at most 60 class hours.",
        "remedy_zh": "减少课时。",
        "remedy_en": "Sell fewer hours.",
        "level": "nation",
        "region": "000000",
    }
    assert document["outcome"] == "refuse"
    assert document["governing_date"] == "2026-03-01"
    assert document["values"][0]["value"] == 60
    assert document["ruleset_digest"] == ruleset.digest
    validator("decision").validate(document)


def test_an_allowed_charge_says_what_it_rests_on(nation):
    """Also a yes carries values with their source, and fits the schema."""
    document = build([nation]).check_charge(replace(CHARGE, class_hours_centi=6000)).to_json()
    assert (document["outcome"], document["violations"]) == ("allow", [])
    assert document["values"][0]["source"]["document"] == "全国示例办法"
    validator("decision").validate(document)


def decision(**changes):
    base = {
        "outcome": "allow",
        "kind": "charge",
        "violations": (),
        "obligations": (),
        "values": (),
        "governing_date": date(2026, 3, 1),
        "ruleset_digest": "sha-256:0",
        "plugins": (),
        "facts": None,
    }
    return Decision(**{**base, **changes})


def violation(**changes):
    base = dict.fromkeys(("code", "rule", "requirement", "fact", "given", "allowed"), "x")
    base |= dict.fromkeys(("message_zh", "message_en", "remedy_zh", "remedy_en", "level", "region"), "x")
    return Violation(**{**base, "citation": Citation("x"), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "refuse"},
        {"outcome": "allow", "violations": (violation(),)},
        {"outcome": "allow", "alarms": (Alarm("p", "h", "x"),)},
        {"outcome": "error"},
        {"outcome": "hold"},
    ],
)
def test_a_decision_that_contradicts_itself_cannot_be_built(changes):
    """A refusal without violation, a yes with one, an error that names nothing."""
    with pytest.raises(ValueError, match=r"refusal|allowed|names what failed"):
        decision(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"citation": None},
        {"citation": Citation("")},
        {"message_zh": ""},
        {"message_en": ""},
        {"remedy_zh": ""},
        {"remedy_en": ""},
    ],
)
def test_an_unexplained_violation_cannot_be_built(changes):
    """No source, no words: no violation."""
    with pytest.raises(ValueError, match="violation"):
        violation(**changes)


def test_facts_and_answers_cannot_be_changed(nation):
    """What was judged stays what it was."""
    answer = build([nation]).check_charge(CHARGE)
    with pytest.raises(FrozenInstanceError):
        CHARGE.total_fen = 0
    with pytest.raises(AttributeError):
        answer.outcome = "allow"


def test_equal_facts_have_equal_digests(nation):
    """The same instant in another offset is the same fact; a fen more is another."""
    ruleset = build([nation])
    same = replace(CHARGE, ordered_at=datetime.fromisoformat("2026-03-01T02:00:00+00:00"))
    other = replace(CHARGE, total_fen=500001)
    digests = [ruleset.check_charge(case).facts_digest for case in (CHARGE, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_the_digest_follows_content_not_layout(read, nation_files):
    """A comment changes nothing; a value, a message or a version changes the set."""
    base = build([read("000000", nation_files)]).digest
    commented = {**nation_files, "rules/sale.yaml": "# why\n" + nation_files["rules/sale.yaml"]}
    assert build([read("000000", commented)]).digest == base
    for path, old, new in (
        ("parameters/sale/hours_max.yaml", "value: 60", "value: 61"),
        ("messages/sale.yaml", "Sell fewer", "Sell less"),
    ):
        changed = {**nation_files, path: nation_files[path].replace(old, new)}
        assert build([read("000000", changed)]).digest != base


def test_a_province_tightens_and_cannot_loosen(nation, read, local_hours):
    """50 in the province: 51 is refused there. 90: the nation's 60 goes on binding, and the file is reported."""
    tighter = build([nation, read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 50)}, name="a")])
    assert [item.level for item in tighter.check_charge(replace(CHARGE, class_hours_centi=5100)).violations] == [
        "province"
    ]
    assert tighter.reports() == ()
    looser = build([nation, read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 90)}, name="b")])
    assert [item.level for item in looser.check_charge(CHARGE).violations] == ["nation"]
    [problem] = looser.reports()
    assert (problem.code, problem.file.name, problem.position.line) == ("R-LOOSE", "hours_max.yaml", 4)


@given(st.integers(0, 12000), st.integers(0, 3000), st.lists(st.integers(0, 4000), max_size=3), st.integers(1, 120))
def test_more_hours_never_turn_a_refusal_into_a_yes(hours, gifts, others, cap):
    """Monotone in the facts, and what a province allows the nation allows."""
    open_orders = tuple(OpenOrder(str(n), "football", value) for n, value in enumerate(others))
    case = replace(CHARGE, class_hours_centi=hours, gift_hours_centi=gifts, open_orders=open_orders)
    more = replace(case, gift_hours_centi=gifts + 1)
    nation, both = _RULESETS["nation"], _RULESETS["both"]
    if both.check_charge(more).outcome == "allow":
        assert both.check_charge(case).outcome == "allow"
    if both.check_charge(case).outcome == "allow":
        assert nation.check_charge(case).outcome == "allow"
    found = {item.rule + item.level for item in both.check_charge(case).violations}
    assert {item.rule + item.level for item in nation.check_charge(case).violations} <= found


_RULESETS = {}


@pytest.fixture(autouse=True)
def rulesets(nation, read, local_hours):
    """Built once a test, outside the generated examples."""
    province = read("110000", {"parameters/sale/hours_max.yaml": local_hours("110000", 45)}, name="strict")
    _RULESETS.update(nation=build([nation]), both=build([nation, province]))


def test_official_only(read, nation_files):
    """An operator may let only what was read in its own text bind."""
    plugin = read("000000", nation_files)
    assert build([plugin]).check_charge(CHARGE).outcome == "refuse"
    assert build([plugin], official_only=True).check_charge(CHARGE).outcome == "allow"
    official = nation_files["parameters/sale/hours_max.yaml"].replace(
        "    confidence: reported", "    confidence: official"
    )
    read_text = read("000000", {**nation_files, "parameters/sale/hours_max.yaml": official}, name="official")
    assert build([read_text], official_only=True).check_charge(CHARGE).outcome == "refuse"


@pytest.mark.parametrize(
    ("path", "old", "new", "code"),
    [
        ("rules/sale.yaml", "fact: subject_hours_centi", "fact: subject_hours", "R-NAME"),
        ("rules/sale.yaml", "parameter: sale.hours_max", "parameter: sale.hours", "R-NAME"),
        ("rules/sale.yaml", "code: sale.hours_exceeded", "code: sale.no_words", "R-NAME"),
        ("rules/sale.yaml", "fact: subject_hours_centi", "fact: amount_fen", "R-UNIT"),
        ("rules/sale.yaml", "must_be: at_most", "must_be: one_of", "R-UNIT"),
        ("rules/sale.yaml", "gates: [charge]", "gates: [charge, lesson]", "R-NAME"),
        ("rules/sale.yaml", "gates: [charge]", "gates: [charge]\n    when: {no_such_fact: true}", "R-NAME"),
        ("rules/sale.yaml", "gates: [charge]", "gates: [charge]\n    when: {renewal: {parameter: a.b}}", "R-NAME"),
    ],
)  # fmt: skip
def test_a_rule_that_names_nothing_fails_at_load(read, nation_files, path, old, new, code):
    """A misspelt fact is told when the file is loaded, not at the first charge."""
    from offcampus_rules import RuleSetError

    files = {**nation_files, path: nation_files[path].replace(old, new)}
    with pytest.raises(RuleSetError, match=rf"sale.yaml:\d+:\d+: {code} "):
        build([read("000000", files, name="broken")])


@pytest.mark.parametrize("text", ["{who}", "{given!r}", "{given:>9}", "{", "{0}", "{given.x}"])
def test_words_take_figures_only(write, nation_files, text):
    """A catalogue cannot reach into what it is given."""
    from offcampus_rules import RuleFileError
    from offcampus_rules.registry import read_folder

    words = nation_files["messages/sale.yaml"].replace("The hours are {given};", f"The hours are {text};")
    with pytest.raises(RuleFileError, match="R-MSG"):
        read_folder(write("000000", {**nation_files, "messages/sale.yaml": words}, name="words"))


def test_a_province_cannot_reword_the_nation(nation, read, nation_files):
    """Codes, rules and parameters belong to whoever defined them."""
    for path in ("messages/sale.yaml", "rules/sale.yaml", "parameters/sale/hours_max.yaml"):
        copycat = read("110000", {path: nation_files[path]}, name=f"copy_{path.split('/')[0]}")
        [item] = build([nation, copycat]).rejected
        assert {problem.code for problem in item.problems} & {"R-MSG", "R-NAME"}


def test_a_scope_is_checked():
    """A region is six digits, the rest comes from the lists."""
    good = {"region": "110105", "sector": "sport", "stage": "compulsory", "delivery": "offline"}
    regions = ({"region": text} for text in ("1101", "１１０１０５", "110105\n", "11010x"))
    for wrong in (*regions, {"sector": "chess"}, {"stage": "primary"}, {"delivery": "both"}):
        with pytest.raises(ValueError, match="must be"):
            Scope(**{**good, **wrong})


def test_an_instant_without_offset_is_refused():
    """A naive time means another instant on another machine."""
    with pytest.raises(ValueError, match="offset"):
        replace(CHARGE, ordered_at=datetime(2026, 3, 1, 10))
