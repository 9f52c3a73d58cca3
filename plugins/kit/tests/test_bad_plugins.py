"""Every check code: one edit of a good plugin triggers it, at its file and line; a near miss does not."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from offcampus_rules import checking
from offcampus_rules.codes import CODES
from offcampus_rules.registry import read_folder
from ruamel.yaml import YAML

HERE = Path(__file__).parent / "bad_plugins"
EDITS = YAML(typ="safe").load((HERE / "edits.yaml").read_text(encoding="utf-8"))
TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def nation():
    return read_folder(HERE / "nation")


@pytest.fixture
def good(tmp_path):
    return Path(shutil.copytree(HERE / "good", tmp_path / "good"))


def report(root: Path, nation, edit: Mapping[str, Any], *, near: bool = False):
    """Check the copy after its edit (or after the near miss)."""
    name, new = edit.get("file"), edit.get("near" if near else "new", "")
    if name is not None:
        file = root / (edit.get("near_file", name) if near else name)
        file.parent.mkdir(exist_ok=True)
        text = file.read_text(encoding="utf-8").replace(edit["old"], new, 1) if "old" in edit else new
        assert text != (file.read_text(encoding="utf-8") if file.exists() else None), "the edit changes nothing"
        file.write_text(text, encoding="utf-8")
    above = [] if edit.get("above") and not near else [nation]
    on = edit.get("near_on" if near else "on", TODAY)
    judged = {name: edit.get(name, False) for name in ("coverage", "mutate")}
    return checking.check(root, above, today=on, **judged)


def where(root: Path, problem) -> str:
    return f"{problem.file.relative_to(root).as_posix()}:{problem.position.line}"


def name_of(edit) -> str:
    return f"{edit['code']} {edit['what']}"


def test_the_good_plugin_is_good(good, nation):
    """What the edits start from has nothing to report."""
    assert report(good, nation, {}).problems == ()


@pytest.mark.parametrize("edit", EDITS, ids=name_of)
def test_a_bad_plugin(good, nation, edit):
    """The code, the file and the line; a warning stays one; both languages."""
    found = [item for item in report(good, nation, edit).problems if item.code == edit["code"]]
    assert edit["at"] in [where(good, item) for item in found]
    assert {item.severity for item in found} == {"warning" if CODES[edit["code"]].warning else "error"}
    assert any(edit.get("says", "") in item.message_en for item in found)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in item.message_zh) for item in found)


@pytest.mark.parametrize("edit", [edit for edit in EDITS if "near_cases" not in edit], ids=name_of)
def test_a_near_miss(good, nation, edit):
    """As close as can be, and right."""
    assert edit["code"] not in {item.code for item in report(good, nation, edit, near=True).problems}


def test_every_code_has_a_bad_plugin():
    """No code without its fixture."""
    assert {edit["code"] for edit in EDITS} == set(CODES)
