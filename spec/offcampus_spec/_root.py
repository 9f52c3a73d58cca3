"""Where the standard's data lies: inside the installed wheel, or beside the package in a working copy."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def data_root() -> Path:
    """The folder that holds schemas/, openapi/, codelists/ and the rest."""
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parent.parent
