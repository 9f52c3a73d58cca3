"""The provable log: what it costs a posting, how fast facts are logged, proven, verified and judged."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from offcampus_rules import load_ruleset
from offcampus_sdk.proofs import verify_proofs
from offcampus_server.fresh_secrets import write_secrets
from offcampus_server.kernel import keyring
from offcampus_server.kernel.clock import Clock, security_instant
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.keyring import Keyring
from offcampus_server.kernel.unit_of_work import Storage, Work
from offcampus_server.ledger import service as ledger
from offcampus_server.migrations import upgrade
from offcampus_server.prooflog import heads, proofs, sequencer, verification
from offcampus_server.prooflog.tables import entries
from offcampus_server.settings import Secrets
from sqlalchemy import Column, MetaData, Table, UniqueConstraint, insert, select

from benchmarks.measure import Line, per_second
from benchmarks.served import database

FACTS_OF_AN_ORDER = 20
ACCOUNT = "cac_bench"
TURNS = 5


def lines(engine: str, postings: int) -> list[Line]:
    """Every figure of the log for one engine."""
    with database(engine) as (folder, given):
        write_secrets(folder / "secrets.json")
        url = given or f"sqlite:///{folder / 'log.db'}"
        storage, keys = _storage(url, folder), Keyring((keyring.generate(),))
        upgrade(storage.engine)
        orders = [f"ord_bench{number}" for number in range(max(1, postings // FACTS_OF_AN_ORDER))]
        storage.write(partial(_open, orders=orders))
        alone, beside = _cost(storage, url, folder, orders, postings)
        sequencer.run(storage, security_instant())
        _post(storage, orders, 2 * postings, postings)
        facts = postings * 3  # a receipt is made and posted, and has its audit line
        logged = per_second(facts, lambda: sequencer.run(storage, security_instant()))
        heads.run(storage, keys, security_instant())
        raw = _raw(storage, facts)
        made, verified = _prove(storage, keys, orders[:50])
        judged = _judge(storage, keys)
        storage.engine.dispose()
    where = f"on {engine}"
    return [
        Line(f"postings, with the log's worker beside, {where}", beside, "postings/s", "without it", alone),
        Line(f"facts logged, {where}", logged, "facts/s", "same entries raw", raw),
        Line(f"proofs made, {where}", made, "proofs/s"),
        Line(f"proofs verified, {where}", verified, "proofs/s"),
        Line(f"facts judged by `ledger verify`, {where}", judged, "facts/s"),
    ]


def _storage(url: str, folder: Path) -> Storage:
    vault = Secrets.load(folder / "secrets.json").vault()
    return Storage(make_engine(url), Clock(), load_ruleset, vault, "https://platform.example")


def _open(work: Work, orders: list[str]) -> None:
    ledger.open_account(work, "custody", ACCOUNT, "ins_bench")
    for order_id in orders:
        ledger.open_account(work, "escrow", order_id, "ins_bench")


def _cost(storage: Storage, url: str, folder: Path, orders: list[str], postings: int) -> tuple[float, float]:
    """Postings a second without and with the worker, in turns: what else the machine does falls on both."""
    turn = max(1, postings // TURNS)
    seconds = {False: 0.0, True: 0.0}
    with _worker(url, folder) as working:
        for number in range(2 * TURNS):
            logs = bool(number % 2)
            (working.set if logs else working.clear)()
            seconds[logs] += turn / per_second(turn, partial(_post, storage, orders, number * turn, turn))
    return TURNS * turn / seconds[False], TURNS * turn / seconds[True]


def _post(storage: Storage, orders: list[str], start: int, count: int) -> None:
    for number in range(start, start + count):
        storage.write(partial(_receive, order_id=orders[number % len(orders)], number=number))


def _receive(work: Work, order_id: str, number: int) -> None:
    transfer = ledger.Transfer("receipt", order_id, ACCOUNT, 100, f"pay_{number}", 1, movement_id=f"cmv_{number}")
    ledger.receive(work, transfer, work.now.date())
    work.audit("bench.received", order_id, "ins_bench", detail={"number": number})


@contextmanager
def _worker(url: str, folder: Path) -> Iterator[Any]:
    context = multiprocessing.get_context("spawn")
    ready, working, stop = context.Event(), context.Event(), context.Event()
    process = context.Process(target=_log, args=(url, folder, ready, working, stop))
    process.start()
    ready.wait()  # starting a process is no cost of the log
    try:
        yield working
    finally:
        stop.set()
        process.join()


def _log(url: str, folder: Path, ready: Any, working: Any, stop: Any) -> None:
    """What the worker does for the log, once a second as the worker does, while it is told to."""
    storage, keys = _storage(url, folder), Keyring((keyring.generate(),))
    ready.set()
    while not stop.wait(1.0):
        if working.is_set():
            sequencer.run(storage, security_instant())
            heads.run(storage, keys, security_instant(), every_s=10)
    storage.engine.dispose()


def _raw(storage: Storage, facts: int) -> float:
    """The newest entries again, inserted into a table of the same shape in transactions of the same size."""
    with storage.engine.begin() as connection:
        query = select(entries).order_by(entries.c.seq.desc()).limit(facts)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        table = Table(
            "raw_entries",
            MetaData(),
            *(Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in entries.columns),
            UniqueConstraint("source", "row_no", "fact", name="raw_row"),
            UniqueConstraint("subject", "subject_no", name="raw_subject"),
            sqlite_strict=True,
        )
        table.create(connection)

    def insert_all() -> None:
        for start in range(0, len(rows), sequencer.AT_A_TIME):
            with storage.engine.begin() as connection:
                connection.execute(insert(table), rows[start : start + sequencer.AT_A_TIME])

    return per_second(len(rows), insert_all)


def _prove(storage: Storage, keys: Keyring, orders: list[str]) -> tuple[float, float]:
    documents: list[dict[str, Any]] = []

    def make() -> None:
        with storage.reading() as work:
            documents.extend(proofs.of_order(work.connection, order_id, 0, 500) for order_id in orders)

    with storage.reading() as work:
        count = sum(len(proofs.of_order(work.connection, order_id, 0, 500)["entries"]) for order_id in orders)
    made = per_second(count, make)
    public = keys.public_jwks()
    return made, per_second(count, lambda: [verify_proofs(document, public) for document in documents])


def _judge(storage: Storage, keys: Keyring) -> float:
    with storage.reading() as work:
        size = sequencer.size(work.connection)
        return per_second(size, lambda: verification.verify(work.connection, keys))
