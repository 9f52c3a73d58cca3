"""The traceability page is found in the tree, tells the truth about it, and is the same for the same tree."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from offcampus_spec import traceability
from offcampus_spec.evidence import Place, collect
from offcampus_spec.operations import operations
from offcampus_spec.requirements import Requirement

FIRST, SECOND = "M-98.1", "M-98.2"  # no article has these numbers: this file must not count as evidence of a real one
CONTRACT = {
    "sampleThing": replace(next(iter(operations().values())), method="DELETE", path="/v1/samples"),
    "readThing": replace(next(iter(operations().values())), method="GET", path="/v1/things/{thing_id}"),
}


def requirement(id, status="implemented", operations=("sampleThing",)):
    return Requirement(id, "98", "MUST", status, "It does.", "它做。", operations, None, "办法", "official")


@pytest.fixture
def tree(tmp_path):
    """A small working copy with one of everything."""
    files = {
        "reference_server/offcampus_server/things/api.py": """
            @handlers("sampleThing")
            def sample_thing(call, work): ...
            @other("sampleThing")
            def not_a_handler(): ...
            """,
        "reference_server/tests/things/test_things.py": f'''
            """Things."""
            TABLE = [("sampleThing", 201)]
            def test_a_thing():
                """A thing is taken ({FIRST})."""
            class TestMore:
                def test_by_name(self, client):
                    client.call("sampleThing")
            ''',
        "reference_server/tests/things/helpers.py": """
            def read(client, id):
                client.get(f"/v1/things/{id}?x=1")
                client.get("/v1/things")
                client.post("/v1/things/1")
                client.write("GET", "/v1/things/1/more")
            """,
        "conformance/offcampus_conformance/checks/platform/check_things.py": f"""
            @check("P-THING-001", level="MUST", requirements=("{FIRST}", "{SECOND}"))
            def things_are_taken(view): ...
            """,
        "plugins/national/rules/things.yaml": f"rules:\n  - {{id: CN-001, requirement: {FIRST}}}\n",
        ".venv/lib/test_foreign.py": 'x = "sampleThing"\n',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return tmp_path


def test_handlers_rules_tests_and_checks_are_found(tree):
    """Each kind of evidence is found under what it serves, and nothing else is taken for it."""
    found = collect(tree, CONTRACT)
    api, tests = "reference_server/offcampus_server/things/api.py", "reference_server/tests/things/test_things.py"
    assert found.handlers == {"sampleThing": (Place(api, "sample_thing"),)}
    assert found.tests_of_requirements == {FIRST: (Place(tests, "test_a_thing"),)}
    helpers = "reference_server/tests/things/helpers.py"
    assert found.tests_of_operations == {
        "readThing": (Place(helpers, ""),),
        "sampleThing": (Place(tests, ""), Place(tests, "test_by_name")),
    }
    assert found.rules == {FIRST: (Place("plugins/national/rules/things.yaml", "CN-001"),)}
    checks = "conformance/offcampus_conformance/checks/platform/check_things.py"
    assert found.checks == {FIRST: (Place(checks, "P-THING-001"),), SECOND: (Place(checks, "P-THING-001"),)}


def test_a_longer_word_is_not_the_operation(tree):
    """`sampleThings` is another word, and `M-98.10` another id."""
    path = tree / "reference_server/tests/things/test_other.py"
    path.write_text(f'def test_x():\n    "{FIRST}0 resampleThing sampleThings"\n', encoding="utf-8")
    found = collect(tree, CONTRACT)
    places = [*found.tests_of_operations["sampleThing"], *found.tests_of_requirements[FIRST]]
    assert [place for place in places if place.path.endswith("test_other.py")] == []


def test_what_nothing_judges_is_named_as_a_gap(tree):
    """An implemented requirement without test or check is a gap; a planned one is not."""
    found = collect(tree, CONTRACT)
    asked = {
        FIRST: requirement(FIRST),
        "M-98.3": requirement("M-98.3", operations=("otherThing",)),
        "M-98.4": requirement("M-98.4", "planned", ()),
    }
    assert traceability.gaps(asked, found) == ["M-98.3"]
    page = traceability.page(asked, CONTRACT, found)
    assert "neither a test nor a check reaches: M-98.3." in page
    assert f"### {FIRST} · MUST · implemented" in page


def test_the_page_is_current_until_the_tree_changes(tree, capsys):
    """Written twice it is the same; --check is content, and says so when a handler is gone."""
    (tree / "docs").mkdir()
    arguments = ["--root", str(tree)]
    assert traceability.main([*arguments, "--check"]) == 1, "there is no page yet"
    assert traceability.main(arguments) == 0
    first = (tree / traceability.PAGE).read_bytes()
    assert traceability.main(arguments) == 0
    assert (tree / traceability.PAGE).read_bytes() == first
    assert traceability.main([*arguments, "--check"]) == 0
    assert str(tree).encode() not in first, "paths are relative"
    (tree / "conformance/offcampus_conformance/checks/platform/check_things.py").unlink()
    real = next(iter(operations()))
    (tree / "reference_server/tests/things/test_things.py").write_text(f'X = "{real}"\n', encoding="utf-8")
    capsys.readouterr()
    assert traceability.main([*arguments, "--check"]) == 1
    assert "is stale; run: python -m offcampus_spec.traceability" in capsys.readouterr().out
