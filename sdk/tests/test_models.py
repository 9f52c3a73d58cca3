"""Models and start-up: generated afresh they are the same; importing costs little."""

from __future__ import annotations

import subprocess
import sys

from offcampus_sdk.generate import TARGET, render


def test_the_models_are_fresh() -> None:
    """The file in the repository is what the schemas give."""
    assert TARGET.read_text(encoding="utf-8") == render()


def test_importing_pulls_in_no_server() -> None:
    """A vendor's process does not load Flask, SQLAlchemy or the judge."""
    unwanted = ("flask", "sqlalchemy", "offcampus_conformance")
    code = f"import sys, offcampus_sdk; print([m for m in {unwanted} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
