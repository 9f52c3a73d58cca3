"""Scenarios are data: what breaks the language is refused with its place, and what is written is what is played."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from offcampus_conformance.scenario.documents import Known, NotKnown, resolve
from offcampus_conformance.scenario.language import ScenarioError, load, parse
from offcampus_conformance.synthetic import Synthetic
from offcampus_spec import schemas
from offcampus_spec.operations import operations

TITLE = {"en": "One", "zh": "一"}


def scenario(*steps: dict[str, Any], **changes: Any) -> str:
    chapters = [{"chapter": "one", "title": TITLE, "steps": [{"title": TITLE, **step} for step in steps]}]
    raw = {"scenario": "bank", "title": TITLE, "starts_on": "2025-09-08", "chapters": chapters, **changes}
    return yaml.safe_dump(raw, allow_unicode=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (scenario({"step": "a", "ask": "work"}, {"step": "a", "ask": "work"}), "stands twice"),
        (scenario({"step": "a"}), "exactly one thing"),
        (scenario({"step": "a", "ask": "work", "keys": "revoke_old"}), "exactly one thing"),
        (scenario({"step": "a", "ask": "work", "when": "3 10:00"}, {"step": "b", "ask": "work", "when": "2 10:00"}),
         "lies before"),
        (scenario({"step": "a", "ask": "work", "when": "3 25:00"}), "/chapters/0/steps/0/when"),
        (scenario({"step": "a", "ask": "work", "expect": "done"}), "/chapters/0/steps/0"),
        (scenario({"step": "a", "ask": "work", "platform": [{"call": "listEvents", "do": "sulk"}]}), "platform/0/do"),
        (scenario({"step": "a", "keys": "lose"}), "platform_adds"),
        (scenario({"step": "a", "opens": {"kind": "audit"}}), "guardian_refund"),
        (scenario({"step": "a", "ask": "work"}, scenario="platform"), "institution-system"),
        ("scenario: [", "scenario"),
    ],
)  # fmt: skip
def test_what_breaks_the_language_is_refused(text: str, says: str) -> None:
    """The message names the place or the step, and what is allowed."""
    with pytest.raises(ScenarioError, match=says):
        parse(text)


@pytest.mark.parametrize("profile", ["institution-system", "bank"])
def test_operations_of_a_scenario_exist(profile: str) -> None:
    """A step that waits for an operation that is not in the contract would wait for ever."""
    named = {name for step in load(profile).steps() for name in step.arrives}
    named |= {trick["call"] for step in load(profile).steps() for trick in step.platform}
    assert named <= operations().keys()


@pytest.mark.parametrize("profile", ["institution-system", "bank"])
def test_names_are_kept_before_they_are_used(profile: str) -> None:
    """No step refers to something that no earlier step keeps."""
    known: set[str] = set()
    for step in load(profile).steps():
        used = {word.split()[0][1:] for word in _texts([step.given]) if word.startswith("$")}
        used |= {(step.happens or step.opens or {}).get("to") or (step.opens or {}).get("about")} - {None}
        assert used - {"at", "day", "own", "made"} <= known, step.id
        known |= set(step.keep)


@pytest.mark.parametrize("maker", ["institution", "campus", "staff", "material", "course", "pupil"])
def test_documents_of_a_scenario_are_lawful(maker: str) -> None:
    """The suite asks for nothing that the contract refuses."""
    make = Synthetic("t", date(2025, 9, 8), "110105")
    known = Known({"institution": "ins_" + "0" * 26, "campus": "cmp_" + "0" * 26})
    document = resolve({"make": maker}, make, known)
    assert [error.message for error in schemas.validator(maker).iter_errors(document)] == []


def test_references_are_resolved_everywhere() -> None:
    """Identifiers, instants, days and own references stand where the scenario names them."""
    make = Synthetic("tag", date(2025, 9, 8), "110105")
    given = {"id": "$order.1", "at": ["$at -3 10:05"], "on": "$day 2", "own": "$own sub", "plain": "text"}
    assert resolve(given, make, Known({"order.1": "ord_1"})) == {
        "id": "ord_1", "at": ["2025-09-05T10:05:00+08:00"], "on": "2025-09-10", "own": "sub-tag", "plain": "text",
    }  # fmt: skip
    assert resolve("$made ins 1", make, Known()) == resolve("$made ins 1", make, Known())


def test_what_never_came_about_is_named() -> None:
    """A step that builds on a missing one is left out with that reason."""
    with pytest.raises(NotKnown, match=r"order\.9"):
        resolve({"id": "$order.9"}, Synthetic("t", date(2025, 9, 8), "110105"), Known())


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
