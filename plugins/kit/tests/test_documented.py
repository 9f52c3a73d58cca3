"""What can be met is documented: hooks, check codes, commands; and the example hook works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from offcampus_rules import codes, hook_pages
from offcampus_rules.cli import main
from offcampus_rules.hook_loading import REFUSED_OPTIONS
from offcampus_rules.hook_table import HOOKS, rendered

KIT = Path(__file__).parents[1]
README = (KIT / "README.md").read_text(encoding="utf-8")
PAGE = (KIT.parents[1] / codes.PAGE).read_text(encoding="utf-8")


def test_every_hook_and_refused_option_is_documented():
    """By name, in the hooks section."""
    for name in (*HOOKS, *REFUSED_OPTIONS):
        assert f"`{name}`" in README


def test_the_table_of_hooks_is_the_readmes():
    """Failure policies, dates and budgets are read where they are decided."""
    assert rendered() in README


def test_the_page_of_hooks_is_what_the_code_says():
    """Heading, exact signature, facts, answers, failure policy and a working example of every hook."""
    root = KIT.parents[1]
    examples = "plugins/stress/offcampus_rules_stress/hooks.py"
    written = (root / "docs/rules/hooks.md").read_text(encoding="utf-8")
    assert written == hook_pages.page(root / examples, examples), f"run python -m offcampus_rules.hook_pages {examples}"
    for name in HOOKS:
        assert f"\n## `{name}`\n" in written
        assert hook_pages.signature(name) in written
        assert f"@hookimpl\ndef {name}(" in written


def test_every_check_code_is_documented_and_used():
    """The README has the table; the source finds every code of it and no other."""
    assert codes.rendered() in README
    files = [file for file in (KIT / "offcampus_rules").rglob("*.py") if file.name != "codes.py"]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r'"(R-[A-Z]+)"', source)) == set(codes.CODES)


@pytest.mark.parametrize("code", codes.CODES)
def test_every_check_code_has_its_entry(code):
    """What, why, how to mend, and an example, under a heading of its own."""
    entries = dict(re.findall(r"^## (R-[A-Z]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for part in ("**What**", "**Why**", "**Mend**", "**例**"):
        assert part in entries[code]
    assert set(entries) == set(codes.CODES)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_documented(command):
    """By its name and a line of help of its own."""
    assert f"`offcampus-rules {command}" in README
    assert main.commands[command].get_short_help_str()


def test_the_example_hook_loads(write):
    """The Python in the README is Python a plugin can use."""
    from offcampus_rules.registry import read_folder

    examples = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "hookimpl" in block]
    loaded = [set(read_folder(write("110000", {}, hooks=text, name=f"n{n}")).hooks) for n, text in enumerate(examples)]
    assert loaded == [{"check_charge"}, {"disclosure_fields", "warning_levels"}]
