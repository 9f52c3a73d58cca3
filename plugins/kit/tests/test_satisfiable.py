"""Rules that nothing can satisfy, and values that never apply, are found at the line that makes it so."""

from __future__ import annotations

import pytest
from offcampus_rules import checking, satisfiable, shadowed
from offcampus_rules.registry import load_ruleset, read_folder

HEAD = """\
id: sale.ID
title: {zh: 示例, en: Example}
unit: UNIT
BINDING
stricter: STRICTER
protects: payer
governed_by: contract_date
judgement: {confidence: reported}
values:
"""
SAID = "confidence: reported, source: {document: 文件}"
TEXT = """\
  sale.CODE:
    message: {zh: "{given}，规定{allowed}。", en: "{given}; allowed is {allowed}."}
    remedy: {zh: 改正。, en: Mend it.}
"""


def defined(name, unit, stricter, *values, binding="binding: floor"):
    head = HEAD.replace("ID", name).replace("UNIT", unit).replace("STRICTER", stricter).replace("BINDING", binding)
    return head + "".join(f"  - {{{value}}}\n" for value in values)


def local(name, region, *values):
    return f'parameter: sale.{name}\nregion: "{region}"\nvalues:\n' + "".join(f"  - {{{value}}}\n" for value in values)


def rule(number, fact, must_be, parameter, more=""):
    return (
        f"  - {{id: EX-R{number}, gates: [charge], fact: {fact}, must_be: {must_be}, parameter: sale.{parameter}, "
        f"code: sale.{parameter}, requirement: M-07.3{more}}}\n"
    )


def since(value, day="2021-01-01", more=""):
    return f"from: {day}, value: {value}, {SAID}{more}"


SILENT = "from: 2021-01-01, value: null, reason: {zh: 无, en: nobody said}"
SPAN = ", measured_from: service_from, counted: forward"


@pytest.fixture
def found(write):
    """What `check` finds in a province above a nation: (code, file, line), R-LOOSE apart."""

    def find(nation, rules, province):
        codes = sorted({part.split("code: sale.")[1].split(",")[0] for part in rules})
        words = "messages:\n" + "".join(TEXT.replace("CODE", code) for code in codes)
        above = write(
            "000000",
            {f"parameters/{name}.yaml": text for name, text in nation.items()}
            | ({"rules/sale.yaml": "rules:\n" + "".join(rules), "messages/sale.yaml": words} if rules else {}),
            name="nation",
        )
        files = {f"parameters/{name}.yaml": text for name, text in province.items()}
        report = checking.check(write("440000", files, name="province"), [read_folder(above)])
        return [
            (item.code, item.file.name, item.position.line)
            for item in report.problems
            if item.code in ("R-DEAD", "R-UNREACH")
        ]

    return find


HOURS = [rule("A", "subject_hours_centi", "at_most", "most"), rule("B", "subject_hours_centi", "at_least", "least")]
MOST = defined("most", "class_hours", "lower", since(60))
LEAST = defined("least", "class_hours", "higher", SILENT)


@pytest.mark.parametrize(
    ("least", "dead"),
    [
        (since(60), []),
        (since(61), [("R-DEAD", "county.yaml", 4)]),
        (since(61, more=", until: 2021-01-02"), [("R-DEAD", "county.yaml", 4)]),
        (since(61, "2020-01-01", ", until: 2021-01-01"), []),
        (since(61, more=", scope: {stage: [preschool_3_6], delivery: [online]}"), [("R-DEAD", "county.yaml", 4)]),
        ("from: 2021-01-01, value: 61, confidence: draft, source: {document: 文件}", []),
    ],
)  # fmt: skip
def test_a_countys_least_above_the_nations_most(found, least, dead):
    """At the limit there is one lawful charge, beyond it none: on one day, in one cell, it is found."""
    assert found({"most": MOST, "least": LEAST}, HOURS, {"county": local("least", "440305", least)}) == dead


def test_the_most_local_of_two_is_told(found):
    """The city's cap is below the province's minimum: the city made it so."""
    province = {"a": local("least", "440000", since(40)), "b": local("most", "440300", since(30))}
    assert found({"most": MOST, "least": LEAST}, HOURS, province) == [("R-DEAD", "b.yaml", 4)]
    apart = {"a": local("least", "440100", since(40)), "b": local("most", "440300", since(30))}
    assert found({"most": MOST, "least": LEAST}, HOURS, apart) == []


def test_what_a_condition_leaves_open_is_lawful(found):
    """Impossible by hours, possible by period: something is left. Impossible either way: dead."""
    by_hours = ", when: {charge_method: [by_hours, both]}"
    one = [HOURS[0], rule("B", "subject_hours_centi", "at_least", "least", by_hours)]
    both = [*one, rule("C", "subject_hours_centi", "at_least", "least", ", when: {charge_method: [by_period]}")]
    nation, province = {"most": MOST, "least": LEAST}, {"p": local("least", "440000", since(61))}
    assert found(nation, one, province) == []
    assert found(nation, both, province) == [("R-DEAD", "p.yaml", 4)]


@pytest.mark.parametrize(("cap", "dead"), [(1, []), (0, [("R-DEAD", "p.yaml", 4)])])
def test_a_cap_of_nothing(found, cap, dead):
    """No charge is smaller than one fen."""
    nation = {"sum": defined("sum", "fen", "lower", since(500000))}
    assert found(nation, [rule("A", "amount_fen", "at_most", "sum")], {"p": local("sum", "440000", since(cap))}) == dead


@pytest.mark.parametrize(
    ("ways", "dead"),
    [("[by_hours]", []), ("[by_hours, both]", []), ("[both]", [("R-DEAD", "p.yaml", 4)]), ("[weekly]", [("R-DEAD", "p.yaml", 4)])],
)  # fmt: skip
def test_lists_that_share_nothing(found, ways, dead):
    """The nation permits by_period and by_hours; the province only what is not among them."""
    nation = {"ways": defined("ways", "options", "subset", since("[by_period, by_hours]"))}
    rules = [rule("A", "charge_method", "one_of", "ways")]
    assert found(nation, rules, {"p": local("ways", "440000", since(ways))}) == dead


def test_words_that_are_all_forbidden(found):
    """Three ways of charging there are; a province that forbids what the nation left forbids all."""
    nation = {"not": defined("not", "options", "superset", since("[by_period]"))}
    rules = [rule("A", "charge_method", "none_of", "not")]
    assert found(nation, rules, {"p": local("not", "440000", since("[by_hours]"))}) == []
    assert found(nation, rules, {"p": local("not", "440000", since("[by_hours, both]"))}) == [("R-DEAD", "p.yaml", 4)]


def test_calendars_that_share_no_day(found):
    """No rule need read a calendar for its emptiness to be told."""
    nation = {"open": defined("open", "dates", "subset", since("{days: [2026-07-01]}"))}
    assert found(nation, [], {"p": local("open", "440000", since("{days: [2026-07-02]}"))}) == [("R-DEAD", "p.yaml", 4)]


@pytest.mark.parametrize(
    ("least", "unit", "dead"),
    [(3, "months", []), (92, "days", []), (93, "days", [("R-DEAD", "p.yaml", 4)]), (4, "months", [("R-DEAD", "p.yaml", 4)])],
)  # fmt: skip
def test_spans_are_compared_by_where_they_end(found, least, unit, dead):
    """92 days fit into 3 months from some start days, 93 from none."""
    rules = [rule("A", "service_until", "at_most", "most", SPAN), rule("B", "service_until", "at_least", "least", SPAN)]
    nation = {"most": defined("most", "months", "lower", since(3)), "least": defined("least", "days", "higher", SILENT)}
    assert found(nation, rules, {"p": local("least", "440000", since(least, more=f", unit: {unit}"))}) == dead


def test_a_flag_that_must_be_both(found):
    """Cash demanded and cash forbidden."""
    nation = {"a": defined("cash", "flag", "higher", since("true")), "b": defined("none", "flag", "higher", SILENT)}
    rules = [rule("A", "paid_in_cash", "is_true", "cash"), rule("B", "paid_in_cash", "is_false", "none")]
    assert found(nation, rules, {"p": local("none", "440000", since("true"))}) == [("R-DEAD", "p.yaml", 4)]
    assert found(nation, rules, {"p": local("none", "440000", since("false"))}) == []


def test_a_ban_is_no_contradiction(found):
    """Where academic training is forbidden outright nothing need be lawful."""
    nation = {"most": MOST, "least": LEAST, "ban": defined("ban", "options", "superset", since("[academic]"))}
    rules = [*HOURS, rule("C", "sector", "none_of", "ban")]
    scoped = since(61, more=", scope: {sector: [academic]}")
    assert found(nation, rules, {"p": local("least", "440000", scoped)}) == []
    assert found(nation, HOURS, {"p": local("least", "440000", scoped)}) == [("R-DEAD", "p.yaml", 4)]


NULL = "from: DAY, value: null, reason: {zh: 本地未见规定, en: no local text was found}"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (NULL.replace("DAY", "2022-01-01"), [4]),
        (NULL.replace("DAY", "2021-01-01"), [4]),
        (NULL.replace("DAY", "2020-12-31"), []),
        (NULL.replace("DAY", "2022-01-01") + ", until: 2023-01-01", [4]),
        (since(60, "2022-01-01"), []),
        (since(50, "2019-01-01", ", until: 2021-01-01"), []),
    ],
)
def test_values_that_never_apply(found, value, lines):
    """A null under a value; a repetition, a value from before, or a null that has some time of its own, may stay."""
    assert found({"most": MOST}, [HOURS[0]], {"p": local("most", "440000", value)}) == [
        ("R-UNREACH", "p.yaml", line) for line in lines
    ]


def test_the_installed_rules_are_satisfiable():
    """Every place, cell and interval of nation and provinces has something lawful, and no value is in vain."""
    ruleset = load_ruleset()
    assert [str(item) for item in satisfiable.find(ruleset.assembly)] == []
    assert [str(item) for item in shadowed.find(ruleset.assembly)] == []


def dated(name, *days):
    return defined(name, "dates", "superset", since(f"{{days: [{', '.join(days)}]}}"))


def test_a_calendar_leaves_some_day(found):
    """Days that are closed leave all others; two calendars of open days that share none leave nothing."""
    closed = [rule("A", "signed_on", "none_of", "closed")]
    assert found({"closed": dated("closed", "2026-06-19", "{first: 2026-07-01, last: 2026-08-31}")}, closed, {}) == []
    within = [rule("A", "signed_on", "one_of", "terms"), rule("B", "signed_on", "one_of", "fairs")]
    apart = {"terms": dated("terms", "{first: 2026-03-01, last: 2026-06-30}"), "fairs": dated("fairs", "2026-07-01")}
    assert [
        code for code, *_ in found(apart, within, {"p": local("fairs", "440000", since("{days: [2026-07-02]}"))})
    ] == ["R-DEAD"]


def test_an_option_held_at_least_by_two_orders(found):
    """Two orders, each held at least: where they meet in custody there is one lawful place, further on none."""
    order = "order: [reserve_only, institution_custody, payer_locked]\nbinding: floor"
    most = order.replace(
        "[reserve_only, institution_custody, payer_locked]", "[payer_locked, institution_custody, reserve_only]"
    )
    rules = [rule("A", "fund_location", "at_least", "least"), rule("B", "fund_location", "at_least", "most")]
    known = {
        "least": defined("least", "option", "later", since("institution_custody"), binding=order),
        "most": defined("most", "option", "later", since("payer_locked"), binding=most),
    }
    assert found(known, rules, {"p": local("most", "440000", since("institution_custody"))}) == []
    assert [code for code, *_ in found(known, rules, {"p": local("most", "440000", since("reserve_only"))})] == [
        "R-DEAD"
    ]
