"""The sequencer: every fact once, in order, without gaps, whoever else writes or sequences; and heads over it."""

from __future__ import annotations

import itertools
import re
import threading
from typing import Any

import pytest
from life import log_all, sign
from money import execute, instructions, run
from offcampus_server.kernel.clock import security_instant
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.ledger.facts import END
from offcampus_server.ledger.tables import UNLAWFUL_CHANGE, transfers
from offcampus_server.prooflog import heads, sequencer
from offcampus_server.prooflog.erasure import destroy_salt
from offcampus_server.prooflog.heads import TreeBroken
from offcampus_server.prooflog.sources import settled
from offcampus_server.prooflog.verification import verify
from offcampus_server.workers.loop import run_once
from sqlalchemy import insert
from world import World


def entries(world: World) -> list[Any]:
    return run(world, "SELECT * FROM log_entries ORDER BY seq")


def facts(world: World) -> set[tuple[str, int, str]]:
    """What must be in the log."""
    made = {("transfer", row.seq, "created") for row in run(world, "SELECT seq FROM ledger_transfers")}
    done = run(world, "SELECT seq FROM ledger_transfers WHERE state <> 'pending'")
    lines = {("audit", row.seq, "written") for row in run(world, "SELECT seq FROM audit")}
    return made | {("transfer", row.seq, "resolved") for row in done} | lines


def complete(world: World) -> None:
    found = entries(world)
    assert [row.seq for row in found] == list(range(len(found)))
    assert len(found) == len(facts(world))
    assert {(row.source, row.row_no, row.fact) for row in found} == facts(world)
    with world.platform.storage.reading() as work:
        assert verify(work.connection, world.platform.keyring).flaws == []


@pytest.mark.parametrize("at_a_time", [1, 7, 1000])
def test_every_fact_once(sqlite_world: World, at_a_time: int) -> None:
    """However large a round is, the log holds each fact once, in order, and a second run adds nothing."""
    world = sqlite_world.ready()
    world.confirm(world.report(1)[0])
    assert log_all(world, at_a_time) == len(facts(world))
    complete(world)
    before = len(entries(world))
    assert log_all(world, at_a_time) == 0
    world.ok(execute(world, instructions(world)[0]["id"]))
    assert log_all(world, at_a_time) > 0
    newest = entries(world)[before]
    assert (newest.source, newest.fact) == ("transfer", "resolved")
    complete(world)


def test_a_creation_holds_exactly_what_can_never_change() -> None:
    """A column that a later step may change belongs to the end of a transfer, or its creation would no longer fit."""
    free = {
        column.name for column in transfers.c
        if not re.search(rf"OLD\.{column.name}\b[^()]*?NEW\.{column.name}\b|COALESCE\(OLD\.{column.name},", UNLAWFUL_CHANGE)
    }  # fmt: skip
    assert free | {"state"} == set(END)


def test_a_round_ends_though_others_go_on_writing(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes without a pause does not keep the worker from its other steps."""
    storage = sqlite_world.platform.storage
    storage.write(lambda work: write_line(work, "before"))
    appended, rounds = sequencer._append, itertools.count(1)

    def and_another(work: Work, new: Any) -> bool:
        assert next(rounds) < 10
        write_line(work, "meanwhile")
        return appended(work, new)

    monkeypatch.setattr(sequencer, "_append", and_another)
    assert 0 < log_all(sqlite_world) <= 2
    assert 0 < log_all(sqlite_world) <= 2


def test_a_round_that_dies_half_way_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between entries and salts, the log is as it was; the next round begins where this one did."""
    world.ready()
    log_all(world)
    before = entries(world)
    world.report(1)

    def dying(table: Any) -> Any:
        if table is sequencer.salts:
            raise KeyboardInterrupt
        return insert(table)

    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "insert", dying)
        with pytest.raises(KeyboardInterrupt):
            log_all(world)
    assert entries(world) == before
    assert log_all(world) > 0
    complete(world)


def test_requests_write_nothing_into_the_log(sqlite_world: World) -> None:
    """The hot path pays no row, no statement: the log's tables are as they were until a worker comes."""
    world = sqlite_world.ready()
    world.confirm(world.report(1)[0])
    assert [world.count(name) for name in ("log_entries", "log_heads", "log_salts", "log_unresolved")] == [0] * 4
    assert {row.value for row in run(world, "SELECT value FROM log_marks")} == {0}


def write_line(work: Work, subject: str) -> None:
    work.audit("test.line", subject, None)
    work.flush()


def test_a_late_commit_is_neither_skipped_nor_overtaken(world: World) -> None:
    """A writer holds its transaction open with a low number while another commits a higher one: none is lost."""
    storage = world.platform.storage
    log_all(world)
    opened, finish = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        write_line(work, "slow")
        opened.set()
        finish.wait(10)

    first = threading.Thread(target=storage.write, args=(slow,))
    second = threading.Thread(target=storage.write, args=(lambda work: write_line(work, "quick"),))
    first.start()
    opened.wait(10)
    second.start()
    if storage.engine.dialect.name == "postgresql":
        second.join(10)  # on SQLite the second writer waits for the first
        assert settled(storage.engine, 0.05) is None
        assert sequencer.run(storage, security_instant(), patience_s=0.05) == 0
    finish.set()
    first.join()
    second.join()
    assert log_all(world) == 2
    logged = [row.row_no for row in entries(world) if row.source == "audit"]
    assert logged == sorted(logged)
    complete(world)


def test_a_writer_that_rolls_back_leaves_no_hole_in_the_log(world: World) -> None:
    """PostgreSQL never gives its number again; the log goes on over it."""
    log_all(world)

    def refused(work: Work) -> None:
        write_line(work, "gone")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        world.platform.storage.write(refused)
    world.platform.storage.write(lambda work: write_line(work, "kept"))
    assert log_all(world) == 1
    complete(world)


def test_two_sequencers_at_once_do_not_fork(world: World) -> None:
    """Two sequencers and a writer at the same time: one log, no fact twice, none missing."""
    world.ready()
    storage, stop = world.platform.storage, threading.Event()
    failed: list[BaseException] = []

    def sequence() -> None:
        try:
            while not stop.is_set():
                sequencer.run(storage, security_instant(), at_a_time=2)
                heads.run(storage, world.platform.keyring, security_instant())
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=sequence) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40):
        storage.write(lambda work, number=number: write_line(work, f"line {number}"))  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    log_all(world)
    complete(world)


def test_what_was_read_too_early_is_not_appended(sqlite_world: World) -> None:
    """A round prepared before another one was appended finds the size moved, and does nothing."""
    world = sqlite_world.ready()
    storage = world.platform.storage
    up_to = settled(storage.engine, 1)
    assert up_to is not None
    with storage.reading() as work:
        late = sequencer._prepare(work.connection, up_to, 3, security_instant())
    log_all(world, at_a_time=5)
    before = entries(world)
    assert storage.write(lambda work: sequencer._append(work, late)) is False
    assert entries(world) == before
    complete(world)


def test_heads_are_signed_when_the_log_has_grown_and_not_too_often(sqlite_world: World) -> None:
    """One head a size, at most one in so many seconds; each holds under the platform's key and under no other size."""
    world = sqlite_world.ready()
    assert sign(world) == 0, "nothing is logged yet"
    log_all(world)
    assert [sign(world), sign(world)] == [1, 0]
    world.report(1)
    log_all(world)
    assert heads.run(world.platform.storage, world.platform.keyring, security_instant(), every_s=3600) == 0
    assert sign(world) == 1
    with world.platform.storage.reading() as work:
        head = heads.newest(work.connection)
        assert head is not None
        assert heads.holds(head, world.platform.keyring)
        assert not heads.holds({**head, "size": head["size"] - 1}, world.platform.keyring)


def test_a_tree_that_was_changed_is_not_signed_again(sqlite_world: World) -> None:
    """The worker signs no new head over a tree that no longer contains the old one; deadlines and webhooks go on."""
    world = sqlite_world.ready()
    log_all(world)
    sign(world)
    with world.platform.storage.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER log_entries_no_update")
        connection.exec_driver_sql("UPDATE log_entries SET leaf_hash = replace(leaf_hash, 'a', 'b')")
        connection.exec_driver_sql("UPDATE log_entries SET nodes = replace(nodes, 'a', 'b')")
    world.report(1)
    log_all(world)
    with pytest.raises(TreeBroken):
        sign(world)
    assert world.count("log_heads") == 1


def test_a_round_of_the_worker_logs_and_signs(sqlite_world: World) -> None:
    """The log is one of the worker's steps."""
    world = sqlite_world.ready()
    done = run_once(world.platform)
    assert (done["logged"], done["heads"]) == (len(facts(world)), 1)
    complete(world)


def test_erasing_a_personal_part_breaks_no_proof(sqlite_world: World) -> None:
    """The salt is destroyed and that is logged; taken without a word, its absence is a flaw."""
    world = sqlite_world.ready()
    world.report(1)
    log_all(world)
    sign(world)
    storage = world.platform.storage
    [first, second, *_] = [row.seq for row in run(world, "SELECT seq FROM log_salts ORDER BY seq")]
    storage.write(lambda work: destroy_salt(work, first))
    with pytest.raises(ValueError, match="has no salt"):
        storage.write(lambda work: destroy_salt(work, first))
    log_all(world)
    with storage.reading() as work:
        report = verify(work.connection, world.platform.keyring)
    assert (report.flaws, report.erased) == ([], 1)
    run(world, "DELETE FROM log_salts WHERE seq = :s", s=second)
    with storage.reading() as work:
        report = verify(work.connection, world.platform.keyring)
    assert [(flaw.seq, flaw.kind) for flaw in report.flaws] == [(second, "salt missing")]


def test_no_leaf_holds_a_person(sqlite_world: World) -> None:
    """Names, numbers and phones of child, guardian and teacher are in no column of the log; details only as commitments."""
    world = sqlite_world.ready()
    world.report(1)
    log_all(world)
    sign(world)
    said = "".join(str(row) for table in ("log_entries", "log_heads") for row in run(world, f"SELECT * FROM {table}"))
    for canary in ("古丽", "艾比布力", "13900000007", "贾老师", "20160501"):
        assert canary not in said
    detailed = run(world, "SELECT seq FROM audit WHERE detail IS NOT NULL")
    committed = run(world, "SELECT row_no FROM log_entries WHERE commitment IS NOT NULL")
    assert {row.seq for row in detailed} == {row.row_no for row in committed} != set()
