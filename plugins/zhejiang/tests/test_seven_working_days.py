"""A worked example, unverified: what the draft's 7 working days would do if they came into force.

The nation's word `binding` decides. Under `default` the nearest level rules and 7 replaces 15; under `floor` the longer
time protects the payer, 7 has no effect and is reported. The files are copied; the plugin itself keeps the draft a note.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from offcampus_rules import Confirmation, Scope
from offcampus_rules.registry import read_folder
from offcampus_rules.ruleset import build

ROOT = Path(__file__).parents[1]
NATION = ROOT.parent / "national"
FILE = "parameters/confirmation/auto_confirm.yaml"
HERE = Scope("330102", "academic", "compulsory", "offline")


def copied(root, target, old, new):
    """A copy of a plugin's folder in which one line of FILE reads differently."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    text = (target / FILE).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (target / FILE).write_text(text.replace(old, new), encoding="utf-8")
    return read_folder(target)


@pytest.fixture
def in_force(tmp_path):
    return copied(ROOT, tmp_path / "zhejiang", "confidence: draft", "confidence: reported")


def due(ruleset):
    """Taught on a Wednesday, told on Friday 6 February 2026; the Spring Festival lies between."""
    told = datetime.fromisoformat("2026-02-06T18:00:00+08:00")
    return ruleset.confirmation_due(Confirmation(HERE, notified_at=told)).due_at.isoformat()


def test_as_a_draft_it_changes_nothing():
    """What the plugin says today: the platform's 15 working days."""
    assert due(build([read_folder(NATION), read_folder(ROOT)])) == "2026-03-06T00:00:00+08:00"


def test_under_default_the_nearest_level_rules(in_force):
    """7 working days, one of them the Saturday that is worked."""
    ruleset = build([read_folder(NATION), in_force])
    assert due(ruleset) == "2026-02-25T00:00:00+08:00"
    assert ruleset.reports() == ()


def test_under_floor_the_longer_time_holds_and_the_shorter_is_reported(in_force, tmp_path):
    """The same files with one word of the nation's changed."""
    ruleset = build([copied(NATION, tmp_path / "national", "binding: default", "binding: floor"), in_force])
    assert due(ruleset) == "2026-03-06T00:00:00+08:00"
    assert [(problem.code, problem.file.name) for problem in ruleset.reports()] == [("R-LOOSE", "auto_confirm.yaml")]
