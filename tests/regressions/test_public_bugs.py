"""Faults that others had in public, each with the test that keeps its whole kind out.

`public_bugs.csv` is the list: the report, the kind of fault, the test. A row whose test is renamed or lost fails here.
Below it are the kinds that no other test holds.
"""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
with (Path(__file__).parent / "public_bugs.csv").open(encoding="utf-8", newline="") as lines:
    ROWS = list(csv.DictReader(lines))


@pytest.mark.parametrize("row", ROWS, ids=[row["report"] for row in ROWS])
def test_each_kind_has_its_test(row: dict[str, str]) -> None:
    """The test that is named exists, and asserts something."""
    path, _, name = row["tests"].partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert [test.name for test in tests if not name or test.name == name] != []


def _ours() -> list[Path]:
    folders = ("spec", "plugins", "sdk", "reference_server", "conformance")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\bpytz\b", "pytz with replace() gives +08:06 (python/cpython#105015): zoneinfo only"),
        (r"\.executescript\(", "executescript commits first (ghaering/pysqlite#59)"),
        (r"\bNumeric\(|\bFloat\(|\bDECIMAL\(", "SQLite keeps decimals as floats (sqlalchemy#7299): integer fen"),
        (r"datetime\.utcnow\(|datetime\.now\(\)", "a naive instant shifts with the zone of the machine"),
        (r"""re\.compile\(r?f?["'][^"']*\\d""", r"\d takes digits of every script: [0-9]"),
    ],
)
def test_what_must_not_be_written(pattern: str, why: str) -> None:
    """A look through the packages: these words bring a known fault with them."""
    found = [path.relative_to(ROOT) for path in _ours() if re.search(pattern, path.read_text(encoding="utf-8"))]
    assert found == [], why
