"""The kill table is honest: what does nothing survives, and a crash is no fault found."""

from __future__ import annotations

from typing import Any

import pytest
from offcampus_conformance.standins.faults.kit import Fault, Witness
from offcampus_conformance.standins.good_bank import GoodBank
from offcampus_conformance.standins.proof import faulty


class DoesNothingWrong(GoodBank):
    """A fault that was never built in."""


class Crashes(GoodBank):
    """A stand-in that breaks down at its first step."""

    def open_account(self, given: dict[str, Any]) -> Any:
        raise RuntimeError("the stand-in is broken")


@pytest.mark.slow
def test_a_mutant_that_does_nothing_survives(monkeypatch: Any) -> None:
    """An inert fault is not found: a table that kills everything shows nothing."""
    played = _played(monkeypatch, DoesNothingWrong, "B-MOV-001")
    assert not played.killed
    assert played.not_green == {}


@pytest.mark.slow
def test_a_crash_is_no_kill(monkeypatch: Any) -> None:
    """A stand-in that breaks down makes checks blocked, and no fault found."""
    played = _played(monkeypatch, Crashes, "B-MOV-001")
    assert not played.killed
    assert "B-MOV-001" not in played.red


def _played(monkeypatch: Any, kind: type[GoodBank], killed_by: str) -> Any:
    fault = Fault(kind.__name__, "A made-up fault.", killed_by, lambda witness: _build(kind, witness))
    monkeypatch.setitem(_tables(), "bank", (fault,))
    return faulty("bank", fault)


def _build(kind: type[GoodBank], witness: Witness) -> type[GoodBank]:
    witness.acted("everything")
    return kind


def _tables() -> dict[str, tuple[Fault, ...]]:
    from offcampus_conformance.standins.bench import FAULTS

    return FAULTS
