"""What can be met is documented: hooks, check codes, commands; and the example hook works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from offcampus_rules.cli import main
from offcampus_rules.hook_loading import REFUSED_OPTIONS
from offcampus_rules.hook_table import HOOKS, rendered

KIT = Path(__file__).parents[1]
README = (KIT / "README.md").read_text(encoding="utf-8")


def test_every_hook_and_refused_option_is_documented():
    """By name, in the hooks section."""
    for name in (*HOOKS, *REFUSED_OPTIONS):
        assert f"`{name}`" in README


def test_the_table_of_hooks_is_the_readmes():
    """Failure policies, dates and budgets are read where they are decided."""
    assert rendered() in README


def test_every_check_code_is_documented_and_exists():
    """The table and the source have the same codes."""
    source = "".join(file.read_text(encoding="utf-8") for file in (KIT / "offcampus_rules").glob("*.py"))
    used = set(re.findall(r'"(R-[A-Z]+)"', source))
    assert set(re.findall(r"^\| `(R-[A-Z]+)` \|", README, re.MULTILINE)) == used


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_documented(command):
    """By its name and a line of help of its own."""
    assert f"`offcampus-rules {command}" in README
    assert main.commands[command].get_short_help_str()


def test_the_example_hook_loads(write):
    """The Python in the README is Python a plugin can use."""
    from offcampus_rules.registry import read_folder

    example = next(block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "hookimpl" in block)
    assert set(read_folder(write("110000", {}, hooks=example)).hooks) == {"check_charge"}
