"""The vocabulary of rules agrees with the contexts and with the standard's resources."""

from __future__ import annotations

import pytest
from offcampus_rules.facts import VOCABULARY
from offcampus_spec.schemas import load

RESOURCES = {"charge": "order", "course": "course", "lesson": "lesson", "consumption": "consumption-record"}


@pytest.mark.parametrize("gate", sorted(RESOURCES))
def test_pointers_lead_to_members_a_party_sends(gate):
    """Whoever is refused is pointed at a member of what they sent."""
    fields = load(RESOURCES[gate])["$defs"]["fields"]["properties"]
    for fact in VOCABULARY[gate].values():
        if fact.pointer is not None:
            assert fact.pointer.split("/")[1] in fields, fact.name


def test_names_are_the_keys():
    """A fact is found under its own name."""
    for facts in VOCABULARY.values():
        assert all(name == fact.name for name, fact in facts.items())
