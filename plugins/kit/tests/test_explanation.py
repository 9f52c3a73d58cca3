"""`explain` tells of every rule whether it was met, by whose limit, and what would have passed."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from offcampus_rules import Charge
from offcampus_rules.cli import main
from offcampus_rules.explaining import full_tree
from offcampus_rules.explaining_html import page
from offcampus_rules.explanation import explain
from offcampus_rules.plain import FactsError, partial
from offcampus_rules.ruleset import build
from offcampus_spec.schemas import validator

FACTS = {
    "scope": {"region": "110105", "sector": "sport", "stage": "compulsory", "delivery": "offline"},
    "subject": "football",
    "signed_on": "2026-03-01",
    "ordered_at": "2026-03-01T10:00:00+08:00",
    "class_hours_centi": 6150,
    "gift_hours_centi": 0,
    "total_fen": 480000,
    "service_from": "2026-03-10",
    "service_until": "2026-06-10",
    "charge_method": "both",
}


@pytest.fixture
def explained(nation, read, local_hours):
    """Explains under the nation's 60 hours, the province's 50 and a county's 70 that has no effect."""
    files = {"parameters/sale/a.yaml": local_hours("110000", 50), "parameters/sale/b.yaml": local_hours("110105", 70)}
    ruleset = build([nation, read("110000", files, name="province")])
    return lambda **facts: explain(ruleset, "charge", {**FACTS, **facts})


def test_every_level_and_the_nearest_value(explained):
    """Both stricter limits, the one without effect by file and line, and how far away a lawful value lies."""
    found = explained()
    [status] = found.rules
    assert (status.rule, status.status, status.given_en) == ("EX-HRS-001", "violated", "61.5 class hours")
    assert [(limit.value.level, limit.passes) for limit in status.limits] == [
        ("nation", False),
        ("province", False),
        ("county", True),
    ]
    assert status.nearest_en == "50 class hours (11.5 class hours away)"
    assert [(problem.code, problem.file.name, problem.position.line) for problem in found.looser] == [
        ("R-LOOSE", "b.yaml", 4)
    ]
    assert explained(class_hours_centi=5000).rules[0].status == "satisfied"
    assert "b.yaml:4" in full_tree(found, "zh")


def test_a_missing_fact_is_named(nation):
    """No decision without it, and no guess: the rule that needs it says which fact it lacks."""
    found = explain(build([nation]), "charge", {key: FACTS[key] for key in FACTS if key != "class_hours_centi"})
    assert (found.answer, found.missing) == (None, ("class_hours_centi",))
    assert [(item.status, item.missing) for item in found.rules] == [("not_evaluated", "class_hours_centi")]
    assert "class_hours_centi" in full_tree(found, "en")
    assert "class_hours_centi" in page(found)


def test_the_page_is_escaped_and_needs_nothing(explained):
    """Whatever a fact or file holds stays text; both languages; no script, no link to anywhere."""
    text = page(explained(charge_method="by_hours", subject="<script>alert(1)</script>"))
    tags = _Tags()
    tags.feed(text)
    assert not {"script", "link", "img", "iframe", "a"} & tags.seen
    assert "不超过 50 课时" in text
    assert "at most 50 class hours" in text
    assert "http" not in text.replace("http-equiv", "")


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_facts_that_do_not_say_where_or_when(nation):
    """Without place or governing date nobody can say which rules apply."""
    for name in ("scope", "signed_on", "ordered_at"):
        facts = {key: value for key, value in FACTS.items() if key != name}
        with pytest.raises(FactsError, match=f"{name} is missing"):
            explain(build([nation]), "charge", facts)


def test_a_case_that_lacks_facts():
    """What has a default takes it, since it is stored that way; what has none cannot be read."""
    facts = {key: FACTS[key] for key in FACTS if key != "total_fen"}
    case, missing = partial(Charge, facts)
    assert (missing, case.renewal, case.signed_on) == (("total_fen",), False, date(2026, 3, 1))
    with pytest.raises(AttributeError, match="total_fen"):
        _ = case.total_fen


def test_the_command(tmp_path):
    """Text in both languages, JSON that is a decision of the standard, a page."""
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS))
    run = CliRunner().invoke
    text = run(main, ["explain", "charge", str(file), "--lang", "en"]).output
    assert "✗ [CN-PRE-002] violated: subject_hours_centi, given 61.5 class hours" in text
    assert "· [CN-PRE-005R] not applicable: ordered_on (renewal is false; this rule is about true)" in text
    assert "every rule" not in run(main, ["explain", "charge", str(file), "--lang", "en", "--brief"]).output
    document = json.loads(run(main, ["explain", "charge", str(file), "--json"]).output)
    validator("decision").validate(document)
    assert {item["status"] for item in document["rules"]} >= {"violated", "satisfied", "not_applicable"}
    assert run(main, ["explain", "charge", str(file), "--html"]).output.startswith("<!doctype html>")
