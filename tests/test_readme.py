"""What the README tells a newcomer to type exists, and the bootstrap refuses clearly when it cannot work."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BOOTSTRAP = ROOT / "offcampus.py"
TYPED = sorted(set(re.findall(r"^python3 offcampus\.py (.+?)(?:\s+#.*)?$", README, re.M)))
PROGRAMS = {"demo": "offcampus-server demo", "test": "pytest"}
MODULES = {
    "offcampus-server": "offcampus_server.cli",
    "offcampus-conformance": "offcampus_conformance.cli",
    "offcampus-rules": "offcampus_rules.cli",
}


def program(typed: str) -> list[str]:
    """The words that `offcampus.py` hands on to the environment."""
    words = typed.split()
    return words[1:] if words[0] == "run" else PROGRAMS[words[0]].split()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_readme_promises_the_two_commands() -> None:
    """Demo and test, with and without uv."""
    assert {"demo", "test"} <= set(TYPED)
    assert "`uv run offcampus-server demo`" in README
    assert "`uv run pytest`" in README


@pytest.mark.parametrize("typed", TYPED)
def test_a_command_of_the_readme_exists(typed: str) -> None:
    """Its program runs, knows the sub-command and the options that are shown."""
    words = [word for word in program(typed) if word != "--help"]
    options = {word for word in words if word.startswith("--")}
    if words[0] == "pytest":
        assert run("-m", "pytest", "--version").returncode == 0
        return
    command = next(iter(word for word in words[1:2]))
    shown = run("-c", f"from {MODULES[words[0]]} import main; main()", command, "--help")
    assert shown.returncode == 0, shown.stderr
    assert {option for option in options if option not in shown.stdout} == set()


def test_every_command_of_the_bootstrap_is_explained() -> None:
    """Its help names what it can, and an unknown word is an error."""
    told = run(str(BOOTSTRAP), "--help")
    assert told.returncode == 0
    assert all(f"offcampus.py {name}" in told.stdout for name in ("demo", "test", "lint", "ci", "run"))
    assert run(str(BOOTSTRAP), "tset").returncode == 2


def test_the_bootstrap_needs_nothing_but_python() -> None:
    """It imports the standard library alone: it runs before anything is installed."""
    tree = ast.parse(BOOTSTRAP.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_an_old_python_is_told_so() -> None:
    """Not a syntax error, a sentence: which version is needed and which this is."""
    told = run("-c", "import sys, offcampus; sys.version_info = (3, 8); sys.exit(offcampus.main(['test']))")
    assert told.returncode == 1
    assert "Python 3.11 or newer is needed" in told.stderr


def test_the_ci_runs_the_readme_s_test_command() -> None:
    """What newcomers type is what CI types."""
    assert "python3 offcampus.py test\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")
