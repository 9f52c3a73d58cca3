"""T12: whatever is done to the rows or to the log behind the server's back is found, and the first bad entry is named."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from life import Logged
from offcampus_server.prooflog.verification import Report
from sqlalchemy import Connection
from tampering import INVISIBLE_ALONE, KINDS, TOGETHER, run, sign_anew, work_out_anew

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


def test_two_at_once_are_found_and_the_first_named(logged_sqlite: Logged) -> None:
    """Pairs of kinds in one database."""
    for seed in range(PAIRS):
        named(*tamper_twice(logged_sqlite, seed))


@pytest.mark.long
def test_all_of_it_at_the_whole_count(logged: Logged) -> None:
    """14 kinds x 50 and 300 pairs."""
    for kind in KINDS:
        for seed in range(100, 100 + EACH_WHOLE):
            named(*tamper(logged, kind, seed), (kind, seed))
    for seed in range(1000, 1000 + PAIRS_WHOLE):
        named(*tamper_twice(logged, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_list_a_checkpoint_still_finds_it(logged_sqlite: Logged, kind: str) -> None:
    """A checkpoint of a kilobyte finds each kind; the span that it names holds the entry."""
    for seed in range(EACH):
        with logged_sqlite.attacked() as connection:
            expected = KINDS[kind](connection, random.Random(f"{kind}{seed}"), logged_sqlite)
            report = logged_sqlite.judged(connection, logged_sqlite.bare)
        assert report.flaws, (kind, seed)
        assert any(flaw.seq <= expected <= (flaw.last or flaw.seq) for flaw in report.flaws), (kind, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_checkpoint(logged_sqlite: Logged, kind: str) -> None:
    """Everything but a cut or a history that was signed anew is found from the rows and the heads alone."""
    for seed in range(EACH):
        with logged_sqlite.attacked() as connection:
            KINDS[kind](connection, random.Random(f"{kind}{seed}"), logged_sqlite)
            report = logged_sqlite.judged(connection, None)
        assert bool(report.flaws) == (kind not in INVISIBLE_ALONE), (kind, seed)


def nodes_alone(connection: Connection, logged: Logged) -> None:
    run(connection, "UPDATE log_entries SET nodes = replace(nodes, 'a', 'b') WHERE seq = 7")


def head_unsigned(connection: Connection, logged: Logged) -> None:
    run(connection, "UPDATE log_heads SET signature = :s WHERE size = (SELECT min(size) FROM log_heads)", s="A" * 86)


def head_of_another_key(connection: Connection, logged: Logged) -> None:
    run(connection, "UPDATE log_heads SET key_id = 'another' WHERE size = (SELECT min(size) FROM log_heads)")


def count_alone(connection: Connection, logged: Logged) -> None:
    run(connection, "UPDATE log_marks SET value = value + 1 WHERE name = 'size'")


def entry_gone(connection: Connection, logged: Logged) -> None:
    run(connection, "DELETE FROM log_entries WHERE seq = 7")


def chain_forgotten(connection: Connection, logged: Logged) -> None:
    """Everything is worked out and signed anew but for what the next fact of the order knew."""
    run(connection, "UPDATE ledger_transfers SET amount_fen = amount_fen + 1 WHERE seq = 1")
    known = run(connection, "SELECT seq, subject_previous FROM log_entries WHERE subject IS NOT NULL")
    work_out_anew(connection, 0)
    for row in known:
        change = "UPDATE log_entries SET subject_previous = :p WHERE seq = :s"
        run(connection, change, p=row["subject_previous"], s=row["seq"])


def lines_changed_places(connection: Connection, logged: Logged) -> None:
    """Two audit lines stand in each other's place, and every hash and signature fits."""
    one, other = (row["seq"] for row in run(connection, "SELECT seq FROM log_entries WHERE source = 'audit' LIMIT 2"))
    for seq, place in ((one, 10**9), (other, one), (10**9, other)):
        run(connection, "UPDATE log_entries SET seq = :p WHERE seq = :s", s=seq, p=place)
    work_out_anew(connection, 0)
    sign_anew(connection, logged)


def commitment_of_another(connection: Connection, logged: Logged) -> None:
    run(connection, 'UPDATE audit SET detail = \'{"kind": "x"}\' WHERE detail IS NOT NULL')


def detail_from_nowhere(connection: Connection, logged: Logged) -> None:
    run(connection, 'UPDATE audit SET detail = \'{"kind": "x"}\' WHERE detail IS NULL')


LOOKS = {
    "nodes_alone": (nodes_alone, "history changed"), "head_unsigned": (head_unsigned, "head forged"),
    "head_of_another_key": (head_of_another_key, "head forged"), "count_alone": (count_alone, "truncated"),
    "entry_gone": (entry_gone, "entry missing"), "chain_forgotten": (chain_forgotten, "history changed"),
    "lines_changed_places": (lines_changed_places, "order changed"),
    "commitment_of_another": (commitment_of_another, "row edited"),
    "detail_from_nowhere": (detail_from_nowhere, "row edited"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_each_look_finds_what_it_is_for(logged_sqlite: Logged, name: str) -> None:
    """What only one of the looks can see is seen, without anything from outside."""
    tamper_with, kind = LOOKS[name]
    with logged_sqlite.attacked() as connection:
        tamper_with(connection, logged_sqlite)
        report = logged_sqlite.judged(connection, None)
    assert kind in {flaw.kind for flaw in report.flaws}, [str(flaw) for flaw in report.flaws]


def test_the_chain_names_the_entry_that_was_hashed_anew(logged_sqlite: Logged) -> None:
    """The next fact of the same order knew the old leaf: the entry is named without any list."""
    with logged_sqlite.attacked() as connection:
        chain_forgotten(connection, logged_sqlite)
        found = [flaw for flaw in logged_sqlite.judged(connection, None).flaws if "knew another leaf" in flaw.text]
    assert [(flaw.seq, flaw.last) for flaw in found][:1] == [(0, None)]


def test_only_what_came_later_is_judged_since_a_checkpoint(logged: Logged) -> None:
    """An edit before the checkpoint is not looked for, one after it is found; another tree is refused at once."""
    with logged.attacked() as connection:
        run(connection, "UPDATE audit SET party_id = 'pty_other' WHERE seq = 1")
        assert logged.judged(connection, logged.bare, since=True).flaws == []
        newest = run(connection, "SELECT seq, row_no FROM log_entries WHERE source = 'audit' ORDER BY seq DESC LIMIT 1")
        run(connection, "UPDATE audit SET party_id = 'pty_other' WHERE seq = :s", s=newest[0]["row_no"])
        report = logged.judged(connection, logged.bare, since=True)
        assert [(flaw.seq, flaw.kind) for flaw in report.flaws] == [(newest[0]["seq"], "row edited")]
        other = replace(logged.bare, root_hash="00" * 32)
        assert [flaw.kind for flaw in logged.judged(connection, other, since=True).flaws] == ["history changed"]
