"""Ids of checks are a promise: reports of years ago must mean what they meant."""

from __future__ import annotations

from importlib.resources import files

from offcampus_conformance.check import all_checks

LOCK = files("offcampus_conformance") / "checks" / "ids.lock"


def test_every_id_is_locked_and_none_is_lost() -> None:
    """A new check adds its id at its place; a check that is given up keeps its id here behind `retired`."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    retired = {line.split()[0] for line in lines if line.endswith(" retired")}
    locked = [line for line in lines if not line.endswith(" retired")]
    assert [line.split()[0] for line in lines] == sorted({line.split()[0] for line in lines})
    assert locked == sorted(check.id for check in all_checks())
    assert retired.isdisjoint(locked), "an id came back"
