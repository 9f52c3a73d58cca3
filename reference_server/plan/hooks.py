"""T14: webhooks to a receiver that fails, dawdles, redirects and says 410, from relays that are killed all the time.

Two relays work at once on two subscriptions while events go on being written. A relay that finds nothing due moves the
business clock on for all, so that waits are short and a lease runs out now and then under a slow delivery.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from offcampus_server.kernel.clock import Clock
from offcampus_server.kernel.problems import Problem
from offcampus_server.kernel.unit_of_work import Work
from offcampus_server.workers import deliver
from simulation.house import START

from plan.ground import Ground, Site, ground
from plan.measure import Failed, Figures, Options
from plan.receiver import Moods, Receiver, Taken, receiver

SUBJECTS, AT_A_TIME, EVENTS_PER_KILL = 40, 50, 50
KINDS = ("order", "refund")
MOODS = Moods(fails=300, slow=50, redirects=20, gone=1)
IDLE_S, JUMP_S, TOO_LONG_S = 0.02, 2, 1800.0


@dataclass(frozen=True)
class Hurried(Clock):
    """A business clock that every process of this machine sees alike and may move on."""

    since: float = field(default_factory=time.monotonic)
    ahead: Any = field(default_factory=lambda: multiprocessing.get_context("fork").Value("d", 0.0))

    def now(self) -> datetime:
        return START + timedelta(seconds=time.monotonic() - self.since + self.ahead.get_obj().value)

    def hurry(self) -> None:
        """Nothing is due: let some of the waiting pass. A lock that died with its process is gone without."""
        self.ahead.get_obj().value += JUMP_S


class Relays:
    """Worker processes that do nothing but deliver."""

    def __init__(self, site: Site, count: int) -> None:
        self.site, self.context = site, multiprocessing.get_context("fork")
        self.processes = [self._start() for _ in range(count)]
        self.kills = 0

    def _start(self) -> Any:
        process = self.context.Process(target=_relay, args=(self.site,), daemon=True)
        process.start()
        return process

    def kill_one(self, random: Random) -> None:
        """Kill a relay wherever it is, and start another in its place."""
        number = random.randrange(len(self.processes))
        os.kill(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].join()
        self.processes[number] = self._start()
        self.kills += 1

    def stop(self) -> None:
        """End them all."""
        for process in self.processes:
            process.kill()
            process.join()


def _relay(site: Site) -> None:
    mine = site.opened()
    while True:
        try:
            taken = deliver.run(mine.platform)
        except Problem:
            taken = 1  # another one was writing: the next round comes
        if not taken:
            site.clock.hurry()  # type: ignore[attr-defined]
            time.sleep(IDLE_S)


def run(options: Options) -> Figures:
    """`count` events, a kill for every fifty. Raises Failed."""
    with ground(options.server) as made, tempfile.TemporaryDirectory(prefix="offcampus-hooks-") as folder:
        return Figures(deliveries(made, Path(folder), options.first, options.count))


def deliveries(ground: Ground, folder: Path, seed: int, events: int) -> Counter[str]:
    """Write events, have them delivered, and see that none is lost. Raises Failed."""
    random = Random(seed)
    site = ground.fresh()
    site = replace(site, clock=Hurried())  # type: ignore[arg-type]
    site.platform.storage.clock = site.clock
    with receiver(folder, MOODS, seed) as hooks:
        subscriptions = [_subscribe(site, kind, hooks.url) for kind in KINDS]
        first = site.rows("SELECT coalesce(max(seq), 0) FROM events")[0][0]
        site.engine.dispose()
        relays = Relays(site, 2)
        revived = 0
        try:
            written = _write(site, random, events, relays)
            began = time.monotonic()
            while not _through(site, hooks, first):
                time.sleep(0.05)
                if relays.kills < events // EVENTS_PER_KILL:
                    relays.kill_one(random)
                revived += _revive(site, hooks, subscriptions, first)
                if time.monotonic() - began > TOO_LONG_S:
                    raise Failed(seed, f"not all are delivered after {TOO_LONG_S:.0f} s: {_states(site)}")
        finally:
            relays.stop()
        figures = _judge(site, hooks.seen(), first, seed)
    figures.update({"events": written, "kills": relays.kills, "redelivered after 410": revived})
    ground.drop(site)
    return figures


def _subscribe(site: Site, kind: str, url: str) -> str:
    body = {"external_id": f"sub-{kind}", "url": url, "event_types": [f"cn.offcampus.{kind}.told.v1"]}
    return str(site.serve("vendor", "createSubscription", body=body).body["id"])


def _write(site: Site, random: Random, events: int, relays: Relays) -> int:
    """Events of some orders and refunds, each subject's versions rising, in transactions of differing size."""
    versions: Counter[str] = Counter()
    institution_id = site.town.institution_id

    def some(work: Work, count: int) -> None:
        for _ in range(count):
            kind = random.choice(KINDS)
            subject = f"{kind[:3]}_{random.randrange(SUBJECTS):026}"
            versions[subject] += 1
            work.emit(kind, "told", subject, institution_id, versions[subject], state="paid", region_code="110105")

    written = 0
    while written < events:
        size = min(random.randint(1, AT_A_TIME), events - written)
        site.platform.storage.write(partial(some, count=size))
        written += size
        if relays.kills < written // EVENTS_PER_KILL:
            relays.kill_one(random)
    return written


def _events(site: Site, first: int) -> list[tuple[Any, ...]]:
    statement = "SELECT id, subject, sequence, type FROM events WHERE seq > ? ORDER BY xid, seq"
    return site.rows(statement, first)


def _through(site: Site, hooks: Receiver, first: int) -> bool:
    taken = {each.id for each in hooks.seen() if each.status == 204}
    return all(row[0] in taken for row in _events(site, first) if ".told." in row[3])


def _revive(site: Site, hooks: Receiver, subscriptions: list[str], first: int) -> int:
    """A receiver that said 410 by mistake asks to have everything again from what it has not taken."""
    revived = 0
    for id, kind in zip(subscriptions, KINDS, strict=True):
        ((state,),) = site.rows("SELECT state FROM subscriptions WHERE id = ?", id)
        if state != "disabled":
            continue
        taken = {each.id for each in hooks.seen() if each.status == 204}
        missing = [row[0] for row in _events(site, first) if f".{kind}.told." in row[3] and row[0] not in taken]
        if missing:
            body = {"from_event_id": missing[0]}
            site.serve("vendor", "redeliverEvents", {"subscription_id": id}, body)
            revived += 1
    return revived


def _states(site: Site) -> list[tuple[Any, ...]]:
    return site.rows("SELECT state, failures, next_attempt_at, leased_until, last_failure FROM subscriptions")


def _judge(site: Site, seen: list[Taken], first: int, seed: int) -> Counter[str]:
    """None lost, each under its own id, and of each subject the versions rise in the order of first arrival."""
    wanted = {row[0]: row for row in _events(site, first) if ".told." in row[3]}
    taken = [each for each in seen if each.status == 204]
    arrived = dict.fromkeys(each.id for each in taken)
    if lost := wanted.keys() - arrived.keys():
        raise Failed(seed, f"{len(lost)} of {len(wanted)} events are lost")
    if strange := arrived.keys() - wanted.keys():
        raise Failed(seed, f"{len(strange)} events are nobody's")
    newest: Counter[str] = Counter()
    for id in arrived:
        _, subject, version, _ = wanted[id]
        if version != newest[subject] + 1:
            raise Failed(seed, f"{subject}: version {version} arrives after {newest[subject]}")
        newest[subject] = version
    return Counter(attempts=len(seen), duplicates=len(taken) - len(arrived), lost=0)
