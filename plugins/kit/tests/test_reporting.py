"""The same findings for people and machines: text, JSON, JUnit, SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main
from offcampus_rules.codes import CODES

BAD = Path(__file__).parent / "bad_plugins"
ARGUMENTS = ["check", "--above", str(BAD / "nation"), "--on", "2026-06-01"]


@pytest.fixture
def province(tmp_path, monkeypatch):
    """A copy of the good plugin with one looser value and one text nobody checked for a year."""
    root = tmp_path / "province"
    for file in (BAD / "good").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            target = root / file.relative_to(BAD / "good")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    file = root / "parameters/sale/hours_max.yaml"
    text = file.read_text(encoding="utf-8").replace("value: 50", "value: 61").replace("2026-05-01", "2024-05-01")
    file.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return root


def run(*arguments):
    return CliRunner().invoke(main, [*ARGUMENTS, *map(str, arguments)])


def test_json(province):
    """One object; files relative to where it was asked."""
    result = run(province, "--json", "--coverage", "--mutate")
    document = json.loads(result.output)
    assert (result.exit_code, document["passed"], document["parameters"]) == (1, False, 5)
    first = document["problems"][0]
    assert (first["code"], first["file"], first["line"]) == ("R-LOOSE", "province/parameters/sale/hours_max.yaml", 9)
    assert "宽于" in first["message"]["zh"]
    assert document["coverage"]["covered"] < document["coverage"]["edges"]
    assert document["mutation"]["survived"] == sum(item["code"] == "R-SURVIVOR" for item in document["problems"])


def test_junit(province):
    """A failed test a file with errors; a warning fails nothing."""
    assert run(province, "--junit", "report.xml").exit_code == 1
    suite = Xml.parse("report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    [failure] = suite.iter("failure")
    assert failure.get("type") == "R-LOOSE"
    assert "hours_max.yaml:9:5: R-LOOSE" in failure.text


def test_sarif(province):
    """Every code is a rule; each result points at its rule, file and line."""
    run(province, "--sarif", "report.sarif")
    [log] = json.loads(Path("report.sarif").read_text(encoding="utf-8"))["runs"]
    rules = [rule["id"] for rule in log["tool"]["driver"]["rules"]]
    assert rules == list(CODES)
    assert [(item["ruleId"], item["level"]) for item in log["results"]] == [
        ("R-LOOSE", "error"),
        ("R-STALE", "warning"),
    ]
    assert all(rules[item["ruleIndex"]] == item["ruleId"] for item in log["results"])
    place = log["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "province/parameters/sale/hours_max.yaml"
    assert place["region"]["startLine"] == 9


def test_warnings_fail_only_when_asked_to(province):
    """A text that wants reading again is told, and stops nobody but with `--strict`."""
    file = province / "parameters/sale/hours_max.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("value: 61", "value: 60"), encoding="utf-8")
    lax, strict = run(province), run(province, "--strict")
    assert (lax.exit_code, strict.exit_code) == (0, 1)
    assert "warning: " in lax.output
    assert "0 errors, 1 warnings" in lax.output
    assert run(province, "--junit", "ok.xml").exit_code == 0
    assert Xml.parse("ok.xml").getroot().get("failures") == "0"
