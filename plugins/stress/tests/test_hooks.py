"""That each hook of the synthetic rules makes a difference somewhere, and what they declare."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from offcampus_rules.asking import ask
from offcampus_rules.hook_table import HOOK_TABLE
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build
from offcampus_rules.testing import load_cases, observed
from offcampus_spec.schemas import compile_schema

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"
QUESTIONS = {
    "confirmation_due": "confirmation",
    "release_plan": "release_plan",
    "refund_terms": "refund",
    "price_limit": "price",
    "reserve_required": "reserve",
    "risk_indicators": "warning",
    "credit_factors": "credit",
    "list_transitions": "list_transitions",
}
"""The question that a hook helps to answer; a gate's hook is named after its gate."""


@pytest.fixture(scope="module")
def plugin():
    return read_folder(ROOT)


@pytest.fixture(scope="module")
def changed(plugin, tmp_path_factory):
    """The questions that some case answers differently without the Python."""
    data = tmp_path_factory.mktemp("stress") / "stress"
    shutil.copytree(ROOT, data, ignore=shutil.ignore_patterns("offcampus_rules_stress", "tests"))
    nation = read_folder(NATION)
    both, without = build([nation, plugin]), build([nation, read_folder(data)])
    return {
        case.question
        for case in load_cases(ROOT)
        if case.facts["scope"]["region"] == "991200"
        and observed(ask(both, case.question, case.facts)) != observed(ask(without, case.question, case.facts))
    }


def test_every_hook_is_there(plugin):
    """A hook the kit gains is missed here until the synthetic rules stretch it."""
    assert set(plugin.hooks) == set(HOOK_TABLE)


@pytest.mark.parametrize("hook", [name for name, row in HOOK_TABLE.items() if row.case is not None])
def test_every_hook_makes_a_difference(changed, hook):
    """Without the Python some case would be answered differently."""
    assert QUESTIONS.get(hook, hook.removeprefix("check_")) in changed


def test_what_the_hooks_declare(plugin):
    """Levels of warning rise; a field is a JSON Schema under the province's own namespace."""
    levels = plugin.code.declared["warning_levels"]
    assert [(level.id, level.from_points) for level in levels] == [("blue", 2), ("yellow", 5), ("red", 8)]
    [field] = plugin.code.declared["disclosure_fields"]
    policy = compile_schema({"allOf": [field.schema]})
    assert (field.namespace, field.name) == ("x-stress", "insurance_policy")
    assert policy.is_valid("AB12345678")
    assert not policy.is_valid("no policy")
