"""Facts from JSON become typed contexts, or are refused by the name of the fact."""

from __future__ import annotations

import pytest
from offcampus_rules import Charge
from offcampus_rules.asking import ask
from offcampus_rules.plain import FactsError, context
from offcampus_rules.ruleset import build

FACTS = {
    "scope": {"region": "110105", "sector": "sport", "stage": "compulsory", "delivery": "offline"},
    "subject": "football",
    "signed_on": "2026-03-01",
    "ordered_at": "2026-03-01T10:00:00+08:00",
    "class_hours_centi": 4000,
    "gift_hours_centi": 0,
    "total_fen": 1,
    "service_from": "2026-03-10",
    "service_until": "2026-06-10",
    "charge_method": "both",
    "open_orders": [{"order": "a", "subject": "football", "class_hours_centi": 100}],
    "venue_lease_until": None,
}


def test_facts_become_a_charge():
    """Nested objects, lists, dates, instants, absent optional facts."""
    charge = context(Charge, FACTS)
    assert charge.scope.region == "110105"
    assert charge.open_orders[0].remaining_centi == 100
    assert charge.renewal is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"total_fen": 1.0}, "total_fen is 1.0, expected int"),
        ({"total_fen": True}, "total_fen is True, expected int"),
        ({"total_fen": "1"}, "total_fen is '1', expected int"),
        ({"signed_on": "2026-02-30"}, "signed_on is '2026-02-30', expected a date"),
        ({"signed_on": 20260301}, "signed_on is 20260301, expected date"),
        ({"ordered_at": "2026-03-01T10:00:00"}, "offset"),
        ({"charge_method": "monthly"}, "charge_method is 'monthly', expected one of by_period"),
        ({"renewal": 1}, "renewal is 1, expected bool"),
        ({"scope": "110105"}, "scope is '110105', expected an object"),
        ({"scope": {**FACTS["scope"], "region": "x"}}, "six digits"),
        ({"scope": {**FACTS["scope"], "county": "x"}}, "scope.county is no fact of Scope"),
        ({"open_orders": {}}, "open_orders is {}, expected a list"),
        ({"open_orders": [{"order": "a"}]}, "open_orders.0.class_hours_centi is missing"),
        ({"price": 1}, "price is no fact of Charge"),
    ],
)
def test_wrong_facts_are_named(change, words):
    """The fact, what it is, what it may be."""
    with pytest.raises(FactsError) as caught:
        context(Charge, {**FACTS, **change})
    assert words in str(caught.value)


def test_a_missing_fact_is_named():
    """Nothing is guessed."""
    with pytest.raises(FactsError, match="signed_on is missing"):
        context(Charge, {name: value for name, value in FACTS.items() if name != "signed_on"})


def test_questions_have_names(nation):
    """Asking for what is not there says what is."""
    ruleset = build([nation])
    assert ask(ruleset, "charge", FACTS).outcome == "allow"
    with pytest.raises(FactsError, match="nothing is called fee; known: charge"):
        ask(ruleset, "fee", {})
    with pytest.raises(FactsError, match="no parameter"):
        ask(ruleset, "value", {"parameter": "a.b", "scope": FACTS["scope"], "day": "2026-03-01"})
