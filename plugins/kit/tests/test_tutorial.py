"""The tutorial cannot go stale: its files are written, its commands run, and what they print is what the page says.

`python plugins/kit/tests/test_tutorial.py` writes into both pages what the commands print now.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from offcampus_rules.cli import main

ROOT = Path(__file__).parents[3]
PAGES = {"en": ROOT / "docs/rules/tutorial.md", "zh": ROOT / "docs/rules/tutorial.zh.md"}
VARYING = (
    (re.compile(r"sha-256:[0-9a-f]{64}"), "sha-256:…"),
    (re.compile(r"in [\d.]+ s, [\d,]+ MiB"), "in … s, … MiB"),
)
"""What differs from run to run, and how the page writes it."""
STEP = re.compile(
    r"^`(?P<file>[^`\n]+)`[:：]\n\n```\w+\n(?P<content>.*?)^```$|^```console(?P<slow> slow)?\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Command:
    words: tuple[str, ...]
    output: str
    slow: bool

    def __str__(self) -> str:
        return shlex.join(self.words)


@dataclass(frozen=True)
class File:
    path: str
    content: str


def steps(page: Path) -> list[Command | File]:
    """What a reader does, in order."""
    found: list[Command | File] = []
    for match in STEP.finditer(page.read_text(encoding="utf-8")):
        if match["file"]:
            found.append(File(match["file"], match["content"]))
            continue
        for part in re.split(r"^\$ ", match["console"], flags=re.MULTILINE)[1:]:
            line, _, output = part.partition("\n")
            found.append(Command(tuple(shlex.split(line)), output, bool(match["slow"])))
    return found


def run(command: Command) -> str:
    """What a command prints; `offcampus-rules` in this process, since it is asked often."""
    name, *arguments = command.words
    if name == "offcampus-rules":
        printed = CliRunner().invoke(main, arguments).output
        for varying, written in VARYING:
            printed = varying.sub(written, printed)
        return printed
    if name == "rm":
        Path(*arguments).unlink()
        return ""
    assert name == "python"
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the national rules beside it, as the page assumes."""
    shutil.copytree(ROOT / "plugins/national", tmp_path / "national")
    monkeypatch.chdir(tmp_path)


def follow(page: Path, *, slow: bool) -> list[tuple[str, str, str]]:
    """Every command with what the page says it prints, and what it printed."""
    seen = []
    for step in steps(page):
        if isinstance(step, File):
            Path(step.path).parent.mkdir(parents=True, exist_ok=True)
            Path(step.path).write_text(step.content, encoding="utf-8")
        elif slow or not step.slow:
            seen.append((str(step), step.output, run(step)))
    return seen


@pytest.mark.parametrize("language", PAGES)
def test_the_tutorial_is_true(desk, language):
    """From nothing to a plugin without a finding; every line of output stands in the page."""
    pytest.importorskip("copier")
    seen = follow(PAGES[language], slow=False)
    for command, printed, got in seen:
        assert (command, got) == (command, printed)
    assert sum("100.0 %" in printed for _, printed, _ in seen) == 1
    assert sum("R-LOOSE" in printed for _, printed, _ in seen) == 1


@pytest.mark.slow
def test_the_tutorial_publishes(desk):
    """The wheel is built, too."""
    seen = follow(PAGES["en"], slow=True)
    assert [printed for _, printed, _ in seen] == [got for _, _, got in seen]
    assert len(list(Path("dist").glob("*.whl"))) == 1


def test_both_languages_do_the_same():
    """Files are equal and commands differ in nothing but their language."""
    english, chinese = (
        [
            (step.path, step.content) if isinstance(step, File) else str(step).replace(" --lang en", "")
            for step in steps(page)
        ]
        for page in PAGES.values()
    )
    assert english == chinese


def rewrite(page: Path) -> None:
    """Put into the page what its commands print now."""
    told = iter(follow(page, slow=False))

    def block(match: re.Match[str]) -> str:
        if match["file"] or match["slow"]:
            return match[0]
        lines = re.findall(r"^\$ .*$", match["console"], re.MULTILINE)
        return "```console\n" + "".join(f"{line}\n{next(told)[2]}" for line in lines) + "```"

    page.write_text(STEP.sub(block, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    for one in PAGES.values():
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "plugins/national", Path(folder) / "national")
            with contextlib.chdir(folder):
                rewrite(one)
