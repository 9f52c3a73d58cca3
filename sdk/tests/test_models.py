"""Generated modules and start-up: generated afresh they are the same; importing costs little."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from offcampus_sdk.generate import HERE, MODULES, rendered

LOADED = """
import json, sys, time
began = time.perf_counter()
import offcampus_sdk
print(json.dumps({"modules": sorted(sys.modules), "seconds": time.perf_counter() - began}))
"""


@pytest.mark.parametrize("name", MODULES)
def test_the_generated_modules_are_fresh(name: str) -> None:
    """The file in the repository is what the standard gives."""
    assert (HERE / name).read_text(encoding="utf-8") == rendered(name)


def test_importing_pulls_in_no_server() -> None:
    """A vendor's process does not load Flask, SQLAlchemy or the judge, and few modules at all."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)["modules"]
    assert not {"flask", "sqlalchemy", "offcampus_conformance", "offcampus_server"} & set(modules)
    assert len(modules) < 450
