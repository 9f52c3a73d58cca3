"""T12: whatever is done to the rows or to the log behind the server's back is found, and the first bad entry is named."""

from __future__ import annotations

import random

import pytest
from life import Logged
from offcampus_server.prooflog.verification import Report
from tampering import INVISIBLE_ALONE, KINDS, TOGETHER

EACH, EACH_WHOLE = 3, 50
PAIRS, PAIRS_WHOLE = 15, 300


def tamper(logged: Logged, kind: str, seed: int) -> tuple[int, Report]:
    with logged.attacked() as connection:
        expected = KINDS[kind](connection, random.Random(f"{kind}{seed}"), logged)
        return expected, logged.judged(connection, logged.checkpoint)


def tamper_twice(logged: Logged, seed: int) -> tuple[int, Report, tuple[str, str]]:
    chance = random.Random(f"pair{seed}")
    one, other = chance.sample(TOGETHER, 2)
    if "delete" in (one, other):  # the deleted row would be looked for in vain by the other
        one, other = other if one == "delete" else one, "delete"
    with logged.attacked() as connection:
        expected = [KINDS[kind](connection, chance, logged) for kind in (one, other)]
        return min(expected), logged.judged(connection, logged.checkpoint), (one, other)


def named(expected: int, report: Report, what: object) -> None:
    first = report.first()
    assert first is not None, f"{what}: nothing was found"
    assert (first.seq, first.last) == (expected, None), f"{what}: {[str(flaw) for flaw in report.flaws[:5]]}"


def test_an_honest_log_has_no_flaw(logged: Logged) -> None:
    """Nothing is found where nothing was done, with a checkpoint and without, from the start and from the checkpoint."""
    with logged.world.platform.storage.reading() as work:
        for how in (
            {"checkpoint": logged.checkpoint},
            {"checkpoint": None},
            {"checkpoint": logged.bare, "since": True},
        ):
            report = logged.judged(work.connection, **how)  # type: ignore[arg-type]
            assert report.flaws == []
            assert report.size > logged.checkpoint.size
            assert report.waiting == 0
    assert report.start == logged.checkpoint.size


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_and_named(logged: Logged, kind: str) -> None:
    """Fourteen kinds, against a checkpoint with its list."""
    for seed in range(EACH):
        named(*tamper(logged, kind, seed), (kind, seed))


def test_two_at_once_are_found_and_the_first_named(logged: Logged) -> None:
    """Pairs of kinds in one database."""
    for seed in range(PAIRS):
        named(*tamper_twice(logged, seed))


@pytest.mark.slow
def test_all_of_it_at_the_whole_count(logged: Logged) -> None:
    """14 kinds x 50 and 300 pairs."""
    for kind in KINDS:
        for seed in range(100, 100 + EACH_WHOLE):
            named(*tamper(logged, kind, seed), (kind, seed))
    for seed in range(1000, 1000 + PAIRS_WHOLE):
        named(*tamper_twice(logged, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_list_a_checkpoint_still_finds_it(logged: Logged, kind: str) -> None:
    """A checkpoint of a kilobyte finds each kind; the span that it names holds the entry."""
    for seed in range(EACH):
        with logged.attacked() as connection:
            expected = KINDS[kind](connection, random.Random(f"{kind}{seed}"), logged)
            report = logged.judged(connection, logged.bare)
        assert report.flaws, (kind, seed)
        assert any(flaw.seq <= expected <= (flaw.last or flaw.seq) for flaw in report.flaws), (kind, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_checkpoint(logged: Logged, kind: str) -> None:
    """Everything but a cut or a history that was signed anew is found from the rows and the heads alone."""
    for seed in range(EACH):
        with logged.attacked() as connection:
            KINDS[kind](connection, random.Random(f"{kind}{seed}"), logged)
            report = logged.judged(connection, None)
        assert bool(report.flaws) == (kind not in INVISIBLE_ALONE), (kind, seed)
