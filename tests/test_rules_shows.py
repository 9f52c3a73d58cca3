"""The commands of docs/rules/shows.md run as they stand there, the long ones on little."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main as rules

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/rules/shows.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
EXPECTED = {
    "charge-zhejiang.json --lang en": "CN-PRE-003",
    "charge-guangdong.json --lang en": "CN-PRE-003",
    "--html": "<html",
    "diff": "330106 → 440305",
    "replay": "newly refused",
    "check": " cases",
}
ORDERS = "300"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of the orders that the page makes a hundred thousand of."""
    [made] = [command for command in COMMANDS if "orders.py" in command]
    script, _, name = made.removeprefix("python ").partition(" > ")
    words = shlex.split(script.replace("100000", ORDERS))
    file = tmp_path_factory.mktemp("shows") / name
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    file.write_text(done.stdout, encoding="utf-8")
    return file


KIT = [line for line in COMMANDS if line.startswith("offcampus-rules ")]
LARGE = [line for line in KIT if " check " in line and "hubei" not in line]
"""Checked by each plugin's own tests in the default run already."""


@pytest.mark.parametrize(
    "command", [pytest.param(line, marks=pytest.mark.slow) if line in LARGE else line for line in KIT]
)
def test_a_command_of_the_kit(command: str, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs from the root and shows what the page promises; slips are hunted by each plugin's own tests."""
    monkeypatch.chdir(ROOT)
    words = shlex.split(command.replace("orders.ndjson", str(history)).replace(" --coverage --mutate", ""))
    done = CliRunner().invoke(rules, words[1:])
    assert done.exit_code == 0, done.output
    assert next(text for part, text in EXPECTED.items() if part in command) in done.output


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("python -m pytest")])
def test_a_command_that_tests(command: str) -> None:
    """The files are there, with tests of the kind that is asked for."""
    words = shlex.split(command)[3:]
    files = [ROOT / word for word in words if word.endswith(".py")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert files
    assert all("\ndef test_" in text for text in texts)
    assert "-m" not in words or all(f"pytest.mark.{words[words.index('-m') + 1]}" in text for text in texts)


def test_nothing_of_the_page_is_left_out() -> None:
    """Every command is of a kind that is run or looked at above, or the benchmark's, whose module is there."""
    rest = [line for line in COMMANDS if not re.match(r"offcampus-rules |python -m pytest |python docs/", line)]
    assert rest == ["python -m benchmarks.rules"]
    assert (ROOT / "benchmarks/rules.py").is_file()
