"""T1: a process is killed at a named point, for good (SIGKILL to itself); another opens the database and goes on.

A child plays a history of the simulation with the worker's rounds in between, and tells its parent over a pipe what it
asks and what it is answered. When it is dead, the parent knows what was acknowledged and what is unknown, checks every
invariant of the simulation, sends the unknown again, and lets all money come to its end within two virtual days.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from offcampus_server.kernel import files
from offcampus_server.kernel.clock import security_instant
from offcampus_server.kernel.contract import Answer
from offcampus_server.kernel.unit_of_work import Storage
from offcampus_server.prooflog import checkpoints, heads, sequencer
from offcampus_server.registry import SWEEPS
from offcampus_server.workers import deliver
from simulation.ending import heal
from simulation.house import House, PostgresDisk
from simulation.invariants import Watch
from simulation.oracle import Oracle
from simulation.points import Points
from simulation.script import generate
from simulation.steps import perform
from simulation.town import Town, build
from simulation.world import Broken, Request, World
from sqlalchemy import text

from plan.measure import Failed, Figures, Options
from plan.receiver import Receiver, receiver

STEPS, ROUND_EVERY, EACH = 40, 8, 20
BEFORE, BEFORE_SEED = 150, 7
"""What the town lives through before any trial, so that each finds orders, refunds and instructions half way."""
POINTS: dict[str, str] = {
    "before key claim": "before insert idempotency_keys",
    "after key claim": "after insert idempotency_keys",
    "before entry insert": "before insert ledger_transfers",
    "after entry insert": "after insert ledger_transfers",
    "before event insert": "before insert events",
    "after event insert": "after insert events",
    "before commit": "before commit",
    "after commit": "after commit",
    "before bank call": "before bank call",
    "after bank call": "after bank call",
    "before instruction insert": "before insert custody_instructions",
    "after instruction insert": "after insert custody_instructions",
    "before bank reply store": "before update custody_instructions",
    "after bank reply store": "after update custody_instructions",
    "before ack": "before ack",
    "after ack": "after ack",
    "in the middle of a log round": "after insert log_entries",
    "before checkpoint sign": "before insert log_heads",
    "after checkpoint sign": "after insert log_heads",
    "before webhook send": "before webhook send",
    "after webhook send": "after webhook send",
    "before webhook mark": "before update subscriptions",
    "after webhook mark": "after update subscriptions",
    "before export write": "before export write",
    "in the middle of an export write": "in export write",
}  # fmt: skip
"""What each named point of the plan is in the code: a statement as the database sees it, or a place that is wrapped."""


class Kept(NamedTuple):
    """What the outside of the platform remembers: it does not die with a server."""

    bank: Any
    waiting: list[Request]
    known: list[tuple[Request, Answer]]
    keys: int
    now: datetime


def kept_of(world: World) -> Kept:
    """What is outside now."""
    return Kept(world.bank, world.waiting, world.known, world.keys, world.now)


def give(world: World, kept: Kept) -> World:
    """Let a world know what was kept."""
    world.bank, world.waiting, world.known, world.keys, world.house.clock.hands[0] = kept
    return world


class Dying(Points):
    """The points of a child: at the `nth` passing of one it kills its own process."""

    def kill_at(self, name: str, nth: int) -> None:
        self.left, self.name = nth, name

    def reach(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Told(World):
    """A world that tells its parent of every request before and after."""

    def tell_to(self, end: Connection, points: Dying) -> None:
        self.end, self.points = end, points

    def _serve(self, request: Request) -> Answer:
        self.end.send_bytes(pickle.dumps((kept_of(self), request)))
        if request.who == "bank":
            self.points.reach("before bank call")
        answer = super()._serve(request)
        if request.who == "bank":
            self.points.reach("after bank call")
        self.points.reach("before ack")
        self.end.send_bytes(pickle.dumps((kept_of(self)._replace(known=[*self.known, (request, answer)]), None)))
        self.points.reach("after ack")
        return answer


class Yard:
    """A house with its town, where children die."""

    def __init__(self, server: str | None, hooks: Receiver) -> None:
        self.house = House("postgresql" if server else "sqlite", server)
        self.hooks = hooks
        with self.house.simulated():
            self.town: Town = build(self.house)[0]
            before = World(self.house, self.town, Oracle(self.house))
            for step in generate(BEFORE_SEED, BEFORE, faults=False).steps:
                perform(before, step)
            before.oracle.forget()
            self.house.disk.keep()
        self.kept = pickle.dumps(kept_of(before))
        self.export = self.house.folder / "checkpoint.json"

    def trial(self, point: str, seed: int) -> bool:
        """Kill a child at a point, go on from what it left. False when it did not come there. Raises Broken."""
        house = self.house
        house.fresh()
        house.numbers.count *= 2
        with house.simulated():
            oracle = Oracle(house)
            world = give(World(house, self.town, oracle), pickle.loads(self.kept))
            house.serve(self.town.parties["vendor"], "createSubscription", {}, {
                "external_id": f"sub-{seed}", "url": self.hooks.url, "event_types": [],
            }, f"key-sub-{seed}")  # fmt: skip
            self._sign_first()
            watch = Watch(world)
            newest = oracle.one("SELECT max(seq) FROM events")
            seen = len(self.hooks.seen())
            oracle.forget()
            house.engine.dispose()
            died, kept, pending = self._live(point, seed)
            house.reopen()
            self._wait_until_gone()
            house.numbers.count += 10**6
            give(world, kept)
            if pending is not None:
                world.waiting.append(pending)
            world.crashed = world.acted = True
            with mock.patch.object(watch, "refunds"), mock.patch.object(watch, "frozen"):
                watch.after_step()  # of many steps at once: sums of the moment are judged from here on
            watch.everything()
            world.step = generate(seed, 1).steps[0]
            heal(world, watch)
            self._deliver_all()
            self._nothing_untold(seen, newest, oracle)
            watch.the_log()
            self._export_is_whole()
            oracle.forget()
        return died

    def _sign_first(self) -> None:
        """A head and a checkpoint from before: what is whole must stay whole."""
        storage = self.house.storage
        sequencer.run(storage, security_instant(), patience_s=0)
        heads.run(storage, self.house.keyring, security_instant())
        self._write_checkpoint()

    def _write_checkpoint(self) -> None:
        with self.house.storage.reading() as work:
            head = heads.newest(work.connection)
            assert head is not None
            document = heads.checkpoint(head, self.house.keyring, security_instant())
            checkpoints.write(work.connection, self.export, document, self.export.with_suffix(".leaves"))

    def _live(self, point: str, seed: int) -> tuple[bool, Kept, Request | None]:
        """Let a child live until it dies or has played to the end; what the outside knows then."""
        context = multiprocessing.get_context("fork")
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=self._child, args=(point, seed, theirs), daemon=True)
        process.start()
        theirs.close()
        kept: Kept = pickle.loads(self.kept)
        pending: Request | None = None
        try:
            while True:
                kept, pending = pickle.loads(mine.recv_bytes())
        except EOFError:
            process.join()
        if process.exitcode not in (0, -signal.SIGKILL):
            raise Broken("a child dies of nothing else", f"exit code {process.exitcode}")
        return process.exitcode != 0, kept, pending

    def _child(self, point: str, seed: int, end: Connection) -> None:
        world = Told(self.house, self.town, Oracle(self.house))
        give(world, pickle.loads(self.kept))
        points = Dying(self.house.engine)
        points.kill_at(POINTS[point], Random(f"{seed}/{point}").choice((0, 0, 0, 1, 2, 4)))
        world.tell_to(end, points)
        with _wrapped(points):
            for number, step in enumerate(generate(seed, STEPS, faults=False).steps):
                perform(world, step)
                end.send_bytes(pickle.dumps((kept_of(world), None)))
                if number % ROUND_EVERY == ROUND_EVERY - 1:
                    self._round(world)
                    end.send_bytes(pickle.dumps((kept_of(world), None)))
        end.close()
        os._exit(0)

    def _round(self, world: World) -> None:
        for name in SWEEPS:
            world.sweep(name)
        deliver.run(self.house.platform)
        sequencer.run(self.house.storage, security_instant(), patience_s=0)
        heads.run(self.house.storage, self.house.keyring, security_instant())
        self._write_checkpoint()

    def _wait_until_gone(self) -> None:
        """PostgreSQL notices a dead client when it reads from it next; its locks go with it."""
        if not isinstance(self.house.disk, PostgresDisk):
            return
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        for _ in range(500):
            with self.house.engine.connect() as connection:
                if not connection.execute(others).scalar_one():
                    return
            time.sleep(0.01)
        raise Broken("a dead client's connection ends", "five seconds after its death it has not")

    def _deliver_all(self) -> None:
        for _ in range(200):
            self.house.clock.turn(timedelta(minutes=2))
            if not deliver.run(self.house.platform):
                return

    def _nothing_untold(self, seen: int, newest: int, oracle: Any) -> None:
        wanted = [row[0] for row in oracle.rows("SELECT id FROM events WHERE seq > ? ORDER BY seq", newest)]
        got = {taken.id for taken in self.hooks.seen()[seen:]}
        if missing := [id for id in wanted if id not in got]:
            raise Broken("no event is lost", f"{len(missing)} of {len(wanted)}, first {missing[0]}")

    def _export_is_whole(self) -> None:
        checkpoints.load(self.export, "http://sim", self.export.with_suffix(".leaves"))

    def close(self) -> None:
        """Remove everything."""
        self.house.close()


@contextmanager
def _wrapped(points: Dying) -> Iterator[None]:
    """The places that are no statement: around a commit, a delivery and the writing of an export."""
    write, send, whole = Storage.write, deliver.send, files.written_whole

    def writing(self: Storage, *given: Any, **named: Any) -> Any:
        result = write(self, *given, **named)
        points.reach("after commit")
        return result

    def sending(*given: Any) -> Any:
        points.reach("before webhook send")
        outcome = send(*given)
        points.reach("after webhook send")
        return outcome

    @contextmanager
    def exporting(path: Path) -> Iterator[Any]:
        points.reach("before export write")
        with whole(path) as file:
            yield file
            file.flush()
            points.reach("in export write")

    with (
        mock.patch.object(Storage, "write", writing), mock.patch.object(deliver, "send", sending),
        mock.patch.object(files, "written_whole", exporting),
    ):  # fmt: skip
        yield


@contextmanager
def yard(server: str | None, folder: Path) -> Iterator[Yard]:
    """A yard that is gone afterwards."""
    with receiver(folder) as hooks:
        made = Yard(server, hooks)
        try:
            yield made
        finally:
            made.close()


def run(options: Options) -> Figures:
    """`count` kills at each point. Raises Failed."""
    figures: Counter[str] = Counter({"points": len(POINTS), "acknowledged and lost": 0, "unbalanced": 0})
    with tempfile.TemporaryDirectory(prefix="offcampus-crashes-") as folder, yard(options.server, Path(folder)) as made:
        for number, point in enumerate(POINTS):
            figures.update(killed(made, point, options.first + 1000 * number, options.count))
    return Figures(figures)


def killed(made: Yard, point: str, first: int, times: int) -> Counter[str]:
    """So many kills at a point, from one seed on; seeds that do not come there are passed over."""
    figures: Counter[str] = Counter()
    for seed in range(first, first + 10 * times + 20):
        try:
            died = made.trial(point, seed)
        except Broken as broken:
            raise Failed(seed, f"killed {point}: {broken}") from broken
        figures["kills"] += died
        figures["trials"] += 1
        if figures["kills"] == times:
            return figures
    raise Failed(first, f"{point}: only {figures['kills']} of {times} histories come there")
