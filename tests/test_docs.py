"""Documentation stays complete: what has a name in the code stands in a page, and what a page points at exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from offcampus_conformance.check import PROFILES
from offcampus_conformance.cli import main as conformance
from offcampus_rules.cli import main as rules
from offcampus_server.cli import main as server
from offcampus_server.settings import NAMES
from offcampus_spec import traceability
from offcampus_spec.evidence import collect
from offcampus_spec.operations import operations
from offcampus_spec.problems import problems
from offcampus_spec.requirements import requirements

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in ROOT.glob("**/*.md") if not any(part.startswith(".") for part in path.parts))
LINK = re.compile(r"\]\(([^)\s]+)\)")
DECISION = re.compile(r"[0-9]{4}-[a-z0-9-]+\.md")
METRIC = re.compile(r'"(offcampus_[a-z_]+)"')


def text(name: str) -> str:
    """A page of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def commands(group: click.Command, words: str) -> Iterator[str]:
    """Every command line of a program that does something."""
    if not isinstance(group, click.Group):
        yield words
        return
    for name, command in group.commands.items():
        yield from commands(command, f"{words} {name}")


def documented(words: str, page: str) -> bool:
    """A command stands in a page, in full or as `group a` / `b` / `c`."""
    head, _, last = words.rpartition(" ")
    listed = re.search(rf"`{re.escape(head)} [^|\n]*`{re.escape(last)}`", page)
    return f"`{words}" in page or f"\n{words}" in page or listed is not None


def test_every_setting_is_documented() -> None:
    """An operator finds each variable."""
    page = text("docs/operations.md")
    assert [name for name in NAMES if f"`{name}`" not in page] == []
    named = set(re.findall(r"`(OFFCAMPUS_[A-Z_]+)`", page))
    assert named <= set(NAMES), "a setting that no longer exists"


@pytest.mark.parametrize(
    ("program", "name", "page"),
    [
        (server, "offcampus-server", "docs/operations.md"),
        (rules, "offcampus-rules", "plugins/kit/README.md"),
        (conformance, "offcampus-conformance", "conformance/README.md"),
    ],
    ids=["server", "rules", "conformance"],
)
def test_every_command_is_documented(program: click.Group, name: str, page: str) -> None:
    """Each program's commands stand in the page of its reader."""
    assert [words for words in commands(program, name) if not documented(words, text(page))] == []


def test_every_profile_is_documented() -> None:
    """A vendor reads what can be tested."""
    assert [name for name in PROFILES if f"`{name}`" not in text("conformance/README.md")] == []


def test_every_problem_is_documented() -> None:
    """The page of problems is the catalogue, each with its status and remedy."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([0-9]{3}) \|", text("docs/problems.md"), re.M)
    assert rows == [(code, str(problem.status)) for code, problem in problems().items()]
    assert [code for code, problem in problems().items() if problem.remedy_en not in text("docs/problems.md")] == []


def test_every_metric_is_documented() -> None:
    """What /metrics shows is explained."""
    names = METRIC.findall(text("reference_server/offcampus_server/kernel/observe.py"))
    assert names
    assert [name for name in names if name not in text("docs/operations.md")] == []


def test_decisions_are_numbered_without_gap() -> None:
    """0001, 0002, …, each with a title that begins with its number and a status."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert all(DECISION.fullmatch(page.name) for page in pages)
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        content = page.read_text(encoding="utf-8")
        assert content.startswith(f"# {page.name[:4]} "), page.name
        assert "**Status**" in content, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page names a file, and every anchor of the same page a heading."""
    content = page.read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", content, re.M)
    }
    broken = []
    for target in LINK.findall(content):
        if "://" in target or target.startswith("mailto:"):
            continue
        address, _, anchor = target.partition("#")
        found = (page.parent / address).exists() if address else anchor in anchors
        broken += [] if found else [target]
    assert broken == []


def test_the_standard_points_at_what_exists() -> None:
    """Operations and problem codes that the chapters name are in the contract and in the catalogue."""
    chapters = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "spec/standard").glob("*.md")))
    families = {code.partition(".")[0] for code in problems()}
    named = {code for code in re.findall(r"`([a-z]+\.[a-z_]+)`", chapters) if code.partition(".")[0] in families}
    assert named - problems().keys() == set()
    paths = {path.partition("?")[0] for path in re.findall(r"`[A-Z]+ (/v1/[^`]+)`", chapters)}
    assert paths - {operation.path for operation in operations().values()} == set()


def test_requirements_that_pages_cite_exist() -> None:
    """No page invents a requirement."""
    cited = {
        (page.name, id)
        for page in PAGES
        for id in re.findall(r"\bM-(?:[0-9]{2}|QA)\.[0-9]+\b", page.read_text(encoding="utf-8"))
    }
    assert {entry for entry in cited if entry[1] not in requirements()} == set()


@pytest.mark.parametrize(("place", "province"), [("zhejiang", "330000"), ("guangdong", "440000")])
def test_the_charge_that_the_rules_page_shows_is_explained(place: str, province: str) -> None:
    """Refused by the nation in both places, with source and remedy; each place's own rules stand beside it."""
    facts = f"docs/rules/examples/charge-{place}.json"
    assert facts in (ROOT / "docs/rules/README.md").read_text(encoding="utf-8")
    shown = CliRunner().invoke(rules, ["explain", "charge", str(ROOT / facts), "--lang", "en", "--json"])
    assert shown.exit_code == 0, shown.output
    decision = json.loads(shown.output)
    assert {entry["code"] for entry in decision["violations"]} >= {
        "precharge.hours_exceeded",
        "precharge.amount_exceeded",
    }
    assert province in {plugin["jurisdiction"] for plugin in decision["plugins"]}


def test_what_counts_as_implemented_is_judged() -> None:
    """Every implemented requirement is reached by a test or a conformance check, every operation named by a test."""
    evidence = collect(ROOT, operations())
    assert traceability.gaps(requirements(), evidence) == []
    assert [name for name in operations() if not evidence.handlers.get(name)] == []
    assert [name for name in operations() if not evidence.tests_of_operations.get(name)] == []


def test_the_traceability_page_is_current() -> None:
    """It is generated, and says what the tree says."""
    assert traceability.main(["--root", str(ROOT), "--check"]) == 0
