"""The house holds: who may use whose tables, what is listed where, and what must never be committed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
MAY_READ_TABLES = ("offcampus_server.migrations", "offcampus_server.reports")
"""Besides a capability itself: migrations shape every table, reports read across them."""
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:home|Users|root|work|mnt)/[A-Za-z0-9_.-]+/")
LOCK_FILES = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock"}


def committed() -> list[Path]:
    """Every committed file that still exists."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Relative path and text of every committed text file."""
    for path in committed():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def members() -> list[Path]:
    """The folders of the workspace's members."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"][
        "members"
    ]
    return sorted(found.parent for pattern in patterns for found in ROOT.glob(f"{pattern}/pyproject.toml"))


def packages(member: Path) -> list[str]:
    """The import packages of a member."""
    built = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))
    return [Path(name).name for name in built["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]


def test_a_capability_s_tables_are_its_own() -> None:
    """Capabilities call each other's services; a table is imported by its own package alone."""
    graph = grimp.build_graph("offcampus_server", cache_dir=None)
    wrong = [
        f"{importer} imports {tables}"
        for tables in sorted(graph.modules)
        if tables.endswith(".tables")
        for importer in sorted(graph.find_modules_that_directly_import(tables))
        if not importer.startswith((f"{tables.removesuffix('.tables')}.", *MAY_READ_TABLES))
    ]
    assert wrong == []


def test_every_member_is_checked_for_its_import_directions() -> None:
    """A new member that nobody lists would be free to import anything."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    ours = {name for member in members() for name in packages(member)}
    assert ours == set(tools["importlinter"]["root_packages"])
    assert ours == set(tools["mypy"]["packages"])


def test_every_member_is_installed_by_plain_pip_and_looked_at_alone() -> None:
    """requirements-dev.txt, the wheels of CI and its search for undeclared imports know every member."""
    folders = {member.relative_to(ROOT).as_posix() for member in members()}
    requirements = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert {line[5:].partition("[")[0] for line in requirements if line.startswith("-e ./")} == folders
    alone, declared = ((ROOT / ".ci" / name).read_text(encoding="utf-8") for name in ("alone", "declared"))
    assert [folder for folder in folders if f"./{folder}" not in alone] == []
    assert [folder for folder in folders if f"\n{folder} offcampus_" not in declared] == []


def test_no_lock_file_is_committed() -> None:
    """It would record the addresses of whichever registry made it."""
    assert [path for path in committed() if path.name in LOCK_FILES] == []


def test_no_path_of_a_machine_is_committed() -> None:
    """Files speak of the project, not of where somebody keeps it."""
    found = [f"{name}: {match[0]}" for name, text in texts() for match in MACHINE_PATH.finditer(text)]
    assert found == []


def test_requirements_name_no_registry() -> None:
    """Pins are names and versions; where they come from is the reader's business."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    assert re.search(r"://|--(extra-)?index-url|--find-links|-i ", text) is None


@pytest.mark.parametrize(
    "path", ["/".join(("", "home", "ann", "x", "y")), "see " + "/".join(("", "root", "project", "file"))]
)
def test_a_machine_path_would_be_seen(path: str) -> None:
    """The look above finds what it must."""
    assert MACHINE_PATH.search(path)
