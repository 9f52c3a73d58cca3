"""The whole system, every party its own process: one institution's day, quietly and with kill -9 on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def demo(folder: Path, *options: str) -> str:
    """Run the demo; returns what it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OFFCAMPUS_")}
    command = [sys.executable, "-m", "offcampus_server", "demo", "--dir", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_one_day(database_url: str, tmp_path: Path) -> None:
    """From the institution file to the refund; sums agree with the bank to the fen, on both engines."""
    options = () if database_url.startswith("sqlite") else ("--database-url", database_url)
    said = demo(tmp_path / "demo", *options)
    assert "bank and platform agree to the fen; every change has exactly one event" in said
    assert "ledger replayed: 0 finding(s)" in said
    assert "16 steps were refused as they must be" in said
    row = next(line.split() for line in said.splitlines() if line.split()[:1] == ["all"])
    assert row[1:] == ["14,400.00", "2,640.00", "7,920.00", "3,840.00"]


@pytest.mark.slow
def test_twenty_kills(database_url: str, tmp_path: Path) -> None:
    """kill -9 of server and worker at twenty random moments: nothing lost, nothing doubled."""
    options = () if database_url.startswith("sqlite") else ("--database-url", database_url)
    said = demo(tmp_path / "demo", "--chaos", "20", "--seed", "7", *options)
    assert "; 20 kills;" in said
    assert "bank and platform agree to the fen; every change has exactly one event" in said
