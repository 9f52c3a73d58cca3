"""The requirement catalogue is whole, has its form, and agrees with the contracts in both directions."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import jsonschema
import pytest
import yaml
from offcampus_spec.operations import operations
from offcampus_spec.requirements import requirements

CATALOGUE = Path(__file__).parents[1] / "requirements"
ARTICLES = {
    "02": 3, "03": 1, "04": 4, "05": 2, "06": 2, "07": 6, "08": 2, "09": 3, "10": 1, "11": 6, "12": 1, "13": 2,
    "14": 2, "15": 2, "16": 2, "17": 2, "18": 2, "19": 3, "20": 2, "21": 2, "22": 2, "23": 1, "24": 1, "25": 1,
    "QA": 7,
}  # fmt: skip
"""How many requirements each article has; Article 1 states the purpose and asks nothing of a system."""


def test_every_requirement_stands_in_the_catalogue_and_no_other():
    """The ids are stable: none is lost, none is added unnoticed."""
    expected = [f"M-{article}.{number}" for article, count in ARTICLES.items() for number in range(1, count + 1)]
    assert sorted(requirements()) == sorted(expected)


@pytest.mark.parametrize("path", sorted(CATALOGUE.glob("M-*.yaml")), ids=lambda path: path.stem)
def test_each_file_has_the_form_of_the_catalogue(path):
    """Level, status, both languages, source; planned ones say what will serve them."""
    schema = json.loads((CATALOGUE / "catalogue.schema.json").read_text(encoding="utf-8"))
    chapter = yaml.safe_load(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(chapter)
    article = path.stem.removeprefix("M-")
    assert str(chapter["source"]["article"]) == article.lstrip("0")
    assert all(entry["id"].startswith(f"{path.stem}.") for entry in chapter["requirements"])


def test_the_schema_of_the_catalogue_refuses_what_it_must():
    """A planned requirement without a plan, and an implemented one that nothing serves, are both refused."""
    schema = json.loads((CATALOGUE / "catalogue.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/requirement", "$defs": schema["$defs"]})
    text = {"en": "It reports in time.", "zh": "及时填报。"}
    good = {"id": "M-98.1", "level": "MUST", "status": "implemented", "text": text, "operations": ["sampleThing"]}
    assert validator.is_valid(good)
    assert not validator.is_valid(good | {"operations": []})
    assert not validator.is_valid(good | {"status": "planned", "operations": []})
    assert not validator.is_valid(good | {"level": "should"})
    assert not validator.is_valid(good | {"text": {"en": text["en"]}})


def test_the_articles_were_read_and_the_answers_were_reported():
    """What we rest on says how sure we are of it."""
    by_confidence = defaultdict(set)
    for requirement in requirements().values():
        by_confidence[requirement.confidence].add(requirement.article == "QA")
    assert by_confidence == {"official": {False}, "reported": {True}}


def test_catalogue_and_contracts_name_each_other():
    """A requirement lists an operation exactly when the operation lists the requirement."""
    by_catalogue = {(id, name) for id, entry in requirements().items() for name in entry.operations}
    by_contract = {(id, name) for name, operation in operations().items() for id in operation.requirements}
    assert by_catalogue - by_contract == set(), "in the catalogue, not in the operation's x-requirements"
    assert by_contract - by_catalogue == set(), "in the operation's x-requirements, not in the catalogue"


def test_every_operation_serves_a_requirement():
    """Nothing is in the contract for its own sake."""
    assert [name for name, operation in operations().items() if not operation.requirements] == []
