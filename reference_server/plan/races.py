"""T4: races on one order at service level, two to eight processes at once, each history judged by the pure model.

Processes are forked once and wait on a pipe; every history has an order of its own, some a database for itself.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from offcampus_server.funds.verification import verify

from plan.ground import Ground, Site, ground
from plan.jobs import Inside, Player
from plan.linear import Event, linearisable
from plan.measure import Failed, Figures, Options
from plan.order_model import State, step
from plan.story import LESSONS, PRICE_FEN, Story

MOST_PROCESSES, OPERATIONS, ON_ONE_DATABASE = 8, 12, 10
LEAD_S = 0.002


class Racers:
    """Processes of their own, each with its own connections."""

    def __init__(self, ground: Ground) -> None:
        context = multiprocessing.get_context("fork")
        self.ends: list[Connection] = []
        self.processes = []
        for number in range(MOST_PROCESSES):
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(number, ground, theirs), daemon=True)
            process.start()
            theirs.close()
            self.ends.append(mine)
            self.processes.append(process)

    def race(self, url: str, processes: int, order: tuple[str, str], seed: int) -> list[Event]:
        """Let so many processes play on an order at the same instant."""
        self.start(url, processes, order, seed)
        return self.results(processes)

    def start(self, url: str, processes: int, order: tuple[str, str], seed: int) -> None:
        """Let them begin."""
        at = time.monotonic() + LEAD_S
        for end in self.ends[:processes]:
            end.send((url, order, seed, at))

    def results(self, processes: int) -> list[Event]:
        """What they have done, when all are through."""
        found: list[Event] = []
        for end in self.ends[:processes]:
            found += end.recv()
        return found

    def stop(self) -> None:
        """Let them go."""
        for end in self.ends:
            end.close()
        for process in self.processes:
            process.join(5)


def _serve(number: int, ground: Ground, end: Connection) -> None:
    site: Site | None = None
    while True:
        try:
            url, (order_id, payment_id), seed, at = end.recv()
        except EOFError:
            return
        if site is None or site.url != url:
            if site is not None:
                site.close()
            site = ground.site(url)
        random = Random(f"{seed}/{number}")
        player = Player(number, site, Inside(site), order_id, payment_id, random, order_id[-12:])
        while time.monotonic() < at:
            pass
        end.send(player.play(OPERATIONS))


def warm(ground: Ground) -> None:
    """What is compiled and cached on the first request is inherited by a fork; a connection must not be."""
    site = ground.fresh()
    Story(site).objected()
    ground.drop(site)
    ground.house.engine.dispose()


@contextmanager
def racers(ground: Ground) -> Iterator[Racers]:
    """Racers that are gone afterwards."""
    warm(ground)
    made = Racers(ground)
    try:
        yield made
    finally:
        made.stop()


def begin(site: Site, seed: int) -> tuple[Story, State]:
    """An order as the race finds it: promised, paid, or in the middle of being taught."""
    random = Random(seed)
    story, state = Story(site, family=random.randrange(len(site.town.families))), State(PRICE_FEN, LESSONS * 200)
    if random.random() < 0.2:
        return story.promised(), state
    lessons = random.choice((0, 2, 4, 9))
    story.taught(lessons) if lessons else story.paid()
    rows = site.rows(
        "SELECT external_id, lesson_id FROM consumption_records WHERE order_id = ? ORDER BY id", story.order_id
    )
    records = tuple((f"con:{lesson}/{id}", "reported") for id, lesson in rows)
    return story, State(PRICE_FEN, LESSONS * 200, "paid", PRICE_FEN, records)


def judge(seed: int, start: State, events: list[Event], site: Site, order: tuple[str, str]) -> None:
    """The history with a last look at the order must be one that the model allows. Raises Failed."""
    player = Player(99, site, Inside(site), *order, Random(seed), f"judge-{order[0]}")
    last = player.act("read")
    assert last is not None
    fits, longest = linearisable(start, [*events, last], step)
    if not fits:
        kept = set(map(id, longest))
        lines = [*(f"  {event}" for event in longest), "left:",
                 *(f"  {event}" for event in [*events, last] if id(event) not in kept)]  # fmt: skip
        raise Failed(seed, "no order of these operations is lawful:\n" + "\n".join([f"  from {start}", *lines]))


def check_books(site: Site, seed: int) -> None:
    """The whole ledger agrees with itself, and every version of everything has one event. Raises Failed."""
    with site.platform.storage.reading() as work:
        if findings := verify(work):
            raise Failed(seed, f"unbalanced: {findings[0]}")
    told: Counter[str] = Counter()
    for subject, version in site.rows("SELECT subject, sequence FROM events ORDER BY subject, sequence"):
        told[subject] += 1
        if version != told[subject]:
            raise Failed(seed, f"{subject}: event {told[subject]} tells version {version}")
    for table in ("orders", "payments", "refunds", "consumption_records", "custody_instructions", "custody_movements"):
        for id, version in site.rows(f"SELECT id, version FROM {table}"):
            if told[id] != version:
                raise Failed(seed, f"{id}: version {version}, {told[id]} events")


def run(options: Options) -> Figures:
    """`count` histories. Raises Failed with the seed of the first that no model allows."""
    figures: Counter[str] = Counter()
    with ground(options.server) as made, racers(made) as processes:
        site = made.fresh()
        for number, seed in enumerate(options.seeds):
            if number and number % ON_ONE_DATABASE == 0:
                check_books(site, seed - 1)
                made.drop(site)
                site = made.fresh()
            figures.update(history(made, processes, site, seed))
        check_books(site, options.seeds[-1])
        made.drop(site)
    return Figures(figures)


def history(ground: Ground, processes: Racers, site: Site, seed: int) -> Counter[str]:
    """One history, played and judged."""
    story, start = begin(site, seed)
    order = (story.order_id, story.payment_id)
    count = Random(seed).randint(2, MOST_PROCESSES)
    events = processes.race(site.url, count, order, seed)
    judge(seed, start, events, site, order)
    outcomes: dict[str, Any] = Counter("took" if e.outcome == "ok" else e.outcome for e in events)
    told = Counter({"histories": 1, "operations": len(events), "took": outcomes.get("took", 0)})
    told["refused"] = sum(n for name, n in outcomes.items() if name not in ("took", "unknown"))
    told["unknown"] = outcomes.get("unknown", 0)
    return told
