"""The requirement sets of the standard's releases: what a target must pass for each, with a digest (as files)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from offcampus_spec._root import data_root


def path(standard: str) -> Path:
    """Where the set of a release lies."""
    return data_root() / "requirements" / "sets" / f"{standard}.yaml"


def load(standard: str) -> dict[str, Any]:
    """The set of a release as it is written. Raises FileNotFoundError when there is none."""
    document: dict[str, Any] = yaml.safe_load(path(standard).read_text(encoding="utf-8"))
    return document


def render(document: dict[str, Any]) -> str:
    """The file of a set."""
    head = f"# What a target must pass for standard {document['standard']}. Open until the release, then frozen.\n"
    return head + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
