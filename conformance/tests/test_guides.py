"""The guides and CI recipes are true: every command is run, and both languages show the same commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs" / "conformance"
GUIDES = ("vendor-guide", "bank-guide")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[str]:
    return BLOCK.findall((DOCS / f"{name}.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_show_the_same_commands(guide: str) -> None:
    """What is run of one is true of the other."""
    assert blocks(guide) == blocks(f"{guide}.zh")
    assert len(blocks(guide)) >= 4


@pytest.mark.parametrize("recipe", ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"])
def test_recipes_run_the_script_that_is_tested_and_keep_the_report(recipe: str) -> None:
    """Each recipe installs the suite, runs the script, and keeps the report when it is red, too."""
    text = (DOCS / "ci" / recipe).read_text(encoding="utf-8")
    if recipe.endswith(".yml"):
        assert isinstance(yaml.safe_load(text), dict)
    for wanted in ("pip install offcampus-conformance", "sh ci/conformance.sh", "START_PRODUCT", "offcampus-report/"):
        assert wanted in text
    assert "always" in text


@pytest.mark.slow
@pytest.mark.xdist_group("guides")
@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_of_a_guide_work_from_nothing(guide: str, tmp_path: Path) -> None:
    """An empty folder, the commands as they stand, and a conformant stand-in at the end."""
    shutil.copytree(DOCS / "ci", tmp_path / "ci")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = []
    for place, block in enumerate(blocks(guide)):
        done = subprocess.run(
            ["bash", "-eu", "-c", block], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True,
            timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"block {place}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        said.append(done.stdout)
    assert "exit 1" in said[0], "the faulty stand-in is not conformant"
    assert '"conformant": true' in (tmp_path / "offcampus-report" / "report.json").read_text(encoding="utf-8")
