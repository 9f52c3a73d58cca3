"""Postings a second with one writer and with four, one to a transaction and a hundred, beside the same rows raw.

Each writer is a process with an institution of its own, as institutions write beside each other. A posting is a
receipt:
two accounts move, a part is counted, a row is written; each transaction is committed as the platform commits.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from offcampus_rules import load_ruleset
from offcampus_server.fresh_secrets import write_secrets
from offcampus_server.kernel.clock import Clock
from offcampus_server.kernel.db import make_engine
from offcampus_server.kernel.unit_of_work import Storage, Work
from offcampus_server.ledger import service as ledger
from offcampus_server.ledger.tables import transfers
from offcampus_server.migrations import upgrade
from offcampus_server.settings import Secrets
from sqlalchemy import Column, MetaData, Table, UniqueConstraint, insert, select

from benchmarks.measure import Line, percentile
from benchmarks.served import database

WRITERS, TOGETHER = (1, 4), (1, 100)
ORDERS = 50
RAW = Table(
    "raw_transfers",
    MetaData(),
    *(Column(c.name, c.type, primary_key=c.primary_key, autoincrement=c.primary_key) for c in transfers.columns),
    UniqueConstraint("id", name="raw_transfers_once"),
    sqlite_strict=True,
)


@dataclass(frozen=True)
class Job:
    """What one writer does."""

    url: str
    folder: Path
    institution: str
    run: int
    postings: int
    together: int
    raw: bool


def lines(engine: str, postings: int) -> list[Line]:
    """Every figure of the ledger for one engine."""
    found = []
    with database(engine) as (folder, given):
        write_secrets(folder / "secrets.json")
        url = given or f"sqlite:///{folder / 'ledger.db'}"
        storage = _storage(url, folder)
        upgrade(storage.engine)
        RAW.create(storage.engine)
        for number in range(max(WRITERS)):
            storage.write(partial(_open, institution=f"ins_bench{number}"))
        run = 0
        for together in TOGETHER:
            for writers in WRITERS:
                each = postings // writers // together * together
                made, times = _run(url, folder, writers, run, each, together, raw=False)
                raw, _ = _run(url, folder, writers, run, each, together, raw=True)
                what = f"{writers} writer(s), {together} a transaction, on {engine}"
                found += [
                    Line(f"postings, {what}", made, "postings/s", "same rows raw", raw),
                    Line(f"a transaction of these, p99, {what}", percentile(times, 0.99) * 1000, "ms"),
                ]
                run += 1
        storage.engine.dispose()
    return found


def _storage(url: str, folder: Path) -> Storage:
    vault = Secrets.load(folder / "secrets.json").vault()
    return Storage(make_engine(url), Clock(), load_ruleset, vault, "https://platform.example")


def _open(work: Work, institution: str) -> None:
    ledger.open_account(work, "custody", f"cac_{institution}", institution)
    for number in range(ORDERS):
        ledger.open_account(work, "escrow", f"ord_{institution}_{number}", institution)


def _run(
    url: str, folder: Path, writers: int, run: int, postings: int, together: int, *, raw: bool
) -> tuple[float, list[float]]:
    """Postings a second over all writers, from the first that begins to the last that ends; each transaction's time."""
    jobs = [Job(url, folder, f"ins_bench{number}", run, postings, together, raw) for number in range(writers)]
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(writers), context.Queue()
    processes = [context.Process(target=_write, args=(job, ready, told)) for job in jobs]
    for process in processes:
        process.start()
    answers = [told.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    began, ended = min(answer[0] for answer in answers), max(answer[1] for answer in answers)
    return writers * postings / (ended - began), [seconds for answer in answers for seconds in answer[2]]


def _write(job: Job, ready: Any, told: Any) -> None:
    storage = _storage(job.url, job.folder)
    with storage.reading() as work:  # connected, and the rules loaded
        rows = _rows(work, job) if job.raw else []
    times = []
    ready.wait()
    began = time.perf_counter()
    for start in range(0, job.postings, job.together):
        before = time.perf_counter()
        if job.raw:
            with storage.engine.begin() as connection:
                connection.execute(insert(RAW), rows[start : start + job.together])
        else:
            storage.write(partial(_receive, job=job, start=start))
        times.append(time.perf_counter() - before)
    told.put((began, time.perf_counter(), times))
    storage.engine.dispose()


def _receive(work: Work, job: Job, start: int) -> None:
    legs = []
    for number in range(start, start + job.together):
        name = f"{job.institution}_{job.run}_{number}"
        order = f"ord_{job.institution}_{number % ORDERS}"
        about = ledger.Transfer("receipt", order, f"cac_{job.institution}", 100, f"pay_{name}", 1, movement_id=name)
        legs.append(about.arriving(date(2026, 11, 25)))
    ledger.book(work, legs)


def _rows(work: Work, job: Job) -> list[dict[str, Any]]:
    """The rows that this run's postings made."""
    mine = transfers.c.movement_id.startswith(f"{job.institution}_{job.run}_")
    return [
        {name: value for name, value in row.items() if name != "seq"}
        for row in work.connection.execute(select(transfers).where(mine).order_by(transfers.c.seq)).mappings()
    ]
