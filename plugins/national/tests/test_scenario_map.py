"""SCENARIOS.md is the one place that says where a numbered scenario is tested, or why it is none of the rules' business."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPOSITORY = ROOT.parents[1]
ROWS = re.findall(
    r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "SCENARIOS.md").read_text(encoding="utf-8"), re.MULTILINE
)
FILES = [(int(number), file) for number, where in ROWS for file in re.findall(r"`(plugins/[^`]+)`", where)]


def test_every_scenario_has_one_row():
    """36 scenarios, each once."""
    assert [int(number) for number, _ in ROWS] == list(range(1, 37))


def test_a_row_names_a_test_or_says_why_not():
    """No row is left empty."""
    for number, where in ROWS:
        assert "`plugins/" in where or where.startswith("not about rules"), number


@pytest.mark.parametrize(("number", "file"), FILES)
def test_the_file_tells_the_scenario(number, file):
    """A case names it by `scenario: scenario N`, a test by its name."""
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    assert re.search(rf"scenario[ _]{number}\b|test_scenario_{number}_", text)
